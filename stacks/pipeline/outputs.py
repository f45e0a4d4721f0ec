"""The outputs of a pipeline's stack: all that the command line knows of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

if TYPE_CHECKING:
    from stacks.pipeline.building import Building, Workers
    from stacks.pipeline.machine import LoggedMachine


def outputs(building: Building, workers: Workers, made: LoggedMachine) -> None:
    """Write the outputs."""
    values = {
        "StateMachineArn": made.arn,
        "EndpointName": building.names.prefix,
        "ModelPackageGroupName": building.names.prefix,
        "DataBucketName": building.shared.data_bucket,
        "ArtifactBucketName": building.shared.artifact_bucket,
        "TableName": building.shared.table_name,
        "EventBusName": building.shared.event_bus_name,
        "TopicArn": building.shared.topic_arn,
        "StateMachineLogGroup": made.log_group.ref,
        "Structure": building.structure.digest(),
        **building.key,
        **_of_some(building, workers),
    }
    for name, value in values.items():
        CfnOutput(building.stack, name, value=value)


def _of_some(building: Building, workers: Workers) -> dict[str, str]:
    """What only some pipelines have."""
    found = {"AnswersTopicArn": workers.answers.ref} if workers.answers else {}
    if building.structure.ttl_hours:
        found["EndpointTtlHours"] = str(building.structure.ttl_hours)
    if "Batch" in workers.job_roles:
        found["BatchRoleArn"] = workers.job_roles["Batch"].attr_arn
    return found
