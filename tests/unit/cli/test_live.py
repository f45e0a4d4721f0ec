"""The live view: whole lines where nothing moves, one moving line where it can."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from fake_aws import START, Pauses, Story
from terminals import FakeTerminal

from modelwright.cli.live import Live
from modelwright.cli.terminal import Terminal
from modelwright.client.runs.history import History


@pytest.fixture(autouse=True)
def colourless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")


def polls() -> Story:
    """A run that looks at its endpoint three times, waiting in between, and chooses in between."""
    story = Story()
    story.task("TrainModel")
    story.enter("Choice", "CheckRun")
    story.leave("Choice", "CheckRun")
    for _ in range(3):
        story.task("WatchEndpoint")
        story.enter("Wait", "WaitForEndpoint")
        story.leave("Wait", "WaitForEndpoint")
    story.event("ExecutionSucceeded")
    return story


def shown(story: Story, stream: io.StringIO) -> io.StringIO:
    live, history = Live(Terminal(stream), lambda: START, Pauses()), History()
    for event in story.events:
        live(history, history.add([event]))
    return stream


def test_where_nothing_moves_there_is_a_line_a_task() -> None:
    assert shown(polls(), io.StringIO()).getvalue() == (
        "  ✓ TrainModel                4.00 s\n  ✓ WatchEndpoint             4.00 s\n"
    )


def test_failures_are_shown_each_time_whatever_state_it_is() -> None:
    story = Story()
    for _ in range(2):
        story.enter("Task", "InspectEndpoint")
        story.schedule("describeEndpoint")
        story.event("TaskFailed", error="SageMaker.SageMakerException", cause="Rate exceeded")
        story.leave("Task", "InspectEndpoint")
    story.enter("Fail", "FailRun")
    story.event("ExecutionFailed", error="Boom", cause="why")
    line = "  ! InspectEndpoint           3.00 s  SageMaker.SageMakerException: Rate exceeded\n"
    assert shown(story, io.StringIO()).getvalue() == f"{line}{line}", "the end itself is the run's outcome"


def test_on_a_terminal_the_running_state_moves_below_and_is_gone_at_the_end() -> None:
    stream, now, story, history = FakeTerminal(), [START], Story(), History()

    class Passing(Pauses):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            screens.append(stream.screen[-1])
            now[0] += timedelta(seconds=1)

    screens: list[str] = []
    pauses = Passing()
    live = Live(Terminal(stream), lambda: now[0], pauses)
    story.enter("Task", "TrainModel")
    live(history, history.add(story.events))
    live.pause(0.25)
    assert pauses.lengths == pytest.approx([0.1, 0.1, 0.05])
    assert [screen[4:] for screen in screens] == ["TrainModel 0 s", "TrainModel 0 s", "TrainModel 1 s"]
    assert len({screen[2] for screen in screens}) == 3, "it moves"
    story.schedule()
    story.event("TaskSucceeded", output="{}")
    story.leave("Task", "TrainModel")
    live(history, history.add(story.events[2:]))
    assert stream.screen == ["  ✓ TrainModel                3.00 s", ""]


def test_states_that_run_side_by_side_share_the_line() -> None:
    stream, story, history = FakeTerminal(), Story(), History()
    begun = story.enter("Parallel", "Both")
    story.enter("Task", "Left", after=begun)
    story.enter("Task", "Right", after=begun)
    live = Live(Terminal(stream), lambda: START + timedelta(seconds=3), Pauses())
    live(history, history.add(story.events))
    live.pause(0.1)
    assert stream.screen[-1][4:] == "Both 2 s, Left 1 s, Right 0 s"


def test_leaving_early_leaves_no_half_line() -> None:
    stream, story, history = FakeTerminal(), Story(), History()
    story.enter("Task", "TrainModel")
    live = Live(Terminal(stream), lambda: START, Pauses())
    live(history, history.add(story.events))
    live.pause(0.1)
    live.clear()
    assert stream.screen == [""]


def test_without_a_terminal_a_pause_is_one_pause() -> None:
    pauses = Pauses()
    Live(Terminal(io.StringIO()), lambda: START, pauses).pause(2.0)
    assert pauses.lengths == [2.0]


def test_what_goes_on_beside_stands_behind_the_running_state() -> None:
    story, stream = Story(), FakeTerminal()
    story.enter("Task", "WatchEndpoint")
    live = Live(Terminal(stream), lambda: START, Pauses(), beside=lambda: "50 sent")
    live(history := History(), history.add(story.events))
    live.pause(0.1)
    assert "WatchEndpoint" in stream.getvalue()
    assert " · 50 sent" in stream.getvalue()
