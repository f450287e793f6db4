"""What a person names a call by (an id, a Result, a Picture, a Record) -> its record, and which of its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .errors import OptionError
from .nearest import did_you_mean
from .records import Record
from .references import is_record, split_record
from .result import Picture, Result

Named = str | Record | Picture | Result

if TYPE_CHECKING:
    import pandas as pd

    Several = pd.DataFrame | Iterable[Named]
    """Rows of a history, or names of calls and pictures."""


@dataclass(frozen=True, slots=True)
class Which:
    """A record of the store, and the index of one of its pictures; None where the whole call is meant."""

    record: Record
    index: int | None


def which(named: Named, records: Iterable[Record]) -> Which:
    """The record as the store has it now. Raises OptionError for what names none.

    A picture of a call is named by the Picture, or by the id and its image_index: `20261121T…-9f3a2c1b[1]`.
    """
    name, index = _split(named)
    by_id = {record.id: record for record in records}
    if name not in by_id:
        message = f"The history has no call {name}.{did_you_mean(name, by_id)}"
        raise OptionError(message, "ig.history(notebook=None).id lists all calls of the store.")
    record = by_id[name]
    if index is not None and all(kept.index != index for kept in record.images):
        message = f"The call {name} has {len(record.images)} pictures, and none with the index {index}."
        raise OptionError(message, "Its indexes are in the column image_index of ig.history().")
    return Which(record, index)


def those(records: Iterable[Record], wanted: Several) -> Iterator[Record]:
    """The records that are wanted, each with those of its pictures that are. Raises OptionError as `which` does."""
    every = tuple(records)
    pairs = set(_rows(wanted)) if "id" in getattr(wanted, "columns", ()) else set(_named(wanted, every))
    for record in every:
        indexes = {index for name, index in pairs if name == record.id}
        if indexes:
            is_whole = None in indexes
            yield replace(record, images=tuple(kept for kept in record.images if is_whole or kept.index in indexes))


def _rows(table: Any) -> Iterator[tuple[str, int | None]]:  # noqa: ANN401  (a dataframe)
    """The id and the index of each row; rows without a picture, and tables without that column, mean whole calls."""
    indexes = table["image_index"] if "image_index" in table.columns else table["id"].map(lambda _: None)
    for name, index, is_there in zip(table["id"], indexes, indexes.notna(), strict=True):
        yield name, int(index) if is_there else None


def _named(wanted: Iterable[Any], records: tuple[Record, ...]) -> Iterator[tuple[str, int | None]]:
    for named in wanted:
        found = which(named, records)
        yield found.record.id, found.index


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
