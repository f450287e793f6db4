"""The contact sheet: one file that needs nothing else, in which every text stays a text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.pictures import picture
from support.properties import held
from support.studies import EVIL, call, forgotten, study

from jupyter_imagegen import __version__
from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.exports import sheet
from jupyter_imagegen.journal import Kept, Noted, Rated, Tagged
from jupyter_imagegen.records import Record

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'></svg>"
AT = "2026-11-21T05:00:00Z"


@dataclass
class Card:
    """One item of the list: its elements, its facts, its pictures, all its text."""

    tags: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    images: list[dict[str, str | None]] = field(default_factory=list)
    text: str = ""


class Page(HTMLParser):
    """A page as a parser takes it: `shape` has every element with the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self.cards: list[Card] = []
        self.texts: dict[str, str] = {}
        self.metas: list[dict[str, str | None]] = []
        self.odd: list[str] = []
        self._open: list[str] = []
        self._name = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        if tag == "li":
            self.cards.append(Card())
        if tag == "meta":
            self.metas.append(dict(attrs))
        if self.cards:
            self.cards[-1].tags.append(tag)
            if tag == "img":
                self.cards[-1].images.append(dict(attrs))
        if tag not in ("meta", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Each closes the one that is open."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text where it stands."""
        inner = next((tag for tag in reversed(self._open) if tag not in ("code", "span")), "")
        self.texts[inner] = self.texts.get(inner, "") + data
        if inner == "dt":
            self._name = data
        if inner == "dd":
            self.cards[-1].facts[self._name] = self.cards[-1].facts.get(self._name, "") + data
        if self.cards:
            self.cards[-1].text += data

    def handle_comment(self, data: str) -> None:
        """There are none."""
        self.odd.append(data)

    handle_pi = handle_comment
    unknown_decl = handle_comment


def page_of(store: Path, *records: Record, **given: Any) -> Page:
    """The sheet of these records."""
    return Page(sheet.html(study(store, *records, **given)))


def test_a_page_needs_nothing_beside_itself(tmp_path: Path) -> None:
    """No script, link or frame; every picture is in it; and its own policy forbids all else."""
    page = page_of(tmp_path, call(1, tmp_path, picture()), call(2, tmp_path, status="failed"))
    policy = next(meta["content"] or "" for meta in page.metas if meta.get("http-equiv") == "Content-Security-Policy")
    style = base64.b64encode(hashlib.sha256(page.texts["style"].encode()).digest()).decode()

    assert "default-src 'none'" in policy
    assert re.findall(r"(\w+-src) ([^;]+)", policy) == [
        ("default-src", "'none'"),
        ("img-src", "data:"),
        ("style-src", f"'sha256-{style}'"),
    ]
    assert not {tag for tag, _ in page.shape} & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert not {name for _, names in page.shape for name in names} & {"style", "href", "srcset", "action"}
    assert "url(" not in page.texts["style"]
    assert [(image["src"] or "")[:23] for card in page.cards for image in card.images] == ["data:image/jpeg;base64,"]


def test_each_picture_is_a_figure_with_what_is_known_of_it(tmp_path: Path) -> None:
    """Prompt, model, provider, size, date, status, cost, digest, tags, rating, note and what differs."""
    made = call(
        7, tmp_path, picture("red"), picture("blue"), n=2, prompt="a lake\nat dawn", model="gpt-image-2", cost_usd=0.5,
        fields={"size": "1024x1024", "seed": 3}, tags=("study",), picture={"revised_prompt": "a calm lake"},
    )  # fmt: skip
    marks = (
        Tagged(id=made.id, at=AT, index=1, word="best"),
        Rated(id=made.id, at=AT, index=1, rating=4),
        Noted(id=made.id, at=AT, index=1, note="page 3"),
    )
    first, second = page_of(tmp_path, msgspec.structs.replace(made, marks=marks)).cards

    assert [image["alt"] for image in first.images] == ["a lake at dawn"]
    assert "a lake\nat dawn" in first.text
    assert first.facts == {
        "model": "gpt-image-2",
        "provider": "openai",
        "asked at": "2026-11-21 04:15:07 UTC",
        "status": "ok",
        "cost": "$0.2500",
        "parameters": "size 1024x1024, seed 3",
        "picture": "64 × 48 png, 1 kB",
        "differs": "asked for 1024x1024, got 64x48",
        "rewritten as": "a calm lake",
        "tags": "study",
        "sha256": made.images[0].sha256,
        "call": f"{made.id}[0]",
    }
    assert second.facts.items() >= {"tags": "study, best", "rating": "4 of 5", "note": "page 3"}.items()


@pytest.mark.parametrize("status", ["refused", "failed", "cancelled", "unknown"])
def test_a_call_without_a_picture_is_a_card(tmp_path: Path, status: str) -> None:
    """What gave nothing is part of what was done: its prompt, how it ended and why."""
    (card,) = page_of(tmp_path, call(1, tmp_path, status=status, error="No.", prompt="an otter")).cards

    assert (card.facts["status"], card.facts["error"]) == (status, "No.")
    assert "an otter" in card.text
    assert card.images == []
    assert "figure" not in card.tags


@pytest.mark.parametrize(
    ("records", "head"),
    [
        ((), "0 pictures · 0 calls · known cost $0.0000 for 0 calls"),
        (((1, "ok", 0.5),), "1 picture · 1 call · 1 ok · known cost $0.5000 for 1 call"),
        (
            ((2, "ok", 1.0), (0, "refused", None), (0, "unknown", None)),
            (
                "2 pictures · 3 calls · 1 ok · 1 refused · 1 unknown · known cost $1.00 for 1 call; "
                "what 1 call cost is not known, 1 of them may have been charged"
            ),
        ),
    ],
)
def test_the_head_counts(tmp_path: Path, records: tuple[tuple[int, str, float | None], ...], head: str) -> None:
    """Pictures, calls and outcomes, in the singular where there is one."""
    made = [
        call(place, tmp_path, *(picture(),) * number, status=status, cost_usd=usd)
        for place, (number, status, usd) in enumerate(records)
    ]
    page = Page(sheet.html(study(tmp_path, *made, title="otters & co", license="CC-BY-4.0")))

    assert page.texts["h1"] == page.texts["title"] == "otters & co"
    assert head in page.texts["p"]
    assert f"Made 2026-11-22 09:30 UTC by jupyter-imagegen {__version__}." in page.texts["p"]
    assert "License: CC-BY-4.0" in page.texts["p"]


def test_a_forgotten_call_has_no_words_and_no_picture(tmp_path: Path) -> None:
    """It is a card that says what it is, with what stays of it; also where words were left in its record."""
    made = call(1, tmp_path, picture(), prompt="a secret", fields={"seed": 3}, tags=("hush",), note="shh", cost_usd=0.5)
    for record in (forgotten(made), msgspec.structs.replace(made, is_forgotten=True)):
        (card,) = page_of(tmp_path, record).cards

        assert "This call was forgotten" in card.text
        assert card.facts == {
            "model": "m",
            "provider": "openai",
            "asked at": "2026-11-21 04:15:01 UTC",
            "status": "ok",
            "cost": "$0.5000",
            "sha256": made.images[0].sha256,
            "call": made.id,
        }
        assert card.images == []


def test_a_picture_that_cannot_be_shown_says_why(tmp_path: Path) -> None:
    """Its file is gone, was altered, is elsewhere, or is of a format that is not decoded here."""
    gone, altered, drawn = (
        call(place, tmp_path, data) for place, data in enumerate((picture("red"), picture("blue"), SVG))
    )
    (tmp_path / gone.images[0].path).unlink()
    (tmp_path / altered.images[0].path).write_bytes(picture("green"))
    page = page_of(tmp_path, gone, altered, drawn)

    assert [card.images for card in page.cards] == [[], [], []]
    for card, reason in zip(page.cards, ("is not there", "was altered", "svg is not decoded"), strict=True):
        assert reason in card.text
    assert page.texts["p"].startswith("3 pictures · 1 altered · 1 gone · 3 calls")


@pytest.mark.parametrize("path", ["../other.png", "images/../../other.png", "{absolute}", "..\\other.png", "link.png"])
def test_no_file_outside_the_store_is_shown(tmp_path: Path, path: str) -> None:
    """A journal from another hand may name any file of this machine, by its path or through a link."""
    store, other = tmp_path / "imagegen", tmp_path / "other.png"
    other.write_bytes(picture())
    store.mkdir()
    if path == "link.png":
        (store / path).symlink_to(other)
    found = Kept(
        id="x", index=0, path=path.format(absolute=other), sha256=hashlib.sha256(picture()).hexdigest(), bytes=1,
        format="png",
    )  # fmt: skip
    (card,) = page_of(store, msgspec.structs.replace(call(1, store), images=(found,))).cards

    assert card.images == []
    assert "is not in the store" in card.text


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_markup(tmp_path: Path, evil: str) -> None:
    """Whoever wrote it and wherever it stands, the page has the elements and attributes of its template alone."""

    def pages(text: str) -> Page:
        words: dict[str, Any] = {
            "prompt": text,
            "model": text,
            "provider": text,
            "tags": (text,),
            "note": text,
            "notebook": text,
        }
        fields = {"size": text, text: text, "extra": {text: [text]}}
        shown = call(1, tmp_path, picture(), fields=fields, picture={"revised_prompt": text}, **words)
        marks = (Noted(id=shown.id, at=AT, note=text), Tagged(id=shown.id, at=AT, index=0, word=text))
        failed = call(2, tmp_path, status=text, error=text, error_code=text, fields=fields, **words)
        lost = msgspec.structs.replace(shown.images[0], path=text, format=text, sha256=text)
        typed = call(4, tmp_path, base_url=f"https://a/{text}", provider="custom", parent_id=text, at=text)
        records = (
            msgspec.structs.replace(shown, marks=marks),
            msgspec.structs.replace(shown, images=(lost,)),
            failed,
            typed,
        )
        return page_of(tmp_path, *records, title=text, license=text)

    harmless, found = pages("harmless"), pages(evil)

    assert found.shape == harmless.shape
    assert found.odd == []
    assert [image["alt"] for image in found.cards[0].images] == [
        " ".join(re.sub("[\0\x1b\x7f\x85]", "\ufffd", evil).split())
    ]


@held
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_prompt_is_read_back(tmp_path: Path, text: str) -> None:
    """What a parser reads is what was asked; characters that no page can hold are replaced."""
    (card,) = page_of(tmp_path, call(1, tmp_path, status="failed", prompt=text)).cards
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]", "\ufffd", text)

    assert card.tags[:3] == ["li", "article", "p"]
    assert card.text.startswith(shown)


def test_a_long_prompt_is_folded_and_whole(tmp_path: Path) -> None:
    """Its beginning is shown, and all of it can be unfolded without a script."""
    prompt = "a very long way " * 100
    (card,) = page_of(tmp_path, call(1, tmp_path, picture(), prompt=prompt)).cards

    assert {"details", "summary"} <= set(card.tags)
    assert prompt in card.text
    assert len(card.images[0]["alt"] or "") == 400


def test_a_page_says_nothing_of_this_machine(tmp_path: Path) -> None:
    """No folder, no name of a person, no password of an address; the address that was typed stays."""
    error = f"Cannot write {tmp_path}/imagegen/images/x.png: see /home/alice/notes and C:\\Users\\bob\\x."
    store = tmp_path / "imagegen"
    page = sheet.html(
        study(
            store,
            call(1, store, status="failed", error=error),
            call(2, store, picture(), provider="custom", base_url="https://me:pw@gpu7.example:8080/v1?key=1#x"),
        )
    )

    for word in (str(tmp_path), "alice", "bob", "me:pw", "key=1"):
        assert word not in page
    assert "Cannot write imagegen/images/x.png: see … and …." in Page(page).cards[0].text
    assert "https://gpu7.example:8080/v1" in page


def test_a_small_copy_is_small_whatever_is_in_the_picture(tmp_path: Path) -> None:
    """Noise is what weighs most: 500 such pictures are a page of 14 MB."""
    buffer = BytesIO()
    Image.effect_noise((1536, 1024), 100).convert("RGB").save(buffer, "JPEG")
    page = sheet.html(study(tmp_path, call(1, tmp_path, buffer.getvalue())))

    assert len(page) - len(sheet.html(study(tmp_path))) < 28_000


def test_the_same_study_gives_the_same_page(tmp_path: Path) -> None:
    """Byte for byte, so that it can be put under version control."""
    whole = study(tmp_path, call(1, tmp_path, picture()), call(2, tmp_path, status="failed"))
    first = sheet.write(whole, tmp_path / "a.html").read_bytes()

    assert sheet.write(whole, tmp_path / "new" / "b.html").read_bytes() == first
    assert first.decode() == sheet.html(whole)


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """An old page stays as it is, and nothing is left beside it."""
    (tmp_path / "sheet.html").mkdir()
    (tmp_path / "sheet.html" / "mine").touch()

    with pytest.raises(StoreError, match="Cannot write") as caught:
        sheet.write(study(tmp_path), tmp_path / "sheet.html")

    assert caught.value.hint == "Nothing was exported. Give another path."
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]


def test_who_asked_is_on_no_page(tmp_path: Path) -> None:
    """The fields that name a person are not among the parameters."""
    fields = {"user": "alice", "safety_identifier": "alice", "seed": 3}
    page = sheet.html(study(tmp_path, call(1, tmp_path, picture(), fields=fields)))

    assert "alice" not in page
    assert Page(page).cards[0].facts["parameters"] == "seed 3"


def test_a_page_says_how_many_of_the_pictures_it_shows(tmp_path: Path) -> None:
    """The calls are counted as they were, the cost of a picture is its share, and the others have no card."""
    three = call(1, tmp_path, *map(picture, ("red", "blue", "teal")), cost_usd=0.3)
    page = page_of(tmp_path, three, picked=frozenset({(three.id, 0), (three.id, 2)}))

    assert page.texts["p"].strip().startswith("3 pictures · 2 of these pictures are shown here · 1 call · 1 ok")
    assert [card.facts["call"] for card in page.cards] == [f"{three.id}[0]", f"{three.id}[2]"]
    assert {card.facts["cost"] for card in page.cards} == {"$0.1000"}
    assert all("got" not in card.facts.get("differs", "").replace("got 64x48", "") for card in page.cards)
