"""The mode `replay`: an ask answered from records alone, where there may be no key, no network and other settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from . import config
from .catalogue import CUSTOM, Catalogue, Provider
from .difference import differences
from .endpoint import Endpoint
from .errors import ImageGenError, NotRecorded, RecordDamaged, SettingsError
from .lookup import looked_up
from .options import Options
from .recall import is_answer, retold, stand_ins, wanted
from .records import Record, read
from .request import ImageRequest, Requests, build
from .result import result_of
from .settings import Settings, Where
from .steps import Asker, Steps, is_undamaged, sought, take_place


def replayed(options: Options, asker: Asker) -> Steps:
    """Every request is shown. Raises NotRecorded, RecordDamaged, ReferenceUnreadable."""
    store = asker.settings.store
    asked = replace(options, force=True)  # nothing is paid for: what a model refuses by now was taken then
    pictures = looked_up(options, store)
    records = tuple(record for record in read(store) if record.prompt == options.prompt and is_answer(record))
    for endpoint in _endpoints(options, asker.settings, records):
        try:
            requests = build(asked, endpoint, *pictures)
        except ImageGenError:  # what cannot be asked there was not asked there
            continue
        if any(sought(request, endpoint, options) == wanted(record.call) for request in requests for record in records):
            return Steps(endpoint=endpoint, steps=_shown(requests, endpoint, options, asker, records))
    raise _not_recorded(options, asker)


def _shown(
    requests: Requests, endpoint: Endpoint, options: Options, asker: Asker, records: tuple[Record, ...]
) -> tuple[Record, ...]:
    """The record of each request. Where one of them ended in an error, those after it may never have begun."""
    found = tuple(_each_shown(requests, endpoint, options, asker, records))
    if len(found) < len(requests) and not any(map(retold, found)):
        raise _too_few(found, requests, asker.settings.store)
    return found


def _each_shown(
    requests: Iterable[ImageRequest], endpoint: Endpoint, options: Options, asker: Asker, records: tuple[Record, ...]
) -> Iterator[Record]:
    for request in requests:
        like = sought(request, endpoint, options)
        record = next(stand_ins(records, like, take_place(like, asker), asker.notebook, is_answer), None)
        if record is not None:
            _refuse_damaged(record, asker.settings.store)
            yield record


# --- whom the records were asked of


def _endpoints(options: Options, settings: Settings, records: Iterable[Record]) -> Iterator[Endpoint]:
    """Each endpoint that was asked with this prompt and that the notebook does not rule out, the newest first.

    Of those, what has the address that the notebook names goes before: a server on loopback has another port each time.
    """
    named = _named(options.where, settings.traits)
    whom = dict.fromkeys((r.provider, r.call.base_url, r.model) for r in sorted(records, key=_newest, reverse=True))
    fitting = [each for each in whom if named.provider in (None, each[0]) and named.model in (None, each[2])]
    catalogue = config.rows(settings)
    for provider, base_url, model in sorted(fitting, key=lambda each: each[1] != named.base_url):
        yield _endpoint(provider, base_url, model, catalogue)


def _newest(record: Record) -> str:
    return record.id


def _named(typed: Where, traits: Where) -> Where:
    """What the notebook itself names; the environment is the machine's, and says nothing of how it was made."""
    level = typed if typed.provider or typed.base_url else traits
    provider = level.provider or (CUSTOM if level.base_url else None)
    return Where(provider=provider, base_url=level.base_url, model=typed.model or traits.model)


def _endpoint(provider: str, base_url: str, model: str | None, catalogue: Catalogue) -> Endpoint:
    try:
        row = catalogue.provider(provider)
    except SettingsError:  # one of the person who made the record, or custom
        row = Provider(name=provider, base_url=base_url)
    return Endpoint(provider=row, base_url=base_url, model=catalogue.model(row, model))


# --- what is not there


def _refuse_damaged(record: Record, store: Path) -> None:
    if not is_undamaged(record, store):
        message = f"The record {record.id} has a picture that is gone, or is not what it was."
        raise RecordDamaged(message)


def _too_few(found: tuple[Record, ...], requests: Requests, store: Path) -> NotRecorded:
    had = f"{len(found)} of its {len(requests)} calls" if len(requests) > 1 else "it less often than it is asked for"
    error = NotRecorded(f"{store.name}/ has records of {had}.")
    error.result = result_of(found, store)
    return error


def _not_recorded(options: Options, asker: Asker) -> NotRecorded:
    """With what is recorded of the same prompt, as far as that helps."""
    store = asker.settings.store
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
