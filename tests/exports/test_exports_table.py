"""The history as a table: what pandas and spreadsheets read back is what was recorded, and no formula."""

from __future__ import annotations

import csv
import json
import sys
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held
from support.studies import EVIL, call, forgotten, study

from jupyter_imagegen.errors import SettingsError, StoreError
from jupyter_imagegen.exports import portable, table
from jupyter_imagegen.exports.study import Study
from jupyter_imagegen.frame import COLUMNS, frame

TEXTS = tuple(name for name, dtype in COLUMNS if dtype in ("string", "object"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
FORMULAS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "  =1", "＝1", "－1"),
    *("'", "'=1", "''x"),
)


def cells(text: str) -> list[dict[str, str]]:
    """The rows of a CSV as any reader of RFC 4180 has them."""
    return list(csv.DictReader(StringIO(text, newline="")))


def undone(text: str) -> str:
    """A text as it was before it was made harmless."""
    return text.removeprefix("'")


def full(store: Path) -> Study:
    """A picture of which everything is known, a refusal, and a forgotten call."""
    made = call(
        1, store, picture("red"), prompt="ein Wald,\n„grün“ 🌲", template="{{x}}", cost_usd=0.04, tags=("a", "b"),
        variables=msgspec.Raw(b'{"x":"\xc3\xa9"}'), fields={"size": "64x48", "seed": 2**63},
        usage=msgspec.Raw(b'{"total_tokens":7}'), cost_source="usage", request_id="req-1", cell_id="c", note="n",
    )  # fmt: skip
    refused = call(2, store, status="refused", error="No.", execution_count=7)
    return study(store, made, refused, forgotten(call(3, store, picture("blue"), prompt="a secret")))


def test_a_csv_has_the_columns_of_the_history_in_their_order(tmp_path: Path) -> None:
    """One row for each picture, and one for each call that gave none."""
    made = table.write(full(tmp_path), tmp_path / "t.csv").read_bytes().decode("utf-8-sig")

    assert next(csv.reader(StringIO(made))) == [name for name, _ in COLUMNS]
    assert [row["status"] for row in cells(made)] == ["ok", "refused", "ok"]


def test_a_csv_is_read_back_by_pandas(tmp_path: Path) -> None:
    """With letters of any script, line breaks, empty cells for what is not known, and numbers that are numbers."""
    made = table.write(full(tmp_path / "imagegen"), tmp_path / "t.csv")
    read = pd.read_csv(made, keep_default_na=False, na_values=[""], parse_dates=["started_at"])
    first, refused, gone = read.to_dict("records")

    assert first["prompt"] == "ein Wald,\n„grün“ 🌲"
    assert first["started_at"] == pd.Timestamp("2026-11-21T04:15:01.123456Z")
    assert (first["width"], first["cost_usd"], refused["execution_count"]) == (64, 0.04, 7)
    assert json.loads(first["params"]) == {"size": "64x48", "seed": 2**63}
    assert (json.loads(first["variables"]), json.loads(first["tags"])) == ({"x": "é"}, ["a", "b"])
    assert pd.isna(refused["cost_usd"])
    assert pd.isna(refused["path"])
    assert pd.isna(gone["prompt"])
    assert "secret" not in made.read_text("utf-8-sig")


def test_a_csv_is_utf_8_for_excel_too(tmp_path: Path) -> None:
    """Without the mark at its beginning, Excel takes the letters for those of the machine's code page."""
    data = table.write(full(tmp_path), tmp_path / "t.csv").read_bytes()

    assert data.startswith(b"\xef\xbb\xbfid,")
    assert data.endswith(b"\r\n")


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_text_in_a_csv_is_no_formula(tmp_path: Path, formula: str) -> None:
    """Wherever it stands it has one apostrophe before it; so has a text with one, and so each can be undone."""
    given: dict[str, Any] = dict.fromkeys(("prompt", "note", "model", "provider", "request_id"), formula)
    (row,) = cells(table.csv(study(tmp_path, call(1, tmp_path, status="failed", **given))))

    assert {row[name] for name in given} == {f"'{formula}"}


def test_an_error_in_a_csv_is_no_formula(tmp_path: Path) -> None:
    """It is made harmless behind the paths in it, which are shortened."""
    (row,) = cells(table.csv(study(tmp_path, call(1, tmp_path, status="failed", error="=cmd|/home/alice/x.exe"))))

    assert row["error"] == "'=cmd|…/x.exe"


def test_a_row_of_a_picture_says_of_its_call_what_is_true(tmp_path: Path) -> None:
    """Of four pictures one is picked: it has a fourth of the cost, and four came."""
    four = call(1, tmp_path, *map(picture, ("red", "blue", "teal", "gold")), cost_usd=0.04)
    made = study(tmp_path, four, call(2, tmp_path, status="failed"), picked=frozenset({(four.id, 2)}))
    first, second = cells(table.csv(made))

    assert (first["image_index"], first["sha256"]) == ("2", four.images[2].sha256)
    assert (first["cost_usd"], first["n_received"], first["mismatch"]) == ("0.01", "4", "")
    assert second["status"] == "failed"


def test_a_license_is_read_back_from_parquet(tmp_path: Path) -> None:
    """As pandas keeps it, beside the rows."""
    made = table.write(study(tmp_path, call(1, tmp_path, picture()), license="CC-BY-4.0"), tmp_path / "t.parquet")

    assert pd.read_parquet(made).attrs == {"license": "CC-BY-4.0"}


def test_who_asked_stays_in_a_table(tmp_path: Path) -> None:
    """The request hash is of it."""
    (row,) = cells(table.csv(study(tmp_path, call(1, tmp_path, picture(), fields={"user": "alice"}))))

    assert json.loads(row["params"]) == {"user": "alice"}


def test_numbers_and_times_in_a_csv_are_left_alone(tmp_path: Path) -> None:
    """Only texts of others are made harmless."""
    row = cells(table.csv(full(tmp_path)))[0]

    assert not [name for name, dtype in COLUMNS if dtype not in ("string", "object") and row[name].startswith("'")]
    assert (row["cost_usd"], row["started_at"]) == ("0.04", "2026-11-21T04:15:01.123456Z")


@held
@given(text=TEXT)
def test_any_text_is_read_back_from_a_csv(tmp_path: Path, text: str) -> None:
    """What is not a formula is there as it is, and what looks like one after an apostrophe is taken away.

    Only control characters, which a terminal would obey, are replaced.
    """
    rows = cells(table.csv(study(tmp_path, call(1, tmp_path, status="failed", prompt=text))))

    assert [undone(row["prompt"]) for row in rows] == [portable.clean(text)]
    assert not rows[0]["prompt"].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("evil", EVIL)
def test_parquet_has_the_exact_texts(tmp_path: Path, evil: str) -> None:
    """No cell of it is a formula, so that none is changed."""
    made = study(tmp_path, call(1, tmp_path, status="failed", prompt=evil, note=evil, error=evil))
    (row,) = pd.read_parquet(BytesIO(table.parquet(made))).to_dict("records")

    assert row["prompt"] == row["note"] == evil


def test_parquet_keeps_the_types(tmp_path: Path) -> None:
    """Those of the history: UTC times, whole numbers that can be missing, texts; objects are JSON."""
    made = full(tmp_path / "imagegen")
    read = pd.read_parquet(table.write(made, tmp_path / "t.parquet"))
    types = {name: "string" if dtype == "object" else str(dtype) for name, dtype in COLUMNS}

    assert {name: str(dtype) for name, dtype in read.dtypes.items()} == types
    assert list(read["image_index"]) == [0, pd.NA, 0]
    assert json.loads(read["usage"][0]) == {"total_tokens": 7}
    same = [name for name, dtype in COLUMNS if dtype != "object" and name != "path"]
    assert read[same].equals(pd.DataFrame(frame(made.records, made.store)[same]))


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and a CSV needs none."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(SettingsError, match="pyarrow") as caught:
        table.write(study(tmp_path), tmp_path / "t.parquet")

    assert 'In the folder of jupyter-imagegen: pip install ".[exports]"' in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("records", [0, 1])
def test_a_study_without_calls_is_a_table_without_rows(tmp_path: Path, records: int) -> None:
    """The columns and their types are there all the same."""
    made = study(tmp_path, *(call(n, tmp_path) for n in range(records)))

    assert len(cells(table.csv(made))) == records
    assert [str(dtype) for dtype in pd.read_parquet(BytesIO(table.parquet(made))).dtypes] == [
        "string" if dtype == "object" else str(dtype) for _, dtype in COLUMNS
    ]


def test_a_table_says_nothing_of_this_machine(tmp_path: Path) -> None:
    """Paths are relative to the folder that holds the store; no home, no name, no password of an address."""
    store = tmp_path / "imagegen"
    made = study(
        store,
        call(1, store, picture(), notebook=f"{tmp_path}/deep/n.ipynb", base_url="https://me:pw@host.example/v1?key=1"),
        call(2, store, status="failed", error=f"Cannot write {store}: no.", notebook="C:\\Users\\bob\\n.ipynb"),
        call(3, store, notebook="below/n.ipynb"),
        call(4, store, notebook="../../alice/n.ipynb"),
    )
    rows = cells(table.csv(made))

    assert rows[0]["path"] == f"imagegen/{made.records[0].images[0].path}"
    assert rows[0]["base_url"] == "https://host.example/v1"
    assert rows[1]["error"] == "Cannot write imagegen: no."
    assert [row["notebook"] for row in rows] == ["n.ipynb", "n.ipynb", "below/n.ipynb", "n.ipynb"]
    assert str(tmp_path) not in table.csv(made)


@pytest.mark.parametrize("path", ["../x.png", "/etc/passwd", "C:\\x.png", "images/../../x.png", ""])
def test_a_path_that_leads_out_of_the_store_is_none(tmp_path: Path, path: str) -> None:
    """Another hand may have written it."""
    made = call(1, tmp_path, picture())
    odd = msgspec.structs.replace(made.images[0], path=path)
    rows = cells(table.csv(study(tmp_path, call(2, tmp_path), msgspec.structs.replace(made, images=(odd,)))))

    assert [row["path"] for row in rows] == ["", ""]


def test_the_same_study_gives_the_same_table(tmp_path: Path) -> None:
    """Byte for byte, in both forms."""
    made = full(tmp_path / "imagegen")

    assert table.csv(made) == table.csv(made)
    assert table.parquet(made) == table.parquet(made)


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A file stands where a folder should be."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="Cannot write"):
        table.write(study(tmp_path), tmp_path / "file" / "t.csv")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
