"""The bytes of one segment -> its lines, and what there is to say of those that cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import msgspec

from ..journal import FORMAT, AnyLine, Opened, line_of
from ..process import Process
from .findings import Finding

Alive = Callable[[Process], bool]

_EVENTS: Final = frozenset(kind.__struct_config__.tag for kind in get_args(AnyLine))
_ID: Final = re.compile(rb'"id":"([^"\\]{1,64})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One segment, by its path below the store: who writes to it, and the lines that can be read, in their order."""

    path: str
    writer: Opened | None
    lives: bool
    """Whether its writer certainly lives."""
    lines: tuple[AnyLine, ...] = field(repr=False)
    count: int
    """How many lines there are; blank ones, which forgotten calls leave, are none."""
    faults: tuple[Finding, ...]


def log_of(path: str, data: bytes, alive: Alive) -> Log:
    """What these bytes of a segment say; `alive` says whether the process that wrote them may still be writing."""
    *whole, tail = data.split(b"\n")
    texts = [(number, text) for number, text in enumerate(whole, 1) if text.strip()]
    read = [(number, text, _read(text)) for number, text in texts]
    last = _read(tail) if tail.strip() else None
    lines = tuple(line for line in (*(line for _, _, line in read), last) if line is not None)
    writer = next((line for line in reversed(lines) if isinstance(line, Opened)), None)
    lives = writer is not None and alive(Process(writer.host, writer.pid, writer.process_started))
    return Log(
        path=path,
        writer=writer,
        lives=lives,
        lines=lines,
        count=len(texts) + bool(tail.strip()),
        faults=(
            *_of_beginning(path, lines, texts[0][1] if texts else tail),
            *(fault for number, text, line in read for fault in _of_line(path, number, text, line)),
            *(() if lives or not tail.strip() else _of_tail(path, tail, writer)),
        ),
    )


def is_whole(text: bytes) -> bool:
    """Whether this is a JSON object, of this version or of another: nothing of such a line is lost."""
    return isinstance(_json(text), dict)


def ids_in(text: bytes) -> Iterator[str]:
    """The call ids in what is left of lines."""
    return (found.decode(errors="replace") for found in _ID.findall(text))


def _read(text: bytes) -> AnyLine | None:
    line = line_of(text)
    # Fields that are kept as they are (params, usage, …) are not looked into by that.
    return line if line is not None and _json(text) is not None else None


def _json(text: bytes) -> Any:  # noqa: ANN401  (any JSON value)
    """The value; None for what is no JSON, and for `null`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _of_beginning(path: str, lines: tuple[AnyLine, ...], first: bytes) -> Iterator[Finding]:
    if lines and isinstance(lines[0], Opened):
        if lines[0].journal != FORMAT:
            says = f"Its format is {lines[0].journal}, and this version reads {FORMAT}."
            yield Finding(kind="unknown", path=path, call="", says=says)
    elif is_whole(first):
        # A first line that is not whole is damage by itself.
        yield Finding(kind="damaged", path=path, call="", says="It does not begin with a `session` line.")


def _of_line(path: str, number: int, text: bytes, line: AnyLine | None) -> Iterator[Finding]:
    if line is not None and msgspec.json.encode(line) == text:
        return
    call = next(ids_in(text), "")
    told = _json(text)
    event = told.get("event") if isinstance(told, dict) else None
    if line is not None:
        kept = msgspec.json.decode(msgspec.json.encode(line))
        names = ", ".join(dict.fromkeys(_beyond(told, kept)))
        if names:
            says = f"Line {number} has fields that this version does not read: {names}."
            yield Finding(kind="unknown", path=path, call=call, says=says)
    elif isinstance(event, str) and event not in _EVENTS:
        says = f"Line {number} is an event that this version does not know: {event}."
        yield Finding(kind="unknown", path=path, call=call, says=says)
    else:
        what = "JSON" if told is None else f"whole `{event}` line" if isinstance(event, str) else "event"
        yield Finding(kind="damaged", path=path, call=call, says=f"Line {number} is no {what}.")


def _beyond(told: Any, kept: Any) -> Iterator[str]:  # noqa: ANN401  (any JSON value)
    """The names of what a line says and what is not read of it; what is empty says nothing."""
    if isinstance(told, dict) and isinstance(kept, dict):
        for name, value in told.items():
            if name in kept:
                yield from _beyond(value, kept[name])
            elif value not in (None, "", [], {}):
                yield name
    elif isinstance(told, list) and isinstance(kept, list):
        for pair in zip(told, kept, strict=False):
            yield from _beyond(*pair)


def _of_tail(path: str, tail: bytes, writer: Opened | None) -> Iterator[Finding]:
    call = next(ids_in(tail), "")
    if is_whole(tail):
        says = "Its last line can be read, and has no line break at its end."
        yield Finding(kind="unclosed", path=path, call=call, says=says)
        return
    # Where nobody is known to have written it, nobody is known to be gone.
    name = path.rpartition("/")[2]
    repair = f"it is moved to {name}.torn, once nobody has written here for an hour." if writer else ""
    yield Finding(kind="torn", path=path, call=call, says="Its last line is cut off.", repair=repair)
