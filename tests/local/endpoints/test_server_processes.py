"""One server's process, in each way that the launcher may start one."""

from __future__ import annotations

import os

import pytest

from modelwright.local.processes.launcher import Launcher
from modelwright.local.sagemaker.hosting.server import Server, ServerFailed, ServerSpec

SCRIPT = """
import os, pathlib, mw_beside
def model_fn(d): return pathlib.Path(d, "model.txt").read_text()
def input_fn(body, content_type): return body
def predict_fn(body, model): return [model, mw_beside.VALUE, os.environ["MINE"]]
"""


@pytest.fixture(
    scope="module",
    params=[{}, {"mounts": False}, {"fork": False}, {"fork": False, "mounts": False}],
    ids=["forked, mounted", "forked, translated", "executed, mounted", "executed, translated"],
)
def launcher(request):
    made = Launcher([], **request.param)
    yield made
    made.stop()


@pytest.fixture
def make(launcher, archive, tmp_path):
    def make(script: str = SCRIPT, seconds: float = 120) -> tuple[Server, list[str]]:
        packed = tmp_path / "model.tar.gz"
        packed.write_bytes(archive({"model.txt": "here", "code/serve.py": script, "code/mw_beside.py": "VALUE = 7\n"}))
        environment = {
            "PATH": os.environ["PATH"],
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "MINE": "mine",
        }
        lines: list[str] = []
        return Server(launcher, ServerSpec(tmp_path / "root", packed, environment, seconds), lines.append), lines

    return make


def test_it_serves_from_its_own_tree_and_leaves_nothing(make, tmp_path):
    server, lines = make()
    server.start()
    reply = server.exchange("POST", "/invocations", {"Content-Type": "text/csv"}, b"1,2", 120)
    assert (reply.status, reply.body) == (200, b'["here", 7, "mine"]')
    process = server._process
    server.stop()
    assert process.wait(120) == 0
    assert not (tmp_path / "root").exists()
    assert any('"event": "stopped"' in line for line in lines)


def test_why_it_does_not_serve_is_known_at_once(make):
    server, _ = make("import no_such_thing_here")
    with pytest.raises(ServerFailed, match="No module named 'no_such_thing_here'"):
        server.start()


def test_one_that_never_gets_ready_is_given_up(make, tmp_path):
    os.mkfifo(tmp_path / "gate")
    server, _ = make(f"def model_fn(d): return open({str(tmp_path / 'gate')!r}).read()", seconds=0.2)
    with pytest.raises(ServerFailed, match=r"It did not serve after 0\.2 s"):
        server.start()


def test_one_that_keeps_ending_by_itself_is_given_up(make):
    server, lines = make()
    server.start()
    with server._changed:
        while not server._reason:
            server._process.kill()
            assert server._changed.wait(120)
    assert server._reason == "the model server ends by itself again and again, with status -9"
    assert len([line for line in lines if "it is started again" in line]) == 3
    with pytest.raises(ServerFailed, match="again and again"):
        server.exchange("GET", "/ping", {}, b"", 120)
    server.stop()
