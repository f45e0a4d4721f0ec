"""Our own images, which compile models and serve them: their content, and the CodeBuild project that builds them.

The repository is in the data stack. The content is staged when the template is made, and the images' tags carry its
hash, so a template names exactly the images that it needs; the state machine has them built when they are missing.
docs/adr/0015-compiled-deployments.md
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws, Fn
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_s3_assets as assets

import modelwright
from modelwright.workflow.serving_image import CONVERTED_FRAMEWORKS, repository_name
from stacks.constructs.logs import log_group
from stacks.constructs.roles import build_role
from stacks.grants.serving_image import building
from stacks.policy_checks import accept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from stacks.grants.target import Target

FOLDER = Path(__file__).resolve().parents[2] / "images" / "serving"
BUILD_IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
"""https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html"""
BUILD_MINUTES = 30
QUEUED_MINUTES = 25  # with the build itself less than the state machine waits: `states_compile.BUILD_TIMEOUT_SECONDS`
_HASH_LENGTH = 16
_PACKAGE = ("__init__.py", "errors.py", "serving/**/*.py")
"""What of modelwright goes into the images; a test holds it against what these files import."""
_BUILDSPEC = """\
version: 0.2
phases:
  build:
    commands:
      - aws s3 cp --only-show-errors "s3://$CONTEXT_BUCKET/$CONTEXT_KEY" context.zip
      - unzip -q context.zip -d context
      - sh context/build.sh
"""
_NO_ARTIFACTS = "its builds leave no artifacts that a key could encrypt; images are encrypted by their repository"


@dataclass(frozen=True)
class ServingImage:
    """What the state machine has to know."""

    content_hash: str
    repository_uri: str
    project_name: str
    project_arn: str


def serving_image(scope: Construct, target: Target, retention_days: int, wanted: tuple[str, ...]) -> ServingImage:
    """Make the project that builds the `wanted` images, its role and its log group."""
    with tempfile.TemporaryDirectory(prefix="modelwright-") as temporary:
        folder = Path(temporary)
        content = stage(folder)
        context = assets.Asset(scope, "ServingImageContext", path=str(folder))
    group = log_group(scope, "ServingImageLog", target.shared.key_arn, retention_days)
    statements = building(target, context.s3_bucket_name, context.s3_object_key, group.attr_arn)
    role = build_role(scope, "ServingImageRole", f"CodeBuild's builds of the images of {target.pipeline}", statements)
    uri = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{repository_name(target.names.environment)}"
    variables = {
        "CONTEXT_BUCKET": context.s3_bucket_name,
        "CONTEXT_KEY": context.s3_object_key,
        "REPOSITORY_URI": uri,
        "IMAGE_HASH": content,
        "FRAMEWORK": CONVERTED_FRAMEWORKS[-1],  # each build says its own
        "TARGETS": " ".join(wanted),
    }
    project = codebuild.CfnProject(
        scope,
        "ServingImageProject",
        description=f"{target.pipeline}: the images that compile and serve its models",
        # CDK's own check takes GetAtt for the role's name, which would be wrong under a role_path (E3050)
        service_role=Fn.sub(f"${{{role.logical_id}.Arn}}"),
        artifacts={"type": "NO_ARTIFACTS"},
        source={"type": "NO_SOURCE", "buildSpec": _BUILDSPEC},
        environment=_environment(variables),
        logs_config={"cloudWatchLogs": {"status": "ENABLED", "groupName": group.ref}},
        timeout_in_minutes=BUILD_MINUTES,
        queued_timeout_in_minutes=QUEUED_MINUTES,
    )
    accept(project, "AwsSolutions-CB4", _NO_ARTIFACTS)
    return ServingImage(content, uri, project.ref, project.attr_arn)


def _environment(variables: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "LINUX_CONTAINER",
        "computeType": "BUILD_GENERAL1_SMALL",
        "image": BUILD_IMAGE,
        "privilegedMode": True,  # Docker needs it: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html
        "environmentVariables": [
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
        ],
    }


def stage(folder: Path) -> str:
    """Write the images' content into `folder`, and return its hash: a function of names and bytes alone."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources()):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        digest.update(f"{name}\0{hashlib.sha256(source.read_bytes()).hexdigest()}\n".encode())
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return digest.hexdigest()[:_HASH_LENGTH]


def _sources() -> Iterator[tuple[str, Path]]:
    for name in ("Dockerfile", "build.sh", "entrypoint.sh", "requirements/serve.txt"):
        yield name, FOLDER / name
    for name in (f"{target}-{framework}.txt" for framework in CONVERTED_FRAMEWORKS for target in ("convert", "python")):
        yield f"requirements/{name}", FOLDER / "requirements" / name
    package = Path(modelwright.__file__).parent
    for pattern in _PACKAGE:
        for path in package.glob(pattern):
            yield f"modelwright/{path.relative_to(package).as_posix()}", path
