"""Batch transform jobs of a deployed model: what goes in, the job, what became of it."""
