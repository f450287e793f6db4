"""The practical limit: a socket, the quotes around each picture found, SIMD base64 with validation, and fsync."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pybase64

from .serving import Figures, serve
from .stopwatch import after_final, many, many_at_once, timed

_STORE: Final = Path(os.environ["IMAGEGEN_STORE"])
_READ: Final = 1 << 20
_BEGINS: Final = b'"b64_json":"'
_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)")


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int
    request: bytes


def _address(url: str) -> _Address:
    where = urlsplit(url)
    body = b'{"model":"any","prompt":"otter","size":"1024x1024"}'
    head = f"POST {where.path}/images/generations HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {len(body)}"
    return _Address(where.hostname or "", where.port or 80, f"{head}\r\nConnection: close\r\n\r\n".encode() + body)


def call(url: str, pictures: int, times: int) -> Figures:
    """Request -> files on the disk, and how much of it was waiting for the bytes."""
    address = _address(url)
    turns = sorted((_called(address, pictures) for _ in range(times)), key=lambda turn: turn["wall_s"])
    return turns[times // 2]


def _called(address: _Address, pictures: int) -> Figures:
    began, cpu = time.perf_counter(), time.process_time()
    body = _received(address)
    received = time.perf_counter()
    kept = [_kept(place, picture) for place, picture in enumerate(_pictures(body))]
    ended = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    assert len(kept) == pictures  # noqa: S101  (an answer with fewer is no figure)
    for path in kept:
        path.unlink()
    return {**ended, "received_s": received - began}


def _received(address: _Address) -> memoryview:
    """The body of an answer that has a length."""
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(address.request)
        first = connection.recv(_READ)
        head, _, begun = first.partition(b"\r\n\r\n")
        body = memoryview(bytearray(_length(head)))
        body[: len(begun)] = begun
        at = len(begun)
        while at < len(body):
            at += connection.recv_into(body[at:])
    return body


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    assert found is not None  # noqa: S101  (the endpoint tells the length of every whole answer)
    return int(found[1])


def _pictures(body: memoryview) -> Iterator[bytes]:
    text = body.obj
    assert isinstance(text, bytearray)  # noqa: S101  (for the type checker: it was made above)
    end = 0
    while (begin := text.find(_BEGINS, end)) >= 0:
        begin += len(_BEGINS)
        end = text.find(b'"', begin)
        yield pybase64.b64decode(body[begin:end], validate=True)


def _kept(place: int, picture: bytes) -> Path:
    _STORE.mkdir(parents=True, exist_ok=True)
    path = _STORE / f"{place}.png"
    with path.open("wb", buffering=0) as file:
        file.write(picture)
        os.fsync(file)
    return path


def calls(url: str, calls: int, at_once: int, latency_s: float) -> Figures:
    """Many calls together with asyncio's own streams, each over a connection of its own, decoded into memory."""
    address = _address(url)
    measured = timed(lambda: asyncio.run(many_at_once(lambda: _exchanged(address), calls, at_once)))
    return many(measured, calls=calls, at_once=at_once, latency_s=latency_s)


async def _exchanged(address: _Address) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=_READ)
    with closing(writer):
        writer.write(address.request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = bytearray(await reader.readexactly(_length(head)))
        for _ in _pictures(memoryview(body)):
            pass


def stream(url: str, times: int) -> Figures:
    """Final event sent -> file on the disk."""
    address = _address(url)
    return after_final(url, lambda: _streamed(address), times)


def _streamed(address: _Address) -> int:
    """The chunks are not taken apart: the last picture is in one of them, between its quotes."""
    arrived = bytearray()
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(address.request)
        while data := connection.recv(_READ):
            arrived += data
    *_, last = _pictures(memoryview(arrived))
    path = _kept(0, last)
    ended = time.monotonic_ns()
    path.unlink()
    return ended


if __name__ == "__main__":
    serve(call=call, calls=calls, stream=stream)
