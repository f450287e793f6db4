"""English and Markdown: counts, lists of words, and texts of anybody's that stay texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from . import portable

_HARMLESS: Final = re.compile(r"(?:[^\W_]|[ ,.;()'+-]|/(?!/)|:(?!/))*")


def count(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def was(number: int) -> str:
    """The verb that goes with a count."""
    return "was" if number == 1 else "were"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)


def sentences(parts: Iterable[str]) -> str:
    """One paragraph of what is not empty."""
    return " ".join(part for part in parts if part)


def line(text: str) -> str:
    """The text on one line, without characters that no page can hold."""
    return " ".join(portable.clean(text).split())


def code(text: str) -> str:
    """The text as a code span, in which Markdown reads nothing, neither markup nor links nor formulas."""
    plain = line(text)
    if not plain:
        return "(empty)"
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    edge = " " if "`" in (plain[0], plain[-1]) else ""
    return f"{fence}{edge}{plain}{edge}{fence}"


def said(text: str) -> str:
    """The text as it is where Markdown reads nothing in it, else as a code span."""
    plain = line(text)
    return plain if _HARMLESS.fullmatch(plain) and "www." not in plain.lower() else code(plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; a bar in one of them would end it, and is a broken bar there."""
    whole = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in whole)
