"""One picture of the gallery, large: what is said of it, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from support.gateway import Gateway, Said
from support.pictures import answer
from widgets.hands import Hands, colour, is_shown, shown

import jupyter_imagegen as ig
from jupyter_imagegen import preview
from jupyter_imagegen.again import asked_by
from jupyter_imagegen.celltext import as_cell
from jupyter_imagegen.settings import photograph

STORE: Final = Path("imagegen")

pytestmark = pytest.mark.usefixtures("another_picture_each_time")


def test_an_opened_picture_is_large_with_all_that_is_known(three: Hands) -> None:
    """It was not shown before, and is not after it is closed."""
    view = three.part("jig-view")
    assert not is_shown(view)
    said = three.open(2)
    card = three.panel._shelf.newest[3]
    assert card.kept is not None
    found = preview.preview(photograph().store / card.kept.path, 1024, 200_000)
    assert found is not None
    assert is_shown(view)
    assert shown(three.large) == found.data
    assert said[0] == "prompt: an otter"
    assert f"id: {card.name}" in said
    assert "parameters: seed 7" in said
    three.press("Close", "jig-view")

    assert not is_shown(view)


def test_the_settings_of_a_picture_are_used(three: Hands, served: Gateway) -> None:
    """The form has them, and sends the same."""
    three.open(2)
    three.press("Use these settings")
    assert (three.field("Prompt").value, three.field("Seed").value) == ("an otter", "7")
    assert three.message == f"The form has the settings of {three.panel._shelf.newest[3].record.id}."
    three.press("Generate")
    three.answer()
    three.rows[0].ends()

    assert served.posts[-1].json == served.posts[0].json


def test_the_cell_of_a_picture_is_the_cell_of_its_call(three: Hands) -> None:
    """The one that repeats it."""
    three.open(2)
    three.press("As cell", "jig-view")

    assert three.cell == as_cell(asked_by(three.panel._shelf.newest[3].record, photograph()))
    assert three.cell.endswith(" -m m --seed 7 --tag study\nan otter")


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
    assert three.tiles[1][1].description == "★★★★★ 64×48"
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
    three.settle()
    (saved,) = Path("figures").iterdir()
    assert saved.read_bytes() == colour(1)
    assert three.message == f"Saved to {Path('figures') / saved.name}"
    three.field("Save to").value = "otter.png"
    three.press("Save")
    three.settle()

    assert Path("otter.png").read_bytes() == colour(1)


def test_a_picture_that_cannot_be_saved_is_said(three: Hands) -> None:
    """As in a cell."""
    Path("otter.png").mkdir()
    three.open(2)
    three.field("Save to").value = "otter.png"
    three.press("Save")
    three.settle()

    assert three.message.startswith("StoreError: ")
    assert three.is_error


def test_two_pictures_are_compared(three: Hands) -> None:
    """The one that is held and the one that is opened next, in the words of ig.compare, with both pictures."""
    three.open(1)
    three.press("Compare …", "jig-view")
    assert three.field("Now open another picture", "jig-view")
    three.open(0)
    first, second = (three.panel._shelf.newest[place].name for place in (2, 1))
    drift = ig.compare(first, second)
    assert drift.sheet is not None
    view = three.panel._view

    assert view._drift.value == repr(drift)
    assert shown(view._difference.value) == drift.sheet.data
    assert all(side.value for side in view._sides)
    assert is_shown(view._comparison)
    assert three.field("Compare …", "jig-view")


def test_a_picture_is_not_compared_with_itself(three: Hands) -> None:
    """Opening it again is nothing."""
    three.open(1)
    three.press("Compare …", "jig-view")
    three.open(1)

    assert not is_shown(three.panel._view._comparison)
