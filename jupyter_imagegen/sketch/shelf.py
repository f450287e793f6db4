"""Edited pictures that were answered with an address, kept for a while.

The address of a new picture says how to paint it; that of an edit cannot hold what it was made of.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict


class Shelf:
    """Bytes by name; the oldest go when there are more than `limit` bytes."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        """Begin with nothing."""
        self._limit = limit
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def put(self, data: bytes, suffix: str) -> str:
        """Keep some bytes, and give the name to get them by."""
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
        self._kept[name] = data
        self._kept.move_to_end(name)
        while sum(map(len, self._kept.values())) > self._limit:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> bytes | None:
        """The bytes of a name, or None if there are none, or no longer."""
        return self._kept.get(name)
