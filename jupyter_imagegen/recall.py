"""Which record stands in for a request in the modes `cache` and `replay`, and how it is told again. Pure.

The j-th time that a session asks for something, it gets the j-th record of the newest session that has so many; a cell
that the front end has a name for gets the records of that cell. A cell that is run again takes the places that it had
before: what counts is the last run of each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from . import errors
from .dialects.seedream import series
from .errors import CallError
from .journal import Called
from .records import Record, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What has to be the same: the request, the call that it asks again and, where they are named, whom it went to."""

    request_hash: str
    parent_id: str | None
    provider: str | None
    base_url: str | None

    def fits(self, call: Called) -> bool:
        """Whether a call asked for this."""
        return (
            (call.request_hash, call.parent_id) == (self.request_hash, self.parent_id)
            and self.provider in (None, call.provider)
            and self.base_url in (None, call.base_url)
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a cell; without an id it is not known whether another run is of the same cell."""

    id: str | None
    run: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """How many askings for the same came before this one: in the session, and in the cell."""

    in_session: int
    cell_id: str | None
    in_cell: int


class Places:
    """The runs of cells that asked for one thing in one session, in the order of their first asking."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self._cells = list(cells)

    def copy(self) -> Places:
        """The same, to go back to."""
        return Places(self._cells)

    def take(self, cell: Cell) -> Place:
        """The place of one more asking: one that an earlier run of the same cell had, or else a new one."""
        place = next((place for place, other in enumerate(self._cells) if _is_earlier(other, cell)), len(self._cells))
        self._cells[place : place + 1] = [cell]
        before = sum(other.id == cell.id for other in self._cells[:place])
        return Place(place, cell.id, before)


def _is_earlier(other: Cell, cell: Cell) -> bool:
    return cell.id is not None and other.id == cell.id and other.run != cell.run


def is_whole(record: Record) -> bool:
    """Whether it brought all that it was asked for: then it can save a call."""
    is_all = len(record.images) >= record.call.n or series(record.asked) is not None
    return record.status == "ok" and bool(record.images) and is_all and record.error is None


def is_answer(record: Record) -> bool:
    """Whether the endpoint answered the request itself: with pictures, or with a no that it would say again.

    What came of a bad key, a rate limit, a lost connection or the stop button says nothing of the request.
    """
    said = record.end.error_class if record.end is not None else None
    if record.status == "ok" and said is None:
        return bool(record.images)
    return record.status == "refused" or said in _SAID_AGAIN


def is_something(record: Record) -> bool:
    """The same, and what brought pictures before it came to grief: where there is nothing better, that is told."""
    return is_answer(record) or bool(record.images)


_SAID_AGAIN: Final = frozenset(
    {"Refused", "Rejected", "ModelNotFound", "UnknownParameter", "ValueRejected", "SizeRejected", "TooLarge"}
)


def stand_ins(
    records: Iterable[Record], sought: Wanted, place: Place, here: Here, counts: Callable[[Record], bool]
) -> Iterator[Record]:
    """The records at this place, that of the newest session first; sessions of the same notebook before others."""
    askings = sorted(_askings(records, sought, here, counts), key=lambda asking: (asking.session, asking.at))
    sessions = [tuple(found) for _, found in groupby(askings, key=lambda asking: asking.session)]
    own = [here.notebook is not None and session[-1].notebook == here.notebook for session in sessions]
    newest = sorted(zip(own, sessions, strict=True), key=lambda one: (one[0], one[1][-1].at), reverse=True)
    for _, session in newest:
        found = _at(place, session)
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class Here:
    """The session and the notebook that ask; what the session itself was shown is no record that it has."""

    session: str | None
    notebook: str | None


def retold(record: Record) -> CallError | None:
    """The error that the call ended with, as it was raised; None where it raised none."""
    end = record.end
    if end is None or (end.error_class is None and end.status == "ok"):
        return None
    known = getattr(errors, end.error_class or "Refused", CallError)
    kind = known if isinstance(known, type) and issubclass(known, CallError) else CallError
    hint = f"{printable(end.hint or '') or kind.default_hint} ({shown_from((record,), 1)}.)".strip()
    return kind(record.error or "", hint, code=end.error_code or "", request_id=end.request_id or "")


def shown_from(records: tuple[Record, ...], calls: int) -> str:
    """That these are records, of how many calls, and from when."""
    first, last = (_minute(of(record.call.at for record in records)) for of in (min, max))
    span = first if first == last else f"{first} to {last}"
    if len(records) == calls:
        return f"recorded {span} UTC and shown again; nothing was sent"
    verb = "is" if len(records) == 1 else "are"
    return f"{len(records)} of {calls} calls {verb} recorded {span} UTC and shown again; the others were sent"


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


def _askings(
    records: Iterable[Record], sought: Wanted, here: Here, counts: Callable[[Record], bool]
) -> Iterator[_Asking]:
    for record in records:
        if sought.fits(record.call) and counts(record):
            call = record.call
            own = Cell(call.cell_id, call.execution_count)
            yield _Asking(session=record.session, at=call.at, notebook=call.notebook, cell=own, record=record)
            for shown in record.showings:
                if shown.session != here.session:
                    cell = Cell(shown.cell_id, shown.execution_count)
                    yield _Asking(session=shown.session, at=shown.at, notebook=shown.notebook, cell=cell, record=record)


def _at(place: Place, askings: Iterable[_Asking]) -> Record | None:
    """What a session has at a place: of the same cell, where it knows that, or else in the order of asking."""
    places, found = Places(), dict[int, _Asking]()
    for asking in askings:
        found[places.take(asking.cell).in_session] = asking
    placed = [found[number] for number in sorted(found)]
    same = [asking for asking in placed if place.cell_id is not None and asking.cell.id == place.cell_id]
    chosen, number = (same, place.in_cell) if same else (placed, place.in_session)
    return chosen[number].record if number < len(chosen) else None
