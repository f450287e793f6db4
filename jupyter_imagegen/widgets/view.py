"""One picture, large, with all that is known of it and what can be done with it.

What is opened is changed on the worker's thread alone; callbacks hand it over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import ipywidgets

from .. import archive
from ..draft import read_tags, tags_text
from ..errors import ImageGenError, OptionError
from ..gallery import Card, details
from ..keys import scrub
from ..preview import Preview, preview
from ..result import Picture
from .keyless import holds_key, refuse_key
from .looks import button, column, columns, field, heading, paint, picture, row, show, text
from .subshells import Widget
from .whole import whole
from .written import Written

_SIDE: Final = 1024
_HEAVIEST: Final = 200_000
_BESIDE: Final = 640
_FOLDER: Final = "figures/"

_STARS: Final = (("none", 0), *(("★" * stars, stars) for stars in range(1, 6)))


class Studio(Protocol):
    """What the view asks of the panel around it."""

    def use(self, card: Card) -> None:
        """Fill the form with the settings of a call."""

    def cell_of(self, card: Card) -> tuple[str, str]:
        """The cell that repeats a call, and what has to be said of it."""

    def edit(self, card: Card) -> None:
        """Take a picture as the one to work from."""

    def step(self, card: Card, by: int) -> None:
        """Open the card so many places further on in the gallery."""

    def do(self, task: Callable[[], None]) -> None:
        """Hand a task to the worker."""

    def say(self, words: str) -> None:
        """Tell the person something."""

    def reread(self) -> None:
        """Read the store again at once. On the worker's thread."""


@dataclass(frozen=True, slots=True)
class _Opened:
    card: Card
    store: Path

    @property
    def picture(self) -> Picture | None:
        return whole(self.card, self.store)

    def preview(self, side: int) -> Preview | None:
        found = self.picture
        return None if found is None else preview(found.path, side, _HEAVIEST)


class View:
    """The opened card; nothing is shown before one is."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._opened: _Opened | None = None
        self._held: _Opened | None = None
        self._teller: int | None = None
        self._is_refused = False
        self._large = picture("jig-large")
        self._words = text()
        self.message: Widget = text()
        self._written = Written()
        self._stars = field(ipywidgets.Dropdown, "Stars", "jig-narrow", options=_STARS)
        self._tags = field(
            ipywidgets.Text, "Tags of this picture", placeholder="words, separated by commas", continuous_update=False
        )
        self._note = field(ipywidgets.Text, "Note on this picture", continuous_update=False)
        self._path = field(ipywidgets.Text, "Save to", value=_FOLDER, continuous_update=False)
        self._sides = (picture("jig-large"), picture("jig-large"))
        self._difference = picture()
        self._drift = text()
        self._comparison = column(
            heading("Compared"), columns(*(column(side) for side in self._sides)), self._drift, self._difference
        )
        self._title = heading("")
        self._hold = button("Compare …", lambda: studio.do(self._take_hold), "Compare with the picture opened next")
        self.box: Widget = column(
            row(self._title, *self._steps()),
            columns(self._large, column(self._actions(), self.message, self._written.box, self._words)),
            self._comparison,
            name="jig-view",
        )
        self._stars.observe(lambda change: self._said(_rate, change["new"]), "value")
        self._tags.observe(lambda change: self._said(_tag, change["new"]), "value")
        self._note.observe(lambda change: self._said(_take_note, change["new"]), "value")
        self._path.observe(lambda change: self._take_path(change["new"]), "value")
        show(self.box, when=False)
        show(self._comparison, when=False)

    def _steps(self) -> tuple[Widget, ...]:
        studio = self._studio
        return (
            button("Previous", lambda: self._with(lambda opened: studio.step(opened.card, -1)), "The picture before"),
            button("Next", lambda: self._with(lambda opened: studio.step(opened.card, 1)), "The picture after it"),
            button("Close", lambda: studio.do(self._close)),
        )

    def _actions(self) -> Widget:
        studio = self._studio
        return column(
            row(
                button(
                    "Use these settings",
                    lambda: self._with(lambda opened: studio.use(opened.card)),
                    "Fill the form with what was asked for",
                ),
                button("As cell", lambda: self._with(self._write_cell), "The %%imagegen cell that repeats it"),
                button(
                    "Edit this picture",
                    lambda: self._with(lambda opened: studio.edit(opened.card)),
                    "Take it as the picture to work from",
                ),
                self._hold,
            ),
            row(self._stars, self._tags, self._note),
            row(self._path, button("Save", lambda: self._with(self._save), "Write the exact bytes to this path")),
        )

    def open(self, card: Card, store: Path) -> None:
        """Show a card; where one is held, also how far the two are apart. On the worker's thread."""
        before, self._opened = self._opened, _Opened(card, store)
        if before is None or before.card.name != card.name:
            self._written.close()
            self.message.value = ""
            show(self._comparison, when=False)
        self._tell(self._opened)
        paint(self._large, None, "")
        show(self.box, when=True)
        paint(self._large, self._opened.preview(_SIDE), "the opened picture")
        held, self._held = self._held, None
        self._hold.description = "Compare …"
        if held is not None and held.card.name != card.name and card.kept is not None:
            self._compare(held, self._opened)

    def renew(self, every: tuple[Card, ...]) -> None:
        """Show what is known now of the card that is open; one that was forgotten is closed. On the worker's thread."""
        opened = self._opened
        if opened is None:
            return
        fresh = next((each for each in every if each.name == opened.card.name), None)
        if fresh is None:
            self._close()
        elif fresh != opened.card:
            self._opened = _Opened(fresh, opened.store)
            self._tell(self._opened)

    def drop_typed(self) -> None:
        """Put back what is recorded: what was typed last may be a key, and was not taken."""
        if self._opened is not None:
            self._tell(self._opened)

    def _tell(self, opened: _Opened) -> None:
        """Put what is known of a card into the fields; that is nothing new, so nothing is written for it."""
        card = opened.card
        self._title.value = card.name
        self._words.value = "\n".join(scrub(line, None) for line in details(card, opened.store))
        self._teller = threading.get_ident()
        try:
            self._stars.value = card.stars
            self._tags.value = tags_text(card.tags)
            self._note.value = card.record.note_of(card.index) or ""
        finally:
            self._teller = None

    def _close(self) -> None:
        self._opened = self._held = None
        self._hold.description = "Compare …"
        self._written.close()
        for place in (self._large, self._difference, *self._sides):
            paint(place, None, "")
        self._words.value = self._title.value = self._tags.value = self._note.value = ""
        show(self.box, when=False)
        show(self._comparison, when=False)

    def _said(self, write: Callable[[Card, Any], bool], value: object) -> None:
        """Write what was said of the card that is open, and show it everywhere."""
        opened = self._opened
        # A person's callback comes on another thread, and may come while the fields are filled.
        if opened is not None and self._teller != threading.get_ident():
            self._studio.do(lambda: self._write(write, opened, value))

    def _write(self, write: Callable[[Card, Any], bool], then: _Opened, value: object) -> None:
        now = self._opened
        card = now.card if now is not None and now.card.name == then.card.name else then.card
        try:
            if write(card, value):
                # At once: what is said next is said of what is known then.
                self._studio.reread()
        except ImageGenError:
            if self._opened is not None:
                self._tell(self._opened)
            raise

    def _with(self, act: Callable[[_Opened], None]) -> None:
        opened = self._opened
        if opened is not None:
            self._studio.do(lambda: act(opened))

    def _write_cell(self, opened: _Opened) -> None:
        self._written.close()
        cell, words = self._studio.cell_of(opened.card)
        self._written.write(f"The cell that repeats {opened.card.record.id}: copy it into one", cell)
        self._studio.say(words)

    def _take_hold(self) -> None:
        """Hold the card that is open for comparison, or let it go again."""
        is_held = self._held is not None
        self._held = None if is_held or self._opened is None or self._opened.card.kept is None else self._opened
        self._hold.description = "Compare …" if self._held is None else "Now open the other (or press again)"

    def _compare(self, first: _Opened, second: _Opened) -> None:
        # The pictures themselves: a name in a journal of somebody else's may be that of a file.
        found = archive.compare(first.picture, second.picture)
        for side, opened, name in zip(self._sides, (first, second), "ab", strict=True):
            paint(side, opened.preview(_BESIDE), f"picture {name}")
        self._drift.value = repr(found)
        paint(self._difference, found.sheet, "both pictures, small, and their difference")
        show(self._comparison, when=True)

    def _take_path(self, typed: str) -> None:
        """Empty it of a key; the press of Save that comes with it meant something else than what stands there then."""
        self._is_refused = False
        if holds_key(typed):
            self._path.value = _FOLDER
            self._is_refused = True
            self._studio.do(lambda: refuse_key(typed))

    def _save(self, opened: _Opened) -> None:
        if self._is_refused:
            self._is_refused = False
            return
        target = self._path.value.strip()
        if not target:
            message = "There is no path to save to."
            raise OptionError(message, f"For example {_FOLDER}, or a name that ends in .png.")
        if opened.card.kept is not None:
            made = Picture(opened.card.record, opened.card.kept, opened.store)
            self._studio.say(f"Saved to {made.save(target)}")


def _rate(card: Card, stars: int) -> bool:
    if stars == card.stars:
        return False
    archive.rate(card.name, stars or None)
    return True


def _tag(card: Card, typed: str) -> bool:
    wanted = read_tags(typed)
    if wanted == card.tags:
        return False
    archive.tag(card.name, *(word for word in wanted if word not in card.tags))
    archive.untag(card.name, *(word for word in card.tags if word not in wanted))
    return True


def _take_note(card: Card, typed: str) -> bool:
    note = typed.strip() or None
    if note == card.record.note_of(card.index):
        return False
    archive.note(card.name, note)
    return True
