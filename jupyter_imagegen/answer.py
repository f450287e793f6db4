"""The bytes of a success -> the pictures in it. Pure, and decided from the bytes alone, not from what was asked.

They are JSON of any shape (shapes.py), an event stream of any dialect (events.py), or a picture as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urljoin

import msgspec

from .errors import AnswerUnreadable, CallError, ConnectionCut, NoPicture
from .events import BLANKS, Deltas, Lines, ServerEvent, kind_of, meaning, what_it_is
from .image import sniff
from .payload import decoded
from .rejection import explain, read_complaint
from .reply import Reply
from .shapes import Item, Progress, complaint, is_chat, items, progress, remark, salvaged, total, usage, words

_MOST_DIGITS: Final = 400
_MOST_BRACKETS: Final = 100
"""Opening brackets up to which a usage can be one; a deeper one would break those who read it."""

_ENDINGS: Final = MappingProxyType({"png": b"IEND", "jpeg": b"\xff\xd9"})
_MODERATED: Final = (
    f"{NoPicture.default_hint} Some providers (xAI) answer in this way when moderation has refused the picture."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One picture of an answer: its bytes, or the address where they are, or why there is none."""

    data: bytes | None = field(default=None, repr=False)
    url: str = ""
    fault: CallError | None = None
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A picture that is not finished, for a preview only; `index` counts from 0 where the server says it."""

    data: bytes = field(repr=False)
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An order that was only taken: its id, and the path below the base URL to GET.

    The path is empty where none is documented for the answer's shape; the answer to such a GET may not name it again.
    """

    id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The pictures of one answer, in its order, and what it says about tokens, as JSON text.

    With a `task` there are no pictures yet. `fault` is what the answer says went wrong beside its pictures.
    """

    pictures: tuple[Delivered, ...]
    usage: str | None = None
    task: Task | None = None
    fault: CallError | None = None
    is_chat: bool = False
    """Whether one picture may stand in it more than once: as its bytes, as a link, as an attachment."""


def read(reply: Reply) -> Answer:
    """The answer in a reply of status 2xx.

    A picture that cannot be read has a fault and leaves the others as they are. Raises the error that the body holds
    (an error inside HTTP 200), NoPicture when it has neither, AnswerUnreadable for a body that is no JSON or is cut,
    ConnectionCut for a stream that ends before its picture, and the first fault where there is nothing else.
    """
    reading = Reading(reply.base_url, reply.request_id)
    reading.feed(reply.body)
    return reading.finish()


class Reading:
    """An answer of status 2xx while it arrives; its bytes may be cut anywhere."""

    def __init__(self, base_url: str, request_id: str) -> None:
        self._reply = Reply(status=200, headers=(("x-request-id", request_id),), body=b"", base_url=base_url)
        self._parts: list[bytes] = []
        self._start = b""
        self._is_known = False
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
    def received(self) -> int:
        """How many pictures of the stream are there, those that failed included."""
        return len(self._stream.pictures) if self._stream is not None else 0

    def feed(self, part: bytes) -> tuple[Glimpse | Delivered, ...]:
        """Take the next bytes; the pictures that are whole with them, where the answer is a stream."""
        if self._stream is not None:
            return self._stream.feed(part)
        self._parts.append(part)
        self._stream = None if self._is_known else self._begun(part)
        return self._stream.feed(b"".join(self._parts).lstrip(BLANKS)) if self._stream is not None else ()

    def finish(self) -> Answer:
        """The whole answer, at the end of its bytes; the pictures even of a stream that was cut. Raises as `read`."""
        return self._stream.finish() if self._stream is not None else _whole(b"".join(self._parts), self._reply)

    def _begun(self, part: bytes) -> _Stream | None:
        # The first letters that are no blanks are all that is looked at again: a gateway may send blanks for ever.
        self._start = (self._start + part).lstrip(BLANKS)[:16]
        kind = kind_of(self._start)
        self._is_known = kind is not None
        return _Stream(self._reply) if kind == "events" else None


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

    def feed(self, part: bytes) -> tuple[Glimpse | Delivered, ...]:
        return self._taken(self._lines.feed(part))

    def finish(self) -> Answer:
        self._taken(self._lines.close())
        chat = self._deltas.whole()
        pictures = (*self.pictures, *_pictures(chat, self._reply))
        fault = _explained(self._error, self._reply) if self._error else None
        if any(picture.fault is None for picture in pictures):
            return Answer(pictures=pictures, usage=_usage_text(self._usages), fault=fault)
        raise _first_fault(pictures) or fault or self._without_picture(words(chat))

    def _without_picture(self, said: str) -> CallError:
        if self._remark:
            return _explained(self._remark, self._reply)
        if said:
            return _only_words(said, self._reply)
        if self.is_over:
            message = "The stream came to its end with no picture in it."
            return NoPicture(message, _MODERATED, request_id=self._reply.request_id)
        message = "The stream ended before its picture came."
        return ConnectionCut(message, request_id=self._reply.request_id)

    def _taken(self, events: list[ServerEvent]) -> tuple[Glimpse | Delivered, ...]:
        return tuple(found for event in events for found in self._take(event))

    def _take(self, event: ServerEvent) -> Iterator[Glimpse | Delivered]:
        is_error = meaning({}, event.name) == "error"
        values = list(_values(event.data))
        if is_error and not values and not event.data.startswith(("{", "[")):
            values = [event.data]
        for value in values:
            payload = value if isinstance(value, dict) else {"error" if is_error else "data": value}
            yield from self._said(payload, event.name)

    def _said(self, payload: dict[Any, Any], name: str) -> Iterator[Glimpse | Delivered]:
        match meaning(payload, name):
            case "preview":
                yield from _glimpses(payload, self._reply)
            case "failure":
                yield self._kept(Delivered(fault=_explained(remark(payload), self._reply)))
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
        pictures = _pictures(payload, self._reply)
        for picture in pictures:
            yield self._kept(picture)
        if payload.get("error") and not pictures:
            self._fail(payload)
        elif not pictures:
            self.is_over = self.is_over or kind == "end"
            self._remark = self._remark or complaint(payload)

    def _kept(self, picture: Delivered) -> Delivered:
        self.pictures.append(picture)
        return picture

    def _fail(self, payload: dict[Any, Any]) -> None:
        self._error = self._error or complaint(payload) or remark(payload)
        self.is_over = True


def _whole(body: bytes, reply: Reply) -> Answer:
    """The answer in a body that is no stream: a picture as it is, or the first JSON value."""
    if kind_of(body[:1024]) == "picture":
        return Answer(pictures=(_raw(body, reply),))
    text = body.strip(BLANKS)
    for first in _values(text):
        return _answered(first, reply)
    return _salvaged(text, _unreadable(what_it_is(text), reply), reply)


def _salvaged(text: bytes, fault: AnswerUnreadable, reply: Reply) -> Answer:
    """The pictures that had come whole of JSON that was cut. Raises the fault where there are none."""
    pictures = tuple(picture for item in salvaged(text) if (picture := _delivered(item, reply)).fault is None)
    if not pictures:
        raise fault
    return Answer(pictures=pictures, fault=fault)


def _raw(body: bytes, reply: Reply) -> Delivered:
    image = sniff(body)
    if image is None or _ENDINGS.get(image.format, b"") in body:
        return Delivered(data=body)
    raise _unreadable("The answer is a picture that was cut before its end.", reply)


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
        return _ordered(order)
    pictures = _pictures(body, reply)
    if any(picture.fault is None for picture in pictures):
        found = usage(body)
        tokens = _usage_text([found] if found else [])
        return Answer(pictures=pictures, usage=tokens, fault=_beside(body, reply), is_chat=is_chat(body))
    if fault := _first_fault(pictures):
        raise fault
    if order is not None and order.state in ("pending", "unsaid") and not complaint(body):
        return _ordered(order)
    raise _no_picture(body, order, reply)


def _ordered(order: Progress) -> Answer:
    return Answer(pictures=(), task=Task(id=order.id, path=order.path))


def _beside(body: object, reply: Reply) -> CallError | None:
    return _explained(remark(body), reply) if isinstance(body, dict) and body.get("error") else None


def _explained(said: str, reply: Reply) -> CallError:
    return explain(replace(reply, body=said.encode()))


def _first_fault(pictures: Iterable[Delivered]) -> CallError | None:
    return next((picture.fault for picture in pictures if picture.fault is not None), None)


def _no_picture(body: object, order: Progress | None, reply: Reply) -> CallError:
    if not isinstance(body, dict):
        return _unreadable("The answer is JSON, and not an object.", reply)
    if said := complaint(body):
        return _explained(said, reply)
    if text := words(body):
        return _only_words(text, reply)
    if order is not None:
        message = f"The task {order.id} is {order.status}, and there is no picture in it: {order.reason}"
        return NoPicture(f"{message.removesuffix(': ')}.", request_id=reply.request_id)
    said = read_complaint(remark(body).encode()).message
    message = f"The answer has no picture in it: {said}" if said else "The answer has no picture in it."
    return NoPicture(message, "" if said else _MODERATED, request_id=reply.request_id)


def _only_words(said: str, reply: Reply) -> NoPicture:
    message = f"The answer is a text, with no picture in it: “{said}”"
    hint = f"{NoPicture.default_hint} The model may be one that only talks: check its name and the base URL."
    return NoPicture(message, hint, request_id=reply.request_id)


def _unreadable(message: str, reply: Reply) -> AnswerUnreadable:
    return AnswerUnreadable(message, request_id=reply.request_id)


def _pictures(body: object, reply: Reply) -> tuple[Delivered, ...]:
    found = (_delivered(item, reply) for item in items(body))
    return tuple(_without_repeats(found) if is_chat(body) else found)


def _without_repeats(pictures: Iterable[Delivered]) -> Iterator[Delivered]:
    seen: set[bytes | str] = set()
    for picture in pictures:
        mark = picture.data or picture.url
        if not mark or mark not in seen:
            yield picture
        seen.add(mark)


def _delivered(item: Item, reply: Reply) -> Delivered:
    note = item.revised_prompt
    try:
        if item.base64:
            return Delivered(data=_bytes(item.base64, reply), revised_prompt=note)
        if item.url:
            return Delivered(url=_absolute(item.url, reply), revised_prompt=note)
    except AnswerUnreadable as fault:
        is_elsewhere = bool(item.base64 and item.url)
        return _delivered(replace(item, base64=""), reply) if is_elsewhere else Delivered(fault=fault)
    return Delivered(fault=_explained(item.complaint, reply))


def _glimpses(payload: dict[Any, Any], reply: Reply) -> Iterator[Glimpse]:
    """The preview of an event. One that is only an address is not fetched."""
    index = payload.get("partial_image_index")
    for item in items(payload)[:1]:
        with suppress(AnswerUnreadable):
            yield Glimpse(data=_bytes(item.base64, reply), index=index if type(index) is int else None)


def _absolute(url: str, reply: Reply) -> str:
    try:
        whole = urljoin(f"{reply.base_url}/", url)
        whole.encode()  # half characters cannot be asked for
    except ValueError:
        raise _unreadable("The answer has a picture whose URL cannot be read.", reply) from None
    return whole


def _bytes(text: str, reply: Reply) -> bytes:
    try:
        return decoded(text)
    except ValueError:
        raise _unreadable("The answer has a picture whose base64 cannot be decoded.", reply) from None


def _usage_text(usages: list[dict[Any, Any]]) -> str | None:
    with suppress(ValueError, OverflowError, RecursionError):
        text = msgspec.json.encode(total(usages)).decode()
        return text if text != "null" and text.count("{") + text.count("[") <= _MOST_BRACKETS else None
    return None
