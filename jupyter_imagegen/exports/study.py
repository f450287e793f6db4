"""Study: what an export is made of, the same for every form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..catalogue import Catalogue
from ..records import Record
from ..result import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The records that are exported, oldest first, and what is known around them; an export is made of nothing else.

    `made_at` is in UTC and given by the caller, so that the same study gives the same export. `embed` names what is
    written into copies of pictures: `iptc`, `parameters`, or nothing. `license` is what the person says of what is
    exported: an SPDX identifier, an address, or a sentence; None where nothing was said.
    """

    records: tuple[Record, ...]
    store: Path
    title: str
    notebook: Path | None
    made_at: datetime
    catalogue: Catalogue
    embed: tuple[str, ...]
    license: str | None = None

    def pictures(self) -> Iterator[Picture]:
        """The pictures whose files are there, call by call; those of a forgotten call are not."""
        for record in self.records:
            if not record.is_forgotten:
                yield from (picture for picture in self.pictures_of(record) if picture.path.is_file())

    def pictures_of(self, record: Record) -> tuple[Picture, ...]:
        """All pictures that a call had, whether their files are still there or not."""
        return tuple(Picture(record, kept, self.store) for kept in record.images)
