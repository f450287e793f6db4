"""The jobs of a panel: a row for each, with its progress, its pictures or its error, and a button that cancels it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from .. import api, preview
from ..bridge import Job
from ..display import caption_lines, picture_of
from ..edge import plain_errors, without_keys
from ..result import Result
from .looks import Widget, button, column, discard, paint, picture, row, text
from .worker import told

AT_ONCE: Final = 4
"""Jobs under way together; a provider that allows five pictures a minute would refuse more."""

_ENDED_KEPT: Final = 5
_LONGEST_PROMPT: Final = 80

_DONE, _CANCELLED = "done", "cancelled"
"""How a job ends in which nothing went wrong; the other words are those of the history."""

_numbers: Final = itertools.count(1)


class Run:
    """One job of the panel and the row that shows it."""

    def __init__(self, job: Job, owner: Jobs) -> None:
        self.job = job
        self.owner = owner
        self.is_started = False
        self.is_ended = False
        self._began = 0.0
        self._said = ""
        self._seen: tuple[Any, ...] = ()
        self._name = f"{next(_numbers)} · {_whom(job)}"
        self._prompt = _short(job.ask.options.prompt)
        self._head = text()
        self._picture = picture()
        self._lines = text()
        self._cancel = button("Cancel", self._stop, f"Cancel job {self._name}")
        self._remove = button("Remove", self._go, f"Remove the row of job {self._name}; nothing is deleted")
        self._buttons = row(self._cancel)
        self.row: Widget = column(row(self._head, self._buttons), self._picture, self._lines, name="jig-job")
        self._say("waiting")

    def start(self) -> None:
        """Begin."""
        self.is_started, self._began = True, time.monotonic()
        self.job.start()

    def look(self) -> Result | None:
        """Show how far it is; its Result once, when it has ended."""
        if self.is_ended:
            return None
        if self.job.is_finished:
            return self._end()
        if self.is_started:
            self._say(f"{int(time.monotonic() - self._began)} s")
            self._paint()
        return None

    def close(self) -> None:
        """Take its widgets away."""
        discard(self.row, self._cancel, self._remove)

    def _go(self) -> None:
        self.owner.remove(self)

    def _stop(self) -> None:
        self._cancel.disabled = True
        self.job.cancel()

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            self._head.value = f"{self._name} · {what} · {self._prompt}"

    def _paint(self) -> None:
        sights = self.job.sights
        if sights is self._seen:
            return
        self._seen = sights
        numbers = max(sight.number for sight in sights)
        painted = preview.painted(tuple((f"[{sight.place}]", sight.data) for sight in sights))
        paint(self._picture, painted, f"being painted: preview {numbers}")

    def _end(self) -> Result:
        self.is_ended = True
        result, outcome, lines = ended(self.job)
        self._say(outcome)
        paint(self._picture, picture_of(result), _count(len(result)))
        self._lines.value = "\n".join(lines)
        if outcome not in (_DONE, _CANCELLED):
            self._lines.add_class("jig-error")
        self._buttons.children = (self._remove,)
        return result


class Jobs:
    """All rows, the newest first, and the order in which what waits is started."""

    def __init__(self, ended: Callable[[Result], None]) -> None:
        self.box: Widget = column(name="jig-jobs")
        self._ended = ended
        self._runs: deque[Run] = deque()
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Take a job; it is started by the next look, or when there is room."""
        with self._lock:
            self._runs.appendleft(Run(job, self))
            self._drop_old()
            self._draw()

    def take_over(self, others: Jobs) -> None:
        """Show the rows of another panel here: it was closed, and its jobs go on."""
        with others._lock, self._lock:
            for run in others._runs:
                run.owner = self
                self._runs.append(run)
            others._runs.clear()
            self._draw()
            others._draw()

    def look(self) -> bool:
        """Start what has room, show how far everything is; whether anything is under way. On the worker's thread."""
        with self._lock:
            runs = tuple(reversed(self._runs))
        under_way = [run for run in runs if run.is_started and not run.job.is_finished]
        waiting = [run for run in runs if not run.is_started and not run.job.is_finished]
        for run in waiting[: max(0, AT_ONCE - len(under_way))]:
            run.start()
        for run in runs:
            result = run.look()
            if result is not None:
                self._ended(result)
        return any(not run.is_ended for run in runs)

    def remove(self, run: Run) -> None:
        """Take a row away."""
        with self._lock:
            if run in self._runs:
                self._runs.remove(run)
            self._draw()
        run.close()

    def _drop_old(self) -> None:
        for run in [run for run in self._runs if run.is_ended][_ENDED_KEPT:]:
            self._runs.remove(run)
            run.close()

    def _draw(self) -> None:
        self.box.children = tuple(run.row for run in self._runs)


def ended(job: Job) -> tuple[Result, str, tuple[str, ...]]:
    """What a finished job brought, a word for how it ended, and what is said of it."""
    result = api.arrived(job)
    if job.is_cancelled:
        return result, _CANCELLED, tuple(api.became(job))
    try:
        with plain_errors():
            result = api.finish(job)
    except Exception as error:  # noqa: BLE001  (the notebook's edge: it is shown where the picture would stand)
        return result, getattr(error, "status", "failed"), (without_keys(told(error)), *caption_lines(result))
    return result, _DONE, tuple(caption_lines(result))


def _whom(job: Job) -> str:
    endpoint = job.ask.endpoint
    return f"{endpoint.model.name} at {endpoint.provider.name}" if endpoint.model.name else endpoint.provider.name


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= _LONGEST_PROMPT else f"{line[: _LONGEST_PROMPT - 1]}…"


def _count(pictures: int) -> str:
    return "the picture" if pictures == 1 else f"the {pictures} pictures"
