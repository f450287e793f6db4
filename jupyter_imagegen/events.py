"""The bytes of an event stream -> its events, while they arrive. Pure, and decided from the bytes.

The rules are those of the HTML standard (server-sent events), and two more for what vendors print: JSON over several
lines after one `data:`, and a line of JSON without any field's name between events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from .image import sniff

Kind = Literal["json", "events", "html", "picture", "other"]
Meaning = Literal["preview", "picture", "failure", "end", "error", "words", "nothing"]

BLANKS: Final = b"\xef\xbb\xbf \t\r\n\0"
"""The bytes that may stand before an answer: what keeps a connection alive, padding, a byte order mark."""

_BLANK_LETTERS: Final = "\ufeff \t\0"
_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:")
_EVENTS: Final = re.compile(rb"(?:data|event|id|retry)?:")
_GOES_ON: Final = tuple(' \t"{}[]')
_BEGINS: Final = ("{", "[")
_MOST_LOOKED_AT: Final = 1024

# The last word of an event's type. Two families share names: OpenAI's `partial_image` is a preview,
# Seedream's and MiniMax's `partial_succeeded` is a finished picture. The short names are those of gateways.
_MEANINGS: Final = MappingProxyType[str, Meaning](
    {
        "partial_image": "preview",
        "partial_succeeded": "picture",
        "partial_failed": "failure",
        "completed": "end",
        "done": "end",
        "error": "error",
        "failed": "error",
        "started": "nothing",
        "heartbeat": "nothing",
        "ar_delta": "nothing",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event of a stream: its name, empty where it has none, and its data lines joined by line breaks."""

    name: str
    data: str = field(repr=False)


def kind_of(start: bytes) -> Kind | None:
    """What an answer is that begins with these bytes; None while they are blanks or half of a field's name.

    A stream is told by its first line, not by its Content-Type, as gateways answer with either.
    """
    if sniff(start[:_MOST_LOOKED_AT]) is not None:
        return "picture"
    begun = start.lstrip(BLANKS)
    if any(name.startswith(begun) and name != begun for name in _FIELDS):
        return None
    if _EVENTS.match(begun):
        return "events"
    if begun[:1] in (b"{", b"["):
        return "json"
    return "html" if begun[:1] == b"<" else "other"


class Beginning:
    """What an answer is, as soon as its first bytes tell."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self._start = b""

    def look(self, part: bytes) -> Kind | None:
        """What it is, by the next bytes of it and those before."""
        if self.kind is None:
            # The first letters that are no blanks are all that is looked at again: a gateway may send blanks for ever.
            self._start = (self._start + part).lstrip(BLANKS)[:16]
            self.kind = kind_of(self._start)
        return self.kind


def what_it_is(body: bytes) -> str:
    """For a body that is none of the answers that can be read: what it looks like, in a sentence."""
    if not body:
        return "The answer is empty."
    if body[:1] == b"<":
        return "The answer is an HTML page, not JSON."
    if body[:4] == b"PK\x03\x04":
        return "The answer is a ZIP file, not JSON."
    return "The answer is no JSON, or was cut before its end."


def meaning(payload: dict[Any, Any], name: str) -> Meaning:
    """What an event says: by its payload's `type`, or by its name where the type is none that is known.

    Whatever is not known is a `picture`, if it holds one; so nothing that was paid for is passed over. `end` may hold
    one as well.
    """
    for said in (payload.get("type"), name):
        word = said.strip().lower().rpartition(".")[2] if isinstance(said, str) else ""
        if word in _MEANINGS:
            return _MEANINGS[word]
        if "partial" in word:
            return "preview"
    if payload.get("partial_image_index") is not None:
        return "preview"
    has_delta = any("delta" in choice for choice in objects(payload.get("choices")))
    is_chunk = has_delta or payload.get("object") == "chat.completion.chunk"
    return "words" if is_chunk and not payload.get("error") else "picture"


class Lines:
    """The events of a stream whose bytes come in parts, cut anywhere. Each byte is looked at once."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._is_after_return = False
        self._name = ""
        self._data: list[str] = []
        self._is_in_data = False

    def feed(self, part: bytes) -> list[ServerEvent]:
        """The events that are whole with this part."""
        if not part:
            return []
        rest = part[1:] if self._is_after_return and part[:1] == b"\n" else part
        self._is_after_return = part[-1:] == b"\r"
        return [event for line in rest.splitlines(keepends=True) for event in self._grown(line)]

    def close(self) -> list[ServerEvent]:
        """The event at the end of the bytes, which counts without its empty line."""
        last = self._field() if self._line else None
        return [event for event in (last, self._event()) if event is not None]

    def _grown(self, line: bytes) -> Iterator[ServerEvent]:
        """Add a line or a piece of one; the event that it ends, if it ends one."""
        bare = line.rstrip(b"\r\n")
        self._line += bare
        if len(bare) < len(line) and (event := self._field()) is not None:
            yield event

    def _field(self) -> ServerEvent | None:
        """Take the line that is whole; the event when it is the empty line behind one."""
        line = self._line.decode("utf-8", "replace")
        self._line.clear()
        if not line:
            return self._event()
        before, _, after = line.partition(":")
        name, value = before.lstrip(_BLANK_LETTERS), after.removeprefix(" ")
        if name == "event":
            self._name = value
        if name in ("event", "id", "retry"):
            self._is_in_data = False
        elif name == "data":
            self._add(value)
        elif line.startswith(_GOES_ON if self._is_in_data else _BEGINS):
            self._add(line)
        return None

    def _add(self, text: str) -> None:
        self._data.append(text)
        self._is_in_data = True

    def _event(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._is_in_data = "", [], False
        return ServerEvent(name=name, data="\n".join(data)) if data else None


class Deltas:
    """The chat completion that a stream gives in pieces."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._pictures: dict[int, list[object]] = {}

    def add(self, chunk: dict[Any, Any]) -> None:
        """Take the pieces of one event: texts in their order, and whatever else may hold a picture."""
        for choice in objects(chunk.get("choices")):
            delta, index = choice.get("delta"), choice.get("index")
            if isinstance(delta, dict):
                self._add(delta, index if isinstance(index, int) else 0)

    def whole(self) -> dict[str, Any]:
        """The completion so far, in the form that it has without a stream."""
        return {
            "choices": [
                {"message": {"content": "".join(texts), "images": self._pictures[index]}}
                for index, texts in sorted(self._texts.items())
            ]
        }

    def _add(self, delta: dict[Any, Any], index: int) -> None:
        texts, pictures = self._texts.setdefault(index, []), self._pictures.setdefault(index, [])
        content = delta.get("content")
        for part in content if isinstance(content, list) else [content]:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                texts.append(text)
            elif isinstance(part, dict):
                pictures.append(part)
        if delta.keys() - {"role", "content"}:
            pictures.append({name: value for name, value in delta.items() if name != "content"})


def objects(value: object) -> list[dict[Any, Any]]:
    """The objects in a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
