"""Canary keys, whatever one attempt leaves behind, and the search in that for pieces of the key.

Nothing here is shared with keys.py: what hides a key must not be judged by its own idea of how a key may be spelt.
"""

from __future__ import annotations

import html
import json
import logging
import pickle
import re
import sys
import tempfile
import traceback
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final
from urllib.parse import unquote

import msgspec
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import jupyter_imagegen as ig
from jupyter_imagegen.keys import Secret
from jupyter_imagegen.records import read

SHAPED: Final = "sk-proj-Zq7xV2mT9cLw4RkB8nYd3HfJ6sPa1GeU5oXi0Qv"
SHAPELESS: Final = "9f3c61d07be2a84515ce90d3b7286fa41e5c83d0"
AWKWARD: Final = "c4n4Ry/Xk2+Vw9=\"Qp7&Lm<3Zu>5'Hd8%Jf\\Gb1~Ts{6}=="
CANARIES: Final[Mapping[str, str]] = MappingProxyType(
    {"shaped": SHAPED, "shapeless": SHAPELESS, "awkward": AWKWARD},
)
"""A key of OpenAI's form, one that nothing tells from a hash, and one whose letters are escaped wherever they go."""

PIECE: Final = 10
"""Letters in a row that are a piece of a key: no text has as many of them in common with a canary by chance."""

_ROUNDS: Final = 4
_PIECE_IN_BASE64: Final = 14
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED: Final = re.compile(r"\\(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|([\"'/\\]))")


def trace(key: str, text: str | bytes) -> str:
    """The first piece of the key in a text, with what is around it; empty where there is none.

    Looked for as it is, in either case, as URLs, JSON, HTML and Python spell it, up to four times over, and in base64.
    """
    seen = text.decode("latin-1") if isinstance(text, bytes) else text
    seen = _COLOUR.sub("", seen)
    if found := _first(_base64_pieces(key), seen.replace("-", "+").replace("_", "/")):
        return f"base64 {found}"
    pieces = _windows(key.lower(), PIECE)
    for _ in range(_ROUNDS):
        if found := _first(pieces, seen.lower()):
            return found
        plain = _plain(seen)
        if plain == seen:
            break
        seen = plain
    return ""


def _windows(text: str, length: int) -> tuple[str, ...]:
    return tuple(text[start : start + length] for start in range(len(text) - length + 1))


def _base64_pieces(key: str) -> Iterator[str]:
    """Of what base64 makes of the key at each place of a group of three bytes."""
    for before in range(3):
        coded = b64encode(bytes(before) + key.encode()).decode()
        yield from _windows(coded[4:-4], _PIECE_IN_BASE64)


def _first(pieces: Iterator[str] | tuple[str, ...], text: str) -> str:
    at = next((at for piece in pieces if (at := text.find(piece)) >= 0), None)
    return "" if at is None else f"…{text[max(0, at - 60) : at + 60]}…"


def _plain(text: str) -> str:
    """The text with one layer of each kind of escape taken off."""
    unescaped = _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)) if not match[3] else match[3], text)
    return html.unescape(unquote(unescaped, "latin-1"))


class Notebook(logging.Handler):
    """Every log record at DEBUG, of every logger: as a log file has it, and as a handler may look at it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write down the line and all that the record has."""
        self.lines.append((record.name, f"{self.format(record)}\n{vars(record)!r}"))


class Witness:
    """Watches attempts in one shell and folder; `said` is what they left behind, by the channel it was left in."""

    def __init__(self, shell: InteractiveShell, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.shell = shell
        self.folder = folder
        self._caplog = caplog
        self.said: list[tuple[str, str | bytes]] = []
        self.reached: list[object] = []
        """What else the attempt made: its order, its job."""

    def leaks(self, key: str) -> list[str]:
        """The channels in which there is a piece of the key, with what is around it."""
        found = ((channel, trace(key, text)) for channel, text in self.said)
        return sorted({f"{channel}: {piece}" for channel, piece in found if piece})

    def says_nothing_of(self, key: str) -> None:
        """The assertion that no channel has a piece of the key."""
        leaks = self.leaks(key)
        assert not leaks, "\n".join(("A piece of the key is in", *leaks))

    def watch(self, attempt: Callable[[], object], *, typed: bool = False) -> object:
        """Make the attempt; what it returned or raised. Everything that it left is in `said`.

        What was `typed` stands in the frames of the cell and of the functions that it was given to, as it stands in
        the cell itself: of such an attempt the frames are not searched.
        """
        with self._logged(), self._warned(), capture_output() as captured:
            came = _caught(attempt)
        self._say("standard output", captured.stdout)
        self._say("standard error", captured.stderr)
        self._say("displays", repr([(shown.data, shown.metadata) for shown in captured.outputs]))
        if isinstance(came, BaseException):
            self._error(came, typed=typed)
        else:
            self._displayed("the value of the cell", came)
        self._objects(came)
        self._history()
        self._files()
        return came

    def _say(self, channel: str, text: str | bytes) -> None:
        self.said.append((channel, text))

    # --- while it runs

    @contextmanager
    def _logged(self) -> Iterator[None]:
        root, notebook = logging.getLogger(), Notebook()
        root.addHandler(notebook)
        try:
            with self._caplog.at_level(logging.DEBUG):
                yield
        finally:
            root.removeHandler(notebook)
        for name, line in notebook.lines:
            self._say(f"log of {name}", line)
        self._say("log that pytest captures", f"{self._caplog.text}\n{[vars(each) for each in self._caplog.records]!r}")

    @contextmanager
    def _warned(self) -> Iterator[None]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for warning in caught:
            self._say("warning", f"{warning.message!r} {warning.message} {vars(warning)}")

    # --- what was raised

    def _error(self, error: BaseException, *, typed: bool) -> None:
        error = error.with_traceback(_ours(error.__traceback__))
        for mode in self.shell.InteractiveTB.valid_modes:
            self._say(f"%xmode {mode}", self._shown(error, mode))
        self._say("what Python prints", "".join(traceback.format_exception(error)))
        for place, each in _chain("error", error):
            self._say(place, f"{each!r} {each} {each.args!r} {vars(each)!r} {getattr(each, '__notes__', '')!r}")
            self._pickled(f"{place}, pickled", each)
        if not typed:
            self._frames(error)

    def _shown(self, error: BaseException, mode: str) -> str:
        """What a notebook shows of an error that no one catches."""
        self.shell.InteractiveTB.set_mode(mode)
        with capture_output() as captured:
            self.shell.showtraceback((type(error), error, error.__traceback__))
        assert sys.last_value is error
        return str(captured.stdout) + str(captured.stderr)

    def _frames(self, error: BaseException) -> None:
        """The frames of this package and below it, with their variables, as debuggers and error trackers send them."""
        for place, each in _chain("frames of the error", error):
            for frame, line in traceback.walk_tb(_ours(each.__traceback__)):
                where = f"{place}, {frame.f_code.co_qualname}:{line}"
                for name, value in frame.f_locals.items():
                    self._say(f"{where}, {name}", _represented(value))
        wrapped = _wrapped(error)
        for mode in self.shell.InteractiveTB.valid_modes:
            self._say(f"%xmode {mode} of an error that it caused", self._shown(wrapped, mode))

    # --- what is there afterwards

    def _displayed(self, channel: str, value: object) -> None:
        formatter: Any = self.shell.display_formatter
        self._say(channel, repr(formatter.format(value)))
        if isinstance(value, ig.Result):
            with capture_output() as captured:
                value.show()
            self._say(channel, repr([shown.data for shown in captured.outputs]))

    def _objects(self, came: object) -> None:
        for place, value in _reachable((came, *self.reached)):
            self._say(place, f"{value!r}\n{value}\n{_formatted(value)}\n{_varied(value)}")
            if isinstance(value, ig.Result | ig.Record | ig.Picture | msgspec.Struct):
                self._pickled(f"{place}, pickled", value)
                self._say(f"{place}, as JSON", json.dumps(_as_json(value), default=repr))

    def _pickled(self, place: str, value: object) -> None:
        try:
            self._say(place, pickle.dumps(value))
        except (TypeError, ValueError, AttributeError, pickle.PicklingError) as error:
            self._say(place, f"{error!r}")

    def _history(self) -> None:
        with suppress(ig.ImageGenError):  # some attempts leave no store that can be read
            for place, value in _reachable(read(self.folder / "imagegen")):
                self._say(f"history, {place}", f"{value!r}\n{_varied(value)}")
            found = ig.history(notebook=None)
            with pd.option_context("display.max_colwidth", None, "display.max_columns", None):
                self._say("history", f"{found!r}\n{found.to_csv()}\n{found.to_json(date_format='iso')}\n{found.attrs}")
                self._displayed("history", found)

    def _files(self) -> None:
        for folder in (self.folder, Path(tempfile.gettempdir()) / "imagegen"):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = str(path.relative_to(folder))
                self._say(f"file {name}", f"{name}\n{path.read_bytes().decode('latin-1')}")


def _caught(attempt: Callable[[], object]) -> object:
    try:
        return attempt()
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is looked at)
        return error


def _ours(trace_back: TracebackType | None) -> TracebackType | None:
    """A traceback from its first frame in this package on; those of the test hold the canary for its own purposes."""
    while trace_back is not None and not _is_ours(trace_back):
        trace_back = trace_back.tb_next
    return trace_back


def _is_ours(trace_back: TracebackType) -> bool:
    return str(trace_back.tb_frame.f_globals.get("__name__")).partition(".")[0] == ig.__name__


def _wrapped(error: BaseException) -> BaseException:
    """An error of the user's own that this one is the cause of."""
    own = RuntimeError("one of the user's own")
    own.__cause__ = error
    return own


def _chain(place: str, error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """The error, its cause and its context, and theirs, whether they are suppressed or not."""
    yield place, error
    if error.__cause__ is not None:
        yield from _chain(f"{place}.__cause__", error.__cause__)
    if error.__context__ is not None:
        yield from _chain(f"{place}.__context__", error.__context__)


_PLAIN: Final = (str, bytes, int, float, bool, type(None), type, Path)


def _reachable(roots: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    """Everything that the attributes of these objects lead to, each with the way there.

    The one attribute that is not followed is where the key is: Secret._value, and the method that hands it out.
    """
    queue = [(type(root).__name__, root) for root in roots]
    seen: dict[int, object] = {}
    while queue:
        place, value = queue.pop(0)
        if id(value) in seen:
            continue
        seen[id(value)] = value
        yield place, value
        queue += [(f"{place}{name}", inner) for name, inner in _inside(value)]


def _inside(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, Mapping):
        yield from ((f"[{name!r}]", inner) for name, inner in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (("[…]", inner) for inner in value)
    elif type(value).__module__.partition(".")[0] == ig.__name__:
        names = (name for name in dir(value) if name not in ("_value", "pil", "__traceback__", "__dict__"))
        for name in names:
            with suppress(AttributeError, LookupError, ig.ImageGenError):
                if not name.startswith("__") and not callable(inner := getattr(value, name)):
                    yield f".{name}", inner


def _represented(value: object) -> str:
    try:
        return repr(value)
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # what is half made cannot always say what
        return repr(error)


def _formatted(value: object) -> str:
    try:
        return f"{value:>1}"
    except (TypeError, ValueError) as error:
        return repr(error)


def _varied(value: object) -> str:
    try:
        return repr(vars(value))
    except TypeError as error:
        return repr(error)


def _as_json(value: object) -> object:
    with suppress(TypeError):
        return msgspec.to_builtins(value)
    return {name: inner for name, inner in _inside(value) if not isinstance(inner, Secret)}
