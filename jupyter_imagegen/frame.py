"""Records -> the dataframe: one row for each picture, and one for each call that gave none.

The only file that imports pandas.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd

from .blobs import has_digest
from .collector import held_off
from .columns import columns
from .plan import dollars
from .records import Record

_TEXT: Final = "string"
_TIME: Final = "datetime64[us, UTC]"
COLUMNS: Final = (
    ("id", _TEXT),
    ("image_index", "Int64"),
    ("started_at", _TIME),
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
"""Columns that are shown only where one of the rows that are shown has something in them: the table is wide enough."""
_LONGEST_CELL: Final = 120
_WIDEST_TEXT: Final = 40


_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
"""A time of the journal; what another hand wrote in its place can be beyond what a column of times holds."""
_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)


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
        last = self.tail(_MOST_ROWS)
        return [name for name in here if name not in _IF_ANY or any(map(_says_something, last[name]))]

    @property
    def _constructor(self) -> type[History]:
        return History

    def _repr_html_(self) -> str | None:
        shown = self._worth_showing()
        if not self._is_of_rows(shown):
            return super()._repr_html_()  # type: ignore[misc,no-any-return]
        rows = self.tail(_MOST_ROWS)
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
        rows = pd.DataFrame(self.tail(_MOST_ROWS)[shown]).assign(path=lambda rows: rows["path"].map(_file_name))
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


_BLOCK: Final = 1024
"""Records whose rows are made together, while they lie in the processor's cache."""


def frame(records: Iterable[Record], store: Path) -> History:
    """The dataframe of these records, one row for each picture and one for each call without any.

    A sentence in its `attrs["note"]` is shown below it.
    """
    every, pieces, arrow = tuple(records), {name: list[Any]() for name, _ in COLUMNS}, _arrow()
    with held_off():
        for start in range(0, max(1, len(every)), _BLOCK):
            values = columns(every[start : start + _BLOCK], store)
            for name, dtype in COLUMNS:
                pieces[name].append(_piece(values[name], dtype, arrow))
        return History({name: _column(pieces.pop(name), dtype, arrow) for name, dtype in COLUMNS}, copy=False)


def put_together(pieces: Iterable[History]) -> History:
    """A dataframe of its own that holds the rows of all of these, of which there is at least one."""
    every = tuple(pieces)
    filled = [piece for piece in every if len(piece)]
    if len(filled) < 2:
        return (*filled, *every)[0].copy()
    if _KEEPS_NA:
        return History(pd.concat(filled, ignore_index=True))
    whole = {name: pd.concat([piece[name] for piece in filled], ignore_index=True) for name, _ in COLUMNS}
    return History(whole, copy=False)


_KEEPS_NA: Final = int(pd.__version__.partition(".")[0]) >= 3
"""Of whole dataframes, pandas 2 puts together a column of objects that are all NA as one of NaN."""


def _arrow() -> Any:  # noqa: ANN401  (the library, or None)
    """The library in which pandas keeps texts where it is there, and by which columns are made fastest."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra)
    except ImportError:
        return None
    return pa


def _piece(values: Sequence[Any], dtype: str, arrow: Any) -> Any:  # noqa: ANN401  (an array of Arrow, or the values)
    if arrow is None or dtype == "object":
        return values
    if dtype != _TIME:
        return arrow.array(values, _IN_ARROW[dtype])
    try:
        return arrow.array(_known(values), "large_string").cast(arrow.timestamp("us", "UTC"))
    except arrow.ArrowInvalid:
        return arrow.array(_times(values), arrow.timestamp("us", "UTC"))


_IN_ARROW: Final = {_TEXT: "large_string", "Int64": "int64", "Float64": "float64"}


def _column(pieces: Sequence[Any], dtype: str, arrow: Any) -> pd.Series[Any]:  # noqa: ANN401
    if arrow is not None and dtype != "object":
        kind: Any = pd.api.types.pandas_dtype(dtype)
        return pd.Series(kind.__from_arrow__(arrow.chunked_array(pieces)), copy=False)
    values: Any = [pd.NA if value is None else value for piece in pieces for value in piece]
    return pd.Series(_times(values) if dtype == _TIME else values, dtype=dtype, copy=False)


def _times(values: Sequence[str]) -> Any:  # noqa: ANN401  (an index of pandas)
    """The times; NaT for what is none."""
    known: Any = _known(values)
    return pd.to_datetime(known, utc=True, format="ISO8601", errors="coerce")


def _known(values: Sequence[str]) -> Sequence[str | None]:
    """The times that are written as the journal writes them; None for the others."""
    digits = "\n".join(values).encode("utf-8", "replace").translate(_AS_ZEROS)
    if digits == b"\n".join([b"0000-00-00T00:00:00.000000Z"] * len(values)):
        return values  # as nearly always: each alone would take far longer
    return [value if _WRITTEN.fullmatch(value) else None for value in values]


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
