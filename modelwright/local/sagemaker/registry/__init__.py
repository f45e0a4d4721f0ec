"""The model registry: models, packages and their groups, and the images they name."""
