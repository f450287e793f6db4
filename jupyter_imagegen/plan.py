"""Plan: what a dry run shows instead of sending it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .cost import Cost
from .endpoint import Endpoint
from .options import Options
from .request import ImageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The exact requests of an ask, where they would go, where their key would come from, and what they would cost."""

    endpoint: Endpoint
    requests: tuple[ImageRequest, ...]
    mode: str
    key_source: str
    estimate: Cost
    max_cost_usd: float | None

    def __repr__(self) -> str:
        count = f"{len(self.requests)} call{'s' if len(self.requests) > 1 else ''}"
        lines = [
            f"Dry run: {count} to {self.endpoint.provider.name}, nothing was sent.",
            f"Key: {self.key_source}",
            f"Estimated cost: {in_words(self.estimate, self.endpoint)}{self._verdict}",
        ]
        for (url, body), times in Counter((r.url + _as_form(r), r.body) for r in self.requests).items():
            lines += ["", f"POST {url}{f'  (× {times})' if times > 1 else ''}", body]
        notes = [f"({note})" for note in (self.endpoint.note, self._retirement, self._shown) if note]
        return "\n".join([*lines, *(["", *notes] if notes else [])])

    @property
    def _shown(self) -> str:
        """What would be shown instead of being sent."""
        of = {"cache": "of what this store has a record, that is shown", "replay": "nothing is sent, records are shown"}
        return f"mode {self.mode}: {of[self.mode]}" if self.mode in of else ""

    @property
    def _retirement(self) -> str:
        """Until when the vendor serves the model, where that is known; the day may lie behind or ahead."""
        row = self.endpoint.model
        if not row.retired or self.endpoint.vendor not in row.prices_at:
            return ""
        return (
            f"{row.name} is retired as of {row.retired}{f'; {row.successor} takes its place' if row.successor else ''}"
        )

    @property
    def _verdict(self) -> str:
        """Whether --max-cost would keep it from being sent."""
        is_in = self.max_cost_usd is None or (self.estimate.usd is not None and self.estimate.usd <= self.max_cost_usd)
        return "" if is_in else "; with this --max-cost nothing would be sent"


def in_words(estimate: Cost, endpoint: Endpoint) -> str:
    """What an estimate says: an amount and where it is from, nothing at all, or that it is not known."""
    if endpoint.embedded:
        return "nothing, it is embedded"
    if estimate.usd is None:
        return "unknown"
    return f"{dollars(estimate.usd)} (price list of {endpoint.model.date})"


def why_unknown(options: Options, endpoint: Endpoint) -> str:
    """What would make a price known."""
    if endpoint.vendor not in endpoint.model.prices_at:
        return "A price in your own imagegen.toml makes it known; a gateway has prices of its own."
    if options.images:
        return "What its reference pictures cost is not published."
    return "It depends on size and quality: name both."


def dollars(usd: float) -> str:
    """An amount as people read it: four places below a dollar, where pictures are priced, and cents above."""
    return f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"


def _as_form(request: ImageRequest) -> str:
    return "" if request.content_type == "application/json" else "  (as multipart/form-data)"
