"""A cloud with a real database, a clock that stands still, and clients that reach the services directly."""

from collections import defaultdict
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from modelwright.clock import FakeClock
from modelwright.local.service import AwsError, Call, Caller
from modelwright.local.store.database import Database

OWNER = Caller("owner", "arn:aws:iam::123456789012:user/owner")


class DirectClient:
    """boto3's shape over a service, without HTTP."""

    def __init__(self, service):
        self._service = service

    def __getattr__(self, name):
        operation = "".join(part.capitalize() for part in name.split("_"))
        service = self._service

        def call(**params):
            try:
                return service.handle(Call(service.name, operation, params, OWNER, "eu-west-1"))
            except AwsError as error:
                response = {
                    "Error": {"Code": error.code, "Message": error.message},
                    "ResponseMetadata": {"HTTPStatusCode": error.status},
                }
                raise ClientError(response, operation) from None

        return call


class FakePolicies:
    """Allows all but what a test denies."""

    def __init__(self):
        self.denied = set()
        self.asked = []

    def authorize_service(self, principal, action, resource, context=None):
        self.asked.append((principal, action, resource))
        if action in self.denied:
            raise AwsError("AccessDenied", f"{principal} is not authorized to perform: {action}", 403)

    def has_policy(self, action, resource):
        return True

    def authorize_key(self, principal, resource, context=None):
        self.authorize_service(principal, "kms:GenerateDataKey", resource, context)

    def may_assume(self, role_arn, principal, context=None):
        self.asked.append((principal, "sts:AssumeRole", role_arn))
        return True


class FakeMachines:
    """Takes executions, or fails as it is told."""

    name = "stepfunctions"

    def __init__(self):
        self.started, self.errors = [], []

    def handle(self, call):
        if self.errors:
            raise self.errors.pop(0)
        self.started.append(call.params)
        return {}


@pytest.fixture
def cloud(tmp_path):
    database = Database(tmp_path / "state.sqlite3")
    made = SimpleNamespace(
        account="123456789012",
        region="eu-west-1",
        endpoint_url="http://127.0.0.1:1",
        database=database,
        clock=FakeClock(),
        iam=FakePolicies(),
        services={"stepfunctions": FakeMachines()},
        metrics=defaultdict(float),
        logged=[],
    )
    made.client = lambda service, role_arn=None, via=None: DirectClient(made.services[service])
    made.put_metric = lambda namespace, name, value, unit, dimensions: made.metrics.__setitem__(
        (namespace, name), made.metrics[namespace, name] + value
    )
    yield made
    for service in made.services.values():
        if hasattr(service, "stop"):
            service.stop()
    database.close()


@pytest.fixture
def add(cloud):
    """Make a service of the cloud."""

    def make(kind):
        service = kind(cloud)
        cloud.services[service.name] = service
        return service

    return make
