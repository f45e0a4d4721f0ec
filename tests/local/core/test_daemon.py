"""The daemon as a real process: who starts it, joins it, keeps it and stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from daemon_processes import connected, pid_of, s3, watch, with_bucket

from modelwright.errors import LocalCloudBusy
from modelwright.local.daemon.attach import attach, shut_down, status
from modelwright.local.daemon.control import ADDRESS_FILE, DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_first_one_starts_it_others_join_and_the_last_one_out_stops_it(root: Path) -> None:
    assert status(root) is None
    first = attach(root).ready()
    second = attach(root).ready()
    assert first.endpoint_url == second.endpoint_url
    with_bucket(first).put_object(Bucket="bucket", Key="k", Body=b"1")
    first.close()
    assert s3(second).get_object(Bucket="bucket", Key="k")["Body"].read() == b"1"
    pid = pid_of(root)
    second.close()
    assert status(root) is None
    assert os.waitpid(pid, 0) == (pid, 0)


def test_commands_that_start_at_once_get_one_daemon(root: Path, command: Callable[[], Any]) -> None:
    commands = [command() for _ in range(4)]
    urls = {each.stdout.readline().strip() for each in commands}
    assert len(urls) == 1
    found = status(root)
    assert found is not None
    assert len(found.clients) == 4
    daemon = watch(root)
    for each in commands:
        each.communicate("\n")
    assert daemon.receive() is None
    daemon.close()


def test_up_keeps_it_and_down_stops_it(root: Path) -> None:
    with attach(root).ready() as cloud:
        cloud.keep()
    found = status(root)
    assert found is not None
    assert found.kept
    assert found.clients == ()
    assert shut_down(root)
    assert status(root) is None
    assert not shut_down(root)


def test_down_is_refused_by_name_while_a_command_uses_it_unless_forced(root: Path, command: Callable[[], Any]) -> None:
    user = command()
    user.stdout.readline()
    with pytest.raises(LocalCloudBusy, match=rf"in use: .*\(process {user.pid}\)\.\n.*down --force"):
        shut_down(root)
    daemon = watch(root)
    assert shut_down(root, force=True)
    assert daemon.receive() is None
    daemon.close()


def test_a_command_that_is_killed_is_counted_out(root: Path, command: Callable[[], Any]) -> None:
    user = command()
    user.stdout.readline()
    daemon = watch(root)
    user.kill()
    assert daemon.receive() is None
    daemon.close()


def test_a_new_start_waits_for_one_that_is_ending(root: Path) -> None:
    first = attach(root).ready()
    pid = pid_of(root)
    channel, token = connected(root)
    assert channel.ask({"do": "stop", "force": True, "token": token}) == {"stopping": True}
    with attach(root).ready() as second:
        assert pid_of(root) != pid
        assert second.endpoint_url != first.endpoint_url
    first.close()
    channel.close()


def test_a_signal_ends_it_in_order(root: Path) -> None:
    first = attach(root).ready()
    pid = pid_of(root)
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert not (root / DIRECTORY / ADDRESS_FILE).exists()
    first.close()


def test_the_daemon_is_out_of_the_terminals_reach(root: Path) -> None:
    with attach(root).ready():
        assert os.getsid(pid_of(root)) != os.getsid(0)


def test_the_command_goes_on_while_it_starts_and_a_command_that_needs_nothing_leaves_nothing(root: Path) -> None:
    with attach(root):
        pass
    assert status(root) is None


def test_the_users_own_aws_settings_do_not_reach_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with attach(root).ready() as cloud:
        assert cloud.region == "eu-central-1"


def test_attaching_imports_little(root: Path) -> None:
    heavy = ("boto3", "moto", "pydantic", "yaml", "sqlite3", "asyncio")
    code = f"import sys, modelwright.local.daemon.attach; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
