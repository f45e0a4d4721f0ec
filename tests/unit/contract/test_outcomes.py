"""What is said of how a container ended."""

from __future__ import annotations

import pytest

from modelwright.contract import outcomes

TRACEBACK = [
    "starting",
    "Traceback (most recent call last):",
    '  File "/opt/ml/code/train.py", line 3, in <module>',
    "    fit()",
    "sklearn.exceptions.NotFittedError: This model",
    "is not fitted yet.",
    "",
]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (TRACEBACK, "sklearn.exceptions.NotFittedError: This model\nis not fitted yet."),
        (["one", "two", ""], "two"),
        ([], ""),
        (["Traceback (most recent call last):"], "Traceback (most recent call last):"),
        ([*TRACEBACK, "Traceback (most recent call last):", '  File "x"', "KeyError: 'b'"], "KeyError: 'b'"),
    ],
)
def test_the_scripts_own_last_word(output: list[str], said: str) -> None:
    assert outcomes.error_message(output) == said


def test_the_failure_text_has_the_toolkits_form() -> None:
    assert outcomes.script_failure(-9, ["python", "train.py", "--C", "1"], ["bye"]) == (
        'ExecuteUserScriptError:\nExitCode -9\nErrorMessage "bye"\nCommand "python train.py --C 1"'
    )
    assert 'ExtraInfo "OutOfMemory' in outcomes.script_failure(137, ["/bin/sh"], [])


def test_reasons_have_aws_s_prefixes_and_length() -> None:
    assert outcomes.algorithm_error("x" * 5000) == "AlgorithmError: " + "x" * 1024
    assert outcomes.client_error("no data") == "ClientError: no data"
    assert len(outcomes.client_error("x" * 5000)) == 1024
    assert outcomes.processing_failure(3, []) == "AlgorithmError: See job logs for more information, exit code: 3"


def test_an_exit_message_is_the_first_kilobyte_whatever_the_bytes() -> None:
    assert outcomes.exit_message(b"m" * 2000) == "m" * 1024
    assert outcomes.exit_message(b"\xff") == "\ufffd"
