"""What one service of the local cloud is, and what it is handed.

A service sees AWS's parameters as Python values (parsed with botocore's own model) and answers in the same shapes;
HTTP, protocols and signatures end in the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Credentials:
    """Keys that a client signs with. `session_token` is empty for the owner's."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Caller:
    """Who calls: the owner (the person at the keyboard, not restricted), a session of a role, or `anyone`.

    `anyone` has signed nothing: it takes a role with a token, which is all that AWS lets it do, too.
    `via` is the service that calls on the role's behalf (`states.amazonaws.com`): it decides `aws:CalledVia` and
    `aws:ViaAWSService`, nothing else.
    """

    kind: Literal["owner", "role", "anyone"]
    arn: str
    role_arn: str | None = None
    via: str | None = None


@dataclass(frozen=True)
class Call:
    """One request, parsed. `service` is botocore's name of it (`stepfunctions`, not `states`)."""

    service: str
    operation: str
    params: dict[str, Any]
    caller: Caller
    region: str


class AwsError(Exception):
    """An error as AWS's API answers it; the gateway writes it in the protocol of the request.

    `extra` holds the other members of a modelled error shape (`OriginalStatusCode` of sagemaker-runtime's ModelError).
    """

    def __init__(self, code: str, message: str, status: int = 400, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra: dict[str, Any] = dict(extra or {})


class Service(Protocol):
    """One of our own services. It is made as `Class(cloud)`; `services.py` lists the classes.

    `handle` is called from many threads at once. It raises `AwsError`; any other exception is answered as
    InternalFailure (500) and logged with its traceback.
    """

    name: str
    """botocore's service name"""
    operations: frozenset[str]
    """the operations it answers"""
    falls_through: bool
    """True: operations that are not in `operations` go to moto; False: they are an error that names them"""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer in botocore's output shape; datetimes are aware, a streaming body is bytes."""

    def start(self) -> None:
        """Take up what the database holds. Called once, when the endpoint answers and before the first deploy."""

    def stop(self) -> None:
        """End what runs, recorded. Called once, before the database closes."""


class CallerRegistry(Protocol):
    """What the core needs of `calls.callers.Callers(cloud)`."""

    owner: Credentials

    def session(self, role_arn: str, *, via: str | None = None) -> Credentials:
        """Mint (or reuse) keys with which calls are made as a session of this role."""

    def find(self, access_key: str) -> Caller:
        """Who signs with this key; AwsError InvalidClientTokenId (403) when nobody does."""


class PolicyAuthority(Protocol):
    """What the core needs of `iam.Authority(cloud)`."""

    def check(self, call: Call) -> None:
        """Raise AwsError AccessDenied (the service's own error name) when the call's role may not make it."""

    def authorize(self, role_arn: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Raise AwsError AccessDenied unless the role may do `action` on `resource`."""
