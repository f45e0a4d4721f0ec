"""Where AWS's API is: the local cloud's endpoint, or AWS itself with the user's own credentials.

Clients are made by botocore, the core of boto3: they are the same clients, and a command starts sooner.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from modelwright.errors import NoCredentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NO_CREDENTIALS = "AWS credentials are needed, and none were found."
NO_CREDENTIALS_HINT = "Run `aws configure` or `aws sso login`, or set AWS_PROFILE."
_IMPATIENT = {"metadata_service_timeout": ("metadata_service_timeout", "AWS_METADATA_SERVICE_TIMEOUT", 0.5, float)}
"""botocore's own second is waited for twice (tokens, then the old way) where nothing answers; the user's value stays"""
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Endpoint:
    """Where a local cloud answers, and its owner's keys or a role's."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    """Of a role's keys."""


class Session:
    """Makes clients of AWS's services, one a service; safe to share between threads.

    Args:
        region: the AWS region.
        endpoint: asked once, when the first client is needed: where the local cloud is. None is AWS itself, with the
            user's own credentials. With it, none of the user's AWS settings counts: profile, variable, proxy.
        environment_option: ` --env prod`, what a command has to be given to be about this environment; may be empty.
    """

    def __init__(
        self, region: str, endpoint: Callable[[], Endpoint] | None = None, environment_option: str = ""
    ) -> None:
        self.region = region
        self.environment_option = environment_option
        self._endpoint = endpoint
        self._found: Endpoint | None = None
        self._clients: dict[str, Any] = {}
        self._botocore: Any = None
        self._lock = Lock()

    @property
    def is_local(self) -> bool:
        """Whether this is the local cloud's API."""
        return self._endpoint is not None

    @property
    def options(self) -> str:
        """What a command that a message names needs to be about the same place: ` --aws --env prod`."""
        return ("" if self.is_local else " --aws") + self.environment_option

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks at something that goes on: AWS throttles, loopback does not."""
        return 0.05 if self.is_local else 2.0

    def client(self, service: str) -> Any:
        """The client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service, self._where())
            return self._clients[service]

    def client_without_retries(self, service: str, connections: int, seconds: float) -> Any:
        """A client of its own that sends each request once, on so many connections, and waits so long for an answer."""
        more = {
            "retries": {"mode": "standard", "total_max_attempts": 1},
            "max_pool_connections": connections,
            "read_timeout": seconds,
        }
        with self._lock:
            return self._make(service, self._where(), more)

    def warm(self, services: Iterable[str]) -> None:
        """Read what the clients of these services need (20-60 ms each), before it is known where the API is."""
        for service in services:
            with self._lock:
                self._make(service, Endpoint(_NOWHERE, "unused", "unused"))

    @property
    def endpoint_url(self) -> str | None:
        """Where the local cloud answers; None is AWS itself."""
        where = self._where()
        return where.url if where else None

    def credentials(self) -> Any:
        """Botocore's credentials of whoever calls: what is no client's, such as a REST API, is signed with them."""
        from botocore.credentials import Credentials  # noqa: PLC0415 # as above

        where = self._where()
        if where is None:
            found = self._session().get_credentials()
            if found is None:
                raise NoCredentials(NO_CREDENTIALS, NO_CREDENTIALS_HINT)
            return found.get_frozen_credentials()
        return Credentials(where.access_key, where.secret_key, where.session_token)

    def check_credentials(self) -> None:
        """Find the user's credentials, before anything is done with them.

        Raises:
            NoCredentials: there are none. The last place asked is EC2's metadata service, for a second at most.
        """
        if not self.is_local and self._session().get_credentials() is None:
            raise NoCredentials(NO_CREDENTIALS, NO_CREDENTIALS_HINT)

    def _where(self) -> Endpoint | None:
        if self._found is None and self._endpoint is not None:
            self._found = self._endpoint()
        return self._found

    def _session(self) -> Any:
        if self._botocore is None:
            import botocore.session  # noqa: PLC0415 # takes 0.1 s, and the local cloud starts meanwhile

            settings = _without_the_users() if self.is_local else _IMPATIENT
            self._botocore = botocore.session.Session(session_vars=settings)
        return self._botocore

    def _make(self, service: str, endpoint: Endpoint | None, more: Mapping[str, Any] | None = None) -> Any:
        session = self._session()
        from botocore.config import Config  # noqa: PLC0415 # as above

        attempts = 5 if endpoint is None else 2  # what does not answer on this machine has ended
        config: dict[str, Any] = {
            "retries": {"mode": "standard", "total_max_attempts": attempts},
            "max_pool_connections": 20,
            **(more or {}),
        }
        if endpoint is None:
            return session.create_client(service, region_name=self.region, config=Config(**config))
        return session.create_client(
            service,
            region_name=self.region,
            endpoint_url=endpoint.url,
            aws_access_key_id=endpoint.access_key,
            aws_secret_access_key=endpoint.secret_key,
            aws_session_token=endpoint.session_token,
            config=Config(**config, s3={"addressing_style": "path"}, proxies={}),
        )


def _without_the_users() -> dict[str, tuple[None, None, Any, Any]]:
    """All settings of botocore, each with its default: no environment variable and no file of the user's is read."""
    from botocore import configprovider  # noqa: PLC0415 # as above

    found = configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES  # its own spelling
    settings = {name: (None, None, default, convert) for name, (_, _, default, convert) in found.items()}
    for file in ("config_file", "credentials_file"):
        settings[file] = (None, None, os.devnull, None)
    return settings
