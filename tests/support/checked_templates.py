"""Small templates for the validators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.templates import Template

if TYPE_CHECKING:
    from pathlib import Path

SNS = "arn:aws:states:::sns:publish"
TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def task(resource: str, arguments: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}


def training(**changes: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "{% $name %}",
        "AlgorithmSpecification": {"TrainingImage": "{% $image %}", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/x-with-twenty-letters",
        "OutputDataConfig": {"S3OutputPath": "s3://x/y/"},
        "ResourceConfig": "{% $resources %}",
        "StoppingCondition": {"MaxRuntimeInSeconds": "{% $seconds %}"},
        **changes,
    }


def template(tmp_path: Path, resources: dict[str, Any], stack: str = "mw-dev-x") -> Template:
    path = tmp_path / f"{stack}.template.json"
    body = {"Resources": resources}
    path.write_text(json.dumps(body))
    return Template(stack, path, body)


def machine(states: dict[str, Any]) -> dict[str, Any]:
    definition = {"StartAt": next(iter(states)), "QueryLanguage": "JSONata", "States": states}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {"TopicArn": {"Ref": "Topic"}},
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
