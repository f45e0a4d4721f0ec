"""The next step after a run that AWS, and no script, made fail."""

from __future__ import annotations

_QUOTA = "`modelwright doctor --aws` prints the command that asks for a higher quota."
_KNOWN = {
    # the error's name, and how the service's own sentence begins:
    # https://docs.aws.amazon.com/botocore/latest/reference/services/sagemaker/client/exceptions/ResourceLimitExceeded.html
    "ResourceLimitExceeded": _QUOTA,
    "The account-level service limit": _QUOTA,
    # the FailureReason of a job: https://docs.aws.amazon.com/batch/latest/userguide/sm_job_stuck_in_runnable_capacity.html
    "CapacityError": "AWS has no such machine free now: run it again later, or choose another instance.",
}
_OTHER_KIND = "`modelwright destroy {}` deletes it and the stack, and keeps what was trained; then {} makes both again."


def next_step(error: str, cause: str, pipeline: str, options: str = "") -> str | None:
    """Return what to do about a failure that has nothing to do with the scripts; None for every other.

    `options` are those of a command that is about the same place, as ` --aws --env prod`.
    """
    if error == "EndpointOfOtherKind":
        again = "`modelwright deploy` and a run" if "--aws" in options else "the next run"
        return _OTHER_KIND.format(f"{pipeline}{options}", again)
    return next((step for words, step in _KNOWN.items() if words in error or words in cause), None)
