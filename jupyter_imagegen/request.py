"""Options × endpoint -> the requests that are sent: complete, canonical, fanned out, fingerprinted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .endpoint import Endpoint
from .options import Options

FINGERPRINT: Final = "r1"
"""The form that a fingerprint is taken over; a change of form takes another prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One POST: its body as canonical JSON, how many pictures it asks for, and the place of the first one."""

    url: str
    body: str
    n: int
    first_index: int
    fingerprint: str

    @property
    def fields(self) -> dict[str, Any]:
        """The body, decoded anew."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    @property
    def params(self) -> dict[str, Any]:
        """What is sent beside the prompt."""
        return {name: value for name, value in self.fields.items() if name != "prompt"}


def build(options: Options, endpoint: Endpoint) -> tuple[ImageRequest, ...]:
    """One request, or as many as the model needs for the pictures that were asked for.

    Only what was asked is sent. Where a seed was given and several calls are needed, each call counts on from
    the pictures before it: the same seed again would be paid for and give the same picture.
    """
    asked = {name: json.loads(value) for name, value in options.fields}
    return tuple(
        _request(options, endpoint, _counted_on(asked, first), share, first)
        for first, share in _shares(options.n or 1, endpoint.model.max_n)
    )


def fingerprint(fields: Mapping[str, Any]) -> str:
    """`r1:` and the sha256 of the body as canonical JSON: keys sorted, no blanks, UTF-8. No key, no address."""
    return f"{FINGERPRINT}:{hashlib.sha256(_canonical(fields).encode()).hexdigest()}"


def _shares(n: int, most: int | None) -> Iterator[tuple[int, int]]:
    """Where each call begins and how many pictures it asks for."""
    step = most or n
    for first in range(0, n, step):
        yield first, min(step, n - first)


def _counted_on(asked: dict[str, Any], first: int) -> dict[str, Any]:
    seed = asked.get("seed")
    return {**asked, "seed": seed + first} if isinstance(seed, int) and first else asked


def _request(options: Options, endpoint: Endpoint, asked: dict[str, Any], share: int, first: int) -> ImageRequest:
    own = {"model": endpoint.model.name or None, "prompt": options.prompt, "n": share if options.n else None}
    fields = {name: value for name, value in own.items() if value is not None} | asked
    sent = {name: value for name, value in fields.items() if name not in options.omit}
    return ImageRequest(
        url=endpoint.url,
        body=_canonical(sent),
        n=share,
        first_index=first,
        fingerprint=fingerprint(sent),
    )


def _canonical(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
