"""A pipeline's folder becomes a release: an immutable, content-addressed manifest with its bundle and data."""
