"""Which class answers which AWS service; one that is not here goes to moto if `calls.motos.MOTO_SERVICES` lists it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Service

SERVICES: dict[str, str] = {
    # botocore's name of the service -> "module:Class", made as Class(cloud); started in this order, stopped in reverse
    "logs": "modelwright.local.logs:Logs",
    "cloudwatch": "modelwright.local.monitoring.service:CloudWatch",
    "sts": "modelwright.local.identity.service:Identity",
    "sqs": "modelwright.local.messages.queues:Queues",
    "sns": "modelwright.local.messages.topics:Topics",
    "ssm": "modelwright.local.parameters:Parameters",
    "events": "modelwright.local.events.service:Events",
    "codecommit": "modelwright.local.codecommit.service:CodeCommit",
    "ecr": "modelwright.local.ecr:Registry",
    "codebuild": "modelwright.local.codebuild.service:CodeBuild",
    "sagemaker": "modelwright.local.sagemaker.service:SageMaker",
    "sagemaker-runtime": "modelwright.local.sagemaker.runtime:SageMakerRuntime",
    "application-autoscaling": "modelwright.local.autoscaling.service:ApplicationAutoScaling",
    "lambda": "modelwright.local.functions.service:Functions",
    "apigateway": "modelwright.local.apigateway.service:ApiGateway",
    "stepfunctions": "modelwright.local.stepfunctions.service:StepFunctions",
    "cloudformation": "modelwright.local.template.cloudformation:CloudFormation",
}


def make_services(cloud: Cloud, table: Mapping[str, str]) -> dict[str, Service]:
    """Make every service of the table, in its order; ImportError names a module that is missing."""
    return {name: _load(path)(cloud) for name, path in table.items()}


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
