"""Pictures to send, and pictures that came back."""

from __future__ import annotations

import base64
import io

from PIL import Image


def png_of(image: Image.Image) -> bytes:
    """A picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture_of(b64: str | None) -> Image.Image:
    """A picture from an answer."""
    assert b64
    return Image.open(io.BytesIO(base64.b64decode(b64, validate=True)))


def data_url(data: bytes) -> str:
    """Bytes as a JSON body carries a picture."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
