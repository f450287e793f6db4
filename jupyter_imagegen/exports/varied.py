"""The settings of a study: which were the same in every call, and over which values the others were varied. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..records import Record
from . import portable
from .prose import code, count, line, listed

_NO_SETTINGS: Final = frozenset({"model", "prompt", "image", "mask", "stream", "partial_images", "response_format"})
"""Fields that are said elsewhere, or say only how the answer comes."""

_MOST_VALUES: Final = 6
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of the requests: its name, whether every call had the same value, and its values in Markdown."""

    name: str
    is_constant: bool
    values: str


def settings(records: Iterable[Record]) -> tuple[Setting, ...]:
    """The settings of these calls, by name; they are in the words of OpenAI's API, whatever was sent for them."""
    every = [portable.fields(record.asked) for record in records]
    names = sorted({name for asked in every for name in asked if name not in _NO_SETTINGS})
    return tuple(_setting(name, [asked.get(name) for asked in every]) for name in names)


def _setting(name: str, values: list[Any]) -> Setting:
    counts = Counter("not sent" if value is None else code(_shown(value)) for value in values)
    is_constant = len(counts) == 1
    if is_constant:
        return Setting(name=name, is_constant=True, values=next(iter(counts)))
    return Setting(name=name, is_constant=False, values=_range(values, len(counts)) or _each(counts))


def _range(values: list[Any], different: int) -> str:
    """Of many numbers, the lowest and the highest; nothing where they are few, or not all are numbers."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if different <= _MOST_VALUES or len(numbers) < len(values):
        return ""
    return f"{different} values from {min(numbers)} to {max(numbers)}"


def _each(counts: Counter[str]) -> str:
    parts = [f"{value} in {count(number, 'call')}" for value, number in counts.most_common(_MOST_VALUES)]
    more = len(counts) - _MOST_VALUES
    return listed([*parts, *([count(more, "more value")] if more > 0 else [])])


def _shown(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    whole = line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return whole if len(whole) <= _LONGEST_VALUE else f"{whole[: _LONGEST_VALUE - 1]}…"
