"""The values that jobs are given: hyperparameters of training, arguments of processing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from modelwright.config.reader import Section, json_value, shown
from modelwright.errors import InvalidOverride, names, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html: 100 pairs of which the platform
# adds up to five (`sagemaker_program`, `sagemaker_submit_directory`, …), values of at most 2500 characters.
MAX_HYPERPARAMETERS = 95
MAX_HYPERPARAMETER_CHARACTERS = 2500
# Describe…Job repeats them in a task's result, which ends at 256 KiB:
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_ALL_HYPERPARAMETER_BYTES = 99_000  # of JSON; PrepareRun adds two of its own and takes 100,000
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html
MAX_ARGUMENTS = 100
MAX_ARGUMENT_CHARACTERS = 256
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_RESERVED = re.compile(r"sagemaker_.*|_tuning_objective_metric")


def hyperparameter_text(value: Any) -> str:
    """Return a hyperparameter as SageMaker carries it: its JSON text, which gives the same value when it is read."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def read_hyperparameters(section: Section) -> dict[str, Any]:
    """Return the JSON values of a mapping of hyperparameters; what SageMaker would refuse is a problem."""
    children = section.node.value if isinstance(section.node.value, dict) else {}
    if len(children) > MAX_HYPERPARAMETERS:
        section.problem("", f"has {len(children)} names; it must have at most {MAX_HYPERPARAMETERS}.")
    for name, node in children.items():
        problem = _name_problem(name)
        if problem:
            section.problem(name, problem)
        elif not json_value(node):
            section.problem(name, f"is {shown(node.plain())}; it must be a value that JSON has.")
        elif len(hyperparameter_text(node.plain())) > MAX_HYPERPARAMETER_CHARACTERS:
            length = len(hyperparameter_text(node.plain()))
            section.problem(name, f"has {length} characters; it must have at most {MAX_HYPERPARAMETER_CHARACTERS}.")
    values = {name: node.plain() for name, node in children.items()}
    texts = {name: hyperparameter_text(value) for name, value in values.items()}
    total = len(json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode())
    if total > MAX_ALL_HYPERPARAMETER_BYTES:
        section.problem("", f"has {total} bytes of JSON; it must have at most {MAX_ALL_HYPERPARAMETER_BYTES}.")
    return values


def parse_overrides(texts: Sequence[str], hyperparameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the hyperparameters that `name=value` texts (`-p C=0.5`) change, by name.

    Raises `InvalidOverride` for a text of another form, a name that is given twice or is none of the pipeline's
    `hyperparameters`, or a value that is too long: whatever the job would get wrong.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidOverride(f"-p {text!r} is not of the form name=value, like C=0.5.")
        if name not in hyperparameters:
            raise InvalidOverride(
                f"-p {text!r}: {name} is no hyperparameter of this pipeline.", _known(name, hyperparameters)
            )
        if name in found:
            raise InvalidOverride(f"-p {text!r}: {name} is given twice.")
        if len(value) > MAX_HYPERPARAMETER_CHARACTERS:
            limit = f"it must have at most {MAX_HYPERPARAMETER_CHARACTERS}"
            raise InvalidOverride(f"-p {name}=… has {len(value)} characters; {limit}.")
        found[name] = value
    return found


def read_arguments(section: Section) -> tuple[str, ...]:
    """Return `arguments` of a processing step: a list as it is, a mapping as `--key value` pairs in its order."""
    node = section.child("arguments")
    if node is None:
        return ()
    if not isinstance(node.value, dict | list):
        section.problem("arguments", f"is {shown(node.value)}; it must be a mapping or a list.")
        return ()
    if isinstance(node.value, list):
        texts = [_argument(section, f"arguments[{i}]", child.value) for i, child in enumerate(node.value)]
    else:
        texts = []
        for name, child in node.value.items():
            if not _NAME.fullmatch(name):
                section.problem(f"arguments.{name}", "must be a name of letters, digits, `_`, `.` and `-`.", child.line)
            texts += [f"--{name}", _argument(section, f"arguments.{name}", child.value)]
    if len(texts) > MAX_ARGUMENTS:
        section.problem("arguments", f"makes {len(texts)} arguments; it must make at most {MAX_ARGUMENTS}.")
    return tuple(texts)


def _argument(section: Section, key: str, value: object) -> str:
    if isinstance(value, dict | list) or value is None:
        section.problem(
            key, f"is {shown(value)}; it must be a text, a number, true or false.", section.line("arguments")
        )
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > MAX_ARGUMENT_CHARACTERS or "\n" in text:
        allowed = f"one line of at most {MAX_ARGUMENT_CHARACTERS}"
        section.problem(key, f"has {len(text)} characters; it must have {allowed}.", section.line("arguments"))
    return text


def _name_problem(name: str) -> str | None:
    if _RESERVED.fullmatch(name):
        return "is a name that SageMaker keeps for itself."
    if not _NAME.fullmatch(name):
        return "must be a name of letters, digits, `_`, `.` and `-`."
    return None


def _known(name: str, hyperparameters: Mapping[str, Any]) -> str:
    near = nearest(name, hyperparameters)
    if near:
        return f"Did you mean {near[0]}?"
    known = names(sorted(hyperparameters))
    return f"It has {known}." if known else "Its pipeline.yaml has no train.hyperparameters."
