"""Lambda: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html."""

from __future__ import annotations

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on, passes, tags_context


def _function(request: Request) -> str:
    """A function may be given by name, by `account:function:name` or by ARN, and each with a qualifier."""
    name = request.text("FunctionName")
    if not name.startswith("arn:"):
        name = request.arn("lambda", f"function:{name.rpartition('function:')[2]}")
    qualifier = request.text("Qualifier")
    return f"{name}:{qualifier}" if qualifier else name


def _invoke(request: Request) -> list[Check]:
    return [Check("lambda:InvokeFunction", _function(request))]


def _create(request: Request) -> list[Check]:
    found = [Check("lambda:CreateFunction", _function(request), tags_context(request.params.get("Tags")))]
    return found + passes(request.params.get("Role"), "lambda.amazonaws.com")


def _configure(request: Request) -> list[Check]:
    found = [Check("lambda:UpdateFunctionConfiguration", _function(request))]
    return found + passes(request.params.get("Role"), "lambda.amazonaws.com")


_ON_FUNCTION = (
    "AddPermission",
    "DeleteFunction",
    "GetFunction",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetPolicy",
    "ListAliases",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "RemovePermission",
    "UpdateFunctionCode",
)

OPERATIONS: dict[str, Mapper] = {
    **on("lambda", _function, _ON_FUNCTION),
    **on("lambda", lambda request: request.text("Resource"), ("ListTags", "TagResource", "UntagResource")),
    **anywhere("lambda", ("GetAccountSettings", "ListFunctions", "ListLayers")),
    "Invoke": _invoke,
    "InvokeAsync": _invoke,
    "InvokeWithResponseStream": _invoke,
    "CreateFunction": _create,
    "UpdateFunctionConfiguration": _configure,
}
