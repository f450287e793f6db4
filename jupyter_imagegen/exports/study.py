"""Study: what an export is made of, the same for every form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ..catalogue import Catalogue
from ..records import Record
from ..result import Picture
from . import portable

UNTITLED: Final = "Pictures"
"""The title of a study of which no notebook is known, or more than one."""

EXTRA: Final = 'In the folder of jupyter-imagegen: pip install ".[exports]"'
"""How the libraries come that only some forms need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The records that are exported, oldest first, and what is known around them; an export is made of nothing else.

    Records are always whole, so that what is counted of a call is true. `picked` names the pictures that are shown, by
    the id of the call and the index; None means all. `made_at` is in UTC and given by the caller, so that the same
    study gives the same export. `embed` names what is written into copies of pictures: `iptc`, `parameters`, or
    nothing. `license` is what the person says of what is exported: an SPDX identifier, an address, or a sentence; None
    where nothing was said.
    """

    records: tuple[Record, ...]
    store: Path
    title: str
    notebook: Path | None
    made_at: datetime
    catalogue: Catalogue
    embed: tuple[str, ...]
    license: str | None = None
    picked: frozenset[tuple[str, int]] | None = None

    def pictures(self) -> Iterator[Picture]:
        """The pictures that are shown, call by call, whether their files are still there or not.

        Those of a forgotten call are not.
        """
        for record in self.records:
            if not record.is_forgotten:
                yield from self.pictures_of(record)

    def pictures_of(self, record: Record) -> tuple[Picture, ...]:
        """The pictures of a call that are shown, whether their files are still there or not."""
        return tuple(picture for picture in self.came(record) if self.shows(record, picture.index))

    def came(self, record: Record) -> tuple[Picture, ...]:
        """All pictures that a call had, shown or not."""
        return tuple(Picture(record, kept, self.store) for kept in record.images)

    def shows(self, record: Record, index: int) -> bool:
        """Whether the picture of a call with this index is shown."""
        return self.picked is None or (record.id, index) in self.picked

    def selection(self) -> str:
        """How many of the pictures of these calls are shown, in a sentence; nothing where all are."""
        shown = sum(1 for _ in self.pictures())
        if shown == sum(len(record.images) for record in self.records if not record.is_forgotten):
            return ""
        return f"{shown} of these pictures {'is' if shown == 1 else 'are'} shown here."


def title_of(records: Iterable[Record], named: str | None) -> str:
    """The one notebook that all records are of, or else that which was named; a path elsewhere gives its file name."""
    notebooks = {record.call.notebook for record in records}
    name = (notebooks.pop() if len(notebooks) == 1 else None) or named
    return portable.notebook(name) if name else UNTITLED
