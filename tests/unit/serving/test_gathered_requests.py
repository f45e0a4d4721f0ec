"""Requests that come together at a real server: one call, each its own answer, its own error and its own time."""

import http.client
import json
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

SCRIPT = """
import json, pathlib, time

BATCH = True

def model_fn(d):
    return pathlib.Path(d)

def input_fn(body, content_type):
    if body == "gate" and (FOLDER / "gate").exists():
        with open(FOLDER / "gate") as gate:   # those that come meanwhile are one call afterwards
            gate.read()
    rows = json.loads(body) if body != "gate" else [0]
    if rows == ["unreadable"]:
        raise ValueError("nobody can read that")
    return rows

def predict_fn(rows, model):
    if "bad" in rows:
        raise ValueError(f"bad is not good, said to {len(rows)} rows")
    if "hang" in rows:
        time.sleep(3600)
    if "loop" in rows:
        while True:
            pass
    return [[len(rows), row] for row in rows]

def output_fn(prediction, accept):
    if prediction[0][1] == "unwritable":
        raise ValueError("nobody can write that")
    return json.dumps(prediction)
"""


def placed(script, folder):
    return f"import pathlib\nFOLDER = pathlib.Path({str(folder)!r})\n{script}"


class Gate:
    """A server, and a request at its gate behind which others gather."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder

    def together(self, *bodies, meanwhile=lambda: None):
        """Send these while one is at the gate, and do something else; return its answer and theirs."""
        os.mkfifo(self.folder / "gate")
        connections = [self.server.connect() for _ in range(len(bodies) + 1)]
        connections[0].request("POST", "/invocations", "gate", {"Content-Type": "text/csv"})
        with (self.folder / "gate").open("w"):  # opens when input_fn has opened it: the thread is busy now
            for connection, body in zip(connections[1:], bodies, strict=True):
                connection.request("POST", "/invocations", json.dumps(body), {"Content-Type": "text/csv"})
            self.until_all_are_read()
            meanwhile()
            (self.folder / "gate").unlink()
        answers = [connection.getresponse() for connection in connections]
        found = [(answer.status, json.loads(answer.read())) for answer in answers]
        for connection in connections:
            connection.close()
        return found

    def until_all_are_read(self):
        """Whoever sends after them is answered by the event loop after it has read them."""
        assert self.server.ask("GET", "/ping").status == 200


@pytest.fixture(scope="module")
def gated(start, tmp_path_factory):
    def gated(**environment):
        folder = tmp_path_factory.mktemp("gated")
        return Gate(start(placed(SCRIPT, folder), MODELWRIGHT_WORKERS="1", **environment), folder)

    return gated


@pytest.fixture(scope="module")
def gate(gated):
    return gated()


def test_what_came_together_is_one_call_and_each_gets_its_own(gate):
    found = gate.together([1], [2, 3], [4])
    assert [answer for _, answer in found] == [[[5, 0]], [[5, 1]], [[5, 2], [5, 3]], [[5, 4]]]


def test_as_aws_s_image_each_is_a_call_of_its_own(gated):
    found = gated(MODELWRIGHT_SERVE="framework").together([1], [2, 3])
    assert [answer for _, answer in found] == [[[1, 0]], [[1, 1]], [[2, 2], [2, 3]]]


def test_one_alone_is_a_call_of_its_own(gate):
    assert gate.server.invoke("[7]").json == [[1, 7]]


def test_only_the_guilty_fail(gate):
    found = gate.together([1], ["bad"], ["unreadable"], ["unwritable"], ["x"])
    assert [status for status, _ in found] == [200, 200, 400, 400, 400, 200]
    assert "bad is not good, said to 1 rows" in found[2][1]["message"]
    assert "nobody can read that" in found[3][1]["message"]
    assert "nobody can write that" in found[4][1]["message"]
    assert found[5][1][0][1] == "x"


def test_rows_of_other_types_are_calls_of_their_own(gate):
    for _ in range(4):
        gate.server.invoke("[1]")  # calls have few rows after some have failed
    found = gate.together([1], ["x"], [2], [{"a": 1}], [])
    assert [answer for _, answer in found[1:5]] == [[[3, 1]], [[1, "x"]], [[3, 2]], [[1, {"a": 1}]]]
    assert found[5][0] == 500  # it has no row: alone it fails, as it would without company


def test_many_at_once_each_get_their_own(gate):
    def ask(number):
        connection = gate.server.connect()
        found = []
        for step in range(5):
            connection.request("POST", "/invocations", f"[{number}, {step}]", {"Content-Type": "text/csv"})
            answer = json.loads(connection.getresponse().read())
            found.append([row for _, row in answer] == [number, step])
        connection.close()
        return found

    with ThreadPoolExecutor(64) as pool:
        assert all(map(all, pool.map(ask, range(64))))


@pytest.mark.parametrize("word", ["loop", "hang"])
def test_a_call_that_hangs_takes_no_other_with_it(gated, word):
    gate = gated(MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="2")
    found = gate.together(["x"], [word], ["y"])
    assert [status for status, _ in found] == [200, 200, 504, 200]
    assert gate.server.invoke("[1]").json == [[1, 1]]


def test_a_client_that_hangs_up_while_its_prediction_hangs_blocks_nobody(start, tmp_path):
    os.mkfifo(tmp_path / "gate")
    script = f"""
    def model_fn(d): return 1
    def input_fn(body, content_type): return body
    def predict_fn(body, model):
        if body == "hang":
            with open({str(tmp_path / "gate")!r}) as gate:
                return gate.read()
        return body
    """
    server = start(script, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.5", MODELWRIGHT_WORKERS="1")
    connection = server.connect()
    connection.request("POST", "/invocations", "hang", {"Content-Type": "text/csv"})
    with (tmp_path / "gate").open("w"):  # opens when predict_fn is at it
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets it
        connection.close()
        statuses = []
        while 200 not in statuses and len(statuses) < 10:
            statuses.append(server.invoke("fine").status)
    assert set(statuses) <= {200, 504}
    assert statuses[-1] == 200


def test_a_script_whose_batch_is_none_is_told_so_and_served(start, tmp_path):
    script = SCRIPT.replace("[[len(rows), row] for row in rows]", "[len(rows)]").replace("[0][1]", "[0]")
    gate = Gate(start(placed(script, tmp_path), MODELWRIGHT_WORKERS="1"), tmp_path)
    assert [answer for _, answer in gate.together([1], [2, 3])] == [[1], [1], [2]]
    assert [answer for _, answer in gate.together([1], [2, 3])] == [[1], [1], [2]]
    _, output = gate.server.stop()
    told = [line for line in output.splitlines() if "not gathering" in line]
    assert len(told) == 1
    assert "1 items in a list for 4 rows" in json.loads(told[0])["because"]


def test_sigterm_loses_none_of_those_that_wait(gated):
    gate = gated()
    found = gate.together(*([number] for number in range(20)), meanwhile=gate.server.process.terminate)
    assert [status for status, _ in found] == [200] * 21
    assert [answer[0][1] for _, answer in found[1:]] == list(range(20))
    assert gate.server.ended()[0] == 0


def test_a_request_that_kills_its_worker_is_lost_alone_or_with_its_company_and_the_next_is_answered(start, tmp_path):
    script = SCRIPT.replace('if "hang" in rows:', 'if "kill" in rows:\n        os._exit(9)\n    if "hang" in rows:')
    server = start(placed(f"import os\n{script}", tmp_path), MODELWRIGHT_WORKERS="2")
    for _ in range(3):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            server.invoke('["kill"]')
        assert server.invoke("[1]").json == [[1, 1]]
    assert server.ask("GET", "/ping").status == 200
