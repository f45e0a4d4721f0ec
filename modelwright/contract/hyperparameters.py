"""Hyperparameters: from the strings of the API to the values, arguments and limits that a script sees.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.contract.problems import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

RESERVED_PREFIX = "sagemaker_"
RESERVED_NAMES = frozenset({"default_user_module_name", "_tuning_objective_metric"})
"""names that the toolkit keeps from the script though they lack the prefix"""
DISTRIBUTIONS = frozenset(
    {
        "sagemaker_mpi_enabled",
        "sagemaker_distributed_dataparallel_enabled",
        "sagemaker_multi_worker_mirrored_strategy_enabled",
        "sagemaker_parameter_server_enabled",
        "sagemaker_pytorch_xla_multi_worker_enabled",
        "sagemaker_torch_distributed_enabled",
    }
)
"""each asks the toolkit for another way to start the script"""


def read(raw: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that the strings stand for: each is parsed as JSON, and stays a string where that fails."""
    return {name: _value(text) for name, text in raw.items()}


def of_script(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that the script is given: all but the platform's own (`sagemaker_*`, the tuning objective)."""
    return {name: value for name, value in values.items() if not is_reserved(name)}


def of_framework(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `sagemaker_*` parameters that the toolkit does not know itself (`SM_FRAMEWORK_PARAMS`)."""
    return {n: v for n, v in values.items() if n.startswith(RESERVED_PREFIX) and n not in _TOOLKIT_PARAMETERS}


def is_reserved(name: str) -> bool:
    """Tell whether a hyperparameter speaks to the platform instead of the script."""
    return name.startswith(RESERVED_PREFIX) or name in RESERVED_NAMES


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Return argv for these values: sorted by name, `-k` for one character, `--name` for more, the name verbatim."""
    return [text for name in sorted(values) for text in (_option(name), _argument(values[name]))]


def environment_text(value: Any) -> str:
    """Return a value as the text of an environment variable: None is empty, a string raw, all else compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def check_passable(values: Mapping[str, Any]) -> None:
    """Raise ContractError for a name or value that no process can be given (`=` in a name, NUL, half a surrogate).

    AWS's toolkit fails inside `os.environ` or `execve` for these, without a word about which one it was.
    """
    for name, value in values.items():
        if "=" in name:
            raise ContractError(f"hyperparameter {name!r} cannot become SM_HP_…: its name contains '='")
        for text in (name, environment_text(value), _argument(value)):
            if "\0" in text or not _encodable(text):
                raise ContractError(
                    f"hyperparameter {name!r} cannot be passed to a process: {value!r} is not plain text"
                )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _option(name: str) -> str:
    if not name:
        return ""
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _argument(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return str(value)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


_TOOLKIT_PARAMETERS = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
    }
)
