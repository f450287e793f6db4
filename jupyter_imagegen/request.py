"""Options × endpoint -> the requests that are sent: complete, checked, spelt in their dialect, fanned out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from . import dialects
from .dialects import Dialect, Spelling, Wanted
from .dialects.seedream import series
from .endpoint import Endpoint
from .errors import OptionError
from .limits import refuse
from .multipart import encode
from .options import Options
from .references import Reference

FINGERPRINT: Final = "r1"
"""The form that a fingerprint is taken over; a change of form takes another prefix."""

MANNERS: Final = frozenset({"stream", "partial_images"})
"""How the answer comes, not what is asked for: a request with previews is the same request."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One POST: its exact bytes, how many pictures it asks for, and the place of the first one.

    `body` is what can be shown and recorded of it: canonical JSON with the digest of each reference picture in its
    place. `asked` is the same request before its dialect, in the words of OpenAI's API.
    """

    url: str
    content_type: str
    content: bytes = field(repr=False)
    body: str
    asked: str
    n: int
    first_index: int
    fingerprint: str
    defaults: tuple[str, ...] = ()
    """The fields of `asked` that nobody asked for: the catalogue adds them, and no fingerprint is of them."""
    omit: tuple[str, ...] = ()
    """What was to be left out."""
    references: tuple[tuple[str, Reference], ...] = field(default=(), repr=False)
    """Each reference picture, with `image` or `mask`."""

    @property
    def fields(self) -> dict[str, Any]:
        """The body, decoded anew."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    @property
    def params(self) -> dict[str, Any]:
        """What is sent beside the prompt."""
        return {name: value for name, value in self.fields.items() if name != "prompt"}

    @property
    def images(self) -> int:
        """How many reference pictures are sent; a mask is none."""
        return sum(role == "image" for role, _ in self.references)

    @property
    def is_stream(self) -> bool:
        """Whether the answer is asked for as a stream of events."""
        return self.wanted.get("stream") is True

    @property
    def chosen(self) -> dict[str, Any]:
        """The same beside the prompt, without what the catalogue adds."""
        others = {"prompt", *self.defaults}
        return {name: value for name, value in self.wanted.items() if name not in others}

    @property
    def wanted(self) -> dict[str, Any]:
        """What was asked, decoded anew, in the words of OpenAI's API."""
        decoded: dict[str, Any] = json.loads(self.asked)
        return decoded


def build(options: Options, endpoint: Endpoint, images: tuple[Reference, ...], mask: Reference | None) -> Requests:
    """One request, or as many as the model needs for the pictures that were asked for.

    Only what was asked is sent, and the defaults that the catalogue marks as needed. Where a seed was given and several
    calls are needed, each call counts on from the pictures before it: the same seed again would be paid for and give
    the same picture. Raises NotTaken for what the model is documented to refuse, unless it is forced.
    """
    if mask is not None and not images:
        message = "A mask says what may be changed in a picture, and no picture is given."
        raise OptionError(message, "Give the picture with --image.")
    asked = _asked(options)
    whole = _with_defaults(asked, options, endpoint)
    if not options.force:
        _refuse_what_is_not_taken(whole, options, endpoint, len(images), mask)
    dialect = dialects.named(endpoint.dialect)
    most = dialect.share(whole, endpoint.model.max_n)
    return tuple(
        _Call(options, endpoint, dialect, images, mask, share, first).request(asked, whole)
        for first, share in _shares(options.n or series(whole) or 1, most)
    )


Requests = tuple[ImageRequest, ...]


def fingerprint(fields: Mapping[str, Any]) -> str:
    """`r1:` and the sha256 of a request as canonical JSON: keys sorted, no blanks, UTF-8. No key, no address."""
    return f"{FINGERPRINT}:{hashlib.sha256(_canonical(fields).encode()).hexdigest()}"


def _asked(options: Options) -> dict[str, Any]:
    """The fields that were asked for. Previews need a stream; a stream that is not wanted is not even mentioned."""
    asked = {name: json.loads(value) for name, value in options.fields}
    if asked.get("partial_images") and "stream" not in asked:
        asked["stream"] = True
    if asked.get("stream") is False and asked.get("partial_images"):
        message = "--partial-images needs a stream, and --no-stream forbids one."
        raise OptionError(message)
    if isinstance(size := asked.get("size"), str):
        asked["size"] = re.sub(r"(?<=\d)[×X](?=\d)", "x", size)
    if asked.get("stream") is False:
        # Some models refuse the field whatever stands in it (Seedream Pro, read 2026-11-20).
        del asked["stream"]
    return asked


def _with_defaults(asked: Mapping[str, Any], options: Options, endpoint: Endpoint) -> dict[str, Any]:
    """What was asked, with the defaults that the provider and then the model need, without what is to be left out."""
    whole = {**endpoint.provider.defaults, **endpoint.model.defaults, **asked}
    return {name: value for name, value in whole.items() if name not in options.omit and name != "n"}


def _refuse_what_is_not_taken(
    whole: Mapping[str, Any], options: Options, endpoint: Endpoint, images: int, mask: Reference | None
) -> None:
    row, others = endpoint.model, endpoint.provider.refuses
    row = replace(row, refuses=(*row.refuses, *others)) if others else row
    refuse(whole, prompt=options.prompt, images=images, has_mask=mask is not None, model=row)


def _shares(n: int, most: int | None) -> Iterator[tuple[int, int]]:
    """Where each call begins and how many pictures it asks for."""
    step = most or n
    for first in range(0, n, step):
        yield first, min(step, n - first)


@dataclass(frozen=True, slots=True)
class _Call:
    """One of the calls of an ask, before it is spelt."""

    options: Options
    endpoint: Endpoint
    dialect: Dialect
    images: tuple[Reference, ...]
    mask: Reference | None
    share: int
    first: int

    def request(self, asked: Mapping[str, Any], whole: Mapping[str, Any]) -> ImageRequest:
        spelling = self.dialect.spell(self._wanted(_counted_on(whole, self.first)))
        if not self.options.force:
            self._refuse_what_was_spelt(spelling, whole)
        kept = {name: value for name, value in spelling.fields.items() if name not in self.options.omit}
        content_type, content = _encoded(kept, spelling)
        query = f"?{urlencode(spelling.query)}" if spelling.query else ""
        return ImageRequest(
            url=self.endpoint.base_url + spelling.path + query,
            content_type=content_type,
            content=content,
            body=_canonical(_shown(kept)),
            asked=_canonical(_shown(self._in_words(_counted_on(whole, self.first)))),
            n=self.share,
            first_index=self.first,
            fingerprint=fingerprint(self._in_words(_essence(_counted_on(asked, self.first)))),
            defaults=tuple(sorted(set(whole) - set(asked))),
            omit=self.options.omit,
            references=self._references,
        )

    def _refuse_what_was_spelt(self, spelling: Spelling, whole: Mapping[str, Any]) -> None:
        """A dialect may have made a field that the model does not take out of one that it does."""
        made = {name: value for name, value in spelling.fields.items() if name in self.endpoint.model.takes}
        new = {name: value for name, value in made.items() if name not in whole}
        if new:
            refuse(new, prompt="", images=0, has_mask=False, model=replace(self.endpoint.model, needs=()))

    def _wanted(self, fields: Mapping[str, Any]) -> Wanted:
        return Wanted(
            base_url=self.endpoint.base_url,
            query=self.endpoint.provider.query,
            model=self.endpoint.model.name,
            prompt=self.options.prompt,
            n=self._n,
            fields=fields,
            images=self.images,
            mask=self.mask,
        )

    @property
    def _n(self) -> int | None:
        """The number that is sent: where nobody named one, only a provider that needs it gets one."""
        return self.share if self.options.n or "n" in self.endpoint.provider.defaults else None

    @property
    def _references(self) -> tuple[tuple[str, Reference], ...]:
        masks = () if self.mask is None else (("mask", self.mask),)
        return (*(("image", image) for image in self.images), *masks)

    def _in_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The call as it is asked for, whatever its dialect: what a fingerprint is of."""
        own = {"model": self.endpoint.model.name or None, "prompt": self.options.prompt}
        number = {"n": self.share} if self.options.n else {}
        pictures = {"image": [_shown(image) for image in self.images]} if self.images else {}
        masks = {"mask": _shown(self.mask)} if self.mask is not None else {}
        whole = {name: value for name, value in own.items() if value is not None} | number | dict(fields)
        return {name: value for name, value in (whole | pictures | masks).items() if name not in self.options.omit}


def _counted_on(asked: Mapping[str, Any], first: int) -> Mapping[str, Any]:
    seed = asked.get("seed")
    if not first or not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:  # -1 asks for any
        return asked
    return {**asked, "seed": seed + first}


def _essence(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name not in MANNERS}


def _encoded(fields: Mapping[str, Any], spelling: Spelling) -> tuple[str, bytes]:
    if spelling.is_form:
        return encode(_parts(fields))
    return "application/json", _canonical(_inlined(fields)).encode()


def _parts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str | Reference]]:
    """The fields as parts of a form: lists as repeated parts, objects with their keys in brackets, as OpenAI has it."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _parts({f"{name}[{key}]": inner for key, inner in value.items()})
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from _parts({name if name.endswith("[]") else f"{name}[]": inner})
        elif value is not None:
            yield name, value if isinstance(value, str | Reference) else _canonical(value)


def _inlined(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """The value with each reference picture as a data URI."""
    if isinstance(value, Reference):
        return value.data_uri
    return _each(value, _inlined)


def _shown(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """The value with the digest of each reference picture in its place."""
    if isinstance(value, Reference):
        return f"sha256:{value.image.sha256}"
    return _each(value, _shown)


def _each(value: Any, change: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, Mapping):
        return {name: change(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [change(inner) for inner in value]
    return value


def _canonical(fields: Any) -> str:  # noqa: ANN401  (any JSON value)
    return _ENCODER.encode(fields)
