"""The one sentence that every "there is no such name" ends with."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain


def did_you_mean(typed: str, names: Iterable[str]) -> str:
    """` Did you mean 'size'?`, or nothing when no name is near: those it abbreviates first, then look-alikes."""
    import difflib  # noqa: PLC0415  (only when something is misspelt)

    pool = list(names)
    abbreviated = (name for name in pool if len(typed.lstrip("-")) > 1 and name.startswith(typed))
    alike = difflib.get_close_matches(typed, pool, n=3, cutoff=0.6)
    near = list(dict.fromkeys(chain(abbreviated, alike)))[:3]
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
