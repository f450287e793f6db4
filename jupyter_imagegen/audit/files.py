"""The files of a store against the lines that name them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final

from ..blobs import cannot
from ..errors import StoreError
from ..image import sniff
from .calls import Named
from .findings import Finding

_PLACE: Final = re.compile(r"(images|inputs)/(?!\.{1,2}$)[^/\\:\x00]+")
"""Where a line may say that a picture is: nothing outside of the store is read because a line names it."""

_AT_ONCE: Final = 2**20
_HEADER: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file as it is: its digest and length, the picture that its header says ("" for none), or why it is not read."""

    sha256: str = ""
    bytes: int = 0
    format: str = ""
    size: tuple[int | None, int | None] = (None, None)
    problem: str = ""


def listed(store: Path, folder: str) -> list[str]:
    """The files of one folder, by their paths below the store; hidden ones are not ours. Raises StoreError."""
    try:
        with os.scandir(store / folder) as entries:
            return sorted(f"{folder}/{each.name}" for each in entries if each.name[0] != "." and _is_file(each))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot("read", store / folder, error) from None


def look(store: Path, path: str) -> Found | None:
    """Hash a file in pieces, and read its header; None where there is no file."""
    try:
        if not S_ISREG((store / path).stat().st_mode):  # a pipe would be waited for
            return None
        with (store / path).open("rb", buffering=0) as file:
            return _read(file.fileno())
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no file can have this name
        return None
    except OSError as error:
        return Found(problem=cannot("read", store / path, error).message)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link in a circle
        return False


def _read(file: int) -> Found:
    """As it comes: the bytes of a picture can be more than the memory."""
    head = piece = os.read(file, _AT_ONCE)
    digest, length = hashlib.sha256(head), len(head)
    while piece := os.read(file, _AT_ONCE):
        digest.update(piece)
        length += len(piece)
    format_, size = _header(head)
    return Found(sha256=digest.hexdigest(), bytes=length, format=format_, size=size)


def _header(head: bytes) -> tuple[str, tuple[int | None, int | None]]:
    """The format and size that a header says; that of a JPEG can stand behind long metadata."""
    image = sniff(head[:_HEADER])
    if image is not None and image.format == "jpeg" and image.width is None:
        image = sniff(head)
    return ("", (None, None)) if image is None else (image.format, (image.width, image.height))


def is_place(path: str) -> bool:
    """Whether a line may name this path."""
    return _PLACE.fullmatch(path) is not None


def fault(named: Named, found: Found | None, copy: str) -> Finding | None:
    """What is wrong with a file that a line names; `copy` is another one with the bytes that it should have, or ""."""
    if found is None:
        return _missing(named, copy)
    if found.problem:
        return Finding(kind="unreadable", path=named.path, call=named.call, says=found.problem, sha256=named.sha256)
    if found.sha256 != named.sha256:
        says = f"Its bytes are not those that were kept: their sha256 is {found.sha256}."
        return Finding(kind="altered", path=named.path, call=named.call, says=says, sha256=named.sha256)
    differing = ", ".join(_differing(named, found))
    if differing:
        says = f"Its line says something else of it than its bytes: {differing}."
        return Finding(kind="altered", path=named.path, call=named.call, says=says, sha256=named.sha256)
    return None


def misplaced(named: Named) -> Finding:
    """A line names a file where none of ours can be."""
    says = f"A line names a picture at {named.path}, and that is no place in the store."
    return Finding(kind="altered", path=named.segment, call=named.call, says=says)


def unreadable(path: str, error: StoreError) -> Finding:
    """A folder or a segment that cannot be looked at."""
    return Finding(kind="unreadable", path=path, call="", says=error.message)


def _missing(named: Named, copy: str) -> Finding:
    what = "reference picture" if named.size is None else "picture"
    # A reference picture is the person's own, and is given again.
    is_mended = bool(copy) and named.size is not None
    return Finding(
        kind="missing",
        path=named.path,
        call=named.call,
        says=f"The {what} is not there.",
        repair=f"it is put back from {copy}, which has its bytes." if is_mended else "",
        sha256=named.sha256,
        copy=copy if is_mended else "",
    )


def _differing(named: Named, found: Found) -> Iterator[str]:
    if named.bytes != found.bytes:
        yield f"{named.bytes} bytes, not {found.bytes}"
    if named.format != found.format:
        yield f"{named.format}, not {found.format or 'a picture'}"
    if named.size is not None and named.size != found.size:
        yield f"{_written(named.size)}, not {_written(found.size)}"


def _written(size: tuple[int | None, int | None]) -> str:
    return "×".join("?" if side is None else str(side) for side in size)
