"""Hyperparameters, argv and SM_* against AWS's own toolkit: whatever strings the API may be given."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from modelwright.contract import configs
from modelwright.contract.environment import TrainingContext, script_environment, sm_variables
from modelwright.contract.layout import TrainingLayout
from modelwright.contract.problems import ContractError

HERE = Path(__file__).parent
Ask = Callable[[dict[str, str], dict[str, str]], dict[str, Any]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toolkit") / "opt/ml"


@pytest.fixture(scope="module")
def ask(toolkit: Path, base: Path) -> Iterator[Ask]:
    fixtures = _fixtures()
    fixtures.make_base(base, {}, fixtures.CHANNELS)
    process = subprocess.Popen(
        [toolkit / "python", HERE / "driver.py"],
        env=fixtures.toolkit_environment(base, toolkit),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(hyperparameters: dict[str, str], environ: dict[str, str]) -> dict[str, Any]:
        process.stdin.write(json.dumps({"hyperparameters": hyperparameters, "environ": environ}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait()


def _fixtures() -> Any:
    spec = importlib.util.spec_from_file_location("toolkit_fixtures", HERE / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context(base: Path, hyperparameters: dict[str, str]) -> TrainingContext:
    return TrainingContext(
        name="job",
        arn="arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        region="us-east-1",
        hyperparameters=hyperparameters,
        input_data_config=_fixtures().CHANNELS,
        resource_config=configs.resource_config("ml.m5.large"),
        environment={"SAGEMAKER_PROGRAM": "train.py"},
        cpus=os.cpu_count() or 1,
        layout=TrainingLayout(str(base)),
    )


NAMES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0="), max_size=12),
    st.sampled_from(
        ["k", "C", "max-depth", "max_depth", "sagemaker_program", "sagemaker_x", "_tuning_objective_metric"]
    ),
)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ).map(json.dumps),
    st.sampled_from(
        [
            "true",
            "False",
            "null",
            '"10"',
            "00123",
            "1e-3",
            "1E400",
            "NaN",
            "-Infinity",
            " 1 ",
            "a;b $HOME `ls`",
            "[1,",
            "",
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"C": "1.0", "k": "null", "flag": "true", "list": '[1, "a"]', "map": '{"b": 1, "a": [2]}', "": "x"})
@example(
    {
        "sagemaker_program": "other.py",
        "sagemaker_region": "eu-west-1",
        "sagemaker_s3_output": "s3://b/x",
        "A": "1",
        "a": "2",
    }
)
@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_arguments_and_variables_are_those_of_the_toolkit(
    ask: Ask, base: Path, hyperparameters: dict[str, str]
) -> None:
    if "sagemaker_container_log_level" in hyperparameters:
        return
    theirs = ask(hyperparameters, {"SAGEMAKER_PROGRAM": "train.py"})
    ours = context(base, hyperparameters)
    assert "error" not in theirs
    assert ours.arguments == theirs["arguments"]
    assert sm_variables(ours) == theirs["variables"]


@pytest.mark.parametrize("name", ["sagemaker_region", "sagemaker_job_name"])
def test_a_region_or_job_name_that_is_no_text_fails_here_as_there(ask: Ask, base: Path, name: str) -> None:
    assert "str expected" in ask({name: "true"}, {"SAGEMAKER_PROGRAM": "train.py"})["error"]
    with pytest.raises(ContractError, match=name):
        script_environment(context(base, {name: "true"}))


def test_what_cannot_be_an_environment_variable_is_said_before_anything_runs(base: Path) -> None:
    for wrong in ({"a=b": "1"}, {"a": "x\0y"}, {"a": '"\\ud800"'}):
        with pytest.raises(ContractError, match="hyperparameter 'a"):
            script_environment(context(base, wrong))
