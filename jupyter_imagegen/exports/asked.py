"""What cannot be asked of an export: a path that is none, one in the store, and an export of nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import OptionError
from ..nearest import did_you_mean
from ..records import Record
from .prose import count


def target_of(path: str | Path) -> Path:
    """The path that a person gave, with `~` as the home folder. Raises OptionError for what can be no path here."""
    try:
        target = Path(path).expanduser()
        os.fsencode(target)
        target.resolve()
        is_whole = "\0" not in str(target)
    except (ValueError, RuntimeError, OSError):  # half a letter; nobody's home; links in a circle
        is_whole = False
    if not is_whole:
        message = f"{str(path)!r:.80} is no path that can be written to."
        raise OptionError(message, "Nothing was exported. Give another path.")
    return target


def refuse_store(target: Path, store: Path) -> None:
    """Refuse to export into the store, onto it, or in the place of a folder that holds it. Raises OptionError."""
    where = _seen_from(store, target)
    if where:
        message = f"{target} {where}, {store}, in which an export changes nothing."
        raise OptionError(message, "Nothing was exported. Give a path elsewhere.")


def _seen_from(store: Path, target: Path) -> str:
    """What a path has to do with the store; nothing for one that is elsewhere."""
    if _is_same(target.resolve(), store):
        return "is the store"
    if _is_within(target.resolve(), store):
        return "is in the store"
    return "holds the store" if _is_within(store.resolve(), target) else ""


def _is_within(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or below it, also where the system knows it by another spelling."""
    return any(_is_same(each, folder) for each in (path, *path.parents))


def _is_same(one: Path, other: Path) -> bool:
    if one == other.resolve():
        return True
    with suppress(OSError):  # One of them is not there.
        return one.samefile(other)
    return False


def refuse_nothing(wanted: Sequence[Record], every: Sequence[Record], notebook: str | None) -> None:
    """Refuse an export without a call, which could take the place of a good one; say what there is.

    `notebook` is the one that was meant, and None where calls or all of them were. Raises OptionError.
    """
    if wanted:
        return
    there = count(len(every), "call")
    if not every:
        raise OptionError("The store has no calls.", "Nothing was exported.")
    if notebook is None:
        message = f"The selection is empty; the store has {there}."
        raise OptionError(message, "Nothing was exported. only takes rows of ig.history(), calls or pictures.")
    names = tuple(dict.fromkeys(record.notebook for record in every if record.notebook))
    message = f"None of {notebook}; the store has {there}.{did_you_mean(notebook, names)}"
    raise OptionError(message, "Nothing was exported. With notebook=None, every call of the store is.")
