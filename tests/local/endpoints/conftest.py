"""A real local cloud with SageMaker in it, and model archives whose model is one number: no ML library is needed."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from archives import tar_gz
from sagemaker_role import IMAGE, LOG_IN, REPOSITORY, TRUST, Grants, log_to, put_granted

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BUCKET = "models"
ROLE = "arn:aws:iam::123456789012:role/hosting"
OWN_REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/mw-dev-serving"
GRANTS: Grants = {
    "Read": (["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*"),
    # without it S3 does not tell a missing archive from a secret one
    "List": (["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}"),
    **LOG_IN,
    "Image": (["ecr:BatchGetImage"], [REPOSITORY, OWN_REPOSITORY]),
    "Layers": (["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"], [REPOSITORY, OWN_REPOSITORY]),
    **log_to("/aws/sagemaker/Endpoints/*"),
    "Alarms": (["cloudwatch:DescribeAlarms"], "*"),
    "Capture": (["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/captured/*"),
}
SERVICES = {
    "ecr": "modelwright.local.ecr:Registry",
    "logs": "modelwright.local.logs:Logs",
    "cloudwatch": "modelwright.local.monitoring.service:CloudWatch",
    "events": "modelwright.local.events.service:Events",
    "sagemaker": "modelwright.local.sagemaker.service:SageMaker",
    "sagemaker-runtime": "modelwright.local.sagemaker.runtime:SageMakerRuntime",
}
SCRIPT = """
import json, os, pathlib

def model_fn(model_dir):
    return float(pathlib.Path(model_dir, "model.txt").read_text())

def predict_fn(data, model):
    if float(data.max()) > 1000:
        os._exit(9)
    return [float(row.sum()) * model for row in data]
"""
ONE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
# each cloud of a process clears what moto keeps of S3: one for a session would lose its bucket to the next module's
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"), "us-east-1", services=SERVICES)
    made.start()
    prepare(made)
    yield made
    made.stop()


def prepare(cloud: Cloud) -> None:
    """What a deploy makes at each start."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    put_role(cloud)


def put_role(cloud: Cloud, *, without: str = "", arn: str = ROLE, trust: Mapping[str, Any] = TRUST) -> str:
    return put_granted(cloud, arn, GRANTS, without=without, trust=trust)


@dataclass(frozen=True)
class Hosting:
    """The calls of a deployment, with names of their own for each test."""

    cloud: Cloud
    role: str = ROLE
    image: str = IMAGE
    script: str = SCRIPT

    @property
    def client(self) -> Any:
        return self.cloud.client("sagemaker")

    def upload(self, body: bytes) -> str:
        key = f"{next(NUMBERS)}/model.tar.gz"
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def model(self, body: bytes | None = None, *, factor: float = 1.0, script: str = SCRIPT, **container: Any) -> str:
        """Make a model of an archive's bytes, else of a script whose model is a number; returns its name."""
        name = f"model-{next(NUMBERS)}"
        data = tar_gz({"model.txt": str(factor), "code/inference.py": script}) if body is None else body
        container = {"Image": IMAGE, "ModelDataUrl": self.upload(data), **container}
        self.client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.role)
        return name

    def own_image(self) -> str:
        """Push an image of our own server to the environment's repository; returns its URI."""
        repository, tag = "mw-dev-serving", "serve-0123456789abcdef"
        registry: Any = self.cloud.services["ecr"]
        registry.put_repository(repository, immutable=True)
        if not registry.has(repository, tag):
            registry.put_image(repository, tag)
        return f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}:{tag}"

    def config(self, *models: str, count: int = 1, weights: tuple[float, ...] = ()) -> str:
        """Make a configuration with one variant a model (`v0`, `v1` …); returns its name."""
        name = f"config-{next(NUMBERS)}"
        variants = [
            {
                "VariantName": f"v{number}",
                "ModelName": model,
                "InstanceType": "ml.t2.medium",
                "InitialInstanceCount": count,
                "InitialVariantWeight": weights[number] if weights else 1.0,
            }
            for number, model in enumerate(models)
        ]
        self.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        return name

    def variants(self, *variants: Mapping[str, Any], **more: Any) -> str:
        """Make a configuration of these production variants (`v0`, on one instance, but for what they say)."""
        name = f"config-{next(NUMBERS)}"
        made = [variant if "ServerlessConfig" in variant else {**ONE, **variant} for variant in variants]
        named = [{"VariantName": f"v{number}", **each} for number, each in enumerate(made)]
        self.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=named, **more)
        return name

    def served(self, config: str) -> str:
        """Make an endpoint of a configuration that serves; returns its name."""
        name = self.endpoint(config)
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found.get("FailureReason")
        return name

    def total(self, name: str, metric: str, variant: str = "v0", namespace: str = "AWS/SageMaker") -> float:
        """The sum of a variant's metric, with all that was asked recorded."""
        return sum(point["Sum"] for point in self.points(name, metric, variant, namespace))

    def points(self, name: str, metric: str, variant: str = "v0", namespace: str = "AWS/SageMaker") -> list[Any]:
        """A variant's metric by minutes."""
        self.cloud.services["sagemaker-runtime"].flush()  # type: ignore[attr-defined]
        now = self.cloud.clock.time()
        found = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}],
            StartTime=now - 3600,
            EndTime=now + 3600,
            Period=60,
            Statistics=["Sum", "SampleCount", "Maximum"],
        )
        points: list[Any] = found["Datapoints"]
        return points

    def endpoint(self, config: str, **more: Any) -> str:
        """Ask for an endpoint; returns its name."""
        name = f"endpoint-{next(NUMBERS)}"
        self.client.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """Wait until nothing is under way; returns the description."""
        found = self.cloud.services["sagemaker"].wait("Endpoint", name, 120)  # type: ignore[attr-defined]
        assert found is not None, f"{name} was still busy after two minutes"
        return found

    def in_service(self, *, factor: float = 1.0, **more: Any) -> str:
        """Make an endpoint that serves; returns its name."""
        name = self.endpoint(self.config(self.model(factor=factor, **more)))
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found.get("FailureReason")
        return name

    def ask(self, name: str, body: bytes | str = "1,2\n", **more: Any) -> Any:
        """Invoke the endpoint; returns the JSON answer."""
        arguments = {"ContentType": "text/csv", "Accept": "application/json", **more}
        client = self.cloud.client("sagemaker-runtime")
        return json.loads(client.invoke_endpoint(EndpointName=name, Body=body, **arguments)["Body"].read())

    def log(self, name: str) -> str:
        """Everything in the endpoint's log group."""
        client = self.cloud.client("logs")
        events = client.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["events"]
        return "\n".join(event["message"] for event in events)


@pytest.fixture
def hosting(cloud: Cloud) -> Hosting:
    return Hosting(cloud)


@pytest.fixture
def role_without(cloud: Cloud) -> Callable[[str], Hosting]:
    """A hosting whose models have a role that lacks one grant."""

    def make(sid: str) -> Hosting:
        return Hosting(cloud, put_role(cloud, without=sid, arn=f"{ROLE}-{next(NUMBERS)}"))

    return make


@pytest.fixture(name="archive", scope="session")
def _archive() -> Callable[[Mapping[str, str | bytes]], bytes]:
    return tar_gz


@pytest.fixture(name="put_role")
def _put_role() -> Callable[..., str]:
    return put_role


@pytest.fixture(scope="session")
def services() -> Mapping[str, str]:
    return SERVICES


@pytest.fixture(name="prepare", scope="session")
def _prepare() -> Callable[[Cloud], None]:
    return prepare


@pytest.fixture(scope="session")
def hosting_on() -> Callable[[Cloud], Hosting]:
    return Hosting


@pytest.fixture(scope="session")
def grants() -> Mapping[str, tuple[list[str], str]]:
    """What a hosting role is granted."""
    return GRANTS
