"""STS: who a caller is, and roles that are taken with a token."""
