"""What an answer brought: pictures, previews, orders, and the errors that it can be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urljoin

import msgspec

from .blobs import Spilled
from .errors import AnswerUnreadable, CallError, NoPicture
from .payload import decoded
from .rejection import explain, read_complaint
from .reply import Reply
from .shapes import Item, complaint, is_chat, items, progress, remark, total, words

_MOST_BRACKETS: Final = 100
"""Opening brackets up to which a usage can be one; a deeper one would break those who read it."""

MODERATED: Final = (
    f"{NoPicture.default_hint} Some providers (xAI) answer in this way when moderation has refused the picture."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One picture of an answer: its bytes, or the address where they are, or why there is none."""

    data: bytes | Spilled | None = field(default=None, repr=False)
    url: str = ""
    fault: CallError | None = None
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A picture that is not finished, for a preview only; `index` counts from 0 where the server says it."""

    data: bytes | Spilled = field(repr=False)
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

    With `tasks` there are no pictures yet. `fault` is what the answer says went wrong beside its pictures.
    """

    pictures: tuple[Delivered, ...]
    usage: str | None = None
    tasks: tuple[Task, ...] = ()
    fault: CallError | None = None
    is_chat: bool = False
    """Whether one picture may stand in it more than once: as its bytes, as a link, as an attachment."""

    @property
    def task(self) -> Task | None:
        """The first of its orders."""
        return next(iter(self.tasks), None)


def explained(said: str, reply: Reply) -> CallError:
    """The error for a complaint of this text inside a reply of status 200."""
    return explain(replace(reply, body=said.encode()))


def first_fault(pictures: Iterable[Delivered]) -> CallError | None:
    """Why the first picture is missing that is."""
    return next((picture.fault for picture in pictures if picture.fault is not None), None)


def no_picture(body: object, reply: Reply) -> CallError:
    """The error for a JSON value in which no picture was found; the key is out of it already."""
    if not isinstance(body, dict):
        return unreadable("The answer is JSON, and not an object.", reply)
    if said := complaint(body):
        return explained(said, reply)
    if text := words(body):
        return only_words(text, reply)
    if (order := progress(body)) is not None:
        message = f"The task {order.id} is {order.status}, and there is no picture in it: {order.reason}"
        return NoPicture(f"{message.removesuffix(': ')}.", request_id=reply.request_id)
    said = read_complaint(remark(body).encode()).message
    message = f"The answer has no picture in it: {said}" if said else "The answer has no picture in it."
    return NoPicture(message, "" if said else MODERATED, request_id=reply.request_id)


def only_words(said: str, reply: Reply) -> NoPicture:
    """The error for an answer in which a model talked."""
    message = f"The answer is a text, with no picture in it: “{said}”"
    hint = f"{NoPicture.default_hint} The model may be one that only talks: check its name and the base URL."
    return NoPicture(message, hint, request_id=reply.request_id)


def unreadable(message: str, reply: Reply) -> AnswerUnreadable:
    """The error for an answer from which no picture could be read."""
    return AnswerUnreadable(message, request_id=reply.request_id)


def pictures_in(body: object, reply: Reply) -> tuple[Delivered, ...]:
    """The pictures of a JSON value, in its order."""
    found = (delivered_as(item, reply) for item in items(body))
    return tuple(_without_repeats(found) if is_chat(body) else found)


def _without_repeats(pictures: Iterable[Delivered]) -> Iterator[Delivered]:
    seen: set[bytes | str] = set()
    for picture in pictures:
        mark = picture.data.sha256 if isinstance(picture.data, Spilled) else picture.data or picture.url
        if not mark or mark not in seen:
            yield picture
        seen.add(mark)


def delivered_as(item: Item, reply: Reply) -> Delivered:
    """The picture that an item names."""
    note = None if item.revised_prompt is None else reply.as_it_came(item.revised_prompt)
    try:
        if item.base64:
            return Delivered(data=_bytes(item.base64, reply), revised_prompt=note)
        if item.url:
            return Delivered(url=_absolute(item.url, reply), revised_prompt=note)
    except AnswerUnreadable as fault:
        is_elsewhere = bool(item.base64 and item.url)
        return delivered_as(replace(item, base64=""), reply) if is_elsewhere else Delivered(fault=fault)
    return Delivered(fault=explained(item.complaint, reply))


def glimpses_in(payload: dict[Any, Any], reply: Reply) -> Iterator[Glimpse]:
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
        raise unreadable("The answer has a picture whose URL cannot be read.", reply) from None
    return whole


def _bytes(text: str, reply: Reply) -> bytes | Spilled:
    if (diverted := reply.content_of(text)) is not None:
        return diverted
    try:
        return decoded(text)
    except ValueError:
        raise unreadable("The answer has a picture whose base64 cannot be decoded.", reply) from None


def usage_text(usages: list[dict[Any, Any]]) -> str | None:
    """The token counts as JSON text, added up where there are several."""
    with suppress(ValueError, OverflowError, RecursionError):
        text = msgspec.json.encode(total(usages)).decode()
        return text if text != "null" and text.count("{") + text.count("[") <= _MOST_BRACKETS else None
    return None
