"""Providers and models as data: the TOML files beside this one, each row with its source and date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..errors import SettingsError
from ..nearest import did_you_mean

CUSTOM: Final = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model is documented to take; an empty tuple or None means that nothing is known."""

    name: str
    max_n: int | None = None
    sizes: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ()
    moderations: tuple[str, ...] = ()
    response_formats: tuple[str, ...] = ()
    source: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where a provider is, which key it takes, and what it documents about models beyond their own rows."""

    name: str
    base_url: str
    default_model: str | None = None
    needs_key: bool = False
    embedded: bool = False
    models: tuple[Model, ...] = ()
    source: str = ""
    date: str = ""

    @property
    def key_variable(self) -> str:
        """The environment variable of its key: `vllm-omni` becomes `VLLM_OMNI_API_KEY`."""
        return f"{self.variable_prefix}_API_KEY"

    @property
    def url_variable(self) -> str:
        """The environment variable that names another base URL for it."""
        return f"{self.variable_prefix}_BASE_URL"

    @property
    def variable_prefix(self) -> str:
        """Its name as environment variables spell it."""
        return self.name.upper().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows: providers by name, and models by name or pattern."""

    providers: tuple[Provider, ...]
    models: tuple[Model, ...]

    def provider(self, name: str) -> Provider:
        """The row of a provider. Raises SettingsError with the nearest name when there is none."""
        for row in self.providers:
            if row.name == name:
                return row
        names = tuple(row.name for row in self.providers)
        message = f"There is no provider {name!r}.{did_you_mean(name, names)}"
        raise SettingsError(message, f"Known: {', '.join(names)}. For any other endpoint give --base-url.")

    def model(self, provider: Provider, name: str | None) -> Model:
        """The provider's own row for a model, else the model's row, else one that knows nothing."""
        for row in (*provider.models, *self.models):
            if name is not None and fnmatchcase(name, row.name):
                return row
        return Model(name=name or "")


@cache
def load() -> Catalogue:
    """Read the TOML files, once."""
    tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in _toml_files()]
    providers = [_provider(name, row) for table in tables for name, row in table.get("providers", {}).items()]
    models = [_model(row) for table in tables for row in table.get("models", ())]
    return Catalogue(tuple(providers), tuple(models))


def _toml_files() -> list[Any]:
    return sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )


def _provider(name: str, row: dict[str, Any]) -> Provider:
    models = tuple(_model(model) for model in row.pop("models", ()))
    return Provider(name=name, models=models, **row)


def _model(row: dict[str, Any]) -> Model:
    frozen: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Model(**frozen)
