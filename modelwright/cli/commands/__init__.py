"""One file a command: `configure(parser)` declares its arguments, `run(args)` does it and returns the exit code."""
