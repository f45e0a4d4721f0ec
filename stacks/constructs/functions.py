"""The Lambdas of a pipeline: the standard library and boto3, so their code is the folder as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets

from modelwright.workflow.trigger_functions import PUBLISH_MERGE
from stacks.constructs.logs import log_group
from stacks.constructs.roles import function_role
from stacks.grants.functions import function_statements
from stacks.policy_checks import accept_all, accept_checkov

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from modelwright.workflow.function import Function
    from stacks.grants.target import Target
    from stacks.policies import Statement

RUNTIME = "python3.14"
FOLDER = Path(__file__).resolve().parents[2] / "lambdas"
_UNRESERVED = "a new account has 10 concurrent executions in all; reserving some of them would fail the deploy"
_SYNCHRONOUS = "only called synchronously: whoever calls it gets the error, and retries, catches or tells"
_NO_NETWORK = "calls AWS's APIs only, with TLS; a network of its own would need an endpoint for each service"
_NO_SECRETS = "its variables are names, no secrets, under Lambda's own key; ours would let its role decrypt more"
_NOT_CODE = ["**/__pycache__", "**/*.pyc", "**/.*", PUBLISH_MERGE.name]  # that has an asset of its own


@dataclass(frozen=True)
class FunctionContext:
    """What all functions of a pipeline have in common."""

    target: Target
    values: Mapping[str, str | None]
    """The value of each environment variable that a function may ask for; None: it gets none of that name."""
    retention_days: int


@dataclass(frozen=True)
class Special:
    """What a function has that an event calls: code and grants of its own, and where given-up events go."""

    code: assets.Asset | None
    """None: the asset of all functions."""
    statements: tuple[Statement, ...]
    dead_letter_queue_arn: str
    values: Mapping[str, str | None] = field(default_factory=dict)
    """Environment variables that no other function has, or that this one gets none of (None)."""


class Functions:
    """Makes functions of one shared asset, each with its own role and its own log group."""

    def __init__(self, scope: Construct, context: FunctionContext) -> None:
        """Stage the code once."""
        self._scope = scope
        self._context = context
        self._code = assets.Asset(scope, "Code", path=str(FOLDER), exclude=_NOT_CODE, ignore_mode=IgnoreMode.GLOB)

    def make(self, function: Function, special: Special | None = None) -> lambda_.CfnFunction:
        """Make one function.

        No reserved concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
        """
        id_ = "".join(word.capitalize() for word in function.name.split("_"))
        group = self._log(id_)
        role = self._role(id_, function, group, special)
        code = (special.code if special else None) or self._code
        made = lambda_.CfnFunction(
            self._scope,
            f"{id_}Function",
            description=f"{self._context.target.pipeline}: {function.name}",
            handler=function.handler,
            runtime=RUNTIME,
            architectures=["arm64"],
            code={"s3Bucket": code.s3_bucket_name, "s3Key": code.s3_object_key},
            role=role.attr_arn,
            memory_size=function.memory_mib,
            timeout=function.timeout_seconds,
            environment={"variables": self._environment(function, special.values if special else {})},
            logging_config={"logGroup": group.ref, "logFormat": "Text"},
            tracing_config={"mode": "Active"},
            **_storage(function),
            **_dead_letters(special),
        )
        _accept(made)
        return made

    def _log(self, id_: str) -> logs.CfnLogGroup:
        return log_group(self._scope, f"{id_}Log", self._context.target.shared.key_arn, self._context.retention_days)

    def _role(self, id_: str, function: Function, group: logs.CfnLogGroup, special: Special | None) -> iam.CfnRole:
        target = self._context.target
        own = special.statements if special else ()
        return function_role(
            self._scope,
            f"{id_}FunctionRole",
            f"The Lambda {function.name} of {target.pipeline}",
            (*own, *function_statements(target, function, group.attr_arn)),
        )

    def _environment(self, function: Function, own: Mapping[str, str | None]) -> dict[str, str]:
        known = {**self._context.values, **own}
        unknown = sorted(set(function.environment) - set(known))
        if unknown:
            raise ValueError(f"{function.name} asks for {', '.join(unknown)}; the stack has no value for that.")
        asked = {name: known[name] for name in function.environment}
        return {name: value for name, value in asked.items() if value is not None}


def _accept(function: lambda_.CfnFunction) -> None:
    """Accept what this function does without, each with its reason; cdk-nag and checkov ask the same."""
    checkov = {"CKV_AWS_115": _UNRESERVED, "CKV_AWS_173": _NO_SECRETS}
    nag = {"NIST.800.53.R5-LambdaConcurrency": _UNRESERVED}
    if function.dead_letter_config is None:
        checkov["CKV_AWS_116"] = _SYNCHRONOUS
        nag |= {"NIST.800.53.R5-LambdaDLQ": _SYNCHRONOUS, "Serverless-LambdaDLQ": _SYNCHRONOUS}
    if function.vpc_config is None:
        checkov["CKV_AWS_117"] = nag["NIST.800.53.R5-LambdaInsideVPC"] = _NO_NETWORK
    accept_checkov(function, checkov)
    accept_all(function, nag)


def _dead_letters(special: Special | None) -> dict[str, Any]:
    return {"dead_letter_config": {"targetArn": special.dead_letter_queue_arn}} if special else {}


def _storage(function: Function) -> dict[str, Any]:
    return {} if function.storage_mib == 512 else {"ephemeral_storage": {"size": function.storage_mib}}
