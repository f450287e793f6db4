"""The dates in the names of models: a dated one stays what it is, an alias is whatever is behind it. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_DATES: Final = (
    re.compile(r"(?<!\d)(20\d\d)-([01]\d)-([0-3]\d)(?!\d)"),
    re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)"),
    re.compile(r"(?<!\d)(\d\d)([01]\d)([0-3]\d)(?!\d)"),
)
"""`2026-04-21`, `20260421`, and `260421` as Seedream has it."""


def dated(model: str | None) -> str | None:
    """The date in the name of a model, as YYYY-MM-DD; None for one that can change its meaning."""
    for pattern in _DATES:
        for found in pattern.finditer(model or ""):
            year = found[1] if len(found[1]) == 4 else f"20{found[1]}"
            if _is_date(text := f"{year}-{found[2]}-{found[3]}"):
                return text
    return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
