"""Records -> cards: found, paged, and told in words. Pure.

What is said here is plain text on one line, without control characters and without those that turn the direction of
what stands beside them: a prompt, an answer and a whole journal can be somebody else's. It is not escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from .bill import spent
from .blobs import nearby
from .catalogue import CUSTOM
from .journal import Input, Kept
from .mismatch import of_calls, of_picture
from .plan import dollars
from .records import Record, printable

PICTURES: Final = "pictures"
"""Stands among the statuses for whatever has a picture: what is cancelled can have one, too."""

_STATUSES: Final = ("ok", "refused", "failed", "cancelled", "unknown", "running")

_LONGEST_TITLE: Final = 28
_LONGEST_WORD: Final = 100
_LONGEST_ALT: Final = 400
_LONGEST_PART: Final = 300
_LONGEST_LINE: Final = 2_000
_LONGEST_PROMPT: Final = 32_000
"""Letters of what is shown; the record has the whole."""

_APART: Final = frozenset({"prompt", "model", "n"})
_INPUTS: Final = frozenset({"image", "mask"})
"""Fields of a request that have a line of their own; a picture that a server fetched by itself has none."""

_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_AT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")

Facts = Iterator[tuple[str, str | None]]
"""What is said of a card: a name of ours, and a text of anybody's; None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of a call, or a call that gave none; then `kept` is None."""

    record: Record
    kept: Kept | None

    @property
    def name(self) -> str:
        """By what `ig.replay`, `ig.rate` and --image know it: the id of the call, and the image_index of a picture."""
        return self.record.id if self.kept is None else f"{self.record.id}[{self.kept.index}]"

    @property
    def title(self) -> str:
        """The line under a thumbnail, at most 28 letters: `★★★ an otter`, `refused · an otter`."""
        outcome = "" if self.kept is not None and self.status == "ok" else f"{self.status} ·"
        parts = ("★" * self.stars, outcome, self.alt)
        return _cut(one_line(" ".join(part for part in parts if part)), _LONGEST_TITLE)

    @property
    def alt(self) -> str:
        """The prompt on one line, at most 400 letters."""
        return _cut(one_line(self.record.prompt), _LONGEST_ALT)

    @property
    def stars(self) -> int:
        """From 1 to 5; 0 without a rating."""
        return self.record.rating_of(self.index) or 0

    @property
    def tags(self) -> tuple[str, ...]:
        """The words of the call and those of the picture."""
        return tuple(filter(None, map(_word, self.record.tags_of(self.index))))

    @property
    def status(self) -> str:
        """How the call ended, as in the history."""
        return _word(self.record.status)

    @property
    def model(self) -> str:
        """The model that was asked; empty where none was named."""
        return _word(self.record.model or "")

    @property
    def index(self) -> int | None:
        """The image_index of the picture; None for a call without one."""
        return None if self.kept is None else self.kept.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """To what the gallery is narrowed; an empty value narrows nothing."""

    words: str = ""
    """Each has to occur, in whatever case: in prompts, note, tags, model, provider, id or sha256."""
    model: str = ""
    status: str = ""
    """One of the history, or `PICTURES`; like model and tag as `Choices` has it."""
    tag: str = ""
    stars: int = 0
    """At least so many."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the cards that were found: page `number` of `count`, both from 1; `total` counts the cards of all."""

    cards: tuple[Card, ...]
    number: int
    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What cards can be narrowed to.

    Models begin with the one asked last. Statuses are in the order of the history, with `PICTURES` before them even
    where there is no picture yet. Tags are in alphabetical order.
    """

    models: tuple[str, ...]
    statuses: tuple[str, ...]
    tags: tuple[str, ...]


def cards(records: Iterable[Record]) -> tuple[Card, ...]:
    """The newest call first, the pictures of one call in their own order; what was forgotten has no card."""
    newest = sorted(records, key=lambda record: record.id, reverse=True)
    return tuple(
        Card(record, kept) for record in newest if not record.is_forgotten for kept in record.images or (None,)
    )


def found(every: tuple[Card, ...], sought: Sought) -> tuple[Card, ...]:
    """Those of the cards that are sought, in their order. No JSON is decoded, and no text is looked at without need."""
    words = sought.words.casefold().split()
    return tuple(card for card in every if _is_of(card, sought) and (not words or _says(card, words)))


def page(every: tuple[Card, ...], number: int, size: int) -> Page:
    """The page with this number, of `size` cards, which is at least 1; beyond the ends, the nearest page."""
    count = max(1, -(-len(every) // size))
    there = min(max(number, 1), count)
    return Page(every[(there - 1) * size : there * size], there, count, len(every))


def choices(every: tuple[Card, ...]) -> Choices:
    """What there is to choose from."""
    models = dict.fromkeys(card.model for card in every)
    statuses = {card.status for card in every} - {PICTURES}
    tags = {word for card in every for word in card.tags}
    return Choices(
        models=tuple(filter(None, models)),
        statuses=(PICTURES, *sorted(filter(None, statuses), key=_in_order)),
        tags=tuple(sorted(filter(None, tags), key=lambda word: (word.casefold(), word))),
    )


def _in_order(status: str) -> tuple[int, str]:
    """Those of the history first; another hand may have written any word."""
    return (_STATUSES.index(status) if status in _STATUSES else len(_STATUSES)), status


def _is_of(card: Card, sought: Sought) -> bool:
    return (
        (not sought.status or _has(card, sought.status))
        and (not sought.model or card.model == sought.model)
        and (not sought.tag or sought.tag in card.tags)
        and (sought.stars <= 0 or card.stars >= sought.stars)
    )


def _has(card: Card, status: str) -> bool:
    return card.kept is not None if status == PICTURES else card.status == status


def _says(card: Card, words: list[str]) -> bool:
    text = _text(card).casefold()
    return all(word in text for word in words)


def _text(card: Card) -> str:
    """All in which words are sought. No word has a line break in it, so none is found across two of these."""
    record, kept, index = card.record, card.kept, card.index
    of_picture = (kept.revised_prompt, kept.sha256) if kept is not None else ()
    parts = (record.prompt, record.note_of(index), record.model, record.provider, card.name, *of_picture)
    return "\n".join((*filter(None, parts), *record.tags_of(index)))


# --- what is said beside a large picture


def details(card: Card, store: Path) -> tuple[str, ...]:
    """All that is known of a card, as lines `name: value`; what is not known has none, but for a cost.

    The prompt is whole up to 32,000 letters, with ↵ for its line breaks; any other line has at most 2,000.
    """
    facts = (*_of_words(card), *_of_picture(card), *_of_request(card), *_of_end(card), *_of_marks(card))
    return tuple(_told(name, text) for name, text in (*facts, *_of_origin(card, store)) if text)


def _of_words(card: Card) -> Facts:
    yield "prompt", card.record.prompt
    yield "revised prompt", None if card.kept is None else card.kept.revised_prompt
    yield "model", _whom(card.record)


def _of_picture(card: Card) -> Facts:
    if card.kept is not None:
        yield "received", f"{_size(card.kept)}, {card.kept.bytes:,} bytes"
        yield "differs", "; ".join(of_picture(card.record, card.kept))


def _of_request(card: Card) -> Facts:
    record = card.record
    yield "parameters", " · ".join(_chosen(record))
    yield "images", " · ".join(_cut(_given(picture), _LONGEST_PART) for picture in record.call.inputs)
    came = of_calls((record,)) if record.images else None
    yield "n", f"{record.call.n} ({came})" if came else str(record.call.n)


def _of_end(card: Card) -> Facts:
    record, end = card.record, card.record.end
    yield "status", record.status
    yield "error", record.error
    yield "hint", None if end is None else end.hint
    yield "cost", _cost(record)
    yield "time", f"{_time(record.call.at)}, took {end.latency_s:,.1f} s" if end else _time(record.call.at)


def _of_marks(card: Card) -> Facts:
    yield "tags", ", ".join(card.tags)
    yield "note", card.record.note_of(card.index)
    yield "rating", f"{card.stars} of 5" if card.stars else None


def _of_origin(card: Card, store: Path) -> Facts:
    call, end, kept = card.record.call, card.record.end, card.kept
    cell = "" if call.execution_count is None else f", cell [{call.execution_count}]"
    yield "parent id", call.parent_id
    yield "notebook", card.record.notebook + cell
    yield "request id", None if end is None else end.request_id
    yield "file", nearby(store / kept.path) if kept is not None and kept.path else None
    yield "sha256", None if kept is None else kept.sha256
    yield "id", card.name


def _whom(record: Record) -> str:
    """The model and where it was asked; of an address that was typed, that too."""
    at = f"{CUSTOM} ({record.call.base_url})" if record.provider == CUSTOM else record.provider
    return at if record.model in (None, record.provider) else f"{record.model} at {at}"


def _size(kept: Kept) -> str:
    sides = _sides(kept)
    return kept.format if sides == kept.format else f"{sides} {kept.format}"


def _sides(kept: Kept) -> str:
    """Width and height in pixels; the format where the header does not say them."""
    return kept.format if kept.width is None or kept.height is None else f"{kept.width}×{kept.height}"


def _given(picture: Input) -> str:
    return picture.name if picture.role == "image" else f"{picture.name} ({picture.role})"


def _chosen(record: Record) -> Iterator[str]:
    """Each field as a person chose it: texts as they are, all else as JSON."""
    apart = _APART | _INPUTS if record.call.inputs else _APART
    for name, value in record.chosen.items():
        if name not in apart:
            text = value if isinstance(value, str) else _json(value)
            yield _cut(f"{name} {text}", _LONGEST_PART)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # Each of the two that read and write JSON has a depth of its own.
        return "…"


def _cost(record: Record) -> str:
    """The share of one picture in what its call cost."""
    usd, pictures = record.cost_usd, len(record.images)
    if usd is None:
        return "unknown" if spent((record,)).unknown else "none"
    whole = f" of {dollars(usd)} for the call" if pictures > 1 else ""
    return f"{dollars(usd / max(1, pictures))}{whole}" if usd else "none"


def _time(at: str) -> str:
    """To the second; a time of another form stays as it is."""
    written = _AT.fullmatch(at)
    return f"{written[1]} {written[2]} UTC" if written else at


def _told(name: str, text: str) -> str:
    if name == "prompt":
        return f"{name}: {_whole(_cut(text, _LONGEST_PROMPT))}"
    return _cut(f"{name}: {one_line(text)}", _LONGEST_LINE)


def _whole(text: str) -> str:
    """The text with a sign for each line break, since what follows one would look like a line of ours."""
    return " ↵ ".join(_plain(line).replace("\t", " ") for line in text.splitlines())


def one_line(text: str) -> str:
    """A text of anybody's on one line, without what could hide or turn what stands beside it."""
    return " ".join(filter(None, map(_plain, text.split())))


@lru_cache(maxsize=1024)  # a history of thousands has few of them
def _word(text: str) -> str:
    """A model, a status or a tag, as it is shown and chosen."""
    return _cut(one_line(text), _LONGEST_WORD)


def _plain(text: str) -> str:
    """What can be shown of a text: a file name can hold half a character, which no message to a browser can."""
    return _TURNING.sub("", printable(text)).encode("utf-8", "replace").decode()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
