"""A history that is looked at again and again is what it would be if it were looked at for the first time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.made import record
from support.properties import held

from jupyter_imagegen import frames
from jupyter_imagegen.frame import _KEEPS_NA, frame
from jupyter_imagegen.frames import history_of
from jupyter_imagegen.journal import Ended, Kept, Rated
from jupyter_imagegen.records import Record

STORE: Final = Path("/a/store")
FEW: Final = settings(held, max_examples=40)
"""A dataframe of 39 columns takes its time, however few its rows are."""


def call(number: int, pictures: int = 1, rating: int | None = None) -> Record:
    """The call with this number."""
    name = f"20261121T0415{number:02}000000Z-{number:08x}"
    images = tuple(
        Kept(id=name, index=place, path=f"images/{number}-{place}.png", sha256="0", bytes=1, format="png")
        for place in range(pictures)
    )
    marks = () if rating is None else (Rated(id=name, at="t", rating=rating),)
    usage = msgspec.Raw(b'{"tokens":[1,{"of":2}]}')
    end = Ended(id=name, at="t", status="ok", latency_s=1, attempts=1, usage=usage, cost_usd=number / 7)
    return record(*images, end=end, call={"id": name, "prompt": f"otter {number}"}, marks=marks)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two dataframes are equal in every respect."""
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    return type(one) is type(other)


CALLS: Final = st.builds(call, st.integers(0, 40), st.integers(0, 3), st.none() | st.integers(1, 5))
HISTORIES: Final = st.lists(CALLS, max_size=40, unique_by=lambda each: each.id).map(
    lambda calls: tuple(sorted(calls, key=lambda each: each.id))
)


@FEW
@given(st.lists(HISTORIES, min_size=1, max_size=6), st.integers(1, 12), st.integers(1, 12), st.integers(0, 3))
def test_each_look_is_like_a_first_one(
    histories: list[tuple[Record, ...]], newest: int, most_new: int, most_changed: int
) -> None:
    """Whatever came, went and changed between two looks, and wherever the settled calls end."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "_made", {})
        patched.setattr(frames, "_NEWEST", newest)
        patched.setattr(frames, "_MOST_NEW", most_new)
        patched.setattr(frames, "_MOST_CHANGED", most_changed)
        for records in histories:
            assert same(history_of(records, STORE, None), frame(records, STORE))


@FEW
@given(st.data())
def test_a_history_that_grows_is_like_a_first_look(data: st.DataObject) -> None:
    """Calls are added, nearly always at the end, and something is said of earlier ones."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("jupyter_imagegen.frame._KEEPS_NA", data.draw(st.sampled_from([False, _KEEPS_NA])))
        patched.setattr(frames, "_made", {})
        patched.setattr(frames, "_NEWEST", 2)
        patched.setattr(frames, "_MOST_NEW", 4)
        calls = {number: call(number, number % 3) for number in range(3)}
        for number in range(3, 30, 3):
            calls[number] = call(number, data.draw(st.integers(0, 2)))
            earlier = data.draw(st.sampled_from(sorted(calls)))
            calls[earlier] = call(earlier, data.draw(st.integers(0, 2)), data.draw(st.integers(1, 5)))
            records = tuple(calls[each] for each in sorted(calls))
            assert same(history_of(records, STORE, None), frame(records, STORE))


def test_only_rows_that_changed_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are those of the look before."""
    made: list[int] = []

    def noted(records: tuple[Record, ...], store: Path) -> Any:
        made.append(len(records))
        return frame(records, store)

    records = tuple(call(number) for number in range(60))
    monkeypatch.setattr(frames, "frame", noted)
    monkeypatch.setattr(frames, "_made", {})
    monkeypatch.setattr(frames, "_NEWEST", 10)
    history_of(records, STORE, None)
    history_of(records, STORE, None)
    history_of((*records, call(70)), STORE, None)
    history_of((*records[:5], call(5, rating=2), *records[6:], call(70)), STORE, None)

    assert made == [50, 10, 11, 1, 11]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.__setitem__("prompt", "x"),
        lambda table: table.loc.__setitem__((0, "width"), 7),
        lambda table: table["bytes"].array.__setitem__(0, 99),
        lambda table: table["prompt"].array.__setitem__(0, "x"),
        lambda table: table["cost_usd"].array.__setitem__(0, 99.0),
        lambda table: table["started_at"].array.__setitem__(0, pd.Timestamp(0, tz="UTC")),
        lambda table: table.iloc.__setitem__((0, 0), "x"),
        lambda table: table.attrs.__setitem__("note", "x"),
        lambda table: table.pop("path"),
    ],
)
@pytest.mark.parametrize("newest", [1, 5])
def test_what_a_person_does_to_a_history_is_theirs(change: Any, newest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is as the store has it."""
    monkeypatch.setattr(frames, "_NEWEST", newest)
    monkeypatch.setattr(frames, "_made", {})
    records = tuple(call(number) for number in range(3))
    mine = history_of(records, STORE, None)
    change(mine)
    following = history_of(records, STORE, None)

    assert same(following, frame(records, STORE))
    assert following.attrs == {}


def test_a_cell_is_shared_and_cannot_be_changed() -> None:
    """What is JSON there is one object in all histories that show it."""
    (cell,) = history_of((call(1),), STORE, None)["usage"]

    assert cell == {"tokens": [1, {"of": 2}]}
    with pytest.raises(TypeError, match="Other histories"):
        cell["tokens"] = 1
    with pytest.raises(TypeError, match="Other histories"):
        cell["tokens"][1]["of"] = 1


def test_notebooks_and_stores_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """And few are kept: each can be large."""
    monkeypatch.setattr(frames, "_made", {})
    for number, (store, notebook) in enumerate((store, name) for store in (STORE, STORE / "b") for name in ("n", None)):
        assert same(history_of((call(number),), store, notebook), frame((call(number),), store))

    assert list(frames._made) == [(STORE / "b", "n"), (STORE / "b", None)]


def test_without_arrow_it_is_the_same_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: then the columns are made by pandas alone."""
    records = (*(call(number, number % 3) for number in range(9)), record(call={"id": "z", "at": "yesterday"}))
    with_it = frame(records, STORE)
    monkeypatch.setattr("jupyter_imagegen.frame._arrow", lambda: None)

    assert same(frame(records, STORE), with_it)
