"""Keys are in no export: neither in a license, nor in a notebook that is handed over with its pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from ..errors import KeyInCell, OptionError
from ..keys import held, looks_like_key, scrub_bytes
from ..prepare import refuse_keys
from . import portable

_LONG: Final = 12
"""Letters from which a key is no word that a notebook could hold by chance, as it is with a prompt."""


def license_of(stated: str | None) -> str | None:
    """What a person says of the license, as every form can hold it. Raises KeyInCell, and OptionError for no text."""
    if stated is None:
        return None
    if not isinstance(stated, str):
        message = f"A license is a text, and not {stated!r:.60}."
        raise OptionError(message, 'For example license="CC-BY-4.0".')
    if looks_like_key(stated):
        raise KeyInCell("The license looks like a key: it would be in what is handed over. Nothing was exported.")
    refuse_keys((stated,), held(os.environ))
    return portable.clean(stated)


def holds_key(notebook: bytes) -> bool:
    """Whether a key that is set, in any spelling, or what looks like a key is in the file of a notebook."""
    keys = [key for key in held(os.environ) if len(key.reveal()) >= _LONG]
    return any(scrub_bytes(notebook, key) != notebook for key in keys) or any(map(looks_like_key, _texts(notebook)))


def _texts(notebook: bytes) -> Iterator[str]:
    """The file, and each text in it as it is read: the `n` of an escaped line end would hide where a key begins."""
    yield notebook.decode("utf-8", "replace")
    try:
        yield from _told(json.loads(notebook))
    except (ValueError, RecursionError):  # no JSON, or nested too deeply to be walked
        return


def _told(value: Any) -> Iterator[str]:  # noqa: ANN401  (any JSON value)
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _told(item)
        case dict():
            for name, item in value.items():
                yield from (name, *_told(item))
