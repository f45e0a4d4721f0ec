"""The sample's model as a script and compiled: whatever is sent is answered as JSON, the next good request with 200.

Both are asked over real sockets, and say the same of nearly everything; where one takes more, it is written here.
"""

import json
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import penguin_models
import pytest

LIMIT = 100_000
CSV, JSON = "text/csv", "application/json"
COLUMNS = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g"
LINE = "Adelie,Torgersen,39.1,18.7,181,3750"
ROW = dict(zip(COLUMNS.split(","), ["Adelie", "Torgersen", 39.1, 18.7, 181, 3750], strict=True))


def document(**changed):
    return json.dumps(ROW | changed)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return penguin_models.make(tmp_path_factory.mktemp("penguins"))


@pytest.fixture(scope="module", params=["python", "compiled"])
def path(request):
    return request.param


@pytest.fixture(scope="module")
def folder(models, path):
    return getattr(models, path)


@pytest.fixture(scope="module")
def server(start, folder):
    return start(None, folder=folder, MODELWRIGHT_MAX_BODY_BYTES=str(LIMIT))


@pytest.fixture(autouse=True)
def _the_next_good_request_gets_200(server):
    yield
    good(server.invoke(LINE))


def good(answer, rows=1):
    assert answer.status == 200, answer.body
    assert [row["sex"] for row in answer.json["predictions"]] == ["male"] * rows


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(LINE, CSV, id="one row without a header"),
        pytest.param(f"{COLUMNS}\n{LINE}", CSV, id="one row with a header"),
        pytest.param(f"{LINE}\r\n", CSV, id="CRLF"),
        pytest.param(f"{COLUMNS}\r\n{LINE}\r\n", CSV, id="CRLF with a header"),
        pytest.param(f"{COLUMNS}\r{LINE}\r", CSV, id="CR alone"),
        pytest.param(LINE.replace("39.1", '"39.1"'), CSV, id="quotes"),
        pytest.param(f"\ufeff{LINE}", CSV, id="BOM"),
        pytest.param(f"\ufeff{COLUMNS}\r\n{LINE}\r\n", CSV, id="BOM with a header"),
        pytest.param(f"\ufeff{document()}", JSON, id="BOM before JSON"),
        pytest.param(LINE, f"{CSV}; charset=utf-8", id="charset"),
        pytest.param(LINE, 'TEXT/CSV;charset="UTF-8"; header=absent', id="charset in quotes, another parameter"),
        pytest.param(LINE.encode("utf-16"), f"{CSV};charset=utf-16", id="another charset"),
        pytest.param(document(), None, id="no content type: JSON"),
        pytest.param(document(body_mass_g="3750"), JSON, id="a number as a text"),
        pytest.param(document(more=1), JSON, id="a column too many by name"),
        pytest.param(f"{COLUMNS},more\n{LINE},1", CSV, id="a column too many under a header"),
    ],
)
def test_every_form_of_a_good_row(server, body, content_type):
    good(server.invoke(body.encode() if isinstance(body, str) else body, content_type))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(LINE.replace("Adelie", "Emperor"), CSV, id="an unknown category"),
        pytest.param(document(species="Emperor"), JSON, id="an unknown category in JSON"),
        pytest.param(document(species=None), JSON, id="no category"),
        pytest.param(LINE.replace("39.1", "NaN"), CSV, id="NaN in CSV is missing"),
        pytest.param(LINE.replace("39.1", ""), CSV, id="nothing in CSV is missing"),
        pytest.param(document(bill_length_mm=None), JSON, id="null is missing"),
    ],
)
def test_what_the_model_takes_though_it_is_missing_or_unknown(server, body, content_type):
    answer = server.invoke(body, content_type)
    assert (answer.status, len(answer.json["predictions"])) == (200, 1)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        pytest.param(LINE, None, 400, "JSON", id="no content type, no JSON"),
        pytest.param(LINE, "text/xml", 415, "text/xml", id="a content type that it does not take"),
        pytest.param(LINE, "csv", 415, "must be a media type", id="no media type"),
        pytest.param(LINE, f"{CSV}; charset=klingon", 415, "klingon", id="an unknown charset"),
        pytest.param(LINE.encode("utf-16"), CSV, 400, "not utf-8", id="another charset than it says"),
        pytest.param("", CSV, 400, "empty", id="an empty body"),
        pytest.param("", JSON, 400, "empty", id="an empty body of JSON"),
        pytest.param("\n", CSV, 400, "no rows", id="no row"),
        pytest.param(COLUMNS, CSV, 400, "no rows", id="a header alone"),
        pytest.param("[]", JSON, 400, "no rows", id="an empty list"),
        pytest.param(document()[:-9], JSON, 400, "", id="half a JSON"),
        pytest.param(document().replace("39.1", "NaN"), JSON, 400, "JSON", id="NaN in JSON"),
        pytest.param(document().replace("39.1", "-Infinity"), JSON, 400, "JSON", id="Infinity in JSON"),
        pytest.param("[" * 100_000, JSON, 400, "", id="nested too deeply"),
        pytest.param("5", JSON, 400, "object", id="JSON that is no rows"),
        pytest.param("[1]", JSON, 400, "object", id="rows that are numbers"),
        pytest.param("null", JSON, 400, "object", id="null"),
        pytest.param(document(bill_length_mm="x"), JSON, 400, "bill_length_mm", id="a text in a column of numbers"),
        pytest.param(document(bill_length_mm=True), JSON, 400, "bill_length_mm", id="true in a column of numbers"),
        pytest.param(document(bill_length_mm=[1]), JSON, 400, "bill_length_mm", id="a list in a column of numbers"),
        pytest.param(document(species=5), JSON, 400, "species", id="a number in a column of texts"),
        pytest.param(LINE.replace("39.1", "x"), CSV, 400, "bill_length_mm", id="a text in CSV's column of numbers"),
        pytest.param(LINE.replace("39.1", "inf"), CSV, 400, "bill_length_mm", id="infinite"),
        pytest.param(LINE.replace("39.1", "1e999"), CSV, 400, "bill_length_mm", id="too large"),
        pytest.param(LINE.replace("39.1", "1_0"), CSV, 400, "bill_length_mm", id="a number of Python's"),
        pytest.param(LINE.rpartition(",")[0], CSV, 400, "5 values", id="a column too few"),
        pytest.param(f"{LINE},1", CSV, 400, "7 values", id="a column too many"),
        pytest.param(f"{LINE}\n1,2", CSV, 400, "2", id="rows of different lengths"),
        pytest.param(f"{COLUMNS}\n{LINE},7", CSV, 400, "7", id="more values than the header has"),
        pytest.param(
            COLUMNS.rpartition(",")[0] + "\na,b,1,1,1", CSV, 400, "body_mass_g", id="a header without a column"
        ),
        pytest.param('{"species": "Adelie"}', JSON, 400, "bill_length_mm", id="JSON without a column"),
        pytest.param(LINE.replace(",", ";"), CSV, 400, "1 values", id="semicolons"),
        pytest.param("\x00", CSV, 400, "1 values", id="a zero byte"),
        pytest.param(f'"{LINE}', CSV, 400, "", id="a quote that does not end"),
        pytest.param(LINE.replace("39.1", '"39"x'), CSV, 400, "", id="a text behind a quote"),
        pytest.param("1" * (LIMIT + 1), CSV, 413, f"{LIMIT}", id="over the limit"),
        pytest.param("1" * 50 * LIMIT, CSV, 413, f"{LIMIT}", id="far over the limit"),
    ],
)
def test_a_bad_request_gets_its_status_and_says_why(server, body, content_type, status, said):
    answer = server.invoke(body.encode() if isinstance(body, str) else body, content_type)
    assert (answer.status, answer.headers["content-type"], set(answer.json)) == (status, JSON, {"error", "message"})
    assert said in answer.json["message"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("text/html, text/csv;q=0.5, */*;q=0.1", CSV),
        ("application/json;q=0.2, text/csv", CSV),
        ("text/*", CSV),
    ],
)
def test_the_first_accepted_type_that_there_is(server, accept, content_type):
    answer = server.invoke(LINE, accept=accept)
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, content_type)


@pytest.mark.parametrize(("accept", "status"), [("image/png", 406), ("text/html, image/*", 406), ("text/csv;q=2", 400)])
def test_an_accept_that_cannot_be(server, accept, status):
    answer = server.invoke(LINE, accept=accept)
    assert (answer.status, set(answer.json)) == (status, {"error", "message"})


@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200), ("Identity", 200)])
def test_a_compressed_body_is_415_also_when_it_could_be_read(server, coding, status):
    for _ in range(3):  # whatever is known of the head by then
        answer = server.ask("POST", "/invocations", LINE, {"Content-Type": CSV, "Content-Encoding": coding})
        assert answer.status == status
        assert status == 200 or coding in answer.json["message"]


def test_a_chunked_body_is_taken_and_over_the_limit_is_413(server):
    headers = {"Content-Type": CSV}
    good(server.ask("POST", "/invocations", iter([LINE[:9].encode(), LINE[9:].encode()]), headers))
    assert server.ask("POST", "/invocations", iter([b"1" * LIMIT, b"1"]), headers).status == 413


@pytest.mark.parametrize("sent", [b"POST /invo", b"Content-Length: 99\r\n", b"Content-Length: 99\r\n\r\nAdelie,"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_hangs_up_harms_nobody(server, sent, reset):
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        start = b"" if sent.startswith(b"POST") else b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
        connection.sendall(start + sent)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_64_clients_at_once_each_get_their_own_answer(server):
    barrier = threading.Barrier(64)

    def ask(number):
        connection = server.connect()
        barrier.wait(20)
        found = []
        for rows in (1, number % 5 + 1):
            connection.request("POST", "/invocations", "\n".join([LINE] * rows), {"Content-Type": CSV})
            found.append(len(json.loads(connection.getresponse().read())["predictions"]) == rows)
            connection.request("POST", "/invocations", f"{LINE}\n{number}", {"Content-Type": CSV})
            found.append(connection.getresponse().read().startswith(b'{"error"'))
        connection.close()
        return found

    with ThreadPoolExecutor(64) as pool:
        assert all(map(all, pool.map(ask, range(64))))


def test_a_slow_body_is_408(start, models, path, folder):
    server = start(None, folder=folder, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.5")
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAdelie,")
        answer = b""
        while piece := connection.recv(1000):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "RequestTimeout"
    good(server.invoke(LINE))
