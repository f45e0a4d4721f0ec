"""Several models behind one endpoint: their container takes one script from S3, and so must reach it."""

from __future__ import annotations

import json

import pytest
from workflow_answers import EVENT, Answers, manifest, ready_plan, substituted
from workflow_walk import Walk

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure
from prepare_run.hosting import hosting


@pytest.mark.parametrize("endpoint", ["realtime", "serverless", "async", "multi-model"])
def test_where_the_container_finds_its_script(endpoint: str) -> None:
    structure = WorkflowStructure("penguins", endpoint)
    changes = {"endpoint": endpoint, "async": {"concurrent_per_instance": 1}}
    changes |= {"serverless": {"memory_gib": 1, "max_concurrency": 1}} if endpoint == "serverless" else {}
    plan = {"Payload": ready_plan(deploy={**manifest()["deploy"], **changes})}
    done = Walk(json.loads(substituted(json.dumps(definition(structure)))), Answers(PrepareRun=plan), EVENT).run()
    container = next(given for name, given in done.asked if name == "CreateModel")["PrimaryContainer"]
    several = endpoint == "multi-model"
    wanted = ready_plan()["run"]["code"]["uri"] if several else "/opt/ml/model/code"
    assert container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] == wanted
    assert container["Environment"].get("SAGEMAKER_REGION", "") == ("eu-west-1" if several else "")
    assert container.get("Mode", "SingleModel") == ("MultiModel" if several else "SingleModel")
    # each of several archives has a hash of its own
    assert ("MODELWRIGHT_MODEL_SHA256" in container["Environment"]) is not several


@pytest.mark.parametrize(("endpoint", "isolated"), [("realtime", True), ("multi-model", False), ("serverless", False)])
def test_a_container_that_fetches_its_script_is_not_isolated(endpoint: str, isolated: bool) -> None:
    settings = {"endpoint": endpoint, "instance": "ml.m5.large", "instance_count": 1}
    settings |= {"serverless": {"memory_gib": 1, "max_concurrency": 1}} if endpoint == "serverless" else {}
    assert hosting(settings, isolated=True, bucket="artifacts", pipeline="penguins")["isolated"] is isolated
