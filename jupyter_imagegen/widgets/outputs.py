"""What stays in the saved notebook: the last pictures, as ordinary outputs below the panel."""

from __future__ import annotations

from ..display import Spot, bundles
from ..result import Result


class Outputs:
    """A picture and its caption, updated in place: a page without a kernel shows no widgets."""

    def __init__(self) -> None:
        self._spots: tuple[Spot, Spot] | None = None
        self._shown: tuple[str, ...] = ()

    def display(self, result: Result) -> None:
        """Show it in the cell that is running, below the panel."""
        self._spots = Spot(), Spot()
        self._put(self._spots, result)

    def update(self, result: Result) -> None:
        """Put it in the place of what is shown, where that is something else and the panel was shown."""
        if self._spots is not None and _names(result) != self._shown:
            self._put(self._spots, result)

    def _put(self, spots: tuple[Spot, Spot], result: Result) -> None:
        self._shown = _names(result)
        for spot, (data, metadata) in zip(spots, bundles(result), strict=True):
            spot.put(data or {"text/plain": ""}, metadata)


def _names(result: Result) -> tuple[str, ...]:
    return tuple(f"{picture.record.id}[{picture.index}]" for picture in result)
