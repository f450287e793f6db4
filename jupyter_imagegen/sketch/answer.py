"""What is sent back: bodies, usage, events and addresses, as values; pure.

Source: OpenAI API reference, images/create and its streaming events, read 2026-11.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .fields import paintable
from .picture import Picture, from_name, name_of
from .wire import OWN_MODEL, Asked

MEDIA_TYPES: Mapping[str, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6240, "max": 8320}  # of 1024x1024
_PREVIEW_TOKENS = 100
_MADE = 1795219200  # 2026-11-21; a model has a date


@dataclass(frozen=True, slots=True)
class Terms:
    """What an answer is about: the request, its size in pixels, and the 32-pixel patches of what was sent."""

    asked: Asked
    size: tuple[int, int]
    patches: int


def encoded(body: Mapping[str, object]) -> bytes:
    """A JSON body as bytes."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def in_base64(data: bytes) -> str:
    """Bytes as the API sends them, without a data: prefix."""
    return base64.b64encode(data).decode("ascii")


def event(name: str, body: Mapping[str, object]) -> bytes:
    """A server-sent event as bytes."""
    return b"event: %s\ndata: %s\n\n" % (name.encode("ascii"), encoded(body))


def usage(terms: Terms, images: int) -> Mapping[str, object]:
    """Tokens of an answer with some images."""
    asked, (width, height) = terms.asked, terms.size
    words = -(-len((asked.prompt + asked.negative_prompt).encode("utf-8", "surrogatepass")) // 4)
    each = -(-_TOKENS[asked.quality] * width * height // 1024**2) + _PREVIEW_TOKENS * asked.partial_images
    return {
        "input_tokens": words + terms.patches,
        "input_tokens_details": {"image_tokens": terms.patches, "text_tokens": words},
        "output_tokens": each * images,
        "total_tokens": words + terms.patches + each * images,
    }


def effective(terms: Terms) -> Mapping[str, object]:
    """The values that were used, where the request may have left them open."""
    return {
        "background": terms.asked.background,
        "output_format": terms.asked.output_format,
        "quality": terms.asked.quality,
        "size": "{}x{}".format(*terms.size),
    }


def _identified(terms: Terms) -> Mapping[str, object]:
    user = terms.asked.safety_identifier
    return {"safety_identifier": user} if user else {}


def partial(kind: str, terms: Terms, stage: int, data: bytes, at: int) -> bytes:
    """The event of a preview; `kind` is "image_generation" or "image_edit", `at` the time in seconds."""
    name = f"{kind}.partial_image"
    picture = {"partial_image_index": stage, "b64_json": in_base64(data)}
    return event(name, {"type": name, "created_at": at, **effective(terms), **picture})


def completed(kind: str, terms: Terms, data: bytes, at: int) -> bytes:
    """The event of a finished picture, with the usage of this one."""
    name = f"{kind}.completed"
    picture = {**_identified(terms), "usage": usage(terms, 1), "b64_json": in_base64(data)}
    return event(name, {"type": name, "created_at": at, **effective(terms), **picture})


def failed(error: Mapping[str, object]) -> bytes:
    """The event of a stream that ends early."""
    return event("error", {"type": "error", **error})


def images(terms: Terms, items: Sequence[Mapping[str, str]], at: int) -> Mapping[str, object]:
    """The body of an answer that is not streamed."""
    rewritten = {"revised_prompt": terms.asked.prompt} if terms.asked.model == "dall-e-3" else {}
    return {
        "created": at,
        **effective(terms),
        **_identified(terms),
        "data": [{**item, **rewritten} for item in items],
        "usage": usage(terms, len(items)),
    }


def model(name: str = OWN_MODEL) -> Mapping[str, object]:
    """One entry of the list of models."""
    return {"id": name, "object": "model", "created": _MADE, "owned_by": "jupyter-imagegen"}


def models() -> Mapping[str, object]:
    """The list of models: only the endpoint's own, not those it stands in for."""
    return {"object": "list", "data": [model()]}


def file_name(picture: Picture, asked: Asked) -> str:
    """The name under which a picture is served: it says all that is needed to paint it again."""
    return f"{name_of(picture)}.{asked.output_compression}.{asked.output_format}"


def from_file_name(name: str) -> tuple[Picture, str, int] | None:
    """Picture, format and compression of a name that this endpoint gives, or None."""
    match = re.fullmatch(r"([\w-]{1,4000})\.([0-9]{1,3})\.(png|jpeg|webp)", name, re.ASCII)
    if match is None or int(match[2]) > 100:
        return None
    try:
        picture = from_name(match[1])
    except (ValueError, RecursionError):
        return None
    return (picture, match[3], int(match[2])) if paintable((picture.width, picture.height)) else None
