"""Forgetting a call: its pictures are deleted, and its lines overwritten with blanks in every segment.

Lines keep their length, so that a segment that another kernel is appending to is not disturbed. The tombstone is
written first: after a crash half way, forgetting once more does the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .blobs import ARRIVING, IMAGES, UNREAD, cannot, read_file, slug, sync_file, sync_folder, unfinished, write
from .journal import Called, Forgotten, Kept, now, read_segment, segments, torn_ends
from .records import Record, read
from .tombstone import bare_call, bare_end, bare_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was removed of a call."""

    id: str
    files: tuple[str, ...]
    """Paths below the store."""
    lines: int
    shared: tuple[str, ...]
    """Files that stay, as another call has the same."""
    reruns: tuple[str, ...]
    """Calls that asked the same again, and have words of their own."""

    def __repr__(self) -> str:
        removed = f"{_count(len(self.files), 'file')} and {_count(self.lines, 'line')} of the journal"
        shared = f" {_count(len(self.shared), 'file')} stayed: other calls have the same." if self.shared else ""
        if self.reruns:
            shared += f" What asked it again is still there: {', '.join(self.reruns)}."
        elsewhere = "Notebooks, exports, copies and backups that show it are not changed."
        return f"{self.id} is forgotten: {removed} removed.{shared} {elsewhere}"


def tombstone(record: Record) -> Forgotten:
    """What stays of a call."""
    return Forgotten(
        id=record.id,
        at=now(),
        session=record.session,
        call=bare_call(record.call),
        version=record.version,
        images=tuple(map(bare_picture, record.images)),
        end=record.end and bare_end(record.end),
    )


def erase(store: Path, record: Record) -> Erased:
    """Remove what is left of a call whose tombstone is written. Raises StoreError."""
    rest = _others(store, record)
    used = set(_paths_of(rest))
    own = dict.fromkeys(path for log in segments(store) for path in _paths(_of(record.id, log)))
    removed = tuple(_removed(store, (*own, f"{UNREAD}/{record.id}.bin"), record, used))
    lines = sum(_blank(log, record.id) for log in (*segments(store), *torn_ends(store)))
    return Erased(
        id=record.id,
        files=(*removed, *_halves(store, record.id, own), *_orphans(store, record)),
        lines=lines,
        shared=tuple(path for path in own if path in used),
        reruns=tuple(other.id for other in rest if other.parent_id == record.id and not other.is_forgotten),
    )


def _others(store: Path, record: Record) -> tuple[Record, ...]:
    return tuple(other for other in read(store) if other.id != record.id)


def _of(call_id: str, log: Path) -> Iterator[Called | Kept]:
    for line in read_segment(log):
        if isinstance(line, Called | Kept) and line.id == call_id:
            yield line


def _paths(lines: Iterable[Called | Kept]) -> Iterator[str]:
    """The files that these lines name."""
    for line in lines:
        named = (line.path,) if isinstance(line, Kept) else tuple(each.path for each in line.inputs)
        yield from (path for path in named if path)


def _paths_of(records: Iterable[Record]) -> Iterator[str]:
    return (path for record in records for path in _paths((record.call, *record.images)))


def _removed(store: Path, paths: Iterable[str], record: Record, used: Container[str]) -> Iterator[str]:
    for path in paths:
        data = None if path in used else _taken_away(store / path)
        if data is not None:
            if path in _paths_of(_others(store, record)):
                # Another kernel was given the same picture meanwhile, and found it there already.
                write(store / path, data)
            else:
                yield path


def _taken_away(path: Path) -> bytes | None:
    """Delete a file and return what was in it; None where there is none, or a link leads to another folder."""
    if not _is_in_store(path):
        return None
    try:
        data = read_file(path) if path.is_file() else b""
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise cannot("remove", path, error) from None
    return data


def _is_in_store(path: Path) -> bool:
    """Whether the folder is the store's own, and can have such a file."""
    try:
        return path.parent.resolve().parent == path.parents[1].resolve() and os.path.lexists(path) and not path.is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def _halves(store: Path, call_id: str, paths: Iterable[str]) -> Iterator[str]:
    """Remove what crashes left of a call and of these files: temporary ones, whose names begin like theirs."""
    begun = (f".{ARRIVING}-{call_id}.", *(f".{Path(path).name[:40]}." for path in paths))
    for half in (*unfinished(store), *sorted((store / IMAGES).glob(f"{begun[0]}*"))):
        if half.name.startswith(begun) and _taken_away(half) is not None:
            yield half.relative_to(store).as_posix()


def _orphans(store: Path, record: Record) -> Iterator[str]:
    """Remove pictures of the same words that no line names: a crash between a file and its line leaves them."""
    named = set(_paths_of(_others(store, record)))
    words = slug(record.prompt)
    if words == slug(""):  # a prompt in other letters than a to z, like many others
        return
    own = re.compile(rf"{re.escape(words)}-[0-9a-f]{{16}}\.[a-z]+")
    for path in sorted((store / IMAGES).glob("*")):
        below = f"{IMAGES}/{path.name}"
        if own.fullmatch(path.name) and below not in named and _taken_away(path) is not None:
            yield below


def _blank(log: Path, call_id: str) -> int:
    """Overwrite the lines of a call; how many they were."""
    try:
        spans = tuple(_spans(log.read_bytes(), call_id))
        if spans:
            with log.open("r+b") as file:
                for start, end in spans:
                    file.seek(start)
                    file.write(b" " * (end - start))
                file.flush()
                sync_file(file.fileno())
    except OSError as error:
        raise cannot("overwrite", log, error) from None
    return len(spans)


def _spans(data: bytes, call_id: str) -> Iterator[tuple[int, int]]:
    """Where the lines of a call stand, but for its tombstone; also the half of one that a crash cut."""
    about = re.compile(rb'"id"\s*:\s*"%s"' % re.escape(call_id.encode()))
    start = 0
    for text in data.split(b"\n"):
        if about.search(text) and not _TOMBSTONE.match(text):
            yield start, start + len(text)
        start += len(text) + 1


_TOMBSTONE: Final = re.compile(rb'\s*\{\s*"event"\s*:\s*"forget"')


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
