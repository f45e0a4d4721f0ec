"""The seams: each name is still in moto, holds our replacement, and is what moto's interpreter calls."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.local.stepfunctions.install import install
from modelwright.local.stepfunctions.programs import InvalidDefinition, check_grammar, parse_next, program_of
from modelwright.local.stepfunctions.seams import CLIENT_USERS, SEAMS

ASL = "moto.stepfunctions.parser.asl"


def described(seam):
    return f"{seam.module.removeprefix(ASL)}:{seam.owner}.{seam.name}"


@pytest.mark.parametrize("seam", SEAMS, ids=described)
def test_each_replacement_is_in_its_place(seam):
    install()
    found = vars(seam.target())[seam.name]
    assert found is seam.replacement


@pytest.mark.parametrize("seam", [s for s in SEAMS if s.owner], ids=described)
def test_a_replacement_takes_what_moto_passes(seam):
    """moto's own, in a process without us, has the same parameters."""
    replacement = seam.replacement.__func__ if isinstance(seam.replacement, staticmethod) else seam.replacement
    assert list(inspect.signature(replacement).parameters) == _original_parameters()[described(seam)]


def test_every_module_that_makes_clients_is_replaced():
    (root,) = importlib.import_module(ASL).__path__
    found = {
        f"{ASL}.{path.relative_to(root).with_suffix('').as_posix().replace('/', '.')}"
        for path in Path(root).rglob("*.py")
        if "import boto_client_for" in path.read_text()
    }
    without_batch = {name for name in found if not name.endswith("state_task_service_batch")}
    assert without_batch == set(CLIENT_USERS)


def test_moto_has_no_other_sleep_and_no_other_thread():
    """What waits in moto waits on the machine's clock, deaf to StopExecution."""
    replaced = {"_evaluate_with_timeout", "_eval_body", "eval"}
    found = subprocess.run(
        ["grep", "-rlE", r"time\.sleep|Thread\(", *importlib.import_module(ASL).__path__, "--include=*.py"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    names = {path.rpartition("/")[2] for path in found}
    assert names == {
        "branch_worker.py",  # only run_branches' original uses it
        "execute_state.py",
        "inline_iteration_component.py",
        "program.py",
        "retrier_decl.py",
        "state_task_service_callback.py",  # .sync and .waitForTaskToken of others: refused at creation
        "test_state_program.py",  # the TestState API, which is not offered
    }
    assert replaced <= {seam.name for seam in SEAMS}


def test_a_definition_is_parsed_once():
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    assert program_of(definition) is program_of(definition)


def test_the_interpreter_does_not_bring_moto_s_ec2():
    code = "import sys, modelwright.local.stepfunctions.service; print('moto.ec2' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


_CODE = """
import importlib, inspect, json
from modelwright.local.stepfunctions.seams import SEAMS
found = {}
for seam in SEAMS:
    if seam.owner:
        original = vars(seam.target())[seam.name]
        original = original.__func__ if isinstance(original, staticmethod) else original
        name = f"{seam.module.removeprefix('moto.stepfunctions.parser.asl')}:{seam.owner}.{seam.name}"
        found[name] = list(inspect.signature(original).parameters)
print(json.dumps(found))
"""
_cache = {}


def _original_parameters():
    if not _cache:
        run = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
        _cache.update(json.loads(run.stdout))
    return _cache


def test_who_waits_parses_ahead_until_nothing_is_left():
    states = {name: {"Type": "Pass", "Next": "D"} for name in "ABC"} | {"D": {"Type": "Succeed"}}
    definition = json.dumps({"StartAt": "A", "States": states})
    program_of(definition).states.states.get("B")
    assert [parse_next(definition) for _ in range(4)] == [True, True, True, False]


def test_a_state_is_parsed_when_it_is_needed_and_every_mistake_is_found():
    good = {"Type": "Pass", "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": good, "B": {**good, "Bad": 1}, "C": {**good, "Worse": 1}}})
    program = program_of(definition)
    assert program.states.states.get("A").name == "A"
    with pytest.raises(InvalidDefinition):
        parse_next(definition)
    with pytest.raises(InvalidDefinition) as refused:
        check_grammar(definition)
    assert [problem.rpartition(" at ")[2] for problem in refused.value.problems] == ["/States/B", "/States/C"]
