"""A pipeline's dashboard with its data, and as a picture."""
