"""What the daemon keeps in its folder, who can read it, and what is left when something is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from daemon_processes import connected, make_project, pid_of, with_bucket

from modelwright.errors import LocalCloudFailed
from modelwright.local.daemon.attach import attach, status
from modelwright.local.daemon.control import ADDRESS_FILE, DIRECTORY, LOG_FILE, connect
from modelwright.local.processes.orphans import record
from modelwright.local.store.database import FILE_NAME, Database

if TYPE_CHECKING:
    from pathlib import Path


def test_a_killed_daemon_loses_nothing(root: Path) -> None:
    first = attach(root).ready()
    with_bucket(first).put_object(Bucket="bucket", Key="k", Body=b"1" * 100_000)
    pid = pid_of(root)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with pytest.raises(LocalCloudFailed, match=rf"ended while it was needed.\n.*{LOG_FILE}"):
        first.keep()
    first.close()
    with attach(root).ready() as second:
        assert pid_of(root) != pid
        client = with_bucket(second)
        assert client.get_object(Bucket="bucket", Key="k")["Body"].read() == b"1" * 100_000


def test_what_a_killed_daemon_left_running_is_ended_if_it_is_provably_its_own(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    ours, other = (subprocess.Popen(["sleep", "1000"], start_new_session=True) for _ in range(2))
    database = Database(root / DIRECTORY / FILE_NAME)
    record(database, ours.pid, "job sleep")
    record(database, other.pid, "job sleep")
    body = database.get("process", str(other.pid))
    assert body is not None
    database.put("process", str(other.pid), {**body, "began": "another time"})
    database.close()
    with attach(root).ready():
        assert ours.wait() == -signal.SIGKILL
        assert other.poll() is None
    other.kill()
    other.wait()


def test_keys_are_for_the_user_only_and_in_no_file(root: Path) -> None:
    with attach(root).ready() as cloud:
        with_bucket(cloud)
        assert (root / DIRECTORY / ADDRESS_FILE).stat().st_mode & 0o077 == 0
        socket = root / DIRECTORY / "control.sock"  # not there where the path is too long for one
        assert not socket.exists() or socket.stat().st_mode & 0o077 == 0
        for file in (root / DIRECTORY).rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert cloud.credentials.secret_key.encode() not in content
                assert cloud.credentials.access_key.encode() not in content


def test_a_connection_without_the_token_is_dropped(root: Path) -> None:
    with attach(root).ready():
        channel, _ = connected(root)
        assert channel.ask({"do": "join", "token": "guess", "pid": 1, "command": "x"}) is None
        channel.close()
        found = status(root)
        assert found is not None
        assert len(found.clients) == 1


def test_a_folder_too_deep_for_a_unix_socket_is_served_over_loopback(root: Path) -> None:
    deep = make_project(root / ("d" * 60) / ("e" * 60))
    with attach(deep).ready() as cloud:
        assert not (deep / DIRECTORY / "control.sock").exists()
        with_bucket(cloud)
    assert status(deep) is None
    killed = attach(deep).ready()
    pid = pid_of(deep)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (deep / DIRECTORY / ADDRESS_FILE).exists()
    assert connect(deep / DIRECTORY) is None  # though the port may be another program's by now
    killed.close()


def test_the_log_is_put_aside_when_it_is_long(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / DIRECTORY / LOG_FILE).write_bytes(b"x" * 1_000_001)
    with attach(root).ready():
        assert (root / DIRECTORY / "daemon.log.1").stat().st_size == 1_000_001
        assert (root / DIRECTORY / LOG_FILE).stat().st_size < 1_000_000
