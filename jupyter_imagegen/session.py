"""generate: one ask -> its calls, as many together as the model's limits ask for. The one orchestrator.

It runs on the HTTP loop.
"""

from __future__ import annotations

import asyncio
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import __version__
from .arrival import See
from .ask import Ask, Step
from .call import Call, Finished
from .client import Client
from .disk import Disk, to_its_end
from .errors import ImageGenError, StoreError
from .journal import FORMAT, AnyLine, Opened, Shown, new_id, now
from .process import this_process
from .recall import retold
from .records import Record

AT_ONCE: Final = 16
"""Calls of one ask that are under way together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The calls that were made, in the order of their pictures, and the first error among them."""

    records: tuple[Record, ...] = ()
    error: ImageGenError | None = None
    is_cancelled: bool = False


class Session:
    """The journal segment of one store, and the calls that are written to it."""

    def __init__(self, store: Path, client: Client) -> None:
        self._client = client
        self._disk = Disk(store, _opened())

    @property
    def name(self) -> str:
        """The name of this session in the journal."""
        return self._disk.session

    async def generate(self, ask: Ask, see: See) -> Outcome:
        """Make the calls of one ask, at most AT_ONCE together; `see` is shown the previews that come meanwhile.

        Nothing is raised: errors are in the outcome, beside the pictures that arrived. When this is cancelled, every
        connection is closed and every record is written before it returns. After a first failure, calls that have
        not begun are not begun.
        """
        gate = asyncio.Semaphore(AT_ONCE)
        failed = asyncio.Event()
        tasks = [asyncio.create_task(self._gated(ask, step, gate, failed, see)) for step in ask.steps]
        is_cancelled = await _all_ended(tasks)
        ended = [task for task in tasks if not task.cancelled()]
        calls = [call for task in ended if task.exception() is None and (call := task.result()) is not None]
        errors = [call.error for call in calls if call.error is not None]
        errors += [error for task in ended if isinstance(error := task.exception(), ImageGenError)]
        for task in ended:
            _raise_defect(task.exception())
        return Outcome(
            records=tuple(call.record for call in calls),
            error=errors[0] if errors else None,
            is_cancelled=is_cancelled,
        )

    async def append(self, *lines: AnyLine) -> None:
        """Write lines that are about calls of the past. Raises StoreError."""
        await to_its_end(self._disk.append(*lines))

    async def _gated(
        self, ask: Ask, step: Step, gate: asyncio.Semaphore, failed: asyncio.Event, see: See
    ) -> Finished | None:
        if isinstance(step, Record):
            return await self._shown(ask, step)
        async with gate:
            if failed.is_set():
                return None
            try:
                call = await Call(ask, step, self._client, self._disk, see).run()
            except BaseException:
                failed.set()
                raise
            if call.error is not None or call.record.status != "ok":
                failed.set()
            return call

    async def _shown(self, ask: Ask, record: Record) -> Finished:
        """A record in the place of a call. A replay leaves no trace in the store, so that it can be repeated."""
        if ask.mode == "cache":
            place = ask.place
            line = Shown(
                id=record.id,
                at=now(),
                notebook=place.notebook,
                cell_id=place.cell_id,
                execution_count=place.execution_count,
            )
            with suppress(StoreError):  # A store that can only be read can be shown all the same.
                await to_its_end(self._disk.append(line))
        return Finished(record=record, error=retold(record))


def _opened() -> Opened:
    process = this_process()
    return Opened(
        journal=FORMAT,
        at=now(),
        version=__version__,
        python=platform.python_version(),
        host=process.host,
        pid=process.pid,
        process_started=process.started,
        session=new_id(),
    )


async def _all_ended(tasks: list[asyncio.Task[Finished | None]]) -> bool:
    """Wait for all of them; when this is cancelled, cancel them and wait all the same. Whether it was."""
    is_cancelled = False
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            is_cancelled = True
            for task in tasks:
                task.cancel()
    return is_cancelled


def _raise_defect(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, ImageGenError):
        raise error
