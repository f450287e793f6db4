"""What is compared, as data: the rows of the comparison, and those that show how cost grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Argument = str | int | float
"""A text may name places in braces: {endpoint}, {sketch}, {openai} (an interpreter), {scratch} (a folder)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is measured: the module that is run, by which interpreter, and whether anew in each round."""

    name: str
    module: str
    environment: str = "ours"
    is_fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one subject does in one round, under the name that it has in the table."""

    name: str
    subject: Subject
    task: str
    arguments: tuple[tuple[str, Argument], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A figure of a run."""

    run: str
    figure: str = "wall_s"
    name: str = field(default="", compare=False)
    """What it is called in a table, where that is not the run."""

    @property
    def title(self) -> str:
        """What it is called in a table."""
        return self.name or self.run


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Ours, against the fastest of some others, is at most so much; against nobody, the figure itself is."""

    what: str
    ours: Source
    against: tuple[Source, ...] = ()
    at_most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Runs that take turns, and what is wanted of them."""

    name: str
    runs: tuple[Run, ...]
    goals: tuple[Goal, ...]
    rounds: int
    before: tuple[Run, ...] = ()
    """What is done once, unmeasured."""
    shown: tuple[Source, ...] = ()
    """Figures that stand beside those of the goals."""
    ceiling: Source | None = None
    """What the endpoint itself takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The same at several sizes: the figures, each for one, are to stay flat."""

    name: str
    what: str
    steps: tuple[tuple[int, Row], ...]
    figures: tuple[Source, ...]
    is_of_one: bool
    """Whether the figures are already those of one call; else they are divided by the step."""
    beside: tuple[Source, ...] = ()
    """Figures that stand beside them in the table as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much of everything."""

    picture: str
    large: str
    huge: str
    small: str
    ten: int
    times: int
    calls: int
    at_once: int
    latency_ms: int
    history: int
    lines: int
    in_flight: tuple[tuple[int, int], ...]
    """How many at once, and how many in all."""
    histories: tuple[int, ...]


FULL: Final = Scale(
    picture="2MiB",
    large="8MiB",
    huge="8MiB",
    small="64KiB",
    ten=10,
    times=5,
    calls=2000,
    at_once=64,
    latency_ms=50,
    history=100_000,
    lines=200,
    in_flight=((1, 40), (10, 400), (100, 2000), (1000, 4000)),
    histories=(1_000, 10_000, 100_000, 1_000_000),
)
TINY: Final = Scale(
    picture="2KiB",
    large="8KiB",
    huge="8KiB",
    small="1KiB",
    ten=2,
    times=1,
    calls=6,
    at_once=3,
    latency_ms=1,
    history=60,
    lines=3,
    in_flight=((1, 2), (4, 8)),
    histories=(10, 40),
)
