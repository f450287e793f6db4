"""Reply: what came back for one POST, before anyone has read it."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers (names in lower case) and the whole body of one answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    base_url: str = ""

    def header(self, name: str) -> str:
        """The first value of a header, or an empty text."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def request_id(self) -> str:
        """The id under which the provider can find this request, or an empty text."""
        found = next((self.header(name) for name in _REQUEST_ID_HEADERS if self.header(name)), "")
        return "".join(letter for letter in found if letter.isprintable())[:_LONGEST_REQUEST_ID]

    @property
    def is_success(self) -> bool:
        """Whether the status says that it was paid for."""
        return 200 <= self.status < 300


def unpacked(raw: bytes, encoding: str, most: int) -> bytes:
    """A body as it was before it was packed; what is no gzip or deflate after all stays as it came.

    What could be unpacked before a fault is given back, because it was paid for. A body that would grow beyond `most`
    bytes stays packed: a small one can unpack to anything.
    """
    if encoding.strip().lower() not in ("gzip", "deflate"):
        return raw
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        whole = unpacker.decompress(raw, most)
    except zlib.error:
        return _as_far_as_possible(raw, most)
    return raw if unpacker.unconsumed_tail else whole


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
