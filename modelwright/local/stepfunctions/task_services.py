"""Which class runs a Task state: SageMaker's, CodeBuild's and the SDK's are our own, the rest is moto's."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_factory import (
    state_task_service_for as _moto_service_for,
)

from modelwright.local.stepfunctions import codebuild_task, sagemaker_task, tasks


def service_for(service_name: str) -> Any:
    """In place of moto's `state_task_service_for`."""
    if service_name == "sagemaker":
        return sagemaker_task.SageMakerTask()
    if service_name == "codebuild":
        return codebuild_task.CodeBuildTask()
    if service_name == "aws-sdk":
        return tasks.AwsSdkTask()
    return _moto_service_for(service_name)
