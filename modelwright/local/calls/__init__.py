"""A call's way through the local cloud: parsed, its caller found, authorized, handed to a service, answered."""
