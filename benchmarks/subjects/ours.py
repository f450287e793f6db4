"""What this project does, through its public door: calls that end with their pictures durable in the store."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

import jupyter_imagegen as ig
from jupyter_imagegen.bridge import http_loop

from .serving import Figures, serve
from .stopwatch import after_final, growth, many, many_at_once, timed, typical, typical_async

_STORE: Final = Path(os.environ["IMAGEGEN_STORE"])
_TICK_S: Final = 0.001

_numbers: Final = itertools.count()


def _generate(url: str, pictures: int = 1) -> ig.Result:
    """One call, of a prompt that no call had before: a picture that is there already would not be written again."""
    prompt = f"otter {next(_numbers)}"
    return ig.generate(prompt, base_url=url, model="any", size="1024x1024", n=pictures, quiet=True)


def _agenerate(url: str, pictures: int = 1) -> Awaitable[ig.Result]:
    prompt = f"otter {next(_numbers)}"
    return ig.agenerate(prompt, base_url=url, model="any", size="1024x1024", n=pictures, quiet=True)


def _cleared(figures: Figures) -> Figures:
    """The figures, once the disk has its room back."""
    for path in _STORE.glob("images/*"):
        path.unlink()
    return figures


def call(url: str, pictures: int, times: int) -> Figures:
    """Request -> Result, in a script."""
    return _cleared(typical(lambda: _generate(url, pictures), times))


def call_async(url: str, pictures: int, times: int) -> Figures:
    """The same, awaited."""
    return _cleared(asyncio.run(typical_async(lambda: _agenerate(url, pictures), times)))


def memory(small: str, url: str, pictures: int, pictures_bytes: int) -> Figures:
    """The growth of one call after a small one."""
    _generate(small)
    return _cleared(growth(lambda: _generate(url, pictures), pictures_bytes))


def calls(url: str, calls: int, at_once: int, latency_s: float) -> Figures:
    """Many calls together."""
    measured = timed(lambda: asyncio.run(many_at_once(lambda: _agenerate(url), calls, at_once)))
    return _cleared(many(measured, calls=calls, at_once=at_once, latency_s=latency_s))


def stream(url: str, times: int) -> Figures:
    """Final event sent -> Result."""
    return _cleared(after_final(url, lambda: _streamed(url), times))


def _streamed(url: str) -> int:
    prompt = f"otter {next(_numbers)}"
    ig.generate(prompt, base_url=url, model="any", size="1024x1024", stream=True, partial_images=3, quiet=True)
    return time.monotonic_ns()


def stall(url: str, at_once: int) -> Figures:
    """The longest time for which the HTTP loop did nothing else, with so many answers in flight."""
    gaps = _Gaps()
    http_loop().loop.call_soon_threadsafe(gaps.tick)
    asyncio.run(many_at_once(lambda: _agenerate(url), at_once, at_once))
    gaps.is_over = True
    return _cleared({"stall_s": gaps.longest_s})


class _Gaps:
    """A callback that comes again after a millisecond, and notes by how much it came later."""

    def __init__(self) -> None:
        self.is_over = False
        self.longest_s = 0.0
        self._last: float | None = None

    def tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self.longest_s = max(self.longest_s, now - self._last - _TICK_S)
        self._last = now
        if not self.is_over:
            http_loop().loop.call_later(_TICK_S, self.tick)


if __name__ == "__main__":
    serve(call=call, call_async=call_async, memory=memory, calls=calls, stream=stream, stall=stall)
