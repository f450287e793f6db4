"""The preview of a photograph, and Pillow decoding the same file."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Final

from PIL import Image

from benchmarks.photograph import photograph
from jupyter_imagegen.preview import preview

from .serving import Figures, serve
from .stopwatch import timed

_STORE: Final = Path(os.environ["IMAGEGEN_STORE"])


def photographs(times: int) -> Figures:
    """The medians of so many turns, both in each."""
    _STORE.mkdir(parents=True, exist_ok=True)
    path, data = _STORE / "photograph.png", photograph()
    turns = [_turn(path, data) for _ in range(times)]
    previews, decodings = zip(*turns, strict=True)
    return {"preview_s": statistics.median(previews), "decode_s": statistics.median(decodings)}


def _turn(path: Path, data: bytes) -> tuple[float, float]:
    """Of bytes that were not seen before: a preview is made once. What stands behind the end is not decoded."""
    path.write_bytes(data + os.urandom(8))
    return timed(lambda: preview(path))["wall_s"], timed(lambda: _decode(path))["wall_s"]


def _decode(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


if __name__ == "__main__":
    serve(photographs=photographs)
