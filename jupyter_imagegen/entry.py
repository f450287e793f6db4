"""The line of a call that is about to be made: what was asked, of whom, from where."""

from __future__ import annotations

from pathlib import Path

import msgspec

from .ask import Ask
from .blobs import input_path
from .journal import NOTHING, Called, Input, new_id, now
from .references import Reference
from .request import ImageRequest


def called(ask: Ask, request: ImageRequest) -> Called:
    """The line of one call of an ask, with an id that is new."""
    options = ask.options
    return Called(
        id=new_id(),
        at=now(),
        n=request.n,
        params=msgspec.Raw(msgspec.json.encode(request.params)),
        provider=ask.endpoint.provider.name,
        base_url=ask.endpoint.base_url,
        request_hash=request.fingerprint,
        prompt=options.prompt,
        model=ask.endpoint.model.name or None,
        template=options.template,
        variables=msgspec.Raw(msgspec.json.encode(dict(options.variables))) if options.variables else NOTHING,
        notebook=ask.place.notebook,
        cell_id=ask.place.cell_id,
        execution_count=ask.place.execution_count,
        parent_id=options.parent_id,
        asked=_asked(request),
        defaults=request.defaults,
        omit=request.omit,
        inputs=tuple(_input(role, reference) for role, reference in request.references),
        tags=options.tags,
        note=options.note,
    )


def _asked(request: ImageRequest) -> msgspec.Raw:
    """The request in the words of OpenAI's API, where its dialect has others."""
    wanted = {name: value for name, value in request.wanted.items() if name != "prompt"}
    return NOTHING if wanted == request.params else msgspec.Raw(msgspec.json.encode(wanted))


def _input(role: str, reference: Reference) -> Input:
    image = reference.image
    return Input(
        role=role,
        path=input_path(image, words(role, reference)),
        sha256=image.sha256,
        bytes=len(image.data),
        format=image.format,
        name=reference.name,
    )


def words(role: str, reference: Reference) -> str:
    """From what the file of a reference picture gets its name."""
    return f"{role}-{Path(reference.name).stem}"
