"""One line of text -> options with their values, and what is left: the prompt of `%imagegen`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import KeyInCell, OptionError
from .keys import looks_like_key, scrub
from .nearest import did_you_mean
from .switches import BY_FLAG, Switch, is_key_name, read_value, shown


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line: its text without quotes, and where it stands in the line."""

    text: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """A line that was read: each option with its values, and the words that belong to no option."""

    values: tuple[tuple[Switch, Any], ...]
    prompt: str | None


def words(line: str) -> Iterator[Word]:
    """Split a line at blanks, keeping what stands in quotes together; a backslash is a letter like any other.

    A quote opens only at the start of a word or after `=`, so that an apostrophe inside one stays an apostrophe.
    Raises OptionError for a quote that is not closed.
    """
    at = 0
    while match := re.compile(r"\S").search(line, at):
        word = _word(line, match.start())
        yield word
        at = word.end


def _word(line: str, start: int) -> Word:
    text, at, quoted = "", start, False
    while at < len(line) and not line[at].isspace():
        if line[at] in "'\"" and (at == start or line[at - 1] == "="):
            close = line.find(line[at], at + 1)
            if close < 0:
                message = f"The quote {line[at]} before {shown(line[at + 1 :])} is not closed."
                raise OptionError(message)
            text, at, quoted = text + line[at + 1 : close], close + 1, at == start
        else:
            text, at = text + line[at], at + 1
    return Word(text, start, at, quoted)


def read_line(line: str) -> Typed:
    """Options, values and the loose words of a line. Raises OptionError and KeyInCell."""
    values: list[tuple[Switch, Any]] = []
    loose: list[Word] = []
    queue = list(words(line))
    while queue:
        word = queue.pop(0)
        if word.text == "--" and not word.quoted:
            # Inside a prompt it is a dash like any other.
            loose.extend([word, *queue] if loose else queue)
            break
        if _is_flag(word):
            values.append(_value(word.text, queue))
        else:
            loose.append(word)
    _refuse_repeats(row for row, _ in values)
    return Typed(tuple(values), _prompt(line, loose))


def _is_flag(word: Word) -> bool:
    return not word.quoted and re.match(r"--?[A-Za-z]", word.text) is not None


def _value(flag: str, queue: list[Word]) -> tuple[Switch, Any]:
    name, equals, inline = flag.partition("=")
    row = _switch(name)
    if not row.takes_value:
        if equals:
            message = f"{name} takes no value."
            raise OptionError(message)
        return row, True
    if not equals and (not queue or (_is_flag(queue[0]) and queue[0].text.partition("=")[0] in BY_FLAG)):
        message = f"{name} needs a value: {row.spelling}."
        raise OptionError(message)
    return row, read_value(row, inline if equals else queue.pop(0).text)


def _switch(flag: str) -> Switch:
    if flag in BY_FLAG:
        return BY_FLAG[flag]
    if flag in ("-h", "--help"):
        message = "The options are shown by %%imagegen? in a cell of its own."
        raise OptionError(message)
    bare = flag.lstrip("-").lower().replace("_", "-")
    if is_key_name(flag) or looks_like_key(flag):
        message = "There is no option for a key: it would stay in the notebook."
        raise KeyInCell(message)
    attached = BY_FLAG.get(flag[:2])
    is_value = attached is not None and f"--{bare}" not in BY_FLAG
    hint = f" For a value write {flag[:2]} {flag[2:]}." if is_value else ""
    message = f"There is no option {scrub(flag, None)}.{did_you_mean(f'--{bare}', BY_FLAG)}{hint}"
    raise OptionError(message)


def _refuse_repeats(rows: Iterable[Switch]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.name in seen and not row.repeats:
            message = f"--{row.name} is given twice."
            raise OptionError(message)
        seen.add(row.name)


def _prompt(line: str, loose: list[Word]) -> str | None:
    """The text of the loose words as it was typed; a prompt that is quoted as a whole loses its quotes."""
    if not loose:
        return None
    if len(loose) == 1:
        return loose[0].text
    text = line[loose[0].start : loose[-1].end]
    if len(list(words(text))) != len(loose):
        message = "The prompt is in two pieces, with an option between them."
        raise OptionError(message, "Write the options first, then the prompt, or the prompt in quotes.")
    return text
