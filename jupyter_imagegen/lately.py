"""What was made small lately, so that a picture that is shown again is not decoded again.

It is found by the digest of bytes that were just read. So a file that was altered is another picture, and no path, no
record and no store of somebody else can put one picture in the place of another.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from contextlib import suppress
from typing import Generic, TypeVar

Small = TypeVar("Small")
Shown = tuple[str | int, ...]
"""The digest of a picture, and the shape that was asked for."""


def digest(data: bytes) -> str:
    """The sha256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


class Lately(Generic[Small]):
    """Small pictures; those that were not looked at for longest go when there are more than `most` bytes of them.

    It may be used from several threads: each step below is one that Python does not interrupt.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Shown, tuple[Small, int]] = OrderedDict()

    def find(self, shown: Shown) -> Small | None:
        """The small picture of what is shown, if it was made lately."""
        found = self._kept.pop(shown, None)
        if found is None:
            return None
        self._kept[shown] = found
        return found[0]

    def keep(self, shown: Shown, small: Small, weight: int) -> None:
        """Keep a small picture of `weight` bytes."""
        self._kept.pop(shown, None)  # so that it comes last, as the newest
        self._kept[shown] = (small, weight)
        while sum(each for _, each in list(self._kept.values())) > self._most:
            with suppress(KeyError):  # another thread may have made room meanwhile
                self._kept.popitem(last=False)
