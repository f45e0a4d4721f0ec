"""From the command line's words to a command and its exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.cli.main import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Say


def test_help_names_each_command(say: Say) -> None:
    code, out, _ = say("--help")
    assert code == 0
    for name, text in COMMANDS.items():
        assert f"    {name}" in out
        assert text[:30] in out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(say: Say, command: str) -> None:
    code, out, _ = say(command, "--help")
    assert code == 0
    assert out.startswith(f"usage: modelwright {command} ")


def test_no_command_is_wrong_input_and_shows_them(say: Say) -> None:
    code, out, err = say()
    assert (code, out) == (2, "")
    assert err.startswith("usage: modelwright ")


def test_version(say: Say) -> None:
    code, out, _ = say("--version")
    assert code == 0
    assert out.startswith("modelwright 0.")


def test_an_unknown_command_with_the_nearest(say: Say) -> None:
    assert say("rnu") == (2, "", "error: There is no command 'rnu'.\nDid you mean run?\n")
    code, _, err = say("frobnicate")
    assert code == 2
    assert err.startswith("error: There is no command 'frobnicate'.\nKnown: run, runs, show, ")


def test_outside_a_project(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = say("run", "penguins")
    assert (code, out) == (2, "")
    assert err == (
        f"error: {tmp_path} is in no modelwright project: neither it nor a folder above has cdk.json and "
        "training_code/.\n"
        "Change into the project's folder first.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run",), "the following arguments are required: pipeline"),
        (("runs", "-n", "0"), "argument -n/--number: '0' is not a whole number from 1"),
        (("inbox", "-n", "many"), "argument -n/--number: 'many' is not a whole number from 1"),
        (("emit", "marge", "penguins"), "argument event: invalid choice: 'marge'"),
        (("predict", "penguins"), "one of the arguments --file --row is required"),
        (("predict", "penguins", "--row", "{}", "--file", "x"), "not allowed with argument"),
        (("run", "penguins", "--jsno"), "unrecognized arguments: --jsno"),
    ],
)
def test_argparse_says_the_rest(say: Say, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    assert words in err


class Command:
    """A command that does what a test wants, in place of a real one."""

    def __init__(self, action: Callable[[], int]) -> None:
        self._action = action

    def configure(self, parser: Any) -> None:
        """No arguments."""

    def run(self, _: Any) -> int:
        return self._action()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], None]:
    def replace(action: Callable[[], int]) -> None:
        monkeypatch.setitem(sys.modules, "modelwright.cli.commands.down", Command(action))

    return replace


def test_ctrl_c_is_130(say: Say, command: Callable[[Callable[[], int]], None]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    command(interrupted)
    assert say("down") == (130, "", "interrupted\n")


def test_a_fault_of_ours_keeps_its_traceback(say: Say, command: Callable[[Callable[[], int]], None]) -> None:
    def faulty() -> int:
        raise KeyError("ours")

    command(faulty)
    with pytest.raises(KeyError, match="ours"):
        say("down")


def test_the_commands_own_code_is_the_exit_code(say: Say, command: Callable[[Callable[[], int]], None]) -> None:
    command(lambda: 1)
    assert say("down") == (1, "", "")
