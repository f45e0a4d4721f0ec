"""`modelwright predict` where nothing answers: what is printed, and how the model is asked otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_account import FakeAccount, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Say

GONE = Refusal("ValidationError", "Endpoint mw-dev-penguins of account 111122223333 not found.")


def kind(deployable: Path, deploy: str) -> None:
    """Give the pipeline another `deploy`."""
    path = deployable / "training_code" / "penguins" / "pipeline.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("deploy:")]
    path.write_text("\n".join([*kept, f"deploy: {deploy}\n"]))


def test_a_pipeline_without_an_endpoint_says_what_asks_its_model(
    say: Say, account: FakeAccount, deployable: Path
) -> None:
    kind(deployable, "{endpoint: none}")
    account.answers["sagemaker-runtime:InvokeEndpoint"] = GONE
    assert say("predict", "penguins", "--row", "{}", "--aws") == (
        2,
        "",
        (
            "error: penguins has deploy.endpoint: none, so nothing waits for requests.\n"
            "`modelwright batch penguins --input FILE --aws` asks its model about whole files, "
            "`modelwright export penguins --to onnx --aws` takes it elsewhere.\n"
        ),
    )


def test_one_that_is_only_not_deployed_is_told_so(say: Say, account: FakeAccount, deployable: Path) -> None:
    account.answers["sagemaker-runtime:InvokeEndpoint"] = GONE
    code, out, err = say("predict", "penguins", "--row", "{}", "--aws")
    assert (code, out) == (1, "")
    assert "deploy.endpoint: none" not in err
    assert "modelwright run penguins --aws" in err


@pytest.mark.parametrize("asked", [("--model", "a")])
def test_several_arguments_for_one_model(say: Say, deployable: Path, asked: tuple[str, ...]) -> None:
    kind(deployable, "{endpoint: async, instance: ml.m5.large, smoke_test: data/smoke.csv}")
    said = "error: --model a: penguins has one model behind its asynchronous endpoint."
    assert say("predict", "penguins", "--row", "{}", *asked)[2].startswith(said)
