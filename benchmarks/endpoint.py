"""A loopback server that is not the bottleneck: `python -m benchmarks.endpoint`.

Its first line on stdout is its origin. The path of a POST says what is answered, and how many milliseconds after the
request: `/1x2MiB/50ms/v1/images/generations`. Each answer is prepared once. `GET /told` tells in JSON when the last
part of the last answer was handed to the socket (nanoseconds of the monotonic clock) and how much processor time the
server has used.
"""

from __future__ import annotations

import heapq
import itertools
import json
import re
import selectors
import socket
import sys
import time
from collections import deque
from functools import cache
from typing import Final

from .answers import Part, response

_BACKLOG: Final = 4096
_READ: Final = 1 << 16
_ASKED: Final = re.compile(rb"POST /([\w-]+)/(\d+)ms/\S+ HTTP/1\.1\r\n")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)

prepared: Final = cache(response)


class Endpoint:
    """One thread, every socket of it non-blocking."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listening.settimeout(0)
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._due: list[tuple[float, int, Connection]] = []
        self._numbers = itertools.count()
        self._final_ns = 0

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self) -> None:
        """Serve until the process is ended."""
        while True:
            for key, events in self._selector.select(self._patience()):
                if key.data is None:
                    self._accept()
                else:
                    key.data.go_on(events)
            self._begin_what_is_due()

    def wait(self, connection: Connection, seconds: float) -> None:
        """Let a connection begin its next part after so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), connection))

    def watch(self, connection: Connection, events: int) -> None:
        """Tell a connection when its socket is ready for these."""
        self._selector.modify(connection.socket, events, connection)

    def forget(self, connection: Connection) -> None:
        """Close a connection."""
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def stamp(self) -> None:
        """Note that the last part of an answer goes out now."""
        self._final_ns = time.monotonic_ns()

    def told(self) -> bytes:
        """What `GET /told` tells."""
        body = json.dumps({"final_ns": self._final_ns, "cpu_s": time.process_time()}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    def _patience(self) -> float | None:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except BlockingIOError:
                return
            accepted.settimeout(0)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(accepted, selectors.EVENT_READ, Connection(self, accepted))

    def _begin_what_is_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, connection = heapq.heappop(self._due)
            connection.begin()


class Connection:
    """One client: what it has sent of a request, and what it has not got of an answer."""

    def __init__(self, endpoint: Endpoint, accepted: socket.socket) -> None:
        self.socket = accepted
        self._endpoint = endpoint
        self._received = bytearray()
        self._parts: deque[Part] = deque()
        self._unsent = memoryview(b"")
        self._is_last = False
        self._is_closed = False

    def go_on(self, events: int) -> None:
        """Read or write as much as there is room for."""
        try:
            if events & selectors.EVENT_READ:
                self._read()
            elif events & selectors.EVENT_WRITE:
                self._write()
        except ConnectionError:
            self._close()

    def begin(self) -> None:
        """Hand the next part to the socket."""
        if self._is_closed:
            return
        self._unsent = memoryview(self._parts.popleft().data)
        if not self._parts:
            self._endpoint.stamp()
        try:
            self._write()
        except ConnectionError:
            self._close()

    def _read(self) -> None:
        data = self.socket.recv(_READ)
        if not data:
            self._close()
            return
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head):
            return
        self._received.clear()
        self._is_last = _LAST.search(head) is not None
        self._answer(bytes(head))

    def _answer(self, head: bytes) -> None:
        asked = _ASKED.match(head)
        if asked is None:
            self._parts.append(Part(self._endpoint.told()))
            self.begin()
            return
        self._parts.extend(prepared(asked[1].decode()))
        self._endpoint.wait(self, int(asked[2]) / 1000 + self._parts[0].after_s)

    def _write(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            self._endpoint.watch(self, selectors.EVENT_WRITE)
            return
        self._endpoint.watch(self, selectors.EVENT_READ)
        if self._parts:
            self._endpoint.wait(self, self._parts[0].after_s)
        elif self._is_last:
            self._close()

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._endpoint.forget(self)


def _length(head: bytearray) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def main() -> None:
    """Say where, and serve."""
    endpoint = Endpoint()
    sys.stdout.write(f"{endpoint.origin}\n")
    sys.stdout.flush()
    endpoint.serve()


if __name__ == "__main__":
    main()
