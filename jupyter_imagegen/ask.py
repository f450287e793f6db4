"""Ask: one order of pictures, with everything decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .endpoint import Endpoint
from .keys import Secret
from .options import Options
from .place import Place
from .records import Record
from .request import ImageRequest

Step = ImageRequest | Record
"""A request that is to be sent, or the record that stands in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Everything that is decided before anything is sent."""

    options: Options
    endpoint: Endpoint
    key: Secret | None
    steps: tuple[Step, ...]
    mode: str
    timeout_s: float
    inline: str
    store: Path
    place: Place

    @property
    def shown(self) -> tuple[Record, ...]:
        """The records that stand in for requests."""
        return tuple(step for step in self.steps if isinstance(step, Record))
