"""One build: what CodeBuild and the project's buildspec need is checked, and the images that result are named in ECR.

No container is built here. What an image would hold is this project's own Python, which is what runs in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud

PRINCIPAL = "codebuild.amazonaws.com"
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSH = (
    *("BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload"),
    *("InitiateLayerUpload", "PutImage", "UploadLayerPart"),
)
_PHASES = ("install", "pre_build", "build", "post_build")
_STAGE = re.compile(r"^FROM\s+\S+\s+AS\s+(\S+)$", re.IGNORECASE)
_COPY = re.compile(r"^COPY\s+(.+)\s+\S+$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{?([A-Z_]+)\}?")
_NEEDED = ("CONTEXT_BUCKET", "CONTEXT_KEY", "REPOSITORY_URI", "IMAGE_HASH", "FRAMEWORK", "TARGETS")


class BuildFailed(Exception):  # noqa: N818  # what became of it
    """The build ended in a phase, with a message."""

    def __init__(self, phase: str, message: str) -> None:
        """Fail in `phase`: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html."""
        super().__init__(message)
        self.phase = phase
        self.message = message


@dataclass(frozen=True)
class Order:
    """What a build is started with."""

    role: str
    log_group: str
    log_stream: str
    buildspec: str
    variables: Mapping[str, str]
    context: Callable[[str, str], Path]
    """The folder that the asset at a bucket and a key is made of; TemplateError when it is none."""


def perform(cloud: Cloud, order: Order, say: Callable[[str], None]) -> list[str]:
    """Do what can be done of a build, and return the tags that were pushed; BuildFailed otherwise."""
    _take_role(cloud, order)
    _write_log(cloud, order)
    commands = _commands(order.buildspec)
    absent = [name for name in _NEEDED if not order.variables.get(name)]
    if absent:
        raise BuildFailed("BUILD", f"The build has no variable {', '.join(absent)}.")
    _check_content(order.variables)
    for command in commands:
        say(f"not run here: {command}")
    folder = _fetch(cloud, order)
    _check_dockerfile(folder / "Dockerfile", order.variables)
    return _push(cloud, order, say)


def _check_content(variables: Mapping[str, str]) -> None:
    """As `images/serving/build.sh` does: a run of before the last deploy wants other images."""
    wanted, built = variables.get("WANTED_HASH") or variables["IMAGE_HASH"], variables["IMAGE_HASH"]
    if wanted != built:
        said = f"The run wants the images of {wanted}, and this project builds those of {built}."
        raise BuildFailed("BUILD", said)


def _take_role(cloud: Cloud, order: Order) -> None:
    source = f"arn:aws:codebuild:{cloud.region}:{cloud.account}:project/{order.variables['CODEBUILD_PROJECT']}"
    decision = cloud.iam.may_assume(order.role, PRINCIPAL, {"aws:SourceArn": source})
    if not decision:
        raise BuildFailed("PROVISIONING", f"CodeBuild is not authorized to perform: sts:AssumeRole on {order.role}")


def _write_log(cloud: Cloud, order: Order) -> None:
    stream = f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{order.log_group}:log-stream:{order.log_stream}"
    for action in ("CreateLogStream", "PutLogEvents"):
        _need(cloud, order, "SUBMITTED", f"logs:{action}", stream)


def _commands(text: str) -> list[str]:
    """Return the commands of a buildspec: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html."""
    try:
        document: Any = yaml.safe_load(text)
        version, phases = str(document["version"]), dict(document["phases"])
        found = [command for phase in phases.values() for command in phase["commands"]]
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise BuildFailed("DOWNLOAD_SOURCE", f"YAML_FILE_ERROR: {error}") from error
    wrong = [f"{name} is no phase; there are {', '.join(_PHASES)}" for name in sorted(set(phases) - set(_PHASES))]
    if version != "0.2":
        wrong.append(f"version is {version}; it must be 0.2")
    if not found or not all(isinstance(command, str) for command in found):
        wrong.append("phases must have commands, each a text")
    if wrong:
        raise BuildFailed("DOWNLOAD_SOURCE", f"YAML_FILE_ERROR: {'; '.join(wrong)}")
    return found


def _fetch(cloud: Cloud, order: Order) -> Path:
    bucket, key = order.variables["CONTEXT_BUCKET"], order.variables["CONTEXT_KEY"]
    _need(cloud, order, "BUILD", "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    try:
        return order.context(bucket, key)
    except Exception as error:
        raise BuildFailed("BUILD", f"An error occurred (404) when calling the HeadObject operation: {error}") from error


def _check_dockerfile(path: Path, variables: Mapping[str, str]) -> None:
    """Check that the stages are there, and every file that they copy out of the context."""
    if not path.is_file():
        raise BuildFailed("BUILD", f"failed to read dockerfile: {path.name}: no such file")
    stages, missing = set(), []
    for line in path.read_text("utf-8").splitlines():
        stage, copied = _STAGE.match(line), _COPY.match(line)
        if stage:
            stages.add(stage[1])
        for name in copied[1].split() if copied else ():
            known = _VARIABLE.sub(lambda found: variables.get(found[1], ""), name)
            if not (path.parent / known).exists():
                missing.append(known)
    absent = [name for name in variables["TARGETS"].split() if name not in stages]
    if absent:
        raise BuildFailed("BUILD", f"target stage {', '.join(absent)} could not be found")
    if missing:
        raise BuildFailed("BUILD", f"failed to compute cache key: {', '.join(missing)}: not found")


def _push(cloud: Cloud, order: Order, say: Callable[[str], None]) -> list[str]:
    registry: Any = cloud.services["ecr"]
    repository = order.variables["REPOSITORY_URI"].partition("/")[2]
    arn = f"arn:aws:ecr:{cloud.region}:{cloud.account}:repository/{repository}"
    _need(cloud, order, "BUILD", "ecr:GetAuthorizationToken", "*")
    _need(cloud, order, "BUILD", "ecr:DescribeImages", arn)
    digest, framework = order.variables["IMAGE_HASH"], order.variables["FRAMEWORK"]
    pushed = []
    for target in order.variables["TARGETS"].split():
        tag = f"{target}-{digest}" if target == "serve" else f"{target}-{digest}-sklearn-{framework}"
        if registry.has(repository, tag):
            say(f"{tag} is there")
            continue
        for action in PUSH:
            _need(cloud, order, "BUILD", f"ecr:{action}", arn)
        try:
            registry.put_image(repository, tag)
        except AwsError as error:
            if error.code != "ImageTagAlreadyExistsException":  # another build was quicker
                raise BuildFailed("BUILD", error.message) from error
        say(f"pushed {tag}")
        pushed.append(tag)
    return pushed


def _need(cloud: Cloud, order: Order, phase: str, action: str, resource: str) -> None:
    try:
        cloud.authorize(order.role, action, resource)
    except AwsError as error:
        raise BuildFailed(phase, f"AccessDenied: {error.message}") from error
