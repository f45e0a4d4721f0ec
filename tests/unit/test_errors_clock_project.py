from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from modelwright import errors
from modelwright.clock import FakeClock, SystemClock
from modelwright.errors import ModelwrightError, PipelineNotFound, Problem, SettingsError, names, nearest
from modelwright.project import find_root, pipeline_names

if TYPE_CHECKING:
    from pathlib import Path


def test_every_error_of_a_user_is_a_modelwright_error_and_says_what_it_is() -> None:
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(found) > 10
    for error in found:
        assert issubclass(error, ModelwrightError)
        assert error.__doc__


def test_a_hint_stands_on_a_line_of_its_own() -> None:
    assert str(ModelwrightError("It is so.", "Do this.")) == "It is so.\nDo this."
    assert str(ModelwrightError("It is so.")) == "It is so."


def test_problems_are_sorted_by_file_and_line() -> None:
    error = SettingsError([Problem("b", "k", "is x.", 1), Problem("a", "", "is y.", 10), Problem("a", "k", "is z.", 9)])
    assert str(error) == "3 problems in the settings:\n  a:9: k is z.\n  a:10: is y.\n  b:1: k is x."


def test_names_are_a_sentences_list() -> None:
    assert (names([]), names(["a"]), names(["a", "b", "c"])) == ("", "a", "a, b and c")
    assert names(["a", "b"], "or") == "a or b"


def test_the_nearest_name_ignores_case() -> None:
    assert nearest("penguin", ["Penguins", "other"]) == ["Penguins"]
    assert nearest("xyz", ["penguins"]) == []


def test_an_unknown_pipeline_names_others_or_how_to_make_one() -> None:
    assert str(PipelineNotFound("pengins", ["penguins"])).endswith("Did you mean penguins?")
    assert str(PipelineNotFound("x", ["penguins", "cats"])).endswith("Known pipelines: penguins and cats.")
    assert str(PipelineNotFound("x", [])).endswith("There is none yet; `modelwright init x` makes one.")


def test_a_fake_clock_moves_when_it_is_told() -> None:
    clock = FakeClock(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(90.5)
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, 500_000, tzinfo=UTC)
    assert clock.time() == clock.now().timestamp()
    with pytest.raises(ValueError, match="time does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))  # noqa: DTZ001 # what is refused


def test_the_systems_clock_is_aware() -> None:
    assert SystemClock().now().tzinfo is UTC
    assert SystemClock().time() > 0


def test_the_root_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    deep = tmp_path / "training_code" / "things"
    deep.mkdir(parents=True)
    (deep / "pipeline.yaml").write_text("")
    assert find_root(deep) == tmp_path.resolve()
    assert pipeline_names(tmp_path) == ["things"]


def test_outside_a_project_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ProjectNotFound, match="is in no modelwright project"):
        find_root()
