"""The lines of all segments -> Records: one for each call, with its pictures and how it ended."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice, pairwise
from operator import attrgetter, lt
from pathlib import Path
from typing import Any, Final

import msgspec

from . import marks as said
from .collector import held_off
from .journal import AnyLine, Called, Ended, Forgotten, Kept, Mark, segments
from .process import Process, is_alive
from .reading import Chapter, Passage, chapter
from .told import Showing, Told, in_place, in_time, told


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
        return json_object(self.call.params) or {}

    @property
    def asked(self) -> dict[str, Any]:
        """The same in the words of OpenAI's API, which are those of the options, with the defaults that were sent."""
        asked = json_object(self.call.asked)
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
        return json_object(self.call.variables)

    @property
    def usage(self) -> dict[str, Any] | None:
        """The tokens that the provider counted; None where it said nothing."""
        return json_object(self.end.usage) if self.end is not None else None

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


def json_object(raw: msgspec.Raw | bytes) -> dict[str, Any] | None:
    """The JSON object that stands there; None for none, and for what another hand or a bad disk put in its place."""
    if not raw:
        return None
    try:
        decoded = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


# --- what some lines say


class _Loose(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What lines say of a call that began elsewhere."""

    images: tuple[Kept, ...]
    end: Ended | None
    marks: tuple[Mark, ...]
    showings: tuple[Showing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The calls of some lines by their ids, as far as these lines tell them."""

    begun: Mapping[str, Record]
    """None of them is said to be running: that is found out when all is known of it."""
    loose: Mapping[str, _Loose]
    open: Mapping[str, Process]
    """In which process a call may be running that did not end here."""


def _part_of(passage: Passage) -> _Part:
    return _part(told(passage.lines, passage.writer))


def _part(lines: Told) -> _Part:
    begun = {name: _record(name, call, lines) for name, call in lines.calls.items()}
    begun.update((name, _forgotten(stone)) for name, stone in lines.tombstones.items())
    loose = {name: _loose(name, lines) for name in lines.loose()}
    unended = [name for name in lines.calls if name not in lines.ends and name not in lines.tombstones]
    processes = ((name, lines.writers[name].process) for name in unended)
    return _Part(begun, loose, {name: process for name, process in processes if process is not None})


def _record(name: str, call: Called, lines: Told) -> Record:
    writer = lines.writers[name]
    return Record(
        call=call,
        images=lines.images.get(name, ()),
        end=lines.ends.get(name),
        version=writer.version,
        session=writer.session,
        is_running=False,
        marks=lines.marks.get(name, ()),
        showings=lines.showings.get(name, ()),
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


def _loose(name: str, lines: Told) -> _Loose:
    return _Loose(
        images=lines.images.get(name, ()),
        end=lines.ends.get(name),
        marks=lines.marks.get(name, ()),
        showings=lines.showings.get(name, ()),
    )


# --- what all of them say together

Lives = Callable[[Process], bool]


@dataclass(frozen=True, slots=True, eq=False)
class _Calls:
    """All calls in the order of their ids, and the processes of those that are running."""

    records: tuple[Record, ...]
    running: Mapping[str, Process]


def fold(logs: Iterable[Iterable[AnyLine]], alive: Lives) -> tuple[Record, ...]:
    """The records of several segments, in the order of their ids; `alive` says whether a process may be at a call.

    A call may begin in one segment and end in another of the same session: where a line could not be written, the
    next one opens a new segment. What is said of it afterwards may be in that of any session.
    """
    return _folded(tuple(_part(told(tuple(lines), None)) for lines in logs), cache(alive)).records


def _folded(parts: tuple[_Part, ...], lives: Lives) -> _Calls:
    """What all parts say. Nearly every call stands in one part, and has ended there; the others are put together."""
    names = list(chain.from_iterable(part.begun for part in parts))
    apart = {name for part in parts for name in part.loose}
    apart.update(name for part in parts for name, process in part.open.items() if lives(process))
    is_in_order = all(map(lt, names, islice(names, 1, None)))
    if not is_in_order:
        apart.update(name for name, other in pairwise(sorted(names)) if name == other)
    if is_in_order and not apart:
        return _Calls(tuple(chain.from_iterable(part.begun.values() for part in parts)), {})
    joined = _joined(parts, apart, lives)
    found = {name: record for part in parts for name, record in part.begun.items() if name not in apart}
    found.update((record.id, record) for record in joined.records)
    return _Calls(tuple(found[name] for name in sorted(found)), joined.running)


def _joined(parts: tuple[_Part, ...], names: AbstractSet[str], lives: Lives) -> _Calls:
    """What all parts say of these calls."""
    said: dict[str, list[Record | _Loose]] = {}
    processes: dict[str, Process | None] = {}
    for part in parts:
        for name in names & part.begun.keys():
            said.setdefault(name, []).append(part.begun[name])
            processes[name] = part.open.get(name)
        for name in names & part.loose.keys():
            said.setdefault(name, []).append(part.loose[name])
    found = {name: _whole(said[name]) for name in processes}
    unended = {name: process for name in found if found[name].end is None and (process := processes[name])}
    running = {name: process for name, process in unended.items() if lives(process)}
    found.update((name, msgspec.structs.replace(found[name], is_running=True)) for name in running)
    return _Calls(tuple(found[name] for name in sorted(found)), running)


def _whole(said: Sequence[Record | _Loose]) -> Record:
    """One call, of which at least one part tells that it began; once it is forgotten, nothing else counts."""
    records = [each for each in said if isinstance(each, Record)]
    forgotten = [record for record in records if record.is_forgotten]
    if forgotten:
        return forgotten[-1]
    if len(said) == 1:
        return records[0]
    return msgspec.structs.replace(
        records[-1],
        images=in_place(kept for each in said for kept in each.images),
        end=next((each.end for each in reversed(said) if each.end is not None), None),
        marks=in_time(mark for each in said for mark in each.marks),
        showings=tuple(showing for each in said for showing in each.showings),
    )


# --- what is remembered of a store


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A store as it was when it was last read: its segments by their names, the oldest first."""

    chapters: Mapping[str, Chapter[_Part]]
    calls: _Calls

    def parts(self) -> tuple[_Part, ...]:
        """Those of all segments."""
        return tuple(chain.from_iterable(each.parts for each in self.chapters.values()))


_MOST_STORES: Final = 4
_FEW: Final = 100
"""Calls that are put together one by one; all at once is faster for most of a history."""
_NOTHING: Final = _Known({}, _Calls((), {}))
_stores: dict[Path, _Known] = {}
"""Replaced in one go and never changed: threads that read at once, and an interrupt, cost work and nothing else."""


def read(store: Path) -> tuple[Record, ...]:
    """All calls of a store, oldest first; the very same tuple for as long as nothing changes.

    Only lines that were written since are read, and only the calls that they tell of are made anew. Raises StoreError
    when the folder cannot be read.
    """
    global _stores  # noqa: PLW0603  (the memory of this process)
    name = store.absolute()
    before = _stores.get(name, _NOTHING)
    with held_off():
        chapters = {path.name: chapter(path, before.chapters.get(path.name), _part_of) for path in segments(store)}
        now = _renewed(before, chapters, cache(is_alive))
    if now is not before:
        others = [(other, known) for other, known in _stores.items() if other != name]
        _stores = dict((*others[1 - _MOST_STORES :], (name, now)))
    return now.calls.records


def _renewed(before: _Known, chapters: Mapping[str, Chapter[_Part]], lives: Lives) -> _Known:
    touched = {name for name, process in before.calls.running.items() if not lives(process)}
    if chapters == before.chapters and not touched:
        return before
    now = _Known(chapters, before.calls)
    if before.chapters:
        touched |= _touched(before.parts(), now.parts())
    if not before.chapters or len(touched) > _FEW + len(before.calls.records) // 8:
        return replace(now, calls=_folded(now.parts(), lives))
    joined = _joined(now.parts(), touched, lives)
    others = {name: process for name, process in before.calls.running.items() if name not in touched}
    records = _spliced(before.calls.records, {record.id: record for record in joined.records}, touched)
    return replace(now, calls=_Calls(records, {**others, **joined.running}))


def _touched(before: tuple[_Part, ...], now: tuple[_Part, ...]) -> AbstractSet[str]:
    """The calls of which the parts do not say the same any more."""
    was, is_ = _said(before, frozenset(now)), _said(now, frozenset(before))
    return {name for name in was.keys() | is_.keys() if was.get(name) != is_.get(name)}


def _said(parts: Iterable[_Part], others: AbstractSet[_Part]) -> dict[str, list[object]]:
    """What is said of each call by the parts that are not among those others."""
    found: dict[str, list[object]] = {}
    for part in parts:
        if part not in others:
            for name, each in chain(part.begun.items(), part.loose.items(), part.open.items()):
                found.setdefault(name, []).append(each)
    return found


def _spliced(records: tuple[Record, ...], news: Mapping[str, Record], names: Iterable[str]) -> tuple[Record, ...]:
    """The records with these calls as they are now; what is as it was stays the same object."""
    found, is_new = list(records), False
    for name in sorted(names):
        place = bisect_left(found, name, key=attrgetter("call.id"))
        was = [record for record in found[place : place + 1] if record.id == name]
        new = [news[name]] if name in news else []
        if was != new:
            found[place : place + len(was)] = new
            is_new = True
    return tuple(found) if is_new else records
