"""Studies for exports: calls as a notebook leaves them, each with an id and a time of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from jupyter_imagegen.catalogue import load
from jupyter_imagegen.exports.study import Study
from jupyter_imagegen.journal import Ended
from jupyter_imagegen.records import Record
from jupyter_imagegen.tombstone import bare_call, bare_end, bare_picture

from .made import kept, record

MADE_AT: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EVIL: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "</figcaption></dd></p></title></style><svg onload=alert(1)>",
    "<!-- --><![CDATA[ ]]><?php ?>",
    "</details><base href=//evil.example><meta http-equiv=refresh content=0>",
    "&lt;b&gt; &amp;amp; &#x3c;i&#x3e; &notanentity",
    "{title} {0} %s ${x}",
    "`code` ``` fence ```` | pipe \\| \\` *bold* _it_ [a](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "# head\n\n- item\n\n---\n\n<b>bold</b>\n\n    code\n\n| a | b |\n| - | - |\n",
    "$x^2$ $$\\frac{1}{2}$$ https://evil.example www.evil.example a@evil.example",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe \u2028 \u2029 \x00 \x1b[31m \x7f \x85",
    "---\nyaml: [",
)
"""Texts that mean something in HTML, Markdown, YAML, CSV or a format string."""


def call(number: int, store: Path, *pictures: bytes, status: str = "ok", **given: Any) -> Record:
    """A call with these pictures: fields of its lines, `fields` of its request, `picture` what is said of each."""
    name = f"20261121T0415{number:02}123456Z-{number:08x}"
    of_picture = given.pop("picture", {})
    images = tuple(kept(store, data, place, name, **of_picture) for place, data in enumerate(pictures))
    of_end = {key: given.pop(key) for key in tuple(given) if key in Ended.__struct_fields__ and key not in ("id", "at")}
    whole = {"id": name, "at": f"2026-11-21T04:15:{number:02}.123456Z", "n": len(images) or 1, "model": "m", **given}
    whole["params"] = msgspec.Raw(msgspec.json.encode(whole.pop("fields", {})))
    end = Ended(id=name, at="2026-11-21T04:16:00Z", status=status, latency_s=8.6, attempts=1, **of_end)
    return record(*images, end=end, call=whole)


def forgotten(gone: Record) -> Record:
    """What stays of a call that was forgotten."""
    return msgspec.structs.replace(
        gone,
        call=bare_call(gone.call),
        images=tuple(map(bare_picture, gone.images)),
        end=gone.end and bare_end(gone.end),
        marks=(),
        is_forgotten=True,
    )


def study(store: Path, *records: Record, **given: Any) -> Study:
    """A study of these records."""
    whole: dict[str, Any] = {
        "records": records,
        "store": store,
        "title": "otters.ipynb",
        "notebook": None,
        "made_at": MADE_AT,
        "catalogue": load(),
        "embed": (),
        **given,
    }
    return Study(**whole)
