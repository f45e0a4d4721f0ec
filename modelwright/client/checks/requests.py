"""Each task of the state machines against botocore's own model of the call, and AWS's list of what integrations take.

What is an expression has no value yet: a sample that fits the model stands for it, so that everything around it is
checked. (A test with real values is in `tests/contract`.)
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.literals import is_expression, merged, whole
from modelwright.client.checks.machines import tasks
from modelwright.client.checks.report import Finding
from modelwright.workflow.integration_fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from botocore.model import OperationModel, Shape

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "botocore"
_RESOURCE = re.compile(r"arn:aws[a-z-]*:states:::(?:aws-sdk:)?(?P<service>[a-z0-9]+):(?P<call>[A-Za-z0-9]+)(?:\.\w+)?")
_SERVICES = {"sfn": "stepfunctions"}
"""Names that Step Functions gives to services and botocore does not."""


def check_requests(templates: Sequence[Template], collector: Collector) -> None:
    """Check the request of every task of every state machine, those inside Map and Parallel too."""
    findings = (
        Finding(TOOL, id_, f"{template.stack}/{logical_id}", f"{name}: {message}")
        for template in templates
        for logical_id, definition in template.definitions()
        for name, state in tasks(definition["States"])
        for id_, message in problems(state)
    )
    collector.add(TOOL, findings)


def problems(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield rule and sentence for each thing that is wrong with one task's request."""
    from botocore.validate import ParamValidator  # noqa: PLC0415 # heavy, and only for `synth --check`

    operation = operation_of(state["Resource"])
    if operation is None:
        yield "resource", f"{state['Resource']} is no call that botocore knows."
        return
    shape = operation.input_shape
    if shape is None:
        return
    request = merged(state.get("Arguments", {}))
    if request is None:
        yield "computed", "its whole request is an expression; name the fields, so that they can be checked."
        return
    yield from _unsupported(state["Resource"], request.known.keys() & shape.members.keys())
    given = _known(whole(request.known), shape)
    if operation.name == "Invoke" and isinstance(given.get("Payload"), dict):
        given["Payload"] = b"{}"  # Step Functions writes the JSON itself
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        yield "parameters", " ".join(report.generate_report().split())
    for path, value, allowed in _wrong_choices(given, shape, ""):
        yield "enum", f"{path} is {value!r}; AWS takes {', '.join(allowed)}."


def _unsupported(resource: str, given: set[str]) -> Iterator[tuple[str, str]]:
    """What the API takes and the optimized integration does not."""
    call = _RESOURCE.fullmatch(resource)
    if call is None or call["service"] != "sagemaker" or ":aws-sdk:" in resource:
        return
    if call["call"] not in FIELDS:
        yield (
            "integration",
            f"Step Functions has no optimized call {call['call']}; use aws-sdk:sagemaker:{call['call']}.",
        )
        return
    for field in sorted(given - FIELDS[call["call"]]):
        yield "integration", f"Step Functions does not take the field {field} in {call['call']}; AWS's API does."


@cache
def operation_of(resource: str) -> OperationModel | None:
    """Return botocore's model of the call that a task's `Resource` names; None when there is none."""
    import botocore.session  # noqa: PLC0415 # heavy, and only for `synth --check`
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415

    found = _RESOURCE.fullmatch(resource)
    if not found:
        return None
    service = _SERVICES.get(found["service"], found["service"])
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return None
    name = found["call"][0].upper() + found["call"][1:]
    return model.operation_model(name) if name in model.operation_names else None


def _known(value: Any, shape: Shape) -> Any:
    """The value with a sample for each expression, down to members that the model does not have."""
    if is_expression(value):
        return _sample(shape)
    if isinstance(value, dict) and shape.type_name == "structure":
        members = shape.members
        named = {_member(key, members): item for key, item in value.items()}
        return {key: _known(item, members[key]) if key in members else item for key, item in named.items()}
    if isinstance(value, dict) and shape.type_name == "map":
        return {key: _known(item, shape.value) for key, item in value.items()}
    if isinstance(value, list) and shape.type_name == "list":
        return [_known(item, shape.member) for item in value]
    return value


def _member(name: str, members: Mapping[str, Shape]) -> str:
    """Return the API's own name of a field: Step Functions takes each with a capital letter, as some APIs have it.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-parameters.html
    """
    small = name[:1].lower() + name[1:]
    return small if name not in members and name[:1].isupper() and small in members else name


def _sample(shape: Shape) -> Any:
    """The smallest value that fits `shape`."""
    minimum = int(shape.metadata.get("min", 0) or 0)
    if shape.type_name == "structure":
        return {name: _sample(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [_sample(shape.member)] * minimum
    if shape.type_name == "string":
        return (shape.metadata.get("enum") or ["x" * max(minimum, 1)])[0]
    number = float(minimum) if shape.type_name in {"float", "double"} else minimum
    return {"map": {}, "boolean": False, "blob": b""}.get(shape.type_name, number)


def _wrong_choices(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """What botocore itself does not look at: texts that are none of the allowed ones."""
    if isinstance(value, dict) and shape.type_name == "structure":
        for key in value.keys() & shape.members.keys():
            yield from _wrong_choices(value[key], shape.members[key], f"{path}.{key}".lstrip("."))
    elif isinstance(value, dict) and shape.type_name == "map":
        for key, item in value.items():
            yield from _wrong_choices(item, shape.value, f"{path}.{key}")
    elif isinstance(value, list) and shape.type_name == "list":
        for number, item in enumerate(value):
            yield from _wrong_choices(item, shape.member, f"{path}[{number}]")
    elif isinstance(value, str) and shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield path, value, shape.metadata["enum"]
