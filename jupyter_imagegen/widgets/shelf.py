"""The gallery: what was made as thumbnails, the newest first, narrowed and paged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import ipywidgets

from ..gallery import PICTURES, Card, Page, Sought, cards, choices, found, page
from ..preview import Preview, preview
from ..records import Record
from .keyless import holds_key, refuse_key
from .looks import button, column, field, grid, heading, pager, paint, picture, row, show, text, tiles
from .subshells import Widget
from .whole import whole

_TILES: Final = 12
_SIDE: Final = 160
_HEAVIEST: Final = 6_000
_KEPT_THUMBNAILS: Final = 600
_STARS: Final = (("any", 0), *((f"{'★' * stars} or more" if stars < 5 else "★★★★★", stars) for stars in range(1, 6)))


class _Tile:
    """One thumbnail and the button below it."""

    def __init__(self, open_: Callable[[Card], None]) -> None:
        self.card: Card | None = None
        self.picture = picture()
        self._open = open_
        self.button = button("", self._press)
        self.box: Widget = column(self.picture, self.button, name="jig-tile")
        show(self.box, when=False)

    def put(self, card: Card | None) -> None:
        """Show the words of a card; its picture comes later."""
        if card != self.card:
            self.card = card
            paint(self.picture, None, "")
        if card is not None:
            self.button.description, self.button.tooltip = card.title, f"Open: {card.alt}"
        show(self.box, when=card is not None)

    def _press(self) -> None:
        if self.card is not None:
            self._open(self.card)


class Shelf:
    """All cards, and the page of them that is shown. `do` hands a task to the worker, on whose thread all else is done.

    To what they are narrowed stands in the fields alone.
    """

    def __init__(
        self, open_: Callable[[Card], None], do: Callable[[Callable[[], None]], None], refresh: Callable[[], None]
    ) -> None:
        self._do = do
        self._every: tuple[Card, ...] = ()
        self._store = Path()
        self._drawn: Sought | None = None
        self._number = 1
        self._thumbnails: dict[str, Preview] = {}
        self._words = field(ipywidgets.Text, "Search", placeholder="words of the prompt, a tag, an id")
        self._model = field(ipywidgets.Dropdown, "Model", options=[("all", "")])
        self._status = field(ipywidgets.Dropdown, "Status", options=[(PICTURES, PICTURES), ("all calls", "")])
        self._tag = field(ipywidgets.Dropdown, "Tag", options=[("all", "")])
        self._stars = field(ipywidgets.Dropdown, "Stars", options=_STARS)
        self._tiles = tuple(_Tile(open_) for _ in range(_TILES))
        self._newer = button("‹ Newer", lambda: do(lambda: self._turn(-1)), "The page with newer pictures")
        self._older = button("Older ›", lambda: do(lambda: self._turn(1)), "The page with older pictures")
        self._where = text("")
        self.box: Widget = column(
            row(heading("Gallery"), button("Refresh", refresh, "Look for what other kernels have made")),
            grid(self._words, self._model, self._status, self._tag, self._stars),
            tiles(*(tile.box for tile in self._tiles)),
            pager(self._newer, self._where, self._older),
        )
        self._words.observe(lambda change: self._search(change["new"]), "value")
        for widget in (self._model, self._status, self._tag, self._stars):
            widget.observe(lambda _: do(self._narrow), "value")

    def fill(self, records: tuple[Record, ...], store: Path) -> None:
        """Put these records in the place of those. On the worker's thread, or before the panel is shown."""
        self._store = store
        self._every = cards(records)
        self._offer()
        self._draw()

    @property
    def newest(self) -> tuple[Card, ...]:
        """Every card, the newest first."""
        return self._every

    def now(self, card: Card) -> Card:
        """The card with what is known of it now: a press comes from a page that was drawn before."""
        return next((each for each in self._every if each.name == card.name), card)

    def beside(self, card: Card, by: int) -> Card | None:
        """The card so many places further on among those that are found; None beyond the ends."""
        there = found(self._every, self._sought)
        places = [place for place, each in enumerate(there) if each.name == card.name]
        return there[places[0] + by] if places and 0 <= places[0] + by < len(there) else None

    @property
    def _sought(self) -> Sought:
        return Sought(
            words=self._words.value,
            model=self._model.value or "",
            status=self._status.value or "",
            tag=self._tag.value or "",
            stars=self._stars.value or 0,
        )

    def _search(self, typed: str) -> None:
        if holds_key(typed):
            self._words.value = ""
            self._do(lambda: refuse_key(typed))
        else:
            self._do(self._narrow)

    def _narrow(self) -> None:
        """Draw the first page of what is sought now, unless that is drawn: letters come faster than pages."""
        if self._sought != self._drawn:
            self._number = 1
            self._draw()

    def _turn(self, pages: int) -> None:
        self._number += pages
        self._draw()

    def _offer(self) -> None:
        """What there is to choose from; what is chosen stays chosen."""
        there = choices(self._every)
        first, *others = there.statuses
        _set(self._model, [("all", ""), *((each, each) for each in there.models)])
        _set(self._tag, [("all", ""), *((each, each) for each in there.tags)])
        _set(self._status, [(first, first), ("all calls", ""), *((each, each) for each in others)])

    def _draw(self) -> None:
        """Words at once, then the thumbnails, unless somebody has gone on to another page meanwhile."""
        self._drawn = self._sought
        here = page(found(self._every, self._drawn), self._number, _TILES)
        self._number = here.number
        self._say(here)
        for tile, card in zip(self._tiles, (*here.cards, *(None,) * (_TILES - len(here.cards))), strict=True):
            tile.put(card)
        self._do(lambda: self._paint(0, here))

    def _paint(self, place: int, here: Page) -> None:
        """One thumbnail, then the next: between two of them, the worker looks at what else there is to do."""
        tile = self._tiles[place]
        if place >= len(here.cards) or tile.card != here.cards[place]:
            return
        card = here.cards[place]
        paint(tile.picture, self._thumbnail(card), f"picture {place + 1} of this page")
        if place + 1 < _TILES:
            self._do(lambda: self._paint(place + 1, here))

    def _thumbnail(self, card: Card) -> Preview | None:
        if card.kept is None:
            return None
        digest = card.kept.sha256
        if digest not in self._thumbnails:
            found = whole(card, self._store)
            made = None if found is None else preview(found.path, _SIDE, _HEAVIEST)
            if made is None:
                return None
            if len(self._thumbnails) >= _KEPT_THUMBNAILS:
                del self._thumbnails[next(iter(self._thumbnails))]
            self._thumbnails[digest] = made
        return self._thumbnails[digest]

    def _say(self, here: Page) -> None:
        self._where.value = f"{here.total} found · page {here.number} of {here.count}"
        self._newer.disabled, self._older.disabled = here.number <= 1, here.number >= here.count


def _set(widget: Widget, options: list[tuple[str, Any]]) -> None:
    if list(widget.options) != options:
        chosen, widget.options = widget.value, options
        widget.value = chosen if chosen in [value for _, value in options] else options[0][1]
