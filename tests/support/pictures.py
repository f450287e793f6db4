"""Small real pictures, and the answers that carry them."""

from __future__ import annotations

import base64
import json
import random
from io import BytesIO
from typing import Any

from PIL import Image


def picture(colour: str = "teal", size: tuple[int, int] = (64, 48), name: str = "PNG", mode: str = "RGB") -> bytes:
    """A picture of one colour."""
    buffer = BytesIO()
    Image.new(mode, size, colour).save(buffer, name)
    return buffer.getvalue()


def noise(size: int) -> bytes:
    """A picture whose file has so many bytes, behind a real header: only what decodes it knows better."""
    return picture()[:33] + random.Random(size).randbytes(size - 33)  # noqa: S311  (the same at each run)


def answer(*pictures: bytes, **extra: Any) -> bytes:
    """The JSON of an images answer that holds these pictures."""
    data = [{"b64_json": base64.b64encode(data).decode()} for data in pictures]
    return json.dumps({"created": 1, "data": data, **extra}).encode()


def complaint(message: str, **fields: Any) -> bytes:
    """The JSON of an error in OpenAI's form."""
    return json.dumps({"error": {"message": message, "type": None, "param": None, "code": None, **fields}}).encode()
