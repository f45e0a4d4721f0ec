"""Several models behind one endpoint: their container takes one script from S3, and so must reach it."""

from __future__ import annotations

import pytest

from modelwright.workflow.states_model import create_model
from modelwright.workflow.structure import WorkflowStructure
from prepare_run.hosting import hosting


@pytest.mark.parametrize(
    ("endpoint", "directory"),
    [
        ("realtime", "/opt/ml/model/code"),
        ("serverless", "/opt/ml/model/code"),
        ("async", "/opt/ml/model/code"),
        ("multi-model", "{% $plan.run.code.uri %}"),
    ],
)
def test_where_the_container_finds_its_script(endpoint: str, directory: str) -> None:
    container = create_model(WorkflowStructure("penguins", endpoint))["Arguments"]["PrimaryContainer"]
    assert container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] == directory
    assert container.get("Mode", "SingleModel") == ("MultiModel" if endpoint == "multi-model" else "SingleModel")


@pytest.mark.parametrize(("endpoint", "isolated"), [("realtime", True), ("multi-model", False), ("serverless", False)])
def test_a_container_that_fetches_its_script_is_not_isolated(endpoint: str, isolated: bool) -> None:
    settings = {"endpoint": endpoint, "instance": "ml.m5.large", "instance_count": 1}
    settings |= {"serverless": {"memory_gib": 1, "max_concurrency": 1}} if endpoint == "serverless" else {}
    assert hosting(settings, isolated=True, bucket="artifacts", pipeline="penguins")["isolated"] is isolated
