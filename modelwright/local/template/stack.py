"""One stack: what is made of it, changed, replaced and removed, as CloudFormation does.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .create_only import refuse_replacement
from .intrinsics import Physical, TemplateError
from .names import refuse_taken
from .order import creation_order, enabled, needs_of
from .registry import Resource, handler_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.cloud import Cloud

    from .assembly import StackTemplate
    from .intrinsics import Scope
    from .order import Needs

Made = tuple[Resource, Physical]


@dataclass
class Stack:
    """A deployed stack."""

    name: str
    created: float
    """When, in epoch seconds."""
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Made] = field(default_factory=dict)
    """By logical id, in the order in which they were made."""
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    """Why the last deploy or removal failed."""
    together: frozenset[str] = frozenset()
    """The names of all stacks of its assembly, its own among them."""


def update_stack(
    cloud: Cloud, wanted: StackTemplate, stack: Stack, scope: Scope, others: Sequence[Resource] = ()
) -> bool:
    """Bring a stack to its template; whether anything changed. `others`: what there is in other stacks.

    A resource is made again when it differs, and when something that it refers to was: a function that is changed
    begins without permissions, a role without the policies that were attached to it. What is not in the template any
    more, or was replaced by one of another name, goes last; unless DeletionPolicy or UpdateReplacePolicy keeps it.
    """
    verb = "CREATE" if stack.status in {"CREATE_IN_PROGRESS", "CREATE_FAILED"} else "UPDATE"
    changed = stack.template != wanted.template
    stack.template, stack.parameters = wanted.template, dict(scope.parameters)
    try:
        needs = needs_of(wanted, scope)
        replaced, fresh = _make(cloud, wanted, stack, scope, needs, others=others)
        gone = _remove_what_went(cloud, stack, scope)
        _remove_all(cloud, replaced, "replacement")
        stack.outputs = _outputs(wanted, scope)
    except TemplateError as error:
        stack.status, stack.reason = f"{verb}_FAILED", str(error)
        raise
    stack.status, stack.reason = f"{verb}_COMPLETE", ""
    return changed or bool(fresh) or gone


def remove_stack(cloud: Cloud, stack: Stack) -> list[str]:
    """Remove a stack's resources, last made first; those that are retained stay and are returned by id.

    Raises:
        TemplateError: one could not be removed; it and what was made before it is still there.
    """
    retained = []
    try:
        for logical_id in reversed(list(stack.resources)):
            resource, physical = stack.resources[logical_id]
            if resource.deletion == "Delete":
                _remove(cloud, resource, physical)
            else:
                retained.append(physical.id)
            del stack.resources[logical_id]
    except TemplateError as error:
        stack.status, stack.reason = "DELETE_FAILED", str(error)
        raise
    return retained


def _make(  # noqa: PLR0913  # what to make, of what, and what is there already
    cloud: Cloud, wanted: StackTemplate, stack: Stack, scope: Scope, needs: Needs, *, others: Sequence[Resource]
) -> tuple[list[Made], set[str]]:
    """Make what differs; what was replaced by that, and the logical ids of what was made."""
    replaced: list[Made] = []
    fresh: set[str] = set()
    order = creation_order(wanted.name, needs)
    for logical_id in order:
        resource = _resource(wanted, logical_id, scope)
        before = stack.resources.get(logical_id)
        if before is None or before[0] != resource or needs[logical_id] & fresh:
            if before is not None:
                refuse_replacement(before[0], resource)
            refuse_taken(resource, [*others, *(made for made, _ in stack.resources.values())])
            physical = _put(cloud, resource)
            stack.resources[logical_id] = (resource, physical)
            fresh.add(logical_id)
            if before is not None and (before[0].type, before[1].id) != (resource.type, physical.id):
                replaced.append(before)
        scope.resources[logical_id] = stack.resources[logical_id][1]
    for logical_id in order:  # one that came later may be needed by one that was there before
        stack.resources[logical_id] = stack.resources.pop(logical_id)
    return replaced, fresh


def _resource(wanted: StackTemplate, logical_id: str, scope: Scope) -> Resource:
    definition = wanted.template["Resources"][logical_id]
    return Resource(
        wanted.name,
        logical_id,
        definition["Type"],
        scope.resolve(definition.get("Properties", {})),
        deletion=definition.get("DeletionPolicy", "Delete"),
        replacement=definition.get("UpdateReplacePolicy", "Delete"),
    )


def _remove_what_went(cloud: Cloud, stack: Stack, scope: Scope) -> bool:
    gone = [key for key in stack.resources if key not in scope.resources]
    for logical_id in reversed(gone):
        _remove_all(cloud, [stack.resources[logical_id]], "deletion")
        del stack.resources[logical_id]
    return bool(gone)


def _outputs(wanted: StackTemplate, scope: Scope) -> dict[str, str]:
    entries = enabled(wanted.template.get("Outputs", {}), scope)
    return {key: str(scope.resolve(value["Value"])) for key, value in entries}


def _put(cloud: Cloud, resource: Resource) -> Physical:
    handler = handler_for(resource)
    try:
        return handler.put(cloud, resource)
    except TemplateError:
        raise
    except Exception as error:
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} ({resource.type}) could not be made: {error}"
        ) from error


def _remove_all(cloud: Cloud, made: list[Made], why: str) -> None:
    for resource, physical in reversed(made):
        if getattr(resource, why) == "Delete":
            _remove(cloud, resource, physical)


def _remove(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    remove = handler_for(resource).remove
    try:
        if remove is not None:
            remove(cloud, resource, physical)
    except Exception as error:
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} ({resource.type}) could not be removed: {error}"
        ) from error
