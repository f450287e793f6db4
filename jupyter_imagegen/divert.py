"""The bytes of an answer while they arrive -> the same without its long pictures, which go to sinks. Pure.

A picture in JSON is one long text of base64. It is decoded part by part as it comes, and in its place stays how it
begins and a mark that leads to what was decoded. Whatever is not spelt as an encoder spells it (line breaks, another
alphabet, escapes, no padding) stays as it came, so that the body can be put together again byte for byte. JSON and
event streams are the same here: only quotes count.
"""

from __future__ import annotations

import re
import secrets
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import pybase64

from .image import looks

SHOWN: Final = 1500
"""Letters of a diverted text that stay where they were: by these a reader knows it as a picture."""

_QUOTE: Final = b'"'
_LETTERS: Final = rb"[A-Za-z0-9+/]"
_SCHEME: Final = rb"data:[\w/+.;=-]{0,200}"
_BEGUN: Final = re.compile(rb"(?:" + _SCHEME + rb",)?" + _LETTERS + rb"*+|" + _SCHEME)
"""What may become a long text of base64, when nothing else has followed so far."""
_NAME: Final = 40
"""Bytes in which the name of a text stands before it."""
_WORDS: Final = re.compile(rb'"(?:content|text)"\s*:\s*\Z')
_LONGEST_BEGUN: Final = SHOWN + 256
"""Bytes by which it has become one, or will not."""
_LONG: Final = re.compile(rb"(?:" + _SCHEME + rb"?;base64,)?(" + _LETTERS + rb"{%d})" % SHOWN)


class Sink(Protocol):
    """Where one picture goes to while it arrives."""

    def write(self, data: bytes) -> None:
        """Take more of it."""

    def undo(self) -> bytes:
        """Give back everything that was taken. Raises StoreError."""


Into = TypeVar("Into", bound=Sink)


class Diversion(Generic[Into]):
    """One answer while it arrives; its bytes may be cut anywhere, and each is looked at once.

    A mark is `:nonce:place:`; the nonce is drawn for each answer, so that no server can write one.
    """

    def __init__(self, sink: Callable[[], Into]) -> None:
        self.nonce = f"{secrets.randbits(128):032x}"
        self.into: Into | None = None
        """Where a text goes to that has begun and not ended."""
        self.ended: list[Into] = []
        """The texts that were diverted to their end, in the order of their marks."""
        self._sink = sink
        self._held = b""
        self._before = b""

    def feed(self, part: bytes) -> bytes:
        """Take the next bytes; what of the body stays, as far as that is decided."""
        data, self._held = self._held + part, b""
        kept: list[bytes] = []
        while data:
            data = self._searched(data, kept) if self.into is None else self._decoded(data, self.into, kept)
        stays = kept[0] if len(kept) == 1 else b"".join(kept)
        self._before = (self._before + stays[-_NAME:])[-_NAME:]
        return stays

    def close(self) -> bytes:
        """What was held back, at the end of the bytes; a text that is not whole stays as it came. Raises StoreError."""
        into, self.into = self.into, None
        rest, self._held = self._held, b""
        return rest if into is None else letters_behind(into.undo()) + rest

    def _searched(self, data: bytes, kept: list[bytes]) -> bytes:
        """Keep all up to where a long text begins; what is behind that."""
        at = 0
        while (quote := data.find(_QUOTE, at)) >= 0:
            at = quote + 1
            if match := _LONG.match(data, at):
                if not self._is_of_words(data, quote) and self._begin(match[1]):
                    kept.append(data[: match.end()])
                    return data[match.end() :]
            elif len(data) - at < _LONGEST_BEGUN and _BEGUN.fullmatch(data, at):
                self._held = data[quote:]
                kept.append(data[:quote])
                return b""
        kept.append(data)
        return b""

    def _is_of_words(self, data: bytes, quote: int) -> bool:
        """Whether a text is what a model says: in a stream it may go on in the next event, and is read as one text."""
        before = data[max(0, quote - _NAME) : quote]
        return _WORDS.search(before if quote >= _NAME else self._before + before) is not None

    def _begin(self, letters: bytes) -> bool:
        """Divert the text that begins with these letters, if it is a picture."""
        start = pybase64.b64decode(letters, validate=True)
        if looks(start) is None:
            return False
        self.into = self._sink()
        self.into.write(start)
        return True

    def _decoded(self, data: bytes, into: Into, kept: list[bytes]) -> bytes:
        """Divert what belongs to the text; what is behind it."""
        end = data.find(_QUOTE)
        run, rest = (data, b"") if end < 0 else (data[:end], data[end:])
        whole = len(run) if end >= 0 else len(run) // 4 * 4
        if end < 0 and run[:whole].endswith(b"="):
            whole -= 4  # the end, when nothing but the quote follows
        try:
            into.write(_from_base64(run[:whole], is_last=end >= 0))
        except NotBase64:
            self.into = None
            kept.append(letters_behind(into.undo()) + run)
            return rest
        if end < 0:
            self._held = run[whole:]
            return b""
        kept.append(f":{self.nonce}:{len(self.ended)}:".encode())
        self.ended.append(into)
        self.into = None
        return rest


def _from_base64(text: bytes, *, is_last: bool) -> bytes:
    """The bytes of base64 text that is spelt as an encoder spells it. Raises binascii.Error for any other."""
    found = pybase64.b64decode(text, validate=True)
    # Only the last group has a choice of spellings: what its padding leaves over need not be zero.
    if text.endswith(b"=") and (not is_last or pybase64.b64encode(found[-(len(found) % 3) :]) != text[-4:]):
        raise NotBase64
    return found


def letters_behind(content: bytes) -> bytes:
    """The letters of a picture that were diverted, without those that have stayed."""
    return pybase64.b64encode(content[SHOWN // 4 * 3 :])


def mark_in(text: str, nonce: str) -> tuple[str, int] | None:
    """The letters before the mark with which a text ends, and its place; None where it ends with none."""
    before, found, place = text.removesuffix(":").rpartition(f":{nonce}:")
    return (before, int(place)) if found and text.endswith(":") and place.isdecimal() else None


def restored(body: bytes, nonce: str, content: Callable[[int], bytes]) -> bytes:
    """The body as it came, where `content` is what was decoded at a place."""

    def letters(match: re.Match[bytes]) -> bytes:
        return letters_behind(content(int(match[1])))

    return re.sub(rb":%s:(\d+):" % nonce.encode(), letters, body)
