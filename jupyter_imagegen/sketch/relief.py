"""Lines of the land, as plain numbers: ridges, hills and skylines between 0 (low) and 1 (high)."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

Point = tuple[float, float]
Outline = tuple[Point, ...]


def ridge(chance: random.Random, roughness: float, doublings: int = 8) -> tuple[float, ...]:
    """A jagged line of 2**doublings + 1 heights, by halving and displacing; `roughness` is 0.4..0.7."""
    heights, reach = [chance.random(), chance.random() * 0.6 + 0.4, chance.random()], 0.5
    for _ in range(doublings - 1):
        reach *= roughness
        heights = _halved(heights, reach, chance)
    return levelled(heights)


def _halved(heights: Sequence[float], reach: float, chance: random.Random) -> list[float]:
    finer = [heights[0]]
    for left, right in itertools.pairwise(heights):
        finer += [(left + right) / 2 + chance.uniform(-reach, reach), right]
    return finer


def swell(chance: random.Random, waves: float, points: int = 97) -> tuple[float, ...]:
    """A soft line of hills or dunes: about `waves` of them side by side."""
    parts = [
        (chance.uniform(0.7, 1.3) * waves * times, chance.random() * math.tau, weight)
        for times, weight in ((1, 1.0), (1.9, 0.45), (3.1, 0.18))
    ]
    return levelled([_waves(at / (points - 1), parts) for at in range(points)])


def _waves(at: float, parts: Sequence[tuple[float, float, float]]) -> float:
    return sum(weight * math.sin(math.tau * waves * at + phase) for waves, phase, weight in parts)


def levelled(heights: Sequence[float]) -> tuple[float, ...]:
    """The same line stretched to reach exactly from 0 to 1."""
    low, high = min(heights), max(heights)
    return tuple((height - low) / ((high - low) or 1) for height in heights)


def outline(heights: Sequence[float], width: float, base: float, rise: float) -> Outline:
    """Heights as points of a picture: `base` is the y of height 0, `rise` the pixels of height 1."""
    step = width / (len(heights) - 1)
    return tuple((at * step, base - height * rise) for at, height in enumerate(heights))


def coarse(heights: Sequence[float], step: int) -> tuple[float, ...]:
    """Every step-th height: the same line with less in it."""
    return tuple(heights[::step])


def height_at(line: Outline, x: float) -> float:
    """The y of an outline at x; beyond its ends, that of the end."""
    last = len(line) - 1
    place = min(max(x / (line[last][0] or 1) * last, 0.0), float(last))
    left = min(int(place), last - 1)
    return line[left][1] + (line[left + 1][1] - line[left][1]) * (place - left)


def summits(line: Outline, reach: int) -> tuple[int, ...]:
    """Places of an outline that are higher than all within `reach` points of them."""
    return tuple(
        at for at in range(len(line)) if line[at][1] == min(y for _, y in line[max(0, at - reach) : at + reach + 1])
    )
