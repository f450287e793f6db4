"""Names of answers -> the bytes of them.

A name says how many pictures of how many bytes: `1x2MiB`, `10x64KiB`. `stream-` before it is an event stream with
previews; `photograph` is one picture that can be decoded.
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

SIDE: Final = 1024
"""Width and height of every picture, in pixels; clients ask for it."""

PREVIEWS: Final = 3
_PREVIEW_BYTES: Final = 64 * 1024
_BETWEEN_S: Final = 0.02
_BEFORE_FINAL_S: Final = 0.1
"""So long after the last preview comes the picture: clients are done with the preview by then."""

_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20}
_NAME: Final = re.compile(r"(?:stream-)?(\d+)x(\d+)(B|KiB|MiB)")
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_AROUND: Final = 57
"""Bytes of a PNG beside those of its one IDAT chunk."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an HTTP response that go out together, so many seconds after those before."""

    data: bytes = field(repr=False)
    after_s: float = 0.0


def response(name: str) -> tuple[Part, ...]:
    """The whole HTTP response of this name, in parts; the last one holds the last picture.

    Raises ValueError for a name that says nothing.
    """
    if name == "photograph":
        return (_whole(b64encode(_photograph())),)
    count, size = sizes(name)
    if name.startswith("stream-"):
        return _stream(b64encode(picture(size)))
    return (_whole(*(b64encode(picture(size)) for _ in range(count))),)


def sizes(name: str) -> tuple[int, int]:
    """How many pictures, and how many bytes each of them has. Raises ValueError."""
    found = _NAME.fullmatch(name)
    if found is None:
        message = f"no answer is called {name!r}"
        raise ValueError(message)
    return int(found[1]), int(found[2]) * _UNITS[found[3]]


def picture(size: int) -> bytes:
    """So many bytes that begin as a PNG of 1024×1024 does; what should be its pixels is noise."""
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    pixels = os.urandom(size - _AROUND)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _photograph() -> bytes:
    from .photograph import photograph  # noqa: PLC0415  (Pillow and NumPy are loaded where they are needed)

    return photograph()


def _whole(*encoded: bytes) -> Part:
    """One JSON document, in the order in which OpenAI writes it."""
    data = b",".join(b'{"b64_json":"%b"}' % text for text in encoded)
    usage = _USAGE.encode()
    length = len(_BEFORE) + len(data) + len(_BEHIND) + len(usage) + 1
    head = _head("application/json", f"Content-Length: {length}")
    return Part(b"".join((head, _BEFORE, data, _BEHIND, usage, b"}")))


_BEFORE: Final = b'{"created":1764000000,"background":"opaque","data":['
_BEHIND: Final = b'],"output_format":"png","quality":"high","size":"1024x1024","usage":'
_USAGE: Final = json.dumps(
    {
        "input_tokens": 12,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
        "output_tokens": 4160,
        "total_tokens": 4172,
    }
)


def _stream(encoded: bytes) -> tuple[Part, ...]:
    """Previews, a pause, and the picture, in chunks as servers send what they have no length of."""
    head = Part(_head("text/event-stream", "Transfer-Encoding: chunked"))
    previews = (_preview(place) for place in range(PREVIEWS))
    final = _chunked(_event("image_generation.completed", encoded, usage=json.loads(_USAGE))) + b"0\r\n\r\n"
    return (head, *previews, Part(final, after_s=_BEFORE_FINAL_S))


def _preview(place: int) -> Part:
    encoded = b64encode(picture(_PREVIEW_BYTES))
    event = _event("image_generation.partial_image", encoded, partial_image_index=place)
    return Part(_chunked(event), after_s=_BETWEEN_S)


def _event(name: str, encoded: bytes, **more: object) -> bytes:
    rest = {"created_at": 1764000000, "size": "1024x1024", "quality": "high", "background": "opaque", **more}
    told = json.dumps({"output_format": "png", **rest})[1:].encode()
    return b'event: %b\ndata: {"type":"%b","b64_json":"%b",%b\n\n' % (name.encode(), name.encode(), encoded, told)


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(kind: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{framing}\r\nx-request-id: req_benchmark\r\n\r\n".encode()
