"""Taking away a pipeline or an environment: what costs money first, what cannot be brought back only when asked for."""
