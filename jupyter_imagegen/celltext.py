"""Options -> the cell that asks for the same. Pure."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from .errors import OptionError
from .keys import looks_like_key
from .line import Typed, read_line
from .options import Given, Options, from_call, parse_cell
from .references import Reference
from .settings import Where
from .switches import BY_FLAG, SWITCHES, read_value

_MAGIC: Final = "%%imagegen"
_IMPORT: Final = "import jupyter_imagegen as ig"
_LONGEST_LINE: Final = 88
_WHOM: Final = ("provider", "base_url", "model")

_PLACES: Final[Mapping[str, int]] = MappingProxyType(
    {row.field: place for place, row in enumerate(SWITCHES) if row.is_field}
)

# Editors, notebook files and IPython end a line at more letters than one, take blanks out of lines that hold nothing
# else, and hide control characters; letters that turn the direction of writing show a text as another one.
_LOST: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|^[^\S\n]+$", re.MULTILINE)
# The prompts of Python and IPython, which IPython takes out of what is pasted, from every line once it sees one.
_PASTED: Final = re.compile(r"^[^\S\n]*(?:>>>|\.\.\.(?: |$)|\.{3,}:|(?:\[\w+\] )?In \[\d+\]:)", re.MULTILINE)


def as_cell(options: Options) -> str:
    """The text of a cell that gives these options when it is run: `%%imagegen`, or `ig.generate` where that cannot.

    A template and its variables are dropped, and what stands in for a rerun: the prompt that was sent repeats it.
    Raises OptionError for a picture that only this process has, and for what neither form can say.
    """
    if any(isinstance(given, Reference) for given in (*options.images, options.mask)):
        message = "A reference picture has neither a file nor a record yet, so no cell can name it."
        raise OptionError(message, "Generate first: then its record names a file.")
    wanted = _repeated(options)
    text = _as_magic(wanted) or _as_call(wanted)
    if text is None or looks_like_key(text):
        raise OptionError("No cell asks for exactly this.", "ig.rerun(id) asks a recorded call again.")
    return text


def _repeated(options: Options) -> Options:
    """What a cell has to say of these options; the order of the fields says nothing."""
    return replace(
        options,
        template=None,
        variables=(),
        parent_id=None,
        where=replace(options.where, is_recorded=False),
        fields=tuple(sorted(options.fields, key=lambda pair: (_PLACES.get(pair[0], len(SWITCHES)), pair[0]))),
    )


# --- %%imagegen


class _EveryName(Mapping[str, object]):
    """A notebook where every name is a variable, and empty: what would be taken for one is not read back as it was."""

    def __getitem__(self, name: str) -> object:
        return ""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _as_magic(wanted: Options) -> str | None:
    """The text of the magic; None where reading it back would give something else."""
    if _LOST.search(wanted.prompt) or _PASTED.search(wanted.prompt):
        return None
    line = " ".join(_typed(wanted))
    for whole in (line, f"{line} --raw".lstrip()):
        if whole.isprintable() and _read_back(whole, wanted.prompt) == wanted:
            return f"{_MAGIC} {whole}".rstrip() + f"\n{wanted.prompt}"
    return None


def _read_back(line: str, prompt: str) -> Options | None:
    try:
        return _repeated(parse_cell(line, prompt, _EveryName()))
    except OptionError:
        return None


def _typed(wanted: Options) -> Iterator[str]:
    """Each option as it is typed. Whom it asks comes first, where no long text can push it out of sight."""
    yield from _option("-p", wanted.where.provider)
    yield from _option("--base-url", wanted.where.base_url)
    yield from _option("-m", wanted.where.model)
    yield from _option("-n", wanted.n)
    yield from (_field(name, value) for name, value in wanted.fields)
    for image in wanted.images:
        yield from _option("--image", image)
    yield from _option("--mask", wanted.mask)
    yield from _beside_the_body(wanted)


def _beside_the_body(wanted: Options) -> Iterator[str]:
    for name in wanted.omit:
        yield from _option("--omit", name)
    yield from _option("--timeout", wanted.timeout_s)
    yield from _option("--mode", wanted.mode)
    yield from _option("--into", wanted.into)
    for tag in wanted.tags:
        yield from _option("--tag", tag)
    yield from _option("--note", wanted.note)
    yield from _option("--inline", wanted.inline)
    yield from _option("--save", wanted.save)
    yield from _option("--max-cost", wanted.max_cost_usd)
    flags = {"--force": wanted.force, "--quiet": wanted.quiet, "--dry-run": wanted.dry_run}
    yield from (flag for flag, is_set in flags.items() if is_set)


def _option(flag: str, value: Given | float | None) -> Iterator[str]:
    if value is not None:
        text = repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
        yield next((option for option in _with_quotes(flag, text) if _holds(option, flag, text)), flag)


def _with_quotes(flag: str, text: str, between: str = " ") -> Iterator[str]:
    """The option with the text as it is, then with each kind of quotes: the first that is read as meant is taken."""
    yield from (f"{flag}{between}{quote}{text}{quote}" for quote in ("", '"', "'"))


def _holds(option: str, flag: str, text: str) -> bool:
    """Whether it is one option that has this text for its value, and nothing else."""
    row = BY_FLAG[flag]
    try:
        return read_line(option) == Typed(((row, read_value(row, text)),), prompt=None)
    except OptionError:
        return False


def _field(name: str, value: str) -> str:
    """A field of the body as its own option, or as --param where that would be read otherwise or there is none."""
    return next((option for option in _spellings(name, value) if _fields(option) == ((name, value),)), "--param")


def _spellings(name: str, value: str) -> Iterator[str]:
    decoded = json.loads(value)
    text = decoded if isinstance(decoded, str) else value.removesuffix(".0")
    for row in (row for row in SWITCHES if row.is_field and row.field == name):
        flag = f"-{row.short}" if row.short else f"--{row.name}"
        yield from _with_quotes(flag, text) if row.takes_value else (flag,)
    yield from _with_quotes(f"--param {name}", text, "=")
    yield from _with_quotes(f"--param {name}", value, "=")


def _fields(option: str) -> tuple[tuple[str, str], ...]:
    try:
        return parse_cell(option, "a prompt", {}).fields
    except OptionError:
        return ()


# --- ig.generate


def _as_call(wanted: Options) -> str | None:
    """The text of the call; None where it would give something else."""
    ours = dict(_arguments(wanted))
    fields = {name: json.loads(value) for name, value in wanted.fields}
    # A field of the body that is called as an argument of ours would be taken for that.
    if fields.keys() & {"prompt", *ours} or _called(wanted.prompt, ours, fields) != wanted:
        return None
    said = {name: value for name, value in ours.items() if value not in (None, []) and value is not False}
    return f"{_IMPORT}\n\n{_laid_out((repr(wanted.prompt), *_keywords({**said, **fields})))}"


def _called(prompt: str, ours: Mapping[str, Any], fields: Mapping[str, object]) -> Options | None:
    where = Where(**{name: ours[name] for name in _WHOM})
    others = {name: value for name, value in ours.items() if name not in _WHOM}
    try:
        return _repeated(from_call(prompt, where, **others, fields=fields))
    except OptionError:
        return None


def _arguments(wanted: Options) -> Iterator[tuple[str, Any]]:
    """Every argument that `generate` has beside the prompt and the fields, also those that nobody gave."""
    images = list(wanted.images)
    yield from (("provider", wanted.where.provider), ("base_url", wanted.where.base_url), ("model", wanted.where.model))
    yield from (("n", wanted.n), ("image", images[0] if len(images) == 1 else images), ("mask", wanted.mask))
    yield from (("omit", list(wanted.omit)), ("timeout", wanted.timeout_s), ("mode", wanted.mode))
    yield from (("tags", list(wanted.tags)), ("note", wanted.note), ("inline", wanted.inline), ("save", wanted.save))
    yield from (("max_cost", wanted.max_cost_usd), ("force", wanted.force), ("quiet", wanted.quiet))


def _keywords(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each as a literal; a name that Python would not take, or would spell otherwise, as a key."""
    for name, value in arguments.items():
        is_name = name.isascii() and name.isidentifier() and not keyword.iskeyword(name)
        yield f"{name}={value!r}" if is_name else f"**{ {name: value}!r}"


def _laid_out(arguments: tuple[str, ...]) -> str:
    """The call in one line, or with one for each argument where that is too long to be looked over."""
    line = f"ig.generate({', '.join(arguments)})"
    if len(line) <= _LONGEST_LINE:
        return line
    return "".join(("ig.generate(\n", *(f"    {argument},\n" for argument in arguments), ")"))
