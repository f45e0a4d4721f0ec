"""Machine-learning pipelines on AWS as code; the same template runs whole on a laptop."""
