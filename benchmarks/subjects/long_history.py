"""A long history in the documented format (docs/files.md), and the same as a table of SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd

from jupyter_imagegen.journal import AnyLine, Called, Ended, Kept, Opened, Rated, Tagged

_BEGAN: Final = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
_PROMPT: Final = (
    "A sea otter number {number} asleep on its back among kelp, one paw on a flat stone, in the style of {artist}, "
    "morning light from the left, 35 mm film, no text"
)
_ARTISTS: Final = ("Hokusai", "Berthe Morisot", "a field guide of 1911", "Käthe Kollwitz", "a child of six")
_SIZES: Final = ((1024, 1024), (1536, 1024), (1024, 1536))


def write(store: Path, calls: int, in_segment: int) -> None:
    """A store of so many calls, in segments of so many. One of twenty was refused, one of ten was rated, some tagged.

    The files of the pictures are not there: a history does not look at them.
    """
    folder = store / "journal"
    folder.mkdir(parents=True)
    for first in range(0, calls, in_segment):
        lines = _segment(first, min(calls, first + in_segment))
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        (folder / f"{_name(first)}.jsonl").write_bytes(data)


def _segment(first: int, end: int) -> Iterator[AnyLine]:
    yield Opened(
        journal=1,
        at=_at(first),
        version="0.1.0",
        python="3.12.4",
        host="elsewhere",
        pid=4711,
        process_started=None,
        session=_name(first),
    )
    for number in range(first, end):
        yield from _call(number)


def _call(number: int) -> Iterator[AnyLine]:
    artist, (width, height) = _ARTISTS[number % len(_ARTISTS)], _SIZES[number % len(_SIZES)]
    params = {"model": "gpt-image-2", "n": 1, "quality": "high", "seed": number, "size": f"{width}x{height}"}
    name = _name(number)
    yield Called(
        id=name,
        at=_at(number),
        n=1,
        params=msgspec.Raw(msgspec.json.encode(params)),
        provider="openai",
        base_url="https://api.openai.com/v1",
        request_hash=f"r1:{number:064x}",
        prompt=_PROMPT.format(number=number, artist=artist),
        model="gpt-image-2",
        template=_PROMPT,
        variables=msgspec.Raw(msgspec.json.encode({"number": str(number), "artist": artist})),
        notebook=f"study-{number // 1000 % 10}.ipynb",
        cell_id=f"{number % 97:08x}",
        execution_count=number % 400 + 1,
    )
    if number % 20 == 19:
        yield _refused(number)
        return
    yield _kept(number, width, height)
    yield _done(number)
    if number % 10 == 5:
        yield Rated(id=name, at=_at(number), rating=number % 5 + 1)
    if number % 25 == 7:
        yield Tagged(id=name, at=_at(number), word="keep")


def _kept(number: int, width: int, height: int) -> Kept:
    return Kept(
        id=_name(number),
        index=0,
        path=f"images/a-sea-otter-number-{number}-{number:016x}.png",
        sha256=f"{number:064x}",
        bytes=1_400_000 + number,
        format="png",
        width=width,
        height=height,
    )


def _done(number: int) -> Ended:
    usage = {"input_tokens": 41, "output_tokens": 4160, "total_tokens": 4201}
    return Ended(
        id=_name(number),
        at=_at(number),
        status="ok",
        latency_s=8.25 + number % 7,
        attempts=1,
        request_id=f"req_{number:032x}",
        usage=msgspec.Raw(msgspec.json.encode(usage)),
        cost_usd=0.1667,
        cost_source="usage",
    )


def _refused(number: int) -> Ended:
    return Ended(
        id=_name(number),
        at=_at(number),
        status="refused",
        latency_s=1.5,
        attempts=1,
        error_class="Refused",
        error_code="moderation_blocked",
        error="HTTP 400: Your request was rejected by the safety system.",
        hint="Nothing was made. Change the prompt; the same request is not sent again by itself.",
        request_id=f"req_{number:032x}",
    )


def _name(number: int) -> str:
    return f"{_BEGAN + timedelta(seconds=number):%Y%m%dT%H%M%S%fZ}-{number:08x}"


def _at(number: int) -> str:
    return f"{_BEGAN + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S.%fZ}"


def write_table(history: pd.DataFrame, database: Path) -> None:
    """The rows of a history as the table `history`, what is no number and no text as JSON."""
    plain = pd.DataFrame({name: _plain(history[name]) for name in history.columns})
    with closing(sqlite3.connect(database)) as connection:
        plain.to_sql("history", connection, index=False)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map(_json, na_action="ignore") if column.dtype == object else column


def _json(value: object) -> str:
    return json.dumps(value, default=str)
