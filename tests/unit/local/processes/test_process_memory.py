"""How much memory a process has, with its children."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from modelwright.local.processes.memory import more_than, resident_bytes

MIB = 1 << 20
HOLDS = """
import os, sys
held = bytearray(80 << 20)
if os.fork() == 0:
    mine = bytearray(40 << 20)
    print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holding():
    """A process of 80 MiB, and a child of it that shares them and has 40 MiB of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.stdin.close()


def test_what_a_child_shares_counts_once(holding):
    assert 120 * MIB < resident_bytes(holding) < 180 * MIB


def test_a_limit_is_compared_with_that(holding):
    assert more_than(holding, 110 * MIB) > 110 * MIB
    assert more_than(holding, 190 * MIB) == 0, "though both together have 200 MiB in their tables"


def test_a_process_that_is_gone_has_none():
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert (resident_bytes(process.pid), more_than(process.pid, 0)) == (0, 0)
    assert resident_bytes(os.getpid()) > MIB
