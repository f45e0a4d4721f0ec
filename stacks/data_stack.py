"""What all pipelines of an environment share and must not lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_ssm as ssm

from stacks.constructs.buckets import buckets
from stacks.constructs.encryption_key import encryption_key
from stacks.constructs.messages import dead_letter_queue, topic
from stacks.constructs.table import table
from stacks.names import EnvironmentNames

if TYPE_CHECKING:
    from constructs import Construct

    from aws_cdk import Environment


class DataStack(Stack):
    """Key, buckets, table, event bus, topic and dead-letter queue, published as SSM parameters.

    Parameters and not exports: an export could not be changed or removed as long as another stack imports it.
    """

    def __init__(self, scope: Construct, environment: str, emails: tuple[str, ...], env: Environment | None) -> None:
        """Make the stack of `environment`; `emails` hear of runs and alarms."""
        names = EnvironmentNames(environment)
        super().__init__(
            scope,
            names.data_stack,
            env=env,
            termination_protection=True,
            description=f"modelwright {environment}: what all pipelines share. Kept.",
        )
        key = encryption_key(self, environment).attr_arn
        made = buckets(self, names.prefix, key)
        queue = dead_letter_queue(self, names.prefix, key)
        bus = events.CfnEventBus(self, "EventBus", name=names.event_bus)
        values = {
            "key-arn": key,
            "data-bucket": made.data.ref,
            "artifact-bucket": made.artifacts.ref,
            "log-bucket": made.logs.ref,
            "table-name": table(self, names.table, key).ref,
            "event-bus-name": bus.ref,
            "topic-arn": topic(self, names.prefix, key, emails).ref,
            "dead-letter-queue-arn": queue.attr_arn,
        }
        for name, value in values.items():
            self._publish(names.parameter(name), name, value)

    def _publish(self, path: str, name: str, value: str) -> None:
        id_ = "".join(word.capitalize() for word in name.split("-")) + "Parameter"
        ssm.CfnParameter(self, id_, type="String", name=path, value=value, description=f"modelwright: {name}")
