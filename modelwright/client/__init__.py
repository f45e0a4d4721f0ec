"""What a caller does with AWS through boto3: local or real differs by the endpoint only."""
