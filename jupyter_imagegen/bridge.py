"""One daemon thread owns the event loop, the HTTP connections and every task; everyone else starts, cancels and waits.

So nothing of ours runs inside the kernel's own loop, and a call works the same in a cell, a function, a widget
callback, a script and a terminal. No lock is taken on the waiting thread: an interrupt that landed inside one would
leave it held.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .edge import forget_values
from .sight import Sight

if TYPE_CHECKING:
    from .ask import Ask
    from .client import Client
    from .journal import AnyLine
    from .session import Outcome, Session

CLOSING_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.001
_LONGEST_PAUSE_S: Final = 0.05

_names: Final = itertools.count(1)


class _Loop:
    """The thread of one process; a forked child gets its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self.sessions: dict[Path, Session] = {}
        self.jobs: dict[int, Job] = {}
        threading.Thread(target=self._run, name="imagegen-http", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def session(self, store: Path) -> Session:
        """The session that writes to a store. On the loop's own thread only."""
        from .client import Client  # noqa: PLC0415  (the HTTP library is loaded by the first call)
        from .session import Session  # noqa: PLC0415

        if self._client is None:
            self._client = Client()
        if store not in self.sessions:
            self.sessions[store] = Session(store, self._client)
        return self.sessions[store]


_loops: list[_Loop] = []
_first: Final = threading.Lock()


def http_loop() -> _Loop:
    """The loop of this process, started when the extension loads or a script first calls."""
    if not _loops or _loops[-1].pid != os.getpid():
        # Two threads of a script may call first together. In a kernel the extension has been here before.
        with _first:
            if not _loops or _loops[-1].pid != os.getpid():
                _loops.append(_Loop())
    return _loops[-1]


def session_name(store: Path) -> str | None:
    """The name under which this process writes to a store; None where it has not yet."""
    session = http_loop().sessions.get(store)
    return None if session is None else session.name


class Append:
    """Lines about calls of the past, on their way into this session's segment."""

    def __init__(self, store: Path, lines: tuple[AnyLine, ...]) -> None:
        self._store = store
        self._lines = lines
        self._is_done = False
        self._error: Exception | None = None

    def carry_out(self) -> None:
        """Write them and wait until they are on disk. Raises StoreError.

        It polls a flag, as `wait` does: a lock that an interrupt lands in would stay held.
        """
        http = http_loop()
        http.loop.call_soon_threadsafe(self._write, http)
        while not self._is_done:
            time.sleep(_FIRST_PAUSE_S)
        if self._error is not None:
            raise self._error

    def _write(self, http: _Loop) -> None:
        try:
            http.session(self._store).append(*self._lines)
        except Exception as error:  # noqa: BLE001  (handed to the waiting thread, which raises it)
            self._error = error
        self._is_done = True


class Job:
    """One ask on its way. It may be started and cancelled from any thread, any number of times, in any order."""

    def __init__(self, ask: Ask, cell: int | None) -> None:
        self.ask = ask
        self.cell = cell
        self.name = next(_names)
        self.is_finished = False
        self.outcome: Outcome | None = None
        self.defect: BaseException | None = None
        self.sights: tuple[Sight, ...] = ()
        """The newest preview of each picture that is being painted, in the order of their places."""
        self._http = http_loop()
        self._task: asyncio.Task[None] | None = None
        self._is_to_stop = False

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cut short; pictures may have arrived before."""
        return self.defect is None and (self.outcome is None or self.outcome.is_cancelled)

    def start(self) -> None:
        """Begin, unless it has begun."""
        self._http.loop.call_soon_threadsafe(self._spawn)

    def cancel(self) -> None:
        """Close its connections and write its records; before it has begun, keep it from beginning."""
        self._is_to_stop = True
        self._http.loop.call_soon_threadsafe(self._stop)

    def _spawn(self) -> None:
        if self._task is not None or self.is_finished:
            return
        if self._is_to_stop:
            self._stop()
            return
        self._http.jobs[self.name] = self
        self._task = self._http.loop.create_task(self._run())
        self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self.is_finished = True

    async def _run(self) -> None:
        try:
            self.outcome = await self._http.session(self.ask.store).generate(self.ask, self._see)
        except Exception as error:  # noqa: BLE001  (handed to the waiting thread, which raises it)
            # Frames of the HTTP library hold the header with the key, and %xmode Verbose prints what frames hold.
            forget_values(error)
            self.defect = error

    def _see(self, place: int, data: bytes) -> None:
        """Take a preview; the waiting thread looks at `sights`, which is replaced in one step."""
        number = next((sight.number for sight in self.sights if sight.place == place), 0) + 1
        others = tuple(sight for sight in self.sights if sight.place != place)
        self.sights = tuple(sorted((*others, Sight(place, number, data)), key=lambda sight: sight.place))

    def _end(self, _task: asyncio.Task[None]) -> None:
        # Not a `finally` in _run: a task that is cancelled before its first step never gets there.
        self._http.jobs.pop(self.name, None)
        self.is_finished = True


def wait(job: Job, tick: Callable[[], None]) -> None:
    """Start the job and block until it is finished, calling `tick` meanwhile.

    Whatever interrupts the wait (KeyboardInterrupt) cancels the job, and goes on once its connections are closed and
    its records are written.
    """
    try:
        job.start()
        pause = _FIRST_PAUSE_S
        while not job.is_finished:
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
            tick()
    except BaseException:
        job.cancel()
        _wait_closed(job)
        raise


def _wait_closed(job: Job) -> None:
    until = time.monotonic() + CLOSING_S
    while not job.is_finished and time.monotonic() < until:
        try:
            time.sleep(_FIRST_PAUSE_S)
        except KeyboardInterrupt:
            job.cancel()


async def wait_async(job: Job) -> None:
    """As `wait`, for a coroutine of any loop.

    It ticks rather than sleeping on a future: in ipykernel an interrupt wakes the kernel's loop only when something
    else does (ipykernel issue 881), and an idle await would let the paid request run to its end.
    """
    try:
        job.start()
        pause = _FIRST_PAUSE_S
        while not job.is_finished:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    except BaseException:
        job.cancel()
        await _wait_closed_async(job)
        raise


async def _wait_closed_async(job: Job) -> None:
    until = time.monotonic() + CLOSING_S
    while not job.is_finished and time.monotonic() < until:
        try:
            await asyncio.sleep(_FIRST_PAUSE_S)
        except (asyncio.CancelledError, KeyboardInterrupt):
            job.cancel()


def cancel_cell(cell: int) -> None:
    """Cancel what a cell left behind."""
    for job in list(http_loop().jobs.values()):
        if job.cell == cell:
            job.cancel()
