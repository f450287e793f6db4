"""Keys: a value that never prints, and the scrubbing of texts and logs that may echo one."""

from __future__ import annotations

import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeGuard

SHOWN: Final = "***"
SHORTEST: Final = 6
"""Letters of a key that is looked for in texts: `x`, `none` or `EMPTY`, as servers at home are given, are words."""

# Shapes in which providers issue keys: OpenAI and most gateways (sk-…), xAI (xai-…), Hugging Face (hf_…),
# GitHub (gh?_…). A server that echoes a fragment of a key echoes it in one of these.
_SHAPES: Final = re.compile(r"\b(?:sk-|xai-|hf_|gh[pousr]_)[A-Za-z0-9_*.\-]{6,}")
_WHOLE: Final = re.compile(r"\b(?:sk-|xai-|hf_|gh[pousr]_)(?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{20,}")
_BEARER: Final = re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9_.~+/*\-]{6,}=*")

_ENTITIES: Final = MappingProxyType({"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"})


class Secret:
    """A key with the name of the variable it came from; it shows, formats and pickles as nothing."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The key itself, for the one header that carries it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({SHOWN} from {self.source})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        message = "a key is never pickled"
        raise TypeError(message)


in_use: Final[ContextVar[Secret | None]] = ContextVar("in_use", default=None)
"""The key of the request that this task is making: set around it, so that a log line of that moment is scrubbed."""


def scrub(text: str, key: Secret | None) -> str:
    """The text without the key that was used, in any spelling, and without anything that has the shape of a key."""
    # Again until nothing is found: what is left on both sides of a key may be one, once it is taken out.
    while (rest := _BEARER.sub(rf"\1{SHOWN}", _SHAPES.sub(SHOWN, _without(text, key)))) != text:
        text = rest
    return text


def scrub_bytes(data: bytes, key: Secret | None) -> bytes:
    """The bytes without the key that was used, in any spelling."""
    if not _is_looked_for(key):
        return data
    before = b""
    while data != before:
        before = data
        for spelling in _in_bytes(key.reveal()):
            data = spelling.sub(SHOWN.encode(), data)
    return data


def cleaned(data: bytes, key: Secret | None) -> bytes:
    """A body without the key that was used; JSON stays JSON, and is otherwise left byte for byte.

    The texts of a JSON body are looked at as a reader gets them, so that no encoding of the whole hides a key.
    """
    if not _is_looked_for(key):
        return data
    with suppress(ValueError, RecursionError):  # no JSON, or nested too deeply to be walked
        body = json.loads(data)
        clean = _walked(body, key)
        if clean != body:
            data = json.dumps(clean).encode()
    return scrub_bytes(data, key)


def scrubbed(value: Any, key: Secret | None) -> Any:  # noqa: ANN401  (any JSON value)
    """A JSON value with every text and every name in it scrubbed."""
    match value:
        case str():
            return scrub(value, key)
        case list():
            return [scrubbed(item, key) for item in value]
        case dict():
            return {scrubbed(name, key): scrubbed(item, key) for name, item in value.items()}
    return value


def held(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Every key that the environment holds under a name that ends in _API_KEY."""
    names = [name for name in environ if name.endswith("_API_KEY")]
    return tuple(Secret(value, name) for name in names if (value := environ.get(name, "").strip()))


def looks_like_key(text: str) -> bool:
    """Whether a word that was typed is a whole key: longer than any word that a person would write."""
    return _WHOLE.search(text) is not None


class Discreet(logging.Filter):
    """Lets every log record through, without the key that is in use.

    Of a record that is made around a request, the message is put together here and its arguments are let go, as they
    are objects of the HTTP library that hold the headers. Other records are left as they are.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; True."""
        key = in_use.get()
        if _is_looked_for(key):
            record.msg, record.args = scrub(_message(record), key), ()
            _scrub_traceback(record, key)
        return True


_DISCREET: Final = Discreet()


def quieten(names: Iterable[str]) -> None:
    """Keep the key in use out of what these loggers write, once for each; a logger above them would not do."""
    for name in names:
        logging.getLogger(name).addFilter(_DISCREET)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError):  # arguments that do not fit: the library would print them all
        return f"{record.msg} {record.args}"


def _scrub_traceback(record: logging.LogRecord, key: Secret) -> None:
    if record.exc_info and not record.exc_text:
        trace = logging.Formatter().formatException(record.exc_info)
        if scrub(trace, key) != trace:
            record.exc_text = trace
    if record.exc_text and scrub(record.exc_text, key) != record.exc_text:
        record.exc_text, record.exc_info = scrub(record.exc_text, key), None
    if record.stack_info:
        record.stack_info = scrub(record.stack_info, key)


def _is_looked_for(key: Secret | None) -> TypeGuard[Secret]:
    return key is not None and len(key.reveal()) >= SHORTEST


def _without(text: str, key: Secret | None) -> str:
    for spelling in _in_texts(key.reveal()) if _is_looked_for(key) else ():
        text = spelling.sub(SHOWN, text)
    return text


def _walked(value: Any, key: Secret) -> Any:  # noqa: ANN401  (whatever a server may send)
    """The same JSON value, scrubbed where a text or a name in it holds the key."""
    match value:
        case str():
            return scrub(value, key) if _without(value, key) != value else value
        case list():
            return [_walked(item, key) for item in value]
        case dict():
            return {_walked(name, key): _walked(item, key) for name, item in value.items()}
    return value


@lru_cache(maxsize=16)
def _in_texts(key: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(spelling) for spelling in _spellings(key))


@lru_cache(maxsize=16)
def _in_bytes(key: str) -> tuple[re.Pattern[bytes], ...]:
    return tuple(re.compile(spelling.encode("utf-8", "surrogatepass")) for spelling in _spellings(key))


def _spellings(key: str) -> Iterator[str]:
    """What finds a key: letter by letter, or as a part of something in base64.

    Separate expressions, as each of them then knows with which letters a match begins, which is ten times as fast.
    """
    yield "".join(_spelt(run) for run in re.findall(r"\\+|[^\\]", key))
    yield from _in_base64(key)


def _spelt(run: str) -> str:
    """One letter (or backslashes in a row) as it is, and as JSON, a URL and HTML escape it.

    An error inside an error is escaped again: that is followed a few times. Each bound and each `}+` (what was
    taken is not given back) keeps the search from going over the same text for ever.
    """
    char, count = run[0], len(run)
    if not char.isascii():
        return re.escape(char)  # No header carries one, so such a key never left: it is looked for as it is.
    code = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{ord(char):02x}")
    name = f"|{_ENTITIES[char]}" if char in _ENTITIES else ""
    escaped = (
        rf"\\\\{{0,7}}+u00{code}|%(?:25){{0,3}}{code}|"
        rf"&(?:amp;){{0,3}}(?:#0{{0,6}}{ord(char)}|#[xX]0{{0,6}}{code}{name});"
    )
    # Escaped first: an `&` as it is would leave the rest of its own `&amp;`.
    if char == "\\":
        return rf"(?:(?:{escaped}){{{count}}}|\\{{{count},{8 * count}}}+)"
    plain = rf"\\{{0,8}}+{char}" if char in "\"'/" else re.escape(char)
    return f"(?:{escaped}|{plain})"


def _in_base64(key: str) -> Iterator[str]:
    """What base64 makes of the key at each of the three places of a group: the letters that hold nothing else.

    So it is found alone, after `Bearer ` or after `user:`, in both alphabets.
    """
    data = key.encode("utf-8", "surrogatepass")
    for before in range(3):
        coded = b64encode(bytes(before) + data).decode()
        whole = coded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield whole.replace("+", "[+-]").replace("/", f"(?:{_spelt('/')}|_)")
