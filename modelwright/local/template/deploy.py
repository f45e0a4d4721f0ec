"""Deploy an assembly into the local cloud.

What the template makes is made anew at each start of the local cloud, with the same physical ids. A second deploy into
a running cloud changes only what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .assembly import StackTemplate, read_assembly
from .scope import scope_of
from .stack import Stack, remove_stack, update_stack

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.local.cloud import Cloud

    from .assets import Assets


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
    names = {stack.name for stack in wanted}
    for gone in [name for name in reversed(stacks) if name not in names]:  # the last made first: it may need the others
        delete_stack(cloud, stacks, gone)
    for stack in wanted:
        known = stack.name in stacks
        changed = _deploy_stack(cloud, stack, stacks, assets)
        done["updated" if changed and known else "unchanged" if known else "created"].append(stack.name)
    return DeployReport(**{key: tuple(names) for key, names in done.items()})


def delete_stack(cloud: Cloud, stacks: Stacks, name: str) -> list[str]:
    """Remove a stack with its resources; those that it retains stay and are returned by id.

    Raises:
        TemplateError: a resource could not be removed; the stack is still there, DELETE_FAILED.
    """
    retained = remove_stack(cloud, stacks[name])
    del stacks[name]
    return retained


def _deploy_stack(cloud: Cloud, wanted: StackTemplate, stacks: Stacks, assets: Assets) -> bool:
    assets.publish(wanted)
    scope = scope_of(cloud, wanted)
    stack = stacks.setdefault(wanted.name, Stack(wanted.name, cloud.clock.time()))
    return update_stack(cloud, wanted, stack, scope)
