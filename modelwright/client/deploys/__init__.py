"""The template made, deployed, and read again when something of it is not well."""
