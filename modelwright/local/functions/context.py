"""The second argument of every handler.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class Identity:
    """Who called from a mobile application: nobody here."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


@dataclass
class Context:
    """What a handler may ask about its function and this invocation; `deadline` is in epoch seconds."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float = field(repr=False)
    client_context: Any = None
    identity: Identity = field(default_factory=Identity)

    def __post_init__(self) -> None:
        """Take the rest from the environment, as AWS's runtime does."""
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        if isinstance(self.client_context, dict):
            self.client_context = SimpleNamespace(**self.client_context)

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still take."""
        return max(0, int((self.deadline - time.time()) * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log."""
        print(message)  # noqa: T201 - a function's log is its output
