"""Deploy an assembly into the local cloud.

What the template makes is made anew at each start of the local cloud, with the same physical ids; a second deploy into a
running cloud changes only what differs.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.local.direct import Direct
from modelwright.local.service import AwsError

from .assembly import StackTemplate, read_assembly
from .intrinsics import Physical, Scope, TemplateError, references
from .registry import Resource, handler_for

if TYPE_CHECKING:
    from pathlib import Path
    from collections.abc import Iterator, Mapping
    from modelwright.local.cloud import Cloud

    from .assets import Assets


@dataclass
class Stack:
    """A deployed stack."""

    name: str
    template: Mapping[str, Any]
    parameters: dict[str, Any]
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, tuple[Resource, Physical]] = field(default_factory=dict)


@dataclass(frozen=True)
class DeployReport:
    """What a deploy did: names of stacks made, changed and found as they were."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


Stacks = dict[str, Stack]


def deploy_assembly(
    cloud: Cloud, directory: Path, stacks: Stacks, assets: Assets, *, leave_out: frozenset[str] = frozenset()
) -> DeployReport:
    """Bring the local cloud to what the assembly says.

    Args:
        cloud: where to.
        directory: the assembly.
        stacks: what is deployed now, by name; changed in place.
        assets: takes up the assembly's assets.
        leave_out: names of stacks that the user has destroyed; they are not made again.

    Raises:
        ModelwrightError: the assembly cannot be read, or a resource could not be made; what was made before it stays,
            as the next deploy takes it up.
    """
    done: dict[str, list[str]] = {"created": [], "updated": [], "unchanged": []}
    wanted = [stack for stack in read_assembly(directory) if stack.name not in leave_out]
    for gone in [name for name in stacks if name not in {stack.name for stack in wanted}]:
        delete_stack(cloud, stacks, gone)
    for stack in wanted:
        before = stacks.get(stack.name)
        changed = _deploy_stack(cloud, stack, stacks, assets)
        done["created" if before is None else "updated" if changed else "unchanged"].append(stack.name)
    return DeployReport(**{key: tuple(names) for key, names in done.items()})


def delete_stack(cloud: Cloud, stacks: Stacks, name: str) -> list[str]:
    """Remove a stack's resources, last made first; those with `DeletionPolicy: Retain` stay and are returned by id."""
    stack = stacks.pop(name)
    retained = []
    for logical_id, (resource, physical) in reversed(list(stack.resources.items())):
        if stack.template["Resources"][logical_id].get("DeletionPolicy", "Delete") != "Delete":
            retained.append(physical.id)
        else:
            _remove(cloud, resource, physical)
    return retained


def _deploy_stack(cloud: Cloud, wanted: StackTemplate, stacks: Stacks, assets: Assets) -> bool:
    assets.publish(wanted)
    before = stacks.get(wanted.name)
    scope = _scope(cloud, wanted)
    stack = stacks.setdefault(wanted.name, Stack(wanted.name, wanted.template, {}))
    changed = stack.template != wanted.template
    stack.template, stack.parameters = wanted.template, dict(scope.parameters)
    for logical_id in _creation_order(wanted, scope):
        definition = wanted.template["Resources"][logical_id]
        resource = Resource(
            wanted.name, logical_id, definition["Type"], scope.resolve(definition.get("Properties", {}))
        )
        known = stack.resources.get(logical_id)
        if known is None or known[0] != resource:
            stack.resources[logical_id] = (resource, _put(cloud, resource))
            changed = True
        scope.resources[logical_id] = stack.resources[logical_id][1]
    for logical_id in [key for key in stack.resources if key not in scope.resources]:
        _remove(cloud, *stack.resources.pop(logical_id))
        changed = True
    stack.outputs = {
        key: str(scope.resolve(value["Value"])) for key, value in _enabled(wanted.template.get("Outputs", {}), scope)
    }
    return changed or before is None


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


def _remove(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    remove = handler_for(resource).remove
    if remove is not None:
        remove(cloud, physical)


def _scope(cloud: Cloud, stack: StackTemplate) -> Scope:
    pseudo = {
        "AWS::AccountId": cloud.account,
        "AWS::Region": cloud.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack.name,
        "AWS::StackId": stack_arn(cloud, stack.name),
        "AWS::NotificationARNs": "",
    }
    ssm = _parameter_reader(cloud)
    parameters = {
        name: _parameter(stack.name, name, entry, ssm) for name, entry in stack.template.get("Parameters", {}).items()
    }
    return Scope(pseudo, parameters, stack.template, ssm)


def stack_arn(cloud: Cloud, name: str) -> str:
    """The stack's id: the same at every start."""
    uuid = Resource(name, "", "AWS::CloudFormation::Stack", {}).uuid()
    return f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:stack/{name}/{uuid}"


def _parameter(stack: str, name: str, entry: Mapping[str, Any], ssm: Any) -> Any:
    if "Default" not in entry:
        raise TemplateError(f"{stack}: parameter {name} has no default, and the local cloud is given no values.")
    if name == "BootstrapVersion":  # CDK's own check of the account's bootstrap stack: there is none here
        return entry["Default"]
    if entry["Type"] == "AWS::SSM::Parameter::Value<String>":
        return ssm(entry["Default"])
    if entry["Type"] in {"String", "Number"}:
        return entry["Default"]
    raise TemplateError(
        f"{stack}: parameter {name} is of type {entry['Type']}; the local cloud knows String, Number and SSM strings."
    )


def _parameter_reader(cloud: Cloud) -> Any:
    def read(name: str) -> str:
        try:
            return str(Direct(cloud, "ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except AwsError:
            raise TemplateError(
                f"there is no SSM parameter {name}; the stack that writes it is not in the assembly."
            ) from None

    return read


def _enabled(entries: Mapping[str, Any], scope: Scope) -> Iterator[tuple[str, Any]]:
    return (
        (key, value)
        for key, value in entries.items()
        if "Condition" not in value or scope.condition(value["Condition"])
    )


def _creation_order(stack: StackTemplate, scope: Scope) -> list[str]:
    """Logical ids, each after what it refers to or depends on; otherwise in the template's order."""
    resources = dict(_enabled(stack.template["Resources"], scope))
    needs = {key: _needs(value) & resources.keys() for key, value in resources.items()}
    position = {key: index for index, key in enumerate(resources)}
    ready = [index for key, index in position.items() if not needs[key]]
    names, order = list(resources), []
    heapq.heapify(ready)
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for other, left in needs.items():
            if name in left:
                left.discard(name)
                if not left:
                    heapq.heappush(ready, position[other])
    if len(order) < len(names):
        raise TemplateError(
            f"{stack.name}: these resources need each other in a circle: {', '.join(sorted(set(names) - set(order)))}."
        )
    return order


def _needs(definition: Mapping[str, Any]) -> set[str]:
    depends = definition.get("DependsOn", [])
    named = {depends} if isinstance(depends, str) else set(depends)
    return named | set(references(definition.get("Properties", {})))


def template_text(stack: Stack) -> str:
    """The template as `GetTemplate` shows it."""
    return json.dumps(stack.template, sort_keys=True)
