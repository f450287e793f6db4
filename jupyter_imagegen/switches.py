"""The table of options: the one place where an option is declared.

Parsing, completion, `%%imagegen?` and the documentation read it. It knows no model and no provider.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from .edge import without_keys
from .errors import KeyInCell, OptionError
from .keys import looks_like_key, scrub
from .traits import INLINE, MODES

MOST_IMAGES: Final = 1000
"""Of one ask: more than that is a slip of the finger, and each of them is paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One row of the table: how it is written, how its value is read, and what it means."""

    name: str
    metavar: str
    help: str
    read: Callable[[str], Any] = str
    short: str = ""
    repeats: bool = False
    is_field: bool = False
    off: str = ""
    """For a flag that switches another one off: the name of that one."""

    @property
    def takes_value(self) -> bool:
        """Whether a value follows; a flag has none."""
        return bool(self.metavar)

    @property
    def field(self) -> str:
        """The field of the body that it stands for, in the API's spelling."""
        return (self.off or self.name).replace("-", "_")

    @property
    def spelling(self) -> str:
        """As help shows it: `-s, --size WxH`."""
        short = f"-{self.short}, " if self.short else ""
        return f"{short}--{self.name} {self.metavar}".rstrip()


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError("a whole number")
    return int(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"\+?\d{1,18}", text) or not 1 <= int(text) <= MOST_IMAGES:
        message = f"a whole number from 1 to {MOST_IMAGES}"
        raise ValueError(message)
    return int(text)


def _seconds(text: str) -> float:
    number = _float(text)
    if not 0 < number < math.inf:
        raise ValueError("a number of seconds above 0")
    return number


def _number(text: str) -> float:
    number = _float(text)
    if not math.isfinite(number):
        raise ValueError("a number")
    return number


def _dollars(text: str) -> float:
    number = _float(text.removeprefix("$"))
    if not 0 <= number < math.inf:
        raise ValueError("an amount of US dollars, for example 0.50")
    return number


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _identifier(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError("the name of a variable")
    return text


def _inline(text: str) -> str:
    if text not in INLINE:
        raise ValueError(" or ".join(INLINE))
    return text


def _mode(text: str) -> str:
    if text not in MODES:
        raise ValueError(" or ".join(MODES))
    return text


def _api_name(text: str) -> str:
    return text.replace("-", "_")


def _param(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if is_key_name(name):
        message = f"{name} would put a key into the request and its record."
        raise KeyInCell(message)
    if not equals or not re.fullmatch(r"[A-Za-z_][\w.\-]*", name):
        raise ValueError("KEY=JSON, for example guidance=3.5 or style='\"vivid\"'")
    return name, _json_or_word(value)


def _json_or_word(text: str) -> str:
    """The value as JSON; what is none, and does not begin like some, is a text, as people write it."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("KEY=JSON, nested less deeply") from None
    except ValueError:
        return _word(text)
    try:
        return json_text(value)
    except ValueError:
        raise ValueError("KEY=JSON, which has no such number") from None


def _word(text: str) -> str:
    if re.match(r"[\[{\"]", text.strip()) or not text:
        raise ValueError("KEY=JSON (after the = there is no JSON)")
    if text in _PYTHON:
        message = f"KEY=JSON, which writes {_PYTHON[text]}"
        raise ValueError(message)
    return json_text(text)


_PYTHON: Final = MappingProxyType({"True": "true", "False": "false", "None": "null"})


def _no_constant(name: str) -> None:
    raise ValueError(name)


def json_text(value: object) -> str:
    """Canonical JSON text. Raises ValueError and TypeError for what JSON cannot hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text.encode()  # Half a character (a lone surrogate) is a ValueError too.
    return text


SWITCHES: Final = (
    Switch(name="model", short="m", metavar="NAME", help="the model, free-form; any name that the endpoint knows"),
    Switch(
        name="provider", short="p", metavar="NAME", help="a provider of the catalogue, for example openai or sketch"
    ),
    Switch(name="base-url", metavar="URL", help="any OpenAI-compatible endpoint, up to and with /v1"),
    Switch(
        name="n",
        short="n",
        metavar="N",
        read=_count,
        help="images wanted; more than the model takes in one call become concurrent calls",
    ),
    Switch(name="size", short="s", metavar="WxH", is_field=True, help="for example 1536x1024, or auto"),
    Switch(name="quality", short="q", metavar="NAME", is_field=True, help="for example low, medium or high"),
    Switch(name="style", metavar="NAME", is_field=True, help="vivid or natural (dall-e-3)"),
    Switch(name="background", metavar="NAME", is_field=True, help="transparent, opaque or auto"),
    Switch(name="output-format", metavar="NAME", is_field=True, help="png, jpeg or webp"),
    Switch(
        name="output-compression", metavar="0..100", is_field=True, read=_whole, help="for jpeg and webp, in percent"
    ),
    Switch(name="moderation", metavar="NAME", is_field=True, help="auto or low"),
    Switch(name="response-format", metavar="NAME", is_field=True, help="b64_json or url (GPT image models refuse it)"),
    Switch(name="user", metavar="ID", is_field=True, help="an identifier of the end user, for the provider"),
    Switch(
        name="seed",
        metavar="N",
        is_field=True,
        read=_whole,
        help="for servers that take one (most hosted models do not); calls after the first count on from it",
    ),
    Switch(name="negative-prompt", metavar="TEXT", is_field=True, help="what should not be in the picture"),
    Switch(
        name="guidance-scale",
        metavar="X",
        is_field=True,
        read=_number,
        help="how closely to follow the prompt (Seedream 3.0 and servers of your own)",
    ),
    Switch(name="watermark", metavar="", is_field=True, help="ask for the provider's visible mark (Seedream)"),
    Switch(name="no-watermark", metavar="", is_field=True, off="watermark", help="ask for a picture without that mark"),
    Switch(name="stream", metavar="", is_field=True, help="ask for the answer as a stream of events"),
    Switch(name="no-stream", metavar="", is_field=True, off="stream", help="never ask for a stream"),
    Switch(
        name="partial-images",
        metavar="N",
        is_field=True,
        read=_whole,
        help="show up to N previews while it paints; implies --stream, and each may cost a little",
    ),
    Switch(
        name="image",
        short="i",
        metavar="X",
        repeats=True,
        help="a picture to work from: a file, a variable (PIL image, array, Result) or the id of a record",
    ),
    Switch(name="mask", metavar="X", help="what may be changed in the first picture: where this one is transparent"),
    Switch(name="param", metavar="KEY=JSON", read=_param, repeats=True, help="any other field of the request body"),
    Switch(name="omit", metavar="KEY", read=_api_name, repeats=True, help="leave out a field that would be sent"),
    Switch(name="timeout", metavar="SECONDS", read=_seconds, help="total deadline of one call (default 900)"),
    Switch(
        name="mode",
        metavar="|".join(MODES),
        read=_mode,
        help="ask the endpoint; or show the record of the same request where there is one; or show records only",
    ),
    Switch(name="into", metavar="NAME", read=_identifier, help="bind the Result to this variable"),
    Switch(name="tag", metavar="TEXT", repeats=True, help="a word that is kept in the record"),
    Switch(name="note", metavar="TEXT", help="a sentence that is kept in the record"),
    Switch(
        name="inline",
        metavar="|".join(INLINE),
        read=_inline,
        help="what goes into the notebook (default preview: at most 512 px and about 40 KB)",
    ),
    Switch(
        name="save",
        metavar="PATH",
        help="also write the pictures there: a folder, a file name, or a pattern with {n}",
    ),
    Switch(
        name="dry-run", metavar="", help="show the requests, how many calls they are and what they cost; send nothing"
    ),
    Switch(
        name="max-cost",
        metavar="USD",
        read=_dollars,
        help="send nothing when the estimate is higher than this, or unknown",
    ),
    Switch(name="force", metavar="", help="send it although the catalogue says that the model refuses it"),
    Switch(name="raw", metavar="", help="leave {{name}} in the prompt as it is typed"),
    Switch(name="quiet", metavar="", help="no picture and no progress; the Result is still returned"),
)

BY_FLAG: Final[Mapping[str, Switch]] = MappingProxyType(
    {f"--{row.name}": row for row in SWITCHES} | {f"-{row.short}": row for row in SWITCHES if row.short}
)

# Names under which people look for a place to put a key. There is none.
KEY_NAMES: Final = frozenset(
    {"key", "api-key", "apikey", "token", "api-token", "auth", "authorization", "secret", "password", "bearer", "k"}
)


def is_key_name(name: str) -> bool:
    """Whether someone who writes this name wants to hand over a key."""
    spelt = name.lstrip("-").lower().replace("_", "-")
    return spelt in KEY_NAMES or spelt.endswith(("-key", "-token"))


# What people type who expect a variable: $name, {{name}} or {name}, but for the {n} of --save.
_A_VARIABLE: Final = re.compile(r"^\$[A-Za-z_]\w*|\{\{\s*[^\W\d]\w*\s*\}\}|^\{(?!n\})[^\W\d]\w*\}$")


def read_value(row: Switch, text: str) -> Any:  # noqa: ANN401  (each row reads its own type)
    """The value of an option. Raises OptionError with what it takes, KeyInCell for a key."""
    if looks_like_key(text):
        message = f"The value of --{row.name} looks like a key."
        raise KeyInCell(message)
    if not text:
        message = f"--{row.name} needs a value: {row.spelling}."
        raise OptionError(message)
    if _A_VARIABLE.search(text):
        message = f"--{row.name} takes no variable: {shown(text)} would be sent and recorded as it is typed."
        raise OptionError(message, "In a loop or a sweep, call ig.generate(...) from Python.")
    try:
        text.encode()
        return row.read(text)
    except UnicodeEncodeError:
        message = f"The value of --{row.name} holds half a character, which cannot be kept."
        raise OptionError(message) from None
    except ValueError as error:
        message = f"--{row.name} takes {error}, not {shown(text)}."
        raise OptionError(message) from None


def shown(text: str) -> str:
    """What was typed, in quotes, not longer than a line, and without what looks like a key."""
    text = without_keys(scrub(text, None))
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
