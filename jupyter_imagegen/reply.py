"""Reply: what came back for one POST, before anyone has read it."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from .blobs import Spilled
from .divert import letters_behind, mark_in, restored
from .keys import Secret, cleaned, scrub

# In the order of preference (documents of OpenAI, Azure, one-api and new-api, LiteLLM, Cloudflare).
_REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-oneapi-request-id",
    "x-api-request-id",
    "x-litellm-call-id",
    "cf-ray",
)


_LONGEST_REQUEST_ID: Final = 200
_STEP: Final = 4096
_GZIP: Final = b"\x1f\x8b"
_MOST_UNTOLD: Final = 2
_MOST_TIMES: Final = 50
"""Pictures hardly pack: what grows by more than this, beyond a megabyte, is a bomb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers (names in lower case) and the whole body of one answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    base_url: str = ""
    key: Secret | None = None
    """The key that was sent, which the answer may echo: nothing of it is said before the key is taken out."""
    diverted: tuple[bytes | Spilled, ...] = field(default=(), repr=False)
    """The pictures that are not in the body any more, in the order of their marks."""
    nonce: str = ""
    """Of the marks in the body (divert.py); empty where there are none."""

    def content_of(self, text: str) -> bytes | Spilled | None:
        """The picture to which a text of the body leads; None for one that is there as it came."""
        found = mark_in(text, self.nonce) if self.nonce else None
        return None if found is None else self.diverted[found[1]]

    def as_it_came(self, text: str) -> str:
        """A text of the body, with all its letters. Raises StoreError."""
        found = mark_in(text, self.nonce) if self.nonce else None
        return text if found is None else found[0] + letters_behind(_bytes(self.diverted[found[1]])).decode()

    def whole(self) -> bytes:
        """The body as it came. Raises StoreError."""
        if not self.diverted:
            return self.body
        return restored(self.body, self.nonce, lambda place: _bytes(self.diverted[place]))

    def header(self, name: str) -> str:
        """The first value of a header, without the key, or an empty text."""
        return scrub(next((value for header, value in self.headers if header == name), ""), self.key)

    @property
    def told(self) -> bytes:
        """The body as it may be shown and kept: without the key."""
        return cleaned(self.body, self.key)

    @property
    def request_id(self) -> str:
        """The id under which the provider can find this request, or an empty text."""
        said = dict(reversed(self.headers))  # of several with one name the first counts
        found = scrub(next((said[name] for name in _REQUEST_ID_HEADERS if said.get(name)), ""), self.key)
        return "".join(letter for letter in found if letter.isprintable())[:_LONGEST_REQUEST_ID]

    @property
    def is_success(self) -> bool:
        """Whether the status says that it was paid for."""
        return 200 <= self.status < 300


def _bytes(content: bytes | Spilled) -> bytes:
    return content if isinstance(content, bytes) else content.again()


def unpacked(raw: bytes, encoding: str, most: int) -> bytes:
    """A body as it was before it was packed; what is no gzip or deflate after all stays as it came.

    A gzip that nobody told of is known by its first bytes, which no answer and no picture begins with. What could be
    unpacked before a fault is given back, because it was paid for. A body that would grow beyond `most` bytes stays
    packed: a small one can unpack to anything.
    """
    most = min(most, _MOST_TIMES * len(raw) + 2**20)
    named = [name.strip().lower().removeprefix("x-") for name in encoding.split(",")]
    body = raw
    for name in reversed(named):
        if name in ("gzip", "deflate"):
            body = _without_layer(body, most)
    for _ in range(_MOST_UNTOLD):
        if not body.startswith(_GZIP):
            break
        body = _without_layer(body, most)
    return body


def _without_layer(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        whole = unpacker.decompress(packed, most)
    except zlib.error:
        return _bare(packed, most) or _as_far_as_possible(packed, most)
    return packed if unpacker.unconsumed_tail else whole


def _bare(packed: bytes, most: int) -> bytes:
    """What is packed without any header, as some servers understand deflate; nothing unless it is so to its end."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    with suppress(zlib.error):
        whole = unpacker.decompress(packed, most)
        return whole if unpacker.eof and not unpacker.unused_data else b""
    return b""


def _as_far_as_possible(raw: bytes, most: int) -> bytes:
    """What comes out before the fault; all of it as it came where nothing does."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    found = bytearray()
    for start in range(0, len(raw), _STEP):
        part, before = raw[start : start + _STEP], unpacker.copy()
        try:
            found += unpacker.decompress(part, max(1, most - len(found)))
        except zlib.error:
            found += _letter_by_letter(part, before)
            break
    return bytes(found) or raw


def _letter_by_letter(part: bytes, unpacker: zlib._Decompress) -> bytes:
    """The beginning of the part in which the fault is."""
    found = bytearray()
    with suppress(zlib.error):
        for letter in part:
            found += unpacker.decompress(bytes((letter,)))
    return bytes(found)
