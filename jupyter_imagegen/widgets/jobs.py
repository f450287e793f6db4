"""The jobs of a panel: a row for each, with its progress, its pictures or its error, and a button that cancels it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .. import api, preview
from ..bridge import Job
from ..display import caption_lines, picture_of
from ..edge import plain_errors, without_keys
from ..errors import ImageGenError
from ..gallery import one_line
from ..preview import Preview
from .looks import beside, button, column, discard, paint, picture, row, text
from .subshells import Widget
from .worker import told

AT_ONCE: Final = 4
"""Jobs under way together; a provider that allows five pictures a minute would refuse more."""

_ENDED_KEPT: Final = 5
_LONGEST_PROMPT: Final = 80

_DONE: Final = "done"
_CANCELLED: Final = "cancelled"

_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended: a word for it, what is said of it, and its pictures in one."""

    word: str
    lines: tuple[str, ...]
    picture: Preview | None = None
    ids: tuple[str, ...] = ()
    """The calls that were made."""

    @property
    def is_error(self) -> bool:
        """Whether something went wrong; then the word is one of the history's."""
        return self.word not in (_DONE, _CANCELLED)


class Run:
    """One job of the panel and the row that shows it."""

    def __init__(self, job: Job, remove: Callable[[Run], None]) -> None:
        self.job = job
        self.remove = remove
        self.is_started = False
        self.ending: Ending | None = None
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
        self.row: Widget = column(row(self._head, self._buttons), beside(self._picture, self._lines), name="jig-job")
        self._say("waiting")

    def start(self) -> None:
        """Begin."""
        self.is_started, self._began = True, time.monotonic()
        self.job.start()

    def look(self) -> bool:
        """Show how far it is; whether it has just ended."""
        if self.ending is not None:
            return False
        if self.job.is_finished:
            self._end(ending(self.job))
            return True
        if self.is_started:
            self._say(f"{int(time.monotonic() - self._began)} s")
            self._paint()
        return False

    def close(self) -> None:
        """Take its widgets away."""
        discard(self.row, self._cancel, self._remove)

    def _go(self) -> None:
        self.remove(self)

    def _stop(self) -> None:
        self._cancel.disabled = True
        self.job.cancel()

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            self._head.value = f"{self._name} · {what} · {self._prompt}"

    def _paint(self) -> None:
        sights = self.job.sights
        if sights and sights is not self._seen:
            self._seen = sights
            painted = preview.painted(tuple((f"[{sight.place}]", sight.data) for sight in sights))
            paint(self._picture, painted, f"being painted: preview {max(sight.number for sight in sights)}")

    def _end(self, found: Ending) -> None:
        self.ending = found
        self._say(found.word)
        paint(self._picture, found.picture, "what it has made")
        self._lines.value = "\n".join(found.lines)
        if found.is_error:
            self._lines.add_class("jig-error")
        self._buttons.children = (self._remove,)


class Jobs:
    """All rows, the newest first, and the order in which what waits is started. `ended` is called after each end."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self.box: Widget = column(name="jig-jobs")
        self._ended = ended
        self._runs: tuple[Run, ...] = ()
        self._order: tuple[Run, ...] = ()
        # Callbacks take rows away while the worker puts others there.
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Take a job; it is started by the next look, or when there is room."""
        made = Run(job, self.remove)
        self._change(lambda runs: (made, *runs))

    def receive(self, others: Jobs) -> None:
        """Show the rows of another panel here. On the worker's thread of that one, which looks at them no more then."""
        there = others._runs
        others._change(lambda _: ())
        for run in there:
            run.remove = self.remove
        self._change(lambda runs: (*runs, *there))

    def look(self) -> bool:
        """Start what has room, show how far everything is; whether anything is under way. On the worker's thread."""
        runs = tuple(reversed(self._runs))
        under_way = [run for run in runs if run.is_started and not run.job.is_finished]
        waiting = [run for run in runs if not run.is_started and not run.job.is_finished]
        for run in waiting[: max(0, AT_ONCE - len(under_way))]:
            run.start()
        just_ended = tuple(run for run in runs if run.look())
        if just_ended:
            self._order = (*self._order, *just_ended)
            self._drop_old()
            self._ended()
        return any(run.ending is None for run in runs)

    def remove(self, run: Run) -> None:
        """Take a row away."""
        self._change(lambda runs: tuple(each for each in runs if each is not run))
        run.close()

    def forget(self, ids: frozenset[str]) -> None:
        """Take the rows of calls away that were forgotten."""
        for run in self._runs:
            if run.ending is not None and ids.intersection(run.ending.ids):
                self.remove(run)

    def _drop_old(self) -> None:
        """Of what has ended, the last stay."""
        there = [run for run in self._order if run in self._runs]
        for run in there[:-_ENDED_KEPT]:
            self.remove(run)
        self._order = tuple(there[-_ENDED_KEPT:])

    def _change(self, change: Callable[[tuple[Run, ...]], tuple[Run, ...]]) -> None:
        with self._lock:
            self._runs = change(self._runs)
            self.box.children = tuple(run.row for run in self._runs)


def ending(job: Job) -> Ending:
    """How a finished job ended; its pictures are saved where that was asked for."""
    try:
        return _ending(job)
    except Exception as error:  # noqa: BLE001  (the notebook's edge: it is shown where the picture would stand)
        return Ending("failed", (without_keys(told(error)),))


def _ending(job: Job) -> Ending:
    result = api.arrived(job)
    ids = tuple(record.id for record in result.records)
    if job.is_cancelled:
        return Ending(_CANCELLED, tuple(api.became(job)), picture_of(result), ids)
    try:
        with plain_errors():
            api.finish(job)
    except ImageGenError as error:
        lines = (without_keys(told(error)), *caption_lines(result))
        return Ending(error.status, lines, picture_of(result), ids)
    return Ending(_DONE, tuple(caption_lines(result)), picture_of(result), ids)


def _whom(job: Job) -> str:
    endpoint = job.ask.endpoint
    model, provider = endpoint.model.name, endpoint.provider.name
    return one_line(provider if model in ("", provider) else f"{model} at {provider}")


def _short(prompt: str) -> str:
    line = one_line(prompt)
    return line if len(line) <= _LONGEST_PROMPT else f"{line[: _LONGEST_PROMPT - 1]}…"
