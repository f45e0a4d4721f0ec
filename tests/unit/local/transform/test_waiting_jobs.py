"""What changes while a batch transform job waits for its turn."""

from __future__ import annotations

import pytest

from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.transform.job import TransformRun
from modelwright.local.service import AwsError


class NoModels:
    def get(self, name: str) -> dict:
        raise AwsError("ValidationException", f'Could not find model "{name}".')


class Record:
    kind, name = "TransformJob", "job"

    def describe(self) -> dict:
        return {"ModelName": "gone"}


def test_a_model_that_was_deleted_is_the_clients_error():
    with pytest.raises(ClientProblem, match='Could not find model "gone"'):
        TransformRun(None, NoModels(), Record(), None)
