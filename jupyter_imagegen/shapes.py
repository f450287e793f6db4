"""Where the pictures, the order and the complaint are in the JSON of an answer, whatever its shape. Pure.

Sources: the documents and published clients of these, read 2026-11-20: OpenAI, Seedream, Together, xAI, MiniMax,
Azure and self-hosted servers, gateways that answer with a chat completion, and gateways that only take the order.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

from .events import objects
from .image import sniff

State = Literal["pending", "failed", "done", "unsaid"]

_PLACES: Final = ("data", "images", "image", "output", "result", "results", "response", "image_urls")
_BASE64: Final = ("b64_json", "image_b64_json", "image_base64", "base64", "b64")
_ADDRESS: Final = ("url", "image_url")
_DEEPEST: Final = 6
_LONGEST: Final = 200

_STATES: Final = MappingProxyType[State, tuple[str, ...]](
    {
        "pending": (
            *("submitted", "queued", "in_queue", "pending", "processing", "in_progress", "running", "started"),
            *("starting", "not_started", "not_start", "waiting", "accepted", "generating", "scheduled"),
        ),
        "failed": (
            *("failed", "failure", "fail", "error", "cancelled", "canceled", "expired", "rejected", "aborted"),
            *("timeout", "timed_out"),
        ),
        "done": ("completed", "complete", "succeeded", "success", "succeed", "finished", "done", "ok"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One picture as an answer names it: base64 or a data: URI, an address, or the complaint that stands for it."""

    base64: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    complaint: str = ""
    revised_prompt: str | None = None

    @property
    def is_picture(self) -> bool:
        """Whether there is something to decode or to fetch."""
        return bool(self.base64 or self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an order is that a server took: its id, the path to ask at, and the server's own words for its state."""

    id: str
    path: str
    status: str
    reason: str
    state: State


def items(body: object) -> tuple[Item, ...]:
    """The pictures of an answer in its order, and a complaint where one of them is missing.

    Of several lists in one answer the first counts that has a picture; for any other value there is none.
    """
    return _in_object(body, _DEEPEST) if isinstance(body, dict) else _in_place(body, _DEEPEST)


# A string with its closing quote; possessive, so that megabytes without one are looked at once.
_WHOLE: Final = re.compile(rb'"(b64_json|url)"\s*:\s*("(?:[^"\\]|\\.)*+")')


def salvaged(text: bytes) -> tuple[Item, ...]:
    """The pictures whose text is whole in JSON that is cut or broken elsewhere, in their order."""
    found = []
    for match in _WHOLE.finditer(text):
        with suppress(ValueError):
            found.append(_named(json.loads(match[2]), None, is_base64=match[1] == b"b64_json"))
    return tuple(item for item in found if item.is_picture)


def _in_object(body: dict[Any, Any], depth: int) -> tuple[Item, ...]:
    if not depth:
        return ()
    places = (_in_place(body.get(name), depth - 1) for name in _PLACES)
    return _first_with_a_picture(chain(places, (found(body) for found in (_in_chat, _own))))


def _first_with_a_picture(groups: Iterable[tuple[Item, ...]]) -> tuple[Item, ...]:
    without: tuple[Item, ...] = ()
    for group in groups:
        if any(item.is_picture for item in group):
            return group
        without = without or group
    return without


def _in_place(value: object, depth: int) -> tuple[Item, ...]:
    if isinstance(value, dict):
        return _in_object(value, depth)
    if isinstance(value, list):
        return tuple(item for element in value for item in _in_element(element, depth))
    return _unnamed(value) if isinstance(value, str) else ()


def _in_element(value: object, depth: int) -> tuple[Item, ...]:
    """One element of a list: a picture, or the error that stands in its place."""
    if not isinstance(value, dict):
        return _unnamed(value) if isinstance(value, str) else ()
    if found := _own(value) or _in_object(value, depth):
        return found
    return (Item(complaint=_json({"error": value["error"]})),) if value.get("error") else ()


def _own(value: dict[Any, Any]) -> tuple[Item, ...]:
    """The pictures that an object names itself; what has both keys is one picture."""
    base64 = next((texts for name in _BASE64 if (texts := _texts(value.get(name)))), ())
    urls = next((texts for name in _ADDRESS if (texts := _texts(value.get(name)))), ())
    note = value.get("revised_prompt")
    revised = note.encode("utf-8", "replace").decode() if isinstance(note, str) else None
    if len(base64) == len(urls) == 1:
        named, elsewhere = _named(base64[0], revised, is_base64=True), _named(urls[0], revised, is_base64=False)
        return (replace(named, url=named.url or elsewhere.url),)
    if base64:
        return tuple(_named(text, revised, is_base64=True) for text in base64)
    return tuple(_named(text, revised, is_base64=False) for text in urls)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        value = value.get("url") or value.get("b64_json")
    found = value if isinstance(value, list) else [value]
    return tuple(text for text in found if isinstance(text, str) and text.strip())


def _named(text: str, revised: str | None, *, is_base64: bool) -> Item:
    """The text of a field that is called base64 or an address; what the text shows to be the other is the other."""
    if _is_data_uri(text) or _is_base64_picture(text) or (is_base64 and not _is_web_address(text)):
        return Item(base64=text, revised_prompt=revised)
    return Item(url=text.strip(), revised_prompt=revised)


def _unnamed(text: str) -> tuple[Item, ...]:
    """A text that no field names: a picture when it looks like one."""
    text = text.strip()
    if _is_data_uri(text) or _is_base64_picture(text):
        return (Item(base64=text),)
    return (Item(url=text),) if _is_web_address(text) or text.startswith("/") else ()


def _is_data_uri(text: str) -> bool:
    return text[:5].lower() == "data:"


def _is_web_address(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def _is_base64_picture(text: str) -> bool:
    """Whether the beginning of a text is base64 of the beginning of a picture."""
    start = "".join(text[:1500].split()).replace("-", "+").replace("_", "/").rstrip("=")
    with suppress(ValueError):
        return sniff(b64decode(start[: len(start) // 4 * 4], validate=True)) is not None
    return False


def is_chat(body: object) -> bool:
    """Whether an answer has the shape of a chat completion, where one picture often stands in several places."""
    return bool(_messages(body))


def words(body: object) -> str:
    """The text of a chat completion, in one line that is no longer than a person reads."""
    return _clean(" ".join(text for message in _messages(body) for text in _said(message)))


def _messages(body: object) -> list[dict[Any, Any]]:
    choices = body.get("choices") if isinstance(body, dict) else None
    found = [choice.get("message") for choice in objects(choices)]
    return [message for message in found if isinstance(message, dict)]


def _said(message: dict[Any, Any]) -> Iterator[str]:
    for content in (message.get("content"), message.get("refusal")):
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str) and text:
                yield text


def _in_chat(body: dict[Any, Any]) -> tuple[Item, ...]:
    return tuple(item for message in _messages(body) for item in _in_message(message))


def _in_message(message: dict[Any, Any]) -> Iterator[Item]:
    for text in _said(message):
        yield from in_text(text)
    content = message.get("content")
    for part in objects(content if isinstance(content, list) else [content]):
        yield from _in_element(part, 2)
    yield from _in_place(message.get("images"), 2)
    yield from _own(message)


# One look at each letter: every repetition is possessive, so that no text keeps the expression busy.
_TARGETS: Final = re.compile(
    r"""  \]\(\s*+<?(?P<target>(?:[^\s()<>]++|\([^\s()<>]*+\))++)
        | <img\b[^<>]*?\ssrc\s*=\s*["']?(?P<source>[^\s"'<>]++)
        | (?P<embedded>data:image/[^\s,"'<>()\[\]`\\]{1,100}+,[^\s"'<>()\[\]`\\]{16,}+)
        | (?P<link>https?://[^\s"'<>()\[\]`\\]++)  """,
    re.VERBOSE | re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"(?i)(?!https?:|data:)[a-z][a-z0-9+.-]*:")
_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff", ".svg")


def in_text(text: str) -> tuple[Item, ...]:
    """The pictures in a text: the whole of it, or its Markdown and HTML images and data: URIs, or its plain links.

    A plain link counts when its path ends like a picture's, and when there is no image: gateways put a link for the
    download of the same picture below it.
    """
    alone = text.strip().strip("<>`").strip()
    if _is_base64_picture(alone) or (
        len(alone.split(None, 1)) == 1 and (_is_data_uri(alone) or _is_web_address(alone))
    ):
        return _unnamed(alone)
    found = tuple(_targets(text))
    images = tuple(target for target, is_image in found if is_image)
    links = tuple(target for target, is_image in found if not is_image and _ends_like_a_picture(target))
    return tuple(_named(target, None, is_base64=False) for target in images or links)


def _targets(text: str) -> Iterator[tuple[str, bool]]:
    """What a text points to, and whether it shows it as an image."""
    before = 0
    for match in _TARGETS.finditer(text):
        kind, target = match.lastgroup, match[match.lastgroup or 0]
        is_image = kind != "link" and (kind != "target" or text.rfind("![", before, match.start()) >= 0)
        before = match.end()
        if kind == "source":
            target = html.unescape(target)
        if not _SCHEME.match(target):
            yield target.rstrip(".,;:!?*_~|") if kind == "link" else target, is_image or _is_data_uri(target)


def _ends_like_a_picture(url: str) -> bool:
    with suppress(ValueError):
        return urlsplit(url).path.lower().endswith(_SUFFIXES)
    return False


def progress(body: object) -> Progress | None:
    """The order that an answer is about; None for an answer that names none.

    Two shapes are documented with the path to ask at: `{"data": {"task_id"}}` (also in a list) and
    `{"object": "generation.task", "id"}`. The path is empty for every other.
    """
    if not isinstance(body, dict):
        return None
    data = body.get("data")
    for inner in [data] if isinstance(data, dict) else objects(data)[:1]:
        if found := _progress(inner, "/tasks" if inner.get("task_id") else ""):
            return found
    return _progress(body, "/images/generations" if body.get("object") == "generation.task" else "")


def orders(body: object) -> tuple[Progress, ...]:
    """Every order that an answer is about: gateways answer one for each picture."""
    listed = objects(body.get("data")) if isinstance(body, dict) and isinstance(body.get("data"), list) else []
    every = [found for element in listed if (found := progress({"data": element}))]
    return tuple(every) or tuple(found for found in (progress(body),) if found)


def _progress(holder: dict[Any, Any], folder: str) -> Progress | None:
    named, status = holder.get("task_id") or holder.get("id"), _text(holder, "status", "task_status", "state")
    state = _state(status)
    is_order = bool(holder.get("task_id") or folder) or state in ("pending", "failed")
    if not isinstance(named, str | int) or isinstance(named, bool) or not named or not is_order:
        return None
    task_id = _clean(str(named))
    is_name = task_id == str(named) and task_id.strip(".") != ""
    path = f"{folder}/{quote(task_id, safe='')}" if folder and is_name else ""
    reason = _text(holder, "fail_reason", "message", "msg", "reason")
    return Progress(id=task_id, path=path, status=status, reason=reason, state=state)


def _text(holder: dict[Any, Any], *names: str) -> str:
    """The first of these fields that is a text, in one short line."""
    return next((_clean(text) for name in names if isinstance(text := holder.get(name), str) and text), "")


def _clean(text: str) -> str:
    start = text.strip()[: _LONGEST + 1]
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())
    return line if len(start) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _state(status: str) -> State:
    word = status.lower().replace("-", "_").replace(" ", "_")
    return next((state for state, names in _STATES.items() if word in names), "unsaid")


def complaint(body: object) -> str:
    """What an answer complains about, as the JSON of an error that rejection.py reads; empty where it does not."""
    if not isinstance(body, dict):
        return ""
    if body.get("error") or body.get("detail"):
        return remark(body)
    inside = (body.get(name) for name in ("data", "result", "output"))
    for holder in (each for each in inside if isinstance(each, dict) and each.get("error")):
        return _json({"error": holder["error"]})
    return _from_code(body)


def _from_code(body: dict[Any, Any]) -> str:
    """A complaint that is told by a code or a flag alone: MiniMax's base_resp, {code, msg}, {success: false}."""
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code") not in (None, 0, "0"):
        return _json({"error": {"code": _scalar(base.get("status_code")), "message": base.get("status_msg")}})
    message = body.get("message") or body.get("msg")
    is_fault = body.get("success") is False or _is_fault_code(body.get("code"))
    is_failed = _state(_text(body, "status")) == "failed" and not body.get("id") and not body.get("task_id")
    if isinstance(message, str) and (is_fault or is_failed):
        return _json({"error": {"code": _scalar(body.get("code")), "message": message}})
    return ""


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _is_fault_code(code: object) -> bool:
    if isinstance(code, str):
        return bool(code) and _state(code) != "done" and not re.fullmatch(r"0|2\d\d", code)
    return isinstance(code, int | float) and not isinstance(code, bool) and code != 0 and not 200 <= code < 300


def remark(body: object) -> str:
    """The JSON of an answer without its pictures: small, and with whatever it says in words."""
    if not isinstance(body, dict):
        return ""
    return _json({name: value for name, value in body.items() if name not in (*_PLACES, *_BASE64, "choices", "usage")})


def _json(value: object) -> str:
    with suppress(RecursionError):
        return json.dumps(value)
    return '{"error": {}}'


def usage(body: object) -> dict[Any, Any] | None:
    """What an answer says about tokens, at its top or beside its pictures."""
    holders = [body, *(body.get(name) for name in ("data", "result", "output"))] if isinstance(body, dict) else []
    found = (holder.get("usage") for holder in holders if isinstance(holder, dict))
    return next((each for each in found if isinstance(each, dict)), None)


def total(usages: Iterable[dict[Any, Any]]) -> object:
    """What several events say about tokens, with the numbers of each key added up; None where there is nothing."""
    return reduce(_added, usages, None)


def _added(one: object, other: object) -> object:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _added(one.get(name), other.get(name)) for name in one | other}
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return one + other
    return other if one is None else one
