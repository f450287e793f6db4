"""The stored bytes of a picture, where they are still those that were received."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ..result import Picture

_LETTERS = frozenset(":\\\0")


@dataclass(frozen=True, slots=True)
class Original:
    """The exact bytes of a picture; where there are none, a sentence that says why."""

    data: bytes = field(default=b"", repr=False)
    remark: str = ""


def original(picture: Picture) -> Original:
    """The bytes of a picture's file, checked against its digest; a file outside the store is not even opened."""
    if not is_below(picture.kept.path) or not _is_in_store(picture):
        return Original(remark="The file of this picture is not in the store.")
    try:
        data = picture.path.read_bytes()
    except (OSError, ValueError):
        return Original(remark="The file of this picture is not there.")
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        return Original(remark="The file of this picture was altered: it is not what was received.")
    return Original(data)


def is_below(path: str) -> bool:
    """Whether a path, as a journal names it, leads below the store on any system: another hand may have written it."""
    return not any(part in ("", ".", "..") or _LETTERS & set(part) for part in path.split("/"))


def _is_in_store(picture: Picture) -> bool:
    """Whether no link leads out of the store."""
    try:
        return picture.path.resolve().is_relative_to(picture.store.resolve())
    except (OSError, ValueError, RuntimeError):
        return False
