"""Keys: a value that never prints, and the scrubbing of texts that may echo one."""

from __future__ import annotations

import re
from typing import Final, NoReturn

SHOWN: Final = "***"
SHORTEST: Final = 6
"""Letters of a key that is looked for in texts: `x`, `none` or `EMPTY`, as servers at home are given, are words."""

# Shapes in which providers issue keys: OpenAI and most gateways (sk-…), xAI (xai-…), Hugging Face (hf_…),
# GitHub (gh?_…). A server that echoes a fragment of a key echoes it in one of these.
_SHAPES: Final = re.compile(r"\b(?:sk-|xai-|hf_|gh[pousr]_)[A-Za-z0-9_*.\-]{6,}")
_WHOLE: Final = re.compile(r"\b(?:sk-|xai-|hf_|gh[pousr]_)(?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{20,}")
_BEARER: Final = re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9_.~+/*\-]{6,}=*")


class Secret:
    """A key with the name of the variable it came from; it shows, formats and pickles as nothing."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The key itself, for the one header that carries it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({SHOWN} from {self.source})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        message = "a key is never pickled"
        raise TypeError(message)


def scrub(text: str, key: Secret | None) -> str:
    """The text without the key that was used and without anything that has the shape of a key."""
    if key is not None and len(key.reveal()) >= SHORTEST:
        text = text.replace(key.reveal(), SHOWN)
    return _BEARER.sub(rf"\1{SHOWN}", _SHAPES.sub(SHOWN, text))


def scrub_bytes(data: bytes, key: Secret | None) -> bytes:
    """The bytes without the key that was used."""
    if key is None or len(key.reveal()) < SHORTEST:
        return data
    return data.replace(key.reveal().encode(), SHOWN.encode())


def looks_like_key(text: str) -> bool:
    """Whether a word that was typed is a whole key: longer than any word that a person would write."""
    return _WHOLE.search(text) is not None
