"""Two lists of the fields that Step Functions' SageMaker integrations take: what one knows the other knows."""

import json
from pathlib import Path

import pytest

from modelwright.local.stepfunctions.sagemaker_fields import FIELDS, JOBS

DOCUMENTED = json.loads((Path(__file__).parent / "optimized_integration_fields.json").read_text())
BEYOND = {"createTrainingJob": {"CheckpointConfig", "EnableManagedSpotTraining"}}  # the issues in sagemaker_fields.py


@pytest.mark.parametrize("call", [name for name in DOCUMENTED if name])
def test_the_local_cloud_takes_exactly_what_is_documented(call):
    documented = {*DOCUMENTED[call]["page"], *DOCUMENTED[call]["cdk"]}
    assert set(FIELDS[call]) == documented | BEYOND.get(call, set())


def test_each_job_names_itself_and_can_be_waited_for():
    assert all(f"{kind}Name" in FIELDS[call] for call, kind in JOBS.items())
