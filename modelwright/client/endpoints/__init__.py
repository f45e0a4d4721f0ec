"""Asking a deployed model, sending it traffic, and what is known of the endpoint."""
