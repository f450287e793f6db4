"""The contact sheet: one HTML file with a small copy of every picture, to look at and to print.

It needs nothing beside itself: no script, no request, and a policy in its head that forbids both. All text is escaped.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from .. import __version__
from ..bill import spent
from ..catalogue import CUSTOM
from ..journal import Kept
from ..mismatch import mismatch
from ..plan import dollars
from ..preview import preview
from ..records import Record
from ..result import Picture
from . import beside, portable
from .originals import left, original
from .prose import count, line, sentences
from .study import Study

_SIDE: Final = 320
_HEAVIEST: Final = 20_000
"""Pixels and bytes of a small copy: 500 of them are at most 14 MB of HTML."""

_LONGEST_ALT: Final = 400
_LONGEST_PROMPT: Final = 600
_BEGINNING: Final = 160
"""Letters; of a prompt that is longer the beginning is shown, and the rest unfolded on a click and on paper."""

_STAYS: Final = frozenset({"model", "provider", "asked at", "status", "cost", "sha256", "call", "again of"})
"""What is said of a forgotten call."""

_ELSEWHERE: Final = ("model", "prompt")
"""Fields that have a line of their own."""

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #5c5f66; --line: #d7d9de; --paper: #fff; --under: #f4f5f7;
  --good: #1a6b3c; --bad: #a3241c; --odd: #8a5200; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --soft: #a9adb6; --line: #3d4048; --paper: #1b1c20;
  --under: #121316; --good: #7fd6a0; --bad: #ff9d94; --odd: #f2c078; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--under); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header, main, footer { max-width: 1440px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { margin: 0 0 4px; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; unicode-bidi: plaintext; }
header p, footer p { margin: 0; color: var(--soft); }
footer { padding-bottom: 32px; font-size: 0.85rem; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 16px;
  margin: 20px 0; padding: 0; list-style: none; align-items: start; }
figure, article { margin: 0; overflow: hidden; border: 1px solid var(--line); border-radius: 8px;
  background: var(--paper); }
img { display: block; width: auto; max-width: 100%; height: auto; margin: 0 auto;
  background: repeating-conic-gradient(#8882 0 25%, #0000 0 50%) 0 0 / 16px 16px; }
.frame { background: var(--under); border-bottom: 1px solid var(--line); }
.gone { margin: 0; padding: 40px 14px; color: var(--soft); text-align: center; }
figcaption, article { padding: 12px 14px 14px; }
.prompt { margin: 0 0 10px; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
details { margin: 0 0 10px; } summary { cursor: pointer; overflow-wrap: anywhere; unicode-bidi: plaintext; }
details .prompt { margin: 8px 0 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0; font-size: 0.82rem; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; white-space: pre-wrap;
  unicode-bidi: plaintext; }
code { font: 0.92em/1.4 ui-monospace, monospace; }
.ok { color: var(--good); } .refused, .failed { color: var(--bad); }
.cancelled, .unknown, .running, .differs { color: var(--odd); }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --under: #fff;
    --good: #0b4d27; --bad: #7d140e; --odd: #5e3800; }
  body { font-size: 9.5pt; } header, main, footer { max-width: none; padding: 0; }
  ol { grid-template-columns: repeat(3, 1fr); gap: 10px; } figure, article { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } }
"""

# The policy names the style sheet by its digest, so that no other one is taken, not even in an attribute.
_DIGEST: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_POLICY: Final = f"default-src 'none'; img-src data:; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{counts}</p>
</header>
<main>
<ol role="list">
{cards}
</ol>
</main>
<footer>
<p>{foot}</p>
</footer>
</body>
</html>
"""

_FIGURE: Final = '<li><figure><div class="frame">{image}</div><figcaption>{caption}</figcaption></figure></li>'
_CARD: Final = "<li><article>{caption}</article></li>"
_FOLDED: Final = '<details><summary>{begin}</summary><p class="prompt">{whole}</p></details>'

_STATUSES: Final = ("ok", "refused", "failed", "cancelled", "unknown", "running")

_CODE: Final = frozenset({"parameters", "sha256", "call", "again of"})
_AT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z")

Texts = Iterator[tuple[str, str | None]]
"""What is said of a picture or a call: a name of ours, and a text of anybody's."""


def write(study: Study, target: Path) -> Path:
    """Write the sheet to a file, in the place of one that is there, and return its path. Raises StoreError."""
    return beside.write(target, html(study).encode("utf-8", "replace"))


def html(study: Study) -> str:
    """The whole page; a picture whose file is gone or cannot be decoded here is a card that says so."""
    return _PAGE.format(
        policy=_POLICY,
        style=_STYLE,
        title=_escaped(study.title),
        counts=_escaped(_counts(study)),
        cards="\n".join(card for record in study.records for card in _cards(study, record)),
        foot=_escaped(_foot(study)),
    )


def _escaped(text: str) -> str:
    return escape(portable.clean(text))


def _counts(study: Study) -> str:
    """How many calls of which outcome, how many pictures, and what is known of their cost."""
    statuses = Counter(record.status for record in study.records)
    pictures = sum(len(record.images) for record in study.records)
    shown = [study.selection().removesuffix(".")] if study.selection() else []
    parts = [count(pictures, "picture"), *shown, *_lost(study), count(len(study.records), "call")]
    parts += [f"{statuses[name]} {name}" for name in _STATUSES if statuses[name]]
    forgotten = sum(record.is_forgotten for record in study.records)
    parts += [f"{forgotten} forgotten"] if forgotten else []
    return " · ".join([*parts, f"known cost {spent(study.records)!r}"])


def _lost(study: Study) -> Iterator[str]:
    """How many of the pictures that are shown are not there as they were received."""
    found = left(study.pictures())
    if found.altered:
        yield f"{found.altered} altered"
    if found.gone:
        yield f"{found.gone} gone"


def _foot(study: Study) -> str:
    parts = [
        f"Made {study.made_at:%Y-%m-%d %H:%M} UTC by jupyter-imagegen {__version__}.",
        "The pictures here are small copies; the sha256 is that of the original.",
        f"License: {study.license}" if study.license else "",
    ]
    return sentences(parts)


# --- one card for each picture, and one for each call without any


def _cards(study: Study, record: Record) -> Iterator[str]:
    if record.is_forgotten or not record.images:
        yield _CARD.format(caption=_words(record) + _list(_facts(study, record, None)))
        return
    for picture in study.pictures_of(record):
        caption = _words(record) + _list(_facts(study, record, picture.kept))
        yield _FIGURE.format(image=_image(picture), caption=caption)


def _words(record: Record) -> str:
    """The prompt; of a forgotten call there is none."""
    if record.is_forgotten:
        return '<p class="gone">This call was forgotten: its words and pictures were removed.</p>'
    whole = _escaped(record.prompt)
    if len(record.prompt) <= _LONGEST_PROMPT:
        return f'<p class="prompt">{whole}</p>'
    begin = f"{line(record.prompt)[:_BEGINNING]}… ({len(record.prompt)} letters)"
    return _FOLDED.format(begin=_escaped(begin), whole=whole)


def _image(picture: Picture) -> str:
    found = original(picture)
    small = preview(picture.path, _SIDE, _HEAVIEST) if found.data else None
    if small is None:
        remark = found.remark or f"No preview: {picture.format} is not decoded here."
        return f'<p class="gone">{_escaped(remark)}</p>'
    data = b64encode(small.data).decode("ascii")
    size = f'width="{small.width}" height="{small.height}"'
    return f'<img src="data:{small.mime};base64,{data}" alt="{_alt(picture.record)}" {size} loading="lazy">'


def _alt(record: Record) -> str:
    prompt = line(record.prompt)
    return _escaped(prompt if len(prompt) <= _LONGEST_ALT else f"{prompt[: _LONGEST_ALT - 1]}…")


# --- what is said below a picture


def _list(facts: Iterator[tuple[str, str]]) -> str:
    """Names, and HTML that is escaped already, as a list of terms."""
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def _facts(study: Study, record: Record, kept: Kept | None) -> Iterator[tuple[str, str]]:
    """All that is known of a picture, or of a call without one; a line with nothing in it is left out."""
    for name, text in (*_of_call(study, record), *_of_picture(record, kept), *_of_origin(record, kept)):
        if text and (name in _STAYS or not record.is_forgotten):
            yield name, _dressed(name, text)


def _of_call(study: Study, record: Record) -> Texts:
    yield "model", record.model
    yield "provider", _provider(record)
    yield "asked at", _time(record.call.at)
    yield "status", record.status
    yield "error", portable.sentence(record.error, study.store) if record.error else None
    yield "cost", _cost(record)
    yield "parameters", _parameters(record)


def _of_picture(record: Record, kept: Kept | None) -> Texts:
    index = None if kept is None else kept.index
    rating = record.rating_of(index)
    if kept is not None:
        yield "picture", _size(kept)
        yield "differs", mismatch(record, kept)
        yield "rewritten as", kept.revised_prompt
    yield "tags", ", ".join(record.tags_of(index))
    yield "rating", None if rating is None else f"{rating} of 5"
    yield "note", record.note_of(index)


def _of_origin(record: Record, kept: Kept | None) -> Texts:
    yield "sha256", "\n".join(each.sha256 for each in ((kept,) if kept is not None else record.images))
    yield "call", record.id if kept is None else f"{record.id}[{kept.index}]"
    yield "again of", record.parent_id


def _dressed(name: str, text: str) -> str:
    value = _escaped(text)
    if name == "differs":
        return f'<span class="differs">{value}</span>'
    # Another hand may have written any word as a status.
    if name == "status" and text in _STATUSES:
        return f'<span class="{text}">{text}</span>'
    return f"<code>{value}</code>" if name in _CODE else value


def _provider(record: Record) -> str:
    """Its name; of an address that was typed, that too."""
    if record.provider != CUSTOM:
        return record.provider
    return f"{CUSTOM}, {portable.address(record.call.base_url)}"


def _time(at: str) -> str:
    """To the second; a time of another form stays as it is."""
    found = _AT.match(at)
    return f"{found[1]} {found[2]} UTC" if found else at


def _size(kept: Kept) -> str:
    sides = f"{kept.width} × {kept.height} " if kept.width is not None and kept.height is not None else ""
    return f"{sides}{kept.format}, {max(1, round(kept.bytes / 1000)):,} kB"


def _cost(record: Record) -> str | None:
    """The share of one picture in what its call cost; nothing for a call that made none and cost none."""
    if record.cost_usd is None:
        return "not known" if spent((record,)).unknown else None
    return dollars(record.cost_usd / max(1, len(record.images))) if record.cost_usd else "none"


def _parameters(record: Record) -> str:
    """Each field that was asked for, with its value: texts as they are, all else as JSON."""
    asked = portable.fields(record.asked)
    fields = ((name, value) for name, value in asked.items() if name not in _ELSEWHERE)
    return ", ".join(f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in fields)
