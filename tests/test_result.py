"""The pictures of one ask, in their order, each with its file and its record."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.made import kept, record, result
from support.pictures import picture

from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.result import folder_of, result_of

RED, TEAL = picture("red"), picture("teal")
SVG = b"<svg></svg>"


def test_a_result_is_a_sequence_of_pictures(tmp_path: Path) -> None:
    """Length, index, slice, loop and truth work as with any sequence."""
    found = result(tmp_path, RED, TEAL)

    assert len(found) == 2
    assert [each.bytes for each in found] == [RED, TEAL]
    assert found[-1].bytes == TEAL
    assert found[:1] == (found[0],)
    assert not result_of((record(),), tmp_path)


def test_a_picture_knows_its_file_and_what_the_bytes_say(tmp_path: Path) -> None:
    """Bytes, path, digest, format and size are those of the file in the store."""
    (one,) = result(tmp_path, RED)

    assert one.bytes == one.path.read_bytes() == RED
    assert one.sha256 == hashlib.sha256(RED).hexdigest()
    assert (one.format, one.width, one.height, one.index) == ("png", 64, 48, 0)
    assert one.pil.getpixel((0, 0)) == (255, 0, 0)
    assert one.pil.size == (64, 48)


def test_pictures_of_several_calls_stand_in_the_order_of_the_ask(tmp_path: Path) -> None:
    """That is the order of the calls: a record may have had another place in the ask that it was made for."""
    first = record(kept(tmp_path, RED, 5, "b"), call={"id": "b"})
    second = record(kept(tmp_path, TEAL, 0, "a"), call={"id": "a"})
    found = result_of((first, second), tmp_path)

    assert [each.bytes for each in found] == [RED, TEAL]
    assert [each.record.id for each in found] == ["b", "a"]
    assert found.record is first


@pytest.mark.parametrize(
    ("path", "count", "names"),
    [
        ("out", 1, ["out/{own}"]),
        ("out", 2, ["out/{own}", "out/{own}"]),
        ("out/x.png", 1, ["out/x.png"]),
        ("out/x.png", 2, ["out/x-0.png", "out/x-1.png"]),
        ("out/x-{n}.png", 2, ["out/x-0.png", "out/x-1.png"]),
        ("out/x-{n}.png", 1, ["out/x-0.png"]),
        ("out-{n}/x.png", 2, ["out-0/x.png", "out-1/x.png"]),
        ("out/x.JPG", 1, ["out/x.JPG"]),
        ("out.v2", 1, ["out.v2/{own}"]),
    ],
)
def test_save_writes_a_folder_a_file_or_a_pattern(tmp_path: Path, path: str, count: int, names: list[str]) -> None:
    """A folder keeps the names, {n} is the place from 0, and one file name is numbered for several."""
    found = result(tmp_path / "store", *(RED, TEAL)[:count])
    written = found.save(tmp_path / path)
    expected = [tmp_path / name.format(own=each.path.name, n="{n}") for name, each in zip(names, found, strict=True)]

    assert list(written) == expected
    assert [target.read_bytes() for target in written] == [each.bytes for each in found]


def test_save_takes_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~ is what it is in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (one,) = result(tmp_path, RED)

    assert one.save("~/x.png") == tmp_path / "home" / "x.png"


def test_save_replaces_a_file_that_is_there(tmp_path: Path) -> None:
    """Running a cell again leaves its newest picture."""
    (tmp_path / "x.png").write_bytes(b"before")
    (one,) = result(tmp_path, RED)
    one.save(tmp_path / "x.png")

    assert (tmp_path / "x.png").read_bytes() == RED


def test_two_pictures_with_the_same_bytes_are_saved_as_one_file(tmp_path: Path) -> None:
    """A server that ignores the seed gives the same twice: nothing is lost by writing it once."""
    found = result(tmp_path / "store", RED, RED)

    first, second = found.save(tmp_path / "out")
    assert first == second
    assert first.read_bytes() == found[0].bytes


def test_save_says_what_cannot_be_written(tmp_path: Path) -> None:
    """A file where the folder should be is a StoreError."""
    (tmp_path / "file").write_text("")
    found = result(tmp_path, RED)

    with pytest.raises(StoreError, match="Cannot write"):
        found.save(tmp_path / "file" / "x.png")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x.png", "."),
        ("a/x.JPEG", "a"),
        ("a/x-{n}", "a"),
        ("a-{n}/x.png", "a-0"),
        ("out", "out"),
        ("out.v2", "out.v2"),
        ("png", "png"),
    ],
)
def test_the_folder_that_will_be_written_to_is_known_before(path: str, expected: str) -> None:
    """The suffix of a picture or a {n} makes a file; anything else is a folder, which is made before anything costs."""
    assert folder_of(path) == Path(expected)
    assert folder_of(Path(path)) == Path(expected)


def test_a_picture_that_is_gone_is_said(tmp_path: Path) -> None:
    """Someone removed the file: a StoreError, not a traceback of pathlib."""
    (one,) = result(tmp_path, RED)
    one.path.unlink()

    with pytest.raises(StoreError, match="Cannot read"):
        _ = one.bytes
    with pytest.raises(StoreError, match="Cannot read"):
        _ = one.pil


@pytest.mark.parametrize("data", [SVG, picture(size=(300, 300), name="WEBP")[:-20], picture(name="JPEG")[:-100]])
def test_a_picture_that_is_not_decoded_is_said(tmp_path: Path, data: bytes) -> None:
    """An SVG or a cut file has no pixels here; its bytes are there all the same, and the hint says where."""
    (one,) = result(tmp_path, data)

    with pytest.raises(StoreError, match="cannot be decoded here") as caught:
        _ = one.pil
    assert one.bytes == data
    assert "bytes" in caught.value.hint


def test_the_repr_of_a_result_is_its_caption(tmp_path: Path) -> None:
    """A terminal shows one line for each picture, and never the bytes."""
    found = result(tmp_path, RED, TEAL)

    assert len(repr(found).splitlines()) == 2
    assert "64×48 png" in repr(found)
    assert "PNG" not in repr(found) + repr(found[0])
    assert repr(result_of((record(),), tmp_path)) == "Result(no pictures)"
