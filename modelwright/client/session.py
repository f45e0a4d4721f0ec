"""Where AWS's API is: the local cloud's endpoint, or AWS itself with the user's own credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from modelwright.errors import ModelwrightError


class CredentialsError(ModelwrightError):
    """AWS was asked for, and no usable credentials are there."""


@dataclass
class Session:
    """Makes boto3 clients, one a service.

    Attributes:
        region: the AWS region.
        endpoint_url: the local cloud's; None is AWS itself.
        access_key, secret_key: the local cloud's; with None boto3 finds the user's own.
    """

    region: str
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks at something that goes on: AWS throttles, loopback does not."""
        return 2.0 if self.endpoint_url is None else 0.04

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 - takes 0.15 s, and the local cloud starts meanwhile
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=20, s3={"addressing_style": "path"}
        )
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=config,
        )


def explain(error: Exception) -> ModelwrightError | None:
    """One clear sentence for what boto3 raises when AWS cannot be used at all; None for anything else."""
    from botocore import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return CredentialsError(
            "--aws needs AWS credentials, and none were found.",
            hint="Run `aws configure` or `aws sso login`, or set AWS_PROFILE.",
        )
    if isinstance(error, exceptions.TokenRetrievalError | exceptions.ProfileNotFound | exceptions.SSOError):
        return CredentialsError(
            f"--aws found no usable AWS credentials: {error}.", hint="Run `aws sso login`, or set AWS_PROFILE."
        )
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        return ModelwrightError(
            f"AWS cannot be reached: {error}", hint="Check the network and the region in environments/<env>.yaml."
        )
    if isinstance(error, exceptions.ClientError):
        return _explain_answer(error)
    return None


def _explain_answer(error: Any) -> ModelwrightError | None:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "RequestExpired",
    }:
        return CredentialsError(
            f"AWS refuses these credentials ({code}): {message}", hint="Log in again, for example with `aws sso login`."
        )
    if "AccessDenied" in code or code == "UnauthorizedOperation":
        return ModelwrightError(
            f"{error.operation_name} was refused: {message}", hint="The identity you use lacks this permission."
        )
    return ModelwrightError(f"{error.operation_name} failed: {code}: {message}")
