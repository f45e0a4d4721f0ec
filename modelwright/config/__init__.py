"""What people write: `pipeline.yaml` and `environments/<env>.yaml`, as frozen, checked values."""
