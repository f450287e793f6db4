"""A model's row -> the fields of a form: one pure decision over a row of the catalogue and the table of options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .catalogue import Model, Provider
from .switches import SWITCHES, Switch, is_key_name

_OPTIONS: Final[Mapping[str, Switch]] = MappingProxyType(
    {row.field: row for row in SWITCHES if row.is_field and not row.off}
)
_APART: Final = ("model", "prompt", "n", "image", "mask")
"""What a form has its own places for."""

_FEW: Final = ("partial_images",)
"""Whole numbers of which there are so few that they are chosen, not typed."""

_MOST_CHOICES: Final = 10
"""A file of a person's own may give a range of any length."""

_FLAG: Final = ("true", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the body as a form shows it, all of it as text."""

    name: str
    """As the body spells it: `output_format`."""
    values: tuple[str, ...]
    """What the model is documented to take, in the row's order; empty where any text may be tried."""
    is_open: bool
    """Whether something else than `values` may be typed: a size rule allows more, or no values are known."""
    is_flag: bool
    """Whether it is true or false."""
    usual: str
    """What holds where the field is left empty, as text; empty where that is not known."""
    hint: str
    """One short phrase: the range of a number, else what its option means."""


def fields(model: Model, provider: Provider) -> tuple[Field, ...]:
    """The fields that a form for this model has, those of the table of options first, in its order.

    Of a model of which something is known they are those that its row names; of any other every option that is a field,
    as free text. What the model or the provider refuses is never among them.
    """
    apart = {*model.refuses, *provider.refuses, *_APART}
    names = _named(model) if _is_known(model) else tuple(_OPTIONS)
    return tuple(_field(name, model, provider) for name in names if name not in apart and not is_key_name(name))


def _is_known(model: Model) -> bool:
    return bool(model.takes or model.ranges or model.unsaid)


def _named(model: Model) -> tuple[str, ...]:
    """The fields that a row names, each once."""
    needing = tuple(str(need["field"]) for need in model.needs)
    size = () if model.size_rule is None else ("size",)
    named = dict.fromkeys((*size, *model.takes, *model.ranges, *model.unsaid, *needing))
    return (*(name for name in _OPTIONS if name in named), *(name for name in named if name not in _OPTIONS))


def _field(name: str, model: Model, provider: Provider) -> Field:
    values = _values(name, model)
    return Field(
        name=name,
        values=values,
        is_open=not values or (name == "size" and model.size_rule is not None),
        is_flag=_is_flag(name, model),
        usual=_usual(name, model, provider),
        hint=_hint(name, model),
    )


def _values(name: str, model: Model) -> tuple[str, ...]:
    if _is_flag(name, model):
        return _FLAG if _is_known(model) else ()
    return model.takes.get(name, ()) or tuple(_few(name, model))


def _few(name: str, model: Model) -> Iterator[str]:
    low, high = model.ranges.get(name, (0, -1)) if name in _FEW else (0, -1)
    if float(low).is_integer() and 0 <= high - low <= _MOST_CHOICES:
        yield from map(str, range(int(low), int(high) + 1))


def _is_flag(name: str, model: Model) -> bool:
    row = _OPTIONS.get(name)
    return not row.takes_value if row is not None else isinstance(model.unsaid.get(name), bool)


def _usual(name: str, model: Model, provider: Provider) -> str:
    """What is sent where nobody asked, in the order in which a request is put together; else what the model takes."""
    rows = (model.defaults, provider.defaults, model.unsaid)
    return next((_as_text(row[name]) for row in rows if name in row), "")


def _as_text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:  # a list or a table is too much for a line
            return ""


def _hint(name: str, model: Model) -> str:
    if name in model.ranges:
        low, high = model.ranges[name]
        return f"{low:.10g} to {high:.10g}"
    return _OPTIONS[name].help if name in _OPTIONS else ""
