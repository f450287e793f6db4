"""Which process this is, and whether another one still lives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_imagegen.process import Process, is_alive, this_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells when a process began")


def test_this_process_lives() -> None:
    """The one that asks certainly does."""
    assert is_alive(this_process())


def test_a_process_that_ended_does_not() -> None:
    """Its record is unknown from then on."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        other = Process(this_process().host, child.pid, _started_of(child.pid))
        assert is_alive(other)
        child.communicate(b"\n")

    assert not is_alive(other)


def _started_of(pid: int) -> str:
    """The start time of another process, as it says itself (proc(5), field 22)."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]


@pytest.mark.parametrize(
    "other",
    [
        replace(this_process(), started="1"),
        replace(this_process(), started=None),
        replace(this_process(), host="another-host"),
        replace(this_process(), pid=0),
        replace(this_process(), pid=-1),
        replace(this_process(), pid=2**22 + 1),
    ],
)
def test_what_cannot_be_told_for_certain_is_not_alive(other: Process) -> None:
    """A later process with the same number, another host's and a number that is none count as ended."""
    assert not is_alive(other)
