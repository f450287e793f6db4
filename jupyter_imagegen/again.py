"""A record and what is to be changed -> the Options that ask for it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from .blobs import nearby
from .catalogue import CUSTOM
from .difference import differences
from .errors import KeyMisdirected, OptionError, RecordDamaged, ReferenceUnreadable, SettingsError
from .journal import Input
from .options import Options, from_call
from .records import Record
from .references import Reference, of_file
from .settings import Settings, Where
from .steps import destination
from .switches import json_text

_OURS: Final = ("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")
_APART: Final = frozenset(
    {"prompt", "provider", "base_url", "model", "tags", "omit", "force", "quiet", *_OURS},
)
_NAMED_APART: Final = frozenset({"model", "n", "image", "mask"})


def again(record: Record, changes: Mapping[str, Any], settings: Settings) -> Options:
    """What was asked then, with these changes; a keyword is as in `generate`, and None takes it away.

    Raises OptionError for a forgotten call and for what `generate` would not take, RecordDamaged where a picture that
    was sent is gone or altered, KeyMisdirected where the provider had another address than it has here.
    """
    if record.is_forgotten:
        message = f"What {record.id} asked for was forgotten."
        raise OptionError(message, "Its pictures and words are gone for good.")
    new = _as_changed(changes, record.prompt)
    is_same_prompt = "prompt" not in changes
    return replace(
        new,
        template=record.call.template if is_same_prompt else None,
        variables=tuple((record.variables or {}).items()) if is_same_prompt else (),
        where=_where(record, new, changes, settings),
        n=new.n if "n" in changes else record.chosen.get("n"),
        fields=_fields(record, new, changes),
        images=new.images if "image" in changes else tuple(_sent(record, "image", settings.store)),
        mask=new.mask if "mask" in changes else next(_sent(record, "mask", settings.store), None),
        omit=new.omit if "omit" in changes else record.call.omit,
        parent_id=record.id,
    )


def asked_by(record: Record, settings: Settings) -> Options:
    """What a call asked for, as options that stand on their own: whom it asked by name, and its pictures by path.

    Nothing on this machine decides where they lead; an address that nobody here has set stays one that only a record
    names, and no key goes there before a person types it. The tags and the note are those given with the call.

    Raises OptionError for a forgotten call, and RecordDamaged where a picture that was sent is gone or altered.
    """
    # In a replay nothing is sent, so an address that is another one here is no reason to refuse.
    then = again(record, {}, replace(settings, mode="replay"))
    return replace(
        then,
        where=_by_name(record, settings),
        images=tuple(_paths(record, "image", settings.store)),
        mask=next(_paths(record, "mask", settings.store), None),
        tags=record.call.tags,
        note=record.call.note,
        parent_id=None,
    )


def said_again(before: Record, after: Record) -> tuple[str, ...]:
    """That one call asked another one again, and a line for each thing that it asked otherwise."""
    changed = differences(_all(before), _all(after))
    return (f"{before.id} asked again, {'as it was' if not changed else 'with'}", *changed)


def _all(record: Record) -> dict[str, Any]:
    whom = {"provider": record.provider, "address": record.call.base_url}
    return {"prompt": record.prompt, **record.chosen, **whom}


def _sent(record: Record, role: str, store: Path) -> Iterator[Reference]:
    """The pictures that were sent, from the store. Raises RecordDamaged.

    They have to be those pictures: a store may be somebody else's, and a file in it a link to a picture of this person.
    """
    for given in record.call.inputs:
        if given.role == role:
            yield _reference(given, store)


def _reference(given: Input, store: Path) -> Reference:
    try:
        found = of_file(store / given.path)
    except ReferenceUnreadable:
        found = None
    if found is None or found.image.sha256 != given.sha256:
        message = f"The picture {given.path}, which was sent then, is gone or is not what it was."
        raise RecordDamaged(message)
    return replace(found, name=given.name)


def _paths(record: Record, role: str, store: Path) -> Iterator[str]:
    """Where the pictures that were sent are kept."""
    return (nearby(store / given.path) for given in record.call.inputs if given.role == role)


def _as_changed(changes: Mapping[str, Any], prompt: str) -> Options:
    """The changes alone, read as the arguments of a call are."""
    where = Where(provider=changes.get("provider"), base_url=changes.get("base_url"), model=changes.get("model"))
    return from_call(
        changes.get("prompt", prompt),
        where,
        **{name: changes.get(name) for name in _OURS},
        tags=changes.get("tags") or (),
        omit=changes.get("omit") or (),
        force=bool(changes.get("force")),
        quiet=bool(changes.get("quiet")),
        fields={name: value for name, value in changes.items() if name not in _APART},
    )


def _where(record: Record, new: Options, changes: Mapping[str, Any], settings: Settings) -> Where:
    """Whom to ask: who was asked then, unless a provider or an address is changed.

    A store may be somebody else's: an address that only a record names has no claim to what this person keeps secret.
    """
    model = new.where.model if "model" in changes else record.model
    if new.where.provider or new.where.base_url:
        return replace(new.where, model=model)
    named, address = None if record.provider == CUSTOM else record.provider, record.call.base_url
    if (new.mode or settings.mode) == "replay":
        return Where(provider=named, base_url=address, model=model)
    for here in (Where(), Where(provider=named)):
        if _leads_to(here, record, settings):
            return replace(here, model=model)
    if named is None:
        return Where(base_url=address, model=model, is_recorded=True)
    message = f"{record.id} went to {named} at {address}, which is not its address here. Nothing was sent."
    raise KeyMisdirected(message, f"ig.rerun(id, base_url={address!r}) asks there.")


def _by_name(record: Record, settings: Settings) -> Where:
    """Whom the record was asked of: the provider by its name, with the address where the name alone leads elsewhere."""
    named = Where(provider=None if record.provider == CUSTOM else record.provider, model=record.model)
    if named.provider is not None and _leads_to(named, record, settings):
        return named
    return replace(named, base_url=record.call.base_url, is_recorded=not _leads_to(Where(), record, settings))


def _leads_to(here: Where, record: Record, settings: Settings) -> bool:
    """Whether what is set on this machine leads to whom the record was asked of."""
    try:
        found = destination(here, settings)
    except SettingsError:
        return False
    return (found.provider.name, found.base_url) == (record.provider, record.call.base_url)


def _fields(record: Record, new: Options, changes: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    old = {name: json_text(value) for name, value in record.chosen.items() if _is_field(name, record)}
    kept = {name: value for name, value in old.items() if name not in changes}
    return tuple((kept | dict(new.fields)).items())


def _is_field(name: str, record: Record) -> bool:
    """Whether it is a field of the body; a picture that a server fetched by itself is one, and has no file here."""
    return name not in _NAMED_APART or (name in ("image", "mask") and not record.call.inputs)
