"""Files that are whole or absent."""

from __future__ import annotations

import os
import re
from pathlib import Path
from stat import S_ISDIR

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.blobs import keep_image, keep_unread, make_folder, slug, write
from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.image import Image, sniff


def image(data: bytes | None = None) -> Image:
    """A picture as it was received."""
    found = sniff(data or picture())
    assert found is not None
    return found


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_picture_is_kept_byte_for_byte_under_its_slug_and_digest(tmp_path: Path) -> None:
    """images/<slug-of-prompt>-<16 hex of sha256>.<ext>, and nothing beside it."""
    kept = keep_image(tmp_path, image(), "A cute otter, at dusk!")

    assert kept == f"images/a-cute-otter-at-dusk-{image().sha256[:16]}.png"
    assert (tmp_path / kept).read_bytes() == picture()
    assert files(tmp_path) == [kept]


@pytest.mark.parametrize(("name", "suffix"), [("JPEG", ".jpg"), ("TIFF", ".tif"), ("WEBP", ".webp"), ("GIF", ".gif")])
def test_the_suffix_is_that_of_the_bytes(tmp_path: Path, name: str, suffix: str) -> None:
    """The name says what the file is, whatever was asked."""
    assert keep_image(tmp_path, image(picture(name=name)), "x").endswith(suffix)


def test_trailing_bytes_are_kept(tmp_path: Path) -> None:
    """Content credentials and whatever else a file carries stay in it."""
    data = picture() + b"caBX"

    assert (tmp_path / keep_image(tmp_path, image(data), "x")).read_bytes() == data


def test_a_picture_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    """The same bytes for the same prompt are one file, which is left alone."""
    path = tmp_path / keep_image(tmp_path, image(), "x")
    before = path.stat()
    keep_image(tmp_path, image(), "x")

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("altered", [b"", b"x", picture("red")])
def test_a_picture_that_was_altered_is_replaced(tmp_path: Path, altered: bytes) -> None:
    """The name promises the digest."""
    path = tmp_path / keep_image(tmp_path, image(), "x")
    path.write_bytes(altered)
    keep_image(tmp_path, image(), "x")

    assert path.read_bytes() == picture()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """No half file and no temporary one; what was there before is still there."""
    target = tmp_path / "x.png"
    target.write_bytes(b"before")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        if call == "replace":
            patched.setattr(Path, "replace", fail)
        with pytest.raises(StoreError, match="No space left on device"):
            write(target, b"after")

    assert files(tmp_path) == ["x.png"]
    assert target.read_bytes() == b"before"


def test_file_and_folder_are_durable_before_write_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are synced before the rename, the folder after it."""
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        kind = "folder" if S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((kind, (tmp_path / "x.png").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    write(tmp_path / "x.png", b"x")

    assert seen == [("file", False), ("folder", True)]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file where the store should be is a StoreError, not an error of the clean-up after it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"Cannot write .*x\.png: "):
        write(tmp_path / "file" / "images" / "x.png", b"x")


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    """The first picture of a notebook makes the store."""
    make_folder(tmp_path / "a" / "b" / "c")
    make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b" / "c").is_dir()


@pytest.mark.parametrize("name", ["😀" * 62 + ".png", "a" * 251 + ".png", "-x.png", "ü.png", "a b'c\".png"])
def test_any_name_that_fits_a_folder_can_be_written(tmp_path: Path, name: str) -> None:
    """The temporary file beside it has a name that fits as well."""
    write(tmp_path / name, b"x")

    assert files(tmp_path) == [name]


def test_an_answer_that_cannot_be_read_is_kept(tmp_path: Path) -> None:
    """unread/<call id>.bin holds the exact bytes."""
    path = keep_unread(tmp_path, "20261121T041500123456Z-9f3a2c1b", b"\x00<html>")

    assert path == tmp_path / "unread" / "20261121T041500123456Z-9f3a2c1b.bin"
    assert path.read_bytes() == b"\x00<html>"


@held
@given(st.text())
def test_a_slug_is_a_safe_name(prompt: str) -> None:
    """No prompt climbs out of the folder, hides a file or makes a name that a system refuses."""
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", slug(prompt))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A cat's hat", "a-cat-s-hat"),
        ("Ein Kätzchen", "ein-katzchen"),
        ("../../etc/passwd", "etc-passwd"),
        ("猫", "picture"),
        ("", "picture"),
        ("CON", "con"),
        ("a" * 100, "a" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_a_slug_is_the_beginning_of_the_prompt(prompt: str, expected: str) -> None:
    """A person finds the picture by its name."""
    assert slug(prompt) == expected
