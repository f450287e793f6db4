"""What the store acknowledges, told at the moment when it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_imagegen import blobs
from jupyter_imagegen.image import Image
from jupyter_imagegen.journal import AnyLine, Segment


def acknowledge(say: Callable[..., None], put: Callable[[Any, str, Any], None]) -> None:
    """Have each line and each file told once the store has said that it is kept; `put` is setattr, or a patch."""
    append, keep = Segment.append, blobs._keep

    def appended(self: Segment, *lines: AnyLine) -> None:
        append(self, *lines)
        for line in lines:
            say(what="line", line=msgspec.json.encode(line).decode())

    def kept(store: Path, folder: str, image: Image, words: str) -> str:
        below = keep(store, folder, image, words)
        say(what="file", path=below, sha256=image.sha256)
        return below

    put(Segment, "append", appended)
    put(blobs, "_keep", kept)
