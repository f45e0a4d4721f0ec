"""Bytes to requests and answers to bytes: connections, heads, limits, media types."""
