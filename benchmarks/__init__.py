"""What a run costs beside the bare work: `python -m benchmarks`."""
