"""What Tab offers: option names, and from the catalogue their values. Pure but for the few lines that IPython calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .errors import SettingsError
from .settings import photograph
from .switches import SWITCHES, Switch
from .traits import INLINE, MODES

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from .catalogue import Catalogue, Model

_MAGIC_LINE: Final = re.compile(r"^\s*(?:%%|(?:[^=%]+=\s*)?%)imagegen\s(?P<line>.*)$", re.DOTALL)


_WORDS: Final = MappingProxyType({"inline": INLINE, "mode": MODES})
"""Options of ours that take one of a few words."""


def complete(line: str, rows: Catalogue) -> list[str]:
    """What can stand at the end of an option line: option names, or values of the option before it."""
    typed = line.split()
    started = "" if not line or line[-1].isspace() else typed.pop()
    previous = _option(typed[-1]) if typed else None
    flag, equals, begun = started.partition("=")
    if equals and (row := _option(flag)) is not None:
        return [f"{flag}={value}" for value in _values(row, typed, rows) if value.startswith(begun)]
    if previous is not None and previous.takes_value:
        return [value for value in _values(previous, typed, rows) if value.startswith(started)]
    return _unused_flags(started, typed) if started.startswith("-") or not started else []


def _unused_flags(started: str, typed: list[str]) -> list[str]:
    used = {row.name for word in typed if (row := _option(word.partition("=")[0])) is not None and not row.repeats}
    return [f"--{row.name}" for row in SWITCHES if f"--{row.name}".startswith(started) and row.name not in used]


def _option(word: str) -> Switch | None:
    return next((row for row in SWITCHES if word in (f"--{row.name}", f"-{row.short}" if row.short else None)), None)


def _values(row: Switch, typed: list[str], rows: Catalogue) -> list[str]:
    if row.name == "provider":
        return [provider.name for provider in rows.providers]
    if row.name == "model":
        return _model_names(_value_of("provider", typed), rows)
    if row.name in _WORDS:
        return list(_WORDS[row.name])
    return _merged(model.takes.get(row.field, ()) for model in _models_in(typed, rows)) if row.is_field else []


def _model_names(provider: str | None, rows: Catalogue) -> list[str]:
    """The models of the provider on the line, as %imagegen_models lists them, or all."""
    from .listing import served_by  # noqa: PLC0415  (loaded by the first Tab)

    names = served_by(rows, provider) if provider in rows.names else [model.name for model in _all_models(rows)]
    return [name for name in names if "*" not in name]


def _models_in(typed: list[str], rows: Catalogue) -> Iterable[Model]:
    """The model that the line names, with what its provider says of it; every model where it names none."""
    named, wanted = _value_of("model", typed), _value_of("provider", typed)
    for provider in rows.providers:
        if provider.name == wanted and (model := named or provider.default_model) is not None:
            return (rows.model(provider, model),)
    return _all_models(rows) if named is None else (rows.model(rows.provider("openai"), named),)


def _value_of(name: str, typed: list[str]) -> str | None:
    for place, word in enumerate(typed):
        flag, equals, value = word.partition("=")
        row = _option(flag)
        if row is not None and row.name == name:
            return value if equals else next(iter(typed[place + 1 :]), None)
    return None


def _all_models(rows: Catalogue) -> list[Model]:
    return list({model.name: model for _, model in rows.rows}.values())


def _merged(lists: Iterable[tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(value for values in lists for value in values))


def matched(context: CompletionContext) -> SimpleMatcherResult:
    """What IPython offers where the cursor stands; nothing where no magic of ours is being written."""
    from IPython.core.completer import SimpleCompletion  # noqa: PLC0415  (only in a shell)

    lines = context.full_text.split("\n")
    found = _MAGIC_LINE.match(lines[context.cursor_line][: context.cursor_position])
    is_option_line = found is not None and (context.cursor_line == 0 or "%%" not in lines[context.cursor_line])
    matches = complete(found["line"], _rows()) if found is not None and is_option_line else []
    token = context.token
    return {
        "completions": [SimpleCompletion(text=_after(text, token, found), type="option") for text in matches],
        "suppress": bool(matches),
        "matched_fragment": token,
    }


def _rows() -> Catalogue:
    """The rows that hold here; those of this package where a file of the person's own cannot be read."""
    from . import config  # noqa: PLC0415  (the catalogue is loaded by the first Tab)
    from .catalogue import load  # noqa: PLC0415

    with suppress(SettingsError):
        return config.rows(photograph())
    return load()


def _after(text: str, token: str, found: re.Match[str] | None) -> str:
    """The completion without what stands before IPython's token: it breaks words at `=` and `-`."""
    typed = found["line"].split()[-1] if found is not None and found["line"] and not found["line"][-1].isspace() else ""
    return text[len(typed) - len(token) :] if typed.endswith(token) else text
