"""What one request asks for that another does not, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_LONGEST: Final = 60
_NOTHING: Final = "nothing"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each field that differs: `size: 256x256 → 512x512`."""
    return tuple(_lines(before, after))


def _lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name}: {_said(old)} → {_said(new)}"


def _said(value: object) -> str:
    """A value as it is typed; a picture by the beginning of its digest."""
    if value is None:
        return _NOTHING
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.startswith("sha256:"):
        text = text[: len("sha256:") + 16]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
