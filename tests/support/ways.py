"""Ways in which a server may answer one call, and what must come of each, seen from outside the package.

A Way is what is sent back; `expected` says from it, and `take` from a call that is really made, the same Facts.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest

import jupyter_imagegen as ig
from jupyter_imagegen import call, client, errors
from jupyter_imagegen.retry import Wait

from .clock import leap_at_stalls
from .gateway import Answer, Asked, Gateway, Parts, Said
from .pictures import picture

KEY: Final = "canary-0123456789"
REQUEST_ID: Final = "req-7"
HOST: Final = "//host.invalid"
"""Stands in an answer for the gateway's own host and port."""
OTHER: Final = "//other.invalid"
"""The same by another name of its machine."""

RED, BLUE, GREY = (picture(colour, size=(8, 6)) for colour in ("red", "blue", "grey"))
ODD: Final = RED + bytes(range(251, 256)) * 4 + bytes(range(200, 229))
"""A picture whose base64 has every letter that alphabets differ in, and padding."""

Pairs = tuple[tuple[str, Any], ...]
_PAID: Final = (errors.OutcomeUnknown, errors.NoPicture, errors.DownloadFailed)


@dataclass(frozen=True)
class Raw(Parts):
    """Bytes as they go over the wire, the head included."""


class Wire(Gateway):
    """A gateway that also says bytes as they are, with the folder of the test's records and the waits of its calls."""

    def __init__(self, store: Path) -> None:
        super().__init__()
        self.store = store
        self.waits: list[float] = []

    def perform(self, handler: Any, said: Answer) -> None:
        """Do what the rule says."""
        if not isinstance(said, Raw):
            super().perform(handler, said)
            return
        for part in said.parts:
            assert isinstance(part, bytes)
            handler.wfile.write(part)
        if said.end == "cut":
            self._cut(handler)
        elif said.end == "hang":
            self._hang(handler.connection)
        handler.close_connection = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What can be seen of one call from outside."""

    pictures: tuple[tuple[int, bytes], ...]
    """Place and bytes of each, in the Result or in that of the error; `files` is what the folder of pictures has."""
    files: frozenset[bytes]
    rows: tuple[str, ...]
    """The status of each row of the history."""
    error: str
    charge: str
    """What the error says of money: `may` have been charged, `free`, `both`, `likely` in other words, or nothing."""
    unread: tuple[bytes, ...]
    posts: int
    gets: int
    keyed: frozenset[str]
    """Where a GET carried the key to."""
    waits: tuple[float, ...]
    request_ids: frozenset[str]
    broken: tuple[str, ...] = ()
    """The rules of every call that this one broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a call: the facts, the words of its error, and the first row of the history."""

    facts: Facts
    said: str
    row: MappingProxyType[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to answer, and what must come of it."""

    name: str
    posts: tuple[Answer, ...]
    """The answers to the POSTs, in turn."""
    files: tuple[tuple[str, tuple[Answer, ...]], ...] = ()
    """By path, the answers to downloads, in turn; all of them are fetched."""
    polls: tuple[tuple[str, tuple[Answer, ...]], ...] = ()
    """The same of questions after a task, which carry the key."""
    given: Pairs = ()
    pictures: tuple[bytes, ...] = ()
    places: tuple[int, ...] | None = None
    error: type[errors.CallError] | None = None
    phrase: str = ""
    """A regular expression for the words of the error."""
    charge: str | None = None
    unread: tuple[bytes, ...] | None = None
    """What is kept of a paid answer that was not read, where that is not the body of the answer to the last POST."""
    waits: tuple[float, ...] = ()
    row: Pairs = ()
    """Cells of the first row of the history."""
    request_id: str = REQUEST_ID

    @property
    def status(self) -> str:
        """How the history calls it, by the table in docs/history.md."""
        if self.pictures:
            return "ok"
        kinds = ((errors.Refused, "refused"), (errors.OutcomeUnknown, "unknown"), (errors.CallError, "failed"))
        return next(status for kind, status in kinds if self.error is not None and issubclass(self.error, kind))

    @property
    def money(self) -> str:
        """What has to be said of money."""
        if self.charge is not None or self.error is None:
            return self.charge or ""
        if issubclass(self.error, errors.OutcomeUnknown):
            return "may"
        if issubclass(self.error, (errors.NoPicture, errors.DownloadFailed)):
            return "likely"
        return "" if self.pictures or issubclass(self.error, errors.Refused) else "free"

    def kept_unread(self, wire: Wire) -> tuple[bytes, ...]:
        """Every paid answer that could not be read, or not to its end, is kept as it came."""
        is_unread = self.error is not None and issubclass(self.error, _PAID)
        kept = (_paid(self.posts[-1:]) if is_unread else ()) if self.unread is None else self.unread
        return tuple(_addressed(each, wire) for each in kept)


def expected(way: Way, wire: Wire) -> Facts:
    """What has to be seen."""
    return Facts(
        pictures=tuple(zip(way.places or range(len(way.pictures)), way.pictures, strict=True)),
        files=frozenset(way.pictures),
        rows=(way.status,) * max(1, len(way.pictures)),
        error=way.error.__name__ if way.error else "",
        charge=way.money,
        unread=way.kept_unread(wire),
        posts=len(way.posts),
        gets=sum(len(answers) for _, answers in (*way.files, *way.polls)),
        keyed=frozenset(path for path, _ in way.polls),
        waits=way.waits,
        request_ids=frozenset({way.request_id}),
    )


def take(way: Way, wire: Wire) -> Seen:
    """Make one call that is answered in this way. Whatever is raised but a CallError goes on."""
    planned = {("POST", ""): _in_turn(way.posts, wire)}
    planned |= {("GET", path): _in_turn(answers, wire) for path, answers in (*way.files, *way.polls)}
    wire.rule = lambda asked: next(planned.get(_key(asked), iter(())), Said(b"unplanned", 418))
    return observe(wire, wire.url, **dict(way.given))


def observe(wire: Wire, url: str, **given: Any) -> Seen:
    """Make one call at this address, and look at all that it leaves."""
    result: object = None
    error: errors.CallError | None = None
    try:
        result = ig.generate("an otter", **{"base_url": url, "model": "any", "quiet": True, **given})
    except errors.CallError as caught:
        error, result = caught, caught.result
    assert isinstance(result, ig.Result)
    table = ig.history().astype(object)
    found: list[dict[Any, Any]] = table.where(table.notna(), None).to_dict("records")
    said = f"{error.message}\n{error.hint}" if error else ""
    asked = [each for each in wire.asked if each.method == "GET"]
    facts = Facts(
        pictures=tuple((each.index, each.bytes) for each in result),
        files=frozenset(path.read_bytes() for path in wire.store.glob("images/*")),
        rows=tuple(row["status"] for row in found),
        error=type(error).__name__ if error else "",
        charge=_charge(said) if error else "",
        unread=tuple(path.read_bytes() for path in wire.store.glob("unread/*")),
        posts=len(wire.posts),
        gets=len(asked),
        keyed=frozenset(each.path for each in asked if KEY in str(each.headers)),
        waits=tuple(wire.waits),
        request_ids=frozenset([row["request_id"] or "" for row in found] + ([error.request_id] if error else [])),
        broken=tuple(name for name, is_held in _rules(wire, found, error) if not is_held),
    )
    return Seen(facts=facts, said=said, row=MappingProxyType(found[0]))


def _key(asked: Asked) -> tuple[str, str]:
    return (asked.method, "" if asked.method == "POST" else asked.path)


def _in_turn(answers: tuple[Answer, ...], wire: Wire) -> Iterator[Answer]:
    return iter([_placed(each, wire) for each in answers])


def _placed(said: Answer, wire: Wire) -> Answer:
    """The answer with the gateway's own addresses, and a request id."""
    headers = {"x-request-id": REQUEST_ID}
    if isinstance(said, Said):
        return replace(said, body=_addressed(said.body, wire), headers={**headers, **said.headers})
    if isinstance(said, Parts):
        parts = tuple(_addressed(part, wire) if isinstance(part, bytes) else part for part in said.parts)
        return replace(said, parts=parts, headers={**headers, **said.headers})
    return said


def _addressed(data: bytes, wire: Wire) -> bytes:
    own = wire.origin.removeprefix("http:")
    other = own.replace("127.0.0.1", "cdn.invalid")
    return data.replace(HOST.encode(), own.encode()).replace(OTHER.encode(), other.encode())


def _paid(last: tuple[Answer, ...]) -> tuple[bytes, ...]:
    """The body of an answer that was paid for, unless its bytes are the whole of what is said here."""
    for said in last:
        if isinstance(said, Said) and said.status < 300:
            return (said.body,)
        if isinstance(said, Parts) and not isinstance(said, Raw):
            return (b"".join(part for part in said.parts if isinstance(part, bytes)),)
    return ()


def _charge(said: str) -> str:
    is_doubtful = "may have been charged" in said
    is_free = any(words in said for words in ("Nothing was made", "nothing was charged"))
    if is_doubtful or is_free:
        return "both" if is_doubtful and is_free else "may" if is_doubtful else "free"
    return "likely" if "charge" in said else ""


def _rules(wire: Wire, rows: list[dict[Any, Any]], error: errors.CallError | None) -> Iterator[tuple[str, bool]]:
    """What holds for every call, whatever comes of it."""
    lines = [json.loads(line) for path in wire.store.glob("journal/*") for line in path.read_text().splitlines()]
    begun, ended = ([line["id"] for line in lines if line["event"] == event] for event in ("call", "done"))
    yield "one call has one line and one end", len(begun) == 1 and begun == ended
    sent = {asked.headers["idempotency-key"] for asked in wire.posts}
    yield "each attempt has the id of the call", sent <= {rows[0]["id"]} and len({row["id"] for row in rows}) == 1
    told = (error.message, error.code) if error else (None, None)
    yield "the history has the words of the error", {(row["error"], row["error_code"]) for row in rows} == {told}
    yield "the key is in no file", not any(KEY.encode() in path.read_bytes() for path in _files(wire.store))
    yield "no file is half written", not any(path.suffix == ".part" for path in _files(wire.store))
    said = [str(error), *error.lines()] if error else []
    yield "the key is not in the error", not any(KEY in line for line in said)
    yield "a line is a line", all(line.isprintable() and len(line) < 600 for line in said)
    yield "a sentence has one end", not any(".." in line for line in said)
    kept = [path.as_posix() for path in (wire.store / "unread").glob("*")]
    yield "the error says where its answer is", all(path.endswith(_named(said)) for path in kept)


def _files(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def _named(said: list[str]) -> str:
    found = re.search(r"The answer is kept in (\S+)\.", " ".join(said))
    return found[1] if found else "nowhere"


def laid(patch: pytest.MonkeyPatch, store: Path) -> Wire:
    """A gateway with a key for it, at which nothing is slept or waited through and nobody is asked for a name."""
    wire = Wire(store)
    known = socket.getaddrinfo

    async def pause(wait: Wait) -> None:
        wire.waits.append(wait.seconds)

    def found(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known("127.0.0.1" if host == "cdn.invalid" else host, *rest, **more)

    patch.setattr(client, "_pause", pause)
    patch.setattr(client, "LINGER_S", 0.5)
    patch.setattr(call, "_POLL_S", 0.001)
    patch.setattr(socket, "getaddrinfo", found)
    patch.setenv("IMAGEGEN_API_KEY", KEY)
    leap_at_stalls(wire, patch)
    return wire


# --- the words of answers ---


def b64(data: bytes) -> str:
    """The bytes in base64."""
    return base64.b64encode(data).decode()


def embedded(data: bytes, mime: str = "image/png") -> str:
    """The bytes as a data: URI."""
    return f"data:{mime};base64,{b64(data)}"


def item(data: bytes, **more: Any) -> dict[str, Any]:
    """A picture in a list, as OpenAI has it."""
    return {"b64_json": b64(data), **more}


def body(*pictures: bytes, **more: Any) -> dict[str, Any]:
    """An answer with these pictures, as OpenAI has it."""
    return {"created": 1, "data": [item(each) for each in pictures], **more}


def chat(content: object = None, **message: Any) -> dict[str, Any]:
    """A chat completion."""
    whole = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "choices": [whole]}


def said(value: object, status: int = 200, **headers: str) -> Said:
    """An answer of bytes as they are, or of anything else as JSON; `_` in a header's name is a dash."""
    sent = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Said(sent, status, {name.replace("_", "-"): text for name, text in headers.items()})


def raw(value: bytes, *headers: str, first: str = "HTTP/1.1 200 OK", end: str = "close") -> Raw:
    """The same with a head of one's own, which has an id of the request, and no length but what is given."""
    head = "\r\n".join((first, f"X-Request-Id: {REQUEST_ID}", *headers, "", ""))
    return Raw((head.encode() + value,), end=end)


def stream(*parts: bytes, end: str = "close", kind: str = "text/event-stream") -> Parts:
    """Parts that come one after the other, without a length."""
    return Parts(parts, end, {"content-type": kind})


def event(kind: str, drawn: bytes | None = None, name: str | None = None, **more: Any) -> bytes:
    """One event of a stream, with a picture if there is one."""
    carried = {} if drawn is None else item(drawn)
    payload = json.dumps({"type": kind, **carried, **more}, ensure_ascii=False)
    return f"event: {name or kind}\ndata: {payload}\n\n".encode()


def preview(data: bytes = GREY, place: int = 0) -> bytes:
    """A preview, as OpenAI has it."""
    return event("image_generation.partial_image", data, partial_image_index=place)


def completed(data: bytes, **more: Any) -> bytes:
    """A finished picture, as OpenAI has it."""
    return event("image_generation.completed", data, **more)


def succeeded(data: bytes, place: int = 0) -> bytes:
    """A finished picture of a group, as Seedream has it."""
    return event("image_generation.partial_succeeded", data, image_index=place, size="8x6", model="seedream")


def over(**more: Any) -> bytes:
    """The end of a group, as Seedream has it."""
    return event("image_generation.completed", **more)


DONE: Final = b"data: [DONE]\n\n"


# --- the words of tables ---


def brings(name: str, answer: object, *pictures: bytes, **more: Any) -> Way:
    """A way that brings these pictures; what is no answer is sent as JSON, and several answers are a tuple."""
    return Way(name=name, posts=_answers(answer), pictures=pictures, **_frozen(more))


def fails(name: str, error: type[errors.CallError], phrase: str, answer: object, **more: Any) -> Way:
    """A way that ends in this error, which says so."""
    return Way(name=name, posts=_answers(answer), error=error, phrase=phrase, **_frozen(more))


def _answers(answer: object) -> tuple[Answer, ...]:
    each = answer if isinstance(answer, tuple) else (answer,)
    return tuple(one if isinstance(one, Answer) else said(one) for one in each)


def _frozen(more: dict[str, Any]) -> dict[str, Any]:
    """Fields of a Way: objects as pairs, and by path always several answers."""
    pairs = {name: tuple(value.items()) if isinstance(value, dict) else value for name, value in more.items()}
    answers = {name: tuple((path, _answers(said)) for path, said in pairs.get(name, ())) for name in ("files", "polls")}
    return {**pairs, **answers}
