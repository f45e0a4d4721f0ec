"""What a container's end says about its job: failure file, FailureReason, ExitMessage.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILURE_CHARACTERS = 1024
MESSAGE_BYTES = 1024
_KILLED_IN_A_SHELL = 137
_TRACEBACK = "Traceback (most recent call last):"


def script_failure(exit_code: int, command: Sequence[str], output: Sequence[str]) -> str:
    """Return the text that the toolkit leaves in `output/failure`; `output` is the script's last lines."""
    return _failure("ExecuteUserScriptError", exit_code, command, error_message(output))


def requirements_failure(exit_code: int, command: Sequence[str], output: Sequence[str]) -> str:
    """Return the failure text of a requirement that cannot be installed."""
    return _failure("InstallRequirementsError", exit_code, command, error_message(output))


def package_failure(exit_code: int, command: Sequence[str], output: Sequence[str]) -> str:
    """Return the failure text of a code folder (`setup.py`) that cannot be installed."""
    return _failure("InstallModuleError", exit_code, command, error_message(output))


def algorithm_error(failure: str) -> str:
    """Return FailureReason for the text of `output/failure`: its first 1024 characters."""
    return f"AlgorithmError: {failure[:FAILURE_CHARACTERS]}"


def client_error(text: str) -> str:
    """Return FailureReason for trouble with the user's data, request or permissions."""
    return f"ClientError: {text}"[:FAILURE_CHARACTERS]


def processing_failure(exit_code: int, output: Sequence[str]) -> str:
    """Return FailureReason of a processing job whose container ended with this code.

    AWS says `AlgorithmError: See job logs for more information`; the script's own last line is added, as the reason
    is what people see first.
    """
    said = error_message(output)
    text = f"AlgorithmError: See job logs for more information, exit code: {exit_code}"
    return f"{text}: {said}"[:FAILURE_CHARACTERS] if said else text


def exit_message(message: bytes) -> str:
    """Return ExitMessage for the content of a processing container's `output/message`: its first kilobyte."""
    return message[:MESSAGE_BYTES].decode("utf-8", "replace")


def error_message(output: Sequence[str]) -> str:
    """Return the script's own last word: the exception's lines behind its last traceback, else its last line."""
    starts = [number for number, line in enumerate(output) if line.startswith(_TRACEBACK)]
    if starts:
        tail = [line for line in output[starts[-1] + 1 :] if line.strip()]
        raised = [number for number, line in enumerate(tail) if not line.startswith(" ")]
        if raised:
            return "\n".join(tail[raised[0] :])
    spoken = [line for line in output if line.strip()]
    return spoken[-1] if spoken else ""


def _failure(error: str, exit_code: int, command: Sequence[str], message: str) -> str:
    lines = [f"{error}:", f"ExitCode {exit_code}", f'ErrorMessage "{message}"']
    if exit_code == _KILLED_IN_A_SHELL:
        lines.append('ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"')
    return "\n".join([*lines, f'Command "{" ".join(command)}"'])
