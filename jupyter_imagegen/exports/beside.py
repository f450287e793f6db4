"""Exports that are whole or absent: written beside their place, then put there in one step."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from ..blobs import cannot, make_folder, sync_file, sync_folder
from ..errors import StoreError
from . import manifest

Put = Callable[[str, bytes], None]
"""Takes one file of an export: its path, with `/`, and its bytes. Raises OSError."""

_HINT: Final = "Nothing was exported. Give another path."


def write(target: Path, data: bytes) -> Path:
    """Make the file appear with these bytes, in the place of one that was there. Raises StoreError."""
    with stream(target) as file:
        file.write(data)
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
def folder(target: Path, form: str) -> Iterator[Put]:
    """A folder to be filled, which takes its place when the block ends well, with a manifest of what was put.

    What is there before has to be an export of the same form in which nothing was changed, or empty. Raises
    StoreError, before anything is written for a folder in which something is a person's own.
    """
    target = target.resolve()  # `.` has no name that another one could be put beside, and a link stays one
    temporary = _temporary(target)
    digests: dict[str, str] = {}

    def put(path: str, data: bytes) -> None:
        _put(temporary / path, data)
        digests[path] = manifest.digest(data)

    try:
        _refuse_foreign(target, target, form)
        make_folder(target.parent)
        temporary.mkdir()
        yield put
        _put(temporary / manifest.NAME, manifest.encoded(form, digests))
        _change(temporary, target, form)
        sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(path: Path, data: bytes) -> None:
    """Write one file of a folder that is being filled. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())


def _change(temporary: Path, target: Path, form: str) -> None:
    """Put the new folder in the place of the old one, which comes back where that does not end well.

    The old one is looked at again when it was moved: nobody who knows its name can add to it any more.
    """
    old = _temporary(target)
    try:
        if target.is_dir():
            target.rename(old)
            _refuse_foreign(old, target, form)
        temporary.rename(target)
    finally:  # also when the person interrupts: the old one stands nowhere else
        _settle(old, temporary, target)


def _settle(old: Path, temporary: Path, target: Path) -> None:
    """Put back the old folder where the new one did not take its place, else remove it."""
    if not old.is_dir():
        return
    # What stands there may be of somebody else, who made a folder of that name at this moment.
    if temporary.exists() or not target.exists():
        _put_back(old, target)
        return
    try:
        shutil.rmtree(old, ignore_errors=True)
    finally:  # an interrupt in the middle would leave a half of it, under a name that nobody knows
        shutil.rmtree(old, ignore_errors=True)


def _put_back(old: Path, target: Path) -> None:
    try:
        old.rename(target)
    except OSError as error:
        message = f"{target} could not be put back: {error.strerror or error}. What was in it is whole, in {old}."
        raise StoreError(message, "Nothing was exported. Give that folder its name again, or another one.") from None


def _refuse_foreign(found: Path, target: Path, form: str) -> None:
    """Refuse to replace a folder, found here, in which something is not ours; an empty one is nobody's."""
    if not found.exists() or (found.is_dir() and not any(found.iterdir())):
        return
    own = manifest.foreign(found, form) if found.is_dir() else "."
    if own is not None:
        what = "no export of this kind made it" if own == "." else f"{own} in it is not as an export left it"
        message = f"{target} is there already, and {what}."
        raise StoreError(message, "Nothing was exported. Give another path, or move what is there.")


def _temporary(target: Path) -> Path:
    return target.parent / f".{target.name[:40]}.{secrets.token_hex(4)}.part"


def _cannot_write(target: Path, error: OSError) -> StoreError:
    return StoreError(cannot("write", target, error).message, _HINT)
