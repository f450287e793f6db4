"""One thread for what takes time: callbacks only hand it over, so that the kernel is free at once.

It makes thumbnails, reads the store, writes ratings, and looks every tenth of a second at the jobs that are under way.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..edge import plain_errors
from ..errors import ImageGenError

_TICK_S: Final = 0.1

Task = Callable[[], None]


class Worker:
    """Tasks in their order, and between them `tick`, for as long as it says that something is under way.

    `tell` is handed the errors. The thread ends when it is closed, and with the process.
    """

    def __init__(self, tick: Callable[[], bool], tell: Callable[[BaseException], None]) -> None:
        self._tick = tick
        self._tell = tell
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="imagegen-panel", daemon=True).start()

    def do(self, task: Task) -> None:
        """Carry it out soon. From any thread."""
        self._tasks.put(task)

    def close(self) -> None:
        """End, once everything that was handed over is done."""
        self._tasks.put(None)

    def _run(self) -> None:
        is_busy = False
        while True:
            task: Task | None = _nothing
            with suppress(queue.Empty):
                task = self._tasks.get(timeout=_TICK_S if is_busy else None)
            if task is None:
                return
            self._carry_out(task)
            is_busy = self._look()

    def _carry_out(self, task: Task) -> None:
        try:
            with plain_errors():
                task()
        except Exception as error:  # noqa: BLE001  (the notebook's edge: a thread has nobody above it who would be told)
            self._tell(error)

    def _look(self) -> bool:
        # Also after a look that failed: what else is under way has to be followed.
        is_busy = True

        def look() -> None:
            nonlocal is_busy
            is_busy = self._tick()

        self._carry_out(look)
        return is_busy


def _nothing() -> None:
    """Between two looks."""


def told(error: BaseException) -> str:
    """What a person is told of an error: the same lines as in a cell."""
    if isinstance(error, ImageGenError):
        return "\n".join(error.lines())
    return f"{type(error).__name__}: {error}"
