"""Options -> the steps of an ask: requests that will be sent and, in the mode `cache`, records in the place of some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from . import config
from .ask import Step
from .blobs import has_digest
from .bridge import session_name
from .endpoint import Endpoint, resolve
from .errors import RecordDamaged
from .lookup import looked_up
from .options import Options
from .recall import Cell, Here, Place, Places, Wanted, is_whole, stand_ins
from .records import Record, read
from .request import ImageRequest, Requests, build
from .settings import Settings, Where

_places: Final[dict[tuple[Path, str, Wanted], Places]] = {}
"""How often each thing was asked for in this process, of a store and in a mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Where an ask goes, and what of it is sent and what is shown."""

    endpoint: Endpoint
    steps: tuple[Step, ...]

    @property
    def requests(self) -> Requests:
        """What is to be sent."""
        return tuple(step for step in self.steps if isinstance(step, ImageRequest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and in which mode: the settings, the notebook and the run of the cell."""

    settings: Settings
    mode: str
    notebook: str | None
    cell: Cell

    @property
    def here(self) -> Here:
        """The session and the notebook."""
        return Here(session_name(self.settings.store), self.notebook)


def destination(asked: Where, settings: Settings) -> Endpoint:
    """Where a call goes that names this much. Raises what `resolve` raises."""
    return resolve(asked, settings, os.environ, config.rows(settings))


def live(options: Options, settings: Settings) -> Steps:
    """Everything is sent. Raises what `resolve` and `build` raise, and ReferenceUnreadable."""
    endpoint = destination(options.where, settings)
    return Steps(endpoint=endpoint, steps=build(options, endpoint, *looked_up(options, settings.store)))


def cached(options: Options, asker: Asker) -> Steps:
    """A request of which this store has a whole record, from the same address, is shown; the others are sent."""
    sent = live(options, asker.settings)
    records = read(asker.settings.store)
    steps = tuple(_recorded(request, sent.endpoint, options, asker, records) or request for request in sent.requests)
    return replace(sent, steps=steps)


def _sought(request: ImageRequest, endpoint: Endpoint, options: Options) -> Wanted:
    """What a record has to be of, to stand in for this request."""
    return Wanted(
        request_hash=request.fingerprint,
        parent_id=options.parent_id,
        provider=endpoint.provider.name,
        base_url=endpoint.base_url,
    )


def take_place(wanted: Wanted, asker: Asker) -> Place:
    """How often this was asked for before, by other cells or by this run of the cell."""
    return _places.setdefault((asker.settings.store, asker.mode, wanted), Places()).take(asker.cell)


@contextmanager
def counted() -> Iterator[None]:
    """Places that are taken while something is prepared are given back where that fails: nothing was shown or sent."""
    before = {wanted: places.copy() for wanted, places in _places.items()}
    try:
        yield
    except BaseException:
        _places.clear()
        _places.update(before)
        raise


def refuse_damaged(record: Record, store: Path) -> None:
    """Raise RecordDamaged for a record of which a picture is gone or altered."""
    if not is_undamaged(record, store):
        message = f"The record {record.id} has a picture that is gone, or is not what it was."
        raise RecordDamaged(message)


def is_undamaged(record: Record, store: Path) -> bool:
    """Whether each of its pictures is there, byte for byte."""
    return all(has_digest(store / kept.path, kept.sha256) for kept in record.images)


def _recorded(
    request: ImageRequest, endpoint: Endpoint, options: Options, asker: Asker, records: tuple[Record, ...]
) -> Record | None:
    wanted = _sought(request, endpoint, options)
    found = stand_ins(records, wanted, take_place(wanted, asker), asker.here, is_whole)
    return next((record for record in found if is_undamaged(record, asker.settings.store)), None)
