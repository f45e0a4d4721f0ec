"""CodeBuild: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html."""

from __future__ import annotations

from modelwright.local.iam.checks import Check, Mapper, Request


def _project(request: Request, name: str) -> str:
    return request.arn("codebuild", f"project/{name.partition(':')[0]}")


def _start(request: Request) -> list[Check]:
    return [Check("codebuild:StartBuild", _project(request, request.text("projectName")))]


def _get(request: Request) -> list[Check]:
    ids = [str(each) for each in request.params.get("ids", [])]
    return [Check("codebuild:BatchGetBuilds", _project(request, each)) for each in ids]


def _stop(request: Request) -> list[Check]:
    return [Check("codebuild:StopBuild", _project(request, request.text("id")))]


OPERATIONS: dict[str, Mapper] = {"StartBuild": _start, "BatchGetBuilds": _get, "StopBuild": _stop}
"""A build's permissions are those on its project; its id begins with the project's name."""
