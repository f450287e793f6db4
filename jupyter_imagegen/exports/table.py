"""The history of a study as a table: CSV for spreadsheets, Parquet for programs.

A spreadsheet takes a cell that begins like a formula for one, and runs it. In the CSV such a text has an apostrophe
before it, and so has one that begins with an apostrophe itself: whoever takes one away gets every text back, but for
letters that give orders to a terminal, in which a CSV is looked at too. The Parquet has the exact texts and needs none
of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

from ..errors import SettingsError
from ..frame import COLUMNS, History, frame
from . import beside, portable
from .originals import is_below
from .study import EXTRA, Study

_OBJECTS: Final = tuple(name for name, dtype in COLUMNS if dtype == "object")
_TEXTS: Final = tuple(name for name, dtype in COLUMNS if dtype in ("string", "object"))

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula begins with, as OWASP lists it (CSV Injection); the wide forms are read alike in Japanese settings."""


def write(study: Study, target: Path) -> Path:
    """Write the table, as Parquet to a path that ends in .parquet and else as CSV, and return the path.

    Raises StoreError, and SettingsError where pyarrow is needed and not installed.
    """
    data = parquet(study) if target.suffix.lower() == ".parquet" else csv(study).encode("utf-8-sig")
    return beside.write(target, data)


def csv(study: Study) -> str:
    """The table as CSV: RFC 4180, times in ISO 8601, objects as JSON, nothing for what is not known.

    The file has a byte order mark, without which Excel takes UTF-8 for the code page of the machine.
    """
    rows = rows_of(study)
    for name in _TEXTS:
        _each(rows, name, _defused)
    buffer = StringIO()
    rows.to_csv(buffer, index=False, lineterminator="\r\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    return buffer.getvalue()


def parquet(study: Study) -> bytes:
    """The table as Parquet, each column with its type; a license is in the `attrs` that pandas keeps with it.

    Raises SettingsError where pyarrow is not installed.
    """
    buffer, rows = BytesIO(), rows_of(study)
    if study.license:
        rows.attrs["license"] = study.license
    try:
        rows.to_parquet(buffer, engine="pyarrow", index=False)
    except ImportError:
        message = "Parquet needs pyarrow, which is not installed."
        raise SettingsError(message, f"{EXTRA}, or export to .csv.") from None
    return buffer.getvalue()


def rows_of(study: Study) -> History:
    """The dataframe of the history, with objects as JSON and without what belongs to this machine.

    Calls are whole in it before rows are left out, so that what a row says of its call is true.
    `path` is relative to the folder that holds the store, and NA where it would lead out of the store.
    """
    rows = frame(study.records, study.store)
    changes: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(_OBJECTS, _as_json),
        "base_url": portable.address,
        "notebook": portable.notebook,
        "error": lambda text: portable.sentence(text, study.store),
    }
    for name, change in changes.items():
        _each(rows, name, change)
    rows["path"] = list(_paths(study))
    _each(rows, "path", str)
    return rows if study.picked is None else rows.loc[list(_are_shown(study))].reset_index(drop=True)


def _each(rows: History, name: str, change: Callable[[Any], str]) -> None:
    """Change every cell of a column that holds something; it is one of texts then."""
    rows[name] = rows[name].map(change, na_action="ignore").astype("string")


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _paths(study: Study) -> Iterator[str | None]:
    """The path of each row, with `/`: one for each picture, and none for a call without any."""
    for record in study.records:
        if not record.images:
            yield None
        for kept in record.images:
            yield f"{study.store.name}/{kept.path}" if is_below(kept.path) else None


def _are_shown(study: Study) -> Iterator[bool]:
    """Of each row, whether it is of a picture that is shown, or of a call without any."""
    for record in study.records:
        if not record.images:
            yield True
        yield from (study.shows(record, kept.index) for kept in record.images)


def _defused(value: str) -> str:
    text = portable.clean(value)
    is_read_as_one = text.lstrip(" ").startswith(_FORMULA) or text.startswith("'")
    return f"'{text}" if is_read_as_one else text
