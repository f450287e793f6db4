"""The bytes of a success -> the pictures in it. Pure, and decided from the bytes alone, not from what was asked.

They are JSON of any shape (shapes.py), an event stream of any dialect (events.py), or a picture as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import msgspec

from .blobs import Spilled
from .complaint import page_title
from .delivery import (
    MODERATED,
    Answer,
    Delivered,
    Glimpse,
    Task,
    delivered_as,
    explained,
    first_fault,
    glimpses_in,
    no_picture,
    only_words,
    pictures_in,
    unreadable,
    usage_text,
)
from .errors import AnswerUnreadable, CallError, ConnectionCut, NoPicture
from .events import BLANKS, Beginning, Deltas, Lines, ServerEvent, kind_of, meaning, what_it_is
from .image import sniff
from .keys import cleaned, scrubbed
from .reply import Reply
from .shapes import complaint, is_chat, orders, progress, remark, salvaged, usage, words

__all__ = ["Answer", "Delivered", "Glimpse", "Reading", "Task", "read", "usage_of"]

_MOST_DIGITS: Final = 400
_PAGE_START: Final = 64 * 1024
_ENDINGS: Final = MappingProxyType({"png": b"IEND", "jpeg": b"\xff\xd9"})


def read(reply: Reply) -> Answer:
    """The answer in a reply of status 2xx.

    A picture that cannot be read has a fault and leaves the others as they are. Raises the error that the body holds
    (an error inside HTTP 200), NoPicture when it has neither, AnswerUnreadable for a body that is no JSON or is cut,
    ConnectionCut for a stream that ends before its picture, and the first fault where there is nothing else.
    """
    reading = Reading(reply)
    reading.feed(reply.body, reply.diverted)
    return reading.finish()


def usage_of(reply: Reply) -> str | None:
    """What an answer without a picture says about tokens, as JSON text."""
    found = next((usage(value) for value in _values(reply.body.strip(BLANKS))), None)
    return usage_text([found]) if found else None


class Reading:
    """An answer of status 2xx while it arrives; its bytes may be cut anywhere."""

    def __init__(self, reply: Reply) -> None:
        """Of the reply only what is known before its body."""
        self._reply = replace(reply, body=b"")
        self._beginning = Beginning()
        self._parts: list[bytes] = []
        self._stream: _Stream | None = None

    @property
    def is_stream(self) -> bool:
        """Whether what came is an event stream."""
        return self._stream is not None

    @property
    def is_over(self) -> bool:
        """Whether the stream has said its end, or an error. Many streams only end."""
        return self._stream is not None and self._stream.is_over

    @property
    def has_failed(self) -> bool:
        """Whether the stream has said an error; pictures of it may come all the same."""
        return self._stream is not None and self._stream.has_failed

    @property
    def received(self) -> int:
        """How many pictures of the stream are there, those that failed included."""
        return len(self._stream.pictures) if self._stream is not None else 0

    def feed(self, part: bytes, diverted: tuple[bytes | Spilled, ...]) -> tuple[Glimpse | Delivered, ...]:
        """Take the next bytes, and what was diverted of all so far.

        It gives the pictures that are whole with them, where the answer is a stream.
        """
        if len(diverted) > len(self._reply.diverted):
            self._reply = replace(self._reply, diverted=diverted)
        if self._stream is not None:
            return self._stream.feed(part, self._reply)
        self._parts.append(part)
        if self._beginning.kind is not None or self._beginning.look(part) != "events":
            return ()
        self._stream = _Stream(self._reply)
        whole, self._parts = b"".join(self._parts).lstrip(BLANKS), []
        return self._stream.feed(whole, self._reply)

    def finish(self) -> Answer:
        """The whole answer, at the end of its bytes; the pictures even of a stream that was cut. Raises as `read`."""
        return self._stream.finish() if self._stream is not None else _whole(b"".join(self._parts), self._reply)


class _Stream:
    """What the events of a stream have said so far."""

    def __init__(self, reply: Reply) -> None:
        self.pictures: list[Delivered] = []
        self.is_over = False
        self._reply = reply
        self._lines = Lines()
        self._deltas = Deltas()
        self._usages: list[dict[Any, Any]] = []
        self._error = ""
        self._remark = ""
        self.has_failed = False
        self._is_painting = False
        self._is_broken = False

    def feed(self, part: bytes, reply: Reply) -> tuple[Glimpse | Delivered, ...]:
        self._reply = reply
        return self._taken(self._lines.feed(part))

    def finish(self) -> Answer:
        self._taken(self._lines.close())
        chat = self._deltas.whole()
        pictures = (*self.pictures, *pictures_in(chat, self._reply))
        fault = explained(self._error, self._reply) if self._error else self._cut()
        if any(picture.fault is None for picture in pictures):
            return Answer(pictures=pictures, usage=usage_text(self._usages), fault=fault)
        raise first_fault(pictures) or fault or self._without_picture(words(scrubbed(chat, self._reply.key)))

    def _cut(self) -> CallError | None:
        """That the stream ended with a preview or in the middle of an event, where it did."""
        if not self.pictures or self.is_over or not (self._is_painting or self._is_broken):
            return None
        return ConnectionCut("The stream ended before all of its pictures came.", request_id=self._reply.request_id)

    def _without_picture(self, said: str) -> CallError:
        if self._remark:
            return explained(self._remark, self._reply)
        if said:
            return only_words(said, self._reply)
        if self.is_over:
            message = "The stream came to its end with no picture in it."
            return NoPicture(message, MODERATED, request_id=self._reply.request_id)
        message = "The stream ended before its picture came."
        return ConnectionCut(message, request_id=self._reply.request_id)

    def _taken(self, events: list[ServerEvent]) -> tuple[Glimpse | Delivered, ...]:
        return tuple(found for event in events for found in self._take(event))

    def _take(self, event: ServerEvent) -> Iterator[Glimpse | Delivered]:
        is_error = meaning({}, event.name) == "error"
        values = list(_values(event.data))
        self._is_broken = not values and event.data.startswith("{")
        if is_error and not values and not event.data.startswith(("{", "[")):
            values = [event.data]
        for value in values:
            payload = value if isinstance(value, dict) else {"error" if is_error else "data": value}
            yield from self._said(payload, event.name)

    def _said(self, payload: dict[Any, Any], name: str) -> Iterator[Glimpse | Delivered]:
        match meaning(payload, name):
            case "preview":
                self._is_painting = True
                yield from glimpses_in(payload, self._reply)
            case "failure":
                yield self._kept(Delivered(fault=explained(remark(payload), self._reply)))
            case "error":
                self._fail(payload)
            case "words":
                self._deltas.add(payload)
                self._usages = [found] if (found := usage(payload)) else self._usages
            case "picture" | "end" as kind:
                yield from self._final(payload, kind)

    def _final(self, payload: dict[Any, Any], kind: str) -> Iterator[Delivered]:
        """The pictures of an event; without one it is the end, an error or only a remark."""
        self._usages += [found] if (found := usage(payload)) else []
        pictures = pictures_in(payload, self._reply)
        for picture in pictures:
            yield self._kept(picture)
        if payload.get("error") and not pictures:
            self._fail(payload)
        elif not pictures:
            self.is_over = self.is_over or kind == "end"
            self._remark = self._remark or complaint(payload)

    def _kept(self, picture: Delivered) -> Delivered:
        self._is_painting = False
        self.pictures.append(picture)
        return picture

    def _fail(self, payload: dict[Any, Any]) -> None:
        self._error = self._error or complaint(payload) or remark(payload)
        self.has_failed = True


def _whole(body: bytes, reply: Reply) -> Answer:
    """The answer in a body that is no stream: a picture as it is, or the first JSON value."""
    if kind_of(body[:1024]) == "picture":
        return Answer(pictures=(_raw(body, reply),))
    text = body.strip(BLANKS)
    for first in _values(text):
        return _answered(first, reply)
    return _salvaged(text, _unlike(text, reply), reply)


def _unlike(text: bytes, reply: Reply) -> AnswerUnreadable:
    """What came instead of an answer; a web page is most often that of a wrong address."""
    if text[:1] != b"<":
        return unreadable(what_it_is(text), reply)
    title = page_title(cleaned(text[:_PAGE_START], reply.key).decode(errors="replace"))
    message = f'The answer is an HTML page, "{title}", not JSON.' if title else what_it_is(text)
    hint = "It may have been charged, so it was not sent again. Check the base URL, which mostly ends in /v1."
    return AnswerUnreadable(message, hint, request_id=reply.request_id)


def _salvaged(text: bytes, fault: AnswerUnreadable, reply: Reply) -> Answer:
    """The pictures that had come whole of JSON that was cut. Raises the fault where there are none."""
    items_found = salvaged(text) if text[:1] in (b"{", b"[") else ()
    pictures = tuple(picture for item in items_found if (picture := delivered_as(item, reply)).fault is None)
    if not pictures:
        raise fault
    return Answer(pictures=pictures, fault=fault)


def _raw(body: bytes, reply: Reply) -> Delivered:
    image = sniff(body)
    if image is None or _ENDINGS.get(image.format, b"") in body:
        return Delivered(data=body)
    raise unreadable("The answer is a picture that was cut before its end.", reply)


def _values(text: bytes | str) -> Iterator[Any]:
    """The JSON values at the beginning of a text, one behind the other; `[DONE]` is the event that it stands for."""
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        yield msgspec.json.decode(text)
        return
    # Slower, and takes what a strict reader does not: NaN, line breaks and half characters in a text, junk behind.
    letters = text if isinstance(text, str) else text.decode("utf-8", "replace")
    at = _end_of_blanks(letters, 0)
    with suppress(ValueError, RecursionError):
        while at < len(letters):
            is_done = letters.startswith("[DONE]", at)
            value, end = ({"type": "done"}, at + 6) if is_done else _DECODER.raw_decode(letters, at)
            yield value
            at = _end_of_blanks(letters, end)


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_BLANKS: Final = re.compile("[\ufeff\0\\s]*")
_DECODER: Final = json.JSONDecoder(strict=False, parse_int=_whole_number)


def _end_of_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _answered(body: object, reply: Reply) -> Answer:
    """The answer in one JSON value. An order that is not done has no pictures, only previews of them."""
    order = progress(body)
    if order is not None and order.state == "pending" and order.path:
        return _ordered(body)
    pictures = pictures_in(body, reply)
    if any(picture.fault is None for picture in pictures):
        found = usage(body)
        tokens = usage_text([found] if found else [])
        return Answer(pictures=pictures, usage=tokens, fault=_beside(body, reply), is_chat=is_chat(body))
    if fault := first_fault(pictures):
        raise fault
    if order is not None and order.state in ("pending", "unsaid") and not complaint(body):
        return _ordered(body)
    raise no_picture(scrubbed(body, reply.key), reply)


def _ordered(body: object) -> Answer:
    return Answer(pictures=(), tasks=tuple(Task(id=order.id, path=order.path) for order in orders(body)))


def _beside(body: object, reply: Reply) -> CallError | None:
    return explained(remark(body), reply) if isinstance(body, dict) and body.get("error") else None
