"""What is counted by several workers is told as one; what several write into one pipe stays whole."""

from __future__ import annotations

import asyncio
import json
import os

from modelwright.serving.http.messages import Head
from modelwright.serving.log import ATOMIC_BYTES, Log, request_line, request_template
from modelwright.serving.process.counters import Counters

MILLISECOND = 1_000_000


def values(counters: Counters) -> dict[str, float]:
    lines = [line for line in counters.as_text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_all_workers_are_summed():
    counters = Counters(3)
    one, other = counters.of(0), counters.of(2)
    for worker in (one, other):
        worker.serving(True)
        worker.opened()
    one.count(200, 2 * MILLISECOND, MILLISECOND)
    one.count(400, MILLISECOND, 0)
    other.count(500, 20 * MILLISECOND, 20 * MILLISECOND)
    other.count_quick(MILLISECOND // 20)
    found = values(counters)
    assert found["modelwright_invocations_total"] == 4
    assert found["modelwright_invocation_4xx_errors_total"] == 1
    assert found["modelwright_invocation_5xx_errors_total"] == 1
    assert found["modelwright_workers"] == found["modelwright_connections"] == 2
    assert found["modelwright_model_latency_seconds_sum"] == 0.02305
    assert found["modelwright_overhead_latency_seconds_total"] == 0.002
    buckets = {name.split('"')[1]: value for name, value in found.items() if "bucket" in name}
    assert (buckets["0.0001"], buckets["0.001"], buckets["0.01"], buckets["0.025"], buckets["+Inf"]) == (1, 2, 3, 4, 4)


def test_a_worker_that_comes_after_another_counts_on():
    counters = Counters(1)
    counters.of(0).count(200, 1, 1)
    counters.of(0).count(200, 1, 1)
    assert values(counters)["modelwright_invocations_total"] == 2


def test_who_has_more_connections_than_another_that_serves_leaves_the_next_to_it():
    counters = Counters(2)
    one, other = counters.of(0), counters.of(1)
    one.serving(True)
    one.opened()
    assert not one.ahead(), "nobody else serves"
    other.serving(True)
    assert (one.ahead(), other.ahead()) == (True, False)
    other.opened()
    assert not one.ahead()


def test_where_requests_are_gathered_one_worker_gets_many_before_the_next_gets_one():
    counters = Counters(3)
    workers = [counters.of(number) for number in range(3)]
    for worker in workers:
        worker.serving(True)
    taken = []
    for _ in range(11):
        (first, *_) = [number for number, worker in enumerate(workers) if not worker.ahead(packed=3)]
        workers[first].opened()
        taken.append(first)
    assert taken == [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 1]


def test_forked_workers_count_in_one_place():
    counters = Counters(2)
    pid = os.fork()
    if pid == 0:
        counters.of(1).count_quick(1)
        os._exit(0)
    os.waitpid(pid, 0)
    assert values(counters)["modelwright_invocations_total"] == 1


def test_lines_are_written_whole_and_in_order():
    reading, writing = os.pipe()
    written = []

    class Noted(Log):
        def _write(self):
            written.append(sum(map(len, self._lines)))
            super()._write()

    async def run():
        log = Noted(writing)
        for number in range(100):
            log.record({"number": number, "text": "x" * 100})
        await asyncio.sleep(0)

    asyncio.run(run())
    os.close(writing)
    with os.fdopen(reading, "rb") as lines:
        assert [json.loads(line)["number"] for line in lines] == list(range(100))
    assert max(written) <= ATOMIC_BYTES
    assert len(written) == 4


def test_a_log_that_nobody_reads_is_no_trouble():
    reading, writing = os.pipe()
    os.close(reading)

    async def run():
        log = Log(writing)
        for _ in range(100):
            log.record({"text": "x" * 100})
        await asyncio.sleep(0)

    asyncio.run(run())
    os.close(writing)


def test_a_template_gives_the_same_line():
    headers = {"content-type": 'text/csv; a="100%"', "accept": "*/*"}
    head = Head("POST", "/invocations", headers, request_id="00000000000000ff")
    line = request_line(head, 200, 1.25, (3, 4))
    assert request_template(200, 3, headers) % (b"00000000000000ff", 1.25, 4) == line
    assert json.loads(line) == {
        "event": "request", "id": "00000000000000ff", "status": 200, "milliseconds": 1.25, "bytes_in": 3,
        "bytes_out": 4, "content_type": 'text/csv; a="100%"', "accept": "*/*",
    }  # fmt: skip


def test_a_line_is_short_whatever_a_client_sends():
    long = Head(headers={"content-type": "\u00e9" * 9999, "accept": "\u00e9" * 9999}, request_id="\u00e9" * 9999)
    assert len(request_line(long, 200, 1, (1, 1))) <= ATOMIC_BYTES
