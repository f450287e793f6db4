"""Threads that live as long as the process does.

Those of `concurrent.futures` end with the main thread, before the other threads of a script have ended: a call that one
of these waits for would be paid for and not kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

Got = TypeVar("Got")
Given = ParamSpec("Given")


class Threads(Executor):
    """So many threads at most, begun when they are needed; work is taken up in the order in which it came.

    Work is given by one thread alone.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._count = 0
        self._idle = threading.Semaphore(0)
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, work: Callable[Given, Got], /, *args: Given.args, **named: Given.kwargs) -> Future[Got]:
        """Have it done."""
        done: Future[Got] = Future()
        self._work.put((done, lambda: work(*args, **named)))
        if not self._idle.acquire(blocking=False) and self._count < self._most:
            self._grow()
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  (as it is inherited)
        """End the threads once they have done what was given."""
        for _ in range(self._count):
            self._work.put(None)
        self._count = 0

    def _grow(self) -> None:
        try:
            threading.Thread(target=self._run, name=f"{self._name}-{self._count + 1}", daemon=True).start()
        except RuntimeError:  # the system gives no more of them
            if not self._count and (given := self._work.get()) is not None:
                _carry_out(*given)
        else:
            self._count += 1

    def _run(self) -> None:
        while (given := self._work.get()) is not None:
            done, work = given
            del given
            _carry_out(done, work)
            del done, work  # what it gave is kept by whoever waits for it, and by nobody else
            self._idle.release()


def _carry_out(done: Future[Any], work: Callable[[], Any]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001  (handed to whoever waits for it, who raises it)
        done.set_exception(error)
