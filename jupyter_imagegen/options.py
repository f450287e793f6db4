"""The text of a cell, or the arguments of a call, as Options: what the person asked, and nothing else. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from .errors import KeyInCell, OptionError, PromptError
from .keys import looks_like_key
from .line import Typed, read_line
from .nearest import did_you_mean
from .references import Reference, of_name, of_value
from .settings import Where
from .switches import BY_FLAG, Switch, is_key_name, json_text, read_value, shown

Given = Reference | str
"""A reference picture, or the text of a path or of a record's id, which is looked up before the call is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked: the prompt, the endpoint, the body fields by name, and what to do with the result."""

    prompt: str
    template: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    where: Where = field(default_factory=Where)
    n: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Body fields in the API's spelling, each value as JSON text."""
    images: tuple[Given, ...] = ()
    mask: Given | None = None
    omit: tuple[str, ...] = ()
    max_cost_usd: float | None = None
    force: bool = False
    timeout_s: float | None = None
    mode: str | None = None
    parent_id: str | None = None
    """The call that is asked again."""
    into: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    inline: str | None = None
    save: str | None = None
    dry_run: bool = False
    quiet: bool = False


# Names that would be sent as fields of the body and do nothing there, or cost money for an answer that is not read.
_ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prompt": "it is the text of the cell, or the first argument",
        "model": "it is -m, or the argument model",
        "n": "it is -n, or the argument n",
        "tag": "the argument is tags",
        "params": "give each field as an argument of its own",
        "dry_run": "only the magic has --dry-run",
        "raw": "only the magic replaces {{name}}",
        "into": "assign the result instead",
        "max_cost": "it is --max-cost, or the argument max_cost",
        "force": "it is --force, or the argument force",
        "parent_id": "ig.rerun(id) asks a call again",
    }
)

_VARIABLE: Final = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}")


def parse_cell(line: str, body: str, namespace: Mapping[str, object]) -> Options:
    """The options of a `%%imagegen` line and the prompt below it.

    Raises OptionError for anything that cannot be understood, PromptError for a prompt that is empty or names
    an undefined variable, KeyInCell for a key.
    """
    typed = read_line(line)
    if typed.prompt is not None:
        message = f"{shown(typed.prompt)} is not an option."
        raise OptionError(message, "Options stand on the %%imagegen line, the prompt in the lines below it.")
    return _options(typed, body.strip("\n").rstrip(), namespace)


def parse_line(line: str, namespace: Mapping[str, object]) -> Options:
    """The options and the prompt of a `%imagegen` line. Raises as parse_cell does."""
    typed = read_line(line)
    return _options(typed, typed.prompt or "", namespace)


def from_call(
    prompt: str,
    where: Where,
    *,
    n: int | None,
    timeout: float | None,
    mode: str | None,
    tags: Sequence[str],
    note: str | None,
    inline: str | None,
    save: str | Path | None,
    omit: Sequence[str],
    image: object,
    mask: object,
    max_cost: float | None,
    force: bool,
    quiet: bool,
    fields: Mapping[str, object],
) -> Options:
    """The arguments of a Python call; keywords that are not ours are fields of the body.

    Raises OptionError for a value that cannot be meant, PromptError, KeyInCell.
    """
    _refuse_contradictions(fields)
    return Options(
        prompt=_sendable(prompt),
        where=Where(
            provider=_argument("provider", where.provider),
            base_url=_argument("base-url", where.base_url),
            model=_argument("model", where.model),
        ),
        n=_argument("n", n),
        fields=tuple(_field(name, value) for name, value in fields.items() if value is not None),
        images=tuple(_picture(f"image[{place}]", value) for place, value in enumerate(_pictures(image))),
        mask=None if mask is None else _picture("mask", mask),
        omit=tuple(_argument("omit", name) for name in _several(omit)),
        max_cost_usd=_argument("max-cost", max_cost),
        force=force,
        timeout_s=_argument("timeout", timeout),
        mode=_argument("mode", mode),
        tags=tuple(_argument("tag", tag) for tag in _several(tags)),
        note=_argument("note", note),
        inline=_argument("inline", inline),
        save=_argument("save", save),
        quiet=quiet,
    )


def _argument(name: str, value: object) -> Any:  # noqa: ANN401  (each row reads its own type)
    """A Python argument, read by the same row of the table as the option of that name."""
    return None if value is None else read_value(BY_FLAG[f"--{name}"], str(value))


def _several(value: Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _pictures(value: object) -> Sequence[object]:
    """What was given as `image`: nothing, one picture, or several in a list or a tuple."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _picture(name: str, value: object) -> Given:
    if isinstance(value, Reference):
        return value
    return str(value) if isinstance(value, str | Path) else of_value(value, name)


def _field(name: str, value: object) -> tuple[str, str]:
    try:
        return name, json_text(value)
    except (TypeError, ValueError):
        message = f"{name} is a {type(value).__name__}, which JSON cannot hold."
        raise OptionError(message) from None


def _options(typed: Typed, template: str, namespace: Mapping[str, object]) -> Options:
    single = {row.name: value for row, value in typed.values if not row.repeats}
    many = {name: tuple(v for row, v in typed.values if row.name == name) for name in ("param", "omit", "tag", "image")}
    is_raw = single.get("raw", False)
    variables = () if is_raw else tuple(_variables(template, namespace))
    return Options(
        prompt=_sendable(template if is_raw else _rendered(template, dict(variables))),
        template=template,
        variables=variables,
        where=Where(provider=single.get("provider"), base_url=single.get("base-url"), model=single.get("model")),
        n=single.get("n"),
        fields=_fields(typed.values, many["param"]),
        images=tuple(of_name(text, namespace) for text in many["image"]),
        mask=of_name(single["mask"], namespace) if "mask" in single else None,
        omit=many["omit"],
        max_cost_usd=single.get("max-cost"),
        force=single.get("force", False),
        timeout_s=single.get("timeout"),
        mode=single.get("mode"),
        into=single.get("into"),
        tags=many["tag"],
        note=single.get("note"),
        inline=single.get("inline"),
        save=single.get("save"),
        dry_run=single.get("dry-run", False),
        quiet=single.get("quiet", False),
    )


def _fields(values: tuple[tuple[Switch, Any], ...], params: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    named = [_field(row.field, False if row.off else value) for row, value in values if row.is_field]
    pairs = (*named, *params)
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            message = f"The field {name} is given twice."
            raise OptionError(message)
    fields = dict(pairs)
    _refuse_contradictions(fields)
    return pairs


def _refuse_contradictions(fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if is_key_name(name) or looks_like_key(name) or looks_like_key(str(value)):
            message = f"{shown(name)} would put a key into the request and its record."
            raise KeyInCell(message)
        if name in _ELSEWHERE:
            message = f"{name} is not a field of the body: {_ELSEWHERE[name]}."
            raise OptionError(message)


def variables_in(template: str) -> tuple[str, ...]:
    """The names of what stands in {{ }} in a prompt, each once."""
    return tuple(dict.fromkeys(_VARIABLE.findall(template)))


def _variables(template: str, namespace: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name in variables_in(template):
        # Python stores names in this form: the µ of a keyboard is kept as the Greek μ.
        stored = unicodedata.normalize("NFKC", name)
        if stored not in namespace:
            message = f"{{{{{name}}}}} in the prompt names no variable.{did_you_mean(name, namespace)}"
            hint = "Define it in the notebook (in a function, use ig.generate), or give --raw to send the braces."
            raise PromptError(message, hint)
        yield name, "".join(str(namespace[stored]))


def _rendered(template: str, variables: Mapping[str, str]) -> str:
    """The template with each {{name}} replaced once; what a value contains is not looked at again."""
    return _VARIABLE.sub(lambda match: variables[match[1]], template)


def texts(options: Options) -> tuple[str, ...]:
    """Everything in these options that is sent or recorded as it was typed."""
    values = [value for pair in (*options.fields, *options.variables) for value in pair]
    where = (options.where.provider, options.where.base_url, options.where.model)
    given = (*options.images, options.mask)
    single = (options.prompt, options.template, options.note, options.save, *where, *given)
    return (*(text for text in single if isinstance(text, str)), *options.tags, *values)


def _sendable(prompt: Any) -> str:  # noqa: ANN401  (what a person gives)
    """The prompt, if there is one, UTF-8 can carry it, and it is no key.

    Raises PromptError and KeyInCell.
    """
    if not isinstance(prompt, str):
        message = f"The prompt is a {type(prompt).__name__}, not a text."
        raise PromptError(message)
    if not prompt.strip():
        message = "There is no prompt."
        raise PromptError(message, "Write it in the lines below %%imagegen, or after the options of %imagegen.")
    if looks_like_key(prompt):
        message = "The prompt holds a key: it would stay in the record and in the names of the files."
        raise KeyInCell(message)
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        message = f"Letter {error.start + 1} of the prompt is half a character, which cannot be sent."
        raise PromptError(message, "A file name or an emoji that was cut may have left it.") from None
    return "".join(prompt)  # plain, also where a text of a kind of its own was given
