"""The append-only log: one segment per kernel session, one JSON object per line.

A segment has one process that appends to it, so no lock is ever needed: two kernels, a network home directory and a
crash are plain cases. Every line is durable before anything else happens. docs/files.md describes the lines.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, final

import msgspec

from .blobs import JOURNAL, cannot, make_folder, sync_file, sync_folder

FOLDER: Final = JOURNAL
FORMAT: Final = 1
TORN: Final = ".torn"
"""What follows the name of a segment in that of the file to which its torn end was moved."""


Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number that a dataframe can hold; a line with another one is passed over like a torn one."""

CallId = str
"""The name of a call, of which the name of a file is made; a line with one that is no `_ID` is passed over."""

Below = str
"""The path of a file in the store, or nothing; a line with one that is no `_BELOW` is passed over: it may lead out."""

_ID: Final = re.compile(r"[A-Za-z0-9][\w-]{0,63}")
_BELOW: Final = re.compile(r"(?:(?:images|inputs)/(?!\.{1,2}$)[^/\\:\x00]+)?")

NOTHING: Final = msgspec.Raw(b"")
"""A JSON value that is not there: its field is left out of the line, by identity."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", gc=False):
    """What every line of a segment is. None can come to hold itself: the garbage collector need not look at them."""


@final
class Opened(Line, frozen=True, kw_only=True, tag="session", omit_defaults=False):
    """The first line: who writes this segment. A session that has to begin another segment keeps its name."""

    journal: int
    at: str
    version: str
    python: str
    host: str
    pid: int
    process_started: str | None
    session: str = ""


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A reference picture or a mask that was sent, kept in the store under this path."""

    role: str
    path: Below
    sha256: str
    bytes: Count
    format: str
    name: str


class Called(Line, frozen=True, kw_only=True, tag="call"):
    """A request is about to be posted."""

    id: CallId
    at: str
    n: Count
    params: msgspec.Raw
    provider: str
    base_url: str
    request_hash: str
    prompt: str
    model: str | None = None
    template: str | None = None
    variables: msgspec.Raw = NOTHING
    notebook: str | None = None
    cell_id: str | None = None
    execution_count: Count | None = None
    parent_id: str | None = None
    asked: msgspec.Raw = NOTHING
    defaults: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    tags: tuple[str, ...] = ()
    note: str | None = None


class Kept(Line, frozen=True, kw_only=True, tag="image"):
    """A picture is in the store, under this path below it."""

    id: CallId
    index: Count
    path: Below
    sha256: str
    bytes: Count
    format: str
    width: Count | None = None
    height: Count | None = None
    revised_prompt: str | None = None


class Ended(Line, frozen=True, kw_only=True, tag="done"):
    """The call is over; latency in seconds from before the first POST until the last picture was kept."""

    id: CallId
    at: str
    status: str
    latency_s: float
    attempts: Count
    error_class: str | None = None
    error_code: str | None = None
    error: str | None = None
    hint: str | None = None
    request_id: str | None = None
    usage: msgspec.Raw = NOTHING
    cost_usd: float | None = None
    cost_source: str | None = None


class Shown(Line, frozen=True, kw_only=True, tag="shown"):
    """In the mode `cache`, the record of an earlier session stood in for a call."""

    id: CallId
    at: str
    notebook: str | None = None
    cell_id: str | None = None
    execution_count: Count | None = None


class Mark(Line, frozen=True, kw_only=True):
    """What a person says of a call afterwards, or of one picture of it: that with this index."""

    id: CallId
    at: str
    index: Count | None = None


class Rated(Mark, frozen=True, kw_only=True, tag="rating"):
    """From 1 to 5; without one, the rating is taken back."""

    rating: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None


class Tagged(Mark, frozen=True, kw_only=True, tag="tag"):
    """A word that is added."""

    word: str


class Untagged(Mark, frozen=True, kw_only=True, tag="untag"):
    """A word that is taken away."""

    word: str


class Noted(Mark, frozen=True, kw_only=True, tag="note"):
    """A sentence, in the place of the one before; without one, that is taken away."""

    note: str | None = None


class Forgotten(Line, frozen=True, kw_only=True, tag="forget"):
    """The words and pictures of a call are removed; what else was written of it stays here, and nowhere else."""

    id: CallId
    at: str
    session: str
    call: Called
    version: str | None = None
    images: tuple[Kept, ...] = ()
    end: Ended | None = None


# O_BINARY, where it exists (Windows), keeps line ends as they are written.
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)

AnyLine = Opened | Called | Kept | Ended | Shown | Rated | Tagged | Untagged | Noted | Forgotten

_DECODER: Final = msgspec.json.Decoder(AnyLine)


def now() -> str:
    """The time as the journal writes it: UTC, ISO 8601, microseconds."""
    return _written(datetime.now(UTC))


def next_moment(at: str) -> str:
    """The time after this one, as the journal writes it; nothing for what is no time."""
    try:
        return _written(datetime.fromisoformat(at).astimezone(UTC) + timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return ""


def _written(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_id() -> str:
    """A name that sorts by time and that no other kernel chooses: `20261121T041500123456Z-9f3a2c1b`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"


class Segment:
    """The file that one session of one process appends to; it is made with its first line."""

    def __init__(self, store: Path, opened: Opened) -> None:
        self._folder = store / FOLDER
        self._opened = opened
        self._path = self._folder
        self._file: int | None = None
        self._under_way: dict[str, Called] = {}
        self._owed: tuple[Ended, ...] = ()

    @property
    def session(self) -> str:
        """The name of the session that writes here."""
        return self._opened.session

    def append(self, *lines: AnyLine) -> None:
        """Write the lines and wait until they are on disk. Raises StoreError."""
        whole = (*self._owed, *lines)
        try:
            if not self._is_open():
                self._open()
            self._write(whole)
            self._remember(whole)
            self._owed = ()
        except OSError as error:
            # What was written of a failed line stays a torn last line: the next line opens another segment, and
            # an end that could not be written is written there, or its call would seem to be running for ever.
            self._owed = tuple(line for line in whole if isinstance(line, Ended))
            self.close()
            raise cannot("write the journal in", self._folder, error) from None

    def close(self) -> None:
        """Close the file; the next line opens another segment."""
        file, self._file = self._file, None
        if file is not None:
            # Every line is on disk by now. Whatever the system says, the number is another file's from here on.
            with suppress(OSError):
                os.close(file)

    def _is_open(self) -> bool:
        """False as well when someone removed the store meanwhile: what is written to a removed file is lost."""
        try:
            return self._file is not None and os.path.samestat(self._path.stat(), os.fstat(self._file))
        except OSError:
            return False

    def _open(self) -> None:
        self.close()
        make_folder(self._folder)
        self._path = self._folder / f"{new_id()}.jsonl"
        self._file = os.open(self._path, _FLAGS, 0o666)
        # Calls that are under way are written again: their ends will stand in this segment.
        self._write((self._opened, *self._under_way.values()))
        sync_folder(self._folder)

    def _remember(self, lines: tuple[AnyLine, ...]) -> None:
        for line in lines:
            match line:
                case Called():
                    self._under_way[line.id] = line
                case Ended():
                    self._under_way.pop(line.id, None)

    def _write(self, lines: tuple[AnyLine, ...]) -> None:
        assert self._file is not None  # noqa: S101  (for the type checker; append opens first)
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        while data:
            data = data[os.write(self._file, data) :]
        sync_file(self._file)


def read_segment(path: Path) -> Iterator[AnyLine]:
    """The lines of one segment; a torn line and an event of a later version are passed over. Raises StoreError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot("read", path, error) from None
    return filter(None, map(line_of, data.split(b"\n")))


def line_of(text: bytes) -> AnyLine | None:
    """What one line says; None for one that is torn, of a later version, or names what it must not."""
    try:
        line = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return line if is_well_named(line) else None


def is_well_named(line: AnyLine) -> bool:
    """Whether its call and its files may be called so."""
    match line:
        case Opened():
            return True
        case Called():
            return _is_id(line.id) and all(_is_below(given.path) for given in line.inputs)
        case Kept():
            return _is_id(line.id) and _is_below(line.path)
        case Forgotten():
            parts = (line.call, *line.images, *((line.end,) if line.end else ()))
            return _is_id(line.id) and all(map(is_well_named, parts))
        case _:
            return _is_id(line.id)


def _is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None


def _is_below(path: str) -> bool:
    return _BELOW.fullmatch(path) is not None


def segments(store: Path) -> list[Path]:
    """The segments of a store, oldest first; none where there is no store. Raises StoreError."""
    return _listed(store, ".jsonl")


def stamp(store: Path) -> tuple[tuple[str, int, int], ...]:
    """Something that changes with every line that any kernel writes. Raises StoreError."""
    found = []
    for path in segments(store):
        with suppress(OSError):  # gone between the two looks
            about = path.stat()
            found.append((path.name, about.st_size, about.st_mtime_ns))
    return tuple(found)


def torn_ends(store: Path) -> list[Path]:
    """What `verify` moved out of segments: the ends of lines that a crash had cut. Raises StoreError."""
    return _listed(store, f".jsonl{TORN}")


def _listed(store: Path, ending: str) -> list[Path]:
    folder = store / FOLDER
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ending) and entry.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot("read", folder, error) from None
    return [folder / name for name in names]
