"""CloudFormation: the stacks that the local cloud has made of the assembly, behind AWS's own API."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError, Call

from .assets import Assets
from .deploy import DeployReport, Stacks, delete_stack, deploy_assembly
from .intrinsics import TemplateError
from .scope import stack_arn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from modelwright.local.cloud import Cloud

    from .stack import Stack

_DESTROYED = "destroyed-stack"


class CloudFormation:
    """Describe and delete stacks. They are made by `deploy` from an assembly, not by CreateStack."""

    name = "cloudformation"
    operations = frozenset(
        {"DescribeStacks", "ListStacks", "DescribeStackResources", "ListStackResources", "GetTemplate", "DeleteStack"}
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._stacks: Stacks = {}
        self.assets = Assets(cloud)

    def start(self) -> None:
        """Nothing is kept: the assembly says what there is, and `deploy` follows."""

    def stop(self) -> None:
        """Nothing runs here."""

    def deploy(self, directory: Path, revive: Iterable[str] = ()) -> DeployReport:
        """Deploy the assembly; one at a time, the second waits.

        Args:
            directory: the assembly.
            revive: stacks to make even if the user destroyed them before; other destroyed ones stay away.
        """
        with self._lock:
            for name in revive:
                self._cloud.database.delete(_DESTROYED, name)
            destroyed = frozenset(name for name, _ in self._cloud.database.all(_DESTROYED))
            return deploy_assembly(self._cloud, directory, self._stacks, self.assets, leave_out=destroyed)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        with self._lock:
            return {
                "DescribeStacks": self._describe_stacks,
                "ListStacks": self._list_stacks,
                "DescribeStackResources": self._describe_resources,
                "ListStackResources": self._list_resources,
                "GetTemplate": self._get_template,
                "DeleteStack": self._delete_stack,
            }[call.operation](call.params)

    def _find(self, name: str | None) -> Stack:
        short = _short(name)
        if short not in self._stacks:
            # what DescribeStacks answers for a stack that is not there
            raise AwsError("ValidationError", f"Stack with id {name} does not exist")
        return self._stacks[short]

    def _describe_stacks(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("StackName")
        stacks = [self._find(name)] if name else list(self._stacks.values())
        return {"Stacks": [self._described(stack) for stack in stacks]}

    def _described(self, stack: Stack) -> dict[str, Any]:
        return {
            "StackName": stack.name,
            "StackId": stack_arn(self._cloud, stack.name),
            "StackStatus": stack.status,
            **({"StackStatusReason": stack.reason} if stack.reason else {}),
            "CreationTime": datetime.fromtimestamp(stack.created, UTC),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": str(value)} for key, value in stack.parameters.items()
            ],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()],
            "Tags": [],
        }

    def _list_stacks(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("StackStatusFilter")
        stacks = [stack for stack in self._stacks.values() if not wanted or stack.status in wanted]
        keys = ("StackName", "StackId", "StackStatus", "CreationTime")
        return {"StackSummaries": [{key: self._described(stack)[key] for key in keys} for stack in stacks]}

    def _resources(self, stack: Stack) -> list[dict[str, Any]]:
        return [
            {
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical.id,
                "ResourceType": resource.type,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for logical_id, (resource, physical) in stack.resources.items()
        ]

    def _describe_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        stack = self._find(params.get("StackName"))
        now = self._cloud.clock.now()
        return {
            "StackResources": [{**entry, "StackName": stack.name, "Timestamp": now} for entry in self._resources(stack)]
        }

    def _list_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        now = self._cloud.clock.now()
        entries = self._resources(self._find(params.get("StackName")))
        return {"StackResourceSummaries": [{**entry, "LastUpdatedTimestamp": now} for entry in entries]}

    def _get_template(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"TemplateBody": json.dumps(self._find(params.get("StackName")).template)}

    def _delete_stack(self, params: dict[str, Any]) -> dict[str, Any]:
        short = _short(params.get("StackName"))
        if short in self._stacks:  # deleting what is not there succeeds, as on AWS
            with suppress(TemplateError):  # the stack says it: DELETE_FAILED and why
                delete_stack(self._cloud, self._stacks, short)
                self._cloud.database.put(_DESTROYED, short, {"at": self._cloud.clock.time()})
        return {}


def _short(name: str | None) -> str:
    """A stack's name, of its name or id."""
    return (name or "").split(":stack/")[-1].split("/")[0]
