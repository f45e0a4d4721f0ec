"""A CodeBuild project of few lines, and what is seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tiny_assembly import CODE, allow, role

from modelwright.local.codebuild.build import PUSH

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILDSPEC = "version: 0.2\nphases:\n  build:\n    commands:\n      - sh build.sh\n"
DOCKERFILE = (
    "FROM python AS serve\nCOPY index.py x\nFROM python AS convert\nARG FRAMEWORK\nCOPY needs-${FRAMEWORK}.txt x\n"
    "FROM python AS python\nCOPY index.py x\n"
)
_TAGS = ["serve-0123", "convert-0123-sklearn-1.9-0", "python-0123-sklearn-1.9-0"]
_REGISTRY = {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/levels"}
_REPOSITORY = {"Fn::Sub": "arn:aws:ecr:${AWS::Region}:${AWS::AccountId}:repository/levels"}


def _variables() -> list[dict[str, Any]]:
    values: Mapping[str, Any] = {
        "CONTEXT_BUCKET": CODE["S3Bucket"],
        "CONTEXT_KEY": CODE["S3Key"],
        "REPOSITORY_URI": _REGISTRY,
        "IMAGE_HASH": "0123",
        "TARGETS": "serve convert python",
    }
    return [{"Name": name, "Value": value, "Type": "PLAINTEXT"} for name, value in values.items()]


def build_resources() -> dict[str, Any]:
    """The project and its role."""
    grants = (
        allow("s3:GetObject", f"arn:aws:s3:::{CODE['S3Bucket']}/{CODE['S3Key']}"),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*"),
        allow("ecr:GetAuthorizationToken", "*"),
        allow(["ecr:DescribeImages", *(f"ecr:{action}" for action in PUSH)], _REPOSITORY),
    )
    project = {
        "ServiceRole": {"Fn::GetAtt": ["BuildRole", "Arn"]},
        "Source": {"Type": "NO_SOURCE", "BuildSpec": BUILDSPEC},
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "PrivilegedMode": True,
            "EnvironmentVariables": _variables(),
        },
        "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": "levels"}},
    }
    return {
        "BuildRole": role("codebuild", *grants),
        "Project": {"Type": "AWS::CodeBuild::Project", "Properties": project},
    }


def observe_project(levels: Any) -> None:
    """It lets through a build that has everything, and refuses one that lacks a file or the right to be started."""
    assets: Any = levels.cloud.services["cloudformation"]
    folder = assets.assets.path(CODE)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    assert _built(levels)["phases"][0]["contexts"][0]["message"].endswith("needs-1.9-0.txt: not found")
    with pytest.raises(ClientError, match="imageTag:'serve-0123'"):
        _images(levels)
    (folder / "needs-1.9-0.txt").touch()
    assert _built(levels)["buildStatus"] == "SUCCEEDED"
    assert [image["imageTags"] for image in _images(levels)] == [[tag] for tag in _TAGS]
    logged = levels.client("logs").filter_log_events(logGroupName="levels")["events"]
    assert any(event["message"] == "pushed serve-0123" for event in logged)
    assert _built(levels)["buildStatus"] == "SUCCEEDED"  # what is there is left alone
    other = _built(levels, WANTED_HASH="4567")["phases"][0]["contexts"][0]["message"]
    assert other.endswith("wants the images of 4567, and this project builds those of 0123.")
    with pytest.raises(ClientError, match="not authorized to perform: codebuild:StartBuild"):
        levels.client("codebuild", levels.role()).start_build(projectName=levels.id("Project"))


def _built(levels: Any, **more: str) -> dict[str, Any]:
    client = levels.client("codebuild")
    told = [
        {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in ({"FRAMEWORK": "1.9-0"} | more).items()
    ]
    started = client.start_build(projectName=levels.id("Project"), environmentVariablesOverride=told)
    found: dict[str, Any] = client.batch_get_builds(ids=[started["build"]["id"]])["builds"][0]
    return found


def _images(levels: Any) -> list[dict[str, Any]]:
    wanted = [{"imageTag": tag} for tag in _TAGS]
    found: list[dict[str, Any]] = levels.client("ecr").describe_images(repositoryName="levels", imageIds=wanted)[
        "imageDetails"
    ]
    return found
