"""Ask: one order of pictures, with everything decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .endpoint import Endpoint
from .keys import Secret
from .options import Options
from .place import Place
from .request import ImageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Everything that is decided before anything is sent."""

    options: Options
    endpoint: Endpoint
    key: Secret | None
    requests: tuple[ImageRequest, ...]
    timeout_s: float
    inline: str
    store: Path
    place: Place
