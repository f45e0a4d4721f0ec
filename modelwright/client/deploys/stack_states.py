"""What a stack's status means for who wants to change it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
"""

from __future__ import annotations

IN_PROGRESS = frozenset(
    f"{what}_IN_PROGRESS"
    for what in (
        "CREATE",
        "DELETE",
        "IMPORT",
        "IMPORT_ROLLBACK",
        "ROLLBACK",
        "UPDATE",
        "UPDATE_COMPLETE_CLEANUP",
        "UPDATE_ROLLBACK",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP",
    )
)
GOOD = frozenset(
    {"CREATE_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
)
"""In these, and in no others, a stack can be changed."""
_EVENTS = "`aws cloudformation describe-stack-events --stack-name {stack}` says which resource and why"
_STEPS = {
    "ROLLBACK_COMPLETE": "A deploy removes it and makes it anew.",
    "ROLLBACK_FAILED": f"{_EVENTS}; remove that by hand, then {{remove}}, then deploy again.",
    "CREATE_FAILED": "`aws cloudformation rollback-stack --stack-name {stack}`, then deploy again.",
    "UPDATE_FAILED": "`aws cloudformation rollback-stack --stack-name {stack}`, then deploy again.",
    "UPDATE_ROLLBACK_FAILED": (
        f"{_EVENTS}; put that right, then `aws cloudformation continue-update-rollback --stack-name {{stack}}`, "
        "then deploy again."
    ),
    "IMPORT_ROLLBACK_FAILED": (
        f"{_EVENTS}; put that right, then `aws cloudformation delete-stack --stack-name {{stack}}`: what it "
        "imported is retained; then deploy again."
    ),
    "DELETE_FAILED": f"{_EVENTS}; put that right, then {{remove}}.",
    "REVIEW_IN_PROGRESS": "A deploy goes over it; `aws cloudformation delete-stack --stack-name {stack}` forgets it.",
}
_WAIT = "Wait (`aws cloudformation describe-stacks --stack-name {stack}`), then run the same command again."


def next_step(stack: str, status: str, environment: str) -> str | None:
    """Return what to do about a stack in this status; None when it can be changed as it is."""
    if status in GOOD:
        return None
    template = _WAIT if status in IN_PROGRESS else _STEPS.get(status, _EVENTS + ".")
    return template.format(stack=stack, remove=_removal(stack, environment))


def _removal(stack: str, environment: str) -> str:
    pipeline = stack.removeprefix(f"mw-{environment}-")
    if pipeline == "data" or pipeline.endswith("-data"):
        return f"`aws cloudformation delete-stack --stack-name {stack}`"
    return f"`modelwright destroy {pipeline} --aws --env {environment}`"
