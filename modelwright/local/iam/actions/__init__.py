"""What AWS checks for each API operation, one file a service.

Each file has `OPERATIONS`: botocore's name of the operation -> the permissions that a request needs, as the Service
Authorization Reference lists them: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
