"""What a pipeline's stacks know of the data stack: the values of its SSM parameters, read when they are deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import CfnParameter

from stacks.names import EnvironmentNames
from stacks.policies import bucket_arn

if TYPE_CHECKING:
    from aws_cdk import Stack


@dataclass(frozen=True)
class Shared:
    """What the data stack published; each value is a reference to a parameter of the stack that reads it."""

    key_arn: str | None
    """None: AWS's own keys encrypt everything."""
    data_bucket: str
    artifact_bucket: str
    table_name: str
    event_bus_name: str
    topic_arn: str
    dead_letter_queue_arn: str

    @property
    def artifact_bucket_arn(self) -> str:
        """The ARN of the artifact bucket."""
        return bucket_arn(self.artifact_bucket)

    @property
    def data_bucket_arn(self) -> str:
        """The ARN of the data bucket."""
        return bucket_arn(self.data_bucket)


def read_shared(stack: Stack, environment: str, *, own_key: bool) -> Shared:
    """Add the parameters to `stack` and return references to them; `own_key`: the environment has a key in KMS."""
    return Shared(
        key_arn=shared_value(stack, environment, "key-arn") if own_key else None,
        data_bucket=shared_value(stack, environment, "data-bucket"),
        artifact_bucket=shared_value(stack, environment, "artifact-bucket"),
        table_name=shared_value(stack, environment, "table-name"),
        event_bus_name=shared_value(stack, environment, "event-bus-name"),
        topic_arn=shared_value(stack, environment, "topic-arn"),
        dead_letter_queue_arn=shared_value(stack, environment, "dead-letter-queue-arn"),
    )


def shared_value(stack: Stack, environment: str, name: str) -> str:
    """Add the parameter that reads one shared value to `stack` and return the reference to it."""
    id_ = "Shared" + "".join(word.capitalize() for word in name.split("-"))
    path = EnvironmentNames(environment).parameter(name)
    return CfnParameter(stack, id_, type="AWS::SSM::Parameter::Value<String>", default=path).value_as_string
