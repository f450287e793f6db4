"""The lines of all segments against each other: calls that are not whole, and words that were changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ..journal import AnyLine, Called, Ended, Forgotten, Input, Kept, Noted, Opened, Tagged, Untagged
from ..request import FINGERPRINT, MANNERS, fingerprint
from .findings import Finding
from .lines import Log

Lines = list[tuple[AnyLine, Log]]

_WITH_WORDS: Final = (Called, Kept, Ended, Tagged, Untagged, Noted)
"""Lines in which the prompt or what a person wrote can stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file that a line names, and what the line says of it; `size` is None where it does not speak of one."""

    call: str
    path: str
    segment: str
    sha256: str
    bytes: int
    format: str
    size: tuple[int | None, int | None] | None


def by_call(logs: Iterable[Log]) -> dict[str, Lines]:
    """The lines of each call, by its id."""
    calls: dict[str, Lines] = {}
    for log in logs:
        for line in log.lines:
            if not isinstance(line, Opened):
                calls.setdefault(line.id, []).append((line, log))
    return calls


def faults(call: str, lines: Lines) -> Iterator[Finding]:
    """What there is to say of one call, from its lines alone."""
    stones = [(line, log) for line, log in lines if isinstance(line, Forgotten)]
    begun = [(line, log) for line, log in lines if isinstance(line, Called)]
    if stones:
        yield from _of_forgotten(call, lines, stones)
        return
    yield from _of_places(call, lines)
    if not begun:
        yield _loose(call, lines)
        return
    yield from _of_beginnings(begun)
    yield from _of_ends(call, lines)
    if not any(isinstance(line, Ended) for line, _ in lines) and not is_running(lines):
        says = "No end of it was written: its outcome is unknown, and it may have been charged."
        yield Finding(kind="open", path="", call=call, says=says)


def is_running(lines: Lines) -> bool:
    """Whether a call is under way in a process that lives."""
    is_begun = any(isinstance(line, Called) and log.lives for line, log in lines)
    return is_begun and not any(isinstance(line, Ended | Forgotten) for line, _ in lines)


def is_begun(lines: Lines) -> bool:
    """Whether these are the lines of a call, and not what is left of one."""
    return any(isinstance(line, Called | Forgotten) for line, _ in lines)


def is_forgotten(lines: Lines) -> bool:
    """Whether a tombstone stands for the call."""
    return any(isinstance(line, Forgotten) for line, _ in lines)


def named(lines: Lines) -> Iterator[Named]:
    """The files that the lines of one call name."""
    for line, log in lines:
        if isinstance(line, Kept):
            yield _named(line.id, line, log, (line.width, line.height))
        elif isinstance(line, Called):
            yield from (_named(line.id, each, log, None) for each in line.inputs)


def tombs(lines: Lines) -> Iterator[str]:
    """The digests of the pictures of a forgotten call."""
    return (kept.sha256 for line, _ in lines if isinstance(line, Forgotten) for kept in line.images)


def notebooks(calls: Mapping[str, Lines]) -> dict[str, int]:
    """The notebooks that lie, or lay, in the folder of the store, and how many calls each has."""
    counts: dict[str, int] = {}
    for lines in calls.values():
        for name in {_notebook(line) for line, _ in lines}:
            if name is not None and name.endswith(".ipynb") and not _is_absolute(name):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _named(call: str, said: Kept | Input, log: Log, size: tuple[int | None, int | None] | None) -> Named:
    return Named(
        call=call,
        path=said.path,
        segment=log.path,
        sha256=said.sha256,
        bytes=said.bytes,
        format=said.format,
        size=size,
    )


def _notebook(line: AnyLine) -> str | None:
    match line:
        case Called():
            return line.notebook
        case Forgotten():
            return line.call.notebook
    return None


def _is_absolute(name: str) -> bool:
    """On any system: the store may come from another one."""
    return name.startswith(("/", "\\")) or name[1:2] == ":"


def _loose(call: str, lines: Lines) -> Finding:
    events = ", ".join(dict.fromkeys(str(type(line).__struct_config__.tag) for line, _ in lines))
    says = f"The journal has lines of this call ({events}), and not its `call` line."
    return Finding(kind="loose", path=lines[0][1].path, call=call, says=says)


def _of_beginnings(begun: list[tuple[Called, Log]]) -> Iterator[Finding]:
    """A call that is under way when a new segment begins is written again; it is the same then."""
    (first, log), *others = begun
    for other, elsewhere in others:
        if other != first:
            says = "Two `call` lines with this id say different things."
            yield Finding(kind="doubled", path=elsewhere.path, call=first.id, says=says)
    yield from _of_words(first, log)


def _of_ends(call: str, lines: Lines) -> Iterator[Finding]:
    """A call that is ok has a picture, and one that has a picture is ok."""
    has_picture = any(isinstance(line, Kept) for line, _ in lines)
    for line, log in lines:
        if isinstance(line, Ended) and (line.status == "ok") is not has_picture:
            listed = "a picture of it is listed" if has_picture else "no picture of it is listed"
            says = f"It ended as {line.status}, and {listed}: a line was changed, or is gone."
            yield Finding(kind="altered", path=log.path, call=call, says=says)


def _of_words(call: Called, log: Log) -> Iterator[Finding]:
    form = call.request_hash.partition(":")[0]
    if form != FINGERPRINT:
        says = f"Its request hash has a form that this version does not know: {form}."
        yield Finding(kind="unknown", path=log.path, call=call.id, says=says)
    elif not _is_as_hashed(call):
        says = "What it asked for no longer gives its request hash: one of them was changed."
        yield Finding(kind="altered", path=log.path, call=call.id, says=says)


def _is_as_hashed(call: Called) -> bool:
    asked = msgspec.json.decode(call.asked or call.params)
    if not isinstance(asked, dict):
        return False
    is_same = asked.get("model", call.model) == call.model and asked.get("n", call.n) == call.n
    return is_same and fingerprint(_essence(call, asked)) == call.request_hash


def _essence(call: Called, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the request hash was taken over."""
    left = MANNERS.union(call.defaults)
    prompt = {} if "prompt" in call.omit else {"prompt": call.prompt}
    return {**prompt, **{name: value for name, value in asked.items() if name not in left}}


def _of_places(call: str, lines: Lines) -> Iterator[Finding]:
    places: dict[int, Kept] = {}
    for line, log in lines:
        if isinstance(line, Kept) and places.setdefault(line.index, line).sha256 != line.sha256:
            says = f"Two pictures are listed in place {line.index} of this call, and the history shows one."
            yield Finding(kind="doubled", path=log.path, call=call, says=says)


def _of_forgotten(call: str, lines: Lines, stones: list[tuple[Forgotten, Log]]) -> Iterator[Finding]:
    says = f"Words of a forgotten call are still here; ig.forget({call!r}) removes them."
    segments = dict.fromkeys(log.path for line, log in lines if isinstance(line, _WITH_WORDS))
    for segment in segments:
        yield Finding(kind="unforgotten", path=segment, call=call, says=says)
    for stone, log in stones:
        if {stone.call.id, *(kept.id for kept in stone.images), *_end(stone)} != {call}:
            says = "The line that forgets it speaks of another call."
            yield Finding(kind="altered", path=log.path, call=call, says=says)


def _end(stone: Forgotten) -> tuple[str, ...]:
    return () if stone.end is None else (stone.end.id,)
