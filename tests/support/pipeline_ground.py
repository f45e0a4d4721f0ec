"""What a pipeline finds in a local cloud inside this process, and how that is brought about for a test."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import find_deployment
from modelwright.client.session import Endpoint, Session
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud

REGION = "eu-central-1"


class Inline:
    """An executor that has no threads: what is submitted is done when `submit` returns."""

    def submit(self, function: Callable[..., object], *arguments: object) -> None:
        """Do it."""
        function(*arguments)

    def shutdown(self, **_: object) -> None:
        """Nothing is left."""


class Ground:
    """One local cloud with the pipeline deployed."""

    releases: dict[str, str]

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        owner = cloud.callers.owner
        self.session = Session(REGION, lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
        self.deployment = find_deployment(self.session, "dev", "penguins")
        self.topics: Any = cloud.services["sns"]
        self.queues: Any = cloud.services["sqs"]
        self.events: Any = cloud.services["events"]
        self.events._pool = Inline()

    def client(self, service: str) -> Any:
        """The owner's client, who is not restricted."""
        return self.cloud.client(service)

    def config(self) -> str:
        """The configuration that the endpoint has; empty without an endpoint."""
        name = self.deployment.endpoint_name
        found = self.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
        if name not in {each["EndpointName"] for each in found}:
            return ""
        return str(self.client("sagemaker").describe_endpoint(EndpointName=name).get("EndpointConfigName", ""))

    def resource(self, logical_id: str) -> Any:
        """A deployed resource's properties and its physical id."""
        formation: Any = self.cloud.services["cloudformation"]
        found = (stack.resources[logical_id] for stack in formation._stacks.values() if logical_id in stack.resources)
        return next(found)

    def physical(self, logical_id: str) -> str:
        """A resource's physical id."""
        return str(self.resource(logical_id)[1].id)

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        return str(self.resource(logical_id)[1].attributes["Arn"])

    def hosting_image(self) -> str:
        """The image that models are served by."""
        body = self.client("s3").get_object(
            Bucket=self.deployment.artifact_bucket, Key=f"releases/penguins/{self.releases['good']}.json"
        )["Body"]
        return str(json.loads(body.read())["deploy"]["image"])

    def subscribed_queue(self) -> str:
        """The ARN of a queue under the environment's key that is subscribed to the topic."""
        queue = self.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{self.cloud.account}:subscriber"
        self.cloud.iam.put_resource_key(arn, self.deployment.key_arn)
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        self.cloud.iam.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]})
        self.client("sns").subscribe(TopicArn=self.deployment.topic_arn, Protocol="sqs", Endpoint=arn)
        assert queue
        return arn

    # what there is before a run

    def point(self, key: str, release: str) -> None:
        """Let a pointer in the artifact bucket name a release."""
        body = json.dumps({"release": release}).encode()
        self.client("s3").put_object(Bucket=self.deployment.artifact_bucket, Key=key, Body=body)

    def leave_an_old_model(self) -> None:
        """Leave a model and a configuration of a run of long ago, made like those that serve."""
        run = uuid.uuid4().hex[:12]
        client, name = self.client("sagemaker"), f"dev-penguins-{run}-00"
        config = client.describe_endpoint_config(EndpointConfigName=self.config())
        (variant,) = config["ProductionVariants"]
        model = client.describe_model(ModelName=variant["ModelName"])
        client.create_model(
            ModelName=name, ExecutionRoleArn=model["ExecutionRoleArn"], PrimaryContainer=model["PrimaryContainer"]
        )
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**variant, "ModelName": name}])

    def put_lease(self, execution: str, fence: int) -> None:
        """Give the endpoint's lease to an execution, for ever."""
        key = {"pk": {"S": f"ENDPOINT#{self.deployment.endpoint_name}"}, "sk": {"S": "LEASE"}}
        values = {"execution": {"S": execution}, "fence": {"N": str(fence)}}
        item = {**key, **values, "expires_at_epoch_seconds": {"N": "9999999999"}}
        self.client("dynamodb").put_item(TableName=self.deployment.table, Item=item)

    def serves_well(self) -> bool:
        """Whether there is an endpoint, in service."""
        if not self.config():
            return False
        self.settled()
        found = self.client("sagemaker").list_endpoints(StatusEquals="InService")["Endpoints"]
        return self.deployment.endpoint_name in {each["EndpointName"] for each in found}

    def break_endpoint(self) -> None:
        """Make an endpoint of an archive that is gone: it is Failed."""
        bucket, key, client = (
            self.deployment.artifact_bucket,
            "models/penguins/gone/model.tar.gz",
            self.client("sagemaker"),
        )
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
        container = {"Image": self.hosting_image(), "ModelDataUrl": f"s3://{bucket}/{key}"}
        client.create_model(ModelName="gone", ExecutionRoleArn=self.arn("HostingRole"), PrimaryContainer=container)
        self.client("s3").delete_object(Bucket=bucket, Key=key)
        variant = {"VariantName": "all", "ModelName": "gone", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
        client.create_endpoint_config(EndpointConfigName="gone", ProductionVariants=[variant])
        client.create_endpoint(EndpointName=self.deployment.endpoint_name, EndpointConfigName="gone")
        self.settled()
        found = client.describe_endpoint(EndpointName=self.deployment.endpoint_name)
        assert found["EndpointStatus"] == "Failed", found

    def absent(self) -> None:
        """See that there is no endpoint."""
        name = self.deployment.endpoint_name
        if self.config():
            self.settled()
            self.client("sagemaker").delete_endpoint(EndpointName=name)
            self.settled()
        assert not self.config()

    def settled(self) -> None:
        """Wait until nothing happens to the endpoint."""
        sagemaker: Any = self.cloud.services["sagemaker"]
        with suppress(AwsError):  # it is gone
            sagemaker.wait("Endpoint", self.deployment.endpoint_name, 60)

    def free(self) -> None:
        """Take the lease from whoever died with it, and forget the champion: runs of the past do not matter."""
        for pk, sk in (
            (f"ENDPOINT#{self.deployment.endpoint_name}", "LEASE"),
            (f"PIPELINE#{self.deployment.pipeline}", "CHAMPION"),
        ):
            self.client("dynamodb").delete_item(TableName=self.deployment.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def tidy(self) -> None:
        """See that there is no model and no configuration but what serves."""
        client, config = self.client("sagemaker"), self.config()
        for each in client.list_endpoint_configs()["EndpointConfigs"]:
            if each["EndpointConfigName"] != config:
                client.delete_endpoint_config(EndpointConfigName=each["EndpointConfigName"])
        kept = set()
        if config:
            variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
            kept = {variant["ModelName"] for variant in variants}
        for each in client.list_models()["Models"]:
            if each["ModelName"] not in kept:
                client.delete_model(ModelName=each["ModelName"])
