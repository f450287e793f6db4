"""The catalogue as a table: what %imagegen_models shows."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from .catalogue import Catalogue, Model, Provider

_COLUMNS: Final = ("model", "at", "pictures", "sizes", "quality", "takes images", "from", "until", "read")
_EVERY: Final = "*"
"""The name of a row that says something of all models at one provider."""

_LEFT: Final = 'style="text-align: left"'


class Models:
    """The rows of the catalogue, as text and as a table; `rows` has the values of `columns` for each."""

    columns = _COLUMNS

    def __init__(self, rows: tuple[tuple[str, ...], ...]) -> None:
        self.rows = rows

    def __repr__(self) -> str:
        table = (_COLUMNS, *self.rows)
        widths = [max(len(row[place]) for row in table) for place in range(len(_COLUMNS))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th {_LEFT}>{name}</th>" for name in _COLUMNS)
        body = "".join(f"<tr>{''.join(f'<td {_LEFT}>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        return f'<table class="dataframe mathjax_ignore tex2jax_ignore">{table}</table>'


def models(catalogue: Catalogue, provider: str | None) -> Models:
    """Every model that is known, or those at one provider. Raises SettingsError for a provider that is unknown."""
    if provider is None:
        return Models(tuple(_row(model, at or "any") for at, model in catalogue.rows))
    row = catalogue.provider(provider)
    return Models(tuple(_row(catalogue.model(row, name), provider) for name in served_by(catalogue, provider)))


def served_by(catalogue: Catalogue, provider: str) -> list[str]:
    """The names of the models that a provider is known to serve; of one that serves anything, all."""
    row = catalogue.provider(provider)
    every = tuple(catalogue.rows)
    its = [model.name for at, model in every if at == provider or (at is None and _is_its(model, row))]
    its = [name for name in its if name != _EVERY] or its
    # A gateway or a server of one's own serves what it was set up with.
    return list(dict.fromkeys(its or [model.name for at, model in every if at is None]))


def _is_its(model: Model, provider: Provider) -> bool:
    """Whether a provider is the vendor of a model, asks for it by itself, or speaks the dialect made for it."""
    is_vendor = provider.name in model.prices_at or model.name == provider.default_model
    return is_vendor or (model.dialect is not None and model.dialect == provider.dialect)


def _row(model: Model, at: str) -> tuple[str, ...]:
    return (
        model.name,
        at,
        "" if model.max_n is None else str(model.max_n),
        ", ".join((*model.takes.get("size", ()), *_rule(model))),
        ", ".join(model.takes.get("quality", ())),
        "" if model.images is None else str(model.images),
        model.source.partition(",")[0],
        model.retired,
        model.date,
    )


def _rule(model: Model) -> Iterator[str]:
    if model.size_rule is not None:
        yield "WxH"
