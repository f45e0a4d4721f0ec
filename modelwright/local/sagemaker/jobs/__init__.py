"""Training and processing jobs as real processes; `service.py` answers the API, for transform jobs too."""
