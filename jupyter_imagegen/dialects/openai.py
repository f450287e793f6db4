"""OpenAI's own form, which most servers speak: JSON to /images/generations, a form to /images/edits.

Source: OpenAI API reference, images/create and images/edit, and openai-python 3.52 (`image` for one picture, `image[]`
for several; servers made after dall-e-2 take only `image`), read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import EDITS, GENERATIONS, Spelling, Wanted


def spell(wanted: Wanted) -> Spelling:
    """As it was asked."""
    fields = {**wanted.fields, **wanted.own}
    if not wanted.images:
        return Spelling(path=GENERATIONS, fields=fields, query=wanted.query)
    pictures: dict[str, Any] = {"image": wanted.images[0]} if len(wanted.images) == 1 else {"image[]": wanted.images}
    if wanted.mask is not None:
        pictures["mask"] = wanted.mask
    return Spelling(path=EDITS, fields={**fields, **pictures}, query=wanted.query, is_form=True)


def share(fields: Mapping[str, Any], most: int | None) -> int | None:  # noqa: ARG001  (other dialects look at them)
    """As many as the model takes."""
    return most
