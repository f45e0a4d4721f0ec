"""Each statement of every policy: without it something is refused, or it is on the list below with its reason.

The pipeline runs through everything that it can meet, each decision is recorded, and then taken again without one
statement at a time. For one statement of each kind of caller the run itself is made without it, and must fail.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.client import publishing
from modelwright.client.deployment import Deployment, find_deployment, stack_names
from modelwright.client.events import send_merge
from modelwright.client.session import Endpoint, Session
from modelwright.config import load_project
from modelwright.local.cloud import Cloud
from modelwright.local.deployed import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.iam.statements import StatementRef

TRACES = "X-Ray is not in the local cloud: tracing is recorded only"
METRICS = "SageMaker's own metrics are written by the local cloud itself"
TLS = "whatever comes over loopback counts as encrypted"
LIST = "asked when an object is missing only, to say so instead of AccessDenied"
DESCRIBED = "AWS looks at the key before it makes a grant; the local cloud asks the jobs' roles only"

NOT_NEEDED_LOCALLY = {
    ("StateMachineRole", "SendTraces"): TRACES,
    ("StateMachineRole", "SampleTraces"): TRACES,
    ("ProcessingRole", "PublishMetrics"): METRICS,
    ("TrainingRole", "PublishMetrics"): METRICS,
    ("HostingRole", "PublishMetrics"): METRICS,
    ("HostingRole", "ListInputs"): "AWS asks it of a hosting role; the local cloud reads the one archive by its name",
    ("StateMachineRole", "WatchRollbackAlarms"): "AWS does not say whose role sees them; here it is the model's",
    ("ProcessingRole", "EncryptOutputs"): "AWS's page asks for it; S3 itself asks for data keys",
    ("TrainingRole", "EncryptOutputs"): "AWS's page asks for it; S3 itself asks for data keys",
    ("HostingRole", "LendTheKeyToVolumes"): "AWS does not say whose role lends it; here it is that of whoever calls",
    ("HostingRole", "DescribeTheKey"): DESCRIBED,
    ("StateMachineRole", "DescribeTheKey"): DESCRIBED,
    ("RestoreEndpointFunctionRole", "Grant4KmsDescribeKey"): DESCRIBED,
    ("AcquireDeploymentFunctionRole", "Grant2StatesDescribeExecution"): "asked while another run holds the lease only",
    ("PrepareRunFunctionRole", "Grant2S3ListBucket"): LIST,
    ("RecordMetricsFunctionRole", "Grant2S3ListBucket"): LIST,
    ("PackageModelFunctionRole", "Grant2S3ListBucket"): LIST,
    ("SmokeTestFunctionRole", "Grant2S3ListBucket"): LIST,
    ("key", "TheTopicReachesQueues"): "no queue is subscribed; whoever subscribes one would miss it silently",
    ("databucket", "TlsOnly"): TLS,
    ("artifactbucket", "TlsOnly"): TLS,
    ("logbucket", "TlsOnly"): TLS,
    ("logbucket", "AccessLogs"): "no access logs are written locally",
    ("databucket", "PipelinesNeverWrite"): "no role has the grant that it takes back: tried below",
    ("Topic", "TlsOnly"): TLS,
    ("DeadLetterQueue", "TlsOnly"): TLS,
}
"""Owner (the end of its name) and statement."""


class Place:
    """The project's local cloud, inside this process, with every decision recorded."""

    def __init__(self, cloud: Cloud, root: Path, assembly: Path) -> None:
        self.cloud = cloud
        self.root = root
        self.decisions: list[tuple[Any, Any, bool, tuple[StatementRef, ...]]] = []
        self._decide = cloud.iam._decide
        cloud.iam._decide = self._record  # type: ignore[method-assign] # the one place where all decisions are made
        deploy(cloud, assembly, stack_names("dev", "penguins"))
        owner = cloud.callers.owner
        self.session = Session("eu-central-1", lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
        self.deployment: Deployment = find_deployment(self.session, "dev", "penguins")

    def _record(self, access: Any, role: Any) -> Any:
        decision = self._decide(access, role)
        self.decisions.append((access, role, decision.allowed, decision.statements))
        return decision

    def release(self, root: Path, *, default: bool = False) -> str:
        project = load_project(root, "dev")
        settings = project.pipeline("penguins")
        return publishing.publish_folder(self.session, project, settings, self.deployment, default=default)

    def succeeded(self, found: dict[str, Any]) -> None:
        assert found["status"] == "SUCCEEDED", found.get("cause")

    def run(self, release: str, **more: Any) -> dict[str, Any]:
        trigger = {"kind": "manual", "id": str(uuid.uuid4())}
        request = {"schema": 1, "pipeline": "penguins", "release": release, "trigger": trigger, **more}
        answer = self.session.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, input=json.dumps(request)
        )
        return self.ended(answer["executionArn"])

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution, described when it has ended."""
        client = self.session.client("stepfunctions")
        until = self.cloud.clock.time() + 120
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert self.cloud.clock.time() < until, f"{arn} did not end"
        return dict(found)

    def started_by(self, event: str) -> dict[str, Any]:
        """The execution that an event started, ended."""
        client = self.session.client("stepfunctions")
        until = self.cloud.clock.time() + 60
        while self.cloud.clock.time() < until:
            listed = client.list_executions(stateMachineArn=self.deployment.state_machine_arn)["executions"]
            for execution in listed:
                if execution["name"].startswith(event):
                    return self.ended(execution["executionArn"])
        raise AssertionError(f"{event} started nothing")

    def dead_letter(self) -> None:
        """Wait until an event has reached the dead-letter queue."""
        queues: Any = self.cloud.services["sqs"]
        until = self.cloud.clock.time() + 60
        while not queues.messages():
            assert self.cloud.clock.time() < until, "no dead letter came"

    def alarm(self) -> None:
        """Wait until an alarm has reached the topic."""
        topics: Any = self.cloud.services["sns"]
        until = self.cloud.clock.time() + 60
        while not any(str(message["subject"]).startswith("ALARM") for message in topics.messages()):
            assert self.cloud.clock.time() < until, "no alarm came"

    def statement(self, owner: str, sid: str) -> StatementRef:
        (found,) = (ref for ref in self.cloud.iam.statements() if owner_of(ref) == owner and ref.statement == sid)
        return found


def owner_of(ref: StatementRef) -> str:
    """`ProcessingRole` of the role's ARN, `databucket` of the bucket's: what is told apart by in this file."""
    if ":key/" in ref.owner:
        return "key"
    parts = ref.owner.rpartition(":")[2].removeprefix("role/").split("-")
    return parts[-2]


def copy_of(project: Path, folder: Path) -> Path:
    """A project of its own: the same platform, its own penguins."""
    folder.mkdir()
    for name in ("app.py", "cdk.json", "stacks", "lambdas", "environments"):
        (folder / name).symlink_to((project / name).resolve())
    shutil.copytree((project / "training_code").resolve(), folder / "training_code")
    return folder


@pytest.fixture(scope="module")
def place(project_copy: Path, assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("cloud")
    scripts = [project_copy / "training_code" / "penguins"]
    cloud = Cloud(directory, "eu-central-1", scripts=scripts)
    cloud.start()
    try:
        yield Place(cloud, project_copy, assembly)
    finally:
        cloud.stop()


@pytest.fixture(scope="module")
def good(place: Place) -> str:
    """A release that keeps one model only, so that a second run removes the first one's."""
    folder = copy_of(place.root, place.cloud.directory.parent / f"good-{uuid.uuid4().hex}")
    settings = folder / "training_code" / "penguins" / "pipeline.yaml"
    text = settings.read_text()
    assert "deploy: {" in text
    settings.write_text(text.replace("deploy: {", "deploy: {keep: 1, "))
    return place.release(folder, default=True)


@pytest.fixture(scope="module")
def bad(place: Place) -> str:
    """A release whose model deploys and does not answer."""
    folder = copy_of(place.root, place.cloud.directory.parent / f"bad-{uuid.uuid4().hex}")
    script = folder / "training_code" / "penguins" / "inference.py"
    script.write_text(script.read_text() + "\n\ndef predict_fn(*_):\n    raise RuntimeError('a bad model')\n")
    return place.release(folder)


@pytest.fixture(scope="module")
def tried(place: Place, good: str, bad: str) -> Place:
    """Everything that a pipeline meets: first and second deployment, rollback, events, a dead letter, alarms."""
    for _ in range(2):
        place.succeeded(place.run(good))
    assert place.run(bad)["status"] == "FAILED"
    branch = load_project(place.root, "dev").pipeline("penguins").triggers.merge_branch
    event = send_merge(place.session, place.deployment, branch=branch, commit="c" * 40, release=good)
    place.succeeded(place.started_by(event))
    rules: Any = place.cloud.services["events"]
    place.succeeded(place.started_by(rules.fire(place.deployment.state_machine_arn)))
    with place.cloud.iam.without(place.statement("RuleRole", "StartExecutions")):
        send_merge(place.session, place.deployment, branch=branch, commit="d" * 40, release=good)
        place.dead_letter()
    place.alarm()
    return place


def needed(place: Place) -> set[StatementRef]:
    """Statements without which something that was decided would be decided differently."""
    about = defaultdict(list)
    for access, role, allowed, statements in place.decisions:
        for ref in statements:
            about[ref].append((access, role, allowed))
    found = set()
    for ref, decisions in about.items():
        with place.cloud.iam.without(ref):
            if any(place._decide(access, role).allowed != allowed for access, role, allowed in decisions):
                found.add(ref)
    return found


def listed(ref: StatementRef) -> bool:
    return (owner_of(ref), ref.statement) in NOT_NEEDED_LOCALLY


def test_without_any_statement_something_is_refused(tried: Place) -> None:
    idle = tried.cloud.iam.statements() - needed(tried)
    assert sorted(str(ref) for ref in idle if not listed(ref)) == []


def test_nothing_is_on_the_list_that_is_needed(tried: Place) -> None:
    found = needed(tried)
    assert sorted(str(ref) for ref in found if listed(ref)) == []
    known = {(owner_of(ref), ref.statement) for ref in tried.cloud.iam.statements()}
    assert set(NOT_NEEDED_LOCALLY) - known == set()


@pytest.mark.parametrize(
    ("owner", "sid"),
    [
        ("StateMachineRole", "HandRolesToSageMaker"),
        ("ProcessingRole", "ReadInputs"),
        ("TrainingRole", "PullImages"),
        ("PrepareRunFunctionRole", "Grant1S3GetObject"),
    ],
)
def test_a_run_without_the_statement_fails(tried: Place, good: str, owner: str, sid: str) -> None:
    with tried.cloud.iam.without(tried.statement(owner, sid)):
        found = tried.run(good)
    assert found["status"] == "FAILED"


def test_a_run_with_all_statements_succeeds_again(tried: Place, good: str) -> None:
    tried.succeeded(tried.run(good))


def test_the_data_buckets_own_policy_outweighs_any_grant(tried: Place) -> None:
    """The deny holds for every role of a pipeline, also for one that was given the right to write by mistake."""
    role = next(ref.owner for ref in tried.cloud.iam.statements() if owner_of(ref) == "ProcessingRole")
    target = f"arn:aws:s3:::{tried.deployment.data_bucket}/datasets/penguins/x.csv"
    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    deny = tried.statement("databucket", "PipelinesNeverWrite")
    tried.cloud.iam.put_role_policy(role, "Mistake", {"Version": "2012-10-17", "Statement": [allow]})
    try:
        with pytest.raises(Exception, match="explicit deny"):
            tried.cloud.authorize(role, "s3:PutObject", target)
        with tried.cloud.iam.without(deny):
            tried.cloud.authorize(role, "s3:PutObject", target)
    finally:
        tried.cloud.iam.put_role_policy(role, "Mistake", None)
