"""What stands in a form <-> Options."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from .errors import KeyInCell, OptionError, PromptError
from .keys import looks_like_key
from .options import Given, Options, from_call
from .settings import Where
from .switches import BY_FLAG, SWITCHES, Switch, json_text, read_value, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in a form: texts as they were typed, an empty one asks for nothing."""

    prompt: str = ""
    provider: str = ""
    base_url: str = ""
    recorded_url: str = ""
    """The address, as long as only a record names it, which may be somebody else's: no key goes there."""
    model: str = ""
    n: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """Names of fields of the body, each with its text; of a flag it is `true` or `false`."""
    images: tuple[Given, ...] = ()
    mask: Given | None = None
    params: str = ""
    """One KEY=JSON a line, as --param reads them."""
    omit: str = ""
    """Names, separated by blanks or commas."""
    tags: str = ""
    """Words, separated by commas; one that holds a comma or quotes is quoted as in CSV."""
    note: str = ""
    timeout: str = ""
    """Seconds."""
    mode: str = ""
    max_cost: str = ""
    """US dollars."""
    save: str = ""
    force: bool = False


def asked(draft: Draft) -> Options:
    """The Options that a form asks for: each text is read by the row of the option that it stands for.

    A field without an option of its own is read as --param reads its value: JSON, else a word. A null is not sent, as
    in a call from Python. Raises OptionError, PromptError and KeyInCell, in the words of the options.
    """
    if not draft.prompt.strip():
        raise PromptError("There is no prompt.", "Type one first.")
    try:
        return _asked(draft)
    except RecursionError:
        message = "A field holds JSON that is nested too deeply."
        raise OptionError(message) from None


def drafted(options: Options) -> Draft:
    """The form that asks for these options, but for what no form has: template, parent, into, inline, dry run, quiet.

    A field whose text would be read as something else than it is, such as a `seed` of 7.0, is a line of `params`; so
    the order of the fields may change, which says nothing. A reference picture stays as it is.
    """
    texts = tuple((name, value, _text(name, value)) for name, value in options.fields)
    return Draft(
        prompt=options.prompt,
        provider=options.where.provider or "",
        base_url=options.where.base_url or "",
        recorded_url=(options.where.base_url or "") if options.where.is_recorded else "",
        model=options.where.model or "",
        n=_as_text(options.n),
        fields=tuple((name, text) for name, _, text in texts if text is not None),
        images=options.images,
        mask=options.mask,
        params="\n".join(f"{name}={_escaped(value)}" for name, value, text in texts if text is None),
        omit=" ".join(_quoted(name, _NAMES) for name in options.omit),
        tags=tags_text(options.tags),
        note=options.note or "",
        timeout=_as_text(options.timeout_s),
        mode=options.mode or "",
        max_cost=_as_text(options.max_cost_usd),
        save=options.save or "",
        force=options.force,
    )


def read_tags(text: str) -> tuple[str, ...]:
    """The tags that were typed into one field, as `Draft.tags` has them. Raises OptionError for an open quote."""
    return tuple(_words(text, _TAGS, "tags"))


def tags_text(tags: Iterable[str]) -> str:
    """Tags as the text of one field."""
    return ", ".join(_quoted(tag, _TAGS) for tag in tags)


def narrowed(draft: Draft, names: Collection[str]) -> Draft:
    """The same draft for a form that has the fields of these names alone: what stands in others is a line of `params`.

    What cannot be read, or has a name that no such line can have, stays a field, so that `asked` says what is wrong.
    """
    lines = [None if name in names else _line(name, text) for name, text in draft.fields]
    moved = [line for line in lines if line is not None]
    return replace(
        draft,
        fields=tuple(field for field, line in zip(draft.fields, lines, strict=True) if line is None),
        params="\n".join((*([draft.params] if draft.params.strip() else []), *moved)),
    )


def _asked(draft: Draft) -> Options:
    made = from_call(
        draft.prompt,
        whom(draft),
        n=_option("n", draft.n),
        timeout=_option("timeout", draft.timeout),
        mode=_option("mode", draft.mode),
        tags=read_tags(draft.tags),
        note=draft.note or None,
        inline=None,
        save=draft.save or None,
        omit=tuple(_words(draft.omit, _NAMES, "omit")),
        image=None,
        mask=None,
        max_cost=_option("max-cost", draft.max_cost),
        force=draft.force,
        quiet=False,
        fields=_fields(draft),
    )
    # A call from Python takes pictures and texts; these are References and texts already.
    return replace(
        made,
        where=replace(made.where, is_recorded=_is_recorded(draft)),
        images=tuple(_given("image", draft.images)),
        mask=next(_given("mask", (draft.mask,)), None),
    )


def _is_recorded(draft: Draft) -> bool:
    """Whether the address is the one that a record named, however many blanks are around either."""
    return bool(draft.base_url.strip()) and draft.base_url.strip() == draft.recorded_url.strip()


def whom(draft: Draft) -> Where:
    """Whom a form asks."""
    provider, base_url, model = draft.provider.strip(), draft.base_url.strip(), draft.model.strip()
    return Where(
        provider=provider or None,
        base_url=base_url or None,
        model=model or None,
        is_recorded=_is_recorded(draft),
    )


def _given(name: str, pictures: Iterable[Given | None]) -> Iterator[Given]:
    for picture in pictures:
        if isinstance(picture, str) and looks_like_key(picture):
            message = f"The value of --{name} looks like a key."
            raise KeyInCell(message)
        if picture:
            yield picture


def _option(name: str, text: str) -> Any:  # noqa: ANN401  (each row reads its own type)
    """The value of an option that is a number or one word: blanks around it are a slip of the finger."""
    return read_value(BY_FLAG[f"--{name}"], text.strip()) if text.strip() else None


# --- fields of the body


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


_OPTIONS: Final[Mapping[str, Switch]] = MappingProxyType(
    {
        row.field: row if row.takes_value else replace(row, read=_truth)
        for row in SWITCHES
        if row.is_field and not row.off
    }
)
_HINT: Final = "In JSON, texts that are not plain words stand in double quotes, and true, false and null are small."


def _fields(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in (*_typed(draft), *_params(draft)):
        if name in found:
            message = f"The field {_label(name)} is given twice."
            raise OptionError(message)
        found[name] = value
    return found


def _typed(draft: Draft) -> Iterator[tuple[str, Any]]:
    for name, text in draft.fields:
        _refuse_odd_name(name)
        if text.strip():
            yield name, _value(name, text.strip())


def _params(draft: Draft) -> Iterator[tuple[str, Any]]:
    # Only at line feeds: JSON may hold any other separator of lines as it is.
    for line in draft.params.split("\n"):
        if line.strip():
            name, value = read_value(BY_FLAG["--param"], line.strip())
            yield name, json.loads(value)


def _value(name: str, text: str) -> Any:  # noqa: ANN401  (each row reads its own type)
    row = _OPTIONS.get(name)
    return _json_or_word(name, text) if row is None else read_value(row, text)


def _json_or_word(name: str, text: str) -> Any:  # noqa: ANN401  (any JSON value)
    try:
        _, value = read_value(BY_FLAG["--param"], f"value={text}")
    except KeyInCell:
        message = f"The value of {_label(name)} looks like a key."
        raise KeyInCell(message) from None
    except OptionError:
        message = f"{_label(name)} takes JSON or a word, not {shown(text)}."
        raise OptionError(message, _HINT) from None
    return json.loads(value)


def _refuse_odd_name(name: str) -> None:
    """What no reader of the options lets through as a name, and a form could be filled with."""
    if looks_like_key(name):
        message = "The name of a field looks like a key."
        raise KeyInCell(message)
    try:
        name.encode()
    except UnicodeEncodeError:
        message = f"The name of the field {_label(name)} holds half a character, which cannot be sent."
        raise OptionError(message) from None


def _label(name: str) -> str:
    """The name of a field for a message: as `shown`, and without quotes where it is plain."""
    text = shown(name)
    return name if text == f"'{name}'" else text


def _text(name: str, value: str) -> str | None:
    """The text that is read as this JSON in the field of this name; None where none is."""
    plain = json.loads(value) if value.startswith('"') else value
    candidates = (plain,) if name in _OPTIONS else (plain, _escaped(value))
    return next((text for text in candidates if _is_read_as(value, name, text)), None)


def _is_read_as(value: str, name: str, text: str) -> bool:
    try:
        return bool(text.strip()) and json_text(_value(name, text.strip())) == value
    except (OptionError, RecursionError):
        return False


def _line(name: str, text: str) -> str | None:
    """The line of `params` that says what this text says in the field of this name."""
    if not text.strip():
        return None
    try:
        line = f"{name}={_escaped(json_text(_value(name, text.strip())))}"
        read_value(BY_FLAG["--param"], line)
    except (OptionError, RecursionError):
        return None
    return line


def _escaped(value: str) -> str:
    """The same JSON without two braces in a row inside a text, which an option would take for a variable."""
    return re.sub(r"\{(?=\{)", r"\\u007b", value)


# --- lists of words

_TAGS: Final = re.compile(r'\s*+(?:"((?:[^"]|"")*+)"\s*+|([^",\s][^,]*+)?)(?:,|\Z)')
_NAMES: Final = re.compile(r'[\s,]*+(?:"((?:[^"]|"")*+)"|([^",\s][^\s,]*+)?)(?:[\s,]|\Z)')


def _words(text: str, pattern: re.Pattern[str], what: str) -> Iterator[str]:
    """The words of a list, those in quotes as they stand there. Raises OptionError for a quote that is not closed."""
    at = 0
    while at < len(text):
        found = pattern.match(text, at)
        if found is None:
            message = f"The quotes in {what} do not fit: {shown(text[at:].strip())}."
            raise OptionError(message, 'A word that holds a comma stands in quotes, and "" is a quote inside them.')
        word = found[2].strip() if found[1] is None and found[2] else (found[1] or "").replace('""', '"')
        if word:
            yield word
        at = found.end()


def _quoted(word: str, pattern: re.Pattern[str]) -> str:
    found = pattern.fullmatch(word)
    is_plain = found is not None and found[2] == word and word == word.strip() and '"' not in word
    return word if is_plain else '"' + word.replace('"', '""') + '"'


# --- numbers


def _as_text(number: float | None) -> str:
    return "" if number is None else str(number).removesuffix(".0")
