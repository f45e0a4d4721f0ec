"""Which program is run, and how."""

from __future__ import annotations

import pytest

from modelwright.contract.entry_points import EntryPoint, check_name, command, kind_of
from modelwright.contract.problems import ContractError


@pytest.mark.parametrize(
    ("program", "files", "kind"),
    [
        ("train.py", ["train.py", "requirements.txt"], EntryPoint.SCRIPT),
        ("src/train.py", ["src"], EntryPoint.SCRIPT),
        ("train.sh", ["train.sh", "setup.py"], EntryPoint.COMMAND),
        ("train", ["train"], EntryPoint.COMMAND),
        ("train.py", ["train.py", "setup.py"], EntryPoint.PACKAGE),
        ("train.py", ["train.py", "pyproject.toml"], EntryPoint.SCRIPT),
    ],
)
def test_name_and_folder_decide(program: str, files: list[str], kind: EntryPoint) -> None:
    assert kind_of(program, files) is kind


def test_arguments_are_never_parsed_by_a_shell() -> None:
    arguments = ["--note", "a;b $HOME 'q'"]
    assert command(EntryPoint.SCRIPT, "train.py", arguments, "python") == ["python", "train.py", *arguments]
    assert command(EntryPoint.PACKAGE, "train.py", arguments, "python") == ["python", "-m", "train", *arguments]
    assert command(EntryPoint.COMMAND, "train.sh", arguments, "python") == [
        "/bin/sh",
        "-c",
        "./train.sh --note 'a;b $HOME '\"'\"'q'\"'\"''",
    ]


@pytest.mark.parametrize("name", ["", "-c", "/bin/sh", "../up.py", "a/./b.py", "a//b.py", "a b.py", "a;b.py", "a.py\n"])
def test_a_name_that_is_no_plain_path_is_refused(name: str) -> None:
    with pytest.raises(ContractError, match="plain relative path"):
        check_name(name)
