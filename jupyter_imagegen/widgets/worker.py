"""One thread for what takes time: callbacks hand it over, so that the kernel is free at once.

It prepares and watches jobs, reads the store, makes thumbnails and writes ratings.
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
    """Tasks in their order, and between them `look`, every tenth of a second while it says that something is under way.

    `tell` is handed the errors. The thread ends when it is closed and nothing is under way any more, and with the
    process.
    """

    def __init__(self, look: Callable[[], bool], tell: Callable[[BaseException], None]) -> None:
        self._look = look
        self._tell = tell
        self._is_busy = False
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="imagegen-panel", daemon=True).start()

    def do(self, task: Task) -> None:
        """Carry it out soon, and look then. From any thread."""
        self._tasks.put(task)

    def close(self) -> None:
        """End, once everything that was handed over is done and nothing is under way."""
        self._tasks.put(None)

    def _run(self) -> None:
        is_open = True
        while is_open or self._is_busy:
            with suppress(queue.Empty):
                task = self._tasks.get(timeout=_TICK_S if self._is_busy else None)
                is_open = is_open and task is not None
                if task is not None:
                    self._carry_out(task)
            self._carry_out(self._look_round)

    def _look_round(self) -> None:
        self._is_busy = True  # also after a look that fails: jobs go on, and want to be looked at again
        self._is_busy = self._look()

    def _carry_out(self, task: Task) -> None:
        try:
            with plain_errors():
                task()
        except Exception as error:  # noqa: BLE001  (the notebook's edge: a thread has nobody above it who would be told)
            self._tell(error)


def told(error: BaseException) -> str:
    """What a person is told of an error: the same lines as in a cell."""
    if isinstance(error, ImageGenError):
        return "\n".join(error.lines())
    return f"{type(error).__name__}: {error}"
