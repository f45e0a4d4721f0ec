"""The names that are chosen here and not by CloudFormation, and the paths of the shared parameters.

Only what has to be found by a name that outlives its stack has one; everything else is named by CloudFormation.
"""

from __future__ import annotations

from dataclasses import dataclass

STATE_MACHINE_LOGS = "/aws/vendedlogs/states"
"""What the log groups of state machines begin with.

Log delivery writes into the account's one resource policy of at most 5120 characters, unless the group's name begins
with `/aws/vendedlogs/`: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

SHARED = (
    "key-arn",
    "data-bucket",
    "artifact-bucket",
    "log-bucket",
    "table-name",
    "event-bus-name",
    "topic-arn",
    "dead-letter-queue-arn",
)
"""The last part of the path of each SSM parameter that the data stack writes."""


@dataclass(frozen=True)
class EnvironmentNames:
    """Names of what all pipelines of one environment share."""

    environment: str

    @property
    def prefix(self) -> str:
        """What every name and every stack of the environment begins with."""
        return f"mw-{self.environment}"

    @property
    def data_stack(self) -> str:
        """The stack of what is shared."""
        return f"{self.prefix}-data"

    @property
    def table(self) -> str:
        """The DynamoDB table."""
        return self.prefix

    @property
    def event_bus(self) -> str:
        """The event bus that merges are announced on."""
        return self.prefix

    def parameter(self, name: str) -> str:
        """Return the path of the SSM parameter `name`, one of `SHARED`."""
        if name not in SHARED:
            raise ValueError(f"{name!r} is no shared parameter; there are: {', '.join(SHARED)}.")
        return f"/modelwright/{self.environment}/{name}"


@dataclass(frozen=True)
class PipelineNames:
    """Names of what belongs to one pipeline in one environment."""

    environment: str
    pipeline: str

    @property
    def prefix(self) -> str:
        """What every name of the pipeline begins with; also the names of endpoint, package group and repository."""
        return f"mw-{self.environment}-{self.pipeline}"

    @property
    def stack(self) -> str:
        """The stack that can be deleted and made again."""
        return self.prefix

    @property
    def data_stack(self) -> str:
        """The stack that is kept."""
        return f"{self.prefix}-data"

    @property
    def state_machine(self) -> str:
        """The state machine: its functions' roles name its executions, and are made before it."""
        return self.prefix

    def construct(self, what: str) -> str:
        """Return the logical id of the pipeline's one `what`: CloudFormation names some kinds by that alone."""
        return "".join(word.capitalize() for word in self.pipeline.split("-")) + what

    @property
    def state_machine_log_group(self) -> str:
        """The log group of the state machine."""
        return f"{STATE_MACHINE_LOGS}/{self.prefix}"
