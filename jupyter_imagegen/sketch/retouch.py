"""Paint over pictures that were sent: all of them in the sketch's hand, or one where a mask is open."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageOps

from . import caption, paint
from .brush import gradient
from .palette import palette_of
from .picture import Picture

_LETTERED = 96  # pixels: a smaller hole in a picture is filled without words
_TONES = {"low": 0.62, "high": 0.3}  # how far the colours of the prompt replace those sent, by fidelity


@dataclass(frozen=True, slots=True)
class Sitting:
    """What was sent to be edited: the pictures, upright, and the hole of the mask (255 where it is open)."""

    references: tuple[Image.Image, ...]
    hole: Image.Image | None
    fidelity: str


def edit(picture: Picture, sitting: Sitting, share: float = 1.0) -> Image.Image:
    """Paint an edit, finished, or (`share` below 1) as it is first seen."""
    if sitting.hole is None:
        return _over_all(picture, sitting, share)
    return _in_hole(picture, sitting, sitting.hole, share)


def _over_all(picture: Picture, sitting: Sitting, share: float) -> Image.Image:
    image = _unsigned(picture, sitting, share)
    if share >= 1:
        caption.write(image, picture)
    return image


def _unsigned(picture: Picture, sitting: Sitting, share: float) -> Image.Image:
    """All that was sent, painted over, without words."""
    size = max(8, round(picture.width * share)), max(8, round(picture.height * share))
    sent = _side_by_side(sitting.references, size)
    plain = _on_ground(picture, sent).convert("RGB")
    image = _in_own_hand(plain, picture, _TONES[sitting.fidelity])
    if share >= 1:
        image = ImageChops.multiply(image, _pencil(plain))
    if picture.background == "transparent":
        image.putalpha(sent.getchannel("A"))
    return paint.enlarged(image, (picture.width, picture.height))


def _in_hole(picture: Picture, sitting: Sitting, hole: Image.Image, share: float) -> Image.Image:
    """Everything outside the hole stays, to the pixel, as it was sent (but for a change of size)."""
    size = picture.width, picture.height
    image = _on_ground(picture, _fitted(sitting.references[0], size))
    opening = ImageOps.fit(hole, size, Image.Resampling.NEAREST)
    box = opening.getbbox()
    if box is not None:
        hole = opening.crop(box)
        patch = _patch(picture, sitting, box, share)
        # Words are only for a hole that is a rectangle: any other shape would cut through them.
        if share >= 1 and hole.getextrema() == (255, 255) and min(hole.size) >= _LETTERED:
            caption.write(patch, picture)
        image.paste(patch, box[:2], hole)
    return image


def _patch(picture: Picture, sitting: Sitting, box: tuple[int, int, int, int], share: float) -> Image.Image:
    """What fills the hole: the scene of the prompt, or further pictures that were sent, painted over."""
    part = dataclasses.replace(picture, width=box[2] - box[0], height=box[3] - box[1])
    others = sitting.references[1:]
    if others:
        return _unsigned(part, Sitting(others, None, sitting.fidelity), share)
    return paint.scene(part, share)


def _on_ground(picture: Picture, sent: Image.Image) -> Image.Image:
    """A picture with its transparent parts kept if asked, else filled with the scene of the prompt."""
    if picture.background == "transparent":
        return sent
    if sent.getchannel("A").getextrema() == (255, 255):
        return sent.convert("RGB")
    ground = paint.scene(dataclasses.replace(picture, width=sent.width, height=sent.height))
    ground.paste(sent, (0, 0), sent)
    return ground


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture cut and resized to fill a size, RGBA; one of that size stays as it is."""
    whole = image.convert("RGBA")
    return whole if whole.size == size else ImageOps.fit(whole, size, Image.Resampling.BICUBIC)


def _side_by_side(references: tuple[Image.Image, ...], size: tuple[int, int]) -> Image.Image:
    """The pictures in rows and columns, filling the whole."""
    columns = math.ceil(math.sqrt(len(references)))
    rows = math.ceil(len(references) / columns)
    whole = Image.new("RGBA", size)
    for at, reference in enumerate(references):
        row, column = divmod(at, columns)
        in_row = min(columns, len(references) - row * columns)
        left, right = (size[0] * (column + end) // in_row for end in (0, 1))
        top, bottom = (size[1] * (row + end) // rows for end in (0, 1))
        if right > left and bottom > top:
            whole.paste(_fitted(reference, (right - left, bottom - top)), (left, top))
    return whole


def _in_own_hand(plain: Image.Image, picture: Picture, tone: float) -> Image.Image:
    """Simplify the shapes and lay the colours of the prompt over them."""
    third = max(1, plain.width // 3), max(1, plain.height // 3)
    flat = plain.resize(third, Image.Resampling.BOX).filter(ImageFilter.MedianFilter(5))
    flat = Image.blend(flat.resize(plain.size, Image.Resampling.BICUBIC), plain, 0.25)
    return Image.blend(flat, _toned(flat, picture), tone)


def _toned(image: Image.Image, picture: Picture) -> Image.Image:
    """The light and shade of a picture in the colours of its hour, under the light of its sky."""
    palette = palette_of(picture.hour, picture.dice("palette"))
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    toned = ImageOps.colorize(grey, black=palette.near, mid=palette.middle, white=palette.horizon(), midpoint=110)
    return Image.blend(toned, ImageChops.soft_light(toned, gradient(image.size, palette.sky)), 0.6)


def _pencil(image: Image.Image) -> Image.Image:
    """The edges of a picture as lines on white; Pillow finds none at the border, so it is left out."""
    edges = image.convert("L").filter(ImageFilter.BoxBlur(1)).filter(ImageFilter.FIND_EDGES)
    lines = edges.point([255 - min(150, max(0, level - 8) * 4) for level in range(256)])
    framed = ImageOps.expand(ImageOps.crop(lines, 2), 2, fill=255) if min(lines.size) > 4 else lines
    return Image.merge("RGB", (framed, framed, framed))
