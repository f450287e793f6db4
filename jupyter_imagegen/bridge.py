"""One daemon thread owns the event loop, the HTTP connections and every task; everyone else starts, cancels and waits.

So nothing of ours runs inside the kernel's own loop, and a call works the same in a cell, a function, a widget
callback, a script and a terminal. The waiting thread takes no lock that anyone else waits for: an interrupt that
landed inside one would leave it held.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from .edge import forget_values
from .sight import Sight

if TYPE_CHECKING:
    from .ask import Ask
    from .client import Client
    from .journal import AnyLine
    from .session import Outcome, Session

CLOSING_S: Final = 5.0
_TICK_S: Final = 0.05
"""How often a wait looks up: to show how far it is, and to hear an interrupt that nothing else would make it hear."""

_names: Final = itertools.count(1)


class _Loop:
    """The thread of one process; a forked child gets its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self.sessions: dict[Path, Session] = {}
        self.jobs: dict[int, Job] = {}
        self._ended: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
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

    def tell(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        """End what is awaited in another loop, which is woken once for all that ends together. On this thread only."""
        if not self._ended:
            self.loop.call_soon(self._tell_all)
        self._ended.setdefault(loop, []).append(ended)

    def _tell_all(self) -> None:
        told, self._ended = self._ended, {}
        for loop, ended in told.items():
            with suppress(RuntimeError):  # that loop was closed meanwhile: nobody waits in it any more
                loop.call_soon_threadsafe(_end, ended)


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


class Bell:
    """Rung once, by the HTTP thread; whoever waits for it goes on at once.

    It is a bare lock, held from the beginning, that the HTTP thread gives back and never takes. An interrupt may land
    anywhere in a wait: nothing is left behind that another thread would stand still for.
    """

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake whoever waits, now or later."""
        self._silence.release()

    def wait(self, seconds: float) -> None:
        """Return when it has rung, or after so many seconds."""
        if self._silence.acquire(timeout=seconds):
            self._silence.release()  # someone else may wait for it too


class Append:
    """Lines about calls of the past, on their way into this session's segment."""

    def __init__(self, store: Path, lines: tuple[AnyLine, ...]) -> None:
        self._store = store
        self._lines = lines
        self._task: asyncio.Task[None] | None = None
        self._is_done = False
        self._bell = Bell()
        self._error: Exception | None = None

    def carry_out(self) -> None:
        """Write them and wait until they are on disk. Raises StoreError."""
        http = http_loop()
        http.loop.call_soon_threadsafe(self._begin, http)
        while not self._is_done:
            self._bell.wait(_TICK_S)
        if self._error is not None:
            raise self._error

    def _begin(self, http: _Loop) -> None:
        self._task = http.loop.create_task(self._write(http))

    async def _write(self, http: _Loop) -> None:
        try:
            await http.session(self._store).append(*self._lines)
        except Exception as error:  # noqa: BLE001  (handed to the waiting thread, which raises it)
            self._error = error
        self._is_done = True
        self._bell.ring()


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
        self._bell = Bell()
        self._awaited_in: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cut short; pictures may have arrived before."""
        return self.defect is None and (self.outcome is None or self.outcome.is_cancelled)

    def start(self) -> None:
        """Begin, unless it has begun."""
        self.start_with(())

    def start_with(self, others: Iterable[Job]) -> None:
        """Begin together with others, for which the HTTP thread is then woken but once."""
        self._http.loop.call_soon_threadsafe(_spawn, (self, *others))

    def cancel(self) -> None:
        """Close its connections and write its records; before it has begun, keep it from beginning."""
        self._is_to_stop = True
        self._http.loop.call_soon_threadsafe(self._stop)

    def wait(self, seconds: float) -> None:
        """Return when it is finished, or after so many seconds."""
        self._bell.wait(seconds)

    def end_in(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Its end, to be awaited in this loop, which is the running one."""
        ended = loop.create_future()
        self._awaited_in.append((loop, ended))
        if self.is_finished:  # perhaps before it could be seen that this is awaited
            _end((ended,))
        return ended

    def spawn(self) -> None:
        """Begin, on the HTTP thread."""
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
        elif not self.is_finished:
            self._finish()

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
        self._finish()

    def _finish(self) -> None:
        self.is_finished = True
        self._bell.ring()
        for loop, ended in self._awaited_in:
            self._http.tell(loop, ended)


def _spawn(jobs: Iterable[Job]) -> None:
    for job in jobs:
        job.spawn()


def wait(job: Job, tick: Callable[[], None]) -> None:
    """Start the job and block until it is finished, calling `tick` meanwhile.

    Whatever interrupts the wait (KeyboardInterrupt) cancels the job, and goes on once its connections are closed and
    its records are written.
    """
    try:
        job.start()
        while not job.is_finished:
            job.wait(_TICK_S)
            tick()
    except BaseException:
        job.cancel()
        _wait_closed(job)
        raise


def _wait_closed(job: Job) -> None:
    until = time.monotonic() + CLOSING_S
    while not job.is_finished and (left := until - time.monotonic()) > 0:
        try:
            job.wait(left)
        except KeyboardInterrupt:
            job.cancel()


async def wait_async(job: Job) -> None:
    """As `wait`, for a coroutine of any loop."""
    loop = asyncio.get_running_loop()
    waiting, ended = _waiting.setdefault(loop, _Waiting()), job.end_in(loop)
    try:
        waiting.keep_awake(loop, ended)
        waiting.start(loop, job)
        await ended
    except GeneratorExit:  # thrown away with its loop: nothing can be awaited any more
        job.cancel()
        raise
    except BaseException:
        job.cancel()
        await _wait_closed_async(job)
        raise


async def _wait_closed_async(job: Job) -> None:
    loop, until = asyncio.get_running_loop(), time.monotonic() + CLOSING_S
    ended = job.end_in(loop)
    _waiting.setdefault(loop, _Waiting()).keep_awake(loop, ended)
    while not job.is_finished and (left := until - time.monotonic()) > 0:
        try:
            await asyncio.wait((ended,), timeout=left)
        except (asyncio.CancelledError, KeyboardInterrupt):
            job.cancel()


def _end(awaited: Iterable[asyncio.Future[None]]) -> None:
    for ended in awaited:
        if not ended.done():
            ended.set_result(None)


class _Waiting:
    """What is awaited in one event loop. An interrupt may land anywhere in it: the next beat makes up for that."""

    def __init__(self) -> None:
        self._awaited: set[asyncio.Future[None]] = set()
        self._starting: list[Job] = []
        self._is_beating = False

    def keep_awake(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        """Wake the loop now and then until this has ended.

        In ipykernel an interrupt is heard only when something else wakes the kernel's loop (ipykernel issue 881), and
        an idle await would let the paid request run to its end. One timer for all that is awaited: a thousand of them
        would keep the loop busy.
        """
        self._awaited.add(ended)
        ended.add_done_callback(self._awaited.discard)
        if not self._is_beating:
            self._beat(loop)

    def start(self, loop: asyncio.AbstractEventLoop, job: Job) -> None:
        """Start it together with all others that this turn of the loop starts."""
        if not self._starting:
            loop.call_soon(self._start_all)
        self._starting.append(job)

    def _start_all(self) -> None:
        # In this order an interrupt between the two starts them twice, which is once, and not never.
        if self._starting:
            self._starting[0].start_with(self._starting[1:])
        self._starting.clear()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._awaited:
            loop.call_later(_TICK_S, self._beat, loop)
        self._is_beating = bool(self._awaited)
        self._start_all()


_waiting: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Waiting]] = WeakKeyDictionary()


def cancel_cell(cell: int) -> None:
    """Cancel what a cell left behind."""
    for job in list(http_loop().jobs.values()):
        if job.cell == cell:
            job.cancel()
