"""Which record stands in for a request in the modes `cache` and `replay`, and how it is told again. Pure.

The j-th time that a session asks for something, it gets the j-th record of the newest session that has so many.
A cell that is run again takes the places that it had before: what counts is the last run of each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from . import errors
from .errors import CallError
from .journal import Called
from .records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What has to be the same: the request, whom it went to, and the call that it asks again."""

    request_hash: str
    provider: str
    base_url: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a cell; without an id it is not known whether another run is of the same cell."""

    id: str | None
    run: int | None


class Places:
    """The runs of cells that asked for one thing in one session, in the order of their first asking."""

    def __init__(self) -> None:
        self._cells: list[Cell] = []

    def take(self, cell: Cell) -> int:
        """The place of one more asking: one that an earlier run of the same cell had, or else a new one."""
        for place, other in enumerate(self._cells):
            if cell.id is not None and other.id == cell.id and other.run != cell.run:
                self._cells[place] = cell
                return place
        self._cells.append(cell)
        return len(self._cells) - 1


def wanted(call: Called) -> Wanted:
    """What a call asked for."""
    return Wanted(
        request_hash=call.request_hash, provider=call.provider, base_url=call.base_url, parent_id=call.parent_id
    )


def is_whole(record: Record) -> bool:
    """Whether it brought all that it was asked for: then it can save a call."""
    return record.status == "ok" and bool(record.images) and record.error is None


def is_answer(record: Record) -> bool:
    """Whether the endpoint answered the request itself: with pictures, or with a no that it would say again.

    What came of a bad key, a rate limit, a lost connection or the stop button says nothing of the request.
    """
    if record.status == "ok":
        return bool(record.images)
    said = record.end.error_class if record.end is not None else None
    return record.status == "refused" or said in _SAID_AGAIN


_SAID_AGAIN: Final = frozenset(
    {"Refused", "Rejected", "ModelNotFound", "UnknownParameter", "ValueRejected", "SizeRejected", "TooLarge"}
)


def stand_ins(
    records: Iterable[Record], sought: Wanted, place: int, notebook: str | None, counts: Callable[[Record], bool]
) -> Iterator[Record]:
    """The records at this place, that of the newest session first; sessions of the same notebook before others."""
    askings = sorted(_askings(records, sought, counts), key=lambda asking: (asking.session, asking.at))
    sessions = [tuple(found) for _, found in groupby(askings, key=lambda asking: asking.session)]
    own = [notebook is not None and session[-1].notebook == notebook for session in sessions]
    newest = sorted(zip(own, sessions, strict=True), key=lambda one: (one[0], one[1][-1].at), reverse=True)
    for _, session in newest:
        placed = _placed(session)
        if place < len(placed):
            yield placed[place]


def retold(record: Record) -> CallError | None:
    """The error that the call ended with, as it was raised; None where it raised none."""
    end = record.end
    if end is None or (end.error_class is None and end.status == "ok"):
        return None
    known = getattr(errors, end.error_class or "Refused", CallError)
    kind = known if isinstance(known, type) and issubclass(known, CallError) else CallError
    hint = f"{end.hint or kind.default_hint} ({shown_from((record,))}.)".strip()
    return kind(end.error or "", hint, code=end.error_code or "", request_id=end.request_id or "")


def shown_from(records: tuple[Record, ...]) -> str:
    """That these are records, and from when."""
    first, last = (_minute(of(record.call.at for record in records)) for of in (min, max))
    span = first if first == last else f"{first} to {last}"
    return f"recorded {span} UTC and shown again; nothing was sent"


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """A record as one session had it: made by it, or shown to it."""

    session: str
    at: str
    notebook: str | None
    cell: Cell
    record: Record


def _askings(records: Iterable[Record], sought: Wanted, counts: Callable[[Record], bool]) -> Iterator[_Asking]:
    for record in records:
        if wanted(record.call) == sought and counts(record):
            call = record.call
            own = Cell(call.cell_id, call.execution_count)
            yield _Asking(session=record.session, at=call.at, notebook=call.notebook, cell=own, record=record)
            for shown in record.showings:
                cell = Cell(shown.cell_id, shown.execution_count)
                yield _Asking(session=shown.session, at=shown.at, notebook=shown.notebook, cell=cell, record=record)


def _placed(askings: Iterable[_Asking]) -> list[Record]:
    """The records of one session by their places."""
    places, found = Places(), dict[int, Record]()
    for asking in askings:
        found[places.take(asking.cell)] = asking.record
    return [found[place] for place in sorted(found)]
