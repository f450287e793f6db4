"""What a segment says, read on from where it was left: only what is new is read again.

A segment is read in passages of some hundred calls: what a passage is made into is made while it lies in the
processor's cache, and its bytes are gone before the next one comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Final, Generic, TypeVar

import msgspec

from .blobs import cannot
from .journal import NOTHING, AnyLine, Called, Ended, Forgotten, Opened, line_of

_LENGTH: Final = 256 * 1024
"""Bytes of a passage, as far as its last call allows."""
_TAIL: Final = 16 * 1024
"""Bytes at the end of what was read that are compared before more is read."""
_CALL: Final = b'\n{"event":"call"'
_COARSEST_CLOCK_NS: Final = 20_000_000
"""Within so much, two changes of a file can bear the same time: a tick of the system's clock, and some to spare."""

_DECODER: Final = msgspec.json.Decoder(AnyLine)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """How a segment was found: a file with another stamp is another one, or was written to."""

    size: int
    written_ns: int
    changed_ns: int
    inode: int
    is_settled: bool = field(compare=False)
    """Whether a later change would show in the times: what is being written can be written again within one tick."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Some lines of a segment, which `start` at this byte, and who was named as the writer before them.

    Their names are not looked at yet.
    """

    start: int
    data: bytes
    writer: Opened | None
    lines: tuple[AnyLine, ...]


@dataclass(frozen=True, slots=True)
class _Bookmark:
    """How far a segment was read: the last passage of it, and who was named as the writer before that."""

    stamp: _Stamp
    start: int
    end: int
    tail: bytes
    """What stands before that end."""
    writer: Opened | None


Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, eq=False)
class Chapter(Generic[Part]):
    """A segment, as far as it was read: what was made of each of its passages."""

    mark: _Bookmark
    parts: tuple[Part, ...]


def chapter(path: Path, before: Chapter[Part] | None, part_of: Callable[[Passage], Part]) -> Chapter[Part]:
    """The segment as it is now, of which only what is new is read; the same as before where nothing is.

    Raises StoreError.
    """
    stamp, known = _stamp_of(path), None if before is None else before.mark
    if before is not None and before.mark.stamp == stamp and before.mark.stamp.is_settled:
        return before
    mark, parts = _Bookmark(stamp, 0, 0, b"", None), list[Part]()
    for passage in _passages(path, stamp, known):
        if before is not None and not parts and passage.start == before.mark.start:
            parts.extend(before.parts[:-1])
        parts.append(part_of(passage))
        end = passage.start + len(passage.data)
        mark = _Bookmark(stamp, passage.start, end, passage.data[-_TAIL:], passage.writer)
    return Chapter(mark, tuple(parts))


def _stamp_of(path: Path) -> _Stamp:
    """How a segment is found now. Raises StoreError."""
    now = time.time_ns()
    try:
        about = path.stat()
    except OSError as error:
        raise cannot("read", path, error) from None
    is_settled = now - about.st_mtime_ns > _COARSEST_CLOCK_NS
    return _Stamp(about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, is_settled)


def _passages(path: Path, stamp: _Stamp, mark: _Bookmark | None) -> Iterator[Passage]:
    """The passages of a segment from that of the bookmark on, which may be longer by now.

    All of them, without a bookmark and where the segment is not what it was. Raises StoreError.
    """
    try:
        with path.open("rb", buffering=0) as file:
            known = mark if mark is not None and _is_there(mark, stamp, file) else None
            start, writer = (known.start, known.writer) if known is not None else (0, None)
            file.seek(start)
            for data in _pieces(file):
                lines = _lines_of(data)
                yield Passage(start, data, writer, lines)
                start += len(data)
                writer = [writer, *(line for line in lines if type(line) is Opened)][-1]
    except OSError as error:
        raise cannot("read", path, error) from None


def _is_there(mark: _Bookmark, stamp: _Stamp, file: IO[bytes]) -> bool:
    """Whether what was read of a segment is still there, with or without more lines behind it.

    A segment is appended to; what else happens to it leaves its size, makes it shorter, or makes another file of it.
    """
    grew = stamp.inode == mark.stamp.inode and stamp.size > mark.stamp.size
    if not grew and stamp != mark.stamp:
        return False
    file.seek(mark.end - len(mark.tail))
    return file.read(len(mark.tail)) == mark.tail


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What follows in a file, in pieces of whole lines; where it can be, the lines of one call are in one piece."""
    begun: list[bytes] = []
    while data := file.read(_LENGTH):
        is_last = len(data) < _LENGTH
        cut = 0 if is_last else data.rfind(_CALL) + 1 or data.rfind(b"\n") + 1
        if cut:
            yield b"".join((*begun, data[:cut]))
            begun.clear()
        begun.append(data[cut:])
    if any(begun):
        yield b"".join(begun)


def _lines_of(data: bytes) -> tuple[AnyLine, ...]:
    """What many lines say, as `line_of` does it for each, in a fraction of the time; but any name may stand in them."""
    try:
        lines = _DECODER.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = []
    # A line that holds half a value, or two of them, is no line.
    if len(lines) != data.count(b"\n"):
        return tuple(line for text in data.split(b"\n") if (line := line_of(text)) is not None)
    _settle(lines)
    return tuple(lines)


def _settle(lines: Sequence[AnyLine]) -> None:
    """Bring lines to take no more room than they need, before anybody has seen them.

    What they keep as it stands would hold all the bytes that were read; and what one says in the words of the one
    before it, they share: a third of a history is said again and again.
    """
    stones = [line for line in lines if type(line) is Forgotten]
    calls = [line for line in lines if type(line) is Called]
    ends = [line for line in lines if type(line) is Ended]
    for call in (*calls, *(stone.call for stone in stones)):
        _own(call, "params", call.params.copy())
        if call.variables is not NOTHING:
            _own(call, "variables", call.variables.copy())
        if call.asked is not NOTHING:
            _own(call, "asked", call.asked.copy())
    for end in (*ends, *(stone.end for stone in stones if stone.end is not None)):
        if end.usage is not NOTHING:
            _own(end, "usage", end.usage.copy())
    _share_calls(calls)
    _share_ends(ends)


def _share_calls(calls: Sequence[Called]) -> None:
    for was, call in pairwise(calls):
        if call.provider == was.provider:
            _own(call, "provider", was.provider)
        if call.base_url == was.base_url:
            _own(call, "base_url", was.base_url)
        if call.model == was.model:
            _own(call, "model", was.model)
        if call.notebook == was.notebook:
            _own(call, "notebook", was.notebook)
        if call.template == was.template:
            _own(call, "template", was.template)


def _share_ends(ends: Sequence[Ended]) -> None:
    for was, end in pairwise(ends):
        if end.status == was.status:
            _own(end, "status", was.status)
        if end.cost_source == was.cost_source:
            _own(end, "cost_source", was.cost_source)


_own: Final = msgspec.structs.force_setattr
