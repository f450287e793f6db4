"""The rows of the catalogue as frozen values, and what is refused of them when they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..errors import KeyInCell, SettingsError
from ..nearest import did_you_mean
from ..switches import is_key_name, json_text

Row = Mapping[str, Any]
"""A table of a TOML file as it stands there."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_OURS: Final = ("name", "home")
"""Parts of a provider that no file sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRule:
    """Which WxH a model takes beside the sizes that its row lists; a limit that is None is not documented."""

    multiple_of: int = 1
    least_pixels: int = 1
    most_pixels: int | None = None
    longest_edge: int | None = None
    widest_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """US dollars for a million tokens, as the vendor of the model sells them."""

    text_in: float
    image_in: float
    image_out: float
    text_out: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model is documented to take; an empty value or None means that nothing is known.

    Fields are named as in the API of OpenAI, whatever the model's own dialect calls them.
    """

    name: str
    also: tuple[str, ...] = ()
    """More patterns of names that this row is for."""
    dialect: str | None = None
    max_n: int | None = None
    """Pictures in one call."""
    prompt_chars: int | None = None
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    """The values of a field, all of them; sizes that the size rule allows come on top."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=lambda: NOTHING)
    """Lowest and highest value of a field that is a number."""
    size_rule: SizeRule | None = None
    refuses: tuple[str, ...] = ()
    """Fields whose mere presence is documented to be an error."""
    needs: tuple[Mapping[str, Any], ...] = ()
    """Fields that go together: `{field, value (any if left out), and each other field with what it must have}`.

    What it must have is one value or a list of them, and so is `value`.
    """
    images: int | None = None
    """Reference pictures in one call; 0 where none are taken."""
    mask: bool | None = None
    defaults: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Fields that are sent although nobody asked, because the answer needs them."""
    unsaid: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What the model takes for a field that is not sent, as documented; it decides the price."""
    prices: tuple[Mapping[str, Any], ...] = ()
    """`{usd, most_pixels (if it has one), and each field with what it must have}`: dollars for one picture.

    The first row that holds decides, and one without `usd` says that the price is not published.
    """
    tokens: TokenPrices | None = None
    grid: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """Patches along the long side for each quality, from which the output tokens of any size can be told."""
    partial_tokens: int = 0
    """Output tokens that each partial picture costs on top."""
    image_usd: float | None = None
    """Dollars for each reference picture; None where that is not known."""
    prices_at: tuple[str, ...] = ()
    """The providers at which the prices hold: a gateway has its own."""
    retired: str = ""
    """The day from which the vendor does not serve it, in ISO 8601; it may lie ahead."""
    successor: str = ""
    source: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where a provider is, which key it takes, and how it wants to be asked."""

    name: str
    base_url: str = ""
    """Empty where each customer has an address of their own."""
    home: str = ""
    """The base URL that its key belongs to: the catalogue's, or the one of the person's own file."""
    dialect: str | None = None
    default_model: str | None = None
    needs_key: bool = False
    embedded: bool = False
    key_env: str = ""
    key_header: str = "Authorization"
    usual_path: str = "/v1"
    """What an address without a path gets."""
    query: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Sent behind the `?` of every address."""
    defaults: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Fields that this provider documents as required, with what is sent where nobody asked."""
    refuses: tuple[str, ...] = ()
    """Fields that it refuses or fails on whatever the model."""
    source: str = ""
    date: str = ""

    @property
    def key_variable(self) -> str:
        """The environment variable of its key: `vllm-omni` becomes `VLLM_OMNI_API_KEY`."""
        return self.key_env or f"{self.variable_prefix}_API_KEY"

    @property
    def url_variable(self) -> str:
        """The environment variable that names another base URL for it."""
        return f"{self.variable_prefix}_BASE_URL"

    @property
    def variable_prefix(self) -> str:
        """Its name as environment variables spell it."""
        return self.name.upper().replace("-", "_")


_PARTS: Final[Mapping[str, type[Any]]] = MappingProxyType({"size_rule": SizeRule, "tokens": TokenPrices})
FLAGS: Final = frozenset(
    each.name for kind in (Model, Provider) for each in fields(kind) if str(each.type).startswith("bool")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The rows of one source; `is_trusted` says whether it may decide where a key goes."""

    origin: str
    is_trusted: bool
    providers: Mapping[str, Row] = field(default_factory=lambda: NOTHING)
    models: tuple[Row, ...] = ()
    provider: str | None = None
    """The provider that is asked where nothing else names one."""
    model: str | None = None


_RowClass = TypeVar("_RowClass", Model, Provider)


def row_of(kind: type[_RowClass], row: Row, origin: str) -> _RowClass:
    """A row of a file as a frozen value. Raises SettingsError for a key or a value that has no place in it."""
    import msgspec  # noqa: PLC0415  (loading the extension reads no row)

    _refuse_unknown(row, kind, f"{origin}: {row.get('name', '')!r}")
    for key, part in _PARTS.items():
        if isinstance(row.get(key), dict):
            _refuse_unknown(row[key], part, f"{origin}: {key} of {row.get('name', '')!r}")
    try:
        json_text(row.get("defaults", {}))
    except (TypeError, ValueError, RecursionError):
        message = f"{origin}: defaults of {row.get('name', '')!r} hold what JSON cannot: a date, nan or inf."
        raise SettingsError(message) from None
    try:
        made = msgspec.convert(dict(row), kind)
    except (msgspec.ValidationError, RecursionError) as error:
        message = f"{origin}: {row.get('name', '')!r}: {error}."
        raise SettingsError(message) from None
    if isinstance(made, Model):
        _refuse_odd_tables(made, origin)
    if isinstance(made, Provider):
        _refuse_odd_provider(made, origin)
    _refuse_own_words(made, origin)
    frozen: dict[str, Any] = {each.name: _frozen(getattr(made, each.name)) for each in fields(kind)}
    return replace(made, **frozen)


def _frozen(value: Any) -> Any:  # noqa: ANN401  (any value of a row)
    """The value without anything in it that could be changed."""
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _refuse_unknown(row: Row, kind: type[Any], place: str) -> None:
    """A key that is misspelt would be a limit that nobody notices is missing."""
    known = [each.name for each in fields(kind)]
    for key in row:
        if is_key_name(key) and key not in known:
            message = f"{place} has {key!r}: a key never stands in a file."
            raise KeyInCell(message, "Set it in the environment, as NAME_API_KEY, and revoke this one.")
        if key not in known:
            message = f"{place} has {key!r}.{did_you_mean(key, known)}"
            raise SettingsError(message, f"It may have {', '.join(name for name in known if name not in _OURS)}.")


def refuse_no_name(row: Row, origin: str) -> None:
    """Raises SettingsError for a row of a model that does not say of which."""
    names = [row.get("name"), *(also if isinstance(also := row.get("also", []), list) else [None])]
    if not all(isinstance(name, str) for name in names):
        message = f"{origin} has a model without a name."
        raise SettingsError(message, "Its `name` is a text, and `also` a list of more of them; * stands for anything.")


def _refuse_odd_tables(model: Model, origin: str) -> None:
    if (model.max_n is not None and model.max_n < 1) or (model.images is not None and model.images < 0):
        message = f"{origin}: max_n of {model.name!r} is at least 1, and images at least 0."
        raise SettingsError(message)
    numbers = [price.get(key, 0) for price in model.prices for key in ("usd", "most_pixels")]
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        message = f"{origin}: prices of {model.name!r}: usd and most_pixels are numbers from 0."
        raise SettingsError(message)
    if not all(isinstance(need.get("field"), str) for need in model.needs):
        message = f"{origin}: needs of {model.name!r}: each row has a `field`."
        raise SettingsError(message)


def _refuse_odd_provider(provider: Provider, origin: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", provider.key_header):
        message = f"{origin}: key_header of {provider.name!r} is the name of a header: letters, digits and -."
        raise SettingsError(message)


def _refuse_own_words(row: Provider | Model, origin: str) -> None:
    """What was typed is never replaced by what stands in a file."""
    for name in row.defaults:
        if is_key_name(name):
            message = f"{origin}: defaults of {row.name!r} have {name!r}: a key never stands in a file."
            raise KeyInCell(message)
    for name in ("prompt", "model"):
        if name in row.defaults:
            message = f"{origin}: defaults of {row.name!r} may not hold {name}."
            raise SettingsError(message)
