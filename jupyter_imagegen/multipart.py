"""Fields and pictures -> the bytes of multipart/form-data (RFC 7578), the same for the same parts. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from .references import Reference

# The one picture field that may repeat, under its two names; a mask is always one (OpenAI API reference, images/edit).
_REPEATED: Final = ("image", "image[]")
_SUFFIXES: Final = MappingProxyType({"jpeg": "jpg"})
# As browsers escape a field name, so that none ends its header (HTML standard, multipart/form-data).
_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    head: bytes
    data: bytes = field(repr=False)
    sha256: str


def encode(parts: Iterable[tuple[str, str | Reference]]) -> tuple[str, bytes]:
    """The content type, with its boundary, and the body of a form with these fields, in their order.

    Texts are UTF-8, as they are: no line end is changed; half a character becomes `?`. A picture has its own media
    type and a file name made of its field and its place, never of the path that it came from.
    """
    written = tuple(_written(parts))
    boundary = _boundary(written)
    pieces = [piece for part in written for piece in (b"--", boundary, b"\r\n", part.head, part.data, b"\r\n")]
    return f"multipart/form-data; boundary={boundary.decode()}", b"".join((*pieces, b"--", boundary, b"--\r\n"))


def _written(parts: Iterable[tuple[str, str | Reference]]) -> Iterator[_Part]:
    seen = Counter[str]()
    for name, value in parts:
        disposition = f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"'
        if isinstance(value, Reference):
            file = f'filename="{_file_name(name, value, seen[name])}"'
            head = f"{disposition}; {file}\r\nContent-Type: {value.mime}\r\n\r\n"
            yield _Part(head=_bytes(head), data=value.image.data, sha256=value.image.sha256)
        else:
            data = _bytes(value)
            yield _Part(head=_bytes(f"{disposition}\r\n\r\n"), data=data, sha256=hashlib.sha256(data).hexdigest())
        seen[name] += 1


def _file_name(name: str, picture: Reference, place: int) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "picture"
    number = f"-{place}" if name in _REPEATED else ""
    return f"{stem}{number}.{_SUFFIXES.get(picture.image.format, picture.image.format)}"


def _boundary(parts: tuple[_Part, ...]) -> bytes:
    """Letters that follow from the content and stand nowhere in it: a server could not tell the parts otherwise."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.head + part.sha256.encode())
    boundary = b"imagegen-" + digest.hexdigest()[:40].encode()
    while any(boundary in part.head or boundary in part.data for part in parts):
        digest.update(boundary)
        boundary = b"imagegen-" + digest.hexdigest()[:40].encode()
    return boundary


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
