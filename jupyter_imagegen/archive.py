"""The Python door to what was made: look at it, say something of it, compare, check, export and forget it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from . import bridge, cells
from .collector import held_off
from .edge import plain_errors
from .errors import KeyInCell, OptionError, StoreError
from .journal import Noted, Rated, Tagged, Untagged, next_moment, now
from .keys import held, looks_like_key
from .marks import own_note, own_rating
from .prepare import refuse_keys
from .recall import shown_from
from .records import Record, read
from .result import Result, result_of
from .settings import Settings, photograph
from .shell import running_shell
from .steps import refuse_damaged
from .which import Named, Which, those, which

if TYPE_CHECKING:
    from .audit import Report
    from .bill import Spent
    from .drift import Drift
    from .erase import Erased
    from .frame import History
    from .which import Several

_RATINGS = range(1, 6)


class Here(Enum):
    """Stands for the notebook that asks."""

    NOTEBOOK = "this notebook"


def history(notebook: str | Here | None = Here.NOTEBOOK) -> History:
    """A pandas.DataFrame of every call: one row for each picture, and one for each call that gave none.

    It holds this notebook's calls, those of another one by its name, or with None all that share the store. Where a
    notebook cannot know its own name (nbclient, papermill, a script), it holds all. Raises StoreError.
    """
    from .frames import history_of  # noqa: PLC0415  (pandas is loaded by the first look)

    with plain_errors(), held_off():
        settings = photograph()
        wanted, every = _wanted(notebook, settings), read(settings.store)
        found = _of(wanted, every)
        made = history_of(found, settings.store, wanted)
    if every and not found:
        made.attrs["note"] = f"None of {wanted}; the store has {len(every)} calls: ig.history(notebook=None)"
    return made


def recorded(settings: Settings) -> tuple[Record, ...]:
    """The records of this notebook, oldest first; all of the store where it cannot know its own name."""
    return _of(_wanted(Here.NOTEBOOK, settings), read(settings.store))


def spent(notebook: str | Here | None = Here.NOTEBOOK) -> Spent:
    """What the calls of this notebook cost together, as far as that is known; `notebook` is as in `history`."""
    from .bill import spent as total  # noqa: PLC0415  (loaded by the first look)

    with plain_errors():
        settings = photograph()
        return total(_of(_wanted(notebook, settings), read(settings.store)))


def replay(id: Named) -> Result:  # noqa: A002  (what it is)
    """Show the record of a call again; nothing is sent.

    A call is named by its id, or by a Record, a Picture, or a Result of one call. Raises OptionError for what names
    none, RecordDamaged where a picture is gone or is not what it was.
    """
    with plain_errors():
        settings = photograph()
        record = which(id, read(settings.store)).record
        if not record.is_forgotten:
            refuse_damaged(record, settings.store)
        pictures = result_of(() if record.is_forgotten else (record,), settings.store).pictures
        return Result(pictures=pictures, records=(record,), inline=settings.inline, notes=_notes(record))


def _notes(record: Record) -> tuple[str, ...]:
    if record.is_forgotten:
        return (f"{record.id} is forgotten",)
    outcome = () if record.images else (f"{record.status}: {record.error}" if record.error else record.status,)
    return (*outcome, shown_from((record,), 1))


def compare(a: object, b: object) -> Drift:
    """How far two pictures are apart: the same bytes, the same pixels, or a measured difference.

    Each is the id of a call with one picture, or an id with a place (`…-9f3a2c1b[1]`), a Picture, a Result of one
    picture, a file, a PIL image or an array. In a notebook both are shown, with a picture of the difference.
    Raises ReferenceUnreadable.
    """
    from .drift import Side, drift  # noqa: PLC0415  (Pillow is loaded by the first look)
    from .lookup import one  # noqa: PLC0415

    with plain_errors():
        store = photograph().store
        sides = [one(value, name, store) for value, name in ((a, "a"), (b, "b"))]
        return drift(*(Side(label=side.name, data=side.image.data) for side in sides))


def verify(*, repair: bool = False) -> Report:
    """Look at every picture and every line of the store, and name what is missing, altered, orphaned or torn.

    With `repair`, what can be put right without a doubt is. Raises StoreError.
    """
    from .audit import audit, mend  # noqa: PLC0415  (loaded by the first look)

    with plain_errors():
        store = photograph().store
        if not store.is_dir():
            message = f"There is no folder {store}, so there is nothing to look at."
            raise StoreError(
                message, "It is made by the first call, where the kernel starts or where IMAGEGEN_STORE says."
            )
        found = audit(store)
        return mend(found) if repair else found


def rate(id: Named, rating: int | None) -> None:  # noqa: A002  (what it is)
    """Rate a call, or one picture of it, from 1 to 5; None takes the rating back.

    What is already so is not written again: a notebook that is replayed may lie in a folder that can only be read.
    A picture is named by the Picture, or by the id and its image_index: `…-9f3a2c1b[1]`. Raises OptionError and
    StoreError.
    """
    with plain_errors():
        if rating is not None and (isinstance(rating, bool) or rating not in _RATINGS):
            message = f"A rating is a whole number from 1 to 5, or None, and not {rating!r}."
            raise OptionError(message, "For example ig.rate(result, 4).")
        found, value = _found(id), None if rating is None else int(rating)
        if own_rating(found.record.marks, found.index) != value:
            _write(Rated(id=found.record.id, at=_after(found.record), index=found.index, rating=value))


def tag(id: Named, *words: str) -> None:  # noqa: A002  (what it is)
    """Add words to a call, or to one picture of it. Raises as `rate` does, and KeyInCell."""
    with plain_errors():
        found, texts = _found(id), [_text(word) for word in words]
        new = [word for word in texts if word not in found.record.tags_of(found.index)]
        _write(*(Tagged(id=found.record.id, at=_after(found.record), index=found.index, word=word) for word in new))


def untag(id: Named, *words: str) -> None:  # noqa: A002  (what it is)
    """Take words away from a call, or from one picture of it. Raises as `rate` does."""
    with plain_errors():
        found = _found(id)
        there = [word for word in words if word in found.record.tags_of(found.index)]
        _write(*(Untagged(id=found.record.id, at=_after(found.record), index=found.index, word=word) for word in there))


def note(id: Named, text: str | None) -> None:  # noqa: A002  (what it is)
    """Note a sentence of a call, or of one picture of it, in the place of the one before; None takes it away.

    Raises as `tag` does.
    """
    with plain_errors():
        found, sentence = _found(id), None if text is None else _text(text)
        if own_note(found.record.call, found.record.marks, found.index) != sentence:
            _write(Noted(id=found.record.id, at=_after(found.record), index=found.index, note=sentence))


def forget(id: Named) -> Erased:  # noqa: A002  (what it is)
    """Remove the words and the pictures of a call from the store, for good; that it was made stays in the history.

    Notebooks that show it, exports and copies are not changed. Raises OptionError for what names no call or one that
    is running, StoreError.
    """
    from .erase import erase, tombstone  # noqa: PLC0415  (seldom used)

    with plain_errors():
        store = photograph().store
        named = which(id, read(store))
        record = named.record
        if named.index is not None and len(record.images) > 1:
            message = f"A call is forgotten as a whole, and {record.id} has {len(record.images)} pictures."
            raise OptionError(message, f"ig.forget({record.id!r}) forgets all of them.")
        if record.is_running:
            message = f"{record.id} is running."
            raise OptionError(message, "Wait for its end, or stop it.")
        if not record.is_forgotten:
            bridge.Append(store, (tombstone(record),)).carry_out()
        return erase(store, record)


def export(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002  (what people call it)
    notebook: str | Here | None = Here.NOTEBOOK,
    only: Several | None = None,
    embed: Iterable[str] = (),
    license: str | None = None,  # noqa: A002  (what it is)
) -> Path:
    """Write what was made into a form that others can take, and return where it is.

    The form follows the ending of the path, or is named by `format`: an RO-Crate (`.zip`, or a folder), a contact sheet
    (`.html`), the history (`.csv`, `.parquet`), a paragraph for the methods section (`.md`), a dataset (a folder with
    format="dataset", or `.tar` for WebDataset). `notebook` is as in `history`; `only` are rows of the history, calls
    or pictures, of any notebook. A crate holds the notebook file too, but not with `only`, nor where a call was
    forgotten: its outputs may show what is not meant. `embed` writes metadata into the copies of pictures: "iptc",
    "parameters", or both. The originals are never touched. Raises OptionError, also for an `embed` or a `license` that
    the form has no place for and for an export of nothing, KeyInCell for a license that holds a key, StoreError, also
    for a folder in which something is not as an export left it, and SettingsError where a library is missing.
    """
    from . import config  # noqa: PLC0415  (loaded by the first export)
    from .exports import form_of, refuse_unsaid  # noqa: PLC0415
    from .exports.asked import refuse_nothing, refuse_store, target_of  # noqa: PLC0415
    from .exports.keyless import license_of  # noqa: PLC0415
    from .exports.study import Study, title_of  # noqa: PLC0415

    with plain_errors():
        target, stated = target_of(path), license_of(license)
        form, words = form_of(target, format), _embedded(embed)
        refuse_unsaid(form, words, stated)
        settings = photograph()
        wanted = _wanted(notebook, settings) if only is None else None
        every = read(settings.store)
        refuse_store(target, settings.store)
        found = None if only is None else tuple(those(every, only))
        records = _of(wanted, every) if found is None else tuple(record for record, _ in found)
        refuse_nothing(records, every, wanted)
        study = Study(
            records=records,
            store=settings.store,
            title=title_of(records, wanted),
            notebook=_file_of(wanted, settings),
            made_at=datetime.now(UTC),
            catalogue=config.rows(settings),
            embed=words,
            license=stated,
            picked=None if found is None else frozenset((record.id, place) for record, its in found for place in its),
        )
        return form.writer.write(study, target)


def _embedded(what: str | Iterable[str]) -> tuple[str, ...]:
    from .exports.embed import WHAT  # noqa: PLC0415  (loaded by the first export)

    wanted = (what,) if isinstance(what, str) else tuple(what)
    for word in wanted:
        if word not in WHAT:
            message = f"embed takes {' and '.join(WHAT)}, not {word!r}."
            raise OptionError(message, "")
    return wanted


def _file_of(notebook: str | None, settings: Settings) -> Path | None:
    """The file of a notebook, where it is known and there."""
    path = None if notebook is None else settings.store.parent / notebook
    return path if path is not None and path.is_file() else None


def _found(named: Named) -> Which:
    found = which(named, read(photograph().store))
    if found.record.is_forgotten:
        message = f"{found.record.id} is forgotten."
        raise OptionError(message, "Nothing is kept of it that could be said something of.")
    return found


def _text(text: object) -> str:
    """What a person says of a call, if it can be kept and is no key. Raises OptionError and KeyInCell."""
    if not isinstance(text, str) or not text.strip():
        message = f"A tag or a note is a text, and not {text!r:.60}."
        raise OptionError(message, 'For example ig.tag(result, "keep", "study") or ig.note(result, "…").')
    if looks_like_key(text):
        raise KeyInCell("The text looks like a key: it would stay in the journal.")
    refuse_keys((text,), held(os.environ))
    return text.encode("utf-8", "replace").decode()


def _after(record: Record) -> str:
    """The time of a mark: now, or just after the last one, which a computer whose clock is ahead may have made."""
    return max([now(), *(next_moment(mark.at) for mark in record.marks)])


def _write(*lines: Rated | Tagged | Untagged | Noted) -> None:
    if lines:
        bridge.Append(photograph().store, lines).carry_out()


def _wanted(notebook: str | Here | None, settings: Settings) -> str | None:
    """The name of the notebook whose records are meant; None for all."""
    if not isinstance(notebook, Here):
        return notebook
    return cells.place(running_shell(), settings.notebook, settings.store).notebook


def _of(notebook: str | None, records: tuple[Record, ...]) -> tuple[Record, ...]:
    if notebook is None:
        return records
    return tuple(record for record in records if (record.call.notebook or record.notebook) == notebook)
