"""One request over a connection of its own: asyncio carries the bytes, h11 reads them.

No connection is used twice between paid requests: one that the server closes at that moment looks exactly like a
request that was accepted and lost, and could not be sent again. So there is no pool here, whose work grows with what
is under way.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import h11

LONGEST_HEAD: Final = 100 * 1024
"""Bytes of an answer's status line and headers; a longer head is not read."""

_MOST_WAITING: Final = 4
"""Parts that may have arrived and not been read, of up to 256 KiB each; then no more are taken from the system."""

_NEXT_ADDRESS_S: Final = 0.25
"""After so long the next address of a name is tried beside the one before (RFC 8305)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Whom to connect to; with `tls`, its certificate has to be that of `name`."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for the connection with its handshake, for a pause while writing and for one while reading."""

    connect: float | None
    write: float | None
    read: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it goes over the wire."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    content: bytes

    def in_words_of(self, grammar: h11.Connection) -> bytes:
        """Its bytes. Raises ValueError for what HTTP has no words for."""
        try:
            head = h11.Request(method=self.method, target=self.target, headers=self.headers)
            said = [grammar.send(each) or b"" for each in (head, h11.Data(data=self.content), h11.EndOfMessage())]
        except h11.LocalProtocolError as error:
            raise ValueError(str(error)) from None
        return b"".join(said)


class Wire(asyncio.Protocol):
    """The bytes of one connection. What has arrived is read before it is said that the connection broke."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._arrived: deque[bytes] = deque()
        self._change: asyncio.Future[None] | None = None
        self._is_full = False
        self._is_over = False
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (for the type checker)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep the bytes until they are read."""
        self._arrived.append(data)
        if len(self._arrived) == _MOST_WAITING and self._transport is not None:
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        """No more comes."""
        self._is_over = True
        self._tell()

    def connection_lost(self, error: Exception | None) -> None:
        """No more comes or goes."""
        self._is_over, self._error = True, error
        self._tell()

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._is_full = False
        self._tell()

    async def _write(self, data: bytes) -> None:
        """Send the bytes. An answer that comes before they are all gone, or the end, ends the wait: it counts."""
        assert self._transport is not None  # noqa: S101  (for the type checker)
        self._transport.write(data)
        while self._is_full and not self._arrived and not self._is_over:
            left = self._transport.get_write_buffer_size()
            try:
                await self._changed(self._limits.write)
            except TimeoutError:
                # It is told that there is room only when little is left; a slow line that goes on is no pause.
                if self._transport.get_write_buffer_size() >= left:
                    raise

    async def read(self) -> bytes:
        """The next bytes; none where the server has said its last. Raises OSError."""
        while not self._arrived and not self._is_over:
            await self._changed(self._limits.read)
        if self._arrived:
            if len(self._arrived) == _MOST_WAITING and self._transport is not None:
                self._transport.resume_reading()
            return self._arrived.popleft()
        if self._error is not None:
            raise self._error
        return b""

    async def ask(self, asked: Asked) -> Answer:
        """Send a request and wait until its answer begins. Raises OSError, ValueError for what is no request."""
        grammar = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        await self._write(asked.in_words_of(grammar))
        event = await _next(grammar, self)
        while isinstance(event, h11.InformationalResponse):
            event = await _next(grammar, self)
        if not isinstance(event, h11.Response):
            message = "The server said no end of its answer's head."
            raise ConnectionError(message)
        return Answer(self, grammar, event)

    def close(self) -> None:
        """Be gone at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _changed(self, seconds: float | None) -> None:
        self._change = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._change
        except TimeoutError:
            message = f"nothing came or went for {seconds:g} s"
            raise TimeoutError(message) from None

    def _tell(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)


class Answer:
    """What a server says to one request."""

    def __init__(self, wire: Wire, grammar: h11.Connection, head: h11.Response) -> None:
        self.status = head.status_code
        self.headers = head.headers.raw_items()
        self._wire = wire
        self._grammar = grammar

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises OSError, also where it ends too early."""
        while isinstance(event := await _next(self._grammar, self._wire), h11.Data):
            yield bytes(event.data)

    def close(self) -> None:
        """Listen no longer."""
        self._wire.close()


async def connected(peer: Peer, limits: Limits) -> Wire:
    """A connection; its certificate is good where there is one. Raises OSError, ValueError for a name that is none."""
    loop = asyncio.get_running_loop()
    delay = None if _is_address(peer.host) else _NEXT_ADDRESS_S
    name = peer.name if peer.tls is not None else None
    try:
        async with asyncio.timeout(limits.connect):
            _, wire = await loop.create_connection(
                lambda: Wire(limits),
                peer.host,
                peer.port,
                ssl=peer.tls,
                server_hostname=name,
                happy_eyeballs_delay=delay,
            )
    except TimeoutError as error:
        message = error.strerror or f"no connection within {limits.connect:g} s"
        raise TimeoutError(message) from None
    return wire


async def _next(grammar: h11.Connection, wire: Wire) -> object:
    """The next event of an answer. Raises OSError."""
    try:
        while (event := grammar.next_event()) is h11.NEED_DATA:
            data = await wire.read()
            if not data and grammar.their_state is h11.SEND_RESPONSE:
                message = "Server disconnected without sending a response."
                raise ConnectionError(message)
            grammar.receive_data(data)
    except h11.RemoteProtocolError as error:
        raise ConnectionError(str(error)) from None
    return event


def why(error: OSError) -> str:
    """What the system says of an error, also where asyncio says an address in its place."""
    said = error.strerror or str(error)
    return os.strerror(error.errno) if error.errno and said.startswith("Connect call failed") else said


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
