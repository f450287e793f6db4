"""What stays in the saved notebook: the last pictures, as ordinary outputs below the panel."""

from __future__ import annotations

from ..display import Spot, bundles
from ..result import Result


class Kept:
    """A picture and its caption, updated in place: a page without a kernel shows no widgets."""

    def __init__(self) -> None:
        self._spots: tuple[Spot, ...] = ()

    def display(self, result: Result) -> None:
        """Show it in the cell that is running, below the panel."""
        self._spots = Spot(), Spot()
        self.update(result)

    def update(self, result: Result) -> None:
        """Put it in the place of what is shown, if the panel was shown. From any thread."""
        for spot, (data, metadata) in zip(self._spots, bundles(result), strict=False):
            spot.put(data, metadata)
