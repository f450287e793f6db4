"""Small pictures for the notebook, made from stored ones, and all that is done with pixels on the way."""

from __future__ import annotations

import math
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw, ImageFile, ImageFont, ImageOps, UnidentifiedImageError

from .lately import Lately, digest

LONGEST_SIDE: Final = 512
HEAVIEST: Final = 30_000
"""Bytes of a preview: 40 KB in a notebook, which holds them in base64."""

MOST_PIXELS: Final = 3840 * 2160 * 8
"""Above this a picture is stored and not decoded: a bomb of a few kilobytes can unpack to gigabytes."""

# Formats that a server may make this machine decode; Pillow knows many more, and each is a surface to attack.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# What Pillow raises for pixels that are cut, altered or made up: they come from a stranger.
_UNDECODABLE: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError),
    *(AssertionError, RuntimeError, MemoryError, EOFError, struct.error),
)
# Rows are turned into numbers of more than 8 bits each: `RGB;16B` of PNG, `I;12`, `F;32F` of TIFF.
_FINE: Final = re.compile(r";(12|16|24|32|64)")
_GRID_CELL: Final = 256
_ROW_CELL: Final = 320
_LABEL: Final = 22
_MARGIN: Final = 6
_PAPER: Final = (255, 255, 255)
_INK: Final = (70, 70, 70)
_MOST_KEPT: Final = 16 * 2**20
"""Bytes of previews, and as many of thumbnails, that are kept in memory to be shown again."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A PNG or JPEG that is small enough to live in a notebook."""

    mime: str
    data: bytes = field(repr=False)
    width: int
    height: int


_previews: Final[Lately[Preview]] = Lately(_MOST_KEPT)
_thumbnails: Final[Lately[Pillow.Image]] = Lately(_MOST_KEPT)


def preview(path: Path, side: int = LONGEST_SIDE, heaviest: int = HEAVIEST) -> Preview | None:
    """At most `side` pixels long and about `heaviest` bytes; None for a file that is not decoded here (SVG, a bomb)."""
    data = _read(path)
    shown = digest(data), side, heaviest
    found = _previews.find(shown)
    if found is None and (picture := _small(data, side)) is not None:
        found = _encoded(picture, heaviest)
        _previews.keep(shown, found, len(found.data))
    return found


def painted(pictures: tuple[tuple[str, bytes], ...]) -> Preview | None:
    """Pictures that are still being painted, each with its label; None where none of them can be decoded."""
    if len(pictures) > 1:
        return _square([(label, small) for label, data in pictures if (small := _small(data, _GRID_CELL)) is not None])
    picture = _small(pictures[0][1], LONGEST_SIDE) if pictures else None
    return None if picture is None else _encoded(picture, HEAVIEST)


def full(path: Path) -> Preview | None:
    """The stored bytes themselves where a notebook can show them, else the whole picture as PNG."""
    data = _read(path)
    picture = load(data)
    if picture is None:
        return None
    if picture.format in ("PNG", "JPEG"):
        return Preview(f"image/{picture.format.lower()}", data, *picture.size)
    try:
        return _as_png(_plain(picture))
    except _UNDECODABLE:
        return None


def grid(pictures: tuple[tuple[str, Path], ...]) -> Preview | None:
    """One sheet of labelled thumbnails, row by row; None where none of them can be decoded."""
    return _square([(label, small) for label, path in pictures if (small := _thumbnail(path)) is not None])


def _thumbnail(path: Path) -> Pillow.Image | None:
    """One picture of a grid; it is not to be changed."""
    data = _read(path)
    shown = (digest(data),)
    found = _thumbnails.find(shown)
    if found is None and (small := _small(data, _GRID_CELL)) is not None:
        found = small.copy()  # what Pillow opened holds on to the bytes of the file
        _thumbnails.keep(shown, found, 4 * found.width * found.height)
    return found


def _square(cells: list[tuple[str, Pillow.Image]]) -> Preview | None:
    return _sheet(cells, columns=math.ceil(math.sqrt(len(cells))))


def row(pictures: tuple[tuple[str, Pillow.Image], ...]) -> Preview | None:
    """One row of labelled pictures, each at most 320 px long; None for no pictures."""
    return _sheet([(label, _within(picture, _ROW_CELL)) for label, picture in pictures], columns=len(pictures))


def _within(picture: Pillow.Image, side: int) -> Pillow.Image:
    """The same where it is small enough; a whole copy to be reduced in place would double a large one."""
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    # First by the mean of whole squares of pixels, which takes a tenth of the time; the rest, if any, smoothly.
    return picture.resize(size, Pillow.Resampling.BICUBIC, reducing_gap=1.0)


def _sheet(cells: list[tuple[str, Pillow.Image]], columns: int) -> Preview | None:
    if not cells:
        return None
    font = ImageFont.load_default(14)
    rows = math.ceil(len(cells) / columns)
    height = max(small.height for _, small in cells)
    # A label that is wider than its picture would be written over the next one.
    width = max(max(small.width, math.ceil(font.getlength(label))) for label, small in cells)
    step = (width + _MARGIN, height + _LABEL + _MARGIN)
    sheet = Pillow.new("RGB", (columns * step[0] + _MARGIN, rows * step[1] + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (label, small) in enumerate(cells):
        left, top = _MARGIN + place % columns * step[0], _MARGIN + place // columns * step[1]
        at = (left + (width - small.width) // 2, top + (height - small.height) // 2)
        sheet.paste(small, at, small if small.mode == "RGBA" else None)
        draw.text((left + width // 2, top + height + 3), label, _INK, font, anchor="ma")
    return _as_jpeg(sheet, HEAVIEST * len(cells))


def load(data: bytes) -> ImageFile.ImageFile | None:
    """The picture in these bytes, its pixels not yet decoded; None for a format or a size that is not decoded here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a bomb, of odd tags: nobody here can mend them
            picture = Pillow.open(BytesIO(data), formats=FORMATS)
    except (UnidentifiedImageError, Pillow.DecompressionBombError, *_UNDECODABLE):
        return None
    return picture if picture.width * picture.height <= MOST_PIXELS else None


def decoded(data: bytes) -> Pillow.Image | None:
    """The picture in these bytes, its pixels decoded; None where that cannot be done here."""
    picture = load(data)
    try:
        if picture is not None:
            with warnings.catch_warnings(action="ignore"):
                picture.load()
    except _UNDECODABLE:
        return None
    return picture


def upright(data: bytes) -> Pillow.Image | None:
    """The whole picture as it is shown: turned as its EXIF says, RGBA where something shows through, else RGB.

    Of a moving picture it is the first frame, of finer levels their first 8 bits; None where it cannot be decoded here.
    """
    picture = decoded(data)
    if picture is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            ImageOps.exif_transpose(picture, in_place=True)
            return _plain(picture)
    except _UNDECODABLE:
        return None


def left_out(data: bytes) -> tuple[str, ...]:
    """What `upright` does not show of these bytes, in words; nothing for most pictures."""
    picture = load(data)
    if picture is None:
        return ()
    # In BMP `;16` is a whole pixel. The plan of decoding is there until the pixels are.
    is_fine = picture.format in ("PNG", "TIFF") and any(_FINE.search(str(tile.args)) for tile in picture.tile)
    return (
        *(("frames after the first",) if _is_moving(picture) else ()),
        *(("levels finer than 8 bits",) if is_fine else ()),
    )


def _is_moving(picture: Pillow.Image) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            return bool(getattr(picture, "is_animated", False))
    except _UNDECODABLE:
        return False


def difference(a: Pillow.Image, b: Pillow.Image) -> Pillow.Image:
    """How far two pictures of one size are apart, in levels of each channel (RGB, or RGBA where either is).

    Nobody sees the colour of a pixel that is wholly transparent, and encoders drop it: it counts as black.
    """
    if "RGBA" in (a.mode, b.mode):
        a, b = _seen(a.convert("RGBA")), _seen(b.convert("RGBA"))
    return ImageChops.difference(a, b)


def _seen(picture: Pillow.Image) -> Pillow.Image:
    seen = Pillow.new("RGBA", picture.size)
    seen.paste(picture, mask=picture.getchannel("A").point(lambda level: 255 if level else 0))
    return seen


def strongest(picture: Pillow.Image) -> Pillow.Image:
    """The highest of the channels at each pixel, as grey."""
    return reduce(ImageChops.lighter, picture.split())


def amplified(grey: Pillow.Image, factor: int) -> Pillow.Image:
    """A small copy of a grey picture, `factor` times as bright; what is above white is white.

    It is brightened after it is made small, and in fractions of levels: one pixel of a large picture is still seen.
    """
    return _within(grey.convert("F"), _ROW_CELL).point(lambda level: level * factor).convert("L")


def _read(path: Path) -> bytes:
    """The bytes of a file; none for one that is gone, which then has no preview."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return b""


def _small(data: bytes, side: int) -> Pillow.Image | None:
    picture = load(data)
    if picture is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            picture.draft("RGB", (side, side))  # JPEG is decoded at a fraction of its size
            ImageOps.exif_transpose(picture, in_place=True)
            return _within(_plain(picture), side)
    except _UNDECODABLE:
        return None


def _plain(picture: Pillow.Image) -> Pillow.Image:
    """RGBA where something shows through, else RGB; the same where it is that already."""
    if picture.mode.startswith("I"):
        # 16 bits of grey: without this, everything above 255 would be white.
        picture = picture.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    picture = picture.convert("RGBA")
    lowest, _ = picture.getchannel("A").getextrema()
    return picture if lowest < 255 else picture.convert("RGB")  # type: ignore[operator]


def _encoded(small: Pillow.Image, heaviest: int) -> Preview:
    """As it is where that is light enough, else smaller until it is; noise stays heavy at any quality."""
    for smaller in _smaller(small):
        opaque = smaller.mode == "RGB"
        found = _as_jpeg(smaller, heaviest) if opaque else _as_png(smaller.quantize(256, Pillow.Quantize.FASTOCTREE))
        if len(found.data) <= heaviest:
            break
    return found


def _as_jpeg(picture: Pillow.Image, heaviest: int) -> Preview:
    """The best quality that is light enough; the smallest one where none is."""
    data = b""
    for quality in (85, 75, 60, 45, 30):
        data = _saved(picture, "JPEG", quality=quality)
        if len(data) <= heaviest:
            break
    return Preview("image/jpeg", data, *picture.size)


def _smaller(picture: Pillow.Image) -> Iterator[Pillow.Image]:
    while True:
        yield picture
        if max(picture.size) < 64:
            return
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))


def _as_png(picture: Pillow.Image) -> Preview:
    return Preview("image/png", _saved(picture, "PNG"), *picture.size)


def _saved(picture: Pillow.Image, name: str, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()
