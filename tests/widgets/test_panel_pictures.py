"""Pictures to work from: uploaded, named by a path, or taken from the gallery; and the mask."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.gateway import Gateway
from support.pictures import picture
from widgets.hands import PATH, Hands, states

import jupyter_imagegen as ig

RED, BLUE = picture("red"), picture("blue", mode="RGBA")


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """Two pictures, and a file that is none."""
    (tmp_path / "red.png").write_bytes(RED)
    (tmp_path / "blue.png").write_bytes(BLUE)
    (tmp_path / "words.txt").write_text("no picture")


def name(part: bytes) -> bytes:
    """The name under which the body has these bytes."""
    head = part.split(b"\r\n\r\n")[0]
    return head.split(b'name="')[1].split(b'"')[0]


def parts(gateway: Gateway) -> list[tuple[bytes, bytes]]:
    """The files of the last POST, each with the name of its field."""
    asked = gateway.posts[-1]
    boundary = asked.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    found = [part for part in asked.body.split(b"--" + boundary) if b"filename=" in part]
    return [(name(part), part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")) for part in found]


def test_a_path_is_taken_and_its_field_is_free_again(hands: Hands) -> None:
    """The next one can be typed; the same one twice is one."""
    for _ in range(2):
        hands.field(PATH).value = "red.png"
        assert hands.field(PATH).value == ""
    hands.field(PATH).value = "blue.png"

    assert hands.references == ["red.png", "blue.png"]
    assert not hands.is_error


@pytest.mark.parametrize(
    "given", ["gone.png", "words.txt", "https://h.example/a.png", "20261121T041500123456Z-9f3a2c1b"]
)
def test_what_names_no_picture_is_said_and_not_taken(hands: Hands, given: str) -> None:
    """It stays in its field, to be put right."""
    hands.field(PATH).value = given

    assert hands.message.startswith("ReferenceUnreadable: ")
    assert hands.references == []
    assert hands.field(PATH).value == given


def test_changing_the_pictures_closes_nothing_else(hands: Hands) -> None:
    """One after the other, and away again: the panel, and whatever else a notebook shows, lives on."""
    from ipywidgets import IntSlider
    from ipywidgets.widgets.widget import _instances

    other = IntSlider(7)
    before = len(_instances)
    for given in ("red.png", "blue.png"):
        hands.field(PATH).value = given
    for _ in range(2):
        hands.press_of_reference(0, "Remove")

    assert len(_instances) == before
    assert other.comm is not None
    assert all(each.comm is not None for each in hands.widgets)


def test_uploads_leave_nothing_in_the_widget(hands: Hands) -> None:
    """Its state may be saved with the notebook; what is shown is a name, a format and a size."""
    hands.upload(("a.png", RED), ("b.png", BLUE))

    assert hands.field("Upload pictures").value == ()
    assert hands.references == [f"a.png (png, {len(RED)} bytes)", f"b.png (png, {len(BLUE)} bytes)"]
    assert repr(RED)[2:-1] not in states()


def test_an_upload_that_is_no_picture_is_said(hands: Hands) -> None:
    """It leaves nothing in the widget either."""
    hands.upload(("a.txt", b"no picture"))

    assert hands.message.startswith("ReferenceUnreadable: ")
    assert (hands.references, hands.field("Upload pictures").value) == ([], ())


def test_pictures_are_sent_with_their_exact_bytes(hands: Hands, served: Gateway) -> None:
    """As multipart, to edits, in their order: uploaded, by path, and the mask."""
    hands.upload(("a.png", RED))
    hands.field(PATH).value = "blue.png"
    hands.upload(("m.png", picture("white", mode="RGBA")))
    hands.press_of_reference(2, "Use as mask")
    hands.generate(model="gpt-image-1").ends()

    assert served.posts[0].path == "/v1/images/edits"
    assert served.posts[0].headers["content-type"].startswith("multipart/form-data")
    assert [data for field, data in parts(served) if field.startswith(b"image")] == [RED, BLUE]
    assert [data for field, data in parts(served) if field == b"mask"] == [picture("white", mode="RGBA")]


def test_the_form_sends_the_files_that_generate_sends(hands: Hands, served: Gateway) -> None:
    """And the record has the same hash."""
    hands.field(PATH).value = "red.png"
    hands.generate(model="gpt-image-1", size="1024x1024").ends()
    ig.generate("an otter", image="red.png", model="gpt-image-1", size="1024x1024")

    assert parts_of(served, 0) == parts_of(served, 1)
    assert served.posts[0].path == served.posts[1].path
    assert ig.history().request_hash.nunique() == 1


def parts_of(gateway: Gateway, place: int) -> list[bytes]:
    """The body of a POST without its boundary."""
    asked = gateway.posts[place]
    boundary = asked.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    return sorted(asked.body.split(b"--" + boundary))


def test_a_picture_and_the_mask_can_be_swapped(hands: Hands) -> None:
    """There is one mask: what was it before is a picture again."""
    for given in ("red.png", "blue.png"):
        hands.field(PATH).value = given
    hands.press_of_reference(0, "Use as mask")
    assert hands.references == ["blue.png", "mask: red.png"]
    hands.press_of_reference(0, "Use as mask")
    assert hands.references == ["red.png", "mask: blue.png"]
    hands.press_of_reference(1, "Not as mask")
    assert hands.references == ["red.png", "blue.png"]
    hands.press_of_reference(0, "Remove")

    assert hands.references == ["blue.png"]
    assert (hands.panel._form.draft.images, hands.panel._form.draft.mask) == (("blue.png",), None)


def test_a_mask_can_be_removed(hands: Hands) -> None:
    """The pictures stay."""
    for given in ("red.png", "blue.png"):
        hands.field(PATH).value = given
    hands.press_of_reference(1, "Use as mask")
    hands.press_of_reference(1, "Remove")

    assert hands.references == ["red.png"]
    assert hands.panel._form.draft.mask is None


def test_a_call_with_pictures_unfolds_them_in_the_form(hands: Hands, served: Gateway) -> None:
    """Its pictures are those of the store: the file that they came from may be gone."""
    made = ig.generate("an otter", image="red.png", mask="blue.png", model="gpt-image-1")
    Path("red.png").unlink()
    assert not hands.sees(hands.field(PATH))
    hands.panel.use_record(made.record)
    assert hands.sees(hands.field(PATH))
    assert [line.rpartition("/")[0] for line in hands.references] == ["imagegen/inputs", "mask: imagegen/inputs"]
    hands.press("As cell")
    assert "--image imagegen/inputs/" in hands.cell
    hands.send()
    hands.rows[0].ends()

    assert [data for _, data in parts(served)] == [RED, BLUE]


def test_of_several_uploads_those_that_are_pictures_are_taken(hands: Hands) -> None:
    """And the other one is said."""
    hands.upload(("a.txt", b"no picture"), ("b.png", BLUE))

    assert hands.references == [f"b.png (png, {len(BLUE)} bytes)"]
    assert hands.message.startswith("ReferenceUnreadable: ")


def test_more_fields_are_unfolded_and_folded(hands: Hands) -> None:
    """As somebody wants."""
    assert not hands.sees(hands.field(PATH))
    hands.field("More").value = True
    assert hands.sees(hands.field(PATH))
    hands.field("More").value = False

    assert not hands.sees(hands.field(PATH))


def test_a_picture_that_comes_unfolds_the_pictures(hands: Hands) -> None:
    """Nobody sends one without seeing it."""
    hands.upload(("a.png", RED))

    assert hands.sees(hands.field(PATH))
