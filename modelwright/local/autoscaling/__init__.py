"""Application Auto Scaling: instances of endpoints that come and go with the load."""
