"""What the calls of a history cost together, as far as that is known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import DownloadFailed, NoPicture
from .plan import dollars
from .records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """US dollars of the calls whose cost is known, and how many calls are of unknown cost."""

    usd: float
    calls: int
    unknown: int
    may_have_been_charged: int
    """Of the calls of unknown cost, those whose outcome is not known either."""

    def __repr__(self) -> str:
        known = f"{dollars(self.usd)} for {_calls(self.calls - self.unknown)}"
        if not self.unknown:
            return known
        doubtful = f", {self.may_have_been_charged} of them may have been charged" if self.may_have_been_charged else ""
        return f"{known}; what {_calls(self.unknown)} cost is not known{doubtful}"


def spent(records: Iterable[Record]) -> Spent:
    """The sum over these calls; one that is known to have made nothing costs nothing."""
    calls = [record for record in records if not _is_free(record)]
    unknown = [record for record in calls if record.cost_usd is None]
    return Spent(
        usd=sum(record.cost_usd or 0.0 for record in calls),
        calls=len(calls),
        unknown=len(unknown),
        may_have_been_charged=sum(record.status != "ok" for record in unknown),
    )


def _is_free(record: Record) -> bool:
    """Whether it is known that nothing was made. A picture that could not be fetched or found was probably paid for."""
    code = record.end.error_code if record.end is not None else None
    is_paid = code in (DownloadFailed.default_code, NoPicture.default_code)
    return record.status in ("failed", "refused") and record.cost_usd is None and not is_paid


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
