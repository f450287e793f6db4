"""Files that are whole or absent: written beside their place, made durable, then put there in one step."""

from __future__ import annotations

import errno
import os
import re
import secrets
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Final

from .errors import StoreError
from .image import Image

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

IMAGES: Final = "images"
INPUTS: Final = "inputs"
UNREAD: Final = "unread"

_SUFFIX: Final = {"jpeg": "jpg", "tiff": "tif"}
_LONGEST_SLUG: Final = 60


def keep_image(store: Path, image: Image, prompt: str) -> str:
    """Put one picture into the store and return its path below it. Raises StoreError.

    A picture that is there already, byte for byte, is left alone; one that was altered is replaced.
    """
    return _keep(store, IMAGES, image, prompt)


def keep_input(store: Path, image: Image, name: str) -> str:
    """The same for a reference picture or a mask, which has its own folder."""
    return _keep(store, INPUTS, image, name)


def input_path(image: Image, name: str) -> str:
    """Where `keep_input` puts a picture, below the store."""
    return _path(INPUTS, image, name)


def _keep(store: Path, folder: str, image: Image, words: str) -> str:
    below = _path(folder, image, words)
    if not _holds(store / below, image.data):
        write(store / below, image.data)
    return below


def _path(folder: str, image: Image, words: str) -> str:
    return f"{folder}/{slug(words)}-{image.sha256[:16]}.{_SUFFIX.get(image.format, image.format)}"


def keep_unread(store: Path, call_id: str, body: bytes) -> Path:
    """Keep an answer that was paid for and could not be read. Raises StoreError."""
    path = store / UNREAD / f"{call_id}.bin"
    write(path, body)
    return path


def write(path: Path, data: bytes) -> None:
    """Make the file appear with these bytes, durably, or not at all. Raises StoreError."""
    # 40 letters are at most 160 bytes: where the name fits a folder, this one does.
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        make_folder(path.parent)
        _write_through(temporary, data)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # Where the folder could not be made there is nothing to remove.
            temporary.unlink()
        raise cannot("write", path, error) from None


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, each one durable in the folder above it. Raises OSError."""
    if not folder.is_dir() and folder != folder.parent:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_file(descriptor: int) -> None:
    """Wait until what was written is on the disk itself; macOS has another call for that. Raises OSError."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: without this a power cut can take back a rename. Raises OSError."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # Windows does not open folders, and needs no such step.
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # Some network file systems have no fsync for folders.
            raise
    finally:
        os.close(descriptor)


def slug(prompt: str) -> str:
    """The beginning of a prompt as a file name can hold it: `[a-z0-9-]`, at most 60 letters."""
    plain = unicodedata.normalize("NFKD", prompt[:400]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-")
    return words or "picture"


def nearby(path: Path) -> str:
    """The path from the current folder, where it is below it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):  # elsewhere, or the current folder was removed
        return str(path)


def cannot(verb: str, path: Path, error: OSError) -> StoreError:
    """The StoreError for a file operation that the system refused."""
    message = f"Cannot {verb} {path}: {error.strerror or error}."
    return StoreError(message)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
