"""From the command line's words to an exit code: wrong input is 2 and starts nothing; each error is one message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelwright.cli import main
from modelwright.cli.main import COMMANDS

REPOSITORY = Path(__file__).parents[3]
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project like the real one, in a folder of its own, as working directory."""
    for name in ("cdk.json", "app.py", "environments", "training_code"):
        source = REPOSITORY / name
        if name == "training_code":
            (tmp_path / name).mkdir()
            (tmp_path / name / "penguins").symlink_to(source / "penguins")
        else:
            (tmp_path / name).symlink_to(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    return tmp_path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command: its exit code, and what it wrote on standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main.run(list(arguments))
        except SystemExit as error:  # argparse's own way
            code = int(error.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


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


EVERYTHING = [
    ("run", "pengins"),
    ("run", "pengins", "--json"),
    ("run", "pengins", "--aws"),
    ("release", "pengins"),
    ("emit", "merge", "pengins"),
    ("runs", "pengins"),
    ("predict", "pengins", "--row", "{}"),
]


@pytest.mark.parametrize("arguments", EVERYTHING, ids=" ".join)
def test_an_unknown_pipeline_with_the_nearest_and_nothing_started(
    say: Say, project: Path, arguments: tuple[str, ...]
) -> None:
    expected = "error: There is no pipeline 'pengins' in training_code/.\nDid you mean penguins?\n"
    assert say(*arguments) == (2, "", expected)
    assert not (project / ".modelwright").exists()


def test_an_unknown_environment(say: Say, project: Path) -> None:
    assert say("run", "penguins", "--env", "dve") == (
        2,
        "",
        "error: There is no environments/dve.yaml.\nDid you mean dev?\n",
    )
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    "arguments",
    [("run", "penguins"), ("up",), ("run", "penguins", "--aws"), ("synth",)],
    ids=" ".join,
)
def test_wrong_settings_are_listed_whole_and_nothing_is_started(
    say: Say, project: Path, arguments: tuple[str, ...]
) -> None:
    folder = project / "training_code" / "rents"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text("description: x\ntrian: {}\ngate: [accuracy]\n")
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0].endswith(" problems in the settings:")
    assert len(lines) > 3
    assert all(line.startswith("  training_code/rents/") for line in lines[1:])
    assert any("trian" in line and "train" in line for line in lines)
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "C"), "-p 'C' is not of the form name=value, like C=0.5."),
        (("-p", "CC=1"), "-p 'CC=1': CC is no hyperparameter of this pipeline."),
        (("-p", "C=1", "-p", "C=2"), "-p 'C=2': C is given twice."),
        (("--data", "nowhere.csv"), "--data nowhere.csv: there is no such file or folder."),
    ],
)
def test_what_a_run_is_given_is_looked_at_before_anything_starts(
    say: Say, project: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = say("run", "penguins", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}\n")
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "penguins", "--row", "{species"), "--row is not JSON: Expecting property name"),
        (
            ("predict", "penguins", "--file", "rows.txt"),
            "--file rows.txt: its ending says no type.\nKnown are .csv, .json, .npy",
        ),
        (("predict", "penguins", "--file", "rows.csv"), "--file rows.csv cannot be read: No such file or directory."),
        (
            ("emit", "schedule", "penguins", "--commit", "HEAD"),
            "--commit is for `emit merge`: a schedule runs the default",
        ),
        (
            ("emit", "schedule", "penguins", "--aws"),
            "On AWS a schedule fires by itself.\n`modelwright run penguins --aws`",
        ),
        (("emit", "merge", "penguins", "x.csv"), "Files are for `emit data`: what is x.csv for?"),
        (("emit", "data", "penguins", "--commit", "HEAD"), "--commit is for `emit merge`: new data run the default"),
        (("emit", "data", "penguins", "no.csv"), "There is no data at no.csv."),
        (("destroy", "penguins", "--data"), "--data removes what cannot be brought back.\nGive --yes"),
    ],
)
def test_wrong_arguments_are_said_before_anything_starts(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(sys, "stdin", (project / "cdk.json").open())
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert not (project / ".modelwright").exists()


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


AWS_COMMANDS = [
    ("run", "penguins", "--aws"),
    ("run", "penguins", "--aws", "--json"),
    ("runs", "--aws"),
    ("show", "last", "--aws"),
    ("logs", "last", "--aws"),
    ("predict", "penguins", "--row", "{}", "--aws"),
    ("release", "penguins", "--aws"),
    ("emit", "merge", "penguins", "--aws"),
    ("status", "--aws"),
    ("dashboard", "penguins", "--aws"),
    ("destroy", "penguins", "--aws"),
    ("destroy", "--all", "--aws"),
    ("deploy", "--yes"),
    ("diff",),
]


@pytest.mark.parametrize("arguments", AWS_COMMANDS, ids=" ".join)
def test_aws_without_credentials_is_one_clear_sentence_and_touches_nothing(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert say(*arguments) == (
        1,
        "",
        (
            "error: AWS credentials are needed, and none were found.\n"
            "Run `aws configure` or `aws sso login`, or set AWS_PROFILE.\n"
        ),
    )
    assert not (project / ".modelwright").exists()


def test_a_profile_that_is_not_there(say: Say, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert say("runs", "--aws") == (
        1,
        "",
        "error: The config profile (work) could not be found\n`aws configure list-profiles` names those there are.\n",
    )


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


def cli(folder: Path, code: str, **more: Any) -> subprocess.Popen[bytes]:
    """A real process, since signals and closed pipes are about those."""
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


TALKS = """
import sys, types
from modelwright.cli.main import main
def run(args):
    print('x' * {size})
    return 0
module = types.ModuleType('down')
module.configure, module.run = lambda parser: None, run
sys.modules['modelwright.cli.commands.down'] = module
main(['down'])
"""


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_reader_that_has_gone_is_no_error(size: int) -> None:
    process = cli(REPOSITORY, TALKS.format(size=size))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


SECOND = """
import os, signal
from modelwright.cli.main import Interrupt
signal.signal(signal.SIGINT, Interrupt())
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print('first', flush=True)
try:
    os.kill(os.getpid(), signal.SIGINT)
finally:
    print('never', flush=True)
"""


def test_a_second_ctrl_c_leaves_at_once() -> None:
    process = cli(REPOSITORY, SECOND)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"first\n", b"\n")


def test_help_loads_nothing_heavy() -> None:
    heavy = ("botocore", "boto3", "yaml", "pydantic", "rich", "modelwright.config", "modelwright.local", "subprocess")
    code = f"""
import sys
sys.argv = ['modelwright', '--help']
from modelwright.cli.main import main
try:
    main()
finally:
    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    process = cli(REPOSITORY, code)
    _, err = process.communicate()
    assert err == b"[]\n"


@pytest.mark.parametrize("command", [("runs",), ("status",), ("show", "last"), ("destroy", "penguins", "--yes")])
def test_a_mistake_in_one_pipeline_does_not_stop_who_looks_at_another(
    project: Path, say: Say, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (project / "training_code" / "wrong").mkdir()
    (project / "training_code" / "wrong" / "pipeline.yaml").write_text("gate: 5\n", "utf-8")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    _, _, err = say(*command, "--aws")
    assert "wrong is left out: 7 problems in its settings, the first: training_code/wrong/" in err
    assert "credentials" in err, "it went on"
    assert "7 problems in the settings" in say("run", "penguins", "--aws")[2], "what starts something wants all right"
