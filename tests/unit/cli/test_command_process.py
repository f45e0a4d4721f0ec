"""The command line as a process: signals, a reader that has gone, what `--help` loads."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from command_line import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def cli(folder: Path, code: str, **more: Any) -> subprocess.Popen[bytes]:
    """A real process, since signals and closed pipes are about those."""
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


TALKS = """
import sys, types
from modelwright.cli.main import main
def run(args):
    print('x' * {size})
    return 0
module = types.ModuleType('down')
module.configure, module.run = lambda parser: None, run
sys.modules['modelwright.cli.commands.down'] = module
main(['down'])
"""


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_reader_that_has_gone_is_no_error(size: int) -> None:
    process = cli(REPOSITORY, TALKS.format(size=size))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


SECOND = """
import os, signal
from modelwright.cli.main import Interrupt
signal.signal(signal.SIGINT, Interrupt())
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print('first', flush=True)
try:
    os.kill(os.getpid(), signal.SIGINT)
finally:
    print('never', flush=True)
"""


def test_a_second_ctrl_c_leaves_at_once() -> None:
    process = cli(REPOSITORY, SECOND)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"first\n", b"\n")


def test_help_loads_nothing_heavy() -> None:
    heavy = ("botocore", "boto3", "yaml", "pydantic", "rich", "modelwright.config", "modelwright.local", "subprocess")
    code = f"""
import sys
sys.argv = ['modelwright', '--help']
from modelwright.cli.main import main
try:
    main()
finally:
    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    process = cli(REPOSITORY, code)
    _, err = process.communicate()
    assert err == b"[]\n"
