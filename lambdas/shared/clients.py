"""boto3 clients: made when first used, once a process, so that a warm function has them."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Step Functions retries a whole function; inside it a call is retried a few times against a passing fault.
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=20)
# A model may take 60 s to answer, its caller should wait 70 s: so long that who asks has to look at the clock before
# it asks again. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_OF_MODELS = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=70)


@cache
def client(service: str) -> Any:
    """The client of `service`, with the region and the credentials of the function."""
    return boto3.client(service, config=_OF_MODELS if service == "sagemaker-runtime" else _CONFIG)


def error_code(error: Any) -> str:
    """The API's error code in a botocore `ClientError`."""
    return str(error.response.get("Error", {}).get("Code", ""))
