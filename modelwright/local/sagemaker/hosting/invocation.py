"""One request of InvokeEndpoint, as the container gets it, and what became of it."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.connections import Reply
from modelwright.local.sagemaker.hosting.multi_model import ModelNotLoaded
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.sagemaker.hosting.serverless import PAYLOAD_BYTES
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelwright.local.sagemaker.hosting.fleet import Member

LARGEST_BODY_BYTES = 6_291_456
"""BodyBlob, in and out"""
CONTAINER_SECONDS = 60
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
SLACK_SECONDS = 2
"""the server ends a request that takes too long by itself, and says which function it was in"""


@dataclass(frozen=True)
class Asked:
    """What a caller asks an endpoint."""

    endpoint: str
    body: bytes
    params: Mapping[str, Any]
    """the call's, without its body"""
    at: datetime
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    draw: float = field(default_factory=random.random)
    """decides whether the request is captured: for the variant that answers it and for its shadow"""

    @property
    def target(self) -> str | None:
        """The model that is asked, of several."""
        return self.params.get("TargetModel")

    def headers(self) -> dict[str, str]:
        """Return what SageMaker hands on to the container; everything else of the caller's request it strips."""
        headers = {
            "Content-Type": self.params.get("ContentType"),
            "Accept": self.params.get("Accept"),
            "X-Amzn-SageMaker-Custom-Attributes": self.params.get("CustomAttributes"),
            "X-Amzn-SageMaker-Inference-Id": self.params.get("InferenceId") or self.event_id,
            "X-Amzn-SageMaker-Target-Model": self.target,
        }
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True)
class Outcome:
    """The model's answer, or why there is none, and the seconds that the model took."""

    reply: Reply | None
    seconds: float
    failure: str = ""

    @property
    def status(self) -> int:
        """The answer's; 0 when there is none."""
        return 0 if self.reply is None else self.reply.status

    @property
    def good(self) -> bool:
        """Whether the model answered with what was asked for."""
        return 200 <= self.status <= 299


def largest_body(member: Member) -> int:
    """Return how many bytes may go to this member, and come back."""
    return PAYLOAD_BYTES if member.plan.get("Serverless") else LARGEST_BODY_BYTES


def check(member: Member, asked: Asked) -> None:
    """Raise AwsError for a request that this variant does not take."""
    if member.plan.get("Async"):
        message = f"Endpoint {asked.endpoint} is asynchronous; use InvokeEndpointAsync."
        raise AwsError("ValidationError", message)
    largest = largest_body(member)
    if len(asked.body) > largest:
        message = f"The body has {len(asked.body)} bytes; a serverless endpoint takes at most {largest}."
        raise AwsError("ValidationError", message, 413)
    several = bool(member.plan.get("MultiModel"))
    if several and asked.target is None:
        raise AwsError("ValidationError", f"Request {asked.event_id} is missing a target model header.")
    if asked.target is not None and not several:
        message = f"Endpoint {asked.endpoint} is not a multi-model endpoint and does not support target model header."
        raise AwsError("ValidationError", message)


def ask(member: Member, asked: Asked) -> Outcome:
    """Ask a member's server, started or loaded first where that is due; its time is not the model's.

    ServerFailed when there is no server, AwsError for a model that is not there.
    """
    try:
        with member.server.serving(asked.target) as server:
            began = time.perf_counter()
            try:
                reply = server.exchange(
                    "POST", "/invocations", asked.headers(), asked.body, CONTAINER_SECONDS + SLACK_SECONDS
                )
            except ServerFailed as error:
                return Outcome(None, time.perf_counter() - began, str(error))
            return Outcome(reply, time.perf_counter() - began)
    except ModelNotLoaded as error:
        return Outcome(Reply(500, {}, str(error).encode()), 0.0)
