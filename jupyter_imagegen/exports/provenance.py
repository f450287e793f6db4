"""A study as the entities of a Process Run Crate: one CreateAction for each call, between what it used and gave. Pure.

Entities are JSON-LD objects that name each other by `@id`. Ids are made here, of quoted parts; what a person or a
server wrote stands in values only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from ..mismatch import mismatch
from ..records import Record
from ..result import Picture
from . import portable
from .copies import Copies, Copy, named
from .prose import count, sentences, was
from .snapshots import dated
from .study import Study

PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
CONTEXT: Final = "https://w3id.org/ro/terms/workflow-run/context"
"""Beside RO-Crate's own: it defines `sha256`."""
PACKAGE: Final = "jupyter-imagegen"

Entity = dict[str, Any]

_SCHEMA: Final = "http://schema.org/"
_MIMES: Final = MappingProxyType(
    {name: f"image/{name}" for name in ("png", "jpeg", "webp", "gif", "avif", "bmp", "tiff")} | {"svg": "image/svg+xml"}
)
_UNSTATED: Final = "No license was stated when this crate was made."


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a crate is made of: the study, its copies, further files; `made_with` has names and versions, ours first."""

    study: Study
    copies: Copies
    notebook: Copy | None
    segment: Copy
    made_with: tuple[tuple[str, str], ...]


def root(parts: Parts) -> Entity:
    """What is said of the crate as a whole; its `@id` is its own."""
    study = parts.study
    return {
        "name": portable.clean(study.title),
        "description": sentences(_described(parts)),
        "datePublished": _time(study.made_at),
        "license": _ref(*_license(study)) if _license(study) else portable.clean(study.license or _UNSTATED),
        "conformsTo": {"@id": PROFILE},
        "mentions": [_ref(_application(*parts.made_with[0])), *({"@id": _call(each.id)} for each in study.records)],
    }


def _described(parts: Parts) -> Iterator[str]:
    """What is in the crate; where pictures are not, also how many came, so that a call is not taken for less."""
    study = parts.study
    came = sum(len(record.images) for record in study.records if not record.is_forgotten)
    pictures = sum(not parts.copies[named(picture.kept)].remark for picture in study.pictures())
    held = f"{count(len(study.records), 'call')} to image models, with {count(pictures, 'picture')}"
    yield f"{held}{_sent(parts)}: what was asked, what came, and what did not."
    yield f"These calls gave {count(came, 'picture')}." if pictures < came else ""
    yield study.selection()
    yield "The folder can be read as a store of jupyter-imagegen."
    yield parts.notebook.remark if parts.notebook is not None else ""


def _sent(parts: Parts) -> str:
    """The files of reference pictures and masks, each once; they are not among the pictures that came."""
    inputs = (given for record in parts.study.records if not record.is_forgotten for given in record.call.inputs)
    number = sum(not parts.copies[name].remark for name in {named(given) for given in inputs})
    return f" and {count(number, 'file')} that {was(number)} sent" if number else ""


def entities(parts: Parts) -> tuple[Entity, ...]:
    """All entities but those of the crate itself and its own two files, each `@id` once."""
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    whole = _Whole(
        parts=parts,
        calls=frozenset(record.id for record in parts.study.records),
        origins=MappingProxyType(dict(_origins(parts))),
        software=tuple(_application(name, version) for name, version in parts.made_with[1:]),
    )
    calls = (_of(record, whole) for record in parts.study.records)
    maker = _package(parts.made_with[0][1], whole)
    found = chain((profile, maker, *_license(parts.study), *_files(parts), *whole.software), *calls)
    once: dict[str, Entity] = {}
    for entity in found:
        once.setdefault(entity["@id"], entity)
    return tuple(once.values())


def is_file(entity: Entity) -> bool:
    """Whether an entity is a file of the crate."""
    return "File" in entity["@type"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """What the entities of one call need of all of them: the ids, and which picture has which digest."""

    parts: Parts
    calls: frozenset[str]
    origins: Mapping[str, str]
    software: tuple[Entity, ...]


def _origins(parts: Parts) -> Iterator[tuple[str, str]]:
    for picture in parts.study.pictures():
        copy = parts.copies[named(picture.kept)]
        if not copy.remark:
            yield picture.sha256, copy.path


def _of(record: Record, whole: _Whole) -> Iterator[Entity]:
    """One call: the action, and everything that it names."""
    tools = (_model(record), _package(record.version, whole))
    used = () if record.is_forgotten else (*_asked(record), *_references(record, whole))
    gave = () if record.is_forgotten else tuple(_pictures(record, whole.parts))
    said = tuple(_values(_call(record.id), _measures(record)))
    yield _given(
        **_action(record, whole),
        instrument=_refs(tools),
        object=_refs(used),
        result=_refs(first for first, *_ in gave),
        additionalProperty=_refs(said),
    )
    yield from chain(tools, used, said, *gave)


def _action(record: Record, whole: _Whole) -> Entity:
    """What is said of a call in words. Where pictures came and then something failed, it is completed all the same."""
    error = record.error and portable.clean(portable.sentence(record.error, whole.parts.study.store))
    is_ok = record.status == "ok"
    return {
        "@id": _call(record.id),
        "@type": "CreateAction",
        "name": portable.clean(f"{record.model or 'The default model'} ({record.provider}), {record.call.at}"),
        "description": " ".join(_told(record)) + (f" Then: {error}" if is_ok and error else ""),
        "startTime": _moment(record.call.at),
        "endTime": _moment(record.end.at) if record.end is not None else None,
        "actionStatus": _SCHEMA + _STATUSES.get(record.status, "FailedActionStatus"),
        "error": error if not is_ok else None,
        "isBasedOn": {"@id": _call(record.parent_id)} if record.parent_id in whole.calls else None,
        "keywords": portable.clean(", ".join(record.tags)),
    }


_STATUSES: Final = MappingProxyType({"ok": "CompletedActionStatus", "running": "ActiveActionStatus"})


def _told(record: Record) -> Iterator[str]:
    if record.is_forgotten:
        yield "The words and pictures of this call were removed."
    yield f"{len(record.images)} of {count(record.call.n, 'picture')} came. Status: {record.status}."


def _asked(record: Record) -> Iterator[Entity]:
    """The prompt and what was sent beside it, as it was sent; a person is named in the journal alone."""
    yield from _values(_call(record.id), {"prompt": record.prompt, **portable.fields(record.params)})


def _references(record: Record, whole: _Whole) -> Iterator[Entity]:
    """The pictures that were sent; one that a call of this study gave says so, which links the two calls."""
    for place, given in enumerate(record.call.inputs):
        copy = whole.parts.copies[named(given)]
        origin = whole.origins.get(given.sha256)
        yield _given(
            **_file(copy, given.format, f"{_call(record.id)}-input-{place}"),
            name=portable.clean(PureWindowsPath(given.name).name) or copy.path,
            description=f"{copy.remark} Sent as {portable.clean(given.role)}.".strip(),
            isBasedOn={"@id": quote(origin)} if origin is not None else None,
        )


def _pictures(record: Record, parts: Parts) -> Iterator[tuple[Entity, ...]]:
    return (_picture(picture, parts) for picture in parts.study.pictures_of(record))


def _picture(picture: Picture, parts: Parts) -> tuple[Entity, ...]:
    """One picture that came, and behind it the values that it names."""
    record, kept = picture.record, picture.kept
    copy = parts.copies[named(kept)]
    owner = f"{_call(record.id)}-picture-{kept.index}"
    said = tuple(_values(owner, _remarks(picture, copy)))
    changed = (
        f" Words were written into this copy: {', '.join(parts.study.embed)}." if copy.sha256 != kept.sha256 else ""
    )
    entity = _given(
        **_file(copy, kept.format, owner),
        name=copy.path.rpartition("/")[2],
        description=f"{copy.remark} {portable.clean(record.prompt)}".strip() + changed,
        width=kept.width,
        height=kept.height,
        keywords=portable.clean(", ".join(record.tags_of(kept.index))),
        additionalProperty=_refs(said),
    )
    return entity, *said


def _remarks(picture: Picture, copy: Copy) -> dict[str, object]:
    record, kept = picture.record, picture.kept
    return {
        "revised_prompt": kept.revised_prompt,
        "mismatch": mismatch(record, kept),
        "rating": record.rating_of(kept.index),
        "note": record.note_of(kept.index),
        "sha256 as received": kept.sha256 if copy.sha256 != kept.sha256 else None,
    }


def _file(copy: Copy, format: str, owner: str) -> Entity:  # noqa: A002  (as Picture says it)
    """What every picture says of its file; one that is not there is a work without a file, named after its owner."""
    return {
        "@id": owner if copy.remark else quote(copy.path),
        "@type": "CreativeWork" if copy.remark else ["File", "ImageObject"],
        "encodingFormat": _MIMES.get(format, "application/octet-stream"),
        "contentSize": str(copy.size),
        "sha256": portable.clean(copy.sha256),
    }


def _measures(record: Record) -> dict[str, object]:
    """What is known of a call beside what was asked and what came."""
    call, end = record.call, record.end
    return {
        "notebook": portable.notebook(call.notebook) if call.notebook else None,
        "cell_id": call.cell_id,
        "execution_count": call.execution_count,
        "request_hash": call.request_hash,
        "parent_id": record.parent_id,
        "note": record.note,
        "rating": record.rating,
        "cost_usd": record.cost_usd,
        "cost_source": end and end.cost_source,
        "request_id": end and end.request_id,
        "error_code": end and end.error_code,
        "latency_s": end and end.latency_s,
        "attempts": end and end.attempts,
        "usage": record.usage,
    }


def _model(record: Record) -> Entity:
    """The model as it was asked: at an address, which is kept, as it is where the pictures come from."""
    address = quote(portable.clean(portable.address(record.call.base_url)), safe="%/:@!$&'()*+,;=~[]")
    name = record.model or "the default model"
    is_address = re.match(r"https?://", address) is not None
    return _given(
        **{
            "@id": f"{address}/models/{quote(name, safe='')}" if is_address else f"#model-{quote(name, safe='')}",
            "@type": "SoftwareApplication",
        },
        name=portable.clean(name),
        description=f"An image model, asked as {portable.clean(record.provider)}.",
        url=address if is_address else None,
        softwareVersion=dated(record.model),
    )


def _package(version: str | None, whole: _Whole) -> Entity:
    """The package as it made a call. What it ran on is known for the version that makes the crate alone."""
    is_this = (PACKAGE, version) == whole.parts.made_with[0]
    return _given(
        **_application(PACKAGE, version or ""),
        softwareRequirements=_refs(whole.software) if is_this else None,
    )


def _application(name: str, version: str) -> Entity:
    kind = "generic" if name == "python" else "pypi"
    return {
        "@id": f"pkg:{kind}/{name}" + (f"@{quote(version, safe='')}" if version else ""),
        "@type": "SoftwareApplication",
        "name": name,
        "softwareVersion": portable.clean(version) or "unknown",
    }


def _files(parts: Parts) -> Iterator[Entity]:
    yield _given(
        **_file(parts.segment, "", ""),
        name="Journal",
        description="Every call of this crate, one JSON object a line, as jupyter-imagegen reads and writes them.",
    ) | {"@type": "File", "encodingFormat": "application/x-ndjson"}
    if parts.notebook is not None and not parts.notebook.remark:
        entity = _file(parts.notebook, "", "") | {"@type": "File", "encodingFormat": "application/x-ipynb+json"}
        yield entity | {"name": portable.clean(parts.notebook.path.rpartition("/")[2]), "description": "The notebook."}


def _license(study: Study) -> tuple[Entity, ...]:
    """The license as an entity of its own, where it is an address or an SPDX identifier and no sentence."""
    stated = study.license or ""
    if _SPDX.fullmatch(stated):
        stated = f"https://spdx.org/licenses/{stated}"
    if not _ADDRESS.fullmatch(stated):
        return ()
    name = stated.rstrip("/").rpartition("/")[2]
    return ({"@id": stated, "@type": "CreativeWork", "name": name, "description": f"The license {name}."},)


_SPDX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9%/:@!$&'()*+,;=~._?#-]*)?")


def _values(owner: str, pairs: Mapping[str, object]) -> Iterator[Entity]:
    """A PropertyValue for each pair that has a value; lists and objects are JSON in a text."""
    for name, value in pairs.items():
        if value is not None and value != "":
            plain = value if isinstance(value, bool | int | float) else portable.clean(_as_text(value))
            identifier = f"{owner}-{quote(name, safe='')}"
            yield {"@id": identifier, "@type": "PropertyValue", "name": portable.clean(name), "value": plain}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _call(identifier: str) -> str:
    return f"#call-{quote(identifier, safe='')}"


def _given(**properties: Any) -> Entity:  # noqa: ANN401  (any JSON value)
    """The properties that say something."""
    return {name: value for name, value in properties.items() if value is not None and value not in ("", [])}


def _refs(named: Iterable[Entity]) -> list[Entity] | Entity:
    """How an entity names others; one alone stands without a list, as RO-Crate recommends."""
    found = [_ref(entity) for entity in named]
    return found[0] if len(found) == 1 else found


def _ref(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _moment(at: str) -> str | None:
    """A time of the journal; None where another hand wrote something else, or one beyond the calendar in UTC."""
    try:
        return _time(datetime.fromisoformat(at))
    except (ValueError, OverflowError):
        return None


def _time(at: datetime) -> str:
    """ISO 8601 with milliseconds and the offset in digits, as the profile wants it."""
    whole = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return whole.astimezone(UTC).isoformat(timespec="milliseconds")
