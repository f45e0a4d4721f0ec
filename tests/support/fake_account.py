"""An AWS account of a test's making behind botocore's own clients.

A request goes through botocore's validation of its parameters, an answer is validated against the operation's output
shape: so nothing can be asked or answered here that AWS's API does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

ACCOUNT, REGION = "111122223333", "eu-central-1"
_BOTOCORE = botocore.session.Session()


@dataclass(frozen=True)
class Refusal:
    """An error answer."""

    code: str
    message: str = "refused by the test"
    status: int = 400


Answer = Mapping[str, Any] | Refusal | Callable[[Mapping[str, Any]], "Mapping[str, Any] | Refusal"]


@dataclass
class FakeAccount:
    """What each operation answers, by `service:Operation`; what a test did not say is the test's mistake."""

    answers: dict[str, Answer] = field(default_factory=dict)
    regions: dict[str, Answer] = field(default_factory=dict)
    """What STS answers in other regions."""
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def session(self, region: str = REGION, environment_option: str = "") -> FakeAccountSession:
        return FakeAccountSession(self, region, environment_option)

    def asked(self, operation: str) -> list[Mapping[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    def answer(self, service: str, region: str, model: Any, params: Mapping[str, Any]) -> Mapping[str, Any] | Refusal:
        name = f"{service}:{model.name}"
        self.calls.append((name, params))
        found = self.regions.get(region, self.answers.get(name)) if service == "sts" else self.answers.get(name)
        if found is None:
            raise AssertionError(f"{name} was asked for and the test says nothing about it: {params}")
        said = found(params) if callable(found) else found
        if not isinstance(said, Refusal) and model.output_shape is not None:
            report = ParamValidator().validate(said, model.output_shape)
            assert not report.has_errors(), f"{name} never answers so: {report.generate_report()}"
        return said


class FakeAccountSession:
    """A `Session` whose clients ask the account."""

    is_local = False
    poll_seconds = 1.0

    def __init__(self, account: FakeAccount, region: str, environment_option: str = "") -> None:
        self._account, self.region = account, region
        self.environment_option, self.options = environment_option, f" --aws{environment_option}"

    def check_credentials(self) -> None:
        """There are some."""

    def client(self, service: str) -> Any:
        client = _BOTOCORE.create_client(
            service, region_name=self.region, aws_access_key_id="key", aws_secret_access_key="secret"
        )
        events = client.meta.events
        events.register("before-parameter-build.*.*", _remember)
        events.register("before-call.*.*", self._answerer(service))
        return client

    def _answerer(self, service: str) -> Callable[..., Any]:
        def answer(model: Any, context: dict[str, Any], **_: Any) -> Any:
            said = self._account.answer(service, self.region, model, context["said"])
            if isinstance(said, Refusal):
                error = {"Error": {"Code": said.code, "Message": said.message}, "ResponseMetadata": {}}
                return AWSResponse(None, said.status, {}, None), error
            return AWSResponse(None, 200, {}, None), {**said, "ResponseMetadata": {}}

        return answer


def _remember(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["said"] = params
