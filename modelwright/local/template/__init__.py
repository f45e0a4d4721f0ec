"""From a cloud assembly (`cdk.out`) to a running local cloud: what CloudFormation does on AWS."""
