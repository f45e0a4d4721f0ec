"""The table of runs, champions, triggers and leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb

from stacks.constructs.encryption_key import NO_KEY
from stacks.policy_checks import accept, accept_checkov

if TYPE_CHECKING:
    from constructs import Construct


def table(scope: Construct, name: str, key_arn: str | None, *, keep: bool) -> dynamodb.CfnTable:
    """Make the table: paid by request, restorable to any second of the last 35 days; protected if it is kept."""
    made = dynamodb.CfnTable(
        scope,
        "Table",
        table_name=name,
        billing_mode="PAY_PER_REQUEST",
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="pk", attribute_type="S"),
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="sk", attribute_type="S"),
        ],
        key_schema=[
            dynamodb.CfnTable.KeySchemaProperty(attribute_name="pk", key_type="HASH"),
            dynamodb.CfnTable.KeySchemaProperty(attribute_name="sk", key_type="RANGE"),
        ],
        point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
            enabled=True, attribute_name="expires_at"
        ),
        sse_specification=_under(key_arn) if key_arn else None,  # without: under a key that DynamoDB owns
        deletion_protection_enabled=keep,
    )
    accept(made, "NIST.800.53.R5-DynamoDBInBackupPlan", "restorable to any second of the last 35 days, by itself")
    if key_arn is None:
        accept_checkov(made, {"CKV_AWS_119": NO_KEY})
    made.apply_removal_policy(RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY)
    return made


def _under(key_arn: str) -> dynamodb.CfnTable.SSESpecificationProperty:
    return dynamodb.CfnTable.SSESpecificationProperty(sse_enabled=True, sse_type="KMS", kms_master_key_id=key_arn)
