"""Time and memory of this process, told in the same way by every subject. Needs nothing but Python."""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .serving import Figures

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")


def typical(act: Callable[[], object], times: int) -> Figures:
    """The medians of so many turns: seconds on the clock, and seconds of all threads on the processors."""
    return _medians([timed(act) for _ in range(times)])


async def typical_async(act: Callable[[], Awaitable[object]], times: int) -> Figures:
    """The same of a coroutine."""
    return _medians([await _timed_async(act) for _ in range(times)])


def timed(act: Callable[[], object]) -> Figures:
    """One turn."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


async def _timed_async(act: Callable[[], Awaitable[object]]) -> Figures:
    wall, cpu = time.perf_counter(), time.process_time()
    await act()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def _medians(turns: list[Figures]) -> Figures:
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def growth(act: Callable[[], object], pictures_bytes: int) -> Figures:
    """By how much the peak of the resident memory rises meanwhile, also as a multiple of the pictures' bytes."""
    before = _resident_from_here()
    kept = act()
    grown = _peak() - before
    del kept
    return {"growth_B": grown, "growth": grown / pictures_bytes}


def _resident_from_here() -> float:
    """What is resident now, the peak set back to it where the system can do that."""
    if not _STATUS.exists():
        return _peak()
    _RESET.write_text("5")
    return _status("VmRSS")


def _peak() -> float:
    if _STATUS.exists():
        return _status("VmHWM")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _status(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


async def many_at_once(act: Callable[[], Awaitable[object]], calls: int, at_once: int) -> None:
    """So many calls, never more than so many of them under way."""
    gate = asyncio.Semaphore(at_once)

    async def gated() -> None:
        async with gate:
            await act()

    await asyncio.gather(*(gated() for _ in range(calls)))


def many(measured: Figures, *, calls: int, at_once: int, latency_s: float) -> Figures:
    """Of many calls: wall as a multiple of the least that the latency allows, and processor time for each."""
    ideal_s = calls / at_once * latency_s
    multiple = {"of_ideal": measured["wall_s"] / ideal_s} if ideal_s else {}
    return {**measured, **multiple, "cpu_per_call_s": measured["cpu_s"] / calls}


def after_final(url: str, act: Callable[[], int], times: int) -> Figures:
    """The median time from the server's last part until then; `act` tells when, in ns of the monotonic clock."""
    waits = [(act() - _final_ns(url)) / 1e9 for _ in range(times)]
    return {"wall_s": statistics.median(waits)}


def _final_ns(url: str) -> int:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port)
    connection.request("GET", "/told")
    told = json.load(connection.getresponse())
    connection.close()
    return int(told["final_ns"])
