"""The real project in a git repository of its own, its local cloud kept up, and the command line as a user has it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.client.deployment import find_deployment
from modelwright.client.session import Endpoint, Session
from modelwright.local.daemon.attach import attach, shut_down

PROJECT = Path(__file__).resolve().parents[3]
PARTS = ("app.py", "cdk.json", "environments", "images", "lambdas", "stacks", "training_code")


class Whole:
    """A project folder."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "training_code" / "penguins"

    def git(self, *arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def start(self, *arguments):
        command = [sys.executable, "-m", "modelwright", *arguments]
        return subprocess.Popen(
            command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def cli(self, *arguments, code=0):
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=180)
        assert process.returncode == code, f"{arguments} exited {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err
        return out + err if code else out

    def run(self, *arguments, code=0):
        with self.start("run", "penguins", "--json", *arguments) as process:
            out, err = process.communicate(timeout=180)
        assert process.returncode == code, f"{arguments} exited {process.returncode}\n{out}\n{err}"
        return json.loads(out)

    def edit(self, name, before, after):
        path = self.folder / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    def restore(self):
        self.git("checkout", "-q", "--", ".")
        self.git("clean", "-qfd", "training_code")

    def predictions(self):
        return json.loads(self.cli("predict", "penguins", "--file", str(self.folder / "data" / "smoke.csv")))

    def session(self, local):
        keys = local.credentials
        return Session(local.region, lambda: Endpoint(local.endpoint_url, keys.access_key, keys.secret_key))

    def processes(self):
        """Ids of processes that work for this folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(self.root).encode() in text and state != "Z" and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole") / "project"
    root.mkdir()
    for name in PARTS:
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, root / name, **({"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}))
    (root / ".gitignore").write_text(".modelwright/\ncdk.out/\n__pycache__/\n")
    made = Whole(root)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("commit", "-qm", "the project")
    yield made
    shut_down(root, force=True)
    for process in made.processes():  # a failed test must not leave anything behind
        os.kill(process, signal.SIGKILL)


@pytest.fixture(scope="module")
def up(whole):
    """The project with its local cloud kept up and a first model deployed."""
    whole.cli("up")
    first = whole.run()
    assert first["status"] == "Deployed", first
    return whole


@pytest.fixture(scope="module")
def place(up):
    """(session, deployment) of the running local cloud."""
    with attach(up.root) as local:
        session = up.session(local)
        yield session, find_deployment(session, "dev", "penguins")


@pytest.fixture(autouse=True)
def _clean(request):
    yield
    if "whole" in request.fixturenames:
        request.getfixturevalue("whole").restore()
