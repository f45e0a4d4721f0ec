"""Who calls the local cloud, by access key.

The keys are made anew at each start and are as hard to guess as a password; what is signed with them is not verified
(docs/adr/0004-enforced-policies.md): the endpoint listens on loopback, and the session token that comes with a role's
keys is compared instead.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from typing import TYPE_CHECKING, Protocol

from modelwright.local.iam.authority import session_arn
from modelwright.local.service import AwsError, Caller, Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.clock import Clock

ANYONE = Caller("anyone", "anonymous")
"""Whoever signs nothing."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_LENGTH = 16
"""After the four letters of AWS's prefix; 80 bits. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html."""


class Setting(Protocol):
    """What the callers need of the cloud that they are made for."""

    account: str
    clock: Clock


class Callers:
    """Mints keys and knows whose they are. Safe to use from many threads."""

    owner: Credentials
    """The keys of the person at the keyboard, who is not restricted."""

    def __init__(self, cloud: Setting) -> None:
        """Make the owner's keys."""
        self._lock = threading.Lock()
        self._clock = cloud.clock
        self._ends: Mapping[str, float] = {}
        self._sessions: dict[tuple[str, str, str | None], Credentials] = {}
        self.owner = Credentials(_key_id("AKIA"), secrets.token_urlsafe(30))
        owner = Caller("owner", f"arn:aws:iam::{cloud.account}:root")
        self._known: Mapping[str, tuple[Credentials, Caller]] = {self.owner.access_key: (self.owner, owner)}

    def session(self, role_arn: str, session_name: str = "local", *, via: str | None = None) -> Credentials:
        """Keys of the session of that name of the role: the same keys each time, made when first asked for.

        `via` is the service that calls with them on the role's behalf (`states.amazonaws.com`).
        """
        with self._lock:
            found = self._sessions.get((role_arn, session_name, via))
            if found is None:
                found = Credentials(_key_id("ASIA"), secrets.token_urlsafe(30), secrets.token_urlsafe(64))
                caller = Caller("role", session_arn(role_arn, session_name), role_arn, via)
                self._sessions[role_arn, session_name, via] = found
                self._known = {**self._known, found.access_key: (found, caller)}
            return found

    def lend(self, role_arn: str, session_name: str, seconds: int) -> Credentials:
        """New keys of a session of the role that are of no use after so many seconds."""
        found = Credentials(_key_id("ASIA"), secrets.token_urlsafe(30), secrets.token_urlsafe(64))
        caller = Caller("role", session_arn(role_arn, session_name), role_arn)
        with self._lock:
            self._ends = {**self._ends, found.access_key: self._clock.time() + seconds}
            self._known = {**self._known, found.access_key: (found, caller)}
        return found

    def end(self, credentials: Credentials) -> None:
        """Forget a session's keys: a job that has ended calls no more."""
        with self._lock:
            self._known = {key: value for key, value in self._known.items() if key != credentials.access_key}
            self._sessions = {key: value for key, value in self._sessions.items() if value != credentials}

    def find(self, access_key: str, session_token: str | None = None) -> Caller:
        """Who signs with this key; AwsError InvalidClientTokenId (403) when nobody does.

        A gateway that has the request's session token (empty when it has none) gives it: it must be the key's.
        """
        found = self._known.get(access_key)
        if found is None or (session_token is not None and not _same(found[0].session_token, session_token)):
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        if access_key in self._ends and self._clock.time() >= self._ends[access_key]:
            raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)
        return found[1]


def _key_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def _same(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode(), second.encode())
