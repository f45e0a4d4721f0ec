"""A client of this process is answered without the text of its call: it sees and does what it would with the text."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from echo_services import AwsError

from modelwright.local.calls.clients import Clients

MOMENTS = (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
DEEPEST = 4
OTHER_HOSTS = ("PutEvents",)
"""whose parameters are part of a host's name"""


class Everything:
    """A service that answers each operation of its model."""

    falls_through = False

    def __init__(self, name: str, operations: list[str]) -> None:
        self.name = name
        self.operations = frozenset(operations)
        self.calls: list[Any] = []
        self.answer: Any = {}

    def handle(self, call: Any) -> Any:
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Both:
    """The same service asked with the text of a call, and without."""

    def __init__(self, cloud: Any, service: str) -> None:
        gateway = cloud._gateway
        settings = (gateway.answer, cloud.endpoint_url, cloud.region)
        self.sent: list[str] = []
        self.with_text = Clients(*settings).client(service, cloud.callers.owner)
        self.without = Clients(*settings, gateway.ask).client(service, cloud.callers.owner)
        self.model = self.without.meta.service_model
        self.without.meta.events.register_first("before-send", lambda request, **_: self.sent.append(request.url))
        self.service = cloud.services[service] = Everything(service, self.model.operation_names)

    def ask(self, operation: str, params: dict[str, Any]) -> tuple[Any, Any]:
        """What each of the two comes to: what the service got, and what the client did."""
        return self._ask(self.with_text, operation, params), self._ask(self.without, operation, params)

    def _ask(self, client: Any, operation: str, params: dict[str, Any]) -> Any:
        self.service.calls.clear()
        try:
            found = client._make_api_call(operation, dict(params))
        except ClientError as error:
            found = {"raised": type(error).__name__, "said": str(error), **error.response}
        found["ResponseMetadata"].pop("RequestId")
        assert found["ResponseMetadata"]["HTTPHeaders"].pop("x-amzn-requestid")
        calls = [(call.operation, call.params, call.caller, call.region) for call in self.service.calls]
        return found, list(found), calls


def sample(shape: Any, moment: datetime, depth: int = 0) -> Any:
    """A value of a shape, every member in it."""
    kind = shape.type_name
    if kind == "structure":
        return {
            name: sample(member, moment, depth + 1)
            for name, member in sorted(shape.members.items(), reverse=True)[: 1 if shape.is_tagged_union else None]
            if depth < DEEPEST or name in shape.required_members or shape.is_tagged_union
        }
    if kind == "list":
        return [sample(shape.member, moment, depth + 1)] * max(2, shape.metadata.get("min", 0))
    if kind == "map":
        return {"a" * max(1, shape.key.metadata.get("min", 1)): sample(shape.value, moment, depth + 1)}
    if kind == "timestamp":
        return moment
    least = shape.metadata.get("min", 1)
    scalars = {
        "string": ([*getattr(shape, "enum", ()), "ü" * max(1, least)])[0],
        "boolean": True,
        "blob": b"\x00\xff" * max(1, least),
        "float": 0.1 + least,
        "double": 0.1 + least,
    }
    return scalars.get(kind, max(7, least))


@pytest.mark.parametrize("service", ["sagemaker", "stepfunctions", "events", "logs", "ssm", "codecommit", "ecr"])
def test_every_operation_of_a_service_is_what_it_is_with_its_text(cloud, service: str) -> None:
    both = Both(cloud, service)
    asked_without = 0
    for name in both.model.operation_names:
        operation = both.model.operation_model(name)
        if operation.has_event_stream_output or operation.endpoint or name in OTHER_HOSTS:
            continue
        for moment in MOMENTS:
            params = {} if operation.input_shape is None else sample(operation.input_shape, moment)
            outcome = {} if operation.output_shape is None else sample(operation.output_shape, moment)
            both.service.answer = {**outcome, "NobodyKnows": 1, **dict.fromkeys(list(outcome)[:1])}
            both.sent.clear()
            with_text, without = both.ask(name, params)
            assert without == with_text, name
            asked_without += not both.sent
    assert asked_without > len(both.model.operation_names) / 2


def test_a_refusal_and_a_fault_are_what_they_are_with_their_text(cloud) -> None:
    both = Both(cloud, "sagemaker")
    for error in (
        AwsError("ResourceInUse", "there is one"),
        AwsError("ValidationException", "ünknown", 400),
        AwsError("InternalFailure", "not now", 500),
        ValueError("a mistake of ours"),
    ):
        both.service.answer = error
        with_text, without = both.ask("DescribeModel", {"ModelName": "m"})
        assert without == with_text
        assert without[0]["raised"]
    both.service.answer = {"ModelName": "m"}
    assert both.without.describe_model(ModelName="m")["ModelName"] == "m"


def test_what_is_no_request_at_all_is_refused_by_the_client(cloud) -> None:
    both = Both(cloud, "sagemaker")
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        both.without.describe_model(Model="m")
    assert both.service.calls == []


def test_neither_side_sees_what_the_other_changes(cloud) -> None:
    both = Both(cloud, "sagemaker")
    held = both.service.answer = {"Containers": [{"Environment": {"a": "1"}}]}
    params = {"ModelName": "m", "Containers": [{"Environment": {"a": "1"}}]}
    found = both.without.describe_model(ModelName="m")
    found["Containers"][0]["Environment"]["a"] = "2"
    both.without.create_model(**params)
    both.service.calls[-1].params["Containers"][0]["Environment"]["a"] = "2"
    assert held == {"Containers": [{"Environment": {"a": "1"}}]}
    assert params["Containers"] == [{"Environment": {"a": "1"}}]


def test_a_role_is_asked_for_its_permissions(cloud) -> None:
    arn = "arn:aws:iam::123456789012:role/job"
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    cloud.iam.put_role(arn, {"Version": "2012-10-17", "Statement": [trust]}, {})
    client = cloud.client("sagemaker", arn)
    with pytest.raises(ClientError, match=r"AccessDenied.*is not authorized to perform: sagemaker:DescribeModel"):
        client.describe_model(ModelName="m")
    assert cloud.services["sagemaker"].calls == []
    cloud.iam.delete_role(arn)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client.describe_model(ModelName="m")


def test_many_at_once_get_their_own_answers(cloud) -> None:
    both = Both(cloud, "sagemaker")
    both.service.handle = _own
    wrong: list[str] = []

    def ask(name: str) -> None:
        for _ in range(20):
            try:
                if both.without.describe_model(ModelName=name)["ModelName"] != name:
                    wrong.append(name)
            except ClientError as error:
                if not name.startswith("bad") or name not in str(error):
                    wrong.append(f"{name}: {error}")

    threads = [threading.Thread(target=ask, args=(f"{kind}-{n}",)) for kind in ("good", "bad") for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _own(call: Any) -> dict[str, Any]:
    name = call.params["ModelName"]
    if name.startswith("bad"):
        raise AwsError("ValidationException", name)
    return {"ModelName": name}
