"""What all pipelines of an environment share and must not lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm

from stacks.constructs.alarms import Alarms, Level, Metric, Says
from stacks.constructs.api_account import api_logs
from stacks.constructs.buckets import buckets
from stacks.constructs.encryption_key import encryption_key
from stacks.constructs.github import identity_provider
from stacks.constructs.image_repository import serving_repository
from stacks.constructs.messages import dead_letter_queue, topic
from stacks.constructs.network import Reach, s3_endpoint
from stacks.constructs.table import table
from stacks.names import EnvironmentNames
from stacks.removal import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import Environment
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings


class DataStack(Stack):
    """Key, if it has one of its own, buckets, table, bus, topic and dead-letter queue, published as SSM parameters.

    Parameters and not exports: an export could not be changed or removed as long as another stack imports it.
    """

    def __init__(
        self, scope: Construct, settings: EnvironmentSettings, env: Environment, external_data: Iterable[str] = ()
    ) -> None:
        """Make the stack of the environment with these `settings`; pipelines read `external_data` in S3 as well."""
        names = EnvironmentNames(settings.name)
        keep = settings.removal == "retain"
        super().__init__(
            scope,
            names.data_stack,
            env=env,
            termination_protection=keep,
            description=f"modelwright {settings.name}: what all pipelines share",
        )
        removal = KEPT if keep else RemovalPolicy.DESTROY
        own_key = settings.key == "customer-managed"
        key = encryption_key(self, settings.name, names.prefix, removal).attr_arn if own_key else None
        made = buckets(self, names.prefix, key, removal)
        queue = dead_letter_queue(self, names.prefix, key, removal)
        bus = events.CfnEventBus(self, "EventBus", name=names.event_bus)
        told = topic(self, names.prefix, key, settings.notify_emails).ref
        _dead_letter_alarm(self, told, queue)
        if settings.oidc_provider == "create":
            identity_provider(self)
        if settings.api_logs == "create":
            api_logs(self)
        if settings.vpc and settings.vpc.endpoints == "create":
            own = (made.data.attr_arn, made.artifacts.attr_arn)
            s3_endpoint(self, settings.vpc, Reach(names.prefix, own, tuple(external_data)))
        serving_repository(self, settings, key)
        kept_table = table(self, names.table, key, keep=keep)
        values = {
            **({"key-arn": key} if key else {}),
            "data-bucket": made.data.ref,
            "artifact-bucket": made.artifacts.ref,
            "log-bucket": made.logs.ref,
            "table-name": kept_table.ref,
            "event-bus-name": bus.ref,
            "topic-arn": told,
            "dead-letter-queue-arn": queue.attr_arn,
        }
        for name, value in values.items():
            made_parameter = self._publish(names.parameter(name), name, value)
            if name != "table-name":
                kept_table.add_dependency(made_parameter)
        self._make_last(kept_table)

    def _publish(self, path: str, name: str, value: str) -> ssm.CfnParameter:
        id_ = "".join(word.capitalize() for word in name.split("-")) + "Parameter"
        return ssm.CfnParameter(self, id_, type="String", name=path, value=value, description=f"modelwright: {name}")

    def _make_last(self, protected: dynamodb.CfnTable) -> None:
        """Make the table when all that may fail has been made: protected as it is, no roll-back could delete it."""
        known = (dynamodb.CfnTable, ssm.CfnParameter, kms.CfnKey)  # it names the key, so it comes after it anyway
        for resource in self.node.children:
            if isinstance(resource, CfnResource) and not isinstance(resource, known):
                protected.add_dependency(resource)


def _dead_letter_alarm(scope: Construct, topic_arn: str, queue: sqs.CfnQueue) -> None:
    metric = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.attr_queue_name})
    says = Says(
        "Events lie in the dead-letter queue: they reached no state machine.",
        "read them there (local cloud: `modelwright inbox`), put their cause right, send them again and delete them; "
        "this alarm stays on as long as one of them lies there, at most 14 days.",
    )
    # The queue reports a number while it is active, "six hours" longer; then no data, and nothing lies in it:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    Alarms(scope, topic_arn).on("DeadLetterAlarm", says, metric, Level("Maximum"))
