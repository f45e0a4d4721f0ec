"""A real headless Chromium, one for a module's tests, and pages that stand for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import Browser
from trial_pages import FakeTrial

from modelwright.cli.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    made.size(1100, 900)
    yield made
    made.close()


@pytest.fixture
def trial() -> FakeTrial:
    return FakeTrial()


@pytest.fixture
def page(trial: FakeTrial) -> Iterator[PageServer]:
    made = PageServer(trial.describe, trial.ask)
    made.start()
    yield made
    made.stop()
