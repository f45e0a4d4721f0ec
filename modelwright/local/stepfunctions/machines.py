"""State machines: checked when they are made, as Step Functions does, and remembered until the cloud stops.

They are not kept in the database: what a template makes is made again from the template at each start.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions import checks, codebuild_task
from modelwright.local.stepfunctions.resources import sync_jobs
from modelwright.local.stepfunctions.sagemaker_fields import RULES
from modelwright.local.stepfunctions.telemetry import log_group

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.store.database import Database

_CHECKED: Final = "states.checked"
PRINCIPAL: Final = "states.amazonaws.com"
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
_NAME: Final = re.compile(r"^[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}$")
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
_LOG_ACTIONS: Final = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)


@dataclass(frozen=True)
class Machine:
    """One state machine."""

    arn: str
    name: str
    definition: str
    role_arn: str
    created: Any
    revision: str
    logging: dict[str, Any] = field(default_factory=dict)
    tracing: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def valid_name(name: str) -> bool:
    """Say whether a state machine or an execution may have this name."""
    return bool(_NAME.match(name))


class Machines:
    """The state machines of the local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._machines: dict[str, Machine] = {}
        self._lock = threading.Lock()

    def get(self, arn: str) -> Machine:
        """Give a state machine; StateMachineDoesNotExist when there is none."""
        machine = self._machines.get(arn)
        if machine is None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return machine

    def all(self) -> list[Machine]:
        """Give the state machines, by name."""
        return sorted(self._machines.values(), key=lambda machine: machine.name)

    def create(self, params: dict[str, Any]) -> Machine:
        """Make a state machine; the same request again gives the same one."""
        name = params["name"]
        if not valid_name(name):
            raise AwsError("InvalidName", f"Invalid Name: '{name}'")
        if params.get("type", "STANDARD") != "STANDARD":
            raise AwsError("StateMachineTypeNotSupported", "Express state machines do not run in the local cloud.")
        _refuse(params, "publish", "versionDescription", "encryptionConfiguration")
        machine = Machine(
            arn=f"arn:aws:states:{self._cloud.region}:{self._cloud.account}:stateMachine:{name}",
            name=name,
            definition=params["definition"],
            role_arn=params["roleArn"],
            created=self._cloud.clock.now(),
            revision=hashlib.sha256(f"{params['definition']}{params['roleArn']}".encode()).hexdigest()[:32],
            logging=params.get("loggingConfiguration") or {},
            tracing=params.get("tracingConfiguration") or {},
            tags={tag["key"]: tag["value"] for tag in params.get("tags", [])},
        )
        with self._lock:
            existing = self._machines.get(machine.arn)
        if existing is not None:
            if _same(existing, machine):
                return existing
            raise AwsError("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine.arn}'")
        return self._keep(machine)

    def update(self, params: dict[str, Any]) -> Machine:
        """Change a state machine; executions that run keep the definition with which they began."""
        _refuse(params, "publish", "versionDescription", "encryptionConfiguration")
        machine = self.get(params["stateMachineArn"])
        changes: dict[str, Any] = {
            name: params[key]
            for key, name in (
                ("definition", "definition"),
                ("roleArn", "role_arn"),
                ("loggingConfiguration", "logging"),
                ("tracingConfiguration", "tracing"),
            )
            if key in params
        }
        changed = replace(machine, **changes)
        revision = hashlib.sha256(f"{changed.definition}{changed.role_arn}".encode()).hexdigest()[:32]
        return self._keep(replace(changed, revision=revision))

    def delete(self, arn: str) -> None:
        """Forget a state machine; nothing happens when there is none."""
        with self._lock:
            self._machines.pop(arn, None)

    def tag(self, arn: str, tags: dict[str, str], without: list[str] | None = None) -> None:
        """Change a state machine's tags."""
        machine = self.get(arn)
        kept = {key: value for key, value in {**machine.tags, **tags}.items() if key not in (without or [])}
        with self._lock:
            self._machines[arn] = replace(machine, tags=kept)

    def _keep(self, machine: Machine) -> Machine:
        refuse_invalid(self._cloud.database, machine.definition)
        _check_logging(machine.logging)
        self._check_role(machine)
        with self._lock:
            self._machines[machine.arn] = machine
        return machine

    def _check_role(self, machine: Machine) -> None:
        """Check what Step Functions checks of the role at creation: trust, log delivery and the rules of `.sync`."""
        check_trust(self._cloud, machine.role_arn, machine.arn)
        if log_group(machine.logging) is not None:
            self._need(
                machine,
                [(f"logs:{action}", "*") for action in _LOG_ACTIONS],
                "The state machine IAM Role is not authorized to access the Log Destination",
            )
        rule_prefix = f"arn:aws:events:{self._cloud.region}:{self._cloud.account}:rule"
        for kind in sorted(sync_jobs(json.loads(machine.definition))):
            rule = f"{rule_prefix}/{RULES.get(kind, codebuild_task.RULE)}"
            needed = [(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
            self._need(machine, needed, f"'{machine.role_arn}' is not authorized to create managed-rule.")

    def _need(self, machine: Machine, needed: list[tuple[str, str]], message: str) -> None:
        for action, resource in needed:
            try:
                self._cloud.authorize(machine.role_arn, action, resource)
            except AwsError as error:
                raise AwsError("AccessDeniedException", f"{message} ({action} on {resource})") from error


def _check_logging(logging: dict[str, Any]) -> None:
    """Refuse what https://docs.aws.amazon.com/step-functions/latest/apireference/API_LoggingConfiguration.html does."""
    for destination in logging.get("destinations", []):
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        if ":log-group:" not in arn or not arn.endswith(":*"):
            raise AwsError("InvalidLoggingConfiguration", f"The ARN of a log group must end with ':*'; found '{arn}'.")
    if logging.get("level", "OFF") != "OFF" and len(logging.get("destinations", [])) != 1:
        raise AwsError("InvalidLoggingConfiguration", "Must specify exactly one Log Destination.")


def check_trust(cloud: Cloud, role_arn: str, machine_arn: str) -> None:
    """Raise AccessDeniedException unless Step Functions may assume the role for this state machine."""
    decision = cloud.iam.may_assume(role_arn, PRINCIPAL, {"aws:SourceArn": machine_arn})
    if not decision:
        raise AwsError(
            "AccessDeniedException",
            f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized to assume the "
            f"provided role {role_arn} ({decision.reason}).",
        )


def refuse_invalid(database: Database, definition: str) -> None:
    """Raise InvalidDefinition with every problem of the definition; one that was found well is not checked again.

    The checks take as long as a run of the penguins takes to start, and an unchanged template comes at each start.
    """
    key = hashlib.sha256(f"{checks.version()}{definition}".encode()).hexdigest()
    if database.get(_CHECKED, key) is not None:
        return
    found = checks.all_problems(definition)
    if found:
        listed = ", ".join(str(problem) for problem in found)
        raise AwsError("InvalidDefinition", f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {listed}'")
    database.put(_CHECKED, key, {})


def _same(one: Machine, other: Machine) -> bool:
    return (one.definition, one.role_arn, one.logging, one.tracing) == (
        other.definition,
        other.role_arn,
        other.logging,
        other.tracing,
    )


def _refuse(params: dict[str, Any], *names: str) -> None:
    for name in names:
        if params.get(name):
            raise AwsError("ValidationException", f"'{name}' is not supported by the local cloud.")
