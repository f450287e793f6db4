"""The picture of a card, if it is what it was."""

from __future__ import annotations

from pathlib import Path

from ..blobs import holds
from ..gallery import Card
from ..result import Picture


def whole(card: Card, store: Path) -> Picture | None:
    """The picture whose file has its digest; None for one that is gone or altered, and for a call without one.

    A link in a store of somebody else's may lead to any picture of this person.
    """
    kept = card.kept
    if kept is None or not holds(store / kept.path, kept.sha256, kept.bytes):
        return None
    return Picture(card.record, kept, store)
