"""The zygote: what it has imported, that it does not outlive its launcher, and an unprivileged user's mounts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from modelwright.local.processes import orphans
from modelwright.local.processes.launcher import Launcher, ProcessSpec
from modelwright.local.store.database import Database

PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


def test_what_scripts_import_is_there_before_they_run(tmp_path: Path) -> None:
    scripts, root = tmp_path / "scripts", tmp_path / "ml"
    scripts.mkdir()
    root.mkdir()
    (scripts / "train.py").write_text("import numpy\nimport beside\nimport not_installed_anywhere\n")
    (scripts / "beside.py").write_text("raise SystemExit('imported by the zygote')\n")
    (root / "see.py").write_text(
        "import sys\nprint('numpy' in sys.modules, 'beside' in sys.modules)\nimport numpy\n"
        "print(numpy.random.rand(2000, 200).T.dot(numpy.ones(2000)).shape, numpy.random.rand())\n"
    )
    launcher = Launcher([scripts])
    try:
        said = launcher.describe()["job"]
        assert list(said["failed"]) == ["not_installed_anywhere"]
        assert said["fork"] is (sys.platform != "darwin")
        seen = []
        for _ in range(2):
            lines: list[str] = []
            spec = ProcessSpec(["python3", "see.py"], {"PATH": PATH}, root, root, "job")
            assert launcher.start(spec, lines.append).wait(60) == 0
            seen.append(lines)
    finally:
        launcher.stop()
    assert seen[0][0] == f"{sys.platform != 'darwin'} False"
    assert seen[0][1].startswith("(200,)")
    assert seen[0][1] != seen[1][1]  # another seed in each


@pytest.mark.skipif(sys.platform == "darwin", reason="there each program is executed, with nothing imported")
def test_what_compiles_models_takes_no_memory_until_a_process_was_started(tmp_path: Path) -> None:
    (tmp_path / "see.py").write_text("import sys\nprint('skl2onnx' in sys.modules)\nimport yaml\n")
    launcher = Launcher([])
    launcher.warm()
    seen: list[str] = []
    try:
        while seen[-1:] != ["True"]:  # the zygote imports it between these processes
            spec = ProcessSpec(["python3", "see.py"], {"PATH": PATH}, tmp_path, tmp_path, "job")
            assert launcher.start(spec, seen.append).wait(60) == 0
    finally:
        launcher.stop()
    assert seen[0] == "False"


def test_a_zygote_that_died_is_replaced_and_its_processes_have_ended(tmp_path: Path) -> None:
    launcher = Launcher([])
    spec = ProcessSpec(["sleep", "1000"], {"PATH": PATH}, tmp_path, tmp_path, "job")
    try:
        first = launcher.start(spec, print)
        os.kill(_parent(first.pid), 9)
        assert first.wait(60) == -9
        second = launcher.start(ProcessSpec(["true"], {"PATH": PATH}, tmp_path, tmp_path, "job"), print)
        assert second.wait(60) == 0
    finally:
        launcher.stop()
    assert orphans.began(first.pid) is None


def test_stopping_the_launcher_ends_everything_it_started(tmp_path: Path) -> None:
    launcher = Launcher([])
    lines: list[str] = []
    escaped = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    print(os.getpid(), flush=True)\ntime.sleep(1000)\n"
    )
    (tmp_path / "escape.py").write_text(escaped)
    process = launcher.start(
        ProcessSpec(["python3", "escape.py"], {"PATH": PATH}, tmp_path, tmp_path, "job"), lines.append
    )
    pause = threading.Event()
    while not lines:
        pause.wait(0.01)
    launcher.stop()
    assert process.wait(60) == -9
    assert orphans.began(process.pid) is None
    assert orphans.began(int(lines[0])) is None
    with pytest.raises(ChildProcessError, match="the local cloud ends"):  # no restart brings anything to life
        launcher.start(ProcessSpec(["python3", "escape.py"], {"PATH": PATH}, tmp_path, tmp_path, "job"), lines.append)


def test_processes_are_recorded_while_they_run_and_no_longer(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite3")
    launcher = Launcher([], database)

    def recorded() -> list[str]:
        return [body["what"] for _, body in database.all(orphans.KIND)]

    try:
        running = launcher.start(ProcessSpec(["sleep", "1000"], {"PATH": PATH}, tmp_path, tmp_path, "job"), print)
        short = [
            launcher.start(ProcessSpec(["true"], {"PATH": PATH}, tmp_path, tmp_path, "job"), print) for _ in range(30)
        ]
        assert [process.wait(30) for process in short] == [0] * 30
        pause = threading.Event()
        assert any(sorted(recorded()) == ["job sleep 1000", "zygote: plain"] or pause.wait(0.01) for _ in range(6000))
        running.kill()
        assert running.wait(30) == -9
    finally:
        launcher.stop()
    assert recorded() == []


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


UNPRIVILEGED = """
import ctypes, os, sys
from modelwright.local.processes import mounts
root, kept = sys.argv[1:]
os.setgid(65534)
os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1)  # its own /proc again
if not mounts.prepare():
    sys.exit(77)
mounts.bind(root)
open("/opt/ml/mine", "w").close()
try:
    open(kept, "w")
except PermissionError:
    print("kept")
"""


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="changes its user, which root on Linux may")
def test_a_user_without_privileges_has_mounts_and_no_power_through_them() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        _be_unprivileged(folder)


def _be_unprivileged(folder: Path) -> None:
    root, kept = folder / "root", folder / "kept"
    root.mkdir()
    kept.touch()
    for path in (root, kept):
        os.chown(path, 65534, 65534)
    kept.chmod(0o444)
    repository = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, root, kept],
        env={"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this system gives users no mount namespaces")
    assert (done.returncode, done.stdout) == (0, "kept\n"), done.stderr
    assert (root / "mine").exists()
