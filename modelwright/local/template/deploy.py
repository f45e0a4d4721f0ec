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
    from collections.abc import Sequence
    from pathlib import Path

    from modelwright.local.cloud import Cloud

    from .assembly import StackTemplate
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
    whole = read_assembly(directory)
    wanted = [stack for stack in whole if stack.name not in leave_out]
    together = frozenset(stack.name for stack in whole)
    for gone in _gone(stacks, wanted, together):
        delete_stack(cloud, stacks, gone)
    done: dict[str, list[str]] = {"created": [], "updated": [], "unchanged": []}
    for stack in wanted:
        assets.publish(stack)
        done[_bring(cloud, stack, stacks, together)].append(stack.name)
    return DeployReport(**{key: tuple(names) for key, names in done.items()})


def _gone(stacks: Stacks, wanted: Sequence[StackTemplate], together: frozenset[str]) -> list[str]:
    """The stacks that came with these and are wanted no more; the last made first: it may need the others."""
    names = {stack.name for stack in wanted}
    ours = [name for name, stack in stacks.items() if together & (stack.together | {name})]
    return [name for name in reversed(ours) if name not in names]


def _bring(cloud: Cloud, stack: StackTemplate, stacks: Stacks, together: frozenset[str]) -> str:
    """Make or change one stack; what that was, as DeployReport names it."""
    known = stack.name in stacks
    scope = scope_of(cloud, stack)
    made = stacks.setdefault(stack.name, Stack(stack.name, cloud.clock.time()))
    made.together = together
    others = [resource for each in stacks.values() if each is not made for resource, _ in each.resources.values()]
    changed = update_stack(cloud, stack, made, scope, others)
    if not known:
        return "created"
    return "updated" if changed else "unchanged"


def delete_stack(cloud: Cloud, stacks: Stacks, name: str) -> list[str]:
    """Remove a stack with its resources; those that it retains stay and are returned by id.

    Raises:
        TemplateError: a resource could not be removed; the stack is still there, DELETE_FAILED.
    """
    retained = remove_stack(cloud, stacks[name])
    del stacks[name]
    return retained
