"""Reading what an environment file says of the account that it is deployed to: its network, its tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from modelwright.config.environment import OWN_TAGS, VpcSettings
from modelwright.config.reader import shown

if TYPE_CHECKING:
    from modelwright.config.reader import Section

_VPC = r"vpc-[0-9a-f]{8,17}"
_SUBNET = r"subnet-[0-9a-f]{8,17}"
_SECURITY_GROUP = r"sg-[0-9a-f]{8,17}"
_ROUTE_TABLE = r"rtb-[0-9a-f]{8,17}"
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
MAX_SUBNETS = 16
MAX_SECURITY_GROUPS = 5
# What all services take: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_TAG_KEY = r"(?!(?i:aws:|modelwright:|managed_by_aws$))[\w .:/=+@-]{1,128}"
_TAG_VALUE = r"[\w .:/=+@-]{0,256}"
_STEP_FUNCTIONS_TAG = "MANAGED_BY_AWS"
"""By which Step Functions knows the jobs that it waits for."""
MAX_TAGS = 50 - len(OWN_TAGS) - 1
"""A resource can have 50; those that AWS makes (`aws:cloudformation:…`) do not count, but Step Functions' does."""


def read_vpc(top: Section) -> VpcSettings | None:
    """Return the network that jobs and endpoints run in; None when the file names none."""
    section = top.section("vpc")
    if not top.has("vpc"):
        return None
    endpoints: Literal["existing", "create"] = (
        "create" if section.choice("endpoints", ("existing", "create"), "existing") == "create" else "existing"
    )
    settings = VpcSettings(
        subnets=_some(section, "subnets", _SUBNET, MAX_SUBNETS),
        security_groups=_some(section, "security_groups", _SECURITY_GROUP, MAX_SECURITY_GROUPS),
        id=section.optional_text("id", pattern=_VPC, allowed="the id of a VPC: vpc-…"),
        route_tables=texts(section, "route_tables", _ROUTE_TABLE, "the id of a route table: rtb-…"),
        endpoints=endpoints,
    )
    if endpoints == "create":
        for key in ("id", "route_tables"):
            if not section.has(key):
                section.problem(key, "is missing; endpoints: create needs it.")
    section.finish()
    return settings


def read_tags(top: Section) -> dict[str, str]:
    """Return the tags of everything."""
    section = top.section("tags")
    found = {}
    for key in section.keys():  # noqa: SIM118 # a method of ours
        if not re.fullmatch(_TAG_KEY, key):
            allowed = "a tag's key: at most 128 letters, digits, spaces and . : / = + @ _ -"
            section.problem(
                key, f"must be {allowed}; not {_STEP_FUNCTIONS_TAG}, and aws: or modelwright: do not begin it."
            )
        found[key] = section.text(key, "", pattern=_TAG_VALUE, allowed="a tag's value: at most 256 such characters")
    _check_case(section, list(found))
    if len(found) > MAX_TAGS:
        top.problem("tags", f"has {len(found)} tags; at most {MAX_TAGS} leave room for modelwright's own.")
    section.finish()
    return found


def _check_case(section: Section, keys: list[str]) -> None:
    """To IAM `Team` and `team` are one key: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html."""
    first: dict[str, str] = {}
    for key in keys:
        known = first.setdefault(key.casefold(), key)
        if known != key:
            section.problem(key, f"differs from {known} in case only; roles cannot have both.")


def texts(section: Section, key: str, pattern: str, allowed: str) -> tuple[str, ...]:
    """Return the list of texts at `key`, each matching `pattern` whole, none twice; empty when it is not written."""
    found = []
    for index, node in enumerate(section.items(key)):
        if isinstance(node.value, str) and re.fullmatch(pattern, node.value):
            found.append(node.value)
        else:
            section.problem(f"{key}[{index}]", f"is {shown(node.value)}; it must be {allowed}.", node.line)
    return tuple(dict.fromkeys(found))


def _some(section: Section, key: str, pattern: str, most: int) -> tuple[str, ...]:
    """A list that must not be empty."""
    before = len(section.problems)
    found = texts(section, key, pattern, f"an id: {pattern.partition('[')[0]}…")
    if not found and len(section.problems) == before:
        section.problem(key, f"is missing or empty; a vpc needs 1 to {most} of them.")
    if len(found) > most:
        section.problem(key, f"has {len(found)} entries; SageMaker takes at most {most}.")
    return found
