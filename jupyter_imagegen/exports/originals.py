"""The stored bytes of a picture, where they are still those that were received."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..result import Picture

_LETTERS: Final = frozenset(":\\\0")
_ALTERED: Final = "The file of this picture was altered: it is not what was received."


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
        return Original(remark=_ALTERED)
    return Original(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of some pictures, each counted: as it was received, altered, gone."""

    intact: int
    altered: int
    gone: int


def left(pictures: Iterable[Picture]) -> Left:
    """Look at the files of these pictures, at each once; one that is not in the store is gone."""
    remarks: dict[tuple[str, str], str] = {}
    counts = dict.fromkeys(("intact", "altered", "gone"), 0)
    for picture in pictures:
        name = picture.kept.path, picture.sha256
        if name not in remarks:
            remarks[name] = original(picture).remark
        remark = remarks[name]
        counts["altered" if remark == _ALTERED else "gone" if remark else "intact"] += 1
    return Left(**counts)


def is_below(path: str) -> bool:
    """Whether a path, as a journal names it, leads below the store on any system: another hand may have written it."""
    return not any(part in ("", ".", "..") or _LETTERS & set(part) for part in path.split("/"))


def _is_in_store(picture: Picture) -> bool:
    """Whether no link leads out of the store."""
    try:
        return picture.path.resolve().is_relative_to(picture.store.resolve())
    except (OSError, ValueError, RuntimeError):
        return False
