"""The lines of all segments -> Records: one for each call, with its pictures and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from .journal import AnyLine, Called, Ended, Kept, Opened, read_segment, segments
from .process import Process, is_alive


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record:
    """One call as its lines tell it: what was asked, the pictures that were kept, and how it ended."""

    call: Called
    images: tuple[Kept, ...]
    end: Ended | None
    version: str | None
    is_running: bool

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
        return self.end.error if self.end is not None else None

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
        return _object(self.call.asked) or self.params

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


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    """The JSON object that stands there; None for none, and for what another hand wrote in its place."""
    decoded = msgspec.json.decode(raw) if raw else None
    return decoded if isinstance(decoded, dict) else None


def read(store: Path) -> tuple[Record, ...]:
    """All calls of a store, oldest first. Raises StoreError when the folder cannot be read."""
    found = fold((read_segment(path) for path in segments(store)), is_alive)
    return tuple(sorted(found, key=lambda record: record.id))


def fold(logs: Iterable[Iterable[AnyLine]], alive: Callable[[Process], bool]) -> Iterator[Record]:
    """The records of several segments; `alive` says whether the process that wrote one may still be at a call.

    A call may begin in one segment and end in another of the same session: where a line could not be written, the
    next one opens a new segment.
    """
    calls: dict[str, tuple[Called, Opened | None]] = {}
    images: dict[str, list[Kept]] = {}
    ends: dict[str, Ended] = {}
    for lines in logs:
        opened: Opened | None = None
        for line in lines:
            match line:
                case Opened():
                    opened = line
                case Called():
                    calls[line.id] = line, opened
                case Kept():
                    images.setdefault(line.id, []).append(line)
                case Ended():
                    ends[line.id] = line
    lives = cache(alive)
    for call, writer in calls.values():
        yield Record(
            call=call,
            images=tuple(sorted(images.get(call.id, ()), key=lambda kept: kept.index)),
            end=ends.get(call.id),
            version=writer.version if writer else None,
            is_running=call.id not in ends and writer is not None and lives(_process(writer)),
        )


def _process(opened: Opened) -> Process:
    return Process(opened.host, opened.pid, opened.process_started)
