"""One picture, large, with all that is known of it and what can be done with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import ipywidgets

from .. import archive
from ..blobs import has_digest
from ..draft import read_tags, tags_text
from ..gallery import Card, details
from ..preview import Preview, preview
from ..result import Picture
from .keyless import holds_key, refuse_key
from .looks import Widget, button, column, columns, field, heading, paint, picture, row, show, text

_SIDE: Final = 1024
_HEAVIEST: Final = 200_000
_BESIDE: Final = 640
_FOLDER: Final = "figures/"

_STARS: Final = (("none", 0), *(("★" * stars, stars) for stars in range(1, 6)))


class Studio(Protocol):
    """What the view asks of the panel around it."""

    def use(self, card: Card) -> None:
        """Fill the form with the settings of a call."""

    def write_cell(self, card: Card) -> None:
        """Show the cell that repeats a call."""

    def edit(self, card: Card) -> None:
        """Take a picture as one to work from."""

    def do(self, task: Callable[[], None]) -> None:
        """Hand a task to the worker."""

    def attempt(self, act: Callable[[], None]) -> None:
        """Do it now, and show what is wrong with it."""

    def say(self, words: str) -> None:
        """Tell the person something."""

    def refresh(self) -> None:
        """Have the store read again."""


class View:
    """The opened card; nothing is shown before one is."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._card: Card | None = None
        self._store = Path()
        self._held: Card | None = None
        self._is_filling = False
        # The worker renews the card that is open while another one is opened: what is said then is of one of them.
        self._lock = threading.RLock()
        self._large = picture("jig-large")
        self._words = text()
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
        self._hold = button("Compare …", self._take_hold, "Compare this picture with the one that is opened next")
        self.box: Widget = column(
            row(self._title, button("Close", self.close)),
            columns(self._large, column(self._actions(), self._words)),
            self._comparison,
            name="jig-view",
        )
        self._stars.observe(lambda change: self._said(_rate, change["new"]), "value")
        self._tags.observe(lambda change: self._said(_tag, change["new"]), "value")
        self._note.observe(lambda change: self._said(_take_note, change["new"]), "value")
        self._path.observe(lambda change: self._studio.do(lambda: refuse_key(change["new"])), "value")
        show(self.box, when=False)
        show(self._comparison, when=False)

    def _actions(self) -> Widget:
        return column(
            row(
                button("Use these settings", lambda: self._with(self._studio.use), "Fill the form with what it was"),
                button("As cell", lambda: self._with(self._studio.write_cell), "The %%imagegen cell that repeats it"),
                button("Edit this picture", lambda: self._with(self._studio.edit), "Take it as a picture to work from"),
                self._hold,
            ),
            row(self._stars, self._tags, self._note),
            row(self._path, button("Save", self._save, "Write the exact bytes to this path")),
        )

    def open(self, card: Card, store: Path) -> None:
        """Show a card; with one that is held, also how far the two are apart."""
        with self._lock:
            self._card, self._store = card, store
            self._title.value = card.name
            self._words.value = "\n".join(details(card, store))
            self._fill(card)
        paint(self._large, None, "")
        show(self.box, when=True)
        self._studio.do(lambda: self._paint(card))
        if self._held is not None and self._held.name != card.name and card.kept is not None:
            held, self._held = self._held, None
            self._studio.do(lambda: self._compare(held, card))
        self._hold.description = "Compare …"

    def close(self) -> None:
        """Show nothing."""
        self._card = None
        show(self.box, when=False)
        show(self._comparison, when=False)

    def drop_typed(self) -> None:
        """Put back what is recorded: what was typed last may be a key, and was not taken."""
        with self._lock:
            if self._card is not None:
                self._fill(self._card)
        if holds_key(self._path.value):
            self._path.value = _FOLDER

    def renew(self, every: tuple[Card, ...]) -> None:
        """Show what is known now of the card that is open."""
        with self._lock:
            card = self._card
            fresh = None if card is None else next((each for each in every if each.name == card.name), None)
            if fresh is not None and fresh != card:
                self._card = fresh
                self._words.value = "\n".join(details(fresh, self._store))
                self._fill(fresh)

    def _fill(self, card: Card) -> None:
        self._is_filling = True
        self._stars.value = card.stars
        self._tags.value = tags_text(card.tags)
        self._note.value = card.record.note_of(card.index) or ""
        self._is_filling = False

    def _said(self, write: Callable[[Card, Any], None], value: object) -> None:
        """Write what was said of the card that is open, and show it everywhere."""
        with self._lock:
            card = None if self._is_filling else self._card
        if card is not None:
            self._studio.do(lambda: write(self._known(card), value))
            self._studio.refresh()

    def _known(self, card: Card) -> Card:
        """The card with what was said of it a moment ago, if it is open still."""
        now = self._card
        return now if now is not None and now.name == card.name else card

    def _with(self, act: Callable[[Card], None]) -> None:
        card = self._card
        if card is not None:
            self._studio.attempt(lambda: act(card))

    def _paint(self, card: Card) -> None:
        # Not the same card: what was said of it may have been read anew meanwhile.
        if self._card is not None and card.name == self._card.name:
            paint(self._large, self._preview(card, _SIDE, _HEAVIEST), "the opened picture")

    def _preview(self, card: Card, side: int, heaviest: int) -> Preview | None:
        if card.kept is None:
            return None
        path = self._store / card.kept.path
        return preview(path, side, heaviest) if has_digest(path, card.kept.sha256) else None

    def _take_hold(self) -> None:
        if self._card is not None and self._card.kept is not None:
            self._held = self._card
            self._hold.description = "Now open another picture"

    def _compare(self, first: Card, second: Card) -> None:
        found = archive.compare(first.name, second.name)
        for side, card, name in zip(self._sides, (first, second), "ab", strict=True):
            paint(side, self._preview(card, _BESIDE, _HEAVIEST), f"picture {name}")
        self._drift.value = repr(found)
        paint(self._difference, found.sheet, "both pictures, small, and their difference")
        show(self._comparison, when=True)

    def _save(self) -> None:
        card = self._card
        if card is not None and card.kept is not None:
            kept, target = card.kept, self._path.value.strip() or "."
            self._studio.do(lambda: self._saved(Picture(card.record, kept, self._store), target))

    def _saved(self, made: Picture, target: str) -> None:
        refuse_key(target)
        self._studio.say(f"Saved to {made.save(target)}")


def _rate(card: Card, stars: int) -> None:
    archive.rate(card.name, stars or None)


def _tag(card: Card, typed: str) -> None:
    wanted = read_tags(typed)
    archive.tag(card.name, *(word for word in wanted if word not in card.tags))
    archive.untag(card.name, *(word for word in card.tags if word not in wanted))


def _take_note(card: Card, typed: str) -> None:
    archive.note(card.name, typed.strip() or None)
