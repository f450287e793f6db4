"""Rows of text -> a table for a terminal, and the same as Markdown. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

_WIDEST: Final = 44


def plain(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns side by side, long cells broken, a rule below the headings and a blank line between rows."""
    broken = [[_broken(cell) for cell in row] for row in rows]
    widths = [max(len(line) for row in broken for line in row[place]) for place in range(len(rows[0]))]
    blocks = ["\n".join(_lines(row, widths)) for row in broken]
    return "\n\n".join((f"{blocks[0]}\n{'─' * (sum(widths) + 2 * len(widths) - 2)}", *blocks[1:])) + "\n"


def _broken(cell: str) -> list[str]:
    return [piece for line in cell.splitlines() or [""] for piece in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDEST, break_on_hyphens=False) or [""]


def _lines(row: list[list[str]], widths: list[int]) -> Iterator[str]:
    for pieces in zip_longest(*row, fillvalue=""):
        yield "  ".join(piece.ljust(width) for piece, width in zip(pieces, widths, strict=True)).rstrip()


def markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown, the first row its headings."""
    headings, *others = [[cell.replace("|", "\\|").replace("\n", "<br>") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *others)) + "\n"
