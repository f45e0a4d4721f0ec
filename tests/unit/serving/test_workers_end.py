"""Workers that die, are told to end, cannot be started, or are left alone: who is started again, and what is lost."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from served_workers import SCRIPT, ask, children, each_worker, held, records

from modelwright.serving.process.counters import Counters
from modelwright.serving.process.supervisor import LONGEST_PAUSE_SECONDS, Supervisor, _Place


def test_a_worker_that_does_not_end_is_killed(tmp_path):
    program = """
    import signal, socket, sys, time
    from modelwright.serving.process.counters import Counters
    from modelwright.serving.process.supervisor import Supervisor

    def work(share, listening):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        listening()
        while True:
            time.sleep(3600)

    ready = lambda: print("ready", flush=True)
    sys.exit(Supervisor(2, work, socket.socket(), Counters(2), ready, 0.1).run())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        pids = children(process.pid)
        process.terminate()
        assert process.wait(20) == 1
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_worker_that_cannot_be_started_is_started_later():
    program = """
    import errno, os, socket, sys
    from modelwright.serving.process.counters import Counters
    from modelwright.serving.process.supervisor import Supervisor

    fork, refused = os.fork, [1, 2, 3]

    def limited():
        if refused:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable", refused.pop())
        return fork()

    os.fork = limited

    def work(share, listening):
        listening()
        os.read(share.lifeline, 1)
        return 0

    ready = lambda: print("ready", flush=True)
    sys.exit(Supervisor(2, work, socket.socket(), Counters(2), ready, 0.1).run())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()


def test_the_pause_before_the_next_worker_is_bounded_however_often_they_end():
    supervisor = Supervisor(1, lambda *_: 0, socket.socket(), Counters(1), lambda: None, 1)
    place = _Place(0, started=time.monotonic(), short_lives=5000)
    supervisor._start_again(place)
    assert place.again <= time.monotonic() + LONGEST_PAUSE_SECONDS


def test_a_log_that_nobody_can_write_ends_nobody(start):
    full = "    for descriptor in (1, 2):\n        os.dup2(os.open('/dev/full', os.O_WRONLY), descriptor)\n"
    server = start(
        SCRIPT.replace("    return os.getpid()\n", f"{full}    return os.getpid()\n"), MODELWRIGHT_WORKERS="2"
    )
    for _ in range(3):
        with pytest.raises((http.client.HTTPException, OSError)):
            server.invoke("die")
        assert server.invoke("hello").status == 200
    assert server.process.poll() is None


def test_what_a_script_has_started_in_a_worker_ends_with_it(start):
    script = """
    import multiprocessing, os
    from concurrent.futures import ProcessPoolExecutor

    def model_fn(d): return []
    def predict_fn(body, pools):
        pools[:] = pools or [ProcessPoolExecutor(1, multiprocessing.get_context("fork"))]
        return pools[0].submit(os.getpid).result()
    """
    server = start(script, MODELWRIGHT_WORKERS="2")
    child = os.pidfd_open(server.invoke("1").json)
    assert server.stop()[0] == 0
    assert select.select([child], [], [], 20)[0], "it is still there"
    os.close(child)


def test_a_worker_that_is_killed_loses_its_own_requests_only_and_is_started_again(start, tmp_path):
    server = start(SCRIPT, MODELWRIGHT_WORKERS="2")
    (killed, lost), (other, kept) = each_worker(server).items()
    with held(tmp_path, [lost, kept]):
        os.kill(killed, signal.SIGKILL)
        with pytest.raises((http.client.HTTPException, OSError)):
            lost.getresponse()
        assert server.ask("GET", "/ping").status == 200
    assert json.loads(kept.getresponse().read())[0] == other
    assert killed not in each_worker(server), "another has taken its place"
    (record,) = records(server, "worker ended")
    assert (record["pid"], record["because"]) == (killed, "killed by SIGKILL")
    assert server.stop()[0] == 0


def test_a_worker_whose_predictions_hang_for_good_is_replaced(start):
    script = SCRIPT.replace(
        'if body == "die"', 'if body == "hang":\n        import time; time.sleep(3600)\n    if body == "die"'
    )
    server = start(script, MODELWRIGHT_WORKERS="2", MODELWRIGHT_REQUEST_TIMEOUT_SECONDS="2")
    (stuck, connection), (other, _) = each_worker(server).items()
    for _ in range(4):
        connection.request("POST", "/invocations", "hang", {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 504
    while children(server.process.pid) in ([stuck, other], [other, stuck]):
        assert server.invoke("hello").status in (200, 504)
    assert stuck not in each_worker(server)
    assert [one["because"] for one in records(server, "worker ended")] == ["exit status 1"]


def test_a_request_that_kills_its_worker_again_and_again_ends_nobody_elses(start):
    server = start(SCRIPT, MODELWRIGHT_WORKERS="2")
    for _ in range(7):
        with pytest.raises((http.client.HTTPException, OSError)):
            server.invoke("die")
        assert server.invoke("hello").status == 200
    assert server.process.poll() is None


def test_workers_that_die_at_once_are_given_up_with_the_reason(start):
    script = SCRIPT + "\ndef warm_up_fn(model):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    server = start(script, MODELWRIGHT_WORKERS="2")
    status, output = server.ended()
    assert status == 1
    assert (
        server.told["reason"] == "The workers end as soon as they are started, 5 in a row; the last: killed by SIGKILL."
    )
    assert output.count('"worker ended"') == 5


def test_what_a_worker_cannot_start_for_is_told(start):
    script = SCRIPT + "\ndef warm_up_fn(model):\n    raise OSError('no licence')\n"
    server = start(script, MODELWRIGHT_WORKERS="2")
    assert server.ended()[0] == 1
    assert "no licence" in server.told["reason"]


def test_sigterm_lets_every_worker_finish(start, tmp_path):
    server = start(SCRIPT, MODELWRIGHT_WORKERS="2")
    connections = each_worker(server)
    with held(tmp_path, connections.values()):
        server.process.terminate()
    assert {json.loads(connection.getresponse().read())[0] for connection in connections.values()} == set(connections)
    assert server.ended()[0] == 0


def test_no_request_is_lost_when_it_ends_under_load(start):
    """Whoever has got a connection gets his answer; who has none is refused and knows that nothing was asked."""
    server = start(SCRIPT, MODELWRIGHT_WORKERS="2")
    answered, lost, ready = [], [], threading.Barrier(9)

    def client():
        for number in range(10_000):
            connection = server.connect()
            connection.timeout = 0.5  # nobody answers a connection that is being made when the server is gone
            try:
                connection.connect()
            except OSError:
                return
            connection.sock.settimeout(20)
            try:
                answered.append(ask(connection, "hello")[0])
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
                return
            finally:
                connection.close()
            if number == 5:
                ready.wait(20)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait(20)
    server.process.terminate()
    for thread in threads:
        thread.join(20)
    assert not lost
    assert len(answered) >= 48
    assert server.ended()[0] == 0


def test_workers_end_with_the_process_that_watches_them(start):
    server = start(SCRIPT, MODELWRIGHT_WORKERS="2")
    connections = each_worker(server)
    server.process.kill()
    server.process.wait()
    for connection in connections.values():
        assert connection.sock.recv(1) == b""  # it closes what is idle, and ends
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), 20) as late:
        assert late.recv(1) == b""
