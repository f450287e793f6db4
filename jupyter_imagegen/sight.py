"""Sight: a preview of a picture that is being painted."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sight:
    """A preview of the picture at a place in the ask: the first, the second, …; its bytes are as they were received."""

    place: int
    number: int
    data: bytes = field(repr=False)
