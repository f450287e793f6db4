"""Read multipart/form-data: bytes -> parts (RFC 7578, RFC 2046 section 5.1).

The body is cut at its boundary by hand, as the standard library's mail parser goes line by line and is slow
on pictures; the headers of a part are read by that parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value

MOST_PARTS = 100


class MalformedMultipart(ValueError):
    """A body that is not the multipart/form-data that its content type announces."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; `filename` is None for plain text."""

    name: str
    filename: str | None
    data: bytes


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise MalformedMultipart("the content type names no boundary")
    return boundary.encode("latin-1", "replace")


def read(body: bytes, content_type: str) -> tuple[Part, ...]:
    """The parts of a body, in order; MalformedMultipart if it is cut short or a part has no name."""
    delimiter = b"\r\n--" + boundary_of(content_type)
    _preamble, *pieces = (b"\r\n" + body).split(delimiter, MOST_PARTS + 1)
    parts: list[Part] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            return tuple(parts)
        parts.append(_part(piece))
    raise MalformedMultipart(
        "it has too many parts" if len(pieces) > MOST_PARTS else "it ends before its last boundary"
    )


def _part(piece: bytes) -> Part:
    padding, line_end, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t") or not line_end:
        raise MalformedMultipart("a boundary is not alone on its line")
    # A part without any header begins with the empty line itself.
    head, gap, data = (b"", b"\r\n", rest[2:]) if rest.startswith(b"\r\n") else rest.partition(b"\r\n\r\n")
    if not gap:
        raise MalformedMultipart("a part has no empty line after its headers")
    # Latin-1 keeps every byte as one character; the mail parser would replace those beyond ASCII.
    header = HeaderParser().parsestr(head.decode("latin-1"))
    name = _parameter(header, "name")
    if name is None or header.get_content_disposition() != "form-data":
        raise MalformedMultipart("a part has no name")
    return Part(name, _parameter(header, "filename"), data)


def _parameter(header: Message, name: str) -> str | None:
    """A parameter of Content-Disposition; what came as raw UTF-8 is read as such."""
    value = header.get_param(name, header="content-disposition")
    if value is None:
        return None
    if isinstance(value, tuple):
        return collapse_rfc2231_value(value)
    return value.encode("latin-1").decode("utf-8", "replace")
