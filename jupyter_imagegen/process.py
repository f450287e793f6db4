"""Which process this is, and whether another one that wrote its name down still lives."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a host; `started` tells it from a later one with the same number, where the system says it."""

    host: str
    pid: int
    started: str | None


def this_process() -> Process:
    """The process that is running."""
    return Process(platform.node(), os.getpid(), _started(os.getpid()))


@cache
def _proc() -> bool:
    return Path("/proc/self/stat").exists()


def is_alive(process: Process) -> bool:
    """Whether it certainly lives; False for another host's, and where the system gives no way to tell."""
    if process.host != platform.node() or process.pid <= 0:
        return False
    if process.pid == os.getpid() and not _proc():
        return True
    if _proc():
        return process.started is not None and _started(process.pid) == process.started
    return sys.platform != "win32" and _answers(process.pid)


def _started(pid: int) -> str | None:
    """The start time in clock ticks since boot (proc(5), field 22), or None for a process that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else fields[19].decode()


def _answers(pid: int) -> bool:
    # Not on Windows: there, os.kill with any signal ends the process.
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
