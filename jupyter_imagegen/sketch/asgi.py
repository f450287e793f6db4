"""The endpoint as an ASGI application: routes, bodies, answers, streams; no framework.

    POST /v1/images/generations    JSON in; JSON or server-sent events out
    POST /v1/images/edits          multipart/form-data or JSON in; the same out
    GET  /v1/models                the list; /v1/models/sketch the one
    GET  /v1/files/NAME            a picture that was answered as an address

A key is not needed; if one is sent it is not looked at. Painting runs in threads. A client that goes away
stops what has not begun.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from . import answer, exchange, multipart, refusal, uploads, wire
from .exchange import Receive, Reply, Request, Scope, Send
from .fields import Fields
from .refusal import Refused
from .shelf import Shelf

if TYPE_CHECKING:
    from .picture import Picture
    from .studio import Commission

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a request that are read, unless the endpoint is told otherwise."""


class Endpoint:
    """The ASGI application.

    `delay` is the seconds that a picture is made to take, `largest_body` the bytes read of a request.
    """

    def __init__(self, *, delay: float = 0.0, largest_body: int = LARGEST_BODY) -> None:
        """Set the endpoint up; nothing is opened."""
        self._delay = delay
        self._largest_body = largest_body
        self._shelf = Shelf()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI 3 has it."""
        if scope["type"] == "lifespan":
            await exchange.live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            request = await exchange.read(scope, receive, self._largest_body)
        except exchange.Gone:
            return
        except Refused as refused:
            # Some of the body may be left unread, so nothing more can come on this connection.
            await exchange.send(exchange.refused(refused, (("connection", "close"),)), send, began)
        else:
            await exchange.while_there(receive, self._reply(request, send, began))

    async def _reply(self, request: Request, send: Send, began: float) -> None:
        try:
            reply = await self._answered(request)
        except Refused as refused:
            reply = exchange.refused(refused)
        except Exception:
            await exchange.send(Reply(answer.encoded(refusal.broken()), status=500), send, began)
            raise
        await exchange.send(reply, send, began)

    async def _answered(self, request: Request) -> Reply:
        path = request.path
        if path in ("/v1/images/generations", "/v1/images/edits"):
            return _unless_sent_by(request, "POST") or await self._images(request)
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return _unless_sent_by(request, "GET", "HEAD") or _models(path)
        if path.startswith("/v1/files/"):
            return _unless_sent_by(request, "GET", "HEAD") or await self._file(request)
        raise refusal.no_such_page(request.method, path)

    async def _images(self, request: Request) -> Reply:
        kind = "image_edit" if request.path.endswith("edits") else "image_generation"
        # Megabytes of JSON or of a form are read in a thread, as the painting is.
        work = await asyncio.to_thread(_commission, kind, request)
        if work.asked.stream:
            return Reply(b"", "text/event-stream; charset=utf-8", chunks=self._events(kind, work))
        items = [item async for item in self._items(work, request.origin)]
        body = answer.images(work.terms(), items, int(time.time()))
        return Reply(answer.encoded(body))

    async def _items(self, work: Commission, origin: str) -> AsyncIterator[Mapping[str, str]]:
        """Paint the pictures of an answer one after the other."""
        asked = work.asked
        for index in range(asked.n):
            await asyncio.sleep(self._delay)
            if asked.response_format == "url" and work.sitting is None:
                # The address says what to paint; it is painted when it is asked for.
                yield {"url": f"{origin}/v1/files/{answer.file_name(work.picture(index), asked)}"}
                continue
            data = await asyncio.to_thread(_studio().finished, work, index)
            if asked.response_format == "url":
                yield {"url": f"{origin}/v1/files/{self._shelf.put(data, asked.output_format)}"}
            else:
                yield {"b64_json": answer.in_base64(data)}

    async def _events(self, kind: str, work: Commission) -> AsyncIterator[bytes]:
        """Paint the pictures of a stream, each first in its stages."""
        asked, pause = work.asked, self._delay / (work.asked.partial_images + 1)
        for index in range(asked.n):
            for stage in range(asked.partial_images):
                await asyncio.sleep(pause)
                data = await asyncio.to_thread(_studio().preview, work, index, stage)
                yield answer.partial(kind, work.terms(), stage, data, int(time.time()))
            await asyncio.sleep(pause)
            data = await asyncio.to_thread(_studio().finished, work, index)
            yield answer.completed(kind, work.terms(), data, int(time.time()))

    async def _file(self, request: Request) -> Reply:
        name = request.path.removeprefix("/v1/files/")
        media_type = answer.MEDIA_TYPES.get(name.rpartition(".")[2], "")
        kept, carried = self._shelf.get(name), answer.from_file_name(name)
        if kept is not None:
            return Reply(kept, media_type)
        if carried is None:
            raise refusal.no_such_page(request.method, request.path)
        return Reply(await asyncio.to_thread(_painted_again, *carried), media_type)


app = Endpoint()
"""The endpoint as it is served by default."""


def _studio() -> ModuleType:
    from . import studio  # noqa: PLC0415  it imports Pillow, which is for the first picture

    return studio


def _painted_again(picture: Picture, output_format: str, compression: int) -> bytes:
    data: bytes = _studio().from_address(picture, output_format, compression)
    return data


def _commission(kind: str, request: Request) -> Commission:
    """Read a request and what was sent with it; Refused says what is wrong."""
    if kind == "image_generation":
        asked, sent = wire.generation(_json(request, "'application/json'")), None
    else:
        fields, sent = _edit(request)
        asked = wire.edit(fields)
    work: Commission = _studio().commission(asked, sent)
    return work


def _edit(request: Request) -> tuple[Fields, uploads.Uploads]:
    if _media_type(request) != "multipart/form-data":
        return uploads.from_json(_json(request, "'multipart/form-data' and 'application/json'"))
    try:
        return uploads.from_form(multipart.read(request.body, request.content_type))
    except multipart.MalformedMultipart as error:
        raise refusal.unreadable("the form is malformed", error) from error


def _json(request: Request, accepted: str) -> Fields:
    if _media_type(request) not in ("application/json", ""):
        raise refusal.wrong_content_type(request.content_type, accepted)
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise refusal.unreadable("it is not JSON", error) from error
    if not isinstance(fields, dict):
        raise refusal.unreadable("it is not a JSON object")
    return fields


def _media_type(request: Request) -> str:
    return request.content_type.partition(";")[0].strip().lower()


def _unless_sent_by(request: Request, *methods: str) -> Reply | None:
    """The answer to a method that the path does not take; None if it takes it."""
    if request.method in methods:
        return None
    return exchange.refused(refusal.wrong_method(request.method, request.path), (("allow", ", ".join(methods)),))


def _models(path: str) -> Reply:
    name = path.removeprefix("/v1/models").removeprefix("/")
    if name not in ("", wire.OWN_MODEL):
        raise refusal.no_such_model(name)
    return Reply(answer.encoded(answer.model() if name else answer.models()))
