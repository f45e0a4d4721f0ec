"""The same model behind several servers, asked with wrk: `python -m benchmarks serving`."""
