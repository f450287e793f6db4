"""Exports that are whole or absent: written beside their place, then put there in one step."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from .. import blobs
from ..blobs import cannot, make_folder, sync_file, sync_folder
from ..errors import StoreError

Put = Callable[[str, bytes], None]
"""Takes one file of an export: its path, with `/`, and its bytes."""

_HINT: Final = "Nothing was exported. Give another path."


def write(target: Path, data: bytes) -> Path:
    """Make the file appear with these bytes, in the place of one that was there. Raises StoreError."""
    try:
        blobs.write(target, data)
    except StoreError as error:
        raise StoreError(error.message, _HINT) from None
    return target


@contextmanager
def stream(target: Path) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which takes its place when the block ends well. Raises StoreError."""
    temporary = _temporary(target)
    try:
        make_folder(target.parent)
        with temporary.open("xb") as file:
            yield file
            file.flush()
            sync_file(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def folder(target: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A folder to be filled, which takes its place when the block ends well; what is there before has to be ours.

    An empty folder is nobody's. Raises StoreError, before anything is written for a folder of someone else.
    """
    target = target.absolute()  # `.` has no name that another one could be put beside
    temporary = _temporary(target)
    try:
        _refuse_foreign(target, is_ours)
        make_folder(target.parent)
        temporary.mkdir()
        yield temporary
        _put(temporary, target)
        sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def put(path: Path, data: bytes) -> None:
    """Write one file of a folder that is being filled. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())


def _put(temporary: Path, target: Path) -> None:
    """Change one folder for the other; the old one is only moved until the new one is there."""
    old = _temporary(target)
    if target.is_dir():
        target.rename(old)
    try:
        temporary.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(target: Path, is_ours: Callable[[Path], bool]) -> None:
    if not target.exists() or (target.is_dir() and (not any(target.iterdir()) or is_ours(target))):
        return
    message = f"{target} is there already, and no export of this kind made it."
    raise StoreError(message, "Nothing was exported. Give another path, or remove what is there.")


def _temporary(target: Path) -> Path:
    return target.parent / f".{target.name[:40]}.{secrets.token_hex(4)}.part"


def _cannot_write(target: Path, error: OSError) -> StoreError:
    return StoreError(cannot("write", target, error).message, _HINT)
