"""A clock that goes on when a server stalls, so that no test of a deadline waits for it or needs a fast machine."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_imagegen.bridge import http_loop

from .gateway import Gateway

LEAP_S = 101.0
DEADLINE_S = 100.0
"""To be given as `timeout`: it is over after one leap, and the time limits between two reads are not."""
_TURNS = 200


class Clock:
    """The time of the loop that all calls run on, and how far it is ahead."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._real = loop.time
        self._ahead_s = 0.0

    def time(self) -> float:
        """What the loop takes for the time."""
        return self._real() + self._ahead_s

    def leap(self) -> None:
        """Go on by `LEAP_S`, from any thread, once the loop has read what had been sent."""
        self._loop.call_soon_threadsafe(self._turn, _TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._loop.call_soon(self._turn, left - 1)
        else:
            self._ahead_s += LEAP_S


def leap_at_stalls(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever this server falls silent, the time of a call goes on by `LEAP_S`."""
    loop = http_loop().loop
    clock = Clock(loop)
    monkeypatch.setattr(loop, "time", clock.time)
    gateway.stalled = clock.leap
