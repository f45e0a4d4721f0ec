"""SageMaker: jobs, models, the registry and endpoints."""
