"""Ways that a request goes: straight to its server, through the proxies of the environment, to the embedded endpoint.

Each is a transport of the HTTP library, which `client` alone uses.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies

import httpx2

from .embedded import Exchange
from .errors import SettingsError
from .keys import quieten

if TYPE_CHECKING:
    from .wire import Answer

_LOG: Final = logging.getLogger(__name__)
_PORTS: Final = {"http": 80, "https": 443}

# At DEBUG the HTTP library logs the headers of answers, in which a server may echo the key.
quieten((__name__, "httpx2", *(f"httpcore2.{name}" for name in ("connection", "http11", "http2", "proxy", "socks"))))


def outward() -> httpx2.AsyncBaseTransport:
    """The way out of this machine. Raises SettingsError where the environment's proxies or certificates are no good."""
    is_proxied = any(getproxies().get(scheme) for scheme in ("all", *_PORTS))
    try:
        return Proxied() if is_proxied else Direct()
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        text = "" if "@" in str(error) else f": {error}"  # an address may have a password in it
        message = f"No connection can be made with the proxy or certificates of the environment{text}"
        hint = "Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR. Nothing was sent."
        raise SettingsError(message, hint) from None


class Direct(httpx2.AsyncBaseTransport):
    """Makes a connection for each request, which ends with its answer.

    The HTTP library's own keeps a pool, with locks and scopes around each step: three times the work, and for a
    thousand requests at once five times.
    """

    def __init__(self) -> None:
        self._tls = httpx2.create_ssl_context()
        self._tls.set_alpn_protocols(["http/1.1"])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it and return once the answer has begun."""
        from .wire import Asked, Limits, Peer, connected  # noqa: PLC0415  (the embedded endpoint needs no network)

        url, seconds = request.url, request.extensions["timeout"]
        host = url.raw_host.decode("ascii")
        peer = Peer(
            host=host,
            port=url.port or _PORTS[url.scheme],
            tls=self._tls if url.scheme == "https" else None,
            name=request.extensions.get("sni_hostname", host),
        )
        limits = Limits(connect=seconds["connect"], write=seconds["write"], read=seconds["read"])
        content = await request.aread()
        asked = Asked(method=request.method, target=url.raw_path, headers=request.headers.raw, content=content)
        with _as_the_library_says():
            wire = await connected(peer, limits)
            try:
                if "trace" in request.extensions:
                    await request.extensions["trace"]("http11.send_request_headers.started", {"request": request})
                answer = await wire.ask(asked)
            except BaseException:
                wire.close()
                raise
        _LOG.info("%s %s %d", request.method, request.url, answer.status)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer), request=request)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_the_library_says():
            async for part in self._answer.parts():
                yield part

    async def aclose(self) -> None:
        self._answer.close()


@contextmanager
def _as_the_library_says() -> Iterator[None]:
    """Errors of a connection as those of the HTTP library."""
    try:
        yield
    except OSError as error:
        from .wire import why  # noqa: PLC0415  (as above)

        raise httpx2.NetworkError(why(error)) from None
    except ValueError as error:  # a header or a name that cannot be sent
        raise httpx2.LocalProtocolError(str(error)) from None


class Proxied(httpx2.AsyncBaseTransport):
    """The HTTP library as it is, which knows the proxies of the environment."""

    def __init__(self) -> None:
        # No connection is kept between paid requests, see `wire`.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        self._client = httpx2.AsyncClient(limits=limits, follow_redirects=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it and return once the answer has begun. A cookie is not kept."""
        response = await self._client.send(request, stream=True)
        self._client.cookies.clear()
        return response


class Embedded(httpx2.AsyncBaseTransport):
    """Calls the embedded endpoint in this process and hands on each part of its answer as it is painted.

    The HTTP library's own ASGI transport collects the whole body first, which would hold back previews.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Start the endpoint on this request and return once its answer has begun."""
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
        exchange = Exchange.begin(scope, await request.aread())
        start = await exchange.next_message()
        return httpx2.Response(start["status"], headers=start["headers"], stream=_Painted(exchange), request=request)


class _Painted(httpx2.AsyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._exchange.next_message()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        await self._exchange.close()
