"""A real HTTP server on loopback that answers as a test says, counts what it gets and notes who hangs up."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .pictures import answer, picture


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, decoded."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


@dataclass(frozen=True)
class Said:
    """One answer: a status, a body and headers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Hang:
    """Answer nothing, and wait until the client hangs up or the gateway ends."""


class Cut:
    """Close the connection without an answer."""


class Drip:
    """Send the head of an answer and then a blank now and then, for ever."""


@dataclass(frozen=True)
class Parts:
    """An answer that comes in parts, without a length; then the end says what happens to the connection.

    A part that is an Event is waited for.
    """

    parts: tuple[bytes | threading.Event, ...]
    end: str = "close"
    """close, cut, or hang: stay open until the client hangs up."""
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})


Answer = Said | Hang | Cut | Drip | Parts
Rule = Callable[[Asked], Answer]


def paint_one(_: Asked) -> Answer:
    """An answer with one picture."""
    return Said(answer(picture()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that wait to be accepted; with the usual 5, a hundred clients at once are turned away.
    request_queue_size = 256


class Gateway:
    """The server: `rule` decides each answer; `asked` holds what came; `hung_up` is set when a client goes away."""

    def __init__(self) -> None:
        self.rule: Rule = paint_one
        self.asked: list[Asked] = []
        self.arrived = threading.Semaphore(0)
        self.hung_up = threading.Event()
        self.over = threading.Event()
        self.stalled: Callable[[], None] = lambda: None
        """Called whenever the server has said all that it is going to say, and stays there."""
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"{self.origin}/v1"

    @property
    def posts(self) -> list[Asked]:
        """The POSTs that came."""
        return [asked for asked in self.asked if asked.method == "POST"]

    def wait_for_request(self, timeout: float = 30) -> None:
        """Wait until one more request has arrived."""
        assert self.arrived.acquire(timeout=timeout), "no request arrived"

    def close_after_next(self) -> None:
        """Answer one more request, and listen no longer."""
        rule = self.rule

        def last(asked: Asked) -> Answer:
            self._server.socket.close()
            return rule(asked)

        self.rule = last

    def close_listening(self) -> None:
        """Be gone for whoever comes now."""
        self._server.socket.close()

    def close(self) -> None:
        """Let everything that hangs go, and end."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                said = gateway.rule(asked)
                gateway.asked.append(asked)
                gateway.arrived.release()
                gateway.perform(self, said)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def perform(self, handler: BaseHTTPRequestHandler, said: Answer) -> None:
        """Do what the rule says."""
        match said:
            case Said():
                self._say(handler, said)
            case Hang():
                self._hang(handler.connection)
            case Drip():
                self._drip(handler)
            case Parts():
                self._send_parts(handler, said)
            case Cut():
                self._cut(handler)
        handler.close_connection = True

    def _say(self, handler: BaseHTTPRequestHandler, said: Said) -> None:
        handler.send_response(said.status)
        for name, value in {"content-length": str(len(said.body)), **said.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(said.body)
        except OSError:
            self.hung_up.set()

    def _send_parts(self, handler: BaseHTTPRequestHandler, said: Parts) -> None:
        handler.send_response(200)
        for name, value in {**said.headers, "transfer-encoding": "chunked"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            for part in said.parts:
                if isinstance(part, bytes):
                    handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                else:
                    part.wait(30)
            if said.end == "close":
                handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.hung_up.set()
            return
        if said.end == "hang":
            self._hang(handler.connection)
        elif said.end == "cut":
            self._cut(handler)

    @staticmethod
    def _cut(handler: BaseHTTPRequestHandler) -> None:
        # RST instead of FIN: what a crash or a firewall looks like.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _hang(self, connection: socket.socket) -> None:
        self.stalled()
        while not self.over.is_set():
            readable, _, _ = select.select([connection], [], [], 0.005)
            if readable and self._is_gone(connection):
                self.hung_up.set()
                return

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000000")
        handler.end_headers()
        handler.wfile.write(b" ")
        self.stalled()
        while not self.over.wait(0.01):
            try:
                handler.wfile.write(b" ")
            except OSError:
                self.hung_up.set()
                return

    @staticmethod
    def _is_gone(connection: socket.socket) -> bool:
        try:
            return connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
