"""One picture of the gallery, large: what is said of it, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from support.gateway import Gateway, Said
from support.pictures import answer
from widgets.hands import PATH, Hands, colour, shown

import jupyter_imagegen as ig
from jupyter_imagegen import errors, preview
from jupyter_imagegen.again import asked_by
from jupyter_imagegen.celltext import as_cell
from jupyter_imagegen.settings import photograph

STORE: Final = Path("imagegen")
HELD: Final = "Now open the other (or press again)"

pytestmark = pytest.mark.usefixtures("another_picture_each_time")


def test_an_opened_picture_is_large_with_all_that_is_known(three: Hands) -> None:
    """It was not shown before, and is not after it is closed."""
    view = three.part("jig-view")
    assert not three.sees(view)
    said = three.open(2)
    card = three.panel._shelf.newest[3]
    assert card.kept is not None
    found = preview.preview(photograph().store / card.kept.path, 1024, 200_000)
    assert found is not None
    assert three.sees(view)
    assert shown(three.large) == found.data
    assert said[0] == "prompt: an otter"
    assert f"id: {card.name}" in said
    assert "parameters: seed 7" in said
    three.press("Close", "jig-view")

    assert not three.sees(view)


def test_the_settings_of_a_picture_are_used(three: Hands, served: Gateway) -> None:
    """The form has them, and sends the same."""
    three.open(2)
    three.press("Use these settings")
    assert (three.field("Prompt").value, three.field("Seed").value) == ("an otter", "7")
    assert three.message == f"The form has the settings of {three.panel._shelf.newest[3].record.id}."
    three.send()
    three.rows[0].ends()

    assert served.posts[-1].json == served.posts[0].json


def test_the_cell_of_a_picture_is_the_cell_of_its_call(three: Hands) -> None:
    """The one that repeats it."""
    three.open(2)
    three.press("As cell", "jig-view")

    assert three.cell_of_opened == as_cell(asked_by(three.panel._shelf.newest[3].record, photograph()))
    assert three.cell_of_opened.endswith(" -m m --seed 7 --tag study\nan otter")


def test_a_picture_is_taken_to_be_edited(three: Hands, served: Gateway) -> None:
    """By the name of its record, with its exact bytes."""
    three.open(1)
    three.press("Edit this picture")
    name = three.panel._shelf.newest[2].name
    assert three.references == [name]
    served.rule = lambda _: Said(answer(colour(50)))
    three.generate("with a hat", model="gpt-image-1").ends()

    assert served.posts[-1].path == "/v1/images/edits"
    assert colour(12) in served.posts[-1].body


def test_a_call_without_a_picture_cannot_be_edited(three: Hands) -> None:
    """It is said."""
    three.choose("Status", "refused")
    three.open(0)
    three.press("Edit this picture")

    assert three.is_error
    assert three.references == []


def test_what_is_said_of_a_picture_is_written(three: Hands) -> None:
    """Stars, tags and a note, of that picture alone, and they are taken back too."""
    three.open(1)
    three.field("Stars", "jig-view").value = 5
    three.field("Tags of this picture").value = "figure 1, best"
    three.field("Note on this picture").value = "the right one"
    three.settle()
    rows = ig.history()[["rating", "tags", "note"]].astype(object)
    said = rows.where(rows.notna(), None).values.tolist()
    assert said[1:3] == [[None, (), None], [5, ("figure 1", "best"), "the right one"]]
    assert three.tiles[1][1].description == "★★★★★ two seals"
    assert "note: the right one" in three.details
    three.field("Stars", "jig-view").value = 0
    three.field("Tags of this picture").value = "best"
    three.field("Note on this picture").value = ""
    three.settle()
    rows = ig.history()[["rating", "tags", "note"]].astype(object)

    assert rows.where(rows.notna(), None).values.tolist()[2] == [None, ("best",), None]


def test_what_is_said_twice_in_a_row_is_said_of_what_is_known_then(three: Hands) -> None:
    """A word that was added a moment ago is taken away again, before the store was read in between."""
    three.open(1)
    three.field("Tags of this picture").value = "figure 1, best"
    three.field("Tags of this picture").value = "best"
    three.settle()

    assert ig.history().tags.tolist()[2] == ("best",)
    assert three.field("Tags of this picture").value == "best"


def test_opening_a_picture_says_nothing_of_it(three: Hands) -> None:
    """The fields are filled by the panel, which is no rating."""
    three.open(1)
    three.field("Stars", "jig-view").value = 5
    three.settle()
    before = journal()
    for place in (0, 1, 2, 1):
        three.open(place)

    assert journal() == before


def journal() -> list[bytes]:
    """Every line of the store."""
    return [line for path in sorted(STORE.glob("journal/*")) for line in path.read_bytes().splitlines()]


def test_a_picture_that_is_opened_as_its_rating_is_written_is_shown(three: Hands) -> None:
    """What was said of it changes its card while its picture is on the way."""
    three.open(1)
    three.field("Stars", "jig-view").value = 5
    three.tiles[1][1].click()
    three.settle()

    assert three.large != ""
    assert "rating: 5 of 5" in three.details


def test_the_exact_bytes_are_saved(three: Hands) -> None:
    """Into a folder, or to a file."""
    three.open(2)
    three.press("Save")
    (saved,) = Path("figures").iterdir()
    assert saved.read_bytes() == colour(1)
    assert three.message == f"Saved to {Path('figures') / saved.name}"
    three.field("Save to").value = "otter.png"
    three.press("Save")

    assert Path("otter.png").read_bytes() == colour(1)


def test_a_picture_that_cannot_be_saved_is_said(three: Hands) -> None:
    """As in a cell."""
    Path("otter.png").mkdir()
    three.open(2)
    three.field("Save to").value = "otter.png"
    three.press("Save")

    assert three.message.startswith("StoreError: ")
    assert three.is_error


def test_two_pictures_are_compared(three: Hands) -> None:
    """The one that is held and the one that is opened next, in the words of ig.compare, with both pictures."""
    three.open(1)
    three.press("Compare …", "jig-view")
    assert three.field(HELD, "jig-view")
    three.open(0)
    first, second = (three.panel._shelf.newest[place].name for place in (2, 1))
    drift = ig.compare(first, second)
    assert drift.sheet is not None
    view = three.panel._view

    assert view._drift.value == repr(drift)
    assert shown(view._difference.value) == drift.sheet.data
    assert all(side.value for side in view._sides)
    assert three.sees(view._comparison)
    assert three.field("Compare …", "jig-view")


def test_a_picture_is_not_compared_with_itself(three: Hands) -> None:
    """Opening it again is nothing."""
    three.open(1)
    three.press("Compare …", "jig-view")
    three.open(1)

    assert not three.sees(three.panel._view._comparison)


def test_the_next_picture_and_the_one_before_are_opened(three: Hands) -> None:
    """Among those that are found; at the ends there is none."""
    three.open(1)
    names = [card.name for card in three.panel._shelf.newest[1:]]
    for label, place in (("Next", 2), ("Next", 2), ("Previous", 1), ("Previous", 0), ("Previous", 0)):
        three.press(label, "jig-view")
        assert f"id: {names[place]}" in three.details
    three.choose("Search", "seals")
    three.press("Next", "jig-view")
    three.press("Next", "jig-view")

    assert f"id: {names[1]}" in three.details


def test_a_picture_that_is_held_can_be_let_go(three: Hands) -> None:
    """By another press, and by closing it."""
    three.open(1)
    three.press("Compare …", "jig-view")
    three.press(HELD, "jig-view")
    three.open(0)
    assert not three.sees(three.panel._view._comparison)
    three.press("Compare …", "jig-view")
    three.press("Close", "jig-view")
    three.open(1)

    assert not three.sees(three.panel._view._comparison)
    assert three.field("Compare …", "jig-view")


def test_a_picture_is_saved_nowhere_without_a_path(three: Hands) -> None:
    """It is said what one looks like, also where the person is looking."""
    three.open(2)
    three.field("Save to").value = " "
    three.press("Save")

    assert three.message.startswith("OptionError: There is no path to save to.")
    assert three.panel._view.message.value == three.message
    assert "jig-error" in three.panel._view.message._dom_classes


def test_a_rating_that_cannot_be_written_is_taken_back(three: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands there is what is recorded."""

    def full(*_: object) -> None:
        message = "The disk is full."
        raise errors.StoreError(message)

    three.open(1)
    three.field("Stars", "jig-view").value = 2
    three.settle()
    monkeypatch.setattr("jupyter_imagegen.archive.rate", full)
    three.field("Stars", "jig-view").value = 5
    three.settle()

    assert three.field("Stars", "jig-view").value == 2
    assert three.message.startswith("StoreError: The disk is full.")


def test_editing_a_picture_replaces_what_was_given(three: Hands) -> None:
    """Also the mask, which fits another picture; and shows it."""
    Path("a.png").write_bytes(colour(1))
    three.field(PATH).value = "a.png"
    three.press_of_reference(0, "Use as mask")
    three.field("More").value = False
    three.open(1)
    three.press("Edit this picture")

    assert three.references == [three.panel._shelf.newest[2].name]
    assert three.sees(three.field(PATH))


def test_a_record_with_the_name_of_a_file_is_not_edited(three: Hands) -> None:
    """Another hand may have given a call that id: what would be sent is a file of this person."""
    card = three.panel._shelf.newest[3]
    for path in STORE.glob("journal/*"):
        path.write_text(path.read_text().replace(card.record.id, "passport"))
    Path("passport[0]").write_bytes(colour(1))
    three.refresh()
    place = [each.name for each in three.panel._shelf.newest if each.kept].index("passport[0]")
    three.open(place)
    three.press("Edit this picture")

    assert three.message.startswith("OptionError: passport[0] is no name of a picture in this store.")
    assert three.references == []


def test_a_thumbnail_that_was_missing_is_there_with_its_file(three: Hands) -> None:
    """A folder that is still being copied has it a moment later."""
    card = three.panel._shelf.newest[1]
    assert card.kept is not None
    path = photograph().store / card.kept.path
    data = path.read_bytes()
    path.unlink()
    hands = Hands(ig.panel())
    hands.refresh()
    assert hands.tiles[0][0].value == ""
    path.write_bytes(data)
    hands.refresh()

    assert hands.tiles[0][0].value
