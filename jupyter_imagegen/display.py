"""Results, progress and dry runs as mimebundles: pictures as image/png or image/jpeg, all text escaped.

No text from a server becomes HTML here, and only our own templates are text/html.
"""

from __future__ import annotations

import sys
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from .blobs import nearby
from .mismatch import of_calls, of_picture
from .plan import dollars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import DisplayHandle

    from .preview import Preview
    from .result import Picture, Result
    from .sight import Sight

Bundle = dict[str, str]
Metadata = Mapping[str, Mapping[str, str | int]]

PLAIN: Final = 'class="mathjax_ignore tex2jax_ignore" style="font-size: 85%; opacity: 0.75"'
"""Of a line below a picture: small, and no formula, which a page would see between the dollars of two prices."""

_FIRST_TICK_S: Final = 1.0
_LONGEST_ALT: Final = 400


def show(result: Result) -> None:
    """Display the pictures of a result, then its caption."""
    from IPython.display import display  # noqa: PLC0415  (not needed in a script)

    for data, metadata in bundles(result):
        if data:
            display(data, raw=True, metadata=dict(metadata))


def bundles(result: Result) -> tuple[tuple[Bundle, Metadata], tuple[Bundle, Metadata]]:
    """What a notebook is given of a result, with its metadata: the picture, empty where there is none; the caption."""
    return _picture_bundle(result), (_lines_bundle(caption_lines(result)), {})


def _picture_bundle(result: Result) -> tuple[Bundle, Metadata]:
    found = picture_of(result)
    if found is None:
        return {}, {}
    mime, alt = found.mime, _alt(result)
    data = {mime: b64encode(found.data).decode("ascii"), "text/plain": alt}
    return data, {mime: {"alt": alt, "width": found.width, "height": found.height}}


def picture_of(result: Result) -> Preview | None:
    """The one picture that shows a result: a preview, the whole, or of several a labelled grid."""
    if result.inline == "none" or not result.pictures:
        return None
    from . import preview  # noqa: PLC0415  (Pillow is loaded when a picture is first shown)

    if len(result) > 1:
        return preview.grid(tuple((f"[{place}]", picture.path) for place, picture in enumerate(result)))
    return (preview.full if result.inline == "full" else preview.preview)(result[0].path)


def _alt(result: Result) -> str:
    prompts = dict.fromkeys(" ".join(picture.record.prompt.split()) for picture in result)
    prompt = "; ".join(prompts)
    return prompt if len(prompt) <= _LONGEST_ALT else f"{prompt[: _LONGEST_ALT - 1]}…"


def caption_lines(result: Result) -> list[str]:
    """One line for each picture (model, size, format, time, cost, path), and the note of a choice that nobody made."""
    lines = [_caption(picture, f"[{place}] " if len(result) > 1 else "") for place, picture in enumerate(result)]
    came = (of_calls(result.records), *_differences(result)) if lines else ()
    notes = [note for note in (*came, *result.notes) if note]
    return [*lines, *(f"({note})" for note in notes)]


def _differences(result: Result) -> Iterator[str]:
    """What is said once of pictures that are not as they were asked for."""
    found = (each for picture in result for each in of_picture(picture.record, picture.kept))
    yield from dict.fromkeys(found)


def _caption(picture: Picture, number: str) -> str:
    record = picture.record
    size = f"{picture.width}×{picture.height} {picture.format}" if picture.width else picture.format
    taken = f"{record.end.latency_s:.1f} s" if record.end is not None else ""
    name = f"{record.model} at {record.provider}" if record.model not in (None, record.provider) else record.provider
    parts = (name, size, taken, _cost(picture), nearby(picture.path))
    return number + " · ".join(part for part in parts if part)


def _cost(picture: Picture) -> str:
    """The share of one picture in what its call cost."""
    record = picture.record
    if record.cost_usd is None:
        return "cost unknown"
    return dollars(record.cost_usd / max(1, len(record.images))) if record.cost_usd else "no cost"


def _lines_bundle(lines: list[str]) -> Bundle:
    html = "<br>".join(escape(line) for line in lines)
    return {"text/plain": "\n".join(lines), "text/html": f"<div {PLAIN}>{html}</div>"}


class Progress:
    """One line that says how long a call has been under way, and what is painted so far; both go at its end.

    In a kernel each is a display of its own, updated in place; in a terminal there is a line on standard error;
    elsewhere nothing.
    """

    def __init__(self, shell: InteractiveShell | None, subject: str) -> None:
        self._subject = subject
        self._began = time.monotonic()
        self._said = 0
        self._seen: tuple[Sight, ...] = ()
        self._is_kernel = shell is not None and getattr(shell, "kernel", None) is not None and _publishes(shell)
        self._line = Spot()
        self._picture = Spot()

    def tick(self, sights: tuple[Sight, ...]) -> None:
        """Say the elapsed whole seconds, once for each, and show the previews, once for each."""
        if sights is not self._seen and self._is_kernel:
            self._seen = sights
            self._show(sights)
        elapsed = time.monotonic() - self._began
        if elapsed >= _FIRST_TICK_S and int(elapsed) != self._said:
            self._said = int(elapsed)
            self._say(f"{self._subject}: {self._said} s …")

    def close(self) -> None:
        """Take the line and the previews away."""
        with suppress(OSError, ValueError):
            self._picture.clear()
        if self._said:
            self._say("")

    def _say(self, text: str) -> None:
        # pythonw and services have no standard error. A line that cannot be written must not end a paid call.
        with suppress(OSError, ValueError):
            if self._is_kernel:
                self._line.put({"text/plain": text})
            elif sys.stderr is not None and sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{text}")
                sys.stderr.flush()

    def _show(self, sights: tuple[Sight, ...]) -> None:
        from . import preview  # noqa: PLC0415  (Pillow is loaded when a picture is first shown)

        found = preview.painted(tuple((f"[{sight.place}]", sight.data) for sight in sights))
        if found is not None:
            alt = f"being painted: preview {sights[-1].number}"
            with suppress(OSError, ValueError):
                self._picture.put({found.mime: b64encode(found.data).decode("ascii"), "text/plain": alt})


class Spot:
    """A display of our own, in the cell that runs when the first thing is put there; what follows takes its place."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def put(self, bundle: Mapping[str, Any], metadata: Metadata = MappingProxyType({})) -> None:
        """Show it here."""
        if self._handle is None:
            from IPython.display import DisplayHandle  # noqa: PLC0415  (not needed in a script)

            self._handle = DisplayHandle()
            self._handle.display(bundle, raw=True, metadata=dict(metadata))
        else:
            self._handle.update(bundle, raw=True, metadata=dict(metadata))

    def clear(self) -> None:
        """Show nothing here, if anything was shown."""
        if self._handle is not None:
            self.put({"text/plain": ""})


class Silence:
    """The progress of a quiet call."""

    def tick(self, sights: tuple[Sight, ...]) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Take nothing away."""


def _publishes(shell: InteractiveShell) -> bool:
    """False under %%capture, which would keep every tick as an output of its own."""
    from IPython.core.displaypub import CapturingDisplayPublisher  # noqa: PLC0415  (not needed in a script)

    return not isinstance(shell.display_pub, CapturingDisplayPublisher)
