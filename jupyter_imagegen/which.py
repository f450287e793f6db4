"""What a person names a call by (an id, a Result, a Picture, a Record) -> its record, and which of its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import OptionError
from .nearest import did_you_mean
from .records import Record
from .references import is_record, split_record
from .result import Picture, Result

Named = str | Record | Picture | Result

if TYPE_CHECKING:
    import pandas as pd

    Several = pd.DataFrame | Named | Iterable[Named]
    """Rows of a history, or names of calls and pictures, or one such name."""


@dataclass(frozen=True, slots=True)
class Which:
    """A record of the store, and the index of one of its pictures; None where the whole call is meant."""

    record: Record
    index: int | None


def which(named: Named, records: Iterable[Record]) -> Which:
    """The record as the store has it now. Raises OptionError for what names none.

    A picture of a call is named by the Picture, or by the id and its image_index: `20261121T…-9f3a2c1b[1]`.
    """
    return _of(*_split(named), {record.id: record for record in records})


def _of(name: str, index: int | None, by_id: Mapping[str, Record]) -> Which:
    if name not in by_id:
        message = f"The history has no call {name}.{did_you_mean(name, by_id)}"
        raise OptionError(message, "ig.history(notebook=None).id lists all calls of the store.")
    record = by_id[name]
    if index is not None and all(kept.index != index for kept in record.images):
        message = f"The call {name} has {len(record.images)} pictures, and none with the index {index}."
        raise OptionError(message, "Its indexes are in the column image_index of ig.history().")
    return Which(record, index)


def those(records: Iterable[Record], wanted: Several) -> Iterator[tuple[Record, frozenset[int]]]:
    """Each record that is wanted, whole, and the indexes of those of its pictures that are.

    In the order of the records. Raises OptionError as `which` does.
    """
    by_id = {record.id: record for record in records}
    found: dict[str, set[int]] = {}
    for name, index in _rows(wanted) if "id" in getattr(wanted, "columns", ()) else _named(wanted):
        meant = _of(name, index, by_id)
        every = (kept.index for kept in meant.record.images)
        found.setdefault(name, set()).update(every if meant.index is None else (meant.index,))
    yield from ((record, frozenset(found[name])) for name, record in by_id.items() if name in found)


def _rows(table: Any) -> Iterator[tuple[str, int | None]]:  # noqa: ANN401  (a dataframe)
    """The id and the index of each row; rows without a picture, and tables without that column, mean whole calls."""
    indexes = table["image_index"] if "image_index" in table.columns else table["id"].map(lambda _: None)
    for name, index, is_there in zip(table["id"], indexes, indexes.notna(), strict=True):
        yield str(name), int(index) if is_there else None


def _named(wanted: Any) -> Iterator[tuple[str, int | None]]:  # noqa: ANN401  (whatever a person wrote)
    """The id and the index of each name; one that stands alone is a list of one, a Result means all of its calls."""
    is_one = isinstance(wanted, Named) or not isinstance(wanted, Iterable)
    for named in (wanted,) if is_one else wanted:
        yield from map(_split, named.records if isinstance(named, Result) else (named,))


def _split(named: object) -> tuple[str, int | None]:
    match named:
        case Picture():
            return named.record.id, named.index
        case Record():
            return named.id, None
        case Result():
            return _only(named).id, None
        case str() if is_record(named.strip()):
            return split_record(named.strip())
    message = f"{named!r:.60} names no call." if isinstance(named, str) else f"A {type(named).__name__} names no call."
    raise OptionError(message, "Give the id of a record, a Record, a Picture, or a Result of one call.")


def _only(result: Result) -> Record:
    if len(result.records) == 1:
        return result.records[0]
    message = f"The Result is of {len(result.records)} calls, where one is meant."
    raise OptionError(message, "Pick one of result.records, or one of the pictures.")
