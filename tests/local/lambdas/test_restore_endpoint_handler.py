"""`RestoreEndpoint`: what served before serves again, and the package says why."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fake_sagemaker import FakeSageMaker, FakeTime, endpoint
from handler_ground import ONE, OTHER, promotion, take

import promote_model.handler as promote
import restore_endpoint.handler as restore

pytestmark = pytest.mark.usefixtures("aws")


def restoring(fence: int, previous: str) -> dict[str, Any]:
    cause = json.dumps({"errorMessage": "the model\nanswered 500", "errorType": "SmokeTestFailed"})
    failure = {"state": "SmokeTest", "error": "SmokeTestFailed", "cause": cause}
    return {
        "execution": ONE,
        "fence": fence,
        "previous_config": previous,
        "package_arn": "arn:1",
        "failure": failure,
        "polls": 0,
        "tags": [{"Key": "team", "Value": "ml"}],
    }


def test_the_old_configuration_is_put_back_step_by_step(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    changes = endpoint("Updating", "new"), endpoint("InService", "old")
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, *changes))

    assert restore.handler(event, None) == {"status": "serves old as before"}
    assert sagemaker.calls == ["update old"]


def test_what_scales_already_is_put_back_without_its_scaling_which_comes_last(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new model may scale on other machines: SageMaker refuses to change those of a variant that does."""
    calls = sagemaker.calls
    scaling = SimpleNamespace(
        remove_target=lambda _, variant: calls.append(f"deregister {variant}"),
        set_target=lambda _, target: calls.append(f"register {target['variant']}"),
        remove_alarm=lambda _: calls.append("no alarm"),
    )
    monkeypatch.setattr(restore, "scaling", scaling)
    variants = {"ProductionVariants": [{"VariantName": "AllTraffic"}]}
    sagemaker.endpoint = {**endpoint("InService", "new"), **variants}  # type: ignore[dict-item]
    changes = endpoint("Updating", "new"), {**endpoint("InService", "old"), **variants}
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, *changes))
    target = {"variant": "AllTraffic", "min": 1, "max": 2, "policies": []}
    found = {"scaling": {"found": True, "targets": [target], "retained": {}}}

    restore.handler(restoring(take(ONE, "a" * 12)["fence"], "old") | found, None)
    assert calls == ["deregister AllTraffic", "update old", "register AllTraffic", "no alarm"]


def test_restoring_that_takes_long_goes_on_in_the_next_invocation(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    time = FakeTime(sagemaker, endpoint("Updating", "new"))
    monkeypatch.setattr(restore, "time", time)

    assert restore.handler(event, None) == {"status": "waiting"}
    assert 8 < time.slept <= restore.RESTORE_SECONDS
    assert sagemaker.calls == ["update old"]


def test_an_endpoint_that_is_gone_is_made_again_with_its_tags(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    sagemaker.endpoint = None
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("InService", "old")))

    assert restore.handler(event, None) == {"status": "serves old as before"}
    assert sagemaker.calls == ["create old [{'Key': 'team', 'Value': 'ml'}]"]


def test_a_first_deployment_is_deleted(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "")
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("Deleting", "new"), None))

    assert restore.handler(event, None) == {"status": "deleted: nothing served before"}
    assert sagemaker.calls == ["delete"]


def test_an_endpoint_whose_lease_is_another_run_s_is_left_alone(sagemaker: FakeSageMaker) -> None:
    take(OTHER, "b" * 12)
    found = restore.handler(restoring(1, "old"), None)

    assert found == {"status": "left alone: another run holds its lease"}
    assert sagemaker.calls == []


def test_a_package_that_was_not_deployed_is_rejected_once_with_the_reason(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "new")
    restore.handler(event, None)
    assert sagemaker.packages == {"arn:1": "Rejected"}
    assert sagemaker.reasons["arn:1"] == "not deployed: SmokeTest: SmokeTestFailed: the model answered 500"

    sagemaker.packages.clear()
    restore.handler({**event, "polls": 1}, None)
    assert sagemaker.packages == {}


def test_a_registry_that_refuses_does_not_keep_the_old_model_from_serving(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateModelPackage")

    monkeypatch.setattr(sagemaker, "update_model_package", refuse)
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("InService", "old")))
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    assert restore.handler(event, None) == {"status": "serves old as before"}


def test_a_model_that_was_promoted_before_the_failure_stays(sagemaker: FakeSageMaker) -> None:
    """The transaction went through and its answer was lost: pointer and endpoint have to agree."""
    fence = take(ONE, "a" * 12)["fence"]
    promote.handler(promotion(ONE, "a" * 12, fence), None)
    sagemaker.packages.clear()

    found = restore.handler(restoring(fence, "old"), None)
    assert found == {"status": "left alone: this run's model was promoted before the failure"}
    assert sagemaker.calls == []
    assert sagemaker.packages == {}
