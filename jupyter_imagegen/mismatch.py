"""What came against what was asked: size, format and number, as the bytes themselves say. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .dialects.seedream import series
from .journal import Kept
from .limits import sides
from .records import Record

_SPELLINGS = {"jpg": "jpeg"}


def mismatch(record: Record, kept: Kept) -> str | None:
    """How this picture and its call differ from what was asked; None where they do not, or nothing was asked."""
    return "; ".join((*of_picture(record, kept), *_of_call(record))) or None


def of_picture(record: Record, kept: Kept) -> tuple[str, ...]:
    """How the picture itself differs."""
    asked = record.asked
    return (*_of_size(asked.get("size"), kept), *_of_format(asked.get("output_format"), kept))


def _of_size(asked: object, kept: Kept) -> tuple[str, ...]:
    wanted = sides(asked)
    if wanted is None or kept.width is None or wanted == (kept.width, kept.height):
        return ()
    return (f"asked for {asked}, got {kept.width}x{kept.height}",)


def _of_format(asked: object, kept: Kept) -> tuple[str, ...]:
    if not isinstance(asked, str) or _SPELLINGS.get(asked.lower(), asked.lower()) == kept.format:
        return ()
    return (f"asked for {asked}, got {kept.format}",)


def of_calls(records: Iterable[Record]) -> str | None:
    """How many pictures came of how many that were promised by several calls; None where they are as many."""
    promised = [record for record in records if series(record.asked) is None]
    wanted = sum(record.call.n for record in promised)
    came = sum(len(record.images) for record in promised)
    return None if came == wanted else f"{came} of {wanted} pictures came"


def _of_call(record: Record) -> tuple[str, ...]:
    wanted, came = record.call.n, len(record.images)
    if came == wanted or series(record.asked) is not None:
        return ()
    return (f"asked for {wanted} picture{'' if wanted == 1 else 's'}, got {came}",)
