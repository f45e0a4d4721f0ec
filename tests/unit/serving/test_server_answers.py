"""One real server, every kind of request: each is answered, and the next good one gets 200."""

import io
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

LIMIT = 2000
SCRIPT = """
import json

CONTENT_TYPES = ("application/json", "text/csv", "application/octet-stream")
ACCEPT_TYPES = ("application/json", "text/csv")
EXECUTION_PARAMETERS = {"MaxConcurrentTransforms": 1}


class TooEarly(Exception):
    status = 425


def model_fn(model_dir):
    return {"calls": 0}

def input_fn(body, content_type):
    if content_type == "application/octet-stream":
        return [[len(body)]]
    if content_type == "application/json":
        return json.loads(body)
    rows = [line.split(",") for line in body.splitlines()]
    if rows[0] == ["a", "b"]:
        rows = rows[1:]
    if any(len(row) != 2 for row in rows):
        raise ValueError(f"a row must have 2 columns; found {rows}")
    return [[float(cell) for cell in row] for row in rows]

def predict_fn(rows, model, context):
    model["calls"] += 1
    if rows == [[6.0, 6.0]]:
        return helper()[7]
    if rows == [[7.0, 7.0]]:
        raise ValueError("sevens are not known")
    if rows == [[8.0, 8.0]]:
        raise TooEarly("come again")
    if rows == [[9.0, 9.0]]:
        raise SystemExit(9)
    return {"sums": [sum(row) for row in rows], "id": context.request_id, "custom": context.custom_attributes}

def helper():
    return json.loads("[1]")

def output_fn(prediction, accept):
    if accept == "text/csv":
        return "\\n".join(map(str, prediction["sums"])), "text/csv; charset=utf-8"
    return json.dumps(prediction)
"""


@pytest.fixture(scope="module")
def server(start):
    return start(SCRIPT, MODELWRIGHT_MAX_BODY_BYTES=str(LIMIT))


@pytest.fixture(autouse=True)
def _the_next_good_request_gets_200(server):
    yield
    answer = server.invoke("1,2")
    assert (answer.status, answer.json["sums"]) == (200, [3.0])


def test_ping_is_empty_and_200(server):
    answer = server.ask("GET", "/ping")
    assert (answer.status, answer.body) == (200, b"")


def test_execution_parameters_are_the_scripts(server):
    assert server.ask("GET", "/execution-parameters").json == {"MaxConcurrentTransforms": 1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/invocations", 405),
        ("POST", "/ping", 405),
        ("POST", "/execution-parameters", 405),
        ("PUT", "/invocations", 405),
    ],
)
def test_other_paths_and_methods_are_refused_as_json(server, method, path, status):
    answer = server.ask(method, path)
    assert (answer.status, set(answer.json)) == (status, {"error", "message"})


@pytest.mark.parametrize(
    ("body", "content_type", "sums"),
    [
        ("1,2\n3,4\n", "text/csv", [3.0, 7.0]),
        ("1,2\r\n3,4\r\n", "text/csv", [3.0, 7.0]),
        ("a,b\n1,2\n", "text/csv", [3.0]),
        (b"\xef\xbb\xbfa,b\r\n1,2", "text/csv; charset=utf-8", [3.0]),
        ("1,2".encode("utf-16"), "text/csv; charset=utf-16", [3.0]),
        ("[[1, 2]]", "application/json; charset=utf-8", [3]),
        ("[[1, 2]]", None, [3]),
        (b"\xff\x00\x01", "application/octet-stream", [3]),
    ],
)
def test_good_bodies(server, body, content_type, sums):
    answer = server.invoke(body, content_type)
    assert (answer.status, answer.json["sums"]) == (200, sums)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        ("1,2", "text/xml", 415, "this model takes application/json, text/csv, application/octet-stream"),
        ("1,2", "csv", 415, "must be a media type"),
        ("1,2", "text/csv; charset=klingon", 415, "klingon"),
        (b"\xff\xfe\xfd", "text/csv", 400, "not utf-8"),
        ("", "text/csv", 400, "The body is empty"),
        ("[[1, 2], [3", "application/json", 400, "input_fn: json.decoder.JSONDecodeError"),
        ("1,x", "text/csv", 400, "could not convert string to float: 'x'"),
        ("1", "text/csv", 400, "a row must have 2 columns"),
        ("1,2,3", "text/csv", 400, "a row must have 2 columns"),
        ("6,6", "text/csv", 500, "predict_fn: IndexError: list index out of range"),
        ("7,7", "text/csv", 400, "predict_fn: ValueError: sevens are not known"),
        ("8,8", "text/csv", 425, "come again"),
        ("9,9", "text/csv", 500, "predict_fn: SystemExit: 9"),
    ],
)
def test_bad_bodies_get_their_status_and_say_why(server, body, content_type, status, message):
    answer = server.invoke(body, content_type)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert message in answer.json["message"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/xml, text/csv;q=0.5", "text/csv; charset=utf-8"),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_answer_has_the_accepted_type(server, accept, content_type):
    answer = server.invoke("1,2", accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)


def test_an_accept_that_the_model_cannot_do_is_406_before_anything_is_predicted(server):
    answer = server.invoke("7,7", accept="application/xml")
    assert (answer.status, answer.json["error"]) == (406, "NotAcceptable")


@pytest.mark.parametrize("size", [LIMIT + 1, 5 * LIMIT, 400 * LIMIT])
def test_a_body_over_the_limit_is_413(server, size):
    connection = socket.create_connection(("127.0.0.1", server.port), 20)
    with connection:
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode() + b"1" * size)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"{LIMIT} bytes".encode() in answer


def test_a_chunked_body_over_the_limit_is_413_too(server):
    answer = server.ask("POST", "/invocations", iter([b"1" * 1000] * 5), {"Content-Type": "text/csv"})
    assert answer.status == 413


def test_a_body_of_exactly_the_limit_is_taken(server):
    answer = server.invoke(b"1" * LIMIT, "application/octet-stream")
    assert answer.json["sums"] == [LIMIT]


def test_the_request_carries_its_id_and_attributes_to_the_script(server):
    headers = {
        "Content-Type": "text/csv",
        "X-Amzn-SageMaker-Inference-Id": "mine-1",
        "X-Amzn-SageMaker-Custom-Attributes": "trace=7",
    }
    answer = server.ask("POST", "/invocations", "1,2", headers)
    assert (answer.json["id"], answer.json["custom"]) == ("mine-1", "trace=7")
    assert answer.headers["x-amzn-requestid"] == "mine-1"


def test_a_client_that_hangs_up_harms_nobody(server):
    for part in (b"POST /invocations HTTP/1.1\r\n", b"POST /invocations HTTP/1.1\r\nContent-Length: 9\r\n\r\n1,"):
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            connection.sendall(part)


def test_what_is_no_http_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_64_clients_at_once_each_get_their_own_answer(server):
    barrier = threading.Barrier(64)

    def ask(number):
        connection = server.connect()
        barrier.wait()
        found = []
        for _ in range(5):
            connection.request("POST", "/invocations", f"{number},1", {"Content-Type": "text/csv"})
            found += json.loads(connection.getresponse().read())["sums"]
        connection.close()
        return found == [number + 1.0] * 5

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(ask, range(100, 164)))


def test_two_requests_in_one_packet_are_answered_in_order(server):
    one = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(one + b"1,2" + one + b"3,4")
        found = b""
        while b"[7.0]" not in found:
            piece = connection.recv(4096)
            assert piece, found
            found += piece
    assert found.index(b"[3.0]") < found.index(b"[7.0]")


def test_a_model_without_functions_takes_and_gives_numpy(start):
    server = start("def model_fn(d): return lambda x: x * 2\n")
    buffer = io.BytesIO()
    np.save(buffer, np.array([[1, 2]]))
    answer = server.invoke(buffer.getvalue(), "application/x-npy", "application/x-npy")
    assert np.load(io.BytesIO(answer.body)).tolist() == [[2, 4]]
    assert server.invoke("1,2", accept="text/csv").body == b"2.0,4.0\n"
    assert server.invoke("1,2", "text/html").status == 415
    assert server.invoke("1,2", accept="text/html").status == 406
    assert server.ask("GET", "/execution-parameters").status == 404


def test_transform_fn_alone_does_everything(start):
    server = start(
        """
        def model_fn(d):
            return 3
        def transform_fn(model, body, content_type, accept):
            if content_type != "text/csv":
                raise ValueError(f"{content_type} is not supported")
            if accept != "text/plain":
                raise ValueError(f"{accept} is not supported")
            return str(model * len(body)), accept
        """
    )
    assert server.invoke("1,2", accept="text/plain").body == b"9"
    assert server.invoke("1,2", "text/html", "text/plain").status == 415
    assert server.invoke("1,2", accept="text/html").status == 406
    assert server.invoke("1,2", accept="text/html, text/plain;q=0.5").body == b"9"


def test_an_empty_prediction_is_204_and_none_is_an_error(start):
    server = start(
        """
        def model_fn(d): return 1
        def predict_fn(d, m): return ["", None][len(d) - 1]
        def output_fn(p, a): return p
        """
    )
    assert server.invoke("1,2").status == 204
    answer = server.invoke("1,2\n3,4")
    assert (answer.status, "found NoneType" in answer.json["message"]) == (500, True)
