"""Real processes: how jobs, functions and model servers are started, watched and ended."""
