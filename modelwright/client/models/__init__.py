"""Registered models: which one a command is about, and taking it elsewhere."""
