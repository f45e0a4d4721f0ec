"""What a client sees of a connection, over real sockets."""

import contextlib
import json
import os
import socket

import pytest

SCRIPT = """
def model_fn(d): return 1
def input_fn(body, content_type): return body
def predict_fn(body, model): return body
"""
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"


@pytest.fixture(scope="module")
def server(start):
    return start(SCRIPT)


def post(body, more=b""):
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def talk(server, *pieces):
    """Send the pieces, then no more (the socket is half closed), and read to the end."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def reset_or_answer(server, data):
    """Return what came before the other end was gone."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


def test_a_half_closed_client_gets_all_its_answers_in_order(server):
    bodies = [b"body-%d" % number for number in range(100)]
    answer = talk(server, b"".join(map(post, bodies)))
    assert answer.count(b"HTTP/1.1 200 OK") == 100
    places = [answer.index(b'"%b"' % body) for body in bodies]
    assert places == sorted(places)


def test_good_requests_before_a_bad_one_are_answered(server):
    answer = talk(server, post(b"good") + b"nonsense\r\n\r\n" + post(b"never"))
    assert answer.index(b'"good"') < answer.index(b"HTTP/1.1 400 ")
    assert b"never" not in answer


def test_head_has_the_length_and_no_body(server):
    answer = talk(server, b"HEAD /nothing HTTP/1.1\r\n\r\n" + b"GET /ping HTTP/1.1\r\n\r\n")
    refused, _, ping = answer.partition(b"\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 404 ")
    assert b"content-length: 0" not in refused
    assert ping.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("line", "allowed"),
    [(b"GET /invocations", b"POST"), (b"OPTIONS /invocations", b"POST"), (b"POST /ping", b"GET, HEAD")],
)
def test_another_method_is_405_with_those_that_there_are(server, line, allowed):
    answer = talk(server, line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nallow: " + allowed + b"\r\n" in answer


def test_a_worker_that_dies_in_the_midst_of_pipelined_requests_sends_no_half_answer(start):
    script = SCRIPT.replace(
        "def predict_fn(body, model): return body",
        """
import os
def predict_fn(body, model): return os._exit(9) if body == "die" else body
""",
    )
    server = start(script, MODELWRIGHT_WORKERS="2")
    for _ in range(3):
        answer = reset_or_answer(server, post(b"one") + post(b"two") + post(b"die") + post(b"never"))
        assert b"never" not in answer
        for each in answer.split(b"HTTP/1.1 200 OK")[1:]:
            assert each.endswith((b'"one"', b'"two"'))
    assert talk(server, post(b"next")).endswith(b'"next"')


def test_who_asks_whether_to_go_on_is_told_so(server):
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"1,2")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_who_asks_with_too_much_is_refused_without_sending_it(server):
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_http_1_0_closes_unless_asked(server):
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert b"connection: keep-alive" in connection.recv(1000)
        connection.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
        assert b"connection: close" in b"".join(iter(lambda: connection.recv(1000), b""))


def test_a_line_end_in_a_scripts_content_type_makes_no_header(start):
    script = SCRIPT + 'def output_fn(p, a): return p, "text/csv\\r\\nx-evil: 1"\n'
    answer = talk(start(script), post(b"x"))
    assert b"\r\nx-evil" not in answer


def test_a_slow_head_is_408(start):
    server = start(SCRIPT, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.2")
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHo")
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_sigterm_answers_what_had_been_sent_on_every_connection(start, tmp_path):
    os.mkfifo(tmp_path / "gate")
    script = f"""
    def model_fn(d): return 1
    def input_fn(body, content_type): return body
    def predict_fn(body, model):
        if body == "wait":
            open({str(tmp_path / "gate")!r}).read()
        return body
    """
    server = start(script)
    connections = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(20)]
    connections[0].sendall(post(b"wait"))
    with (tmp_path / "gate").open("w"):
        for number, connection in enumerate(connections[1:]):
            connection.sendall(post(b"%d" % number))
        server.process.terminate()
    answers = [b"".join(iter(lambda c=connection: c.recv(1000), b"")) for connection in connections]
    assert [json.loads(a.partition(b"\r\n\r\n")[2]) for a in answers] == ["wait", *map(str, range(19))]
    assert server.ended()[0] == 0
