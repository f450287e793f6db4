"""The gallery: which cards there are, which of them are found, how they are paged, and what is said of each."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made import record
from support.properties import held
from support.studies import EVIL, forgotten

from jupyter_imagegen.gallery import PICTURES, Card, Choices, Sought, cards, choices, details, found, one_line, page
from jupyter_imagegen.journal import (
    AnyLine,
    Called,
    Ended,
    Input,
    Kept,
    Mark,
    Noted,
    Rated,
    Tagged,
    Untagged,
)
from jupyter_imagegen.records import Record, fold, read
from jupyter_imagegen.references import split_record

STORE: Final = Path("imagegen")


def named(number: int) -> str:
    """The id of the call with this number."""
    return f"20261121T0415{number:02}123456Z-{number:08x}"


def picture(number: int, index: int = 0, **given: Any) -> Kept:
    """A picture of a call, as its line has it."""
    fixed: dict[str, Any] = {"path": f"images/a-cat-{number}.png", "sha256": f"{number:064x}", "format": "png"}
    sides = {"bytes": 1234, "width": 64, "height": 48}
    return Kept(id=named(number), index=index, **{**fixed, **sides, **given})


def call(number: int, *images: Kept, status: str = "ok", marks: tuple[Mark, ...] = (), **given: Any) -> Record:
    """A call with these pictures: fields of its lines, and what was said of it."""
    of_end = {name: given.pop(name) for name in tuple(given) if name in Ended.__struct_fields__ and name != "at"}
    end = Ended(id=named(number), at="t", status=status, latency_s=8.6, attempts=1, **of_end)
    return record(*images, end=end, call={"id": named(number), **given}, marks=marks)


def rated(number: int, stars: int, index: int | None = None) -> Rated:
    """A rating."""
    return Rated(id=named(number), at="t", index=index, rating=stars)


def fields(text: str) -> msgspec.Raw:
    """What was asked, as the journal has it."""
    return msgspec.Raw(text.encode())


def sent(role: str, name: str) -> Input:
    """A picture that was sent."""
    return Input(role=role, path="inputs/a.png", sha256="0", bytes=1, format="png", name=name)


def told(made: Record, store: Path = STORE) -> dict[str, str]:
    """What is said beside the first picture of a record, by its name."""
    return dict(line.split(": ", 1) for line in details(cards([made])[0], store))


# --- which cards there are


def test_the_newest_call_is_first_and_its_pictures_stay_in_their_order() -> None:
    """However the records come: what was just made is what is looked for."""
    old, new = call(1, picture(1)), call(2, picture(2), picture(2, 1))

    expected = [f"{named(2)}[0]", f"{named(2)}[1]", f"{named(1)}[0]"]
    assert [card.name for card in cards([old, new])] == expected
    assert [card.name for card in cards([new, old])] == expected


def test_a_call_without_a_picture_is_a_card_and_a_forgotten_one_is_none() -> None:
    """What was refused can be looked up; of what was forgotten nothing is shown, not even that there was a picture."""
    gone = forgotten(call(2, picture(2)))

    assert [(card.name, card.kept) for card in cards([call(1, status="refused"), gone])] == [(named(1), None)]


@pytest.mark.parametrize(("images", "index"), [((picture(1, 3),), 3), ((), None)])
def test_a_card_has_the_name_by_which_everything_else_takes_it(images: tuple[Kept, ...], index: int | None) -> None:
    """What ig.rate and --image read is the same call, and the same picture of it."""
    (card,) = cards([call(1, *images)])

    assert split_record(card.name) == (named(1), index)


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (call(1, picture(1)), "a cat"),
        (call(1, picture(1), marks=(rated(1, 3),)), "★★★ a cat"),
        (call(1, picture(1), status="cancelled"), "cancelled · a cat"),
        (call(1, status="refused"), "refused · a cat"),
        (call(1, status="refused", marks=(rated(1, 1),)), "★ refused · a cat"),
        (msgspec.structs.replace(call(1), end=None, is_running=True), "running · a cat"),
        (msgspec.structs.replace(call(1, picture(1), marks=(rated(1, 2),)), end=None), "★★ unknown · a cat"),
        (call(1, status="ok"), "ok · a cat"),
        (call(1, picture(1), prompt=f"  \n{' ' * 40}a\n\x1bcat"), "a cat"),
        (call(1, picture(1), prompt="x" * 28), "x" * 28),
        (call(1, picture(1), prompt="x" * 29), f"{'x' * 27}…"),
        (call(1, status="re\x1b[31m\u202efused\n" * 9), "re[31mfused re[31mfused re[…"),
    ],
)
def test_a_title_says_the_rating_what_went_otherwise_and_how_the_prompt_begins(made: Record, title: str) -> None:
    """In the few letters that stand under a thumbnail."""
    assert cards([made])[0].title == title


@pytest.mark.parametrize("text", ["a\ncat\t in  a\r\nhat", "a \x00cat\x1b in\x85a \u202ehat\u2028\n"])
def test_one_line_of_a_text_hides_and_turns_nothing(text: str) -> None:
    """What is said of a job stands beside words of ours, too."""
    assert one_line(text) == "a cat in a hat"


@pytest.mark.parametrize(
    "prompt", ["x" * 401, "a\ncat\t in  a\r\nhat", "a \x00cat\x1b[2J", "\u202ecat\u2028dog", "x" * 400]
)
def test_an_alternative_text_is_one_line_of_at_most_400_letters(prompt: str) -> None:
    """A screen reader reads all of it."""
    alt = cards([call(1, picture(1), prompt=prompt)])[0].alt

    assert 0 < len(alt) <= 400
    assert alt.isprintable()
    assert alt.endswith("…") is (len(prompt) > 400)


def test_each_picture_has_its_own_stars_tags_and_note() -> None:
    """Else those of its call; and it is found by them alone."""
    words = Tagged(id=named(1), at="t", index=1, word="best"), Noted(id=named(1), at="t", index=1, note="keep")
    marks = (rated(1, 2), rated(1, 5, index=1), *words)
    every = cards([call(1, picture(1), picture(1, 1), tags=("study", "\x00"), note="draft", marks=marks)])
    first, second = every

    assert (first.stars, first.tags) == (2, ("study",))
    assert (second.stars, second.tags) == (5, ("study", "best"))
    assert ("note: draft" in details(first, STORE), "note: keep" in details(second, STORE)) == (True, True)
    assert found(every, Sought(words="best")) == found(every, Sought(words="keep")) == (second,)
    assert found(every, Sought(words="draft")) == (first,)


# --- which are found


MADE: Final = (
    call(1, picture(1, revised_prompt="An otter at DUSK"), prompt="Straße mit Kühen", model="gpt-image-2"),
    call(2, picture(2), picture(2, 1), tags=("study",), note="for the title", marks=(rated(2, 4, index=1),)),
    call(3, status="refused", notebook="b.ipynb", provider="ark"),
    call(4, picture(4), status="cancelled", notebook="a.ipynb", marks=(rated(4, 5), rated(4, 1, index=0))),
)
EVERY: Final = cards(MADE)


def numbers(sought: Sought) -> list[str]:
    """The calls that are found, each with the index of the picture."""
    return [f"{int(card.record.id[-8:], 16)}{card.name[len(card.record.id) :]}" for card in found(EVERY, sought)]


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (Sought(), ["4[0]", "3", "2[0]", "2[1]", "1[0]"]),
        (Sought(words="  \n"), ["4[0]", "3", "2[0]", "2[1]", "1[0]"]),
        (Sought(words="STRASSE"), ["1[0]"]),
        (Sought(words="dusk kühe"), ["1[0]"]),
        (Sought(words="dusk cat"), []),
        (Sought(words="Title"), ["2[0]", "2[1]"]),
        (Sought(words="STUDY"), ["2[0]", "2[1]"]),
        (Sought(words="image-2"), ["1[0]"]),
        (Sought(words="ark"), ["3"]),
        (Sought(words=named(2)), ["2[0]", "2[1]"]),
        (Sought(words=f"{named(2)}[1]"), ["2[1]"]),
        (Sought(words=f"{4:064X}"), ["4[0]"]),
        (Sought(words="refused"), []),
        (Sought(model="gpt-image-2"), ["1[0]"]),
        (Sought(model="gpt-image"), []),
        (Sought(tag="study"), ["2[0]", "2[1]"]),
        (Sought(stars=1), ["4[0]", "2[1]"]),
        (Sought(stars=4), ["2[1]"]),
        (Sought(status="ok"), ["2[0]", "2[1]", "1[0]"]),
        (Sought(status="refused"), ["3"]),
        (Sought(status=PICTURES), ["4[0]", "2[0]", "2[1]", "1[0]"]),
        (Sought(status=PICTURES, words="cat", stars=1, model="m"), ["4[0]", "2[1]"]),
        (Sought(status="cancelled", words="cat", stars=1), ["4[0]"]),
        (Sought(words="a.ipynb"), []),
    ],
)
def test_what_is_found_has_all_that_is_sought(sought: Sought, expected: list[str]) -> None:
    """Words in whatever case and wherever they are kept; the rest exactly."""
    assert numbers(sought) == expected


def test_a_word_is_not_found_across_two_texts() -> None:
    """The end of a prompt and the beginning of a note are no word that anybody wrote."""
    every = cards([call(1, prompt="a cat", note="nap")])

    assert found(every, Sought(words="catnap")) == ()
    assert found(every, Sought(words="nap cat")) == every


def test_what_can_be_chosen_finds_something_and_is_in_the_order_in_which_it_is_looked_for() -> None:
    """The model that was asked last, the statuses as the history lists them, tags from a to z."""
    tags = ("zebra", "Apple", "banana", "Cherry", "\x00", "x" * 200)
    every = cards(
        [call(1, model="old", tags=tags, status="so\x1bso"), *MADE[1:], call(5, model="new", status="failed")]
    )
    there = choices(every)

    assert there.models == ("new", "m", "old")
    assert there.statuses == (PICTURES, "ok", "refused", "failed", "cancelled", "soso")
    assert there.tags == ("Apple", "banana", "Cherry", "study", f"{'x' * 99}…", "zebra")
    narrowed = (
        *(Sought(model=name) for name in there.models),
        *(Sought(status=name) for name in there.statuses),
        *(Sought(tag=name) for name in there.tags),
    )
    assert all(found(every, sought) for sought in narrowed)


def test_a_status_of_another_hand_is_not_taken_for_the_pictures() -> None:
    """Nor is a call without a model a choice; each thing is there once."""
    every = cards([call(1, model=None, status=PICTURES), call(2, picture(2), model="\x1b", status="")])

    assert choices(every) == Choices(models=(), statuses=(PICTURES,), tags=())
    assert found(every, Sought(status=PICTURES)) == every[:1]


def test_before_the_first_call_there_is_one_page_and_one_status() -> None:
    """The panel of a new notebook stands on these."""
    assert choices(()) == Choices(models=(), statuses=(PICTURES,), tags=())
    assert page((), 1, 24) == page((), 7, 24)
    assert (page((), 1, 24).number, page((), 1, 24).count, page((), 1, 24).total) == (1, 1, 0)


@pytest.mark.parametrize(
    ("number", "size", "expected"),
    [
        (1, 2, (1, 3, [0, 1])),
        (3, 2, (3, 3, [4])),
        (4, 2, (3, 3, [4])),
        (-1, 2, (1, 3, [0, 1])),
        (1, 5, (1, 1, [0, 1, 2, 3, 4])),
    ],
)
def test_a_page_beyond_the_ends_is_the_nearest_one(
    number: int, size: int, expected: tuple[int, int, list[int]]
) -> None:
    """When a filter leaves fewer pages than there were, the last one is shown and not an error."""
    there = page(EVERY, number, size)

    assert (there.number, there.count, [EVERY.index(card) for card in there.cards]) == expected
    assert there.total == 5


# --- what is said of one


def test_all_that_is_known_is_said_in_the_order_in_which_it_is_wanted() -> None:
    """From what was asked to where it is kept, and the names stay what they are."""
    made = call(
        1,
        picture(1, revised_prompt="a grey cat"),
        picture(1, 1),
        n=3,
        params=fields('{"model":"m","n":3,"size":"48x64","seed":7,"style":"vivid","image":"sha256:0"}'),
        defaults=("style",),
        inputs=(sent("image", "lake.png"), sent("mask", "sky.png")),
        error="One was not made.",
        hint="Ask again.",
        cost_usd=0.5,
        request_id="req-1",
        tags=("study", "grey"),
        note="for the title",
        notebook="otters.ipynb",
        execution_count=12,
        parent_id=named(0),
        marks=(rated(1, 3),),
    )

    assert details(cards([made])[0], Path.cwd() / "imagegen") == (
        "prompt: a cat",
        "revised prompt: a grey cat",
        "model: m at openai",
        "received: 64×48 png, 1,234 bytes",
        "differs: asked for 48x64, got 64x48",
        "parameters: size 48x64 · seed 7",
        "images: lake.png · sky.png (mask)",
        "n: 3 (2 of 3 pictures came)",
        "status: ok",
        "error: One was not made.",
        "hint: Ask again.",
        "cost: $0.2500 of $0.5000 for the call",
        "time: 2026-11-21 04:15:00 UTC, took 8.6 s",
        "tags: study, grey",
        "note: for the title",
        "rating: 3 of 5",
        f"parent id: {named(0)}",
        "notebook: otters.ipynb, cell [12]",
        "request id: req-1",
        "file: imagegen/images/a-cat-1.png",
        f"sha256: {1:064x}",
        f"id: {named(1)}[0]",
    )


def test_what_is_not_known_has_no_line_but_for_the_cost() -> None:
    """A cost that is not known is not nothing."""
    made = call(1, picture(1, path=""), params=fields("{}"))

    names = ["prompt", "model", "received", "n", "status", "cost", "time", "notebook", "sha256", "id"]
    assert list(told(made)) == names
    assert told(made)["cost"] == "unknown"


@pytest.mark.parametrize(
    ("given", "cost"),
    [
        ({"status": "ok", "cost_usd": 0.04}, "$0.0400"),
        ({"status": "ok", "cost_usd": 0.0}, "none"),
        ({"status": "unknown"}, "unknown"),
        ({"status": "refused"}, "none"),
        ({"status": "failed", "error_code": "no_picture"}, "unknown"),
    ],
)
def test_a_cost_is_what_the_bill_says_of_the_call(given: dict[str, Any], cost: str) -> None:
    """Of a call that certainly made nothing it is none, as in ig.spent()."""
    assert told(call(1, **given))["cost"] == cost


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "m at openai"),
        ({"model": None}, "openai"),
        ({"model": "sketch", "provider": "sketch"}, "sketch"),
        ({"provider": "custom"}, "m at custom (https://api.openai.com/v1)"),
        ({"provider": "custom", "model": None}, "custom (https://api.openai.com/v1)"),
    ],
)
def test_a_typed_address_is_said_and_a_known_one_is_not(given: dict[str, Any], said: str) -> None:
    """A provider's name says where it was asked; custom does not."""
    assert told(call(1, **given))["model"] == said


def test_a_call_that_is_under_way_has_neither_an_end_nor_too_few_pictures() -> None:
    """And a time of another hand's form stays as it is."""
    said = told(msgspec.structs.replace(call(1, n=4, at="yesterday"), end=None, is_running=True))

    assert (said["status"], said["n"], said["time"], said["cost"]) == ("running", "4", "yesterday", "unknown")
    assert "error" not in said


def test_a_prompt_is_whole_and_no_other_line_is_long() -> None:
    """A server may send any amount of text; what a person wrote is wanted as it is."""
    much = "x" * 40_000
    given: dict[str, Any] = {
        "error": much,
        "hint": much,
        "request_id": much,
        "note": much,
        "tags": (much,),
        "base_url": much,
    }
    lines = details(
        cards([call(1, picture(1, revised_prompt=much), prompt=much, provider="custom", **given)])[0], STORE
    )

    assert lines[0] == f"prompt: {'x' * 31_999}…"
    assert max(map(len, lines[1:])) == 2_000
    assert f"prompt: {'y' * 32_000}" in details(cards([call(1, prompt="y" * 32_000)])[0], STORE)


def test_a_long_parameter_does_not_hide_the_others() -> None:
    """Each is cut by itself."""
    params = fields(msgspec.json.encode({"negative_prompt": "x" * 5_000, "seed": 7, "extra": {"a": [1, "é"]}}).decode())
    parameters = told(call(1, params=params))["parameters"]

    assert parameters.startswith("negative_prompt xxx")
    assert parameters.endswith('… · seed 7 · extra {"a": [1, "é"]}')


def test_nothing_that_somebody_wrote_looks_like_a_line_of_ours() -> None:
    """A line break in a prompt is a sign, and in everything else a blank."""
    forged = "a cat\nstatus: ok\r\ncost: none\x85id: x\u2029rating: 5 of 5"
    made = call(1, picture(1, revised_prompt=forged), status="refused", prompt=f"  a\tb\n{forged}", note=forged)
    lines = details(cards([made])[0], STORE)

    assert lines[0] == "prompt:   a b ↵ a cat ↵ status: ok ↵ cost: none ↵ id: x ↵ rating: 5 of 5"
    assert not any(break_ in line for line in lines for break_ in "\r\n\x85\u2029")
    assert [line for line in lines if line.startswith(("status", "rating", "id"))] == [
        "status: refused",
        f"id: {named(1)}[0]",
    ]


@pytest.mark.parametrize("text", EVIL)
def test_nothing_that_somebody_wrote_controls_a_terminal_or_turns_the_text_beside_it(text: str) -> None:
    """Escape sequences are gone, and so is what makes the name of a file read backwards."""
    given: dict[str, Any] = {
        "prompt": text,
        "model": text,
        "provider": text,
        "note": text,
        "tags": (text,),
        "error": text,
        "hint": text,
    }
    (card,) = cards([call(1, picture(1, revised_prompt=text, format=text), notebook=text, request_id=text, **given)])

    shown = (*details(card, STORE), card.title, card.alt, card.model, *card.tags, *choices((card,)).models)
    assert all(is_plain(line) for line in shown)


def is_plain(text: str) -> bool:
    """Whether it is one line without control characters, and can be sent to a browser."""
    bad = {unicodedata.category(letter) for letter in text} & {"Cc", "Cs", "Zl", "Zp"}
    return not bad and not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_a_store_whose_name_is_no_text_can_be_shown() -> None:
    """Linux takes any bytes for a name; half a character would be refused on its way to the browser."""
    assert told(call(1, picture(1)), Path.cwd() / "\udcff")["file"] == "?/images/a-cat-1.png"


def test_parameters_are_shown_however_deep_they_are_nested() -> None:
    """Up to where they cannot be read from the journal, and beyond."""
    limit = sys.getrecursionlimit()
    for depth in range(limit // 2, limit):
        nested = fields(f'{{"extra":{"[" * depth}{"]" * depth}}}')
        assert told(call(1, params=nested))["status"] == "ok"


class Deep(Record, frozen=True, gc=False):
    """A record whose parameters could be read, and are too deep to be written: how deep that is, differs by Python."""

    @property
    def chosen(self) -> dict[str, Any]:
        """Lists in lists."""
        nested: list[Any] = []
        for _ in range(200_000):
            nested = [nested]
        return {"seed": 7, "extra": nested}


def test_a_parameter_that_is_too_deep_to_be_written_does_not_hide_the_others() -> None:
    """It is there, and what is in it is left out."""
    made = call(1)
    deep = Deep(call=made.call, images=(), end=made.end, version=None, session="s-1", is_running=False)

    assert told(deep)["parameters"] == "seed 7 · extra …"


# --- for whatever a journal can hold


IDS: Final = st.sampled_from([named(number) for number in range(6)])
TEXTS: Final = st.one_of(st.text(max_size=30), st.sampled_from(["cat", "a CAT", "Straße", "\x1b[31m\n\r\u202e"]))
WORDS: Final = st.sampled_from(["m", "gpt-image-2", "study", "ok", "", "\x00"])
COUNTS: Final = st.one_of(st.integers(0, 4), st.integers(0, 2**53))
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
FIELDS: Final = st.one_of(
    JSON, st.fixed_dictionaries({"size": JSON, "output_format": JSON, "sequential_image_generation": JSON})
).map(lambda value: msgspec.Raw(msgspec.json.encode(value)))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or none."""
    return st.none() | values


INPUTS: Final = st.builds(
    Input, role=TEXTS, path=st.just("inputs/a.png"), sha256=TEXTS, bytes=COUNTS, format=TEXTS, name=TEXTS
)
CALLS: Final = st.builds(
    Called,
    id=IDS,
    at=TEXTS | st.just("2026-11-21T04:15:00.123456Z"),
    n=COUNTS,
    params=FIELDS,
    provider=TEXTS | st.just("custom"),
    base_url=TEXTS,
    request_hash=TEXTS,
    prompt=TEXTS,
    model=maybe(TEXTS | WORDS),
    notebook=maybe(WORDS),
    execution_count=maybe(COUNTS),
    parent_id=maybe(TEXTS),
    asked=FIELDS,
    defaults=st.lists(WORDS, max_size=2).map(tuple),
    inputs=st.lists(INPUTS, max_size=2).map(tuple),
    tags=st.lists(WORDS | TEXTS, max_size=2).map(tuple),
    note=maybe(TEXTS),
)
PICTURE: Final = st.builds(
    Kept,
    id=IDS,
    index=COUNTS,
    path=st.sampled_from(["", "images/a.png", "images/\x1b[31m.png", "images/\u202egnp.exe"]),
    sha256=TEXTS,
    bytes=COUNTS,
    format=TEXTS,
    width=maybe(COUNTS),
    height=maybe(COUNTS),
    revised_prompt=maybe(TEXTS),
)
AMOUNTS: Final = st.floats(allow_nan=False, allow_infinity=False)
ENDS: Final = st.builds(
    Ended,
    id=IDS,
    at=TEXTS,
    status=st.sampled_from(["ok", "refused", "failed", "cancelled", "unknown", PICTURES]) | TEXTS,
    latency_s=AMOUNTS,
    attempts=COUNTS,
    error_code=maybe(TEXTS),
    error=maybe(TEXTS),
    hint=maybe(TEXTS),
    request_id=maybe(TEXTS),
    usage=FIELDS,
    cost_usd=maybe(AMOUNTS),
)
ABOUT: Final = {"id": IDS, "at": TEXTS, "index": maybe(st.integers(0, 4))}
MARKS: Final = st.one_of(
    st.builds(Rated, **ABOUT, rating=maybe(st.integers(1, 5))),
    st.builds(Tagged, **ABOUT, word=WORDS),
    st.builds(Untagged, **ABOUT, word=WORDS),
    st.builds(Noted, **ABOUT, note=maybe(TEXTS)),
)
LINES: Final = st.lists(st.one_of(CALLS, CALLS, PICTURE, PICTURE, ENDS, MARKS), max_size=20)
SOUGHT: Final = st.builds(
    Sought,
    words=st.sampled_from(["", "a", "CAT", "strasse cat", "m study"]) | st.text(max_size=2),
    model=WORDS,
    status=st.sampled_from(["", "ok", "refused", PICTURES]),
    tag=WORDS,
    stars=st.integers(0, 5),
)


def shown(lines: list[AnyLine]) -> tuple[Card, ...]:
    """The cards of a journal with these lines."""
    return cards(fold([lines], lambda _: False))


@held
@given(LINES)
def test_whatever_a_journal_holds_can_be_told(lines: list[AnyLine]) -> None:
    """Read back from disk: nothing is raised, and no text controls what shows it."""
    with TemporaryDirectory() as folder:
        store = Path(folder)
        (store / "journal").mkdir()
        (store / "journal" / "1.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
        every = cards(read(store))

    assert len(every) == len(shown(lines))
    for card in every:
        said = details(card, store)
        assert all(is_plain(line) for line in (*said, card.title, card.alt, card.model, card.status, *card.tags))
        assert max(map(len, said[1:])) <= 2_000
        assert len(card.title) <= 28
        assert len(card.alt) <= 400
    assert choices(every).statuses[0] == PICTURES


@held
@given(LINES, SOUGHT, st.integers(1, 7))
def test_every_page_together_is_every_card_that_is_found(lines: list[AnyLine], sought: Sought, size: int) -> None:
    """Once, and in order; each page but the last is full."""
    every = found(shown(lines), sought)
    pages = [page(every, number + 1, size) for number in range(page(every, 1, size).count)]

    assert tuple(card for each in pages for card in each.cards) == every
    assert all(len(each.cards) == size for each in pages[:-1])
    assert {each.total for each in pages} == {len(every)}
    assert [each.number for each in pages] == list(range(1, len(pages) + 1))


@held
@given(LINES, SOUGHT)
def test_what_is_found_is_some_of_what_is_there_in_its_order(lines: list[AnyLine], sought: Sought) -> None:
    """And looking again among it finds all of it."""
    every = shown(lines)
    some = found(every, sought)

    assert is_part(some, every)
    assert found(some, sought) == some
    assert found(every, Sought()) == every


@held
@given(LINES, SOUGHT, SOUGHT)
def test_to_narrow_more_never_shows_more(lines: list[AnyLine], sought: Sought, more: Sought) -> None:
    """One more word, filter or star takes cards away, or leaves them."""
    every = shown(lines)
    narrower = replace(
        sought,
        words=f"{sought.words} {more.words}",
        model=sought.model or more.model,
        status=sought.status or more.status,
        tag=sought.tag or more.tag,
        stars=max(sought.stars, more.stars),
    )

    assert is_part(found(every, narrower), found(every, sought))


def is_part(some: tuple[Card, ...], every: tuple[Card, ...]) -> bool:
    """Whether all of some are among every one, in their order."""
    rest: Iterator[Card] = iter(every)
    return all(any(card is other for other in rest) for card in some)


# --- of a long history


def test_to_look_for_something_decodes_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person types in the search box: that goes through every card at each letter."""
    decoded: list[msgspec.Raw] = []
    decode = msgspec.json.decode

    def counted(raw: msgspec.Raw) -> object:
        decoded.append(raw)
        return decode(raw)

    monkeypatch.setattr(msgspec.json, "decode", counted)

    there = cards(MADE)
    found(there, Sought(words="cat", model="m", status=PICTURES, tag="study", stars=1))
    choices(there)
    assert decoded == []
    details(there[0], STORE)
    assert decoded != []
