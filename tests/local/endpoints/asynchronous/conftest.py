"""A local cloud with topics and scaling, and roles that may do an asynchronous endpoint's work."""

from __future__ import annotations

import pytest
from async_endpoint import BUCKET
from skewed_clock import SkewedClock

from modelwright.local.cloud import Cloud

SERVICES = {
    "application-autoscaling": "modelwright.local.autoscaling.service:ApplicationAutoScaling",
    "sns": "modelwright.local.messages.topics:Topics",
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WORK = [
    ("Out", ["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/async/*"),
    ("Tell", ["sns:Publish"], "arn:aws:sns:us-east-1:123456789012:*"),
]


@pytest.fixture(scope="module")
def clock():
    return SkewedClock()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, clock, services, prepare):
    made = Cloud(tmp_path_factory.mktemp("cloud"), "us-east-1", services=services | SERVICES, clock=clock)
    made.start()
    prepare(made)
    yield made
    made.stop()


@pytest.fixture
def waiting(hosting, worker_role):
    """A hosting whose role may do an asynchronous endpoint's work."""
    return worker_role(hosting)


@pytest.fixture
def worker_role(hosting_on, grants):
    def make(hosting, without=""):
        role = f"arn:aws:iam::123456789012:role/worker{'-without-' + without if without else ''}"
        statements = [
            {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
            for sid, (actions, resource) in (grants | {sid: (actions, arn) for sid, actions, arn in WORK}).items()
            if sid != without
        ]
        hosting.cloud.iam.put_role(role, TRUST, {"p": {"Version": "2012-10-17", "Statement": statements}})
        return hosting_on(hosting.cloud, role)

    return make


@pytest.fixture
def topics(cloud):
    client = cloud.client("sns")
    return {f"{kind}Topic": client.create_topic(Name=kind.lower())["TopicArn"] for kind in ("Success", "Error")}
