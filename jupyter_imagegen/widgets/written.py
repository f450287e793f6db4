"""The text of a cell, to be copied into one; nothing is shown before there is one."""

from __future__ import annotations

import ipywidgets

from .keyless import holds_key
from .looks import button, column, field, show
from .subshells import Widget

_LEAST_ROWS, _MOST_ROWS = 4, 24


class Written:
    """A text that can be selected, and what it is the cell of."""

    def __init__(self) -> None:
        self._text = field(ipywidgets.Textarea, "As a cell", "jig-wide")
        self.box: Widget = column(self._text, button("Close the cell", self.close))
        self._text.observe(lambda change: self._refuse(change["new"]), "value")
        show(self.box, when=False)

    @property
    def is_open(self) -> bool:
        """Whether a cell is shown."""
        return bool(self._text.value)

    def write(self, label: str, cell: str) -> None:
        """Show a cell, with a label that says of what it is."""
        self._text.description = label
        self._text.rows = min(max(cell.count("\n") + 2, _LEAST_ROWS), _MOST_ROWS)
        self._text.value = cell
        show(self.box, when=True)

    def close(self) -> None:
        """Show nothing: what stood there may no longer be what the label says."""
        if self.is_open:
            self._text.value = ""
            show(self.box, when=False)

    def _refuse(self, typed: str) -> None:
        if holds_key(typed):
            self._text.value = ""
