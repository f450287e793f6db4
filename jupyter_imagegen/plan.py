"""Plan: what a dry run shows instead of sending it."""

from __future__ import annotations

from dataclasses import dataclass

from .endpoint import Endpoint
from .request import ImageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The exact requests of an ask, where they would go, and where their key would come from."""

    endpoint: Endpoint
    requests: tuple[ImageRequest, ...]
    key_source: str

    def __repr__(self) -> str:
        count = f"{len(self.requests)} call{'s' if len(self.requests) > 1 else ''}"
        cost = "nothing, it is embedded" if self.endpoint.embedded else "unknown"
        lines = [
            f"Dry run: {count} to {self.endpoint.provider.name}, nothing was sent.",
            f"Key: {self.key_source}",
            f"Estimated cost: {cost}",
        ]
        for request in self.requests:
            lines += ["", f"POST {request.url}", request.body]
        return "\n".join([*lines, *(["", f"({self.endpoint.note})"] if self.endpoint.note else [])])
