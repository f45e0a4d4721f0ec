"""Model servers of several workers, for the tests that look at one of them."""

import contextlib
import json
import os
from pathlib import Path

SCRIPT = """
import os, signal, pathlib

def model_fn(folder):
    return os.getpid()

def input_fn(body, content_type):
    return body

def predict_fn(body, loaded_by):
    if body == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if body.startswith("wait "):
        open(body[5:]).read()
    return [os.getpid(), loaded_by]
"""


def records(server, event):
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask(connection, body):
    connection.request("POST", "/invocations", body, {"Content-Type": "text/csv", "Accept": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    return json.loads(text)


def each_worker(server, count=2):
    """Return connections to so many workers, by the worker's process id."""
    found = {}
    while len(found) < count:
        connection = server.connect()
        found.setdefault(ask(connection, "hello")[0], connection)
    return found


def metric(server, name):
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"modelwright_{name} "))


@contextlib.contextmanager
def held(folder, connections):
    """Send each connection a request that is worked on until the end of the block."""
    with contextlib.ExitStack() as stack:
        for number, connection in enumerate(connections):
            gate = folder / str(number)
            os.mkfifo(gate)
            connection.request("POST", "/invocations", f"wait {gate}", {"Content-Type": "text/csv"})
            stack.enter_context(gate.open("w"))  # opens when the worker has it open
        yield
