"""Work is done in the order in which it came, also where the system has no more threads to give."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest

from jupyter_imagegen.threads import Threads


def test_work_gives_what_it_gives_or_raises_what_it_raises() -> None:
    """To whoever waits for it."""
    threads = Threads(2, "test")
    fine, broken = threads.submit(divmod, 7, 2), threads.submit(int, "x")

    assert fine.result(30) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        broken.result(30)
    threads.shutdown()


def test_no_more_threads_are_begun_than_are_wanted() -> None:
    """However much there is to do."""
    threads, names = Threads(3, "test"), set[str]()
    gate = threading.Barrier(3)

    def meet() -> None:
        gate.wait(30)
        names.add(threading.current_thread().name)

    for done in [threads.submit(meet) for _ in range(9)]:
        done.result(30)
    threads.shutdown()

    assert names == {"test-1", "test-2", "test-3"}


def test_without_a_thread_work_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what is never begun."""

    def none(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    threads = Threads(2, "test")

    assert [threads.submit(pow, 2, place).result(0) for place in range(3)] == [1, 2, 4]


def test_one_thread_is_enough_where_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given waits for it."""
    threads, start, through = Threads(4, "test"), threading.Thread.start, threading.Event()
    begun: list[str] = []

    def one(self: threading.Thread) -> None:
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(self.name)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", one)
    first, second = threads.submit(through.wait, 30), threads.submit(pow, 2, 3)
    assert not second.done()
    through.set()

    assert (first.result(30), second.result(30)) == (True, 8)
    threads.shutdown()
