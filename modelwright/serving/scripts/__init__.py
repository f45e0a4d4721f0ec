"""The Python path: a user's script, its functions and requirements, requests gathered into one call."""
