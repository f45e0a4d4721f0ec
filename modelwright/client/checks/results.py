"""How large what a task answers may be, by the kind of call that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.requests import operation_of
from modelwright.client.checks.sizes import Scope, UnknownSizeError, size_of, total
from modelwright.workflow.functions import FUNCTIONS
from modelwright.workflow.payload_sizes import ANSWERS, API_ANSWER, DESCRIPTION, NUMBER, S3_URI, Size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape


_BY_PLACEHOLDER: Final = {f"${{{item.placeholder}}}": item.name for item in FUNCTIONS}
_LETTER: Final = 6  # JSON writes a character as `\\uXXXX` at worst
_MOST_PLAIN: Final = 1024
"""Texts without a limit in the API's model, such as a message's id."""
_DEEP: Final = 1
"""Structures inside structures count as a whole, as a list's items do."""
_LIST: Final = 16 * 1024
"""A list or a map of what a call was asked for by name: a few endpoints, alarms, variants."""
_JOB: Final[Mapping[str, Size]] = {
    "ProcessingJobName": 65,
    "TrainingJobName": 65,
    "ModelArtifacts": {"S3ModelArtifacts": S3_URI},
}
"""The fields of a job's description that may be asked for."""
_BUILD: Final[Mapping[str, Size]] = {"Id": 300}
"""The same of a build: a project's name has at most 255 characters."""


def result_size(state: Mapping[str, Any], scope: Scope) -> Size:
    """Return the size of a task's result, field by field; raises `UnknownSizeError`."""
    resource = str(state["Resource"])
    if resource.endswith("lambda:invoke"):
        return {"Payload": _answer(state), "StatusCode": 4, "ExecutedVersion": 20, "metadata": API_ANSWER}
    operation = operation_of(resource)
    if operation is None or operation.output_shape is None:
        return API_ANSWER
    if resource.endswith(":startBuild.sync"):
        return {"Build": {**_BUILD, "everything else": DESCRIPTION}}
    if resource.endswith(".sync"):
        return _described(state, scope)
    return {**_fields(operation.output_shape, 0), "metadata": API_ANSWER}


def _answer(state: Mapping[str, Any]) -> Size:
    function = _BY_PLACEHOLDER.get(str(state["Arguments"].get("FunctionName")), "")
    if function not in ANSWERS:
        raise UnknownSizeError(f"the answer of {state['Arguments'].get('FunctionName')}")
    return ANSWERS[function]


def _described(state: Mapping[str, Any], scope: Scope) -> Size:
    """A job that was waited for: what it was asked to be, and how it went."""
    asked = total(size_of(state.get("Arguments", {}), scope))
    return {**_JOB, "everything else": asked + DESCRIPTION - total(_JOB)}


def _fields(shape: Shape, depth: int) -> dict[str, Size]:
    return {name[:1].upper() + name[1:]: _of_shape(member, depth) for name, member in shape.members.items()}


def _of_shape(shape: Shape, depth: int) -> Size:
    """The largest value of a shape."""
    if shape.type_name == "structure" and depth < _DEEP:
        return _fields(shape, depth + 1)
    if shape.type_name == "string":
        choices = [len(item) for item in shape.metadata.get("enum", ())]
        most = int(shape.metadata.get("max") or _MOST_PLAIN)
        return 2 + (max(choices) if choices else most if "pattern" in shape.metadata else most * _LETTER)
    if shape.type_name in {"list", "map"}:
        return _LIST
    return API_ANSWER if shape.type_name == "structure" else NUMBER
