"""Who may do what: one module a kind of caller, one pure function a role, each statement on named resources."""
