"""How a server begins and ends: why it does not start, what it does with a call that hangs, what SIGTERM does."""

import hashlib
import importlib.metadata
import io
import json
import os
import socket
import tarfile
import threading
import zipfile

import pytest

from modelwright.serving.problems import StartupError
from modelwright.serving.settings import bind_port

MODEL = "def model_fn(d): return lambda x: x\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("x = 1\n", "has no model_fn"),
        (MODEL + "def transform_fn(m, b, c, a): pass\ndef predict_fn(d, m): pass\n", "transform_fn beside predict_fn"),
        ("def model_fn(d): open(d + '/gone')\n", "model_fn failed: FileNotFoundError"),
        (
            "class Stop(BaseException): pass\ndef model_fn(d): raise Stop('here')\n",
            "model_fn failed: inference.Stop: here",
        ),
        (
            "class Stop(BaseException): pass\nraise Stop('there')\n",
            "cannot be imported: inference.Stop: there (line 2)",
        ),
        ("def model_fn(d): raise SystemExit('no licence')\n", "model_fn failed: SystemExit: no licence"),
        (MODEL + "def warm_up_fn(model): model.gone\n", "warm_up_fn failed: AttributeError: 'function' object has no"),
    ],
)
def test_a_server_that_cannot_start_ends_with_the_reason(start, script, reason):
    server = start(script)
    status, output = server.ended()
    assert status == 1
    assert (server.told["ready"], reason in server.told["reason"]) == (False, True), server.told
    assert reason in output


def test_a_port_in_use_is_named(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(MODEL, "--port", str(port))
        assert f"The port {port} of 127.0.0.1 cannot be used: Address already in use" in server.told["reason"]
        assert server.process.wait(20) == 1


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("SAGEMAKER_PROGRAM", "other.py", "There is no code/other.py"),
        ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://bucket/code.tar.gz", "must lie in the model archive"),
        ("MODELWRIGHT_REQUEST_TIMEOUT_SECONDS", "soon", "MODELWRIGHT_REQUEST_TIMEOUT_SECONDS is 'soon'"),
        ("MODELWRIGHT_MODEL_SHA256", "0" * 64, "there is no --archive"),
        ("MODELWRIGHT_REQUEST_TIMEOUT_SECONDS", "nan", "it must be a number greater than 0, at most 86400"),
        ("MODELWRIGHT_MAX_BODY_BYTES", "inf", "it must be a whole number from 1 to 2147483647"),
        ("MODELWRIGHT_MAX_BODY_BYTES", "0.5", "it must be a whole number from 1"),
    ],
)
def test_a_wrong_setting_is_named(start, variable, value, reason):
    server = start(MODEL, **{variable: value})
    assert reason in server.told["reason"]
    assert server.process.wait(20) == 1


@pytest.mark.parametrize("port", ["65536", "80.5", "-1", "x", "\u0661"])
def test_a_port_that_is_none_is_named(port):
    with pytest.raises(StartupError, match=r"SAGEMAKER_BIND_TO_PORT is .* from 0 to 65535"):
        bind_port({"SAGEMAKER_BIND_TO_PORT": port})


def archive(path, **files):
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py"))
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_an_archive_is_served_when_it_is_the_expected_one(start, tmp_path):
    packed = archive(tmp_path / "model.tar.gz", code__inference_py=MODEL)
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    arguments = ("--archive", str(packed))
    server = start("", *arguments, folder=tmp_path / "good", MODELWRIGHT_MODEL_SHA256=digest)
    assert server.invoke("1,2").json == [[1.0, 2.0]]
    other = start("", *arguments, folder=tmp_path / "bad", MODELWRIGHT_MODEL_SHA256="0" * 64)
    assert f"has the SHA-256 {digest}" in other.told["reason"]
    assert not (tmp_path / "bad").exists()


def test_the_port_is_that_of_the_environment(start):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = start(MODEL, "--host", "127.0.0.1", "--port", str(port), SAGEMAKER_BIND_TO_PORT="1")
    assert (server.port, server.ask("GET", "/ping").status) == (port, 200)


def test_nothing_listens_before_the_model_is_loaded(start, tmp_path):
    """`/ping` must not answer 200 before: here nobody can even connect, and model_fn itself looks."""
    script = """
    import os, socket
    def model_fn(d):
        ports = {line.split()[1].split(":")[1] for line in open("/proc/net/tcp").readlines()[1:]
                 if line.split()[3] == "0A" and line.split()[9] in inodes()}
        assert not ports, ports
        return lambda x: x
    def inodes():
        found = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
        return found
    """
    server = start(script)
    assert server.told["ready"] is True, server.told


def test_nothing_is_answered_before_the_model_is_warm(start):
    script = MODEL + "WARM = []\ndef warm_up_fn(model): WARM.append(1)\ndef predict_fn(data, model): return WARM\n"
    assert start(script).invoke("1").json == [1]


HANGING = """
import pathlib, time

def model_fn(d):
    return pathlib.Path(d)

def input_fn(body, content_type):
    return body

def predict_fn(body, folder):
    if body == "loop":
        while True:
            pass
    if body == "sleep":
        time.sleep(3600)
    if body == "swallow":
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                pass
    return body
"""


def test_a_call_that_hangs_is_504_and_the_next_is_answered(start):
    server = start(HANGING, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.2")
    for body in ("loop", "sleep", "swallow"):
        answer = server.invoke(body)
        assert (answer.status, answer.json["error"]) == (504, "ModelTimeout")
        assert server.invoke("fine").json == "fine"
    assert server.ask("GET", "/ping").status == 200


def test_a_server_whose_calls_hang_for_good_ends_itself(start):
    server = start(HANGING, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.1")
    for _ in range(4):
        assert server.invoke("sleep").status == 504
    status, output = server.ended()
    assert (status, "predictions hang" in output) == (1, True)


def test_ping_answers_while_a_prediction_runs(start, tmp_path):
    os.mkfifo(tmp_path / "gate")
    script = f"""
    def model_fn(d): return 1
    def input_fn(body, content_type): return body
    def predict_fn(body, model):
        with open({str(tmp_path / "gate")!r}) as gate:
            return gate.read()
    """
    server = start(script)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(server.invoke("x").json))
    asking.start()
    with (tmp_path / "gate").open("w") as gate:  # opens when predict_fn has opened it to read: it is inside now
        assert server.ask("GET", "/ping").status == 200
        assert not answers
        gate.write("done")
    asking.join(20)
    assert answers == ["done"]


def test_a_slow_body_is_408(start):
    server = start(MODEL, MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="0.2")
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1,")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_sigterm_lets_a_request_finish_and_ends_with_0(start, tmp_path):
    os.mkfifo(tmp_path / "gate")
    script = f"""
    def model_fn(d): return 1
    def input_fn(body, content_type): return body
    def predict_fn(body, model):
        with open({str(tmp_path / "gate")!r}) as gate:
            return gate.read()
    """
    server = start(script)
    connection = server.connect()
    connection.request("POST", "/invocations", "x", {"Content-Type": "text/csv"})
    with (tmp_path / "gate").open("w") as gate:
        server.process.terminate()
        gate.write("finished")
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (200, "finished")
    status, output = server.ended()
    assert (status, '"because": "SIGTERM"' in output) == (0, True)


def test_a_thread_that_does_not_end_keeps_no_server(start):
    script = "import threading\n" + MODEL.replace(
        "return", "threading.Thread(target=threading.Event().wait).start(); return"
    )
    server = start(script)
    assert server.invoke("1").json == [[1.0]]
    assert server.stop()[0] == 0


def test_each_request_is_one_line_of_the_log_without_its_body(start):
    server = start(MODEL)
    server.invoke("1,2")
    server.invoke("secret,2")
    server.ask("GET", "/ping")
    _, output = server.stop()
    records = [json.loads(line) for line in output.splitlines() if '"request"' in line]
    assert [record["status"] for record in records] == [200, 400]
    assert set(records[0]) >= {"id", "milliseconds", "bytes_in", "bytes_out", "content_type", "accept"}
    assert "secret" not in "".join(line for line in output.splitlines() if '"request"' in line)


def test_the_traceback_of_a_failed_prediction_is_in_the_log(start):
    server = start("def model_fn(d): return 1\ndef predict_fn(d, m): return {}['gone']\n")
    assert server.invoke("1,2").json["message"] == "predict_fn: KeyError: 'gone'"
    _, output = server.stop()
    assert "in predict_fn" in output
    assert "KeyError: 'gone'" in output


def test_requirements_are_installed_before_the_script_is_imported(start, tmp_path):
    package = tmp_path / "wheels"
    package.mkdir()
    make_wheel(package)
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code/requirements.txt").write_text(f"# one\n--no-index\n--find-links {package}\nmw-test-thing==1.0\n")
    script = "import mw_test_thing\ndef model_fn(d): return lambda x: mw_test_thing.VALUE\n"
    server = start(script, folder=model)
    assert server.told["ready"] is True, server.told
    assert server.invoke("1,2").json == 42


def test_requirements_go_where_they_are_told_to(start, tmp_path):
    """In a container the model's folder may be read-only."""
    make_wheel(tmp_path)
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code/requirements.txt").write_text(f"--no-index\n--find-links {tmp_path}\nmw-test-thing==1.0\n")
    script = "import mw_test_thing\ndef model_fn(d): return lambda x: mw_test_thing.VALUE\n"
    server = start(script, "--packages", str(tmp_path / "packages"), folder=model, PYTHONDONTWRITEBYTECODE="1")
    assert server.invoke("1,2").json == 42
    assert sorted(entry.name for entry in (model / "code").iterdir()) == ["inference.py", "requirements.txt"]


def test_what_a_requirement_needs_and_is_there_stays_as_it_is(start, tmp_path):
    """`pip install --target` would put the newest scikit-learn before the one that made the model."""
    make_wheel(tmp_path, needs="numpy>=1")
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code/requirements.txt").write_text(f"--no-index\n--find-links {tmp_path}\nmw-test-thing==1.0\n")
    script = (
        "import mw_test_thing, numpy\n"
        "def model_fn(d): return lambda x: [mw_test_thing.VALUE, '.packages' in numpy.__file__]\n"
    )
    server = start(script, folder=model, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert server.told["ready"] is True, server.told
    assert server.invoke("1,2").json == [42, False]


def test_another_version_that_a_requirement_names_is_the_model_s_alone(start, tmp_path):
    """The environment that runs the server keeps its own."""
    make_wheel(tmp_path, name="iniconfig", version="99.0")
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code/requirements.txt").write_text(f"--no-index\n--find-links {tmp_path}\niniconfig==99.0\n")
    server = start("import iniconfig\ndef model_fn(d): return lambda x: iniconfig.VALUE\n", folder=model)
    assert server.told["ready"] is True, server.told
    assert server.invoke("1,2").json == 42
    assert importlib.metadata.version("iniconfig") != "99.0"


def test_a_requirement_that_cannot_be_installed_is_the_reason(start, tmp_path):
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code/requirements.txt").write_text("--no-index\nmw-no-such-package==9.9\n")
    server = start(MODEL, folder=model)
    assert "code/requirements.txt cannot be installed" in server.told["reason"]
    assert "mw-no-such-package" in server.told["reason"]


def make_wheel(folder, name="mw_test_thing", version="1.0", needs=None):
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "VALUE = 42\n")
        wheel.writestr(f"{info}/METADATA", about + (f"Requires-Dist: {needs}\n" if needs else ""))
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def test_more_clients_than_files_are_answered_all_the_same(start):
    """Those that are idle make room; the limit is that of the machine, and not the usual one of a shell."""
    script = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n" + MODEL
    server = start(script)
    clients = []
    for _ in range(100):
        clients.append(socket.create_connection(("127.0.0.1", server.port), 20))
        clients[-1].sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
    assert clients[-1].recv(1000).startswith(b"HTTP/1.1 200 OK")
    for client in clients:
        client.close()
    assert server.invoke("1,2").status == 200


def test_a_server_may_have_as_many_connections_as_the_machine_allows(start):
    script = """
    import resource
    def model_fn(d): return lambda x: [*resource.getrlimit(resource.RLIMIT_NOFILE)]
    """
    soft, hard = start(script).invoke("1").json
    assert soft >= min(hard, 65_536) or hard == -1
