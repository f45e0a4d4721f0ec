"""Which instance types SageMaker has for which purpose.

`instances.json` holds the types of botocore's SageMaker model by family, because loading that model takes 30 ms in
each command; a test says when it is stale.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

from modelwright.errors import names, nearest

Purpose = Literal["training", "processing", "hosting", "transform"]
_PATTERN = re.compile(r"ml\.(?P<family>[a-z0-9]+(?:-[a-z0-9]+)*)\.(?P<size>[a-z0-9]+(?:-[a-z0-9]+)*)")


@cache
def instance_families(purpose: Purpose) -> dict[str, list[str]]:
    """Return the sizes of each family of instances that SageMaker has for `purpose`."""
    table = json.loads((Path(__file__).parent / "instances.json").read_text("utf-8"))
    families: dict[str, list[str]] = table[purpose]
    return families


def family(instance: str) -> str:
    """Return the family of an instance type: `m5` of `ml.m5.large`."""
    return instance.split(".")[1]


def instance_problem(instance: str, purpose: Purpose) -> str | None:
    """Return what is wrong with an instance type for `purpose`, as the rest of a sentence; None when nothing is."""
    found = _PATTERN.fullmatch(instance)
    families = instance_families(purpose)
    if not found:
        near = nearest(f"ml.{instance.removeprefix('ml.')}", _types(purpose))
        return f"is {instance!r}; it must be ml.<family>.<size>, like {near[0] if near else 'ml.m5.large'}."
    if found["family"] not in families:
        kind = re.match("[a-z]+", found["family"])
        alike = sorted(name for name in families if kind and re.fullmatch(rf"{kind[0]}[0-9].*", name))
        offer = names(alike or sorted(families))
        return f"is {instance!r}; SageMaker has no {found['family']} for {purpose}, but {offer}."
    sizes = families[found["family"]]
    if found["size"] not in sizes:
        return f"is {instance!r}; for {purpose}, SageMaker has {found['family']} in the sizes {names(sizes)}."
    return None


def known_pattern(pattern: str) -> bool:
    """Tell whether SageMaker has an instance type, for whatever purpose, that `pattern` describes."""
    purposes: tuple[Purpose, ...] = ("training", "processing", "hosting", "transform")
    return any(fnmatchcase(name, pattern) for purpose in purposes for name in _types(purpose))


def limit_problem(instance: str, purpose: Purpose, allowed: tuple[str, ...]) -> str | None:
    """Return that the environment does not allow an instance type for `purpose`; None when it does, or allows all.

    `allowed` has types and patterns, in which `*` stands for any text: `ml.t2.*`.
    """
    if not allowed or any(fnmatchcase(instance, pattern) for pattern in allowed):
        return None
    near = nearest(instance, [name for name in _types(purpose) if any(fnmatchcase(name, each) for each in allowed)])
    hint = f" The nearest that SageMaker has for {purpose} is {near[0]}." if near else ""
    return f"is {instance!r}; limits.instances of the environment allows {names(allowed, 'or')}.{hint}"


def _types(purpose: Purpose) -> list[str]:
    return [f"ml.{name}.{size}" for name, sizes in instance_families(purpose).items() for size in sizes]
