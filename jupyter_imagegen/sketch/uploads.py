"""Pictures sent with a request, still as bytes: from the parts of a form or the data URLs of a JSON body."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .fields import Fields, only
from .multipart import Part
from .refusal import missing, wrong_image, wrong_type, wrong_value
from .wire import FLAGS, MOST_IMAGES, WHOLE_NUMBERS

LARGEST_FILE = 50 * 1024 * 1024
"""Bytes of one picture (OpenAI API reference, images/edit, read 2026-11)."""

_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was sent: the name of its field, for messages, and its bytes."""

    param: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Uploads:
    """The pictures to edit, at least one, and the mask if there is one."""

    images: tuple[Upload, ...]
    mask: Upload | None


def from_form(parts: Sequence[Part]) -> tuple[Fields, Uploads]:
    """Split a form into typed fields and pictures."""
    pictures = [part for part in parts if part.name in ("image", "image[]")]
    masks = [part for part in parts if part.name == "mask"]
    texts = [part for part in parts if part.name not in ("image", "image[]", "mask")]
    names = [part.name for part in texts] + ["mask"] * len(masks)
    for name in names:
        if names.count(name) > 1:
            raise wrong_value(name, f"Invalid '{name[:80]}': it was sent more than once.")
    images = tuple(_file(part, f"image[{at}]" if len(pictures) > 1 else "image") for at, part in enumerate(pictures))
    uploads = _checked(images, _file(masks[0], "mask") if masks else None, "image")
    return {part.name: _typed(part) for part in texts}, uploads


def _file(part: Part, param: str) -> Upload:
    if part.filename is None:
        raise wrong_type(param, "a file", part.data.decode("utf-8", "replace"))
    return Upload(param, part.data)


def _typed(part: Part) -> object:
    """The value of a form field: forms know only text, so numbers and booleans are read from it."""
    if part.filename is not None:
        return part.data
    text = part.data.decode("utf-8", "replace")
    if part.name in WHOLE_NUMBERS and re.fullmatch(r"-?[0-9]{1,20}", text):
        return int(text)
    if part.name in FLAGS and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def from_json(fields: Fields) -> tuple[Fields, Uploads]:
    """Split a JSON body into fields and the pictures of `images` and `mask`."""
    entries, mask = fields.get("images"), fields.get("mask")
    if entries is not None and not isinstance(entries, list):
        raise wrong_type("images", "an array", entries)
    _refuse_too_many("images", len(entries or []))
    images = tuple(_linked(entry, f"images[{at}]") for at, entry in enumerate(entries or []))
    uploads = _checked(images, None if mask is None else _linked(mask, "mask"), "images")
    return {name: value for name, value in fields.items() if name not in ("images", "mask")}, uploads


def _linked(entry: object, param: str) -> Upload:
    if not isinstance(entry, Mapping):
        raise wrong_type(param, "an object", entry)
    by_url, by_file = f"{param}.image_url", f"{param}.file_id"
    only({f"{param}.{name}": None for name in entry}, (by_url, by_file))
    if entry.get("file_id") is not None:
        raise wrong_image(by_file, "image_file_not_found", "The sketch endpoint keeps no files.")
    if entry.get("image_url") is None:
        raise missing(by_url)
    return Upload(by_url, _from_data_url(entry["image_url"], by_url))


def _from_data_url(url: object, param: str) -> bytes:
    if not isinstance(url, str):
        raise wrong_type(param, "a string", url)
    head = _DATA_URL.match(url)
    if head is None:
        message = "Invalid image URL. The sketch endpoint fetches nothing: send a 'data:image/...;base64,' URL."
        raise wrong_image(param, "invalid_image_url", message)
    try:
        return base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong_image(param, "invalid_base64_image", f"Invalid base64 image data: {error}.") from error


def _checked(images: tuple[Upload, ...], mask: Upload | None, name: str) -> Uploads:
    if not images:
        raise missing(name)
    _refuse_too_many(name, len(images))
    for upload in (*images, *([mask] if mask else [])):
        _refuse_wrong_length(upload)
    return Uploads(images, mask)


def _refuse_too_many(name: str, count: int) -> None:
    if count > MOST_IMAGES:
        problem = f"Expected at most {MOST_IMAGES}, but got {count} instead."
        raise wrong_value(name, f"Invalid '{name}': too many images. {problem}")


def _refuse_wrong_length(upload: Upload) -> None:
    if not upload.data:
        raise wrong_image(upload.param, "empty_image_file", "Invalid image file: it is empty.")
    if len(upload.data) > LARGEST_FILE:
        message = f"Invalid image file: at most {LARGEST_FILE} bytes, but got {len(upload.data)} instead."
        raise wrong_image(upload.param, "image_file_too_large", message)
