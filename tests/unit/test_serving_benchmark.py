"""The benchmark of model servers: what it reads, compares and shows; a tiny run against a stdlib server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import joblib
import pytest
from sklearn.dummy import DummyClassifier

from benchmarks.serving import report, venvs, wrk
from benchmarks.serving.command import main
from benchmarks.serving.measure import Case, Plan, Results, measure
from benchmarks.serving.model import Prediction, difference
from benchmarks.serving.peers import SERVERS, Aws, MlFlow
from benchmarks.serving.running import ask
from benchmarks.serving.server import Body, Launch, Place, Server
from benchmarks.serving.wrk import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.serving.running import Running

CASE = Case(1, "csv", 16)
OUTPUT = """\
Running 3s test @ http://127.0.0.1:8080/invocations
  1 threads and 16 connections
  8172 requests in 3.00s, 1.87MB read
RESULT {"requests": 6000, "microseconds": 3000000, "p50": 1500, "p99": 40000, "connect": 0, "read": %d, "write": 0, \
"status": %d, "timeout": 1}
"""
PEER = """
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        rows = self.rfile.read(int(self.headers["Content-Length"])).count(b"\\n")
        one = {"sex": "female", "probability": {"female": float(sys.argv[2]), "male": 1 - float(sys.argv[2])}}
        body = json.dumps({"predictions": [one] * rows}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Simple(Server):
    name, requirements, formats = "simple", None, ("csv",)

    def __init__(self, says: str = "0.5") -> None:
        self.says = says

    def launch(self, place: Place) -> Launch:
        return Launch([[place.python, "-c", PEER, place.port, self.says]])


class Broken(Simple):
    name = "broken"

    def launch(self, place: Place) -> Launch:
        return Launch([[place.python, "-c", "raise SystemExit('no model here')"]])


def figures(per_second: float, *, errors: int = 0, p99: float = 10.0) -> Figures:
    return Figures(requests=100, errors=errors, per_second=per_second, p50_ms=1.0, p99_ms=p99)


@pytest.fixture(autouse=True)
def nginx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "lacks", lambda self: "")


def plan(**servers: Server) -> Plan:
    return Plan(servers=servers, cases=[CASE, Case(100, "csv", 16)], rounds=2, starts=2, workers=1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that finds both sexes equally likely."""
    folder = tmp_path / "trained"
    folder.mkdir()
    fitted = DummyClassifier(strategy="prior").fit([[0], [1]], ["female", "male"])
    joblib.dump({"model": fitted, "classes": ["female", "male"]}, folder / "model.joblib")
    return folder


def one_request(running: Running, case: Case, script: Path) -> Figures:
    status, _ = ask(running.place.port, Body("text/csv", (script.parent / "body").read_bytes()))
    assert status == 200
    return figures(100)


def test_wrk_output_is_read() -> None:
    assert wrk.parse(OUTPUT % (0, 0)) == Figures(6000, 1, 2000.0, 1.5, 40.0)


def test_every_kind_of_error_counts() -> None:
    assert wrk.parse(OUTPUT % (2, 3)).errors == 6


def test_output_without_a_result_is_an_error() -> None:
    with pytest.raises(ValueError, match="has 0 lines that begin with 'RESULT '"):
        wrk.parse("unable to connect to 127.0.0.1:8080 Connection refused\n")


def test_a_missing_wrk_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 2
    assert "sudo apt install wrk" in capsys.readouterr().err


def test_an_unknown_server_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--servers", "aws,flask"])
    assert (
        "flask is none of aws, fastapi, bentoml, mlflow, empty, ours, ours-1, compiled, compiled-1"
        in capsys.readouterr().err
    )


def test_the_script_posts_the_body(tmp_path: Path) -> None:
    text = wrk.write_script(tmp_path, Body("text/csv", b"a,1\n")).read_text()
    assert 'wrk.headers["Content-Type"] = "text/csv"' in text
    assert str(tmp_path / "body") in text
    assert (tmp_path / "body").read_bytes() == b"a,1\n"


def test_bodies_are_what_each_server_takes() -> None:
    rows = [{"species": "Adelie", "body_mass_g": 3750.0}]
    assert SERVERS["ours"].body(rows, "csv") == Body("text/csv", b"Adelie,3750.0\n")
    assert MlFlow().body(rows, "csv").content == b"species,body_mass_g\nAdelie,3750.0\n"
    assert b'{"dataframe_records": [{"species"' in MlFlow().body(rows, "json").content


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ([Prediction("male", {"female": 0.4, "male": 0.6})], None),
        ([Prediction("male", {"female": 0.4000009, "male": 0.6})], None),
        ([Prediction("male", {"female": 0.400002, "male": 0.6})], "row 0 is"),
        ([Prediction("female", {"female": 0.4, "male": 0.6})], "row 0 is"),
        ([Prediction("male", {"male": 0.6})], "row 0 is"),
        ([], "0 answers to 1 rows"),
    ],
)
def test_answers_are_compared(found: list[Prediction], wrong: str | None) -> None:
    said = difference([Prediction("male", {"female": 0.4, "male": 0.6})], found)
    assert said is None if wrong is None else said is not None and said.startswith(wrong)


def test_the_table_has_ratios_and_targets() -> None:
    results = Results(
        runs={CASE: {"aws": [figures(100), figures(200)], "ours": [figures(600, p99=4), figures(1200, p99=4)]}}
    )
    text = report.as_markdown(plan(aws=SERVERS["aws"], ours=SERVERS["ours"]), results)
    assert "| 1 | csv | 16 | ours (Python path) | 900 | 1.00 | 4.00 | 6 |  |" in text
    assert "16 clients | at least 5 x | 6 x | met |" in text
    assert "| p99 of AWS's stack, 1 CSV row, 16 clients | at most 0.5 x | 0.4 x | met |" in text
    assert "64 clients | at most 0.5 x |  | not measured |" in text
    assert "| the compiled path | requests/s of AWS's stack, 1 CSV row, 16 clients | at least 30 x |  | no such" in text


def test_a_target_is_not_met() -> None:
    results = Results(runs={CASE: {"aws": [figures(100)], "ours": [figures(499)]}})
    text = report.as_markdown(plan(aws=SERVERS["aws"], ours=SERVERS["ours"]), results)
    assert "at least 5 x | 4.99 x | not met |" in text


def test_a_verdict_beside_half_of_aws_stack_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "lacks", lambda self: "nginx")
    results = Results(runs={CASE: {"aws": [figures(100)], "ours": [figures(600)]}})
    text = report.as_markdown(plan(aws=SERVERS["aws"], ours=SERVERS["ours"]), results)
    assert "at least 5 x | 6 x | met (AWS's without nginx) |" in text
    assert "gunicorn (gevent) alone: nginx, which AWS's image has before it, is not installed" in text


def test_a_run_with_errors_is_no_result() -> None:
    results = Results(runs={CASE: {"aws": [figures(100)], "ours": [figures(9000, errors=3)]}})
    text = report.as_markdown(plan(aws=SERVERS["aws"], ours=SERVERS["ours"]), results)
    assert "| 1 | csv | 16 | ours (Python path) | no result: 3 errors |  |  |  |  |" in text
    assert "9,000" not in text
    assert report.has_errors(results)


def test_a_tiny_run(model: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def load(running: Running, case: Case, script: Path) -> Figures:
        seen.extend(running.processes.ids())
        return one_request(running, case, script)

    settings = plan(simple=Simple(), broken=Broken())
    results = measure(settings, model, tmp_path, load)
    assert {case: len(runs["simple"]) for case, runs in results.runs.items()} == dict.fromkeys(settings.cases, 2)
    assert len(results.start_seconds["simple"]) == 2
    assert results.memory_mib["simple"]["small"] > 1
    assert "no model here" in results.missing["broken"]
    assert "| broken | not measured: has not answered 200" in report.as_markdown(settings, results)
    assert seen
    assert not any(os.path.exists(f"/proc/{pid}") for pid in seen)  # noqa: PTH110


def test_a_server_that_answers_wrongly_is_not_measured(model: Path, tmp_path: Path) -> None:
    def load(running: Running, case: Case, script: Path) -> Figures:
        raise AssertionError("it was measured")

    with pytest.raises(RuntimeError, match="simple answers wrongly to 1 rows of csv: row 0 is"):
        measure(plan(simple=Simple("0.6")), model, tmp_path, load)


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "peer.txt").write_text("./gone-1.0-py3-none-any.whl\n")
    monkeypatch.setattr(venvs, "REQUIREMENTS", tmp_path)
    with pytest.raises(venvs.PeerUnavailable, match=r"cannot be installed from peer\.txt: .*gone-1\.0"):
        venvs.python_of("peer", cache=tmp_path)


def test_aws_stands_behind_nginx_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etc = tmp_path / "venv/lib/python3.11/site-packages/sagemaker_containers/etc"
    etc.mkdir(parents=True)
    names = (
        "pid /tmp/nginx.pid; unix:/tmp/gunicorn.sock; listen %NGINX_HTTP_PORT% deferred; %NGINX_PROXY_READ_TIMEOUT%s;"
    )
    (etc / "nginx.conf.template").write_text(names)
    monkeypatch.setattr("benchmarks.serving.peers.shutil.which", lambda name: f"/usr/sbin/{name}")
    place = Place(tmp_path / "venv/bin/python", tmp_path / "model", tmp_path, tmp_path, 4321, 2)
    commands = [[str(part) for part in command] for command in Aws().launch(place).commands]
    assert f"unix:{tmp_path}/gunicorn.sock" in commands[0]
    assert commands[1][:3] == ["/usr/sbin/nginx", "-c", f"{tmp_path}/nginx.conf"]
    assert "listen 127.0.0.1:4321 deferred; 60s;" in (tmp_path / "nginx.conf").read_text()
    monkeypatch.setattr("benchmarks.serving.peers.shutil.which", lambda name: None)
    (alone,) = Aws().launch(place).commands
    assert "127.0.0.1:4321" in alone
