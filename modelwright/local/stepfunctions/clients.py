"""Whom a task calls as: cached clients of the state machine's role, in place of moto's fixed credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from modelwright.local.stepfunctions.environment import LocalEnvironment

_moto_eval_state_credentials = StateTask._eval_state_credentials  # noqa: SLF001  # called from the function in its place


def eval_state_credentials(self: Any, env: LocalEnvironment) -> Any:
    """In place of `StateTask._eval_state_credentials`: the role goes with the runtime that has its clients."""
    credentials = _moto_eval_state_credentials(self, env)
    credentials.runtime = env.runtime
    return credentials


def client_for(region: str, service: str, state_credentials: Any = None) -> BaseClient:
    """In place of `boto_client_for`: a client that is authorized as the state machine's role, or the task's own."""
    runtime = state_credentials.runtime
    if region and region != runtime.region:
        raise ValueError(f"The local cloud is one region, {runtime.region}; this task calls {service} in {region}.")
    return runtime.client(service, state_credentials.role_arn)
