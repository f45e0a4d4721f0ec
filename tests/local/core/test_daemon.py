"""The daemon as a real process: who starts it, joins it, stops it, and what is left when something is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from modelwright.errors import LocalCloudBusy, LocalCloudFailed, StateUnusable
from modelwright.local.daemon.attach import LocalCloud, attach, shut_down, status
from modelwright.local.daemon.control import ADDRESS_FILE, DIRECTORY, LOG_FILE, Channel, connect
from modelwright.local.processes.orphans import record
from modelwright.local.store.database import FILE_NAME, Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[3]

CLIENT = """
import sys
from pathlib import Path
from modelwright.local.daemon.attach import attach
with attach(Path(sys.argv[1])) as cloud:
    print(cloud.endpoint_url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    project = make_project(tmp_path / "project")
    yield project
    for thread in threading.enumerate():
        if thread.name == "attach":
            thread.join()  # a test that failed may have left one that is starting
    with suppress(Exception):
        shut_down(project, force=True)
    for daemon in daemons_of(project):
        with suppress(ChildProcessError):
            os.waitpid(daemon, 0)


def daemons_of(project: Path) -> list[int]:
    """Daemons that this process started are its children; it has others (jsii's Node), which do not end."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, args in rows if int(parent) == os.getpid() and str(project) in args]


def make_project(project: Path) -> Path:
    (project / "environments").mkdir(parents=True)
    (project / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    return project


@pytest.fixture
def command(root: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a command of its own process that is attached when it has said where to."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def watch(root: Path) -> Channel:
    """A connection that is no lease; `receive` on it returns when the daemon has ended."""
    channel, token = connected(root)
    assert channel.ask({"do": "status", "token": token}) is not None
    return channel


def connected(root: Path) -> tuple[Channel, str]:
    found = connect(root / DIRECTORY)
    assert found is not None
    return found


def pid_of(root: Path) -> int:
    found = status(root)
    assert found is not None
    return found.pid


def s3(cloud: LocalCloud) -> Any:
    keys = cloud.credentials
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
    )


def with_bucket(cloud: LocalCloud) -> Any:
    client = s3(cloud)
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": cloud.region})
    return client


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


def test_a_damaged_state_reaches_the_command_as_a_sentence(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / DIRECTORY / FILE_NAME).write_bytes(b"not a database" * 1000)
    with pytest.raises(StateUnusable, match=r"state.sqlite3 cannot be used: file is not a database\.\nMove the file"):
        attach(root).ready()


def test_an_environment_of_another_region_waits_for_the_end(root: Path) -> None:
    (root / "environments" / "prod.yaml").write_text("region: us-east-1\n")
    (root / "environments" / "test.yaml").write_text("region: eu-central-1\n")
    with attach(root).ready() as cloud:
        with attach(root, "test").ready() as other:
            assert other.endpoint_url == cloud.endpoint_url
        with pytest.raises(LocalCloudBusy, match=r"up as eu-central-1 \(environment dev\).*prod is in us-east-1"):
            attach(root, "prod").ready()
    with attach(root, "prod") as cloud:
        assert cloud.region == "us-east-1"


def test_the_command_goes_on_while_it_starts_and_a_command_that_needs_nothing_leaves_nothing(root: Path) -> None:
    with attach(root):
        pass
    assert status(root) is None


def test_a_folder_that_is_a_file_reaches_the_command_as_a_sentence(root: Path) -> None:
    (root / DIRECTORY).write_text("")
    with pytest.raises(StateUnusable, match=r"\.modelwright cannot be written: File exists"):
        attach(root).ready()


def test_a_missing_environment_reaches_the_command_as_a_sentence(root: Path) -> None:
    with pytest.raises(LocalCloudFailed, match=r"no environments/dve\.yaml\.\nDid you mean dev\?"):
        attach(root, "dve").ready()
    with attach(root).ready():
        pass


def test_a_daemon_that_cannot_run_shows_its_last_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = root / "broken" / "modelwright"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise SystemExit('this installation is broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    monkeypatch.chdir(root)
    with pytest.raises(LocalCloudFailed, match=r"did not start: this installation is broken$"):
        attach(root).ready()


def test_the_log_is_put_aside_when_it_is_long(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / DIRECTORY / LOG_FILE).write_bytes(b"x" * 1_000_001)
    with attach(root).ready():
        assert (root / DIRECTORY / "daemon.log.1").stat().st_size == 1_000_001
        assert (root / DIRECTORY / LOG_FILE).stat().st_size < 1_000_000


def test_the_users_own_aws_settings_do_not_reach_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with attach(root).ready() as cloud:
        assert cloud.region == "eu-central-1"


def test_attaching_imports_little(root: Path) -> None:
    heavy = ("boto3", "moto", "pydantic", "yaml", "sqlite3", "asyncio")
    code = f"import sys, modelwright.local.daemon.attach; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
