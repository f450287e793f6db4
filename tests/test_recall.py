"""Which record stands in for a request, and how it is told again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made import record
from support.properties import held

from jupyter_imagegen import errors
from jupyter_imagegen.journal import Ended, Kept
from jupyter_imagegen.recall import (
    Cell,
    Here,
    Place,
    Places,
    Wanted,
    is_answer,
    is_whole,
    retold,
    shown_from,
    stand_ins,
)
from jupyter_imagegen.records import Record
from jupyter_imagegen.told import Showing

PICTURE = Kept(id="x", index=0, path="images/x.png", sha256="0", bytes=3, format="png")
SOUGHT = Wanted(request_hash="r1:0", provider="openai", base_url="https://api.openai.com/v1", parent_id=None)


def end(status: str = "ok", **given_: Any) -> Ended:
    """An end."""
    return Ended(id="x", at="t", status=status, latency_s=1.0, attempts=1, **given_)


def made(session: str, at: int, cell: Cell | None = None, **given_: Any) -> Record:
    """A whole record of the request that is sought, made by a session at a minute."""
    run = cell or Cell(None, None)
    call = {"id": f"{session}-{at}", "at": f"2026-11-21T04:{at:02}:00Z", "cell_id": run.id, "execution_count": run.run}
    return record(PICTURE, end=end(), call=call, session=session, **given_)


def found(records: list[Record], place: int, notebook: str | None = None) -> list[str]:
    """The ids of those that stand in at a place."""
    at = Place(place, None, 0)
    return [each.id for each in stand_ins(records, SOUGHT, at, Here("now", notebook), is_answer)]


def of_cell(records: list[Record], cell: str, number: int, place: int) -> list[str]:
    """The ids of those that stand in for an asking of a cell: its number there, and its place in the session."""
    at = Place(place, cell, number)
    return [each.id for each in stand_ins(records, SOUGHT, at, Here("now", None), is_answer)]


def test_the_newest_session_goes_first_and_those_with_too_few_are_passed_over() -> None:
    """The second asking takes the second record of the newest session that has two."""
    records = [made("a", 1), made("a", 2), made("b", 3), made("b", 4), made("c", 5)]

    assert found(records, 0) == ["c-5", "b-3", "a-1"]
    assert found(records, 1) == ["b-4", "a-2"]
    assert found(records, 2) == []


def test_a_session_of_the_same_notebook_goes_before_a_newer_one_of_another() -> None:
    """Two notebooks in one folder may ask for the same."""
    mine = made("a", 1)
    ours = [record(PICTURE, end=end(), call={"id": "mine", "at": mine.call.at, "notebook": "n.ipynb"}, session="a")]

    assert found([*ours, made("b", 2)], 0, "n.ipynb") == ["mine", "b-2"]
    assert found([*ours, made("b", 2)], 0, None) == ["b-2", "mine"]


def test_notebooks_whose_names_are_not_known_are_not_the_same() -> None:
    """Of those, the newest session goes first, whether its notebook had a name or not."""
    named = record(PICTURE, end=end(), call={"id": "named", "at": "2026-11-21T05:00:00Z", "notebook": "n"}, session="b")

    assert found([made("a", 1), named], 0, None) == ["named", "a-1"]


def test_what_a_session_was_shown_counts_as_what_it_had() -> None:
    """A session that was shown one record and made another has both, in that order."""
    shown = made("a", 1, showings=(Showing("b", "2026-11-21T04:05:00Z", None, None, None),))

    assert found([shown, made("b", 6)], 0) == ["a-1", "a-1"]
    assert found([shown, made("b", 6)], 1) == ["b-6"]


def test_a_cell_that_was_run_again_counts_by_its_last_run_at_its_first_place() -> None:
    """What the saved notebook shows: A ran, then B, then A again."""
    records = [made("s", 1, Cell("A", 1)), made("s", 2, Cell("B", 2)), made("s", 3, Cell("A", 3))]

    assert [found(records, place) for place in range(3)] == [["s-3"], ["s-2"], []]


def test_a_loop_in_a_cell_takes_as_many_places_as_it_has_rounds() -> None:
    """One run of one cell may ask for the same several times."""
    places = Places()

    assert [places.take(Cell("A", 1)) for _ in range(3)] == [Place(n, "A", n) for n in range(3)]
    assert places.take(Cell("B", 2)) == Place(3, "B", 0)
    assert [places.take(Cell("A", 3)).in_session for _ in range(4)] == [0, 1, 2, 4]


def test_a_cell_gets_the_records_of_that_cell_where_both_sides_know_it() -> None:
    """B was run before A, and the notebook is run again from top to bottom: A before B."""
    records = [made("s", 1, Cell("B", 1)), made("s", 2, Cell("A", 2)), made("s", 3, Cell("A", 2))]

    assert of_cell(records, "A", 0, place=0) == ["s-2"]
    assert of_cell(records, "A", 1, place=1) == ["s-3"]
    assert of_cell(records, "A", 2, place=2) == []
    assert of_cell(records, "C", 0, place=0) == ["s-1"]


def test_what_the_session_itself_was_shown_is_no_record_that_it_has() -> None:
    """One record, and a loop of three in a cache: the second round needs another one."""
    shown = made("now", 1, showings=(Showing("now", "2026-11-21T04:05:00Z", None, None, None),))

    assert found([shown], 0) == ["now-1"]
    assert found([shown], 1) == []


@held
@given(st.lists(st.tuples(st.sampled_from("ABC") | st.none(), st.integers(1, 3))))
def test_no_two_askings_of_one_run_share_a_place(asked: list[tuple[str | None, int]]) -> None:
    """And places are taken in order, without gaps."""
    places, taken = Places(), list[int]()
    for run, (cell, times) in enumerate(asked):
        mine = [places.take(Cell(cell, run)).in_session for _ in range(times)]
        assert len(set(mine)) == times
        taken += mine

    assert set(taken) == set(range(len(set(taken))))


def test_another_request_address_or_parent_is_another_thing() -> None:
    """Only what is the same in all of it stands in."""
    others = [
        record(PICTURE, call={"request_hash": "r1:1"}),
        record(PICTURE, call={"base_url": "https://elsewhere.example/v1"}),
        record(PICTURE, call={"provider": "custom"}),
        record(PICTURE, call={"parent_id": "x"}),
    ]

    assert found(others, 0) == []


@pytest.mark.parametrize(
    ("ended", "images", "told"),
    [
        (end(), (PICTURE,), (True, True)),
        (end(error="Cancelled after 1 of 2 pictures."), (PICTURE,), (False, True)),
        (end(error="no", error_class="Refused"), (PICTURE,), (False, True)),
        (end(error="no", error_class="DownloadFailed"), (PICTURE,), (False, False)),
        (end("refused", error_class="Refused", error="no"), (), (False, True)),
        (end("refused", error="no"), (), (False, True)),
        (end("failed", error_class="SizeRejected", error="no"), (), (False, True)),
        (end("failed", error_class="KeyRejected", error="no"), (), (False, False)),
        (end("failed", error_class="RateLimited", error="no"), (), (False, False)),
        (end("failed", error_class="NotSent", error="no"), (), (False, False)),
        (end("unknown", error_class="ConnectionCut", error="cut"), (), (False, False)),
        (end("cancelled", error="Cancelled."), (), (False, False)),
        (end(), (), (False, False)),
    ],
)
def test_only_what_the_endpoint_said_of_the_request_is_told_again(
    ended: Ended, images: tuple[Kept, ...], told: tuple[bool, bool]
) -> None:
    """A cache shows whole results; a replay also what was refused; neither shows an accident."""
    made_of_it = record(*images, end=ended)

    assert (is_whole(made_of_it), is_answer(made_of_it)) == told


def test_a_refusal_is_told_as_it_was_raised() -> None:
    """The same class, message, code and request id, and that it is a record."""
    ended = end("refused", error_class="Refused", error="No otters.", error_code="moderation", request_id="req_1")
    error = retold(record(end=ended))

    assert isinstance(error, errors.Refused)
    assert (error.message, error.code, error.request_id) == ("No otters.", "moderation", "req_1")
    assert "recorded 2026-11-21 04:15 UTC and shown again; nothing was sent" in error.hint


@pytest.mark.parametrize("name", ["OfALaterVersion", "ImageGenError", "annotations", "Callable"])
def test_an_error_that_this_version_does_not_know_is_the_error_of_a_call(name: str) -> None:
    """The name comes from a file: only errors of a call are made from it."""
    error = retold(record(end=end("failed", error_class=name, error="no")))

    assert type(error) is errors.CallError


def test_a_call_that_raised_nothing_is_told_without_an_error() -> None:
    """Also where something is said of it."""
    assert retold(record(PICTURE, end=end(error="Cancelled after 1 of 2 pictures."))) is None


def test_records_say_from_when_they_are() -> None:
    """One time, or the first and the last."""
    early, late = record(), record(call={"at": "2026-11-22T05:06:07Z"})

    assert shown_from((early,), 1) == "recorded 2026-11-21 04:15 UTC and shown again; nothing was sent"
    assert shown_from((late, early), 2).startswith("recorded 2026-11-21 04:15 to 2026-11-22 05:06 UTC")
