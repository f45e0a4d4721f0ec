"""Rows in bodies: CSV and JSON read by the model's schema, the short ways and the long one; answers written."""
