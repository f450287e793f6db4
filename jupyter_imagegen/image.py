"""Image: the exact bytes of one picture, with the format and size that the bytes themselves say. Pure."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One picture as it was received: width and height in pixels, None where the header does not say."""

    data: bytes
    format: str
    width: int | None
    height: int | None
    sha256: str

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.data)

    def __repr__(self) -> str:
        # The bytes are never printed: a log or a traceback with megabytes of them helps nobody.
        return f"Image({self.format}, {self.width}x{self.height}, {len(self.data)} bytes, {self.sha256[:16]})"


@dataclass(frozen=True, slots=True)
class Looks:
    """What the header of a picture says: width and height in pixels, None where it does not say."""

    format: str
    width: int | None
    height: int | None


def sniff(data: bytes) -> Image | None:
    """The picture in these bytes, or None when they are no picture that is known here."""
    found = looks(data)
    if found is None:
        return None
    digest = hashlib.sha256(data).hexdigest()
    return Image(data=data, format=found.format, width=found.width, height=found.height, sha256=digest)


def looks(data: bytes) -> Looks | None:
    """What these bytes say that they are, or None when they are no picture that is known here.

    The header is read and nothing is decoded, so that a decompression bomb is only a file.
    """
    start = data[:1024]
    for name, magic in _MAGIC:
        if magic.match(start):
            width, height = _SIZES.get(name, _no_size)(data) or (None, None)
            return Looks(name, width, height)
    return None


# Each comment is matched in one way only (?>…), or a few hundred bytes of them would keep the expression busy for ever.
_SVG: Final = rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(?>(?><!--.*?-->)\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]"
_MAGIC: Final = (
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("avif", re.compile(rb".{4}ftyp(avif|avis)", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{4}\x00{4}", re.DOTALL)),
    ("tiff", re.compile(rb"II\*\x00|MM\x00\*")),
    ("svg", re.compile(_SVG, re.DOTALL)),
)


def _no_size(_data: bytes) -> None:
    return None


def _png(data: bytes) -> Size | None:
    return struct.unpack(">II", data[16:24]) if data[12:16] == b"IHDR" and len(data) >= 24 else None


def _gif(data: bytes) -> Size | None:
    return struct.unpack("<HH", data[6:10]) if len(data) >= 10 else None


def _jpeg(data: bytes) -> Size | None:
    """Walk the segments to the frame header (SOF0…SOF15, without the three markers that are none)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _webp(data: bytes) -> Size | None:
    """The three kinds of first chunk (RFC 9649): lossy, lossless, extended."""
    kind = data[12:16]
    if len(data) < 30:
        return None
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


_SIZES: Final = MappingProxyType[str, Callable[[bytes], Size | None]](
    {"png": _png, "gif": _gif, "jpeg": _jpeg, "webp": _webp}
)
