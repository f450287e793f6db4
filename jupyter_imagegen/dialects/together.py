"""Together: width and height instead of a size, `base64` for b64_json, reference pictures as URLs in the body.

Source: the types of together 3.1.1, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..limits import sides
from . import GENERATIONS, Spelling, Wanted, no_mask
from .openai import share

__all__ = ["share", "spell"]


def spell(wanted: Wanted) -> Spelling:
    """With the words of this dialect in place of OpenAI's; a size that is no WxH stays as it is."""
    no_mask(wanted)
    fields = {**_sized(wanted.fields), **wanted.own}
    if fields.get("response_format") == "b64_json":
        fields["response_format"] = "base64"
    if len(wanted.images) == 1:
        fields["image_url"] = wanted.images[0]
    elif wanted.images:
        fields["reference_images"] = wanted.images
    return Spelling(path=GENERATIONS, fields=fields, query=wanted.query)


def _sized(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = sides(fields.get("size"))
    if found is None:
        return dict(fields)
    others = {name: value for name, value in fields.items() if name != "size"}
    return {**others, "width": found[0], "height": found[1]}
