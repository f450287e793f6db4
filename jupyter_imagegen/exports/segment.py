"""The records of a study as one segment of a journal, which says nothing of the machine that it was written on.

Beside the pictures, in the folder of a store, it can be read as any history: `ig.history` on another machine shows
what this one showed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PureWindowsPath

import msgspec

from ..blobs import JOURNAL
from ..journal import FORMAT, AnyLine, Called, Ended, Forgotten, Input, Kept, Mark, Opened
from ..records import Record
from . import portable
from .copies import Copies, named
from .study import Study

PATH = f"{JOURNAL}/study.jsonl"


def segment(study: Study, copies: Copies) -> bytes:
    """The lines of all records, each session's behind a line of its own; they name the copies, with their digests."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in _lines(study, copies))


def _lines(study: Study, copies: Copies) -> Iterator[AnyLine | Mark]:
    session = None
    for record in study.records:
        if session != (record.session, record.version):
            session = (record.session, record.version)
            yield _opened(record)
        yield from _forgotten(record, study) if record.is_forgotten else _told(record, study, copies)


def _opened(record: Record) -> Opened:
    """The computer and its process are not named: no process of another one is them."""
    return Opened(
        journal=FORMAT,
        at=record.call.at,
        version=record.version or "",
        python="",
        host="",
        pid=0,
        process_started=None,
        session=record.session,
    )


def _told(record: Record, study: Study, copies: Copies) -> Iterator[AnyLine | Mark]:
    inputs = tuple(_input(given, copies) for given in record.call.inputs)
    yield msgspec.structs.replace(_placed(record.call), inputs=inputs)
    yield from (_kept(kept, copies) for kept in record.images)
    if record.end is not None:
        yield _ended(record.end, study)
    yield from record.marks


def _forgotten(record: Record, study: Study) -> Iterator[AnyLine]:
    yield Forgotten(
        id=record.id,
        # When it was forgotten is not in a record; it was before this.
        at=study.made_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        session=record.session,
        call=_placed(record.call),
        version=record.version,
        images=record.images,
        end=record.end,
    )


def _placed(call: Called) -> Called:
    """The call without what its address and the place of its notebook say of this machine."""
    return msgspec.structs.replace(
        call,
        base_url=portable.address(call.base_url),
        notebook=portable.notebook(call.notebook) if call.notebook else None,
    )


def _input(given: Input, copies: Copies) -> Input:
    return msgspec.structs.replace(given, path=copies[named(given)].path, name=PureWindowsPath(given.name).name)


def _kept(kept: Kept, copies: Copies) -> Kept:
    """The picture where its copy is. One that is not shown came all the same, and is named without a file."""
    copy = copies.get(named(kept))
    if copy is None:
        return kept
    return msgspec.structs.replace(kept, path=copy.path, sha256=copy.sha256, bytes=copy.size)


def _ended(end: Ended, study: Study) -> Ended:
    error, hint = (text and portable.sentence(text, study.store) for text in (end.error, end.hint))
    return msgspec.structs.replace(end, error=error, hint=hint)
