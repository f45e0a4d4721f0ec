"""Batch transform jobs: objects in, mini-batches through real model servers, outputs out."""
