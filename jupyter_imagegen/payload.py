"""The text that stands for a picture in JSON -> its bytes. Pure."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import unquote_to_bytes

import pybase64


def decoded(text: str) -> bytes:
    """The bytes of base64 text, with or without a `data:…;base64,` prefix, line breaks and padding.

    Raises ValueError for what cannot be decoded, was cut, or holds nothing.
    """
    prefix, comma, rest = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
    if comma and not prefix.lower().endswith(";base64"):
        found = unquote_to_bytes(rest)
    else:
        found = _from_base64(unquote_to_bytes(rest).decode() if "%" in rest else rest)
    if not found:
        raise ValueError("nothing")
    return found


def _from_base64(text: str) -> bytes:
    """The bytes of base64 text in any spelling. Raises ValueError, also for a text that was cut."""
    with suppress(ValueError):  # binascii.Error is one; letters beyond ASCII raise it plain
        return pybase64.b64decode(text, validate=True)
    packed = "".join(text.split()).replace("-", "+").replace("_", "/")
    bare = packed.rstrip("=")
    found = pybase64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    # What has no padding may have been cut; then the bits that are left over are mostly not zero.
    if bare == packed and not bare.endswith(pybase64.b64encode(found[len(bare) // 4 * 3 :]).decode().rstrip("=")):
        raise ValueError("cut")
    return found
