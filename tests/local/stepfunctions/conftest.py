"""The service on a real database, with hand-written services around it: no HTTP, no processes, a clock to move."""

import itertools
import json
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from modelwright.clock import FakeClock
from modelwright.local.service import AwsError, Call, Caller
from modelwright.local.stepfunctions import run as run_module
from modelwright.local.stepfunctions.runtime import Runtime
from modelwright.local.stepfunctions.service import StepFunctions
from modelwright.local.store.database import Database

OWNER = Caller("owner", "arn:aws:iam::123456789012:user/owner")
ROLE = "arn:aws:iam::123456789012:role/machine"
REGION = "eu-central-1"


def refusal(code, message="refused", status=400):
    """What boto raises when a service answers with an error."""
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-1"},
    }
    return ClientError(response, "Operation")


class FakeApi:
    """A boto client: answers are values or functions of the request, by method; calls are kept."""

    def __init__(self, service):
        self.meta = SimpleNamespace(service_model=get_service_model(service))
        self.answers = {}
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def call(**request):
            self.calls.append((name, request))
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            answer = answer(**request) if callable(answer) else answer
            meta = {"HTTPStatusCode": 200, "RequestId": "request-1", "HTTPHeaders": {"x-amzn-requestid": "request-1"}}
            return {**answer, "ResponseMetadata": meta}

        return call

    def requests(self, name):
        return [request for called, request in self.calls if called == name]


class FakeSageMaker(FakeApi):
    """Jobs that run until a test ends them, or end at once with `instant`."""

    def __init__(self):
        super().__init__("sagemaker")
        self.jobs = {}
        self.instant = None
        self.changed = threading.Condition()
        for kind in ("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob"):
            snake = {"HyperParameterTuningJob": "hyper_parameter_tuning_job"}.get(kind, kind[:-3].lower() + "_job")
            self.answers[f"create_{snake}"] = lambda _kind=kind, **request: self._create(_kind, request)
            self.answers[f"describe_{snake}"] = lambda _kind=kind, **request: self.jobs[request[f"{_kind}Name"]]
            self.answers[f"stop_{snake}"] = lambda _kind=kind, **request: self.end(request[f"{_kind}Name"], "Stopped")
        self.answers["list_tags"] = lambda **request: {"Tags": self._job(request["ResourceArn"])["Tags"]}

    def _job(self, arn):
        return next(job for job in self.jobs.values() if arn in job.values())

    def _create(self, kind, request):
        name = request[f"{kind}Name"]
        with self.changed:
            if name in self.jobs:
                raise refusal("ResourceInUse", f"{name} exists already")
            arn = f"arn:aws:sagemaker:{REGION}:123456789012:{kind.lower()}/{name}"
            created = datetime(2026, 1, 1, tzinfo=UTC)
            self.jobs[name] = {**request, f"{kind}Arn": arn, f"{kind}Status": "InProgress", "CreationTime": created}
            self.jobs[name]["kind"] = kind
            if self.instant:
                self.jobs[name][f"{kind}Status"] = self.instant
            self.changed.notify_all()
        return {f"{kind}Arn": arn}

    def end(self, name, status, **more):
        """End a job."""
        with self.changed:
            job = self.jobs[name]
            job.update({f"{job['kind']}Status": status, **more})
            self.changed.notify_all()
        return {}

    def started(self, count=1):
        """Wait until so many jobs were started; give their names."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.jobs) >= count, 10)
            return list(self.jobs)

    def wait(self, kind, name, timeout=None):
        """The service's own way to wait for a job's end."""
        with self.changed:
            ended = self.changed.wait_for(lambda: self.jobs[name][f"{kind}Status"] != "InProgress", timeout)
        return self.jobs[name] if ended else None


class FakeCloud:
    """What the service is handed."""

    account = "123456789012"
    region = REGION

    def __init__(self, directory):
        self.database = Database(directory / "state.sqlite3")
        self.clock = FakeClock()
        self.sagemaker = FakeSageMaker()
        self.services = {"sagemaker": self.sagemaker}
        self.apis = {"sagemaker": self.sagemaker}
        self.asked, self.denied = [], set()
        self.events, self.metrics, self.lines = [], [], []

    @property
    def iam(self):
        return self

    def may_assume(self, role_arn, principal, context=None):
        allowed = "sts:AssumeRole" not in self.denied
        return SimpleNamespace(reason="because it is denied", principal=principal) if allowed else Denied()

    def client(self, service, role_arn=None, *, via=None):
        self.asked.append((service, role_arn, via))
        return self.api(service)

    def api(self, service):
        return self.apis.setdefault(service, FakeApi(service))

    def authorize(self, role_arn, action, resource, context=None):
        if action in self.denied:
            raise AwsError("AccessDenied", f"{role_arn} may not {action}", 403)

    def publish_event(self, event):
        self.events.append(event)

    def put_metric(self, namespace, name, value, unit, dimensions):
        self.metrics.append((namespace, name, value, unit, dict(dimensions)))

    def log(self, group, stream, lines):
        self.lines.extend((group, stream, at, text) for at, text in lines)


class Denied:
    reason = "because it is denied"

    def __bool__(self):
        return False


class States:
    """The service as a test uses it."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.service = StepFunctions(cloud)
        self._names = (f"machine-{number}" for number in itertools.count())

    def call(self, operation, **params):
        return self.service.handle(Call("stepfunctions", operation, params, OWNER, REGION))

    def create(self, definition, **more):
        if not isinstance(definition, str):
            definition = json.dumps({"QueryLanguage": "JSONata", **definition})
        params = {"name": next(self._names), "definition": definition, "roleArn": ROLE, **more}
        return self.call("CreateStateMachine", **params)["stateMachineArn"]

    def start(self, definition, value=None, **more):
        machine = self.create(definition)
        return self.call("StartExecution", stateMachineArn=machine, input=json.dumps(value), **more)["executionArn"]

    def wait(self, execution):
        """Wait for an execution's end; its description, with the output as a value."""
        assert self.service.executions.wait(execution, 120)["status"] != "RUNNING"
        found = self.call("DescribeExecution", executionArn=execution)
        return {**found, "output": json.loads(found["output"])} if "output" in found else found

    def run(self, definition, value=None):
        return self.wait(self.start(definition, value))

    def run_state(self, state, value=None, **others):
        """Run one state named `S`; it ends the machine unless it says how it goes on."""
        if "Next" not in state and state["Type"] not in ("Fail", "Succeed", "Choice"):
            state = {**state, "End": True}
        return self.run({"StartAt": "S", "States": {"S": state, **others}}, value)

    def history(self, execution, **more):
        return self.call("GetExecutionHistory", executionArn=execution, maxResults=1000, **more)["events"]

    def types(self, execution):
        return [event["type"] for event in self.history(execution)]


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_module, "Runtime", lambda **given: Runtime(**given, longest_sleep_seconds=0.002)
    )  # a FakeClock does not wake those who wait
    return FakeCloud(tmp_path)


@pytest.fixture
def states(cloud):
    made = States(cloud)
    yield made
    made.service.stop()


@pytest.fixture(name="refusal")
def refusal_fixture():
    return refusal
