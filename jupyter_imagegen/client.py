"""One POST, its answer, and the downloads that an answer points to. The only file that imports the HTTP library."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2

from . import __version__
from .endpoint import Endpoint, origin
from .errors import CallError, ConnectionCut, DeadlinePassed, DownloadFailed, NotSent, OutcomeUnknown
from .keys import Secret
from .reply import Reply
from .request import ImageRequest
from .retry import Stop, Wait, after_no_connection, after_reply

CONNECT_S: Final = 10.0
WRITE_S: Final = 120.0
DOWNLOAD_S: Final = 60.0
DOWNLOADS: Final = 4
LARGEST_ANSWER: Final = 512 * 2**20
LARGEST_PICTURE: Final = 128 * 2**20

_POST_TIMEOUTS: Final = httpx2.Timeout(connect=CONNECT_S, write=WRITE_S, read=None, pool=None)
_GET_TIMEOUTS: Final = httpx2.Timeout(connect=CONNECT_S, write=WRITE_S, read=DOWNLOAD_S, pool=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One paid call as it is handed over: what to post, where, with which key, and for how long to wait."""

    request: ImageRequest
    endpoint: Endpoint
    key: Secret | None
    call_id: str
    timeout_s: float


@dataclass(slots=True)
class Attempts:
    """How often one call was posted, and whether its last POST had begun to leave this machine."""

    made: int = 0
    left: bool = False


class Client:
    """The HTTP connections of one event loop."""

    def __init__(self) -> None:
        # No connection is kept between paid requests: one that the server closes at that moment looks exactly
        # like a request that was accepted and lost, and could not be sent again.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        self._network = httpx2.AsyncClient(limits=limits, follow_redirects=False)
        self._embedded = httpx2.AsyncClient(transport=EmbeddedTransport(), trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._network.aclose()
        await self._embedded.aclose()

    async def post(self, order: Order, attempts: Attempts) -> Reply:
        """Post once, and again only what was certainly not accepted; `attempts` is kept up to date meanwhile.

        Raises NotSent when no connection could be made, DeadlinePassed and ConnectionCut (both: it may have been
        charged). A reply of any status is returned, not raised.
        """
        try:
            async with asyncio.timeout(order.timeout_s):
                return await self._post_until_answered(order, attempts)
        except TimeoutError:
            raise _deadline(order.timeout_s, attempts) from None

    async def _post_until_answered(self, order: Order, attempts: Attempts) -> Reply:
        while True:
            attempts.made += 1
            attempts.left = False
            try:
                reply = await self._post_once(order, attempts)
            except NotSent:
                verdict = after_no_connection(attempts.made)
                if isinstance(verdict, Stop):
                    raise
            else:
                verdict = Stop() if reply.status < 300 else after_reply(reply, attempts.made, time.time())
                if isinstance(verdict, Stop):
                    return reply
            await _pause(verdict)

    async def _post_once(self, order: Order, attempts: Attempts) -> Reply:
        http = self._for(order.endpoint)
        with _translated(order.endpoint.base_url, attempts):
            outgoing = http.build_request(
                "POST",
                order.request.url,
                content=order.request.body.encode(),
                headers=_headers(order.key, order.call_id),
                timeout=_POST_TIMEOUTS,
                extensions={"trace": _leaving(attempts)},
            )
            response = await http.send(outgoing, stream=True)
            async with _closing(response):
                body = await _read(response, LARGEST_ANSWER)
        return Reply(
            status=response.status_code,
            headers=tuple((name.lower(), value) for name, value in response.headers.multi_items()),
            body=body,
            base_url=order.endpoint.base_url,
        )

    def _for(self, endpoint: Endpoint) -> httpx2.AsyncClient:
        return self._embedded if endpoint.embedded else self._network

    async def download(self, url: str, order: Order, left_s: float) -> bytes:
        """The bytes behind a picture's URL, asked for without the key and repeated freely within `left_s` seconds.

        Raises DownloadFailed, also for a URL that points into a private network that is not the API's own host.
        """
        try:
            async with asyncio.timeout(left_s):
                await _refuse_foreign_network(url, order.endpoint)
                return await self._get_until_there(self._for(order.endpoint), url)
        except TimeoutError:
            raise _not_fetched(url, f"no end within {order.timeout_s:g} s") from None

    async def _get_until_there(self, http: httpx2.AsyncClient, url: str) -> bytes:
        for attempt in itertools.count(1):
            try:
                return await self._get(http, url)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                if attempt == DOWNLOADS or not _is_temporary(error):
                    raise _not_fetched(url, _said(error)) from None
            await _pause(Wait(0.5 * 2 ** (attempt - 1)))
        raise AssertionError(url)  # pragma: no cover  (the loop returns or raises)

    async def _get(self, http: httpx2.AsyncClient, url: str) -> bytes:
        response = await http.send(http.build_request("GET", url, timeout=_GET_TIMEOUTS), stream=True)
        async with _closing(response):
            if response.status_code != 200:
                message = f"HTTP {response.status_code}"
                raise httpx2.HTTPStatusError(message, request=response.request, response=response)
            return await _read(response, LARGEST_PICTURE)


class EmbeddedTransport(httpx2.AsyncBaseTransport):
    """Calls the embedded endpoint in this process and hands on each part of its answer as it is painted.

    The HTTP library's own ASGI transport collects the whole body first, which would hold back previews.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Start the endpoint on this request and return once its answer has begun."""
        from .sketch import app  # noqa: PLC0415  (the painter is loaded when it is first asked)

        exchange = _Exchange(await request.aread())
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (request.url.host, request.url.port or 80),
            "client": ("127.0.0.1", 0),
        }
        exchange.task = asyncio.create_task(app(scope, exchange.receive, exchange.send))
        start = await exchange.next_message()
        return httpx2.Response(start["status"], headers=start["headers"], stream=_EmbeddedStream(exchange))


@dataclass(slots=True)
class _Exchange:
    """One request to the embedded endpoint: what it receives, and a queue of what it sends."""

    body: bytes
    messages: asyncio.Queue[MutableMapping[str, Any]] = field(default_factory=lambda: asyncio.Queue(maxsize=1))
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    is_received: bool = False

    async def receive(self) -> MutableMapping[str, Any]:
        """The request, once; then, when nobody listens any more, that it is over."""
        if self.is_received:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self.is_received = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """One part of the answer; it waits until the part before is taken."""
        await self.messages.put(message)

    async def next_message(self) -> MutableMapping[str, Any]:
        """What the endpoint sends next. Raises what the endpoint raised, when it ended without sending."""
        assert self.task is not None  # noqa: S101  (for the type checker; the transport sets it first)
        coming = asyncio.ensure_future(self.messages.get())
        try:
            await asyncio.wait((coming, self.task), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            self.task.result()
            raise httpx2.RemoteProtocolError("the embedded endpoint ended without an answer")  # noqa: TRY301
        except BaseException:
            await self.close()
            raise
        finally:
            coming.cancel()

    async def close(self) -> None:
        """Tell the endpoint that nobody listens, and end it."""
        self.gone.set()
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait((self.task,))


class _EmbeddedStream(httpx2.AsyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._exchange.next_message()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        await self._exchange.close()


def _headers(key: Secret | None, call_id: str) -> dict[str, str]:
    authorization = {"Authorization": f"Bearer {key.reveal()}"} if key is not None else {}
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": f"jupyter-imagegen/{__version__}",
        # One for each call and the same for each of its attempts: a gateway that knows it can tell them apart
        # from a second order. x-litellm-num-retries keeps a LiteLLM proxy from sending one call three times.
        "Idempotency-Key": call_id,
        "x-litellm-num-retries": "0",
        **authorization,
    }


def _leaving(attempts: Attempts) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """Notes the moment at which the POST (not a proxy's CONNECT) begins to be written."""

    async def trace(event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and info["request"].method == b"POST":
            attempts.left = True

    return trace


class _translated:  # noqa: N801  (a context manager, read as a word)
    """The one place where the HTTP library's errors become this package's."""

    def __init__(self, base_url: str, attempts: Attempts) -> None:
        self._host = urlsplit(base_url).netloc
        self._attempts = attempts

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL)):
            raise self._error(error) from None

    def _error(self, error: Exception) -> CallError:
        if not self._attempts.left:
            message = f"No connection to {self._host}: {_said(error)}."
            return NotSent(message)
        message = f"The connection to {self._host} ended before the answer did: {_said(error)}."
        return ConnectionCut(message)


def _deadline(timeout_s: float, attempts: Attempts) -> CallError:
    message = f"No answer within {timeout_s:g} s."
    if attempts.left:
        return DeadlinePassed(message, f"{OutcomeUnknown.default_hint} --timeout sets how long to wait.")
    message = f"No connection within {timeout_s:g} s."
    return NotSent(message, code="timeout")


async def _pause(wait: Wait) -> None:
    """Wait a little longer than asked, by chance, so that many kernels do not come back together."""
    await asyncio.sleep(wait.seconds * random.uniform(1.0, 1.25))  # noqa: S311  (no secret depends on it)


@asynccontextmanager
async def _closing(response: httpx2.Response) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await response.aclose()


async def _read(response: httpx2.Response, most: int) -> bytes:
    """The decoded body, given up when it grows beyond `most` bytes (a compressed body can hide far more)."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > most:
            message = f"more than {most // 2**20} MiB"
            raise httpx2.ReadError(message, request=response.request)
    return b"".join(parts)


def _not_fetched(url: str, why: str) -> DownloadFailed:
    message = f"The picture was made, and could not be fetched from {urlsplit(url).netloc}: {why}."
    return DownloadFailed(message)


def _is_temporary(error: Exception) -> bool:
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx2.TransportError)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _refuse_foreign_network(url: str, endpoint: Endpoint) -> None:
    """A server may not make this machine fetch from inside its own network, unless the API itself is there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "The picture's URL is not an http or https address."
        raise DownloadFailed(message)
    if endpoint.embedded or parts.hostname == urlsplit(endpoint.base_url).hostname:
        return
    inside = {address for address in await _addresses(parts.hostname) if not ipaddress.ip_address(address).is_global}
    if inside and not inside <= set(await _addresses(urlsplit(endpoint.base_url).hostname or "")):
        home = origin(endpoint.base_url)
        message = f"The picture's URL points into a private network ({parts.hostname}), not to {home}."
        raise DownloadFailed(message, "It was not fetched. The answer is kept, so that you can decide.")


async def _addresses(host: str) -> list[str]:
    """The IP addresses of a host. Raises DownloadFailed when there are none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        message = f"The picture was made, and its host {host} cannot be found."
        raise DownloadFailed(message) from None
    return [str(address[0]).split("%")[0] for *_, address in found]
