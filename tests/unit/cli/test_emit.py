"""What `modelwright emit` says beside the run that it follows."""

from __future__ import annotations

import pytest

from modelwright.cli.commands.emit import data_stay


def test_ctrl_c_between_data_and_their_run_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), data_stay(" --aws --env prod"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == (
        "the data are there, and may have started a run: `modelwright runs --aws --env prod` shows it\n"
    )


def test_nothing_is_said_when_nobody_interrupts(capsys: pytest.CaptureFixture[str]) -> None:
    with data_stay(""):
        pass
    assert capsys.readouterr().err == ""
