"""Files that are whole or absent: written beside their place, made durable, then put there in one step."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
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
ARRIVING: Final = "arriving"
"""How the temporary name of a picture begins that is still arriving; the id of its call follows."""

JOURNAL: Final = "journal"

ROOM: Final = 8 * 2**20
"""Bytes that are wanted free for each picture: usual ones have 1 to 4 MB, and one that cannot be kept is kept as the
answer that it came in, which is a third longer."""

MOST_AWAITED: Final = 64
"""Pictures for which room is wanted: after one that cannot be kept, calls that have not begun are not begun."""

ABANDONED_S: Final = 3600
"""Seconds without a change after which a temporary file counts as left behind: it is written in one go, or while its
picture arrives, and a call whose picture stands still for so long has mostly passed its deadline."""

_LATELY_S: Final = 1.0
"""For how long a store in which files could be made is not tried out again."""

_tried_out: Final[dict[Path, tuple[float, tuple[int, ...]]]] = {}
"""When each store was tried out by this process, and which folder of pictures it had then."""

_LARGEST: Final = 256 * 2**20
"""Bytes of a picture that is looked at to be shown."""

_SETTLED: Final[set[tuple[str, int, int]]] = set()
"""Folders (path, device, inode) whose names this process has made durable: each needs it once."""

_SUFFIX: Final = {"jpeg": "jpg", "tiff": "tif"}
_LONGEST_SLUG: Final = 60
_TEMPORARY: Final = re.compile(r"\..*\.[0-9a-f]{8}\.part", re.DOTALL)
_NOT_SENT: Final = f"Nothing was sent. {StoreError.default_hint}"
_UNKNOWN: Final = (errno.EINVAL, errno.ENOTTY, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What file systems, above all those of networks, say of a sync that they do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """A picture that arrived into a temporary file of the store; `size` in bytes, the rest as that of an Image."""

    path: Path
    format: str
    width: int | None
    height: int | None
    sha256: str
    size: int
    durable: Callable[[], Awaitable[None]] = field(repr=False, compare=False)
    """Waits until its bytes are on the disk; before that it is not to be kept. Raises StoreError."""
    again: Callable[[], bytes] = field(repr=False, compare=False)
    """Its bytes, read from the open file: that may have lost its name. Raises StoreError."""


def make_ready(store: Path, pictures: int) -> None:
    """Try the store before anything is paid: it can be written to, and has room for the pictures.

    Raises StoreError; nothing was sent then.
    """
    if not _was_tried_out(store):
        for folder in (store / IMAGES, store / JOURNAL):
            _try_out(folder)
        _tried_out[store] = (time.monotonic(), _pictures(store))
    free, wanted = _free(store), min(pictures, MOST_AWAITED) * ROOM
    if free is not None and free < wanted:
        message = f"{store} has {free // 2**20} MiB left, and this may need {wanted // 2**20}."
        raise StoreError(message, _NOT_SENT)


def unfinished(store: Path) -> Iterator[Path]:
    """Temporary files that crashes left in a store, each unchanged for over an hour.

    They may be deleted: what was in them was never listed, or has another name too. Raises StoreError.
    """
    for folder in (store / IMAGES, store / INPUTS, store / UNREAD, store / JOURNAL):
        try:
            yield from sorted(path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name) and _is_old(path))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise cannot("read", folder, error) from None


def keep_image(store: Path, image: Image | Spilled, prompt: str) -> str:
    """Put one picture into the store and return its path below it. Raises StoreError.

    A picture that is there already, byte for byte, is left alone; one that was altered is replaced. A temporary file
    must be durable, and is not removed, so that it can be put there again.
    """
    return _keep(store, IMAGES, image, prompt)


def keep_input(store: Path, image: Image, name: str) -> str:
    """The same for a reference picture or a mask, which has its own folder."""
    return _keep(store, INPUTS, image, name)


def input_path(image: Image, name: str) -> str:
    """Where `keep_input` puts a picture, below the store."""
    return _path(INPUTS, image, name)


def _keep(store: Path, folder: str, image: Image | Spilled, words: str) -> str:
    below = _path(folder, image, words)
    path = store / below
    is_there = holds(path, image.sha256, image.size) if isinstance(image, Spilled) else _holds(path, image.data)
    if is_there:
        _settle(path)
    elif isinstance(image, Spilled):
        _name(image.path, path)
    else:
        write(path, image.data)
    return below


def _name(temporary: Path, path: Path) -> None:
    """Give a temporary file its name, durably. Raises StoreError."""
    try:
        make_folder(path.parent)
        _link(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot("write", path, error) from None


def _link(temporary: Path, path: Path) -> None:
    """Give the file its name in one step; it keeps the other one where a file system has links."""
    try:
        path.hardlink_to(temporary)
    except OSError:  # such a file system has none, or another file has that name, which is replaced
        temporary.replace(path)


def _path(folder: str, image: Image | Spilled, words: str) -> str:
    return f"{folder}/{slug(words)}-{image.sha256[:16]}.{_SUFFIX.get(image.format, image.format)}"


def keep_unread(store: Path, call_id: str, body: bytes) -> Path:
    """Keep an answer that was paid for and could not be read. Raises StoreError."""
    path = store / UNREAD / f"{call_id}.bin"
    write(path, body)
    return path


def write(path: Path, data: bytes) -> None:
    """Make the file appear with these bytes, durably, or not at all. Raises StoreError."""
    # 40 letters are at most 160 bytes: where the name fits a folder, this one does.
    temporary = new_temporary(path.parent, path.name[:40])
    try:
        make_folder(path.parent)
        _write_through(temporary, data)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # Where the folder could not be made there is nothing to remove.
            temporary.unlink()
        raise cannot("write", path, error) from None


def is_gone(path: Path) -> bool:
    """Whether a file that was there is certainly not there any more."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def read_file(path: Path) -> bytes:
    """The bytes of a file; a pipe or a device, which may never end, is none. Raises OSError."""
    if not S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return path.read_bytes()


def has_digest(path: Path, sha256: str) -> bool:
    """Whether a file is there, and is byte for byte the one with this digest in hex."""
    try:
        return hashlib.sha256(read_file(path)).hexdigest() == sha256
    except OSError:
        return False


def holds(path: Path, sha256: str, size: int) -> bool:
    """As `has_digest`, without reading a file of another size, or one that is larger than a picture can be."""
    try:
        is_likely = size <= _LARGEST and path.stat().st_size == size
    except OSError:
        return False
    return is_likely and has_digest(path, sha256)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, each one durable in the folder above it. Raises OSError."""
    if folder == folder.parent:
        return
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
    # That of another writer too, who may not have come to this step: what is put in it would go with it.
    about = folder.stat()
    if (found := (str(folder), about.st_dev, about.st_ino)) not in _SETTLED:
        sync_folder(folder.parent)
        _SETTLED.add(found)


def sync_file(descriptor: int) -> None:
    """Wait until what was written is on the disk itself; macOS has another call for that. Raises OSError."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(descriptor, full)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        else:
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: without this a power cut can take back a rename. Raises OSError."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # Windows does not open folders, and needs no such step.
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNKNOWN:
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


def _settle(path: Path) -> None:
    """Make durable the name of a file that is there already: who put it there may not have come to that."""
    try:
        make_folder(path.parent)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot("write", path, error) from None


def new_temporary(folder: Path, name: str) -> Path:
    """A name that no other file has, for one that is not whole yet; `unfinished` finds it when it is left."""
    return folder / f".{name}.{secrets.token_hex(4)}.part"


def _was_tried_out(store: Path) -> bool:
    """Whether files were made in its folders a moment ago, and that of the pictures is still the same.

    Of many calls at once, each would otherwise wait for the disk six times before it is sent.
    """
    at, folder = _tried_out.get(store, (-math.inf, ()))
    return time.monotonic() - at < _LATELY_S and folder == _pictures(store)


def _pictures(store: Path) -> tuple[int, ...]:
    """What tells the folder of the pictures from another in its place, or with other rights."""
    try:
        found = (store / IMAGES).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_gid


def _try_out(folder: Path) -> None:
    """Make a file there and remove it: what the system says of rights is not true for root, nor on network drives."""
    probe = new_temporary(folder, "probe")
    try:
        make_folder(folder)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        with suppress(OSError):  # It may have been made all the same.
            probe.unlink()
        raise StoreError(cannot("write in", folder, error).message, _NOT_SENT) from None


def _free(folder: Path) -> int | None:
    """The bytes that are free for this person; None for a drive that does not know, and says 0 of everything."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        raise StoreError(cannot("write in", folder, error).message, _NOT_SENT) from None
    return usage.free if usage.total else None


def _is_old(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # Its writer has just finished.
        return False
    return S_ISREG(found.st_mode) and time.time() - found.st_mtime > ABANDONED_S


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
