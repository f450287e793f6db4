"""Place: the notebook and the cell that a call comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call comes from, as far as that can be known."""

    notebook: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
