"""One POST, its answer, and the downloads that an answer points to, in the words of the HTTP library."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType, TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx2

from . import __version__
from .address import looked_up
from .complaint import line, shortened
from .disk import to_its_end
from .endpoint import Endpoint
from .errors import (
    CallError,
    ConnectionCut,
    DeadlinePassed,
    DownloadFailed,
    NotSent,
    OutcomeUnknown,
    StoreError,
)
from .keys import in_use
from .order import Attempts, Order, Taker, headers, key_header
from .reply import Reply, unpacked
from .retry import Stop, Wait, after_no_connection, after_reply
from .transport import Embedded, outward

CONNECT_S: Final = 10.0
WRITE_S: Final = 120.0
DOWNLOAD_S: Final = 60.0
DOWNLOADS: Final = 4
REDIRECTS: Final = 5
LARGEST_ANSWER: Final = 512 * 2**20
LARGEST_PICTURE: Final = 128 * 2**20
LARGEST_COMPLAINT: Final = 2**20
"""Of an answer that is no success, no more is read."""
_PARTS_IN_A_ROW: Final = 64
"""After so many the other calls have a turn: a server may send one byte at a time."""
LINGER_S: Final = 3.0
"""How long a stream that has brought every picture is listened to, for its usage and its end."""

_LONGEST_DRAWN: Final = 1.25  # A wait is drawn out by up to this much, by chance.
_FETCHING: Final = MappingProxyType(
    {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",  # Bodies are read raw: what this package can undo.
        "User-Agent": f"jupyter-imagegen/{__version__}",
    }
)

_PACKED: Final = re.compile(r"(?i)gzip|deflate|compress|br|zstd")
Got = TypeVar("Got")

_POST_TIMEOUTS: Final = httpx2.Timeout(connect=CONNECT_S, write=WRITE_S, read=None, pool=None).as_dict()
_GET_TIMEOUTS: Final = httpx2.Timeout(connect=CONNECT_S, write=WRITE_S, read=DOWNLOAD_S, pool=None).as_dict()


class Client:
    """The HTTP connections of one event loop."""

    def __init__(self) -> None:
        self._outward: httpx2.AsyncBaseTransport | None = None
        self._embedded: httpx2.AsyncBaseTransport | None = None

    async def post(self, order: Order, attempts: Attempts, taker: Taker) -> Reply:
        """Post once, and again only what was certainly not accepted; `attempts` is kept up to date meanwhile.

        `taker` sees the bytes of a success as they come, and may say that no more are needed.

        Raises NotSent when no connection could be made, DeadlinePassed and ConnectionCut (both: it may have been
        charged), SettingsError for proxy or certificate variables that cannot be used. A reply of any status is
        returned, not raised.
        """
        until = asyncio.get_running_loop().time() + order.timeout_s
        try:
            async with asyncio.timeout_at(until):
                return await self._post_until_answered(order, attempts, taker, until)
        except TimeoutError:
            raise _deadline(order.timeout_s, attempts) from None

    async def _post_until_answered(self, order: Order, attempts: Attempts, taker: Taker, until: float) -> Reply:
        while True:
            attempts.made += 1
            try:
                reply = await self._post_once(order, attempts, taker)
            except NotSent:
                verdict = after_no_connection(attempts.made)
                if isinstance(verdict, Stop) or _is_too_long(verdict, until):
                    raise
            else:
                verdict = Stop() if reply.status < 300 else after_reply(reply, attempts.made, time.time())
                if isinstance(verdict, Stop) or _is_too_long(verdict, until):
                    return reply
                # A rate limit is no work: an interrupt or a deadline from here on has cost nothing. A 503 may be.
                attempts.is_doubtful = attempts.is_doubtful or reply.status != 429
                attempts.has_left, attempts.is_waiting = attempts.is_doubtful, True
            await _pause(verdict)

    async def _post_once(self, order: Order, attempts: Attempts, taker: Taker) -> Reply:
        http = self._for(order.endpoint)
        in_use.set(order.key)
        attempts.has_left = attempts.has_left or order.endpoint.embedded
        with _translated(order.endpoint.base_url, attempts):
            outgoing = httpx2.Request(
                "POST",
                _address(order.request.url),
                content=order.request.content,
                headers=headers(order),
                extensions={"timeout": _POST_TIMEOUTS, "trace": _leaving(attempts)},
            )
            response = await http.handle_async_request(outgoing)
            arrived = bytearray()
            try:
                async with _closing(response):
                    await _read_while_wanted(response, arrived, taker)
            except BaseException:
                # It was paid for: what came of it may be whole although its framing is not, or must be kept.
                with suppress(StoreError):
                    await to_its_end(_noted(attempts, _taken(response, arrived, order, taker)))
                raise
        return await _taken(response, arrived, order, taker)

    def _for(self, endpoint: Endpoint) -> httpx2.AsyncBaseTransport:
        """The way to an endpoint, made when it is first needed: the embedded one needs no network."""
        if endpoint.embedded:
            self._embedded = self._embedded or Embedded()
            return self._embedded
        self._outward = self._outward or outward()
        return self._outward

    async def poll(self, path: str, order: Order, seconds: float) -> Reply:
        """Ask what became of a task, at a path below the base URL and with the key; repeated freely as downloads are.

        Raises DownloadFailed.
        """
        url = order.endpoint.base_url + path
        try:
            async with asyncio.timeout(seconds):
                return await self._repeated(url, lambda _: self._poll_once(url, order))
        except TimeoutError:
            raise _not_fetched(url, f"no end within {order.timeout_s:g} s") from None

    async def _poll_once(self, url: str, order: Order) -> Reply:
        http = self._for(order.endpoint)
        in_use.set(order.key)
        asking = httpx2.Request(
            "GET", url, headers={**_FETCHING, **key_header(order)}, extensions={"timeout": _GET_TIMEOUTS}
        )
        response = await http.handle_async_request(asking)
        arrived = bytearray()
        async with _closing(response):
            await _read(response, arrived, LARGEST_ANSWER)
        if response.status_code == 429 or response.status_code >= 500:
            raise _status(response)
        return _reply(response, arrived, order)

    async def download(self, url: str, order: Order, seconds: float) -> bytes:
        """The bytes behind a picture's URL, asked for without the key and repeated freely within so many seconds.

        Raises DownloadFailed, also for a URL that points into a private network that is not the API's own host.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._repeated(url, lambda turn: self._get(url, order.endpoint, turn))
        except TimeoutError:
            raise _not_fetched(url, f"no end within {order.timeout_s:g} s") from None

    async def _repeated(self, url: str, ask: Callable[[int], Awaitable[Got]]) -> Got:
        """What asking gives, sooner or later: it costs nothing, and gets the number of the attempt."""
        for attempt in itertools.count(1):
            try:
                return await ask(attempt)
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
                if attempt == DOWNLOADS or not _is_temporary(error):
                    raise _not_fetched(url, _said(error)) from None
            await _pause(Wait(0.5 * 2 ** (attempt - 1)))
        raise AssertionError(url)  # pragma: no cover  (the loop returns or raises)

    async def _get(self, url: str, endpoint: Endpoint, turn: int) -> bytes:
        """Follow a few redirects, as storage behind a gateway needs them, and look at each address first."""
        http = self._for(endpoint)
        for _ in range(REDIRECTS + 1):
            addresses = await looked_up(url, endpoint)
            response = await http.handle_async_request(_fetching(url, addresses, turn))
            async with _closing(response):
                if response.status_code == 200:
                    arrived = bytearray()
                    await _read(response, arrived, LARGEST_PICTURE)
                    return unpacked(bytes(arrived), response.headers.get("content-encoding", ""), LARGEST_PICTURE)
                if not response.has_redirect_location:
                    raise _status(response)
                url = urljoin(url, response.headers["location"])
        raise _not_fetched(url, f"more than {REDIRECTS} redirects")


@lru_cache(maxsize=64)
def _address(url: str) -> httpx2.URL:
    """Calls in a row go to one address, which is taken apart once."""
    return httpx2.URL(url)


def _is_too_long(wait: Wait, until: float) -> bool:
    """Whether the wait would end after the deadline: then what there is now is the answer."""
    return asyncio.get_running_loop().time() + wait.seconds * _LONGEST_DRAWN >= until


def _fetching(url: str, addresses: tuple[str, ...], turn: int) -> httpx2.Request:
    """A GET of this URL, from one of the addresses that were looked at, the next one at each attempt."""
    asked = httpx2.URL(url)
    if not addresses:
        return httpx2.Request("GET", asked, headers=_FETCHING, extensions={"timeout": _GET_TIMEOUTS})
    pinned = asked.copy_with(host=addresses[(turn - 1) % len(addresses)])
    # The certificate has to be that of the name, wherever the connection goes.
    name = asked.raw_host.decode("ascii")
    return httpx2.Request(
        "GET",
        pinned,
        headers={**_FETCHING, "Host": asked.netloc.decode("ascii")},
        extensions={"timeout": _GET_TIMEOUTS, "sni_hostname": name},
    )


def _status(response: httpx2.Response) -> httpx2.HTTPStatusError:
    message = f"HTTP {response.status_code}"
    return httpx2.HTTPStatusError(message, request=response.request, response=response)


def _leaving(attempts: Attempts) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """Notes the moment at which the POST (not a proxy's CONNECT) begins to be written."""

    async def trace(event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and info["request"].method in ("POST", b"POST"):
            attempts.has_left = True

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
        if not self._attempts.has_left:
            message = f"No connection to {self._host}: {_said(error)}."
            return NotSent(message)
        message = f"The connection to {self._host} ended before the answer did: {_said(error)}."
        return ConnectionCut(message)


def _deadline(timeout_s: float, attempts: Attempts) -> CallError:
    message = f"No answer within {timeout_s:g} s."
    if attempts.has_left:
        return DeadlinePassed(message, f"{OutcomeUnknown.default_hint} --timeout sets how long to wait.")
    message = f"No connection within {timeout_s:g} s."
    return NotSent(message, code="timeout")


async def _pause(wait: Wait) -> None:
    """Wait a little longer than asked, by chance, so that many kernels do not come back together."""
    await asyncio.sleep(wait.seconds * random.uniform(1.0, _LONGEST_DRAWN))  # noqa: S311  (no secret depends on it)


@asynccontextmanager
async def _closing(response: httpx2.Response) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await response.aclose()


class _TooLargeError(httpx2.ReadError):
    """A body beyond its cap; asking again would only bring it again."""


async def _read_while_wanted(response: httpx2.Response, arrived: bytearray, taker: Taker) -> None:
    """Collect the body, and hand a success on as it comes; a relay may keep its connection open for ever."""
    parts = response.aiter_raw()
    is_success = 200 <= response.status_code < 300
    is_shown = is_success and not _PACKED.search(response.headers.get("content-encoding", ""))
    until: float | None = None
    seen, count, turns = -1, 0, itertools.count(1)
    while not (is_shown and taker.is_over()) and (is_success or count < LARGEST_COMPLAINT):
        if is_shown and taker.is_enough() and taker.received() > seen:
            # Drawn out by a further picture, and not by a heartbeat.
            seen, until = taker.received(), asyncio.get_running_loop().time() + LINGER_S
        try:
            async with asyncio.timeout_at(until):
                part = await anext(parts)
        except (StopAsyncIteration, TimeoutError):
            return
        arrived += await taker.take(part) if is_shown else part
        count += len(part)
        _refuse_more(response, count, LARGEST_ANSWER)
        if next(turns) % _PARTS_IN_A_ROW == 0:
            await asyncio.sleep(0)


async def _read(response: httpx2.Response, arrived: bytearray, most: int) -> None:
    """Collect the body as it comes over the wire, and give up when it grows beyond `most` bytes."""
    async for part in response.aiter_raw():
        arrived += part
        _refuse_more(response, len(arrived), most)


def _refuse_more(response: httpx2.Response, count: int, most: int) -> None:
    if count > most:
        message = f"more than {most // 2**20} MiB"
        raise _TooLargeError(message, request=response.request)


async def _noted(attempts: Attempts, partial: Awaitable[Reply]) -> None:
    attempts.partial = await partial


async def _taken(response: httpx2.Response, arrived: bytearray, order: Order, taker: Taker) -> Reply:
    """The reply to a POST. Raises StoreError where a picture that was not whole could not be put back."""
    arrived += await taker.close()
    return replace(_reply(response, arrived, order), nonce=taker.nonce, diverted=taker.diverted)


def _reply(response: httpx2.Response, arrived: bytearray, order: Order) -> Reply:
    return Reply(
        status=response.status_code,
        headers=tuple((name.lower(), value) for name, value in response.headers.multi_items()),
        body=unpacked(bytes(arrived), response.headers.get("content-encoding", ""), LARGEST_ANSWER),
        base_url=order.endpoint.base_url,
        key=order.key,
    )


def _not_fetched(url: str, why: str) -> DownloadFailed:
    message = (
        f"The picture was made, and could not be fetched from {shortened(line(urlsplit(url).hostname), 100)}: {why}."
    )
    return DownloadFailed(message)


def _is_temporary(error: Exception) -> bool:
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx2.TransportError | OSError) and not isinstance(error, _TooLargeError)


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
