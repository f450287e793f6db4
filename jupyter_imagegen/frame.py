"""Records -> the dataframe: one row for each picture, and one for each call that gave none.

The only file that imports pandas.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd

from .blobs import has_digest
from .journal import Kept
from .mismatch import mismatch
from .plan import dollars
from .records import Record

_TEXT: Final = "string"
COLUMNS: Final = (
    ("id", _TEXT),
    ("image_index", "Int64"),
    ("started_at", "datetime64[us, UTC]"),
    ("notebook", _TEXT),
    ("cell_id", _TEXT),
    ("execution_count", "Int64"),
    ("provider", _TEXT),
    ("base_url", _TEXT),
    ("model", _TEXT),
    ("prompt", _TEXT),
    ("template", _TEXT),
    ("variables", "object"),
    ("params", "object"),
    ("n_requested", "Int64"),
    ("n_received", "Int64"),
    ("size_requested", _TEXT),
    ("width", "Int64"),
    ("height", "Int64"),
    ("format", _TEXT),
    ("bytes", "Int64"),
    ("mismatch", _TEXT),
    ("status", _TEXT),
    ("error_code", _TEXT),
    ("error", _TEXT),
    ("revised_prompt", _TEXT),
    ("usage", "object"),
    ("cost_usd", "Float64"),
    ("cost_source", _TEXT),
    ("latency_s", "Float64"),
    ("attempts", "Int64"),
    ("request_id", _TEXT),
    ("request_hash", _TEXT),
    ("sha256", _TEXT),
    ("path", _TEXT),
    ("parent_id", _TEXT),
    ("tags", "object"),
    ("rating", "Int64"),
    ("note", _TEXT),
    ("version", _TEXT),
)
"""Name and dtype of every column, in order. Columns that nothing fills yet are NA, never absent."""

_THUMBNAIL_SIDE: Final = 72
_THUMBNAIL_BYTES: Final = 4_000
_MOST_ROWS: Final = 20
_SHOWN: Final = (
    *("started_at", "status", "model", "prompt", "width", "height", "format", "mismatch"),
    *("rating", "tags", "note", "cost_usd", "latency_s", "error", "id", "path"),
)
_IF_ANY: Final = ("mismatch", "rating", "tags", "note", "cost_usd", "error")
"""Columns that are shown only where they hold something: the table is wide enough."""
_LONGEST_CELL: Final = 120
_WIDEST_TEXT: Final = 40


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
"""As the journal writes it; what another hand wrote in its place can be beyond what a column of times holds."""


class History(pd.DataFrame):
    """A dataframe that shows a thumbnail beside each picture, with all text escaped."""

    def _is_of_rows(self, shown: list[str]) -> bool:
        """Whether its cells are those of the history, and not what `isna`, `groupby` or `==` made of them."""
        is_whole = self.columns.is_unique and {"path", "status"} <= set(shown)
        return is_whole and all(str(self.dtypes[name]) == dtype for name, dtype in COLUMNS if name in shown)

    def _worth_showing(self) -> list[str]:
        here = [name for name in _SHOWN if name in self.columns]
        if not self.columns.is_unique:
            return here
        return [name for name in here if name not in _IF_ANY or any(map(_says_something, self[name]))]

    @property
    def _constructor(self) -> type[History]:
        return History

    def _repr_html_(self) -> str | None:
        shown = self._worth_showing()
        if not self._is_of_rows(shown):
            return super()._repr_html_()  # type: ignore[misc,no-any-return]
        rows = self if len(self) <= _MOST_ROWS else self.tail(_MOST_ROWS)
        lines = [_row(rows.iloc[place], shown) for place in range(len(rows))]
        return _TABLE.format(
            head="".join(f"<th {_LEFT}>{name}</th>" for name in ("", "", *shown)),
            body="".join(lines),
            foot=escape(self._foot()),
        )

    def __repr__(self) -> str:
        shown = self._worth_showing()
        if not self._is_of_rows(shown):
            return super().__repr__()
        rows = pd.DataFrame(self[shown]).tail(_MOST_ROWS).assign(path=lambda rows: rows["path"].map(_file_name))
        return f"{rows.to_string(max_colwidth=_WIDEST_TEXT, na_rep='')}\n{self._foot()}"

    def _foot(self) -> str:
        last = f", the last {_MOST_ROWS} shown" if len(self) > _MOST_ROWS else ""
        note = self.attrs.get("note", "")
        cost = (
            f". Known cost: {dollars(self['cost_usd'].sum())}" if "cost_usd" in self and self["cost_usd"].any() else ""
        )
        return f"{len(self)} rows × {len(self.columns)} columns{last}{cost}" + (f". {note}" if note else "")


_LEFT: Final = 'style="text-align: left"'
_TABLE: Final = (
    '<table border="1" class="dataframe mathjax_ignore tex2jax_ignore"><thead><tr>{head}</tr></thead>'
    '<tbody>{body}</tbody></table><p class="mathjax_ignore tex2jax_ignore">{foot}</p>'
)


def frame(records: Iterable[Record], store: Path) -> History:
    """The dataframe of these records, one row for each picture and one for each call without any.

    A sentence in its `attrs["note"]` is shown below it.
    """
    rows = [row for record in records for row in _rows(record, store)]
    return History({name: _column(rows, name, dtype) for name, dtype in COLUMNS})


def _column(rows: list[dict[str, Any]], name: str, dtype: Any) -> pd.Series[Any]:  # noqa: ANN401  (pandas' own names)
    values: Any = [row.get(name) for row in rows]
    if name == "started_at":
        known: Any = [value if _TIME.fullmatch(str(value)) else None for value in values]
        values = pd.to_datetime(known, utc=True, format="ISO8601", errors="coerce")
    else:
        values = [pd.NA if value is None else value for value in values]
    column: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return column


def _rows(record: Record, store: Path) -> Iterator[dict[str, Any]]:
    whole = _call_row(record)
    if not record.images:
        yield whole
    for kept in record.images:
        yield whole | _image_row(record, kept, store)


def _call_row(record: Record) -> dict[str, Any]:
    call, end, params = record.call, record.end, record.params
    return {
        "id": call.id,
        "started_at": call.at,
        "notebook": record.notebook,
        "cell_id": call.cell_id,
        "execution_count": call.execution_count,
        "provider": call.provider,
        "base_url": call.base_url,
        "model": call.model,
        "prompt": None if record.is_forgotten else call.prompt,
        "template": call.template,
        "variables": record.variables,
        "params": params,
        "n_requested": call.n,
        "n_received": len(record.images),
        "size_requested": _text(record.asked.get("size")),
        "status": record.status,
        "error_code": end.error_code if end else None,
        "error": record.error,
        "usage": record.usage,
        "cost_usd": _share(record),
        "cost_source": end.cost_source if end else None,
        "latency_s": end.latency_s if end else None,
        "attempts": end.attempts if end else None,
        "request_id": end.request_id if end else None,
        "request_hash": call.request_hash or None,
        "parent_id": call.parent_id,
        "tags": record.tags,
        "rating": record.rating,
        "note": record.note,
        "version": record.version,
    }


def _share(record: Record) -> float | None:
    """The cost of one row: that of the call over its pictures, so that the column adds up to what was paid."""
    return None if record.cost_usd is None else record.cost_usd / max(1, len(record.images))


def _image_row(record: Record, kept: Kept, store: Path) -> dict[str, Any]:
    return {
        "image_index": kept.index,
        "mismatch": mismatch(record, kept),
        "width": kept.width,
        "height": kept.height,
        "format": kept.format,
        "bytes": kept.bytes,
        "revised_prompt": kept.revised_prompt,
        "sha256": kept.sha256,
        "path": str(store / kept.path) if kept.path else None,
        "tags": record.tags_of(kept.index),
        "rating": record.rating_of(kept.index),
        "note": record.note_of(kept.index),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _row(row: pd.Series[Any], shown: list[str]) -> str:
    cells = "".join(f"<td {_LEFT}>{escape(_cell(row[name], name))}</td>" for name in shown)
    return f"<tr><th>{escape(str(row.name))}</th><td>{_thumbnail(row, _alt(row))}</td>{cells}</tr>"


def _alt(row: pd.Series[Any]) -> str:
    return _cell(row["prompt"], "prompt") if "prompt" in row.index else ""


def _cell(value: Any, name: str) -> str:  # noqa: ANN401  (a cell of any column)
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    if pd.isna(value):
        return ""
    if name == "path":
        return _file_name(value)
    text = f"{value:%Y-%m-%d %H:%M:%S}" if name == "started_at" else str(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _says_something(value: Any) -> bool:  # noqa: ANN401  (a cell of any column)
    return len(value) > 0 if isinstance(value, tuple) else not pd.isna(value)


def _file_name(path: Any) -> str:  # noqa: ANN401  (NA or a text)
    return "" if pd.isna(path) else Path(str(path)).name


def _thumbnail(row: pd.Series[Any], alt: str) -> str:
    from .preview import preview  # noqa: PLC0415  (Pillow is loaded when a picture is first shown)

    path = row["path"]
    if pd.isna(path) or not _is_what_came(Path(path), row.get("sha256")):
        return ""
    small = preview(Path(path), _THUMBNAIL_SIDE, _THUMBNAIL_BYTES)
    if small is None:
        return ""
    data = b64encode(small.data).decode("ascii")
    return f'<img src="data:{small.mime};base64,{data}" alt="{escape(alt)}" style="max-width: none">'


def _is_what_came(path: Path, sha256: object) -> bool:
    """Whether the file is that picture: a link in a store of somebody else's may lead to any picture of this person."""
    return not isinstance(sha256, str) or has_digest(path, sha256)
