"""The lines of all segments -> Records: one for each call, with its pictures and how it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from . import marks as said
from .journal import AnyLine, Called, Ended, Forgotten, Kept, Mark, Opened, Shown, read_segment, segments
from .process import Process, is_alive


@dataclass(frozen=True, slots=True)
class Showing:
    """A record stood in for a call of a later session, at this time."""

    session: str
    at: str
    notebook: str | None
    cell_id: str | None
    execution_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record:
    """One call as its lines tell it: what was asked, the pictures that were kept, how it ended, what was said of it."""

    call: Called
    images: tuple[Kept, ...]
    end: Ended | None
    version: str | None
    session: str
    is_running: bool
    marks: tuple[Mark, ...] = ()
    showings: tuple[Showing, ...] = ()
    is_forgotten: bool = False

    def __repr__(self) -> str:
        return f"Record({self.id}, {self.status}, {self.provider} {self.model}, {len(self.images)} of {self.call.n})"

    @property
    def id(self) -> str:
        """The call id; ids sort by time."""
        return self.call.id

    @property
    def status(self) -> str:
        """ok, refused, failed, cancelled, unknown or running; a call without an end is unknown."""
        if self.end is not None:
            return self.end.status
        return "running" if self.is_running else "unknown"

    @property
    def error(self) -> str | None:
        """What went wrong, in one sentence; None where nothing did."""
        if self.end is None and not self.is_running:
            return "No end of this call was written. It may have been charged."
        return printable(self.end.error) if self.end is not None and self.end.error is not None else None

    @property
    def prompt(self) -> str:
        """The prompt as it was sent."""
        return self.call.prompt

    @property
    def model(self) -> str | None:
        """The model that was asked."""
        return self.call.model

    @property
    def provider(self) -> str:
        """The provider that was asked; custom for an address that was typed."""
        return self.call.provider

    @property
    def params(self) -> dict[str, Any]:
        """What was sent beside the prompt, decoded anew."""
        return _object(self.call.params) or {}

    @property
    def asked(self) -> dict[str, Any]:
        """The same in the words of OpenAI's API, which are those of the options, with the defaults that were sent."""
        asked = _object(self.call.asked)
        return self.params if asked is None else asked

    @property
    def chosen(self) -> dict[str, Any]:
        """Model, n and fields as a person chose them, in those words: without what the catalogue added."""
        return {name: value for name, value in self.asked.items() if name not in self.call.defaults}

    @property
    def cost_usd(self) -> float | None:
        """US dollars for the whole call; None where that is not known."""
        return self.end.cost_usd if self.end is not None else None

    @property
    def variables(self) -> dict[str, str] | None:
        """The values of the prompt's {{names}}; None where it had none."""
        return _object(self.call.variables)

    @property
    def usage(self) -> dict[str, Any] | None:
        """The tokens that the provider counted; None where it said nothing."""
        return _object(self.end.usage) if self.end is not None else None

    @property
    def notebook(self) -> str:
        """The notebook that asked, or else the session."""
        return self.call.notebook or f"session {self.session}"

    @property
    def parent_id(self) -> str | None:
        """The call that this one asked again; None for one that is its own."""
        return self.call.parent_id

    @property
    def tags(self) -> tuple[str, ...]:
        """Words, those given with the call and later ones."""
        return self.tags_of(None)

    @property
    def note(self) -> str | None:
        """The last sentence that was noted."""
        return self.note_of(None)

    @property
    def rating(self) -> int | None:
        """From 1 to 5; None for none."""
        return self.rating_of(None)

    def tags_of(self, index: int | None) -> tuple[str, ...]:
        """The words of the call, and those of the picture with this index."""
        return said.tags(self.call, self.marks, index)

    def note_of(self, index: int | None) -> str | None:
        """The sentence of the picture with this index, or else of the call."""
        return said.note(self.call, self.marks, index)

    def rating_of(self, index: int | None) -> int | None:
        """The rating of the picture with this index, or else of the call."""
        return said.rating(self.marks, index)


def printable(text: str) -> str:
    """A text of the journal without control characters: a terminal would carry them out."""
    return _CONTROL.sub("", text)


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    """The JSON object that stands there; None for none, and for what another hand or a bad disk put in its place."""
    if not raw:
        return None
    try:
        decoded = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def read(store: Path) -> tuple[Record, ...]:
    """All calls of a store, oldest first. Raises StoreError when the folder cannot be read."""
    found = fold((read_segment(path) for path in segments(store)), is_alive)
    return tuple(sorted(found, key=lambda record: record.id))


@dataclass(slots=True)
class _Lines:
    """The lines about one call, while they are being collected."""

    call: Called | None = None
    writer: Opened | None = None
    images: dict[int, Kept] = field(default_factory=dict)
    end: Ended | None = None
    marks: list[Mark] = field(default_factory=list)
    showings: list[Showing] = field(default_factory=list)
    tombstone: Forgotten | None = None

    def take(self, line: AnyLine, writer: Opened | None) -> None:
        match line:
            case Called():
                self.call, self.writer = line, writer
            case Kept():
                self.images[line.index] = line
            case Ended():
                self.end = line
            case Mark():
                self.marks.append(line)
            case Shown():
                self.showings.append(_showing(line, writer))
            case Forgotten():
                self.tombstone = line


def fold(logs: Iterable[Iterable[AnyLine]], alive: Callable[[Process], bool]) -> Iterator[Record]:
    """The records of several segments; `alive` says whether the process that wrote one may still be at a call.

    A call may begin in one segment and end in another of the same session: where a line could not be written, the
    next one opens a new segment. What is said of it afterwards may be in that of any session.
    """
    calls: dict[str, _Lines] = {}
    for lines in logs:
        opened: Opened | None = None
        for line in lines:
            if isinstance(line, Opened):
                opened = line
            else:
                calls.setdefault(line.id, _Lines()).take(line, opened)
    lives = cache(alive)
    for about in calls.values():
        if about.tombstone is not None:
            yield _forgotten(about.tombstone)
        elif about.call is not None:
            yield _record(about, about.call, lives)


def _record(about: _Lines, call: Called, lives: Callable[[Process], bool]) -> Record:
    end, writer = about.end, about.writer
    return Record(
        call=call,
        images=tuple(about.images[place] for place in sorted(about.images)),
        end=end,
        version=writer.version if writer else None,
        session=_session(writer),
        is_running=end is None and writer is not None and lives(_process(writer)),
        marks=tuple(sorted(about.marks, key=lambda mark: mark.at)),
        showings=tuple(about.showings),
    )


def _forgotten(stone: Forgotten) -> Record:
    return Record(
        call=stone.call,
        images=stone.images,
        end=stone.end,
        version=stone.version,
        session=stone.session,
        is_running=False,
        is_forgotten=True,
    )


def _showing(line: Shown, writer: Opened | None) -> Showing:
    return Showing(_session(writer), line.at, line.notebook, line.cell_id, line.execution_count)


def _session(opened: Opened | None) -> str:
    """The name of a session; one of an earlier version has none, and is known by when it began."""
    return opened.session or opened.at if opened is not None else "unknown"


def _process(opened: Opened) -> Process:
    return Process(opened.host, opened.pid, opened.process_started)
