"""Paint a picture and encode it: the same value gives the same bytes, in every process of a machine."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageEnhance

from . import caption
from .brush import Canvas
from .city import city
from .picture import Picture
from .scenes import dunes, forest, lake, meadow, peaks, sea
from .space import space

SCENES: Mapping[str, Callable[[Canvas], None]] = MappingProxyType(
    {
        "peaks": peaks,
        "lake": lake,
        "sea": sea,
        "dunes": dunes,
        "forest": forest,
        "city": city,
        "meadow": meadow,
        "space": space,
    }
)
"""What paints each kind of scene."""

_SATURATION: Mapping[str, float] = MappingProxyType({"vivid": 1.3, "natural": 0.8})
_CANVAS = 2048 * 1152  # pixels painted at most: a larger picture is enlarged from this many


def paint(picture: Picture) -> Image.Image:
    """Paint a picture with its caption: RGB, or RGBA with no sky when its background is transparent."""
    image = scene(picture)
    caption.write(image, picture)
    return image


def scene(picture: Picture, share: float = 1.0) -> Image.Image:
    """Paint a picture without its caption; a `share` below 1 is painted that much smaller, then enlarged."""
    limit = (_CANVAS / (picture.width * picture.height)) ** 0.5
    return enlarged(_painted(picture, min(1.0, limit, share)), (picture.width, picture.height))


def sharpness(stage: int, stages: int) -> float:
    """The share of the size at which a preview is painted; stage 0 is the first of `stages`."""
    return math.pow(60, (stage + 1) / (stages + 1)) / 110


def _painted(picture: Picture, share: float) -> Image.Image:
    size = max(8, round(picture.width * share)), max(8, round(picture.height * share))
    canvas = Canvas(picture, size)
    SCENES[picture.scene](canvas)
    image = canvas.image
    if picture.style:
        image = ImageEnhance.Color(image).enhance(_SATURATION[picture.style])
    if canvas.alpha is not None:
        image.putalpha(canvas.alpha)
    return image


def enlarged(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture brought to a size; one that has it stays as it is."""
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def encode(image: Image.Image, output_format: str, compression: int) -> bytes:
    """The bytes of a picture as "png", "jpeg" or "webp".

    `compression` is 0..100, and 100 keeps the most; png keeps all.
    """
    buffer = io.BytesIO()
    if output_format == "png":
        image.save(buffer, "PNG", compress_level=2)
    elif output_format == "jpeg":
        image.convert("RGB").save(buffer, "JPEG", quality=max(1, min(compression, 95)))
    else:
        image.save(buffer, "WEBP", quality=compression, method=0)
    return buffer.getvalue()
