"""xAI: an aspect ratio and a resolution instead of a size, and JSON for edits.

Source: docs.x.ai, image generations and edits, read 2026-11-20: `size` is refused; one reference picture is
`image: {url}`, several are `images: [{url}, …]`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from ..errors import NotTaken
from ..limits import sides
from . import EDITS, GENERATIONS, Spelling, Wanted, no_mask
from .openai import share

__all__ = ["share", "spell"]

_RATIOS: Final = (
    *("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2"),
    *("20:9", "9:20", "19.5:9", "9:19.5"),
)
_RESOLUTIONS: Final = ((1.25, "1k"), (1.75, "1.5k"), (2.5, "2k"))
"""Up to which side of a square, in units of 1024 pixels, a size is called by which name."""

_NEAR: Final = 0.02
"""A size counts as of a ratio that differs by no more than this: 1280x720 and 1344x768 are both 16:9 to a person."""


def spell(wanted: Wanted) -> Spelling:
    """With the size in words of this dialect. Raises NotTaken for a size whose ratio it does not have."""
    no_mask(wanted)
    fields = {**_sized(wanted.fields), **wanted.own}
    if not wanted.images:
        return Spelling(path=GENERATIONS, fields=fields, query=wanted.query)
    urls = tuple({"url": picture} for picture in wanted.images)
    pictures: dict[str, Any] = {"image": urls[0]} if len(urls) == 1 else {"images": urls}
    return Spelling(path=EDITS, fields={**fields, **pictures}, query=wanted.query)


def _sized(fields: Mapping[str, Any]) -> dict[str, Any]:
    others = {name: value for name, value in fields.items() if name != "size"}
    size = fields.get("size")
    if size is None:
        return others
    if size == "auto":
        return {"aspect_ratio": "auto", **others}
    found = sides(size)
    if found is None:
        return {**others, "size": size}
    return {"aspect_ratio": _ratio(*found), "resolution": _resolution(*found), **others}


def _ratio(width: int, height: int) -> str:
    nearest = min(_RATIOS, key=lambda ratio: _distance(ratio, width, height))
    if _distance(nearest, width, height) > math.log1p(_NEAR):
        message = f"{width}x{height} is of no aspect ratio that xAI has: {', '.join(_RATIOS)}."
        raise NotTaken(message, "Nothing was sent. --param aspect_ratio=… says it in xAI's own words.")
    return nearest


def _distance(ratio: str, width: int, height: int) -> float:
    across, down = map(float, ratio.split(":"))
    return abs(math.log(width * down / (height * across)))


def _resolution(width: int, height: int) -> str:
    side = math.sqrt(width * height) / 1024
    for most, name in _RESOLUTIONS:
        if side <= most:
            return name
    message = f"{width}x{height} is larger than any picture of xAI; the largest are 2k, about 2048x2048."
    raise NotTaken(message, "Nothing was sent.")
