"""`modelwright doctor` as it is printed, of this machine and of an account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fake_account import FakeAccount, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Say


def test_doctor_counts_and_fails(say: Say, account: FakeAccount, deployable: Path) -> None:
    code, out, _ = say("doctor", "--aws")
    assert (code, out.splitlines()[-1].split(", ")[1:]) == (0, ["0 warnings", "0 failures"])
    account.answers["ssm:GetParameter"] = Refusal("ParameterNotFound")
    code, out, _ = say("doctor", "--aws")
    assert (code, out.splitlines()[-1].split(", ")[1:]) == (1, ["0 warnings", "1 failure"])
    assert "\n         `python -m modelwright.client.cdk bootstrap aws://111122223333/eu-central-1` does that" in out


def test_doctor_of_this_machine(say: Say, deployable: Path) -> None:
    code, out, _ = say("doctor")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if not line.startswith(" ")][:4] == [
        "python:",
        "disk:",
        "node:",
        "cdk:",
    ]
    (deployable / "training_code/penguins/pipeline.yaml").write_text("description: x\n")
    code, out, _ = say("doctor")
    assert code == 1
    assert "FAILURE  settings: " in out


def test_doctor_prints_the_policy_of_the_environments_callers(say: Say, deployable: Path) -> None:
    code, out, _ = say("doctor", "--policy", "run")
    assert code == 0
    resources = [text for item in json.loads(out)["Statement"] for text in item["Resource"]]
    assert "arn:aws:states:eu-central-1:ACCOUNT:stateMachine:mw-dev-penguins" in resources
