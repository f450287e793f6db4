"""The pictures of a study as they are put into an export that is laid out like a store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..blobs import IMAGES, INPUTS
from ..journal import Input, Kept
from ..records import Record
from ..result import Picture
from .beside import Put
from .embed import embed, facts_of
from .originals import original
from .study import Study

_PATH: Final = re.compile(rf"({IMAGES}|{INPUTS})/[a-z0-9-]{{1,90}}-[0-9a-f]{{16}}\.[a-z0-9]{{1,5}}")
_SUFFIX: Final = re.compile(r"[a-z0-9]{1,5}")
_SUFFIXES: Final = MappingProxyType({"jpeg": "jpg", "tiff": "tif"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One picture in an export: `path` is below it; `remark` says why the file is not there, and is empty where it is.

    `sha256` and `size`, in bytes, are those of the copy, which are others than the original's where words were written
    into it.
    """

    path: str
    sha256: str
    size: int
    remark: str


Named = tuple[str, str]
Copies = Mapping[Named, Copy]
"""The copy of each picture that is shown and of each reference picture, as its line in the journal names it."""


def named(line: Kept | Input) -> Named:
    """The path that the store has for a picture, and the digest: two lines may say that other bytes are in one file."""
    return line.path, line.sha256


def copied(study: Study, put: Put) -> Copies:
    """Put every picture that is shown and every reference picture, each file once. Raises what `put` raises."""
    made: dict[Named, Copy] = {}
    for record in study.records:
        for folder, picture in _wanted(study, record):
            name = named(picture.kept)
            if name not in made:
                made[name] = _copy(study, picture, _path(folder, picture.kept, len(made)), put)
    return made


def _copy(study: Study, picture: Picture, path: str, put: Put) -> Copy:
    found = original(picture)
    if found.remark:
        return Copy(path=path, sha256=picture.sha256, size=picture.kept.bytes, remark=found.remark)
    data = found.data
    if path.startswith(IMAGES) and study.embed:
        data = embed(data, picture.format, facts_of(picture, study.catalogue), study.embed)
    put(path, data)
    return Copy(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data), remark="")


def _wanted(study: Study, record: Record) -> Iterator[tuple[str, Picture]]:
    if record.is_forgotten:
        return
    for picture in study.pictures_of(record):
        yield IMAGES, picture
    for given in record.call.inputs:
        yield INPUTS, _as_picture(record, given, study.store)


def _as_picture(record: Record, given: Input, store: Path) -> Picture:
    """A reference picture has a file and a digest like any other."""
    kept = Kept(id=record.id, index=0, path=given.path, sha256=given.sha256, bytes=given.bytes, format=given.format)
    return Picture(record, kept, store)


def _path(folder: str, kept: Kept, place: int) -> str:
    """Where the store has it, if it has a name that the store gives: another hand may have written anything there."""
    if _PATH.fullmatch(kept.path) and kept.path.startswith(folder):
        return kept.path
    return f"{folder}/picture-{place}.{suffix_of(kept.format)}"


def suffix_of(format: str) -> str:  # noqa: A002  (as Picture says it)
    """What the name of a file of this format ends in, without the dot; `bin` for a word that is no format."""
    return _SUFFIXES.get(format, format) if _SUFFIX.fullmatch(format) else "bin"
