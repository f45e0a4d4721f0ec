"""Processes as a program sees them, in each way that one may be started: forked or executed, mounted or translated."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelwright.local.processes.launcher import Launcher, Process, ProcessSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODES = {
    "forked, mounted": {},
    "executed, mounted": {"fork": False},
    "forked, translated": {"mounts": False},
    "executed, translated": {"fork": False, "mounts": False},
}
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


class Started:
    """Starts programs in one tree and collects what they print."""

    def __init__(self, launcher: Launcher, root: Path) -> None:
        self.launcher = launcher
        self.root = root
        self.code = root / "code"
        self.code.mkdir(parents=True, exist_ok=True)

    def start(self, argv: list[str], env: dict[str, str] | None = None, **more: object) -> tuple[Process, list[str]]:
        lines: list[str] = []
        spec = ProcessSpec(argv, {"PATH": PATH, **(env or {})}, self.code, self.root, "job", **more)
        return self.launcher.start(spec, lines.append), lines

    def run(self, argv: list[str], env: dict[str, str] | None = None) -> tuple[int | None, list[str]]:
        process, lines = self.start(argv, env)
        return process.wait(30), lines

    def script(self, text: str, *arguments: str, env: dict[str, str] | None = None) -> tuple[int | None, list[str]]:
        (self.code / "program.py").write_text(text)
        return self.run(["python3", "/opt/ml/code/program.py", *arguments], env)


@pytest.fixture(scope="module", params=MODES, ids=[name.replace(", ", "-") for name in MODES])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    made = Launcher([], **MODES[request.param])
    if "mounted" in request.param and not made.describe()["plain"]["mounts"]:
        made.stop()
        pytest.skip("this system allows no mount namespace: the translated modes are what it uses")
    yield made
    made.stop()


@pytest.fixture
def started(launcher: Launcher, tmp_path: Path) -> Started:
    return Started(launcher, tmp_path / "ml")


def test_opt_ml_is_the_processs_own(started: Started) -> None:
    text = """
import json, os, pathlib, shutil, sys
os.makedirs("/opt/ml/model/deep")
with open("/opt/ml/model/deep/a", "w") as file:
    file.write("a")
pathlib.Path("/opt/ml/model/b").write_text("b")
shutil.copytree("/opt/ml/model", "/opt/ml/copy")
shutil.rmtree("/opt/ml/copy/deep")
os.rename("/opt/ml/copy/b", "/opt/ml/copy/c")
print(json.dumps([sorted(os.listdir("/opt/ml/model")), sorted(p.name for p in pathlib.Path("/opt/ml").glob("*/*")),
                  os.path.exists("/opt/ml/nothing"), os.path.isdir("/opt/ml/model"), os.path.isfile("/opt/ml/copy/c"),
                  open(sys.argv[1]).read(), open(os.environ["HERE"] + "/b").read()]))
"""
    status, lines = started.script(text, "/opt/ml/model/deep/a", env={"HERE": "/opt/ml/model"})
    assert (status, [json.loads(line) for line in lines]) == (
        0,
        [[["b", "deep"], ["b", "c", "deep", "program.py"], False, True, True, "a", "b"]],
    )
    assert (started.root / "model/deep/a").read_text() == "a"


def test_two_processes_have_different_trees(launcher: Launcher, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert Started(launcher, tmp_path / name).script("open('/opt/ml/mine', 'x').close()\n") == (0, [])


def test_the_environment_is_exactly_the_given_one(started: Started) -> None:
    _, (line,) = started.script("import json, os\nprint(json.dumps(dict(os.environ)))\n", env={"X": "ü=;$"})
    own = {"LC_CTYPE", "PYTHONPATH", "MODELWRIGHT_OPT_ML"}
    assert {name: value for name, value in json.loads(line).items() if name not in own} == {"PATH": PATH, "X": "ü=;$"}


def test_a_program_is_main_with_its_own_argv_path_and_streams(started: Started) -> None:
    (started.code / "beside.py").write_text("VALUE = 7\n")
    text = """
import beside, os, sys
assert __name__ == "__main__" and sys.modules["__main__"].__dict__ is globals()
assert os.path.basename(__file__) == "program.py" and os.path.isabs(__file__)
assert sys.argv[1:] == ["a b", "--c", ""], sys.argv
assert os.path.basename(sys.path[0]) == "code"
assert sys.stdin.read() == ""
sys.stdout.write("half")
print(" line", beside.VALUE)
print("to stderr", file=sys.stderr)
"""
    found = started.script(text, "a b", "--c", "", env={"PYTHONUNBUFFERED": "1"})
    assert found == (0, ["half line 7", "to stderr"])


@pytest.mark.parametrize(
    ("text", "status", "last"),
    [
        ("raise SystemExit", 0, None),
        ("raise SystemExit(3)", 3, None),
        ("raise SystemExit(259)", 3, None),
        ("raise SystemExit('in words')", 1, "in words"),
        ("import sys; sys.exit(True)", 1, None),
        ("raise ValueError('boom')", 1, "ValueError: boom"),
        ("def (:", 1, "SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt"),
        ("import os; os.abort()", -signal.SIGABRT, None),
        ("import os; os._exit(9)", 9, None),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM, None),
        ("import atexit; atexit.register(print, 'at exit')", 0, "at exit"),
        (
            "import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), print('joined'))).start()",
            0,
            "joined",
        ),
        ("import sys; sys.excepthook = lambda *a: print('hooked'); 1 / 0", 1, "hooked"),
    ],
)
def test_a_program_ends_as_under_the_interpreter(started: Started, text: str, status: int, last: str | None) -> None:
    found, lines = started.script(text + "\n")
    assert (found, lines[-1] if lines else None) == (status, last)


def test_a_traceback_shows_the_program_and_nothing_of_ours(started: Started) -> None:
    _, lines = started.script("def f():\n    raise ValueError('x')\n\nf()\n")
    where = [line.strip() for line in lines if line.strip().startswith("File")]
    assert len(where) == 2
    assert all(line.endswith(('program.py", line 4, in <module>', 'program.py", line 2, in f')) for line in where)


def test_modules_and_code_are_run_too(started: Started) -> None:
    (started.code / "package").mkdir()
    (started.code / "package/__main__.py").write_text("import sys\nprint('main of', __package__, sys.argv[1:])\n")
    assert started.run(["python3", "-m", "package", "x"]) == (0, ["main of package ['x']"])
    assert started.run(["python3", "-c", "import sys; print(sys.argv)", "x"]) == (0, ["['-c', 'x']"])


def test_other_programs_and_interpreter_options_are_executed(started: Started) -> None:
    status, lines = started.run(["/bin/sh", "-c", "echo one > /opt/ml/said; cat /opt/ml/said; exit 5"])
    assert (status, lines) == (5, ["one"])
    assert started.run(["python3", "-O", "-c", "import sys; print(sys.flags.optimize)"]) == (0, ["1"])
    assert started.run(["python3", "-c", "print(hash('a') == hash('a'))"], {"PYTHONHASHSEED": "1"}) == (0, ["True"])


def test_a_python_that_a_shell_starts_sees_the_same_tree(started: Started) -> None:
    written, read = "open('/opt/ml/from-shell', 'w').write('x')", "print(open('/opt/ml/from-shell').read())"
    line = f'python3 -c "{written}" && python3 -c "{read}"'
    assert started.run(["/bin/sh", "-c", line]) == (0, ["x"])


def test_what_cannot_be_started_says_so(started: Started) -> None:
    status, lines = started.run(["no-such-program"])
    assert status == 127
    assert lines[0].startswith("no-such-program: ")
    status, lines = started.run(["python3", "none.py"])
    assert status == 2
    assert "can't open file" in lines[0]


def test_a_module_of_the_programs_own_hides_one_of_the_library(started: Started) -> None:
    (started.code / "argparse.py").write_text("MINE = True\n")
    assert started.script("import argparse\nprint(argparse.MINE)\n") == (0, ["True"])


def test_random_numbers_differ_from_process_to_process(started: Started) -> None:
    text = "import random\nprint(random.random())\n"
    assert started.script(text)[1] != started.script(text)[1]


def test_no_descriptor_leaks_into_a_process_and_passed_ones_arrive_as_3_and_on(started: Started) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    (started.code / "program.py").write_text(
        "import os\nprint(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])\nos.write(3, b'hello')\n"
    )
    reading, writing = os.pipe()
    process, lines = started.start(["python3", "program.py"], pass_fds=(writing,))
    os.close(writing)
    assert process.wait(30) == 0
    assert lines == ["[0, 1, 2, 3]"]
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"hello"


def test_terminate_asks_first_and_kill_ends_the_whole_group(started: Started) -> None:
    text = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked"), sys.exit(7)))
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
while True:
    time.sleep(0.01)
"""
    (started.code / "program.py").write_text(text)
    process, lines = started.start(["python3", "program.py"])
    until(lambda: bool(lines))
    process.terminate(20)
    assert process.wait(60) == 7
    assert lines[1:] == ["asked"]
    until(lambda: not _runs(int(lines[0])))
    deaf, lines = started.start(["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"])
    until(lambda: bool(lines))
    deaf.terminate(0.05)
    assert deaf.wait(60) == -signal.SIGKILL


def test_many_at_once_each_get_their_own_output(started: Started) -> None:
    (started.code / "program.py").write_text("import sys\nfor n in range(200): print(sys.argv[1], n)\n")
    running = [started.start(["python3", "program.py", str(number)]) for number in range(12)]
    for number, (process, lines) in enumerate(running):
        assert process.wait(60) == 0
        assert lines == [f"{number} {line}" for line in range(200)]


def test_long_lines_and_bytes_that_are_no_text_arrive(started: Started) -> None:
    text = "import sys\nprint('x' * 600_000, flush=True)\nsys.stdout.buffer.write(b'\\xff\\xfe no newline')\n"
    _, lines = started.script(text)
    assert "".join(lines[:-1]) == "x" * 600_000
    assert lines[-1] == "\ufffd\ufffd no newline"


def test_a_process_that_ended_tells_what_it_took(started: Started) -> None:
    (started.code / "program.py").write_text("x = bytearray(60 << 20)\n")
    process, _ = started.start(["python3", "program.py"])
    assert process.wait(30) == 0
    assert process.peak_bytes > 60 << 20
    assert process.cpu_seconds > 0


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(6000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen within a minute")
