"""What `modelwright destroy --data` asks before it removes anything for good."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import pytest

from modelwright.cli.commands import destroy
from modelwright.errors import ModelwrightError, WrongUsage

ROOT = Path(__file__).parents[3]


class Keyboard(io.StringIO):
    """A terminal at which somebody types this."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(destroy, "platform", lambda *_, **__: pytest.fail("nothing may be removed"))


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    destroy.configure(parser)
    return parser.parse_args(["--data", *arguments])


@pytest.mark.parametrize(
    ("arguments", "words", "question"),
    [
        (("penguins",), "penguins in dev on this machine for good", "The pipeline's name"),
        (("penguins", "--aws"), "penguins in dev on AWS for good", "The pipeline's name"),
        (("--all",), "every pipeline in dev on this machine for good", "The environment's name"),
    ],
)
def test_it_says_what_and_where_and_wants_the_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
    question: str,
) -> None:
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    monkeypatch.setattr(sys, "stdin", Keyboard("yes\n"))
    with pytest.raises(ModelwrightError, match=r"^Nothing was removed\.$"):
        destroy.run(asked(*arguments))
    out = capsys.readouterr().out
    assert words in out
    assert question in out


def test_where_nobody_can_type_it_has_to_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("penguins\n"))
    with pytest.raises(WrongUsage, match="--yes"):
        destroy.run(asked("penguins"))
