"""What was said of a call afterwards -> its tags, note and rating, and those of each picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .journal import Called, Mark, Noted, Rated, Tagged, Untagged

Marks = tuple[Mark, ...]


def tags(call: Called, marks: Marks, index: int | None) -> tuple[str, ...]:
    """The words of the call and, with an index, those of that picture too, in the order in which they came."""
    if not marks:
        return call.tags  # as it is with most of a hundred thousand calls
    words = dict.fromkeys(call.tags)
    for mark in _about(marks, index):
        match mark:
            case Tagged():
                words.setdefault(mark.word)
            case Untagged():
                words.pop(mark.word, None)
    return tuple(words)


def note(call: Called, marks: Marks, index: int | None) -> str | None:
    """The last sentence that was said of the picture or, where there is none, of the call."""
    return own_note(call, marks, index) or own_note(call, marks, None)


def rating(marks: Marks, index: int | None) -> int | None:
    """From 1 to 5: the last one that was given to the picture or, where there is none, to the call."""
    return own_rating(marks, index) or own_rating(marks, None)


def own_note(call: Called, marks: Marks, index: int | None) -> str | None:
    """The same of the picture alone or, without an index, of the call alone."""
    said = [mark.note for mark in marks if type(mark) is Noted and mark.index == index]
    return said[-1] if said else call.note if index is None else None


def own_rating(marks: Marks, index: int | None) -> int | None:
    """The same of the picture alone or, without an index, of the call alone."""
    given = [mark.rating for mark in marks if type(mark) is Rated and mark.index == index]
    return given[-1] if given else None


def _about(marks: Iterable[Mark], index: int | None) -> Iterator[Mark]:
    """The marks of the whole call and, with an index, of that picture."""
    return (mark for mark in marks if mark.index is None or mark.index == index)
