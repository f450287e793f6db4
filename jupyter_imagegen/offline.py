"""The mode `replay`: an ask answered from records alone, where there may be no key, no network and other settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from . import config
from .catalogue import CUSTOM, Catalogue, Provider
from .difference import differences
from .endpoint import Endpoint, normalised
from .errors import ImageGenError, NotRecorded, SettingsError
from .lookup import looked_up
from .options import Options
from .recall import Wanted, is_answer, is_something, retold, stand_ins
from .records import Record, read
from .request import ImageRequest, build
from .result import result_of
from .settings import Settings, Where
from .steps import Asker, Steps, refuse_damaged, take_place


def replayed(options: Options, asker: Asker) -> Steps:
    """Every request is shown. Raises NotRecorded, RecordDamaged, ReferenceUnreadable, OptionError."""
    store = asker.settings.store
    asked = replace(options, force=True)  # nothing is paid for: what a model refuses by now was taken then
    pictures = looked_up(options, store)
    records = tuple(record for record in read(store) if record.prompt == options.prompt and is_something(record))
    named = _named(options.where, asker.settings.traits)
    for endpoint in _endpoints(named, asker.settings, records):
        requests = build(asked, endpoint, *pictures)
        likes = [_like(request, named, options, records) for request in requests]
        if any(like.fits(record.call) for like in likes for record in records):
            return Steps(endpoint=endpoint, steps=_shown(likes, asker, records))
    raise _not_recorded(options, asker)


def _like(request: ImageRequest, named: Where, options: Options, records: Iterable[Record]) -> Wanted:
    """What a record has to be of: where the notebook names an address, and nothing came from there, any will do.

    A server on loopback has another port each time.
    """
    like = Wanted(
        request_hash=request.fingerprint, parent_id=options.parent_id, provider=named.provider, base_url=named.base_url
    )
    return like if any(like.fits(record.call) for record in records) else replace(like, base_url=None)


def _shown(likes: list[Wanted], asker: Asker, records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The record of each request. Where one of them ended in an error, those after it may never have begun."""
    found = tuple(record for like in likes if (record := _stand_in(like, asker, records)) is not None)
    for record in found:
        refuse_damaged(record, asker.settings.store)
    if len(found) < len(likes) and not any(map(retold, found)):
        raise _too_few(found, len(likes), asker.settings.store)
    return found


def _stand_in(like: Wanted, asker: Asker, records: tuple[Record, ...]) -> Record | None:
    place = take_place(like, asker)
    for counts in (is_answer, is_something):
        for record in stand_ins(records, like, place, asker.here, counts):
            return record
    return None


# --- whom the records were asked of


def _endpoints(named: Where, settings: Settings, records: Iterable[Record]) -> Iterator[Endpoint]:
    """Each provider and model that was asked with this prompt and that the notebook does not rule out, newest first."""
    whom = dict.fromkeys((r.provider, r.call.base_url, r.model) for r in sorted(records, key=_newest, reverse=True))
    catalogue = config.rows(settings)
    for provider, base_url, model in whom:
        if named.provider in (None, provider) and named.model in (None, model):
            yield _endpoint(provider, base_url, model, catalogue)


def _newest(record: Record) -> str:
    return record.id


def _named(typed: Where, traits: Where) -> Where:
    """What the notebook itself names; the environment is the machine's, and says nothing of how it was made."""
    level = typed if typed.provider or typed.base_url else traits
    provider = level.provider or (CUSTOM if level.base_url else None)
    base_url = normalised(level.base_url) if level.base_url else None
    return Where(provider=provider, base_url=base_url, model=typed.model or traits.model)


def _endpoint(provider: str, base_url: str, model: str | None, catalogue: Catalogue) -> Endpoint:
    try:
        row = catalogue.provider(provider)
    except SettingsError:  # one of the person who made the record, or custom
        row = Provider(name=provider, base_url=base_url)
    return Endpoint(provider=row, base_url=base_url, model=catalogue.model(row, model))


# --- what is not there


def _too_few(found: tuple[Record, ...], wanted: int, store: Path) -> NotRecorded:
    had = f"only {len(found)} of these {wanted} calls" if wanted > 1 else "this request, but not once more"
    message = f"{store.name}/ has records of {had}."
    error = NotRecorded(message, "Nothing was sent. ig.replay(id) shows a record again, however often.")
    error.result = result_of(found, store)
    return error


_WHERE: Final = (
    "Nothing was sent. The records are looked for in imagegen/ where the kernel was started, or in IMAGEGEN_STORE."
)


def _not_recorded(options: Options, asker: Asker) -> NotRecorded:
    """With what is recorded of the same prompt, as far as that helps."""
    store = asker.settings.store
    if not store.is_dir():
        return NotRecorded(f"There is no folder {store}.", _WHERE)
    same = [record for record in read(store) if record.prompt == options.prompt]
    if not same:
        return NotRecorded(f"{store.name}/ has no record of this prompt.")
    nearest = same[-1]
    if not is_answer(nearest):
        return NotRecorded(f"{store.name}/ has no answer to this request: {nearest.id} is {nearest.status}.")
    return NotRecorded(f"{store.name}/ has no record of this request{_beside(nearest, options, asker)}.")


def _beside(nearest: Record, options: Options, asker: Asker) -> str:
    """How the request differs from the nearest one that there is."""
    named = _named(options.where, asker.settings.traits)
    model = named.model or nearest.model
    endpoint = _endpoint(named.provider or nearest.provider, nearest.call.base_url, model, config.rows(asker.settings))
    try:
        request = build(replace(options, force=True), endpoint, *looked_up(options, asker.settings.store))[0]
    except ImageGenError:
        return ""
    lines = [
        *differences(nearest.chosen, request.chosen),
        *differences({"provider": nearest.provider}, {"provider": endpoint.provider.name}),
        *differences({"rerun of": nearest.parent_id}, {"rerun of": options.parent_id}),
    ]
    return f"; beside the nearest, {nearest.id}: {'; '.join(lines)}" if lines else ""
