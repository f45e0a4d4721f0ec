"""What a script forks is no server: it ends nobody's server, and keeps no connection and no port."""

import os
import socket

import pytest

SCRIPT = """
import multiprocessing, os, sys

def model_fn(d): return multiprocessing.get_context("fork")
def input_fn(body, content_type): return body
def square(x): return x * x
"""
POOL = """
def predict_fn(body, context):
    with context.Pool(2) as pool:
        return pool.map(square, [1, 2, 3])
"""
CHILD = """
def wait(gate):
    with open(gate) as file:
        file.read()

def predict_fn(gate, context):
    child = context.Process(target=wait, args=(gate,), daemon=True)
    child.start()
    return child.pid
"""
BACK = """
def predict_fn(body, context):
    pid = os.fork()
    if pid == 0:
        if body == "exit":
            sys.exit(0)
        if body == "raise":
            raise ValueError("in the child")
        return "child"
    os.waitpid(pid, 0)
    return "parent"
"""


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_pool_that_is_terminated_ends_no_server(start, workers):
    server = start(SCRIPT + POOL, MODELWRIGHT_WORKERS=workers)
    for _ in range(5):
        assert server.invoke("x").json == [1, 4, 9]
    status, output = server.stop()
    assert status == 0
    assert output.count('"stopped"') == int(workers)


def test_a_child_that_stays_keeps_no_connection_and_no_port(start, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    server = start(SCRIPT + CHILD)
    body = str(gate).encode()
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        with gate.open("w"):  # opens when the child has it open
            child = int(read_all(connection).partition(b"\r\n\r\n")[2])
            server.process.kill()  # so that nothing of the script ends the child
            server.process.wait(20)
            assert os.path.exists(f"/proc/{child}")  # noqa: PTH110
            with socket.socket() as again:
                again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                again.bind(("127.0.0.1", server.port))
                again.listen()


@pytest.mark.parametrize("way", ["return", "exit", "raise"])
def test_a_child_that_comes_back_from_the_function_answers_nobody(start, way):
    server = start(SCRIPT + BACK)
    for _ in range(3):
        assert server.invoke(way).json == "parent"
    assert server.stop()[0] == 0
