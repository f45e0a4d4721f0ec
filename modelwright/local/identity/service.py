"""STS, as far as a caller asks who it is, or takes a role with what an identity provider says of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from modelwright.local.iam.authority import session_arn
from modelwright.local.identity.tokens import AUDIENCE, Tokens
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_LEAST_SECONDS, _MOST_SECONDS = 900, 3600
"""A session's length: an hour is the most that a role gives which does not say more (MaxSessionDuration)."""
_TAKEN = frozenset({"RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"})


@dataclass(frozen=True)
class Provider:
    """One identity provider of the account."""

    arn: str
    url: str
    """Without `https://`: what the condition keys begin with."""
    audiences: frozenset[str]


class Identity:
    """The service `sts`. Keys of a role are handed to what runs as that role; only a token takes one by a call."""

    name = "sts"
    operations = frozenset({"AssumeRoleWithWebIdentity", "GetCallerIdentity"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._providers: Mapping[str, Provider] = {}
        self._named: frozenset[str] = frozenset()
        self._tokens = Tokens(cloud.clock)
        self.token: Callable[..., str] = self._tokens.make
        """Makes a token as GitHub does for a job: for whoever plays GitHub on this machine."""

    def start(self) -> None:
        """Nothing is kept: a deploy at the start makes the providers again."""

    def stop(self) -> None:
        """Nothing runs here."""

    def put_provider(self, arn: str, url: str, audiences: Collection[str]) -> None:
        """Keep an identity provider of the account, in place of one with that ARN."""
        provider = Provider(arn, url.removeprefix("https://"), frozenset(audiences))
        with self._lock:
            self._providers = {**self._providers, arn: provider}

    def delete_provider(self, arn: str) -> None:
        """Forget it: no token of it is taken any more."""
        with self._lock:
            self._providers = {key: value for key, value in self._providers.items() if key != arn}

    def name_provider(self, arn: str) -> None:
        """Note that a role trusts this provider: if no stack makes it, the account had it before, with STS's audience.

        So it is with `oidc_provider: arn:…` in an environment file.
        """
        with self._lock:
            self._named |= {arn}

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        if call.operation == "AssumeRoleWithWebIdentity":
            return self._assume(call.params)
        caller = call.caller
        session = caller.arn.rpartition("/")[2]
        user = f"AROALOCAL:{session}" if caller.kind == "role" else self._cloud.account
        return {"UserId": user, "Account": self._cloud.account, "Arn": caller.arn}

    def _assume(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Check the token, then the role's trust in what it says; the errors are AWS's.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
        """
        seconds = _duration(params)
        claims = self._tokens.read(params["WebIdentityToken"])
        provider = self._provider(claims)
        role, session = params["RoleArn"], params["RoleSessionName"]
        said = {f"{provider.url}:{name}": str(claims[name]) for name in ("aud", "sub")}
        if not self._cloud.iam.may_assume_with_token(role, provider.arn, said):
            # also when there is no such role: https://repost.aws/knowledge-center/iam-idp-access-error
            raise AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
        keys = self._cloud.callers.lend(role, session, seconds)
        return {
            "Credentials": {
                "AccessKeyId": keys.access_key,
                "SecretAccessKey": keys.secret_key,
                "SessionToken": keys.session_token,
                "Expiration": self._cloud.clock.now() + timedelta(seconds=seconds),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROALOCAL:{session}", "Arn": session_arn(role, session)},
            "SubjectFromWebIdentityToken": claims["sub"],
            "Provider": provider.arn,
            "Audience": claims["aud"],
        }

    def _provider(self, claims: Mapping[str, Any]) -> Provider:
        """The account's provider for whoever made the token. The texts are those that AWS's users report.

        https://github.com/aws-actions/configure-aws-credentials/issues/280
        https://github.com/awslabs/amazon-eks-irsa-cfn/pull/18
        """
        url = str(claims["iss"]).removeprefix("https://")
        arn = f"arn:aws:iam::{self._cloud.account}:oidc-provider/{url}"
        found = self._providers.get(arn)
        if found is None and arn in self._named:
            found = Provider(arn, url, frozenset({AUDIENCE}))
        if found is None:
            message = f"No OpenIDConnect provider found in your account for {claims['iss']}"
            raise AwsError("InvalidIdentityToken", message)
        if claims["aud"] not in found.audiences:
            raise AwsError("InvalidIdentityToken", "Incorrect token audience")
        return found


def _duration(params: Mapping[str, Any]) -> int:
    """How long the session lasts; refuses what the local cloud would leave out."""
    more = sorted(name for name in set(params) - _TAKEN if params[name] is not None)
    if more:
        message = f"the local cloud's AssumeRoleWithWebIdentity takes no {', '.join(more)}; leave it out"
        raise AwsError("NotSupported", message)
    seconds = int(params.get("DurationSeconds") or _MOST_SECONDS)
    if seconds < _LEAST_SECONDS:
        raise AwsError("ValidationError", f"DurationSeconds is {seconds}; it must be {_LEAST_SECONDS} or more.")
    if seconds > _MOST_SECONDS:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError("ValidationError", message)
    return seconds
