"""Files that are whole or absent."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from contextlib import nullcontext
from os.path import samestat
from pathlib import Path
from stat import S_ISDIR
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen import blobs
from jupyter_imagegen.blobs import (
    ABANDONED_S,
    holds,
    keep_image,
    keep_unread,
    make_folder,
    make_ready,
    slug,
    sync_file,
    sync_folder,
    unfinished,
    write,
)
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
    """The folder's own name and the bytes are synced before the rename, the names in the folder after it."""
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        found = os.fstat(descriptor)
        kind = "file" if not S_ISDIR(found.st_mode) else "folder" if samestat(found, tmp_path.stat()) else "above"
        seen.append((kind, (tmp_path / "x.png").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    write(tmp_path / "x.png", b"x")

    assert seen == [("above", False), ("file", False), ("folder", True)]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTTY, errno.ENOTSUP])
def test_where_the_sync_of_macos_is_not_known_the_usual_one_is_done(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """A network drive under macOS: a picture that was paid for is not refused for it."""
    synced: list[int] = []
    monkeypatch.setattr(blobs, "fcntl", _macos(code))
    monkeypatch.setattr(os, "fsync", synced.append)
    sync_file(7)

    assert synced == [7]


def test_a_sync_of_macos_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual one after it could say that all is well."""
    monkeypatch.setattr(blobs, "fcntl", _macos(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        sync_file(7)


def _macos(code: int) -> SimpleNamespace:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return SimpleNamespace(F_FULLFSYNC=51, fcntl=fail)


@pytest.mark.parametrize(("code", "is_said"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_sync_folders_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, is_said: bool
) -> None:
    """It says so, and nothing is to be done; what is broken is said."""

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error") if is_said else nullcontext():
        sync_folder(tmp_path)


def test_a_picture_that_is_there_already_is_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer may have put it there a moment ago, and a line that lists it will be durable."""
    keep_image(tmp_path, image(), "x")
    blobs._SETTLED.clear()  # the other writer is another process
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))
    keep_image(tmp_path, image(), "x")

    assert synced == [tmp_path.stat().st_ino, (tmp_path / "images").stat().st_ino]


def test_a_store_that_is_ready_has_its_folders_and_nothing_else(tmp_path: Path) -> None:
    """It was tried out without a trace."""
    make_ready(tmp_path / "imagegen", 1)
    make_ready(tmp_path / "imagegen", 1)

    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "imagegen",
        "imagegen/images",
        "imagegen/journal",
    ]


@pytest.mark.parametrize(("pictures", "wanted"), [(1, 8), (4, 32), (1000, 512)])
def test_a_store_without_room_for_the_pictures_is_said(
    pictures: int, wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In numbers, and that nothing was sent; room for a thousand pictures at once is not wanted."""
    left = wanted * 2**20 - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**40, 0, left))
    with pytest.raises(StoreError, match=rf"has {wanted - 1} MiB left, and this may need {wanted}\.") as caught:
        make_ready(tmp_path, pictures)

    assert caught.value.hint.startswith("Nothing was sent. Choose another folder")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**40, 0, left + 1))
    make_ready(tmp_path, pictures)


def test_a_drive_that_does_not_know_its_size_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network drives say 0 of everything."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    make_ready(tmp_path, 1)

    assert (tmp_path / "images").is_dir()


def test_what_a_crash_left_is_found_once_it_is_old(tmp_path: Path) -> None:
    """Temporary files of an hour ago; not one that is being written, nor anything that has another name."""
    for folder in ("images", "inputs", "unread", "journal", "elsewhere"):
        (tmp_path / folder).mkdir()
        for name in (".x.png.0123abcd.part", ".new.png.0123abcd.part", "x.part", ".x.part", ".x.0123abcd", "x.png"):
            (tmp_path / folder / name).write_text("")
            age = 60 if "new" in name else ABANDONED_S + 60
            os.utime(tmp_path / folder / name, times=(time.time() - age,) * 2)
    (tmp_path / "images" / ".folder.0123abcd.part").mkdir()
    os.utime(tmp_path / "images" / ".folder.0123abcd.part", times=(0, 0))

    assert [path.relative_to(tmp_path).as_posix() for path in unfinished(tmp_path)] == [
        f"{folder}/.x.png.0123abcd.part" for folder in ("images", "inputs", "unread", "journal")
    ]


def test_what_a_write_is_killed_in_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are those that are really given."""

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", killed)
        patched.setattr(blobs, "make_folder", lambda folder: folder.mkdir())
        with pytest.raises(Killed):
            keep_image(tmp_path, image(), "x")
    (left,) = files(tmp_path)
    os.utime(tmp_path / left, times=(0, 0))

    assert list(unfinished(tmp_path)) == [tmp_path / left]


def test_a_store_that_is_not_there_has_nothing_unfinished(tmp_path: Path) -> None:
    """Nor is one that cannot be read passed over."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "images").write_text("")

    assert list(unfinished(tmp_path / "nowhere")) == []
    with pytest.raises(StoreError, match="Cannot read"):
        list(unfinished(tmp_path / "store"))


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


def test_a_file_holds_a_picture_if_size_and_digest_are_its_own(tmp_path: Path) -> None:
    """One altered byte is another picture; so is one that is missing, and a folder, a pipe and nothing hold none."""
    kept = image()
    path = tmp_path / keep_image(tmp_path, kept, "a cat")
    assert holds(path, kept.sha256, len(kept.data))
    path.write_bytes(b"\0" + kept.data[1:])
    assert not holds(path, kept.sha256, len(kept.data))
    path.unlink()
    assert not holds(path, kept.sha256, len(kept.data))

    assert not holds(tmp_path, kept.sha256, tmp_path.stat().st_size)


def test_a_file_of_another_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in somebody else's store may lead to anything, and a journal may say that any of it is a picture."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 11)
    monkeypatch.setattr(blobs, "_LARGEST", 10)
    monkeypatch.setattr(blobs, "has_digest", lambda *_: pytest.fail("it is read"))

    assert not holds(path, "0" * 64, 11)
    assert not holds(path, "0" * 64, 1)


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
