"""What came against what was asked: size, format and number, as the bytes themselves say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .dialects.seedream import series
from .journal import Kept
from .limits import sides
from .records import Record

_SPELLINGS = {"jpg": "jpeg"}


class Asked(NamedTuple):
    """What was asked that can be seen of pictures; None for what was left open."""

    size: str | None
    format: str | None
    is_series: bool


def asked(fields: Mapping[str, Any]) -> Asked:
    """What these fields ask for."""
    return Asked(_text(fields.get("size")), _text(fields.get("output_format")), series(fields) is not None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class Came(NamedTuple):
    """A picture as its bytes say it, and the number of those that its call was to bring and did bring."""

    width: int | None
    height: int | None
    format: str
    wanted: int
    came: int


def mismatch(record: Record, kept: Kept) -> str | None:
    """How this picture and its call differ from what was asked; None where they do not, or nothing was asked."""
    came = Came(kept.width, kept.height, kept.format, record.call.n, len(record.images))
    return difference(asked(record.asked), came)


def difference(wish: Asked, came: Came) -> str | None:
    """How what came differs from what was asked; None where it does not."""
    return "; ".join((*_of_size(wish, came), *_of_format(wish, came), *_of_number(wish, came))) or None


def of_picture(record: Record, kept: Kept) -> tuple[str, ...]:
    """How the picture itself differs."""
    wish, came = asked(record.asked), Came(kept.width, kept.height, kept.format, 0, 0)
    return (*_of_size(wish, came), *_of_format(wish, came))


def _of_size(wish: Asked, came: Came) -> Iterator[str]:
    wanted = sides(wish.size)
    if wanted is not None and came.width is not None and wanted != (came.width, came.height):
        yield f"asked for {wish.size}, got {came.width}x{came.height}"


def _of_format(wish: Asked, came: Came) -> Iterator[str]:
    wanted = wish.format
    if wanted is not None and _SPELLINGS.get(wanted.lower(), wanted.lower()) != came.format:
        yield f"asked for {wanted}, got {came.format}"


def _of_number(wish: Asked, came: Came) -> Iterator[str]:
    if came.came != came.wanted and not wish.is_series:
        yield f"asked for {came.wanted} picture{'' if came.wanted == 1 else 's'}, got {came.came}"


def of_calls(records: Iterable[Record]) -> str | None:
    """How many pictures came of how many that were promised by several calls; None where they are as many."""
    promised = [record for record in records if series(record.asked) is None]
    wanted = sum(record.call.n for record in promised)
    came = sum(len(record.images) for record in promised)
    return None if came == wanted else f"{came} of {wanted} pictures came"
