"""How each family of servers spells a request: one file for each dialect, chosen by its name in the catalogue.

A dialect is a file here with a `spell` function. It is given the call in the words of OpenAI's API, which are the
words of this package, and says it in its own: nothing is decided, sent or read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final, Protocol

from ..errors import NotTaken, SettingsError
from ..nearest import did_you_mean
from ..references import Reference

GENERATIONS: Final = "/images/generations"
EDITS: Final = "/images/edits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One call as it was asked for: `n` is None where nobody named a number."""

    base_url: str
    query: Mapping[str, str]
    model: str
    prompt: str
    n: int | None
    fields: Mapping[str, Any]
    images: tuple[Reference, ...]
    mask: Reference | None

    @property
    def own(self) -> dict[str, Any]:
        """Model, prompt and number, as far as there are any."""
        own = {"model": self.model or None, "prompt": self.prompt, "n": self.n}
        return {name: value for name, value in own.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The same call as it is sent: the path below the base URL, and a body of JSON or, with `is_form`, of parts.

    A reference picture stands in the fields as itself.
    """

    path: str
    fields: Mapping[str, Any]
    query: Mapping[str, str]
    is_form: bool = False


class Dialect(Protocol):
    """What the file of a dialect has."""

    def spell(self, wanted: Wanted) -> Spelling:
        """The call in this dialect. Raises NotTaken for what it has no word for."""

    def share(self, fields: Mapping[str, Any], most: int | None) -> int | None:
        """How many pictures one call may ask for, with these fields; None for any number."""


@cache
def named(name: str) -> Dialect:
    """The dialect of this name, looked up once. Raises SettingsError when there is none."""
    known = sorted(file.name.removesuffix(".py") for file in files(__name__).iterdir() if _is_dialect(file.name))
    if name not in known:
        message = f"There is no dialect {name!r}.{did_you_mean(name, known)}"
        raise SettingsError(message, f"Known: {', '.join(known)}.")
    found: Any = import_module(f".{name}", __name__)
    dialect: Dialect = found
    return dialect


def _is_dialect(file: str) -> bool:
    return file.endswith(".py") and not file.startswith("_")


def no_mask(wanted: Wanted) -> None:
    """Raises NotTaken where a mask was given to a dialect that has no word for one."""
    if wanted.mask is not None:
        message = f"{wanted.model or 'This endpoint'} takes no mask: say in the prompt what is to be changed."
        raise NotTaken(message, "Nothing was sent.")
