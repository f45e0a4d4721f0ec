"""Several processes on one port: how many, each its own requests, counted together."""

import asyncio
import os
import socket

import pytest
from served_workers import SCRIPT, ask, children, each_worker, metric, records

from modelwright.serving.problems import StartupError
from modelwright.serving.process import serve
from modelwright.serving.process.counters import Counters
from modelwright.serving.process.worker import Share
from modelwright.serving.settings import Settings, cores, settings_from


def test_workers_are_forked_from_the_process_that_loaded_and_are_counted_as_one(start):
    server = start(SCRIPT, MODELWRIGHT_WORKERS="3")
    connections = each_worker(server, 3)
    assert sorted(connections) == sorted(children(server.process.pid))
    assert {ask(connection, "hello")[1] for connection in connections.values()} == {server.process.pid}
    before = metric(server, "invocations_total")
    for connection in connections.values():
        ask(connection, "hello")
    server.invoke(b"")
    assert metric(server, "invocations_total") == before + 4
    assert metric(server, "invocation_4xx_errors_total") == 1
    assert metric(server, "model_latency_seconds_count") == before + 4
    assert metric(server, "workers") == 3
    assert server.stop()[0] == 0


def test_who_has_more_connections_leaves_the_next_to_the_other_for_a_moment():
    counters = Counters(2)
    mine, other = counters.of(0), counters.of(1)

    async def run():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            process = serve._Process(None, Settings(), listener, Share(mine, -1))
            taken = []
            process._accept = lambda: taken.append(1)
            loop.add_reader(listener, process._offered)
            mine.serving(True)
            other.serving(True)
            mine.opened()
            process._offered()
            assert (taken, loop.remove_reader(listener)) == ([], False), "it looks away"
            process._watch()
            process._offered()
            assert len(taken) == 1, "and takes what the other has not taken meanwhile"
            other.opened()
            process._offered()
            assert len(taken) == 2, "it has no more than the other now"
            loop.remove_reader(listener)

    asyncio.run(run())


def test_what_a_script_prints_is_in_the_log_once_and_at_once(start):
    script = SCRIPT.replace("return os.getpid()", 'print("loaded")\n    return os.getpid()')
    script = script.replace("    return [os.getpid(), loaded_by]", '    print("predicted")\n    return [1, 2]')
    server = start(script, MODELWRIGHT_WORKERS="2")
    server.invoke("hello")
    lines = server.log.read_text().splitlines()
    assert [lines.count(text) for text in ("loaded", "predicted")] == [1, 1]


def test_a_model_that_starts_a_thread_is_served_by_one_process(start):
    script = SCRIPT.replace("return os.getpid()", "import threading, time\n    threading.Thread(target=time.sleep, "
                            "args=(3600,), daemon=True).start()\n    return os.getpid()")  # fmt: skip
    asked = start(script, MODELWRIGHT_WORKERS="2")
    assert "MODELWRIGHT_WORKERS is 2, but loading the model has left 1 threads running" in asked.told["reason"]
    alone = start(script, MODELWRIGHT_WORKERS="")
    assert ask(alone.connect(), "hello")[0] == alone.process.pid
    if cores() > 1:
        assert len(records(alone, "one worker")) == 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "1000", "٣"])
def test_a_wrong_number_of_workers_is_named(text):
    with pytest.raises(StartupError, match=f"MODELWRIGHT_WORKERS is '{text}'; it must be a whole number from 1 to 256"):
        settings_from({"MODELWRIGHT_WORKERS": text})


def test_the_number_of_workers_is_that_of_the_cores_unless_said():
    assert (settings_from({}).workers, settings_from({"MODELWRIGHT_WORKERS": "3"}).workers) == (Settings().workers, 3)
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("quota", "most"), [("100000 100000", 1), ("1000 100000", 1), ("max 100000", 999), ("x", 999)])
def test_a_containers_quota_is_no_core_too_much(tmp_path, monkeypatch, quota, most):
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr("modelwright.serving.settings._CPU_MAX", tmp_path / "cpu.max")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(999)))
    assert cores() == most


def test_a_model_that_takes_all_cores_takes_one_in_each_worker(start):
    """A forest with `n_jobs=-1` would start as many threads as there are cores, in as many workers."""
    script = "import joblib\ndef model_fn(d): return lambda x: [joblib.cpu_count(), joblib.effective_n_jobs(-1)]\n"
    assert start(script, MODELWRIGHT_WORKERS="2").invoke("1").json == [1, 1]
