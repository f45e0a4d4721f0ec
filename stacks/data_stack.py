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
from stacks.names import SHARED, EnvironmentNames
from stacks.removal import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import Environment
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings
    from stacks.constructs.buckets import Buckets


class DataStack(Stack):
    """Key, if it has one of its own, buckets, table, bus, topic and dead-letter queue, published as SSM parameters.

    Parameters and not exports: an export could not be changed or removed as long as another stack imports it.
    """

    def __init__(
        self, scope: Construct, settings: EnvironmentSettings, env: Environment, external_data: Iterable[str] = ()
    ) -> None:
        """Make the stack of the environment with these `settings`; pipelines read `external_data` in S3 as well."""
        self._names = EnvironmentNames(settings.name)
        self._keep = settings.removal == "retain"
        what = f"modelwright {settings.name}: what all pipelines share"
        super().__init__(scope, self._names.data_stack, env=env, termination_protection=self._keep, description=what)
        values = self._make(settings, tuple(external_data))
        protected = table(self, self._names.table, values.get("key-arn"), keep=self._keep)
        self._publish({**values, "table-name": protected.ref}, protected)
        self._make_last(protected)

    def _make(self, settings: EnvironmentSettings, external_data: tuple[str, ...]) -> dict[str, str]:
        """Make everything but the table and return what is published of it."""
        names, removal = self._names, KEPT if self._keep else RemovalPolicy.DESTROY
        own_key = settings.key == "customer-managed"
        key = encryption_key(self, settings.name, names.prefix, removal).attr_arn if own_key else None
        made = buckets(self, names.prefix, key, removal)
        queue = dead_letter_queue(self, names.prefix, key, removal)
        bus = events.CfnEventBus(self, "EventBus", name=names.event_bus)
        told = topic(self, names.prefix, key, settings.notify_emails).ref
        _dead_letter_alarm(self, told, queue)
        self._for_the_account(settings, made, external_data)
        serving_repository(self, settings, key)
        return {
            **({"key-arn": key} if key else {}),
            "data-bucket": made.data.ref,
            "artifact-bucket": made.artifacts.ref,
            "log-bucket": made.logs.ref,
            "event-bus-name": bus.ref,
            "topic-arn": told,
            "dead-letter-queue-arn": queue.attr_arn,
        }

    def _for_the_account(self, settings: EnvironmentSettings, made: Buckets, external_data: tuple[str, ...]) -> None:
        """Make what an account or a network has once, where the settings ask for it."""
        if settings.oidc_provider == "create":
            identity_provider(self)
        if settings.api_logs == "create":
            api_logs(self)
        if settings.vpc and settings.vpc.endpoints == "create":
            own = (made.data.attr_arn, made.artifacts.attr_arn)
            s3_endpoint(self, settings.vpc, Reach(self._names.prefix, own, external_data))

    def _publish(self, values: Mapping[str, str], protected: dynamodb.CfnTable) -> None:
        """Write the parameters; all but its own come before the table."""
        for name in (each for each in SHARED if each in values):
            id_ = "".join(word.capitalize() for word in name.split("-")) + "Parameter"
            path, what = self._names.parameter(name), f"modelwright: {name}"
            made = ssm.CfnParameter(self, id_, type="String", name=path, value=values[name], description=what)
            if name != "table-name":
                protected.add_dependency(made)

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
