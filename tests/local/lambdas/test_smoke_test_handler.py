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
    """60 s to answer; all attempts together fit into the function's own time."""
    config = shared.clients.client("sagemaker-runtime").meta.config
    assert config.read_timeout > 60
    assert config.retries["total_max_attempts"] * config.read_timeout < SMOKE_TEST.timeout_seconds


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
    with pytest.raises(ClientError, match="ModelNotReadyException"):
        smoke.handler({"release": release}, None)
    assert time.slept < 2 * smoke.READY_SECONDS


def test_a_model_that_raises_fails_the_smoke_test_with_its_own_words(sagemaker: FakeSageMaker) -> None:
    with pytest.raises(SmokeTestFailed, match="the model answered 500: KeyError: 'mass'"):
        smoke.handler({"release": smoke_release(b"bad\n")}, None)
