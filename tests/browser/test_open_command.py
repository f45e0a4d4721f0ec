"""`modelwright open` as a user has it: the command, its page in a real Chromium, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from api_ground import make_project

from modelwright.local.daemon.attach import shut_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browser import Browser

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = "{authorization: api-key, requests_per_second: 1000, burst: 1000}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sample with a REST API and its own scripts, deployed and trained by the command line."""
    folder = make_project(tmp_path_factory.mktemp("project"), SETTINGS, serve="auto")
    for name in ("process.py", "train.py", "evaluate.py", "inference.py"):
        shutil.copy(REPOSITORY / "training_code" / "penguins" / name, folder / "training_code" / "penguins" / name)
    start = started(folder, "up")
    assert start.wait(timeout=120) == 0
    run = started(folder, "run", "penguins", "--json")
    out, err = run.communicate(timeout=300)
    assert json.loads(out)["status"] == "Deployed", err
    yield folder
    with suppress(Exception):
        shut_down(folder, force=True)


def started(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWRIGHT_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "modelwright", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPOSITORY), "BROWSER": "/bin/false", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def opened(project: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = started(project, "open", "penguins", "--no-browser")
    assert process.stdout
    url = process.stdout.readline().strip()
    yield process, url
    process.kill()
    process.communicate()


def test_a_person_tries_the_model_and_ends_it(browser: Browser, opened: tuple[subprocess.Popen[str], str]) -> None:
    process, url = opened
    assert url.startswith("http://127.0.0.1:")
    browser.events.clear()
    browser.open(url)
    assert browser.text("h1") == "penguins"
    assert "training saw 32.1 to" in browser.text("#fields"), "the schema of the model that was trained and compiled"
    browser.type("[name=bill_length_mm]", "wide")
    browser.click("#submit")
    browser.see("#problem", "1 field cannot be taken")
    assert 'bill_length_mm is "wide"; it must be a number' in browser.text("#fields")
    browser.type("[name=bill_length_mm]", "39")
    browser.click("#submit")
    answer = browser.see("#answer", "answered in")
    assert "male" in answer
    curl = browser.text("#curl")
    assert "export API_KEY=" in curl
    done = subprocess.run(["/bin/sh", "-c", curl], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["predictions"][0]["sex"] in {"female", "male"}
    assert browser.complaints() == []
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.splitlines()[-1] == "closed"
    browser.click("#submit")
    assert browser.see("#problem", "has ended: run modelwright open again")


def test_status_tells_where_the_api_is(project: Path) -> None:
    out, _ = started(project, "status").communicate(timeout=60)
    assert re.fullmatch(
        r"The REST API of penguins: http://127\.0\.0\.1:\d+/restapis/\w+/live/_user_request_", out.splitlines()[-1]
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("open", "penguin"), 2, "Did you mean penguins?"),
        (("open", "penguins", "--port", "70000"), 2, "--port 70000 cannot be used"),
        (("open", "penguins", "--port", "1", "--no-browser", "--env", "nothing"), 2, "nothing"),
    ],
)
def test_wrong_input_opens_nothing(project: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    process = started(project, *arguments)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert said in err


def test_the_browser_is_opened_with_the_pages_address(project: Path, tmp_path: Path) -> None:
    told, script = tmp_path / "told", tmp_path / "browser"
    os.mkfifo(told)
    script.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    script.chmod(0o755)
    process = started(project, "open", "penguins", BROWSER=f"{script} %s")
    assert told.read_text().startswith("http://127.0.0.1:")  # waits for the script
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_without_a_screen_the_address_is_enough(project: Path) -> None:
    process = started(project, "open", "penguins", BROWSER="", DISPLAY="", WAYLAND_DISPLAY="")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    assert "for you alone" in process.stderr.readline()
    assert "no browser could be opened: open the address above yourself" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_a_port_in_use_is_said(project: Path, opened: tuple[subprocess.Popen[str], str]) -> None:
    port = opened[1].split(":")[2].split("/")[0]
    process = started(project, "open", "penguins", "--no-browser", "--port", port)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "Address already in use" in err
    assert "Leave it out: then a free one is taken." in err
