"""What has a name of ours and belongs to no stack: kept when its stack went, and in the way of the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import describe_stack, stack_names
from modelwright.client.deploys.stack_states import GOOD
from modelwright.client.doctor.findings import Examination, Finding, failure
from modelwright.client.problems import code_of, is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_THERE = frozenset({"RepositoryNotFoundException", "ResourceNotFoundException"})


@dataclass(frozen=True)
class Named:
    """Something whose name a stack chooses, and that outlives it."""

    stack: str
    what: str
    service: str
    operation: str
    request: dict[str, Any]


def check_leftovers(about: Examination) -> Iterator[Finding]:
    """Table, repositories and package groups whose stack is not there.

    A change set can take them in (`ImportExistingResources`): they have static names and a DeletionPolicy that retains.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    found: dict[str, list[str]] = {}
    for item in _named(about):
        if not _is_made(about, item.stack) and _exists(about, item):
            found.setdefault(item.stack, []).append(item.what)
    for stack, there in found.items():
        yield failure(
            "leftovers",
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there, and the stack {stack} is not: "
            "making it would fail.",
            f"`modelwright deploy --env {about.settings.name} --import-existing` takes what was kept into the new "
            "stack; or delete it, if nobody needs it.",
        )


def _named(about: Examination) -> Iterator[Named]:
    shared, prefix = stack_names(about.settings.name, "-")[0], about.settings.prefix
    yield Named(shared, f"the table {prefix}", "dynamodb", "describe_table", {"TableName": prefix})
    for pipeline in about.pipelines:
        _, stack, name = stack_names(about.settings.name, pipeline)
        yield Named(stack, f"the repository {name}", "ecr", "describe_repositories", {"repositoryNames": [name]})
        group = {"ModelPackageGroupName": name}
        yield Named(stack, f"the model package group {name}", "sagemaker", "describe_model_package_group", group)


def _is_made(about: Examination, stack: str) -> bool:
    """A stack that is being looked at (REVIEW_IN_PROGRESS) or was rolled back has made nothing."""
    found = describe_stack(about.session, stack)
    return found is not None and (found["StackStatus"] in GOOD or "UPDATE" in found["StackStatus"])


def _exists(about: Examination, item: Named) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    try:
        getattr(about.session.client(item.service), item.operation)(**item.request)
    except ClientError as error:
        if code_of(error) in _NOT_THERE or is_missing(error):
            return False
        raise
    return True
