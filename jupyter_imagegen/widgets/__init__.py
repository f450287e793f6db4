"""The panel: a form, its jobs, the gallery.

Nothing else imports ipywidgets, of which only core widgets are used: no front end needs anything installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import cells
from ..edge import plain_errors
from ..errors import ImageGenError
from ..place import Place
from ..records import read
from ..settings import photograph
from ..shell import running_shell
from ..which import which

if TYPE_CHECKING:
    from ..which import Named
    from .board import Board
    from .shown import Panel

_shown: Final[dict[str, tuple[int | None, tuple[Board, ...]]]] = {}
"""The number of the last run of each cell, and its panels: one that is run again closes what it showed before."""


def panel(id: Named | None = None) -> Panel:  # noqa: A002  (what it is)
    """The interactive panel: a form for the pictures that are wanted, the jobs under way, and the gallery.

    With a call (its id, a Record, a Picture or a Result of one call), the form begins with the settings of that call.
    Raises OptionError for what names no call.
    """
    from .board import Board  # noqa: PLC0415  (ipywidgets is loaded by the first panel)
    from .shown import Panel  # noqa: PLC0415

    with plain_errors():
        settings = photograph()
        record = None if id is None else which(id, read(settings.store)).record
        made = Board()
        try:
            if record is not None:
                made.use_record(record)
        except ImageGenError:
            made.close()
            raise
        _take_the_place(made, cells.place(running_shell(), settings.notebook, settings.store))
        return Panel(made)


def _take_the_place(made: Board, place: Place) -> None:
    """Close what this cell showed when it was run before; its jobs go on in the new panel."""
    if place.cell_id is None:
        return
    run, there = _shown.get(place.cell_id, (None, ()))
    if run == place.execution_count:
        _shown[place.cell_id] = run, (*there, made)
        return
    _shown[place.cell_id] = place.execution_count, (made,)
    for before in there:
        made.take_over(before)
