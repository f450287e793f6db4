"""What `ig.panel()` gives: a panel that shows itself, and can be closed."""

from __future__ import annotations

from typing import Any

from .board import Board


class Panel:
    """A form, its jobs, and the gallery of this notebook; it is shown where it is the value of a cell."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __repr__(self) -> str:
        return repr(self._board)

    def _ipython_display_(self, **_: Any) -> None:  # noqa: ANN401  (IPython's own protocol)
        self._board.display()

    def close(self) -> None:
        """Take it from the page; its jobs go on, also those that wait, and are recorded."""
        self._board.close()
