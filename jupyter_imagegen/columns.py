"""Records -> the columns of the history: one value for each row, None where there is none. Pure.

A row is a picture, or a call that gave none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from .dialects.seedream import series
from .frozen import FrozenDict, frozen
from .journal import NOTHING, Called, Ended, Kept
from .mismatch import Asked, Came, difference
from .records import Record, json_object

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What each row is of."""

    records: Sequence[Record]
    calls: Sequence[Called]
    ends: Sequence[Ended | None]
    pictures: Sequence[Kept | None]


_NO_PICTURE: Final = (None,)


def columns(records: Sequence[Record], store: Path) -> Columns:
    """The values of every column, by their names."""
    rows = _rows(records)
    fields = _fields(rows)
    known = {**_of_calls(rows), **_of_fields(rows, fields), **_of_ends(rows), **_of_pictures(rows, store)}
    return {**known, **_of_marks(rows), "mismatch": _mismatches(fields, known)}


def _rows(records: Sequence[Record]) -> _Rows:
    owners: Sequence[Record] = records
    pictures = [record.images[0] if len(record.images) == 1 else None for record in records]
    if any(len(record.images) > 1 for record in records):
        owners = [record for record in records for _ in record.images or _NO_PICTURE]
        pictures = [kept for record in records for kept in record.images or _NO_PICTURE]
    return _Rows(owners, [record.call for record in owners], [record.end for record in owners], pictures)


def _of_calls(rows: _Rows) -> Columns:
    calls, records = rows.calls, rows.records
    return {
        "id": [call.id for call in calls],
        "started_at": [call.at for call in calls],
        "notebook": [record.call.notebook or record.notebook for record in records],
        "cell_id": [call.cell_id for call in calls],
        "execution_count": [call.execution_count for call in calls],
        "provider": [call.provider for call in calls],
        "base_url": [call.base_url for call in calls],
        "model": [call.model for call in calls],
        "prompt": [None if record.is_forgotten else record.call.prompt for record in records],
        "template": [call.template for call in calls],
        "n_requested": [call.n for call in calls],
        "n_received": [len(record.images) for record in records],
        "request_hash": [call.request_hash or None for call in calls],
        "parent_id": [call.parent_id for call in calls],
        "version": [record.version for record in records],
    }


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of the request of each row: as they were sent, and in the words of OpenAI's API."""

    sent: Sequence[FrozenDict]
    asked: Sequence[FrozenDict]


def _fields(rows: _Rows) -> _Fields:
    sent = [found or _NOTHING_SENT for found in _objects([call.params for call in rows.calls])]
    own = _objects([call.asked for call in rows.calls])
    return _Fields(sent, [also if found is None else found for found, also in zip(own, sent, strict=True)])


def _of_fields(rows: _Rows, fields: _Fields) -> Columns:
    sizes = [asked.get("size") for asked in fields.asked]
    return {
        "params": fields.sent,
        "variables": _objects([call.variables for call in rows.calls]),
        "size_requested": [None if size is None else str(size) for size in sizes],
    }


_NOTHING_SENT: Final = FrozenDict()


def _objects(texts: Iterable[msgspec.Raw]) -> list[FrozenDict | None]:
    """The JSON objects, of which equal ones are one; None for none."""
    found = list(map(bytes, texts))
    different = tuple(dict.fromkeys(found))
    objects = dict(zip(different, _read(different), strict=True))
    return list(map(objects.__getitem__, found))


def _read(texts: Sequence[bytes]) -> Iterable[FrozenDict | None]:
    """As `json_object` reads each, and all at once where that can be."""
    together = b"\n".join(texts)
    try:
        values = _DECODER.decode_lines(together)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        values = []
    if len(values) != len(texts):
        return (None if (value := json_object(text)) is None else frozen(value) for text in texts)
    are_flat = together.count(b"{") == len(texts) and b"[" not in together
    return map(FrozenDict if are_flat else frozen, values)


_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


def _mismatches(fields: _Fields, known: Columns) -> Sequence[str | None]:
    """How each picture differs from what was asked: a long history has many pictures, and few cases."""
    asked = (
        [size if type(size := each.get("size")) is str else None for each in fields.asked],
        [kind if type(kind := each.get("output_format")) is str else None for each in fields.asked],
        [series(each) is not None for each in fields.asked],
    )
    came = (known[name] for name in ("width", "height", "format", "n_requested", "n_received"))
    cases = list(zip(*asked, *came, strict=True))
    told = {case: None if case[5] is None else difference(Asked(*case[:3]), Came(*case[3:])) for case in set(cases)}
    return list(map(told.__getitem__, cases))


def _of_ends(rows: _Rows) -> Columns:
    ends, ended = rows.ends, tuple(zip(rows.records, rows.ends, strict=True))
    return {
        "status": [record.status if end is None else end.status for record, end in ended],
        "error_code": [None if end is None else end.error_code for end in ends],
        "error": [None if end is not None and end.error is None else record.error for record, end in ended],
        "usage": _objects([NOTHING if end is None else end.usage for end in ends]),
        "cost_usd": [
            # The share of one row: that of the call over its pictures, so that the column adds up to what was paid.
            None if end is None or end.cost_usd is None else end.cost_usd / (len(record.images) or 1)
            for record, end in ended
        ],
        "cost_source": [None if end is None else end.cost_source for end in ends],
        "latency_s": [None if end is None else end.latency_s for end in ends],
        "attempts": [None if end is None else end.attempts for end in ends],
        "request_id": [None if end is None else end.request_id for end in ends],
    }


def _of_pictures(rows: _Rows, store: Path) -> Columns:
    pictures, folder = rows.pictures, str(store / "_")[:-1]
    return {
        "image_index": [None if kept is None else kept.index for kept in pictures],
        "width": [None if kept is None else kept.width for kept in pictures],
        "height": [None if kept is None else kept.height for kept in pictures],
        "format": [None if kept is None else kept.format for kept in pictures],
        "bytes": [None if kept is None else kept.bytes for kept in pictures],
        "revised_prompt": [None if kept is None else kept.revised_prompt for kept in pictures],
        "sha256": [None if kept is None else kept.sha256 for kept in pictures],
        # As `store / kept.path`, which takes thirty times as long.
        "path": [None if kept is None or not kept.path else folder + _native(kept.path) for kept in pictures],
    }


def _native(path: str) -> str:
    return path if os.sep == "/" else path.replace("/", os.sep)


def _of_marks(rows: _Rows) -> Columns:
    tags: list[tuple[str, ...]] = [call.tags for call in rows.calls]
    notes = [call.note for call in rows.calls]
    ratings: list[int | None] = [None] * len(tags)
    for place in [place for place, record in enumerate(rows.records) if record.marks]:
        record, kept = rows.records[place], rows.pictures[place]
        index = None if kept is None else kept.index
        tags[place], notes[place], ratings[place] = (
            record.tags_of(index),
            record.note_of(index),
            record.rating_of(index),
        )
    return {"tags": tags, "rating": ratings, "note": notes}
