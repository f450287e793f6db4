"""Read one field of a request: its value, its default, or a refusal that says what is accepted.

A field that is null counts as not given, as in the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .refusal import not_among, unknown_parameter, wrong_type, wrong_value

Fields = Mapping[str, object]

SMALLEST_SIDE, LARGEST_SIDE = 64, 4096
"""Pixels of a side of a picture."""

MOST_PIXELS = 3840 * 2160
"""Pixels of a picture, the limit of gpt-image-2."""


def only(fields: Fields, known: Iterable[str]) -> None:
    """Refuse the first field, in alphabetical order, that is not known."""
    for name in sorted(set(fields) - set(known)):
        raise unknown_parameter(name[:80])


def text(fields: Fields, name: str, default: str = "", longest: int = 32_000) -> str:
    """A string of at most `longest` characters."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise wrong_type(name, "a string", value)
    if len(value) > longest:
        problem = f"Expected a maximum length of {longest}, but got a length of {len(value)} instead."
        raise wrong_value(name, f"Invalid '{name}': string too long. {problem}")
    return value


def choice(fields: Fields, name: str, default: str, accepted: tuple[str, ...]) -> str:
    """One of some strings."""
    value = text(fields, name, default)
    if value != default and value not in accepted:
        raise not_among(name, value, accepted)
    return value


def whole(fields: Fields, name: str, default: int, low: int, high: int) -> int:
    """An integer from `low` to `high`; true and 1.0 are none."""
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, "an integer", value)
    if not low <= value <= high:
        problem = f"Expected a value from {low} to {high}, but got {_short(value)} instead."
        raise wrong_value(name, f"Invalid '{name}': integer out of range. {problem}")
    return value


def flag(fields: Fields, name: str) -> bool:
    """A boolean, false if not given."""
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong_type(name, "a boolean", value)
    return value


def size(fields: Fields, name: str = "size") -> tuple[int, int] | None:
    """Width and height of "WxH", or None for "auto"."""
    value = text(fields, name, "auto")
    if value == "auto":
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", value)
    if match and paintable(sides := (int(match[1]), int(match[2]))):
        return sides
    accepted = (
        f"'auto' and 'WIDTHxHEIGHT' with each side from {SMALLEST_SIDE} to {LARGEST_SIDE} and at most"
        f" {MOST_PIXELS} pixels, for example '1024x1024', '1536x1024' and '1024x1536'"
    )
    raise wrong_value(name, f"Invalid value: '{value[:80]}'. Supported values are: {accepted}.")


def paintable(sides: tuple[int, int]) -> bool:
    """Whether a picture may have these sides."""
    width, height = sides
    within = min(sides) >= SMALLEST_SIDE and max(sides) <= LARGEST_SIDE
    return within and width * height <= MOST_PIXELS


def _short(value: int) -> str:
    """A number for a message; a huge one is not written out."""
    return str(value) if value.bit_length() <= 64 else "a larger number"
