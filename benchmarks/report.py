"""Figures -> what was found, as a table, as growth, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .rounds import Measured
from .rows import Goal, Growth, Source
from .spread import Spread, Verdict, ratios, spread, verdict

HEADINGS: Final = ("what", "ours", "others", "ratio", "goal", "holds")
_NO_FIGURES: Final = "no figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A goal and what was measured of it."""

    goal: Goal
    ours: Spread
    others: tuple[tuple[Source, Spread], ...]
    against: Source | None
    """The fastest of those that the goal names."""
    ratio: Spread
    verdict: Verdict
    is_endpoint_slow: bool
    """Whether the endpoint alone takes more than half of what the fastest takes."""


def judged(measured: Measured) -> tuple[Judged, ...]:
    """Every goal of a row that was measured."""
    return tuple(_judged(measured, goal) for goal in measured.row.goals if measured.of(goal.ours))


def _judged(measured: Measured, goal: Goal) -> Judged:
    against = min(goal.against, key=lambda source: spread(measured.of(source)).median, default=None)
    ours = measured.of(goal.ours)
    ratio = spread(ours if against is None else ratios(ours, measured.of(against)))
    beside = (source for source in measured.row.shown if source.figure == goal.ours.figure)
    others = dict.fromkeys((*goal.against, *beside))
    return Judged(
        goal=goal,
        ours=spread(ours),
        others=tuple((source, spread(measured.of(source))) for source in others),
        against=against,
        ratio=ratio,
        verdict=verdict(ratio, goal.at_most),
        is_endpoint_slow=_is_endpoint_slow(measured, goal),
    )


def _is_endpoint_slow(measured: Measured, goal: Goal) -> bool:
    ceiling = measured.row.ceiling
    if ceiling is None:
        return False
    walls = [spread(measured.of(Source(source.run))).median for source in (goal.ours, *goal.against)]
    return spread(measured.of(ceiling)).median * 2 > min(walls)


def lines(measured: Measured) -> Iterator[tuple[str, ...]]:
    """The rows of the table, in the order of HEADINGS; a cell may have several lines."""
    if measured.problem:
        yield (f"[{measured.row.name}] {measured.problem.splitlines()[-1]}", "", "", "", "", _NO_FIGURES)
    for found in judged(measured):
        figure = found.goal.ours.figure
        others = "\n".join(f"{source.title} {told(one, source.figure)}" for source, one in found.others)
        ratio = told(found.ratio, "ratio") if found.against else ""
        mark = "\n(the endpoint is slow)" if found.is_endpoint_slow else ""
        what = f"{found.goal.what} [{measured.row.name}]"
        yield (what, told(found.ours, figure), others, ratio, _goal(found.goal), found.verdict.value + mark)


def grown(growth: Growth, steps: Iterable[Measured]) -> Iterator[tuple[str, ...]]:
    """The rows of a table of growth, its headings first: the cost of one, and how it rose from the step before."""
    yield (growth.what, *(source.title for source in (*growth.figures, *growth.beside)))
    before: list[float | None] = [None] * len(growth.figures)
    for (size, _), measured in zip(growth.steps, steps, strict=True):
        costs = [_of_one(growth, size, measured, source) for source in growth.figures]
        beside = [_beside(measured, source) for source in growth.beside]
        yield (f"{size:,}", *map(_rise, costs, before), *beside)
        before = costs


def _of_one(growth: Growth, size: int, measured: Measured, source: Source) -> float | None:
    values = measured.of(source)
    return spread(values).median / (1 if growth.is_of_one else size) if values else None


def _rise(cost: float | None, before: float | None) -> str:
    if cost is None:
        return _NO_FIGURES
    return _duration(cost) + (f" (×{cost / before:.2f})" if before else "")


def _beside(measured: Measured, source: Source) -> str:
    values = measured.of(source)
    return told(spread(values), source.figure) if values else _NO_FIGURES


def told(found: Spread, figure: str) -> str:
    """A median with its quartiles, in the unit that the name of the figure ends in."""
    median, low, high = (_amount(value, figure) for value in (found.median, found.low, found.high))
    return median if low == high else f"{median} ({low}–{high})"


def _amount(value: float, figure: str) -> str:
    if figure.endswith("_s"):
        return _duration(value)
    if figure.endswith("_B"):
        return f"{value / 1000:,.1f} kB"
    return f"{value:.3g}"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _goal(goal: Goal) -> str:
    if not goal.against and goal.ours.figure.endswith("_s"):
        return f"≤ {_duration(goal.at_most)}"
    if 0 < goal.at_most < 0.1 and round(1 / goal.at_most, 6).is_integer():
        return f"≤ 1/{round(1 / goal.at_most)}"
    return f"≤ {goal.at_most:g}"


def as_json(rows: Iterable[Measured], growths: Mapping[Growth, tuple[Measured, ...]]) -> dict[str, Any]:
    """Everything, with the figure of every round."""
    return {
        "rows": [_row(measured) for measured in rows],
        "growth": [
            {
                "name": growth.name,
                "what": growth.what,
                "headings": [source.title for source in growth.figures],
                "steps": [_step(growth, size, one) for (size, _), one in zip(growth.steps, steps, strict=True)],
            }
            for growth, steps in growths.items()
        ],
    }


def _row(measured: Measured) -> dict[str, Any]:
    return {
        "name": measured.row.name,
        "problem": measured.problem,
        "figures": {f"{source.run}: {source.figure}": values for source, values in measured.figures},
        "goals": [_found(found) for found in judged(measured)],
    }


def _found(found: Judged) -> dict[str, Any]:
    ratio = found.ratio
    return {
        "what": found.goal.what,
        "against": found.against.title if found.against else None,
        "measured": {"low": ratio.low, "median": ratio.median, "high": ratio.high},
        "at_most": found.goal.at_most,
        "verdict": found.verdict.value,
        "is_endpoint_slow": found.is_endpoint_slow,
    }


def _step(growth: Growth, size: int, measured: Measured) -> dict[str, Any]:
    costs = [_of_one(growth, size, measured, source) for source in growth.figures]
    return {"size": size, "problem": measured.problem, "cost_of_one_s": costs}
