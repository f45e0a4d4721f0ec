"""`RemoveOldModels`: which models and configurations go."""

from __future__ import annotations

import pytest
from fake_sagemaker import FakeSageMaker, endpoint

import remove_old_models.handler as remove

pytestmark = pytest.mark.usefixtures("aws")


def test_models_of_another_environment_stay(sagemaker: FakeSageMaker) -> None:
    """In the same account, `prod` has a pipeline of this name, too, and this environment has others."""
    sagemaker.endpoint = endpoint("InService", "dev-penguins-000000000009-00")
    theirs = ["prod-penguins-00000000000f-00", "dev-penguins-2-00000000000f-00", "dev-penguins-handmade"]
    names = ["dev-penguins-000000000001-00", *theirs, "dev-penguins-000000000002-00"]
    sagemaker.models = [
        {"ModelName": name, "EndpointConfigName": name, "CreationTime": index} for index, name in enumerate(names)
    ]

    found = remove.handler({"keep": 0}, None)
    assert found["models"] == ["dev-penguins-000000000001-00", "dev-penguins-000000000002-00"]
    assert [call.split()[1] for call in sagemaker.calls] == [*found["endpointConfigs"], *found["models"]]


def test_old_models_go_and_one_that_cannot_is_said(sagemaker: FakeSageMaker) -> None:
    sagemaker.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "dev-penguins-000000000009-00"}
    sagemaker.models = [
        {"ModelName": name, "EndpointConfigName": name, "CreationTime": index}
        for index, name in enumerate(f"dev-penguins-{index:012x}-00" for index in range(10))
    ]
    sagemaker.undeletable = "dev-penguins-000000000001-00"

    found = remove.handler({"keep": 7}, None)

    assert found["models"] == ["dev-penguins-000000000000-00", "dev-penguins-000000000001-00"]
    assert sagemaker.calls == ["config dev-penguins-000000000000-00", "model dev-penguins-000000000000-00"]
    assert len(found["left"]) == 2
    assert found["left"][0].startswith("dev-penguins-000000000001-00: ")
