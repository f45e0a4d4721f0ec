"""What `PipelineStack` is composed of, a file by what it is for."""
