"""Lines, sorted by what they are and by the call that they tell of. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, TypeVar, get_args

import msgspec

from .journal import AnyLine, Called, Ended, Forgotten, Kept, Mark, Opened, Shown, is_well_named
from .process import Process


class Showing(msgspec.Struct, frozen=True, gc=False):
    """A record stood in for a call of a later session, at this time."""

    session: str
    at: str
    notebook: str | None
    cell_id: str | None
    execution_count: int | None


@dataclass(frozen=True, slots=True)
class Writer:
    """The session that lines are of; one of an earlier version has no name, and is known by when it began."""

    version: str | None
    session: str
    process: Process | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What some lines tell, by the ids of the calls; where several tell the same of one, the last."""

    calls: Mapping[str, Called]
    writers: Mapping[str, Writer]
    """Of the calls."""
    images: Mapping[str, tuple[Kept, ...]]
    """In the order of the ask."""
    ends: Mapping[str, Ended]
    marks: Mapping[str, tuple[Mark, ...]]
    """In the order of time."""
    showings: Mapping[str, tuple[Showing, ...]]
    tombstones: Mapping[str, Forgotten]

    def loose(self) -> frozenset[str]:
        """The calls of which something is told, but not that they began."""
        whole, parts = self.calls.keys(), (self.images, self.ends, self.marks, self.showings)
        # Most often there are none, and that is seen at once.
        loose = [part.keys() - whole for part in parts if not part.keys() <= whole]
        return frozenset[str]().union(*loose) - self.tombstones.keys()


def told(lines: Sequence[AnyLine], opened: Opened | None) -> Told:
    """What these lines tell; `opened` says whose the first of them are.

    A line about a call or a file that may not be called so is passed over.
    """
    found = _sorted(lines, opened)
    return found if _is_well_named(found) else _sorted(tuple(filter(is_well_named, lines)), opened)


def _sorted(lines: Sequence[AnyLine], opened: Opened | None) -> Told:
    # A long history has a million lines: they are gone through once, and asked for nothing but their type.
    kinds = defaultdict[type[AnyLine], list[Any]](list)
    for line in lines:
        kinds[type(line)].append(line)
    runs = tuple(_runs(lines, opened)) if kinds[Opened] else ((_writer(opened), lines),)
    calls = {line.id: line for line in kinds[Called]}
    marks: list[Any] = [line for line in lines if type(line) in _MARKS] if kinds.keys() & _MARKS else []
    return Told(
        calls=calls,
        writers=_writers(runs) if len(runs) > 1 else dict.fromkeys(calls, runs[0][0]),
        images=_images(kinds[Kept]),
        ends={line.id: line for line in kinds[Ended]},
        marks={name: in_time(said) for name, said in _by_call((mark.id, mark) for mark in marks).items()},
        showings=_by_call(_showings(runs)) if kinds[Shown] else {},
        tombstones={line.id: line for line in kinds[Forgotten]},
    )


_MARKS: Final = frozenset(kind for kind in get_args(AnyLine) if issubclass(kind, Mark))

# Of many names at once, each with a line break behind it, that every one is such as `is_well_named` lets pass.
_IDS: Final = re.compile(rb"(?:[A-Za-z0-9][A-Za-z0-9_-]{0,63}\n)*")
_PATHS: Final = re.compile(rb"(?:(?:images|inputs)/[^/\\:\x00\n.][^/\\:\x00\n]*\n)*")


def _is_well_named(found: Told) -> bool:
    """Whether it is seen at once that all calls and files are well named; False where each has to be looked at."""
    paths = [kept.path for images in found.images.values() for kept in images]
    rest: list[AnyLine] = [*(call for call in found.calls.values() if call.inputs), *found.tombstones.values()]
    names = (*found.calls, *found.loose())
    return _all_fit(_IDS, names) and _all_fit(_PATHS, paths) and all(map(is_well_named, rest))


def _all_fit(pattern: re.Pattern[bytes], names: Sequence[str]) -> bool:
    joined = "\n".join((*names, "")).encode("utf-8", "surrogatepass")
    return joined.count(b"\n") == len(names) and pattern.fullmatch(joined) is not None


def in_time(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """The marks in the order in which they were made; those of one moment stay as they are."""
    return tuple(sorted(marks, key=attrgetter("at")))


def in_place(images: Iterable[Kept]) -> tuple[Kept, ...]:
    """The pictures in the order of the ask; of several at one place, the last."""
    by_index = {kept.index: kept for kept in images}
    return tuple(by_index[index] for index in sorted(by_index))


def _images(lines: Sequence[Kept]) -> Mapping[str, tuple[Kept, ...]]:
    found = {line.id: (line,) for line in lines}
    if len(found) == len(lines):
        return found
    return {name: in_place(images) for name, images in _by_call((line.id, line) for line in lines).items()}


def _runs(lines: Sequence[AnyLine], opened: Opened | None) -> Iterator[tuple[Writer, Sequence[AnyLine]]]:
    """The lines of one session after the other: most often, of one alone."""
    openings = [(place, line) for place, line in enumerate(lines) if type(line) is Opened]
    for (start, first), (end, _) in pairwise(((0, opened), *openings, (len(lines), None))):
        if start < end:
            yield _writer(first), lines[start:end]


def _writers(runs: Iterable[tuple[Writer, Sequence[AnyLine]]]) -> dict[str, Writer]:
    return {line.id: writer for writer, run in runs for line in run if type(line) is Called}


def _writer(opened: Opened | None) -> Writer:
    if opened is None:
        return Writer(None, "unknown", None)
    process = Process(opened.host, opened.pid, opened.process_started)
    return Writer(opened.version, opened.session or opened.at, process)


def _showings(runs: Iterable[tuple[Writer, Sequence[AnyLine]]]) -> Iterator[tuple[str, Showing]]:
    for writer, run in runs:
        for line in run:
            if type(line) is Shown:
                yield line.id, Showing(writer.session, line.at, line.notebook, line.cell_id, line.execution_count)


Thing = TypeVar("Thing")


def _by_call(pairs: Iterable[tuple[str, Thing]]) -> dict[str, tuple[Thing, ...]]:
    found: dict[str, list[Thing]] = {}
    for name, thing in pairs:
        found.setdefault(name, []).append(thing)
    return {name: tuple(things) for name, things in found.items()}
