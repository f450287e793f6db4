"""What --image and --mask name -> the pictures themselves: files, and those of this store by the id of their call."""

from __future__ import annotations

from pathlib import Path

from .errors import ReferenceUnreadable
from .options import Given, Options
from .records import read
from .references import Reference, is_record, of_file, of_value, split_record
from .result import Picture, Result, result_of


def looked_up(options: Options, store: Path) -> tuple[tuple[Reference, ...], Reference | None]:
    """The pictures to work from, and the mask. Raises ReferenceUnreadable."""
    images = tuple(_reference(given, store) for given in options.images)
    return images, None if options.mask is None else _reference(options.mask, store)


def one(value: object, name: str, store: Path) -> Reference:
    """A picture that is given as such, or by a path or the id of a record. Raises ReferenceUnreadable."""
    if isinstance(value, Result) and len(value) == 1:
        value = value[0]
    if isinstance(value, Picture):
        name = f"{value.record.id}[{value.index}]"
    return _reference(str(value) if isinstance(value, str | Path) else of_value(value, name), store)


def _reference(given: Given, store: Path) -> Reference:
    """The picture that was given, or that a path or the id of a record leads to. Raises ReferenceUnreadable."""
    if isinstance(given, Reference):
        return given
    if given.lower().startswith(("http://", "https://")):
        message = f"{given} is an address, and a reference picture is sent from here."
        raise ReferenceUnreadable(
            message, 'Save it to a file first. A server that fetches by itself takes --param image="…".'
        )
    return _of_record(given, store) if is_record(given) else of_file(Path(given))


def _of_record(text: str, store: Path) -> Reference:
    name, place = split_record(text)
    records = tuple(record for record in read(store) if record.id == name)
    if not records:
        message = f"The history in {store} has no call {name}."
        raise ReferenceUnreadable(message)
    if records[0].is_forgotten:
        message = f"The call {name} is forgotten."
        raise ReferenceUnreadable(message)
    pictures = result_of(records, store)
    return of_value(pictures if place is None else _at(place, pictures, name), text)


def _at(place: int, pictures: Result, name: str) -> Picture:
    """The picture with this image_index; below 0, counted from the end."""
    found = {picture.index: picture for picture in pictures} | {
        place - len(pictures): picture for place, picture in enumerate(pictures)
    }
    if place not in found:
        indexes = ", ".join(f"[{picture.index}]" for picture in pictures) or "no picture"
        message = f"The call {name} has {indexes}, and no [{place}]."
        raise ReferenceUnreadable(message)
    return found[place]
