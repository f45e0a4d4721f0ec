"""`SmokeTest`: the deployed model answers, or its own words say why not."""

from __future__ import annotations

import base64

import pytest
from botocore.exceptions import ClientError
from fake_sagemaker import FakeSageMaker, FakeTime
from handler_ground import publish
from workflow_answers import manifest

import shared.clients
import smoke_test.handler as smoke
from modelwright.workflow.functions_hosting import SMOKE_TEST
from smoke_test.domain import SmokeTestFailed

pytestmark = pytest.mark.usefixtures("aws")


def smoke_release(body: bytes) -> str:
    test = {
        "body_base64": base64.b64encode(body).decode(),
        "content_type": "text/csv",
        "accept": "application/json",
    }
    return publish(deploy={**manifest()["deploy"], "smoke_test": test})


def test_a_slow_model_has_the_time_that_sagemaker_gives_it() -> None:
    """60 s to answer; the last call that may begin ends within the function's own time."""
    config = shared.clients.client("sagemaker-runtime").meta.config
    assert config.read_timeout > 60
    assert config.retries["total_max_attempts"] == 1, "the handler asks again, by the clock"
    assert smoke.CALLS_SECONDS + config.connect_timeout + config.read_timeout < SMOKE_TEST.timeout_seconds
    assert SMOKE_TEST.timeout_seconds > smoke.QUEUE_SECONDS + 30


def test_an_endpoint_that_answers_passes_the_smoke_test(sagemaker: FakeSageMaker) -> None:
    found = smoke.handler({"release": smoke_release(b"Adelie,1\n")}, None)
    assert found == {"rows": 1, "predictions": 1, "contentType": "application/json"}


def test_a_model_that_is_still_loaded_is_asked_again(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of several, or a serverless one: no word about what it answers."""
    release, time = smoke_release(b"Adelie,1\n"), FakeTime(sagemaker)
    monkeypatch.setattr(smoke, "time", time)
    sagemaker.loading = 5
    assert smoke.handler({"release": release}, None)["predictions"] == 1
    assert time.slept > 0
    sagemaker.loading = 10_000
    began = time.monotonic()
    with pytest.raises(
        SmokeTestFailed, match=r"the model could not be asked within 120 seconds: ModelNotReadyException"
    ):
        smoke.handler({"release": release}, None)
    assert smoke.READY_SECONDS * 0.9 < time.monotonic() - began <= smoke.READY_SECONDS


def test_what_the_calls_take_counts(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says slowly that it is not ready ends the test before the function's own time does."""
    release, time = smoke_release(b"Adelie,1\n"), FakeTime(sagemaker)
    monkeypatch.setattr(smoke, "time", time)
    sagemaker.loading, sagemaker.answers_after = 10_000, 50.0
    began = time.monotonic()
    with pytest.raises(SmokeTestFailed, match="the model could not be asked within 120 seconds"):
        smoke.handler({"release": release}, None)
    assert time.monotonic() - began < smoke.READY_SECONDS + 50


def test_several_models_share_the_functions_time(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be slow; those that there is no time for are named."""
    release, time = smoke_release(b"Adelie,1\n"), FakeTime(sagemaker)
    monkeypatch.setattr(smoke, "time", time)
    sagemaker.answers_after = 55.0
    with pytest.raises(SmokeTestFailed, match=r"no time was left to ask the models d, e: .* 150 seconds"):
        smoke.handler({"release": release, "models": ["a", "b", "c", "d", "e"]}, None)
    assert sagemaker.asked == ["a.tar.gz", "b.tar.gz", "c.tar.gz"]
    sagemaker.answers_after = 20.0
    assert smoke.handler({"release": release, "models": ["a", "b", "c", "d", "e"]}, None)["predictions"] == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailable", "InternalDependencyException"])
def test_what_passes_is_asked_again(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    release = smoke_release(b"Adelie,1\n")
    monkeypatch.setattr(smoke, "time", FakeTime(sagemaker))
    sagemaker.loading, sagemaker.refusal = 3, code
    assert smoke.handler({"release": release}, None)["predictions"] == 1


def test_a_refusal_that_stays_is_the_functions_own_error(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = smoke_release(b"Adelie,1\n")
    monkeypatch.setattr(smoke, "time", FakeTime(sagemaker))
    sagemaker.loading, sagemaker.refusal = 1, "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        smoke.handler({"release": release}, None)


def test_a_model_that_raises_fails_the_smoke_test_with_its_own_words(sagemaker: FakeSageMaker) -> None:
    with pytest.raises(SmokeTestFailed, match="the model answered 500: KeyError: 'mass'"):
        smoke.handler({"release": smoke_release(b"bad\n")}, None)
