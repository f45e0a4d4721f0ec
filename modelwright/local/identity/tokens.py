"""GitHub's tokens as the local cloud makes them: JSON Web Tokens that say which branch of which repository asks.

GitHub signs with a key pair whose public half AWS fetches (RS256); here who signs and who checks are one process, so a
secret that never leaves it does (HS256). What a token says is what GitHub's says, as far as AWS looks at it:
https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.config.read_environment import GITHUB_ISSUER
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.clock import Clock

AUDIENCE = "sts.amazonaws.com"
_LIFETIME_SECONDS = 300
_NOT_OURS = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
"""https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html"""


class Tokens:
    """Makes tokens and reads them. None is taken that this process did not make."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    def make(self, subject: str, *, audience: str = AUDIENCE, issuer: str = GITHUB_ISSUER) -> str:
        """A token for `subject` (`repo:owner/repository:ref:refs/heads/main`) that ends in five minutes."""
        now = int(self._clock.time())
        claims = {
            "iss": f"https://{issuer}",
            "sub": subject,
            "aud": audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
        }
        head = _encode({"alg": "HS256", "typ": "JWT"})
        text = f"{head}.{_encode(claims)}"
        return f"{text}.{self._signature(text)}"

    def read(self, token: str) -> dict[str, Any]:
        """What a token says.

        Raises:
            AwsError: it is none of ours (InvalidIdentityToken), or it has ended (ExpiredTokenException).
        """
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            raise AwsError("InvalidIdentityToken", _NOT_OURS)
        claims: dict[str, Any] = json.loads(_decode(text.partition(".")[2]))
        now, end = int(self._clock.time()), claims["exp"]
        if now >= end:
            # word for word: https://github.com/awslabs/aws-orbit-workbench/issues/771
            message = f"Token expired: current date/time {now} must be before the expiration date/time{end}"
            raise AwsError("ExpiredTokenException", message)
        return claims

    def _signature(self, text: str) -> str:
        return _base64(hmac.digest(self._secret, text.encode(), hashlib.sha256))


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
