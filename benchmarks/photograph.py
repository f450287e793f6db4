"""A picture with what a photograph has: soft gradients and grain, so that it compresses as one does."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

from .answers import SIDE

_GRAIN: Final = 1.8
"""Levels; with so much a PNG of 1024×1024 has about 1.4 MB."""


def photograph() -> bytes:
    """A PNG of 1024×1024 and about 1.4 MB, always the same."""
    chance = np.random.default_rng(20261121)
    across, down = np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE))
    waves = [np.sin(3 * across + turn) * np.cos(4 * down - turn) for turn in (0.0, 1.0, 2.0)]
    levels = np.stack([128 + 90 * wave for wave in waves], axis=-1)
    grain = chance.normal(0, _GRAIN, levels.shape)
    buffer = BytesIO()
    Image.fromarray(np.clip(levels + grain, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
