"""The body of a success -> the pictures in it. Pure, and decided from the body, not from what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin

import msgspec
import pybase64

from .errors import AnswerUnreadable, CallError, NoPicture
from .rejection import explain, read_complaint
from .reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One picture of an answer: its bytes, or the address where they are, or why there is none."""

    data: bytes | None = field(default=None, repr=False)
    url: str = ""
    fault: CallError | None = None
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The pictures of one answer, in its order, and what it says about tokens, as JSON text."""

    pictures: tuple[Delivered, ...]
    usage: str | None = None


def read(reply: Reply) -> Answer:
    """The answer in a reply of status 2xx.

    A picture that cannot be read has a fault and leaves the others as they are. Raises the error that the body holds
    (an error inside HTTP 200), NoPicture when it has neither, AnswerUnreadable for a body that is no JSON or is cut,
    and the first fault where there is nothing else.
    """
    body = _decoded(reply)
    if not isinstance(body, dict):
        message = "The answer is JSON, and not an object."
        raise AnswerUnreadable(message, request_id=reply.request_id)
    items = body.get("data")
    pictures = tuple(_pictures(items if isinstance(items, list) else [], reply))
    if not pictures:
        raise _no_picture(body, reply)
    if all(picture.fault is not None for picture in pictures):
        raise pictures[0].fault or _no_picture(body, reply)
    return Answer(pictures=pictures, usage=_json_text(body.get("usage")))


def _decoded(reply: Reply) -> Any:  # noqa: ANN401  (whatever a server may send)
    body = reply.body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\0")
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body)
    # Slower, and takes what a strict reader does not: NaN, line breaks and half characters in a text.
    with suppress(ValueError, RecursionError):
        return json.loads(body.decode("utf-8", "replace"), strict=False)
    raise AnswerUnreadable(_what_it_is(body), request_id=reply.request_id)


def _what_it_is(body: bytes) -> str:
    if not body:
        return "The answer is empty."
    if body[:1] == b"<":
        return "The answer is an HTML page, not JSON."
    if body.startswith((b"data:", b"event:", b":")):
        return "The answer is an event stream, which this version does not read."
    return "The answer is no JSON, or was cut before its end."


def _pictures(items: list[Any], reply: Reply) -> Iterator[Delivered]:
    for item in items:
        if isinstance(item, dict):
            try:
                yield from _picture(item, reply)
            except CallError as error:
                yield Delivered(fault=error)


def _picture(item: dict[str, Any], reply: Reply) -> Iterator[Delivered]:
    """The picture of one item; nothing for an item that holds neither a picture nor an error."""
    revised = item.get("revised_prompt")
    note = revised.encode("utf-8", "replace").decode() if isinstance(revised, str) else None
    base64, url = item.get("b64_json"), item.get("url")
    if isinstance(base64, str) and base64:
        yield Delivered(data=_bytes(base64, reply), revised_prompt=note)
    elif isinstance(url, str) and url[:5].lower() == "data:":
        yield Delivered(data=_bytes(url, reply), revised_prompt=note)
    elif isinstance(url, str) and url:
        yield Delivered(url=_absolute(url, reply), revised_prompt=note)
    elif item.get("error"):
        raise explain(replace(reply, body=msgspec.json.encode(item)))


def _absolute(url: str, reply: Reply) -> str:
    try:
        return urljoin(f"{reply.base_url}/", url)
    except ValueError:
        message = "The answer has a picture whose URL cannot be read."
        raise AnswerUnreadable(message, request_id=reply.request_id) from None


def _bytes(text: str, reply: Reply) -> bytes:
    """The bytes of base64 text, with or without a `data:…;base64,` prefix, line breaks and padding."""
    prefix, comma, rest = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
    if comma and not prefix.lower().endswith(";base64"):
        return unquote_to_bytes(rest)
    try:
        return pybase64.b64decode(rest, validate=True)
    except ValueError:  # binascii.Error is one; letters beyond ASCII raise it plain
        return _lenient(rest, reply)


def _lenient(text: str, reply: Reply) -> bytes:
    packed = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return pybase64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except ValueError:
        message = "The answer has a picture whose base64 cannot be decoded."
        raise AnswerUnreadable(message, request_id=reply.request_id) from None


def _no_picture(body: dict[str, Any], reply: Reply) -> CallError:
    if body.get("error"):
        return explain(reply)
    said = read_complaint(reply.body).message or str(body.get("task_id") or body.get("object") or "")
    message = f"The answer has no picture in it: {said}" if said else "The answer has no picture in it."
    return NoPicture(message, request_id=reply.request_id)


def _json_text(usage: Any) -> str | None:  # noqa: ANN401  (whatever a server may send)
    with suppress(UnicodeEncodeError, RecursionError):
        return msgspec.json.encode(usage).decode() if isinstance(usage, dict) else None
    return None
