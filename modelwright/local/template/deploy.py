"""Deploy an assembly into the local cloud.

What the template makes is made anew at each start of the local cloud, with the same physical ids. A second deploy into
a running cloud changes only what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .assembly import read_assembly
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

    A stack that came with one of these before, and is in the assembly no more, goes. Others are another environment's.

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
    whole = read_assembly(directory)
    wanted = [stack for stack in whole if stack.name not in leave_out]
    names, together = {stack.name for stack in wanted}, frozenset(stack.name for stack in whole)
    ours = [name for name, stack in stacks.items() if together & (stack.together | {name})]
    for gone in [name for name in reversed(ours) if name not in names]:  # the last made first: it may need the others
        delete_stack(cloud, stacks, gone)
    for stack in wanted:
        known = stack.name in stacks
        assets.publish(stack)
        scope = scope_of(cloud, stack)
        made = stacks.setdefault(stack.name, Stack(stack.name, cloud.clock.time()))
        made.together = together
        changed = update_stack(cloud, stack, made, scope)
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
