"""Seedream, at Volcengine Ark, BytePlus and behind gateways: one path, reference pictures in the body, no `n`.

Source: BytePlus ModelArk image API (1541523) and volcengine_ark_runtime 5.0, read 2026-11-20. `size` is a tier (2K) or
WxH. Several pictures of one call are asked for with sequential_image_generation, which makes a series of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from . import GENERATIONS, Spelling, Wanted, no_mask

_SERIES: Final = "sequential_image_generation"
_LONGEST_SERIES: Final = 15


def spell(wanted: Wanted) -> Spelling:
    """Without `n`, and with the reference pictures as data URIs in `image`."""
    no_mask(wanted)
    own = {name: value for name, value in wanted.own.items() if name != "n"}
    fields = {**wanted.fields, **own, **_series(wanted)}
    if isinstance(size := fields.get("size"), str):
        fields["size"] = size.replace("×", "x")
    if wanted.images:
        fields["image"] = wanted.images[0] if len(wanted.images) == 1 else wanted.images
    return Spelling(path=GENERATIONS, fields=fields, query=wanted.query)


def share(fields: Mapping[str, Any], most: int | None) -> int | None:  # noqa: ARG001  (it has no `n` to limit)
    """One, unless a series was asked for."""
    return 1 if series(fields) is None else _LONGEST_SERIES


def series(fields: Mapping[str, Any]) -> int | None:
    """How many pictures a call may make at most where it asks for a series, of which nobody knows the length; or None.

    Behind a gateway the field may stand in a request of any dialect.
    """
    if fields.get(_SERIES) != "auto":
        return None
    options = fields.get(f"{_SERIES}_options")
    most = options.get("max_images") if isinstance(options, Mapping) else None
    return most if isinstance(most, int) and most > 0 else _LONGEST_SERIES


def _series(wanted: Wanted) -> dict[str, Any]:
    """How long the series is to be, where one was asked for and nobody said it in Seedream's own words."""
    options = f"{_SERIES}_options"
    if wanted.fields.get(_SERIES) != "auto" or wanted.n is None or options in wanted.fields:
        return {}
    return {options: {"max_images": wanted.n}}
