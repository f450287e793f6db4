"""Providers and models as data: the TOML files beside this one, each row with its source and date.

A person's own rows, in an `imagegen.toml`, have the same form and are laid over these. docs/providers.md describes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..errors import SettingsError
from ..nearest import did_you_mean

CUSTOM: Final = "custom"

Row = Mapping[str, Any]
"""A table of a TOML file as it stands there."""

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_RowClass = TypeVar("_RowClass", "Model", "Provider")


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
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    """The values of a field, all of them; sizes that the size rule allows come on top."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=lambda: _NONE)
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
    defaults: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    """Fields that are sent although nobody asked, because the answer needs them."""
    unsaid: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    """What the model takes for a field that is not sent, as documented; it decides the price."""
    prices: tuple[Mapping[str, Any], ...] = ()
    """`{usd, most_pixels (if it has one), and each field with what it must have}`: dollars for one picture.

    The first row that holds decides, and one without `usd` says that the price is not published.
    """
    tokens: TokenPrices | None = None
    grid: Mapping[str, int] = field(default_factory=lambda: _NONE)
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
    query: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Sent behind the `?` of every address."""
    defaults: Mapping[str, Any] = field(default_factory=lambda: _NONE)
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
_FLAGS: Final = frozenset(
    each.name for kind in (Model, Provider) for each in fields(kind) if str(each.type).startswith("bool")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The rows of one source; `is_trusted` says whether it may decide where a key goes."""

    origin: str
    is_trusted: bool
    providers: Mapping[str, Row] = field(default_factory=lambda: _NONE)
    models: tuple[Row, ...] = ()
    provider: str | None = None
    """The provider that is asked where nothing else names one."""
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows, in layers: what stands in a later one replaces, key by key, what stands in an earlier one."""

    layers: tuple[Layer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The providers, in the order of the files."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.providers))

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every provider."""
        return tuple(self.provider(name) for name in self.names)

    def provider(self, name: str) -> Provider:
        """The row of a provider. Raises SettingsError with the nearest name when there is none."""
        found = [layer for layer in self.layers if name in layer.providers]
        if not found:
            message = f"There is no provider {name!r}.{did_you_mean(name, self.names)}"
            raise SettingsError(message, f"Known: {', '.join(self.names)}. For any other endpoint give --base-url.")
        merged = _merged(layer.providers[name] for layer in found)
        trusted = _merged(layer.providers[name] for layer in found if layer.is_trusted)
        own = {key: value for key, value in merged.items() if key != "models"}
        return _row(Provider, {**own, "name": name, "home": trusted.get("base_url", "")}, found[-1].origin)

    def model(self, provider: Provider, name: str | None) -> Model:
        """What is known of a model: its own row, with what its provider documents to be different laid over it."""
        if name is None:
            return Model(name="")
        lists = [layer.models for layer in self.layers]
        lists += [tuple(layer.providers.get(provider.name, _NONE).get("models", ())) for layer in self.layers]
        found = [row for rows in lists if (row := _first(rows, name)) is not None]
        return _row(Model, {**_merged(found), "name": name}, provider.name)

    @property
    def rows(self) -> Iterator[tuple[str | None, Model]]:
        """Every row of a model as it is written, with the provider whose own it is (None: any)."""
        for layer in self.layers:
            for row in layer.models:
                yield None, _row(Model, _merged((row,)), layer.origin)
            for name, own in layer.providers.items():
                for row in own.get("models", ()):
                    yield name, replace(self.model(self.provider(name), row["name"]), also=tuple(row.get("also", ())))


def over(below: Catalogue, text: str, origin: str, *, is_trusted: bool) -> Catalogue:
    """The catalogue with the rows of one more file laid over it. Raises SettingsError for a file that has no such form.

    A file that is not trusted may name providers and addresses, and no key goes there because of it.
    """
    import tomllib  # noqa: PLC0415  (loading the extension reads no file)

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{origin} is no TOML: {error}."
        raise SettingsError(message) from None
    layer = _layer(table, origin, is_trusted=is_trusted)
    made = Catalogue((*below.layers, layer))
    for name in layer.providers:
        _refuse_foreign_variable(made.provider(name), layer)
    list(made.rows)  # a row that cannot be read is said now, not by the call that needs it
    return made


@cache
def load() -> Catalogue:
    """The rows of this package, read once."""
    import tomllib  # noqa: PLC0415  (loading the extension reads no file)

    tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in _toml_files()]
    whole = {
        "providers": {name: row for table in tables for name, row in table.get("providers", {}).items()},
        "models": [row for table in tables for row in table.get("models", ())],
    }
    return Catalogue((_layer(whole, "the catalogue", is_trusted=True),))


def _toml_files() -> list[Any]:
    return sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )


def _layer(table: dict[str, Any], origin: str, *, is_trusted: bool) -> Layer:
    unknown = next((key for key in table if key not in ("providers", "models", "provider", "model")), None)
    providers, models = table.get("providers", {}), table.get("models", [])
    if unknown is not None:
        message = f"{origin} has {unknown!r}, which means nothing there."
        raise SettingsError(message, "It may have provider, model, [providers.NAME] and [[models]].")
    is_list = isinstance(providers, dict) and isinstance(models, list)
    if not is_list or not all(isinstance(row, dict) for row in (*providers.values(), *models)):
        message = f"{origin} has no tables where [providers.NAME] or [[models]] should be."
        raise SettingsError(message)
    own = [row.get("models", []) for row in providers.values()]
    if not all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in own):
        message = f"{origin}: the models of a provider are [[providers.NAME.models]]."
        raise SettingsError(message)
    for row in chain(models, *own):
        _refuse_no_name(row, origin)
    for key in ("provider", "model"):
        if not isinstance(table.get(key, ""), str):
            message = f"{origin}: {key} is a name in quotes."
            raise SettingsError(message)
    return Layer(
        origin=origin,
        is_trusted=is_trusted,
        providers=MappingProxyType(providers),
        models=tuple(models),
        provider=table.get("provider"),
        model=table.get("model"),
    )


def _first(rows: tuple[Row, ...], name: str) -> Row | None:
    """The first row that is for a name: by its own name or pattern, or by one of its others."""
    for row in rows:
        if any(fnmatchcase(name, pattern) for pattern in (row.get("name", ""), *row.get("also", ()))):
            return row
    return None


def _merged(rows: Iterable[Row]) -> dict[str, Any]:
    """The rows laid over each other; tables in them, such as `takes`, key by key.

    `false` takes away what an earlier row has, where that is not itself a yes or no.
    """
    whole: dict[str, Any] = {}
    for row in rows:
        for key, value in row.items():
            before = whole.get(key)
            whole[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return {key: value for key, value in whole.items() if value is not False or key in _FLAGS}


def _row(kind: type[_RowClass], row: Row, origin: str) -> _RowClass:
    """A row of a file as a frozen value. Raises SettingsError for a key or a value that has no place in it."""
    import msgspec  # noqa: PLC0415  (loading the extension reads no row)

    _refuse_unknown(row, kind, f"{origin}: {row.get('name', '')!r}")
    for key, part in _PARTS.items():
        if isinstance(row.get(key), dict):
            _refuse_unknown(row[key], part, f"{origin}: {key} of {row.get('name', '')!r}")
    try:
        made = msgspec.convert(dict(row), kind)
    except msgspec.ValidationError as error:
        message = f"{origin}: {row.get('name', '')!r}: {error}."
        raise SettingsError(message) from None
    if isinstance(made, Model):
        _refuse_odd_tables(made, origin)
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
        if key not in known:
            message = f"{place} has {key!r}.{did_you_mean(key, known)}"
            raise SettingsError(message, f"It may have {', '.join(known)}.")


def _refuse_no_name(row: Row, origin: str) -> None:
    names = [row.get("name"), *(also if isinstance(also := row.get("also", []), list) else [None])]
    if not all(isinstance(name, str) for name in names):
        message = f"{origin} has a model without a name."
        raise SettingsError(message, "Its `name` is a text, and `also` a list of more of them; * stands for anything.")


def _refuse_odd_tables(model: Model, origin: str) -> None:
    numbers = [price.get(key, 0) for price in model.prices for key in ("usd", "most_pixels")]
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        message = f"{origin}: prices of {model.name!r}: usd and most_pixels are numbers from 0."
        raise SettingsError(message)
    if not all(isinstance(need.get("field"), str) for need in model.needs):
        message = f"{origin}: needs of {model.name!r}: each row has a `field`."
        raise SettingsError(message)


def _refuse_foreign_variable(provider: Provider, layer: Layer) -> None:
    """A file that came with a notebook may not choose a variable of another house for its own provider."""
    named = layer.providers[provider.name].get("key_env", "")
    if not layer.is_trusted and named and not str(named).startswith(f"{provider.variable_prefix}_"):
        message = f"{layer.origin}: the key variable of {provider.name} must begin with {provider.variable_prefix}_."
        raise SettingsError(message, "Only your own imagegen.toml, in Jupyter's config folder, may name another one.")
