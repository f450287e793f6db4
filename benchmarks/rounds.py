"""The rows, measured: in each round every run of a row takes its turn, so that what slows the machine slows all."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.parse import urlsplit

from .peers import CACHE
from .rows import Argument, Row, Run, Source, Subject
from .workers import SubjectFailed, Worker, python_of, serving

Tell = Callable[[str], None]

_WARM: Final = b'{"model":"sketch","prompt":"warm","size":"1024x1024"}'


@dataclass(frozen=True, slots=True)
class Rounds:
    """How many rounds count, and how many before them do not: by then everything was loaded and opened once."""

    counted: int
    warming: int = 1

    @property
    def turns(self) -> range:
        """The numbers of all rounds; those that do not count are zero or less."""
        return range(1 - self.warming, self.counted + 1)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a row, one for each round; or why there are none."""

    row: Row
    figures: tuple[tuple[Source, tuple[float, ...]], ...] = ()
    problem: str = ""

    def of(self, source: Source) -> tuple[float, ...]:
        """One figure in all rounds; none where the run did not give it."""
        return dict(self.figures).get(source, ())


class Bench:
    """The servers, and the processes of the subjects that live longer than a round."""

    def __init__(self, scratch: Path, places: dict[str, str], tell: Tell) -> None:
        self._scratch = scratch
        self._places = places
        self._tell = tell
        self._workers: dict[Subject, Worker] = {}

    def measure(self, row: Row, rounds: Rounds) -> Measured:
        """Every run in every round. What fails in one ends the row."""
        found: dict[Source, list[float]] = defaultdict(list)
        try:
            for run in row.before:
                self._carry_out(run)
            for turn in rounds.turns:
                self._tell(f"{row.name}: {f'round {turn}' if turn > 0 else 'warming up'}")
                for run in _in_turn(row.runs, turn):
                    figures = self._carry_out(run)
                    for name, figure in figures.items() if turn > 0 else ():
                        found[Source(run.name, name)].append(figure)
        except SubjectFailed as error:
            self.close()
            return Measured(row, problem=str(error))
        return Measured(row, tuple((source, tuple(figures)) for source, figures in found.items()))

    def close(self) -> None:
        """End every process; a next row starts those that it needs."""
        while self._workers:
            self._workers.popitem()[1].close()

    def _carry_out(self, run: Run) -> dict[str, float]:
        arguments = {name: self._filled(value) for name, value in run.arguments}
        if not run.subject.is_fresh:
            return self._worker(run.subject).ask(run.task, arguments)
        worker = Worker(run.subject, self._scratch)
        try:
            return worker.ask(run.task, arguments)
        finally:
            worker.close()

    def _worker(self, subject: Subject) -> Worker:
        if subject not in self._workers:
            self._workers[subject] = Worker(subject, self._scratch)
        return self._workers[subject]

    def _filled(self, value: Argument) -> Argument:
        return value.format_map(self._places) if isinstance(value, str) else value


def _in_turn(runs: tuple[Run, ...], turn: int) -> Iterator[Run]:
    """Another one begins in each round: whoever comes after a pause finds memory and disk cold."""
    first = turn % len(runs)
    return chain(runs[first:], runs[:first])


@contextmanager
def bench(tell: Tell) -> Iterator[Bench]:
    """A bench with its servers, in a folder of its own on the disk of the repository; afterwards all of it is gone."""
    stores = CACHE / "stores"
    stores.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        scratch = Path(mkdtemp(dir=stores))
        opened.callback(shutil.rmtree, scratch, ignore_errors=True)
        endpoint = opened.enter_context(serving("benchmarks.endpoint"))
        sketch = opened.enter_context(serving("jupyter_imagegen.sketch"))
        _warm(sketch)
        places = {"endpoint": endpoint, "sketch": sketch, "scratch": str(scratch), "openai": str(python_of("openai"))}
        made = Bench(scratch, places, tell)
        opened.callback(made.close)
        yield made


def _warm(sketch: str) -> None:
    """Let the served endpoint load all that it paints with: only the client of it is cold."""
    where = urlsplit(sketch)
    connection = HTTPConnection(where.hostname or "", where.port)
    connection.request("POST", f"{where.path}/images/generations", _WARM, {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.close()
