"""The service `codebuild`: projects come with the template, builds end at once.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.codebuild.build import BuildFailed, Order, perform
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_KIND = "codebuild-build"
_TIMES = ("startTime", "endTime")


@dataclass(frozen=True)
class Project:
    """A project, as the template has it."""

    name: str
    role: str
    log_group: str
    buildspec: str
    variables: Mapping[str, str]


class CodeBuild:
    """Builds are kept. None is cut off by the local cloud's end: each ends within the request that starts it."""

    name = "codebuild"
    operations = frozenset({"BatchGetBuilds", "StartBuild", "StopBuild"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._projects: dict[str, Project] = {}

    def start(self) -> None:
        """Projects come with the template, builds lie in the database."""

    def stop(self) -> None:
        """Nothing runs."""

    def put_project(self, project: Project) -> None:
        """Make a project, or change it."""
        self._projects[project.name] = project

    def remove_project(self, name: str) -> None:
        """Remove a project."""
        self._projects.pop(name, None)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        if call.operation == "StartBuild":
            return {"build": self._start(call.params)}
        if call.operation == "BatchGetBuilds":
            return self._get(call.params["ids"])
        return {"build": self._stop(call.params["id"])}

    def _start(self, params: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(params) - {"projectName", "environmentVariablesOverride"})
        if unknown:
            raise AwsError(
                "InvalidInputException", f"The local cloud does not know {', '.join(unknown)} of StartBuild."
            )
        project = self._projects.get(str(params["projectName"]))
        if project is None:
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {params['projectName']}")
        stream = str(uuid.uuid4())
        given = {each["name"]: each["value"] for each in params.get("environmentVariablesOverride", [])}
        variables = {**project.variables, **given, "CODEBUILD_PROJECT": project.name}
        order = Order(project.role, project.log_group, stream, project.buildspec, variables, self._asset)
        return self._run(project, order)

    def _run(self, project: Project, order: Order) -> dict[str, Any]:
        started, lines = self._cloud.clock.time(), list[str]()
        failed = self._perform(order, lines)
        ended = self._cloud.clock.time()
        if failed is None or failed.phase not in ("PROVISIONING", "SUBMITTED"):
            self._cloud.log(order.log_group, order.log_stream, [(ended, line) for line in lines])
        name = f"{project.name}:{order.log_stream}"
        build = {
            "id": name,
            "arn": f"arn:aws:codebuild:{self._cloud.region}:{self._cloud.account}:build/{name}",
            "projectName": project.name,
            "buildStatus": "FAILED" if failed else "SUCCEEDED",
            "buildComplete": True,
            "currentPhase": "COMPLETED",
            "phases": [_phase(failed), {"phaseType": "COMPLETED"}],
            "startTime": started,
            "endTime": ended,
            "logs": {"groupName": order.log_group, "streamName": order.log_stream},
        }
        self._cloud.database.put(_KIND, name, build)
        return {**self._described(name), "buildStatus": "IN_PROGRESS", "buildComplete": False}

    def _perform(self, order: Order, lines: list[str]) -> BuildFailed | None:
        try:
            with self._lock:  # each looks first, so the second of two finds what the first has made
                perform(self._cloud, order, lines.append)
        except BuildFailed as error:
            lines.append(error.message)
            return error
        return None

    def _asset(self, bucket: str, key: str) -> Path:
        assets: Any = self._cloud.services["cloudformation"]
        found: Path = assets.assets.path({"S3Bucket": bucket, "S3Key": key})
        return found

    def _described(self, build_id: str) -> dict[str, Any]:
        found = self._cloud.database.get(_KIND, build_id)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Build cannot be found: {build_id}")
        times = {name: datetime.fromtimestamp(found[name], UTC) for name in _TIMES}
        return {**found, **times}

    def _get(self, ids: list[str]) -> dict[str, Any]:
        known = [name for name in ids if self._cloud.database.get(_KIND, name) is not None]
        return {
            "builds": [self._described(name) for name in known],
            "buildsNotFound": [name for name in ids if name not in known],
        }

    def _stop(self, build_id: str) -> dict[str, Any]:
        """A build that has ended stays as it ended."""
        return self._described(build_id)


def _phase(failed: BuildFailed | None) -> dict[str, Any]:
    """Return the phase that says how it went."""
    if failed is None:
        return {"phaseType": "BUILD", "phaseStatus": "SUCCEEDED"}
    contexts = [{"statusCode": "CLIENT_ERROR", "message": failed.message}]
    return {"phaseType": failed.phase, "phaseStatus": "FAILED", "contexts": contexts}
