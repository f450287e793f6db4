"""Records become the dataframe: one row for each picture, and one for each call that gave none."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from support.made import kept, record, result
from support.pictures import picture

from jupyter_imagegen.frame import COLUMNS, frame
from jupyter_imagegen.journal import Ended, Rated

DESIGNED = re.findall(
    r"\w+",
    "id image_index started_at notebook cell_id execution_count provider base_url model prompt template variables "
    "params n_requested n_received size_requested width height format bytes mismatch status error_code error "
    "revised_prompt usage cost_usd cost_source latency_s attempts request_id request_hash sha256 path parent_id tags "
    "rating note version",
)

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))


def failed(**given: Any) -> Ended:
    """The end of a call that gave nothing."""
    return Ended(id="call-1", at="t", status="failed", latency_s=0.5, attempts=3, **given)


def html(table: pd.DataFrame) -> str:
    """What a notebook shows."""
    shown = table._repr_html_()  # type: ignore[operator]
    assert isinstance(shown, str)
    return shown


def test_the_columns_are_those_of_the_design(tmp_path: Path) -> None:
    """All of them, in their order, whether there are rows or not."""
    assert [name for name, _ in COLUMNS] == DESIGNED
    assert list(frame([], tmp_path).columns) == DESIGNED


def test_a_column_has_one_type_whatever_is_in_it(tmp_path: Path) -> None:
    """An empty history, a failed call and a picture make columns that can be put together."""
    empty = frame([], tmp_path)
    bad = frame([record(end=failed())], tmp_path)
    good = frame([record(kept(tmp_path, picture()))], tmp_path)

    assert list(empty.dtypes) == list(bad.dtypes) == list(good.dtypes)
    assert str(good.dtypes["started_at"]) == "datetime64[us, UTC]"
    assert str(good.dtypes["width"]) == "Int64"


def test_each_picture_is_a_row(tmp_path: Path) -> None:
    """Two pictures of one call share what the call says and have their own file."""
    data = picture("red"), picture("blue", (30, 20))
    images = [kept(tmp_path, each, place, revised_prompt=f"better {place}") for place, each in enumerate(data)]
    table = frame([record(*images, call={"tags": ("keep",), "note": "x", "notebook": "n.ipynb"})], tmp_path)

    assert list(table["image_index"]) == [0, 1]
    assert list(table["width"]) == [64, 30]
    assert list(table["revised_prompt"]) == ["better 0", "better 1"]
    assert [Path(path).read_bytes() for path in table["path"]] == list(data)
    assert set(table["n_received"]) == {2}
    assert list(table["tags"]) == [("keep",), ("keep",)]
    assert set(table["notebook"]) == {"n.ipynb"}


def test_a_call_without_a_picture_is_a_row(tmp_path: Path) -> None:
    """What failed is in the history too, with its code, its sentence and its request id."""
    end = failed(error="No.", error_code="rejected", request_id="req_1")
    (row,) = frame([record(end=end)], tmp_path).to_dict("records")

    assert (row["status"], row["error"], row["error_code"], row["request_id"]) == ("failed", "No.", "rejected", "req_1")
    assert (row["n_received"], row["attempts"], row["latency_s"]) == (0, 3, 0.5)
    assert pd.isna(row["path"])
    assert pd.isna(row["image_index"])


@pytest.mark.parametrize("status", ["running", "unknown"])
def test_a_call_without_an_end_is_a_row(tmp_path: Path, status: str) -> None:
    """A call that is under way, or that a crash ended."""
    open_ended = msgspec.structs.replace(record(), end=None, is_running=status == "running")
    (row,) = frame([open_ended], tmp_path).to_dict("records")

    assert row["status"] == status
    assert pd.isna(row["latency_s"])


def test_what_is_unknown_is_na_and_never_zero(tmp_path: Path) -> None:
    """Cost above all: a sum over a history must not count an unknown cost as nothing."""
    table = frame([record(kept(tmp_path, picture()))], tmp_path)

    for name in ("cost_usd", "cost_source", "rating", "template", "variables", "usage", "parent_id", "mismatch"):
        assert table[name].isna().all(), name


def test_a_row_tells_what_was_asked(tmp_path: Path) -> None:
    """Params without the prompt, the requested size, template and values, tokens."""
    call = {"template": "a {{x}}", "variables": msgspec.Raw(b'{"x":"cat"}')}
    end = Ended(id="a", at="t", status="ok", latency_s=1, attempts=1, usage=msgspec.Raw(b'{"total_tokens":7}'))
    (row,) = frame([record(call=call, end=end)], tmp_path).to_dict("records")

    assert row["params"] == {"model": "m", "size": "64x48"}
    assert row["size_requested"] == "64x48"
    assert (row["template"], row["variables"]) == ("a {{x}}", {"x": "cat"})
    assert row["usage"] == {"total_tokens": 7}
    assert row["started_at"] == pd.Timestamp("2026-11-21T04:15:00.123456Z")


def test_a_size_that_is_no_text_is_one_here(tmp_path: Path) -> None:
    """A field may hold whatever was asked; the column holds text."""
    (row,) = frame([record(call={"params": msgspec.Raw(b'{"size":[1,2]}')})], tmp_path).to_dict("records")

    assert row["size_requested"] == "[1, 2]"


def test_a_notebook_shows_a_thumbnail_for_each_picture(tmp_path: Path) -> None:
    """A small data: image, its prompt as the alternative text, and no other source."""
    table = frame([record(kept(tmp_path, picture())), record(end=failed())], tmp_path)
    images = [attributes for tag, attributes in Tags(html(table)).found if tag == "img"]

    assert [each["alt"] for each in images] == ["a cat"]
    assert all(re.match(r"data:image/(png|jpeg);base64,", each["src"] or "") for each in images)


def test_no_text_becomes_html(tmp_path: Path) -> None:
    """Prompt, error, model and file names are escaped, whoever wrote them."""
    call = {"prompt": EVIL, "model": EVIL, "provider": EVIL}
    table = frame([record(kept(tmp_path, picture()), call=call), record(end=failed(error=EVIL), call=call)], tmp_path)
    tags = Tags(html(table)).found

    assert {tag for tag, _ in tags} == {"table", "thead", "tbody", "tr", "th", "td", "img", "p"}
    assert not [attributes for _, attributes in tags if any(name.startswith("on") for name in attributes)]
    assert [attributes["alt"] for tag, attributes in tags if tag == "img"] == [EVIL]


def test_no_text_becomes_a_formula(tmp_path: Path) -> None:
    """A page would typeset what stands between the dollars of two prices, and follow the links in it."""
    plain = [
        tag
        for tag, attributes in Tags(html(frame([record()], tmp_path))).found
        if {"mathjax_ignore", "tex2jax_ignore"} <= set((attributes.get("class") or "").split())
    ]

    assert plain == ["table", "p"]


def test_a_long_history_shows_its_newest_rows(tmp_path: Path) -> None:
    """Twenty rows are shown, and how many there are is said."""
    table = frame([record(call={"prompt": f"number-{n}-"}) for n in range(50)], tmp_path)
    shown = html(table)

    assert "number-49-" in shown
    assert "number-29-" not in shown
    assert "50 rows" in shown


def test_a_column_is_shown_where_a_row_that_is_shown_has_something_in_it(tmp_path: Path) -> None:
    """The table is wide enough; what an earlier row has to say is in the dataframe."""
    rated = record(marks=(Rated(id="call-1", at="t", rating=4),))
    early, late = (rated, *[record()] * 30), (*[record()] * 30, rated)

    assert '<th style="text-align: left">rating</th>' in html(frame(late, tmp_path))
    assert "rating" not in html(frame(early, tmp_path))
    assert frame(early, tmp_path)["rating"].notna().any()


def test_equal_requests_are_read_once(tmp_path: Path) -> None:
    """A hundred thousand calls ask for a few things; their cells are one object, and JSON of any kind is read."""
    odd = [b'{"size":[1,{"a":2}]}', b"{}", b'{"size":"64x48","x":"{["}', b'{"output_format":{"a":1}}', b"5", b"{1}"]
    texts = [text for text in odd for _ in range(2)]
    table = frame([record(call={"params": msgspec.Raw(text)}) for text in texts], tmp_path)

    assert table["params"].tolist() == [
        value for text in texts for value in [json.loads(text) if text.startswith((b'{"', b"{}")) else {}]
    ]
    assert all(table["params"][place] is table["params"][place + 1] for place in range(0, len(texts), 2))
    assert table["size_requested"][0] == "[1, {'a': 2}]"


@pytest.mark.parametrize(
    ("at", "known"),
    [
        ("2026-11-21T04:15:00.123456Z", True),
        ("2026-11-21T04:15:00Z", True),
        ("2026-13-21T04:15:00.123456Z", False),
        ("2026-11-21T04:15:00.123456+01:00", False),
        ("9999999-11-21T04:15:00Z", False),
        ("2026-11-21", False),
        ("yesterday\n2026-11-21T04:15:00.123456Z", False),
    ],
)
def test_a_time_of_another_form_is_none(tmp_path: Path, at: str, known: bool) -> None:  # noqa: FBT001  (a column)
    """One that another hand wrote hides no other."""
    table = frame([record(), record(call={"at": at}), record()], tmp_path)

    assert table["started_at"].notna().tolist() == [True, known, True]


def test_a_long_prompt_is_cut_in_the_table_only(tmp_path: Path) -> None:
    """The cell is short; the value is whole."""
    table = frame([record(call={"prompt": "x" * 5000})], tmp_path)

    assert "x" * 121 not in html(table)
    assert len(table["prompt"].iloc[0]) == 5000


def test_a_part_of_the_history_is_shown_alike(tmp_path: Path) -> None:
    """Filtering and sorting keep the thumbnails; a table of other columns is shown as pandas shows it."""
    table = frame([record(kept(tmp_path, picture())), record(end=failed())], tmp_path)

    assert "<img" in html(table[table["status"] == "ok"])
    assert "<img" in html(table.sort_values("started_at"))
    assert "<img" not in html(table[["model", "prompt"]])
    assert "a cat" in html(table[["model", "prompt"]])


def test_a_picture_that_is_gone_leaves_its_row(tmp_path: Path) -> None:
    """A removed file is no thumbnail and no error."""
    image = kept(tmp_path, picture())
    (tmp_path / image.path).unlink()

    assert "<img" not in html(frame([record(image)], tmp_path))


def test_an_empty_history_is_shown(tmp_path: Path) -> None:
    """Before the first call there is a table without rows."""
    assert "0 rows" in html(frame([], tmp_path))


@pytest.mark.parametrize("write", ["to_csv", "to_html", "to_string"])
def test_a_history_can_be_written(tmp_path: Path, write: str) -> None:
    """It is a dataframe like any other."""
    assert "a cat" in getattr(frame([record(kept(tmp_path, picture()))], tmp_path), write)()


@pytest.mark.parametrize(
    "derived",
    [
        lambda frame: frame.isna(),
        lambda frame: frame.groupby("model").count(),
        lambda frame: frame == "ok",
        lambda frame: frame.astype(str),
        lambda frame: frame[["path", "status"]].rename(columns={"path": "status"}),
    ],
)
def test_what_pandas_makes_of_a_history_is_shown_as_pandas_shows_it(tmp_path: Path, derived: Any) -> None:
    """Cells that are no longer those of calls are not taken for them."""
    made = result(tmp_path, picture("red"))
    assert "<table" in derived(frame(made.records, tmp_path))._repr_html_()
