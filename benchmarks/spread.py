"""Figures of many rounds -> median, quartiles, ratio, verdict. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Whether a goal holds: the median decides, and where the goal lies between the quartiles, that is said."""

    HOLDS = "holds"
    HOLDS_CLOSELY = "holds, closely"
    FAILS_CLOSELY = "FAILS, closely"
    FAILS = "FAILS"


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some figures, and the quartiles around it."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Of one figure, it is three times that. Raises ValueError for none."""
    if not values:
        raise ValueError("no figures")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, median, high)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Ours to theirs, round by round: what slows a whole round down cancels out."""
    return tuple(own / other for own, other in zip(ours, theirs, strict=True))


def verdict(measured: Spread, at_most: float) -> Verdict:
    """Whether what was measured is at most so much."""
    is_close = measured.low <= at_most < measured.high
    if measured.median <= at_most:
        return Verdict.HOLDS_CLOSELY if is_close else Verdict.HOLDS
    return Verdict.FAILS_CLOSELY if is_close else Verdict.FAILS
