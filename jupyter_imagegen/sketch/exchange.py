"""One HTTP exchange over ASGI: read a request, send an answer, notice that the client has gone."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from typing import Any

from . import answer, refusal

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]

_PATIENCE = 16  # times the largest body are read of one that is too large, before the connection is cut


class Gone(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its body; `origin` is the scheme and host by which the client knows the endpoint."""

    method: str
    path: str
    origin: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its body at once, or `chunks` as they come."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Headers = ()
    chunks: AsyncIterator[bytes] | None = None


def refused(refusal: refusal.Refused, headers: Headers = ()) -> Reply:
    """The answer to a request that is not granted."""
    return Reply(answer.encoded(refusal.body), status=refusal.status, headers=headers)


async def read(scope: Scope, receive: Receive, largest: int) -> Request:
    """Read a request; Refused if its body has more bytes than are read, Gone if it ends before its end."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    root = scope.get("root_path", "")
    return Request(
        method=scope["method"],
        path=scope["path"].removeprefix(root),
        origin=f"{scope.get('scheme', 'http')}://{headers.get('host') or _address(scope)}{root}",
        content_type=headers.get("content-type", ""),
        body=await _body(receive, largest),
    )


def _address(scope: Scope) -> str:
    host, port = scope.get("server") or ("localhost", None)
    return f"{host}:{port}" if port else str(host)


async def _body(receive: Receive, largest: int) -> bytes:
    """Read a body; what is too much is read on but not kept, as a client that is still sending hears no answer."""
    chunks, length, more = [], 0, True
    while more and length <= largest * _PATIENCE:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        length += len(event.get("body", b""))
        if length <= largest:
            chunks.append(event.get("body", b""))
        more = event.get("more_body", False)
    if length > largest:
        raise refusal.too_large(largest)
    return b"".join(chunks)


async def send(reply: Reply, deliver: Send, began: float) -> None:
    """Send an answer; each chunk of a stream is a message of its own, sent as soon as it is there."""
    await deliver({"type": "http.response.start", "status": reply.status, "headers": _headers(reply, began)})
    if reply.chunks is not None:
        await _send_chunks(reply.chunks, deliver)
    await deliver({"type": "http.response.body", "body": reply.body})


async def _send_chunks(chunks: AsyncIterator[bytes], deliver: Send) -> None:
    try:
        async for chunk in chunks:
            await deliver({"type": "http.response.body", "body": chunk, "more_body": True})
    except Exception:
        # The status is sent and cannot say it any more; the server logs what is raised.
        await deliver({"type": "http.response.body", "body": answer.failed(refusal.broken())})
        raise


def _headers(reply: Reply, began: float) -> list[tuple[bytes, bytes]]:
    length = ("cache-control", "no-cache") if reply.chunks is not None else ("content-length", str(len(reply.body)))
    headers = (
        ("content-type", reply.content_type),
        length,
        ("x-request-id", f"req_{uuid.uuid4().hex}"),
        ("openai-processing-ms", str(round((time.perf_counter() - began) * 1000))),
        ("openai-version", "2020-10-01"),
        *reply.headers,
    )
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def while_there(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do some work, but stop it when the client goes away."""
    job, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({job, gone}, return_when=asyncio.FIRST_COMPLETED)
        if job.done():
            await job
    finally:
        job.cancel()
        gone.cancel()
        await asyncio.gather(job, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def live(receive: Receive, deliver: Send) -> None:
    """Answer the life cycle of a server; there is nothing to open or to close."""
    while True:
        event = await receive()
        await deliver({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
