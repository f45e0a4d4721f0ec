"""What other ways to host ask of an account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelwright.client.doctor.images import images
from modelwright.client.doctor.quotas import needs
from modelwright.config import PipelineSettings, load_project
from modelwright.config.hosting import Autoscaling, Serverless, Variant

SCALING = Autoscaling(1, 6, 100, None, 300, 60)


@pytest.fixture(scope="module")
def penguins() -> PipelineSettings:
    return load_project(Path(__file__).resolve().parents[4], "dev").pipeline("penguins")


def test_each_variant_s_machines_count_and_as_many_as_it_may_scale_to(penguins: PipelineSettings) -> None:
    fleets = (Variant("One", 1, "ml.m5.large", 2), Variant("Two", 1, "ml.c5.large", 3))
    deploy = replace(penguins.deploy, variants=fleets)
    found = {need.quota: need.least for need in needs({"p": replace(penguins, deploy=deploy)})}
    assert found["ml.m5.large for endpoint usage"] == 2
    assert found["ml.c5.large for endpoint usage"] == 3
    scaled = replace(deploy, variants=fleets[:1], autoscaling=SCALING)
    found = {need.quota: need.least for need in needs({"p": replace(penguins, deploy=scaled)})}
    assert found["ml.m5.large for endpoint usage"] == 6


def test_a_serverless_endpoint_needs_an_image_and_no_machine(penguins: PipelineSettings) -> None:
    size = {"instance": None, "instance_count": None, "variants": (), "serverless": Serverless(2, 10)}
    small = replace(penguins, deploy=replace(penguins.deploy, endpoint="serverless", **size))
    assert not [need for need in needs({"p": small}) if "endpoint" in need.quota]
    assert len(images(small, "eu-central-1")) == len(images(penguins, "eu-central-1"))
