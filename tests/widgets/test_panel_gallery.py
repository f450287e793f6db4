"""The gallery of the panel: what it finds, what it shows of it, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from support.gateway import Gateway, Said
from support.made import kept
from support.pictures import answer, picture
from widgets.hands import Hands, colour, shown

import jupyter_imagegen as ig
from jupyter_imagegen import preview
from jupyter_imagegen.journal import Called, Ended, Opened
from jupyter_imagegen.settings import ImageGen, photograph
from jupyter_imagegen.widgets import shelf

STORE: Final = Path("imagegen")
PAGE: Final = 12

pytestmark = pytest.mark.usefixtures("another_picture_each_time")


def titles(hands: Hands) -> list[str]:
    """The tooltips of the tiles: the prompts of what is shown."""
    return [button.tooltip.removeprefix("Open: ") for _, button in hands.tiles]


def written(calls: int, pictures: int) -> None:
    """A store of so many calls, the pictures of which are files of which there are fewer."""
    made = [kept(STORE, colour(number)) for number in range(pictures)]
    lines: list[Any] = [
        Opened(journal=1, at="2026-11-21T04:00:00Z", version="0", python="3", host="h", pid=1, process_started=None)
    ]
    for number in range(calls):
        name = f"20261121T000000{number:06}Z-{number:08x}"
        at = "2026-11-21T04:15:00.123456Z"
        whole: dict[str, Any] = {"id": name, "at": at, "n": 1, "params": msgspec.Raw(b'{"model":"m"}'), "model": "m"}
        asked: dict[str, Any] = {"provider": "openai", "base_url": "https://api.openai.com/v1", "request_hash": "r1:0"}
        lines.append(Called(**whole, **asked, prompt=f"otter {number}"))
        image = made[number % pictures]
        lines.append(msgspec.structs.replace(image, id=name))
        lines.append(Ended(id=name, at=at, status="ok", latency_s=1.0, attempts=1))
    (STORE / "journal").mkdir(parents=True, exist_ok=True)
    data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    (STORE / "journal" / "20261121T000000000000Z-00000000.jsonl").write_bytes(data)


# --- what is shown


def test_pictures_are_shown_the_newest_first(three: Hands) -> None:
    """The pictures of one call in their own order; what has none is not among them."""
    assert titles(three) == ["two seals", "two seals", "an otter"]
    assert three.found == "3 found · page 1 of 1"
    assert [button.description for _, button in three.tiles] == ["two seals", "two seals", "an otter"]


def test_each_tile_has_its_thumbnail(three: Hands) -> None:
    """Small, of that picture."""
    for (place, _), card in zip(three.tiles, three.panel._shelf.newest[1:], strict=True):
        assert card.kept is not None
        found = preview.preview(photograph().store / card.kept.path, 160, 6000)
        assert found is not None
        assert shown(place.value) == found.data


def test_a_new_picture_comes_first_by_itself(three: Hands, served: Gateway) -> None:
    """When its job has ended."""
    served.rule = lambda _: Said(answer(colour(99)))
    three.generate("a walrus").ends()
    three.settle()

    assert titles(three)[0] == "a walrus"
    assert three.tiles[0][0].value


def test_the_gallery_is_there_when_the_panel_is_shown(served: Gateway) -> None:
    """Without a press of anything."""
    ig.generate("an otter")
    hands = Hands(ig.panel())
    hands.shown._ipython_display_()
    hands.settle()

    assert titles(hands) == ["an otter"]
    assert len(served.posts) == 1


def test_pages_are_turned(open_panel: Callable[[], Hands]) -> None:
    """Twelve on each; at the ends there is nothing to turn to."""
    written(30, 30)
    hands = open_panel()
    hands.refresh()
    assert (len(hands.tiles), hands.found) == (PAGE, "30 found · page 1 of 3")
    assert (hands.field("‹ Newer").disabled, hands.field("Older ›").disabled) == (True, False)
    for _ in range(2):
        hands.press("Older ›")
    assert titles(hands) == [f"otter {number}" for number in range(5, -1, -1)]
    assert all(place.value for place, _ in hands.tiles)
    assert (hands.field("‹ Newer").disabled, hands.field("Older ›").disabled) == (False, True)
    hands.press("‹ Newer")

    assert hands.found == "30 found · page 2 of 3"
    assert titles(hands)[0] == "otter 17"


def test_words_are_sought(three: Hands) -> None:
    """In the prompt, the tags, the id; what is sought is found on the first page."""
    three.choose("Search", "SEALS two")
    assert titles(three) == ["two seals"] * 2
    three.choose("Search", "study")
    assert titles(three) == ["an otter"]
    three.choose("Search", "walrus")
    assert (titles(three), three.found) == ([], "0 found · page 1 of 1")
    three.choose("Search", "")

    assert len(three.tiles) == 3


def test_the_gallery_is_narrowed_by_what_there_is(three: Hands) -> None:
    """Model, tag and outcome; a call without a picture has a tile among all calls."""
    three.choose("Model", "other")
    assert titles(three) == ["two seals"] * 2
    three.choose("Model", "")
    three.choose("Tag", "study")
    assert titles(three) == ["an otter"]
    three.choose("Tag", "")
    three.choose("Status", "")
    assert titles(three) == ["a refused one", "two seals", "two seals", "an otter"]
    assert (three.tiles[0][0].value, three.tiles[0][1].description) == ("", "refused · a refused one")
    three.choose("Status", "refused")

    assert titles(three) == ["a refused one"]


def test_stars_are_sought(three: Hands) -> None:
    """At least so many; the tile has them too."""
    ig.rate(three.panel._shelf.newest[1].name, 4)
    three.refresh()
    three.choose("Stars", 3)
    assert [button.description for _, button in three.tiles] == ["★★★★ two seals"]
    three.choose("Stars", 5)

    assert three.tiles == []


def test_what_is_chosen_stays_chosen_when_more_is_made(three: Hands, served: Gateway) -> None:
    """A job that ends is no reason to lose one's place."""
    three.choose("Model", "other")
    served.rule = lambda _: Said(answer(colour(99)))
    three.generate("a walrus", model="third").ends()
    three.settle()

    assert titles(three) == ["two seals"] * 2
    shelf_model = next(each for each in three.widgets if getattr(each, "value", None) == "other")
    assert "third" in [value for _, value in shelf_model.options]


def test_a_large_store_decodes_no_more_than_its_first_page(
    open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 5,000 calls, twelve pictures; they are not decoded again for a page that was seen."""
    written(5000, 40)
    seen: list[Path] = []

    def counted(path: Path, *given: int) -> preview.Preview | None:
        seen.append(path)
        return preview.preview(path, *given)

    monkeypatch.setattr(shelf, "preview", counted)
    hands = open_panel()
    hands.refresh()
    assert hands.found == "5000 found · page 1 of 417"
    assert len(hands.tiles) == len(seen) == PAGE
    hands.refresh()
    hands.press("Older ›")
    hands.press("‹ Newer")

    assert len(seen) == 2 * PAGE


@pytest.mark.parametrize("harm", ["altered", "gone", "link"])
def test_what_is_not_the_picture_that_came_is_shown_nowhere(
    three: Hands, tmp_path: Path, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store may be somebody else's, and a file in it a link to a picture of this person."""
    private = tmp_path / "private.png"
    private.write_bytes(picture("black"))
    card = three.panel._shelf.newest[1]
    assert card.kept is not None
    path = photograph().store / card.kept.path
    path.unlink()
    if harm == "altered":
        path.write_bytes(picture("black"))
    elif harm == "link":
        path.symlink_to(private)
    hands = Hands(ig.panel())
    hands.shown._ipython_display_()
    hands.settle()
    hands.open(0)

    assert [bool(place.value) for place, _ in hands.tiles] == [False, True, True]
    assert hands.large == ""
    assert card.name not in [f"{each.record.id}[{each.index}]" for each in hands.panel._last()]
    assert path.name not in capsys.readouterr().out


def test_other_notebooks_are_not_in_this_gallery(served: Gateway, open_panel: Callable[[], Hands]) -> None:
    """Where a notebook knows its name, as in its history."""
    ImageGen.instance().notebook = "other.ipynb"
    ig.generate("an otter")
    ImageGen.instance().notebook = "this.ipynb"
    ig.generate("a seal")
    hands = open_panel()
    hands.refresh()

    assert titles(hands) == ["a seal"]
    assert len(served.posts) == 2


def test_a_store_that_cannot_be_read_is_said(three: Hands) -> None:
    """The panel goes on: the store may come back."""
    Path("other").mkdir()
    Path("other", "journal").write_text("no folder")
    ImageGen.instance().store = "other"
    three.refresh()
    told = three.message
    ImageGen.instance().store = ""
    three.refresh()

    assert told.startswith("StoreError: ")
    assert len(three.tiles) == 3


def test_a_picture_of_another_kernel_comes_when_it_is_asked_for(three: Hands) -> None:
    """Refresh reads the store again."""
    written(1, 1)
    three.press("Refresh")

    assert "otter 0" in titles(three)
