"""How each service says no: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html."""

from __future__ import annotations

from modelwright.local.service import AwsError

_CODES = {
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "iam": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "s3": ("AccessDenied", 403),
    "sagemaker-runtime": ("AccessDeniedException", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
    "xray": ("AccessDeniedException", 403),
}
"""By botocore's name of the service; the JSON protocols answer AccessDeniedException with 400."""


def refusal(service: str, who: str, action: str, resource: str, reason: str) -> AwsError:
    """The error that `service` answers when `who` may not do `action` on `resource`."""
    code, status = _CODES.get(service, ("AccessDeniedException", 400))
    where = f'"{resource}"' if service == "s3" else resource
    return AwsError(code, f"User: {who} is not authorized to perform: {action} on resource: {where} {reason}", status)


def not_supported(message: str) -> AwsError:
    """The error for what the local cloud cannot decide; no SDK tries a 400 again."""
    return AwsError("NotSupported", message, 400)
