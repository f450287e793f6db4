"""What one session writes to its store, off the HTTP loop: on a slow disk one sync takes longer than many answers.

Lines of several calls that come together become durable with one sync.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from .journal import AnyLine, Opened, Segment
from .threads import Threads

FILES_AT_ONCE: Final = 8

JOURNALS_AT_ONCE: Final = 2

Got = TypeVar("Got")
Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Lines that are to be written, and who waits for it."""

    lines: tuple[AnyLine, ...]
    done: asyncio.Future[None]


@cache
def _threads(_pid: int) -> tuple[Threads, Threads]:
    """Those for journals and those for files, of all stores: a forked process has none of its parent's."""
    return Threads(JOURNALS_AT_ONCE, "imagegen-journal"), Threads(FILES_AT_ONCE, "imagegen-files")


class Disk:
    """The threads that write to one store. On the loop's own thread only."""

    def __init__(self, store: Path, opened: Opened) -> None:
        self.store = store
        self.session = opened.session
        self._segment = Segment(store, opened)
        self._journal, self.files = _threads(os.getpid())
        self._waiting: list[_Waiting] = []
        self._is_writing = False

    async def append(self, *lines: AnyLine) -> None:
        """Write lines, one behind the other, and wait until they are on disk: `to_its_end` if they are of a call.

        Raises StoreError.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append(_Waiting(lines, done))
        if not self._is_writing:
            self._write(loop)
        await done

    async def carry_out(self, work: Callable[Given, Got], *args: Given.args, **named: Given.kwargs) -> Got:
        """Do something with files. Raises what it raises."""
        assert not named  # noqa: S101  (for the type checker: threads take arguments by their places)
        return await asyncio.get_running_loop().run_in_executor(self.files, work, *args)

    def close(self) -> None:
        """Close the journal's file, once nothing is to be written any more."""
        self._segment.close()

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write all that waits."""
        batch, self._waiting = self._waiting, []
        if batch:
            lines = [line for waiting in batch for line in waiting.lines]
            writing = loop.run_in_executor(self._journal, self._segment.append, *lines)
            writing.add_done_callback(lambda written: self._tell(loop, batch, written.exception()))
        self._is_writing = bool(batch)

    def _tell(self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting], error: BaseException | None) -> None:
        for done in (waiting.done for waiting in batch if not waiting.done.done()):
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
        self._write(loop)


async def to_its_end(work: Awaitable[Got]) -> Got:
    """What it gives. When the task is cancelled meanwhile, that is raised once it is over, and nothing else."""
    future = asyncio.ensure_future(work)
    is_cancelled = False
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        if not future.cancelled():
            future.exception()  # asked for, or the loop would tell of it
        raise asyncio.CancelledError
    return future.result()
