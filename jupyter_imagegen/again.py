"""A record and what is to be changed -> the Options that ask for it again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from .catalogue import CUSTOM
from .difference import differences
from .endpoint import normalised
from .errors import KeyMisdirected, OptionError
from .journal import Input
from .options import Options, from_call
from .records import Record
from .settings import Settings, Where, given
from .switches import json_text

_OURS: Final = ("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")
_NAMED_APART: Final = frozenset({"model", "n", "image", "mask"})


def again(record: Record, changes: Mapping[str, Any], settings: Settings) -> Options:
    """What was asked then, with these changes; a keyword is as in `generate`, and None takes it away.

    Raises OptionError for a forgotten call and for what `generate` would not take, KeyMisdirected where a key would go
    to an address that only the record names.
    """
    if record.is_forgotten:
        message = f"What {record.id} asked for was forgotten."
        raise OptionError(message, "Its pictures and words are gone for good.")
    old, new = _as_it_was(record, settings.store), _as_changed(changes, record.prompt)
    where = _where(old.where, new.where)
    if (new.mode or settings.mode) != "replay":
        _refuse_misdirection(where, changes, settings)
    is_same_prompt = "prompt" not in changes
    return replace(
        new,
        template=old.template if is_same_prompt else None,
        variables=old.variables if is_same_prompt else (),
        where=where,
        n=new.n if "n" in changes else old.n,
        fields=_fields(old, new, changes),
        images=new.images if "image" in changes else old.images,
        mask=new.mask if "mask" in changes else old.mask,
        omit=new.omit if "omit" in changes else old.omit,
        parent_id=record.id,
    )


def said_again(before: Record, after: Record) -> tuple[str, ...]:
    """That one call asked another one again, and a line for each thing that it asked otherwise."""
    changed = differences(_all(before), _all(after))
    return (f"{before.id} asked again, {'as it was' if not changed else 'with'}", *changed)


def _all(record: Record) -> dict[str, Any]:
    whom = {"provider": record.provider, "address": record.call.base_url}
    return {"prompt": record.prompt, **record.chosen, **whom}


def _as_it_was(record: Record, store: Path) -> Options:
    pictures, masks = (tuple(_paths(record.call.inputs, role, store)) for role in ("image", "mask"))
    is_custom = record.provider == CUSTOM
    whom = Where(base_url=record.call.base_url) if is_custom else Where(provider=record.provider)
    return Options(
        prompt=record.prompt,
        template=record.call.template,
        variables=tuple((record.variables or {}).items()),
        where=replace(whom, model=record.model),
        n=record.chosen.get("n"),
        fields=tuple((name, json_text(value)) for name, value in record.chosen.items() if _is_field(name, record)),
        images=pictures,
        mask=masks[0] if masks else None,
        omit=record.call.omit,
    )


def _is_field(name: str, record: Record) -> bool:
    """Whether it is a field of the body; a picture that a server fetched by itself is one, and has no file here."""
    return name not in _NAMED_APART or (name in ("image", "mask") and not record.call.inputs)


def _paths(inputs: tuple[Input, ...], role: str, store: Path) -> Iterator[str]:
    return (str(store / each.path) for each in inputs if each.role == role)


def _as_changed(changes: Mapping[str, Any], prompt: str) -> Options:
    """The changes alone, read as the arguments of a call are."""
    where = Where(**{name: changes.get(name) for name in ("provider", "base_url", "model")})
    apart = {"prompt", "provider", "base_url", "model", "tags", "omit", "force", "quiet", *_OURS}
    return from_call(
        changes.get("prompt", prompt),
        where,
        **{name: changes.get(name) for name in _OURS},
        tags=changes.get("tags", ()),
        omit=changes.get("omit", ()),
        force=changes.get("force", False),
        quiet=changes.get("quiet", False),
        fields={name: value for name, value in changes.items() if name not in apart},
    )


def _where(old: Where, new: Where) -> Where:
    """Whom to ask: a provider or an address that is changed takes the place of both."""
    whom = new if new.provider or new.base_url else old
    return replace(whom, model=new.model or old.model)


def _fields(old: Options, new: Options, changes: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kept = {name: value for name, value in old.fields if name not in changes}
    return tuple((kept | dict(new.fields)).items())


def _refuse_misdirection(where: Where, changes: Mapping[str, Any], settings: Settings) -> None:
    """A store may be somebody else's: an address in it has no claim to this person's key."""
    if where.base_url is None or "base_url" in changes or not given(os.environ.get("IMAGEGEN_API_KEY")):
        return
    own = (level.base_url for level in (settings.traits, settings.environment))
    if any(url is not None and normalised(url) == normalised(where.base_url) for url in own):
        return
    message = f"Only the record says {where.base_url}, so IMAGEGEN_API_KEY is not sent there. Nothing was sent."
    raise KeyMisdirected(message, f"Where it is yours: ig.rerun(id, base_url={where.base_url!r}).")
