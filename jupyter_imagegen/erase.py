"""Forgetting a call: its pictures are deleted, and its lines overwritten with blanks in every segment.

Lines keep their length, so that a segment that another kernel is appending to is not disturbed. The tombstone is
written first: after a crash half way, forgetting once more does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .blobs import UNREAD, cannot, sync_file, sync_folder
from .journal import Called, Forgotten, Kept, now, read_segment, segments, torn_ends
from .records import Record
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


def erase(store: Path, record: Record, others: Iterable[Record]) -> Erased:
    """Remove what is left of a call whose tombstone is written. Raises StoreError."""
    rest = [other for other in others if other.id != record.id]
    used = {path for other in rest for path in _paths((other.call, *other.images))}
    logs = segments(store)
    own = dict.fromkeys(path for log in logs for path in _paths(_of(record.id, log)))
    unread = f"{UNREAD}/{record.id}.bin"
    removed = tuple(path for path in (*own, unread) if path not in used and _remove(store / path))
    return Erased(
        id=record.id,
        files=removed,
        lines=sum(_blank(log, record.id) for log in (*logs, *torn_ends(store))),
        shared=tuple(path for path in own if path in used),
        reruns=tuple(other.id for other in rest if other.parent_id == record.id and not other.is_forgotten),
    )


def _of(call_id: str, log: Path) -> Iterator[Called | Kept]:
    for line in read_segment(log):
        if isinstance(line, Called | Kept) and line.id == call_id:
            yield line


def _paths(lines: Iterable[Called | Kept]) -> Iterator[str]:
    """The files that these lines name, as far as they are below the store."""
    for line in lines:
        named = (line.path,) if isinstance(line, Kept) else tuple(each.path for each in line.inputs)
        yield from (path for path in named if path and not Path(path).is_absolute() and ".." not in Path(path).parts)


def _remove(path: Path) -> bool:
    try:
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise cannot("remove", path, error) from None
    return True


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
    """Where the lines of a call stand, but for its tombstone; a line that is torn is looked at too."""
    start = 0
    for text in data.split(b"\n"):
        if call_id.encode() in text and _is_about(text, call_id):
            yield start, start + len(text)
        start += len(text) + 1


def _is_about(text: bytes, call_id: str) -> bool:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        line = msgspec.json.decode(text)
        return isinstance(line, dict) and line.get("id") == call_id and line.get("event") != "forget"
    return b'"parent_id"' not in text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
