"""Providers and models as data: the TOML files beside this one, each row with its source and date.

A person's own rows, in an `imagegen.toml`, have the same form and are laid over these. docs/providers.md describes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from ..errors import SettingsError
from ..nearest import did_you_mean
from .rows import FLAGS, NOTHING, Layer, Model, Provider, Row, SizeRule, TokenPrices, refuse_no_name, row_of

__all__ = ["CUSTOM", "Catalogue", "Layer", "Model", "Provider", "SizeRule", "TokenPrices", "load", "over"]

CUSTOM: Final = "custom"

_PRICES: Final = ("prices", "prices_at", "tokens", "grid", "partial_tokens", "image_usd", "unsaid")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All rows, in layers: what stands in a later one replaces, key by key, what stands in an earlier one.

    Each is itself alone, so that what was looked up in it is kept and not put together anew for each call.
    """

    layers: tuple[Layer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The providers, in the order of the files."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.providers))

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every provider."""
        return tuple(self.provider(name) for name in self.names)

    @lru_cache(maxsize=64)  # noqa: B019  (a catalogue is made when a file changes, and few are alive)
    def provider(self, name: str) -> Provider:
        """The row of a provider. Raises SettingsError with the nearest name when there is none."""
        found = [layer for layer in self.layers if name in layer.providers]
        if not found:
            message = f"There is no provider {name!r}.{did_you_mean(name, self.names)}"
            raise SettingsError(message, f"Known: {', '.join(self.names)}. For any other endpoint give --base-url.")
        merged = _merged(layer.providers[name] for layer in found)
        trusted = _merged(layer.providers[name] for layer in found if layer.is_trusted)
        own = {key: value for key, value in merged.items() if key != "models"}
        return row_of(Provider, {**own, "name": name, "home": trusted.get("base_url", "")}, found[-1].origin)

    def model(self, provider: Provider, name: str | None) -> Model:
        """What is known of a model: its own row, with what its provider documents to be different laid over it."""
        return self._model(provider.name, name)

    @lru_cache(maxsize=256)  # noqa: B019  (as above)
    def _model(self, provider: str, name: str | None) -> Model:
        lists = [layer.models for layer in self.layers]
        lists += [tuple(layer.providers.get(provider, NOTHING).get("models", ())) for layer in self.layers]
        # Where no model is named, what a provider says of all of them still holds.
        found = [row for rows in lists if (row := _first(rows, name or "")) is not None]
        return row_of(Model, {**_merged(found), "name": name or ""}, provider)

    @property
    def rows(self) -> Iterator[tuple[str | None, Model]]:
        """Every row of a model as it is written, with the provider whose own it is (None: any)."""
        for layer in self.layers:
            for row in layer.models:
                yield None, row_of(Model, _merged((row,)), layer.origin)
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
    except (ValueError, RecursionError) as error:  # also a number of too many digits, and brackets without end
        message = f"{origin} is no TOML: {error}."
        raise SettingsError(message) from None
    layer = _layer(table, origin, is_trusted=is_trusted)
    made = Catalogue((*below.layers, layer))
    for name in layer.providers:
        _refuse_foreign_variable(made.provider(name), layer)
    if not is_trusted:
        _refuse_untrusted(layer, below)
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
        refuse_no_name(row, origin)
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
    return {key: value for key, value in whole.items() if value is not False or key in FLAGS}


def _refuse_untrusted(layer: Layer, below: Catalogue) -> None:
    """A file that came with a notebook may not say what others cost, nor who the endpoint in this process is."""
    hint = "Only your own imagegen.toml, in Jupyter's config folder, may do that."
    for name, row in layer.providers.items():
        is_known = name in below.names
        owned = [key for key in ("embedded", "key_header", "query") if key in row and (is_known or key == "embedded")]
        if owned or (is_known and below.provider(name).embedded):
            message = f"{layer.origin} may not change {', '.join(owned) or 'anything'} of {name!r}."
            raise SettingsError(message, hint)
    foreign = [row for name, own in layer.providers.items() if name in below.names for row in own.get("models", ())]
    for row in (*layer.models, *foreign):
        if any(key in row for key in _PRICES):
            message = f"{layer.origin} may not set prices of {row['name']!r}: it may not be yours."
            raise SettingsError(message, hint)


def _refuse_foreign_variable(provider: Provider, layer: Layer) -> None:
    """A file that came with a notebook may not choose a variable of another house for its own provider."""
    named = layer.providers[provider.name].get("key_env", "")
    if not layer.is_trusted and named and not str(named).startswith(f"{provider.variable_prefix}_"):
        message = f"{layer.origin}: the key variable of {provider.name} must begin with {provider.variable_prefix}_."
        raise SettingsError(message, "Only your own imagegen.toml, in Jupyter's config folder, may name another one.")
