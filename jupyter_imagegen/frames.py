"""The dataframe of a history that is looked at again and again: only rows that are not what they were are made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import Final

from .frame import History, frame, put_together
from .records import Record

_MOST: Final = 2
"""Dataframes that are kept: a long one can be hundreds of megabytes."""
_NEWEST: Final = 256
"""Calls at the end that are not settled yet: they are under way, or another kernel puts some between them."""
_MOST_NEW: Final = 1280
"""From so many on, all but the newest are settled: fewer would make columns of many small pieces."""
_MOST_CHANGED: Final = 100
"""Settled calls of which something else may be said before all is made anew, for the same reason."""


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What was made of some records: the rows of the first of them, which are settled, and those of the others."""

    records: tuple[Record, ...]
    settled: int
    first: History
    others: History
    changed: int
    """Settled calls of which something else was said since all was made."""


_made: dict[tuple[Path, str | None], _Made] = {}
"""Replaced in one go and never changed, like what `records` remembers; no dataframe in it is given away."""


def history_of(records: tuple[Record, ...], store: Path, notebook: str | None) -> History:
    """What `frame` makes of the records of a notebook, which stand in the order of their ids.

    It is the person's own, and can be changed.
    """
    global _made  # noqa: PLW0603  (the memory of this process)
    name, before = (store, notebook), _made.get((store, notebook))
    now = _all(records, store) if before is None else _renewed(before, records, store)
    if now is not before:
        others = [(other, made) for other, made in _made.items() if other != name]
        _made = dict((*others[1 - _MOST :], (name, now)))
    return put_together((now.first, now.others))


def _all(records: tuple[Record, ...], store: Path) -> _Made:
    settled = max(0, len(records) - _NEWEST)
    return _Made(records, settled, frame(records[:settled], store), frame(records[settled:], store), 0)


def _renewed(before: _Made, records: tuple[Record, ...], store: Path) -> _Made:
    if records == before.records:
        return before
    was, now = before.records[: before.settled], records[: before.settled]
    changed = [] if was == now else [place for place, is_same in enumerate(map(is_, was, now)) if not is_same]
    is_aligned = len(was) == len(now) and all(was[place].id == now[place].id for place in changed)
    if not is_aligned or before.changed + len(changed) > _MOST_CHANGED:
        return _all(records, store)
    first, others = _replaced(before, now, changed, store), frame(records[before.settled :], store)
    settled = before.settled
    if len(records) - settled > _MOST_NEW:
        settled = len(records) - _NEWEST
        rows = len(others) - _rows(records[settled:])
        first, others = put_together((first, others.iloc[:rows])), others.iloc[rows:].reset_index(drop=True)
    return _Made(records, settled, first, others, before.changed + len(changed))


def _replaced(before: _Made, now: tuple[Record, ...], places: Iterable[int], store: Path) -> History:
    """The settled rows, with the records at these places as they are now."""
    pieces, start = [], 0
    for place in places:
        row = _rows(before.records[:place])
        pieces += [before.first.iloc[start:row], frame((now[place],), store)]
        start = row + _rows((before.records[place],))
    return put_together((*pieces, before.first.iloc[start:])) if pieces else before.first


def _rows(records: Iterable[Record]) -> int:
    return sum(len(record.images) or 1 for record in records)
