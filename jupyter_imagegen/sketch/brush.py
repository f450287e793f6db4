"""The canvas and what one paints with: gradients, antialiased stencils, glows and soft noise.

Every method takes pixels of the canvas. A canvas of another size is painted with the same random choices, so
a small one is a first impression of a large one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw

from .palette import Colour, Palette, mix, palette_of
from .picture import Picture
from .relief import Outline

Box = tuple[int, int, int, int]

_FINE = 2  # stencils are drawn this much larger and reduced: Pillow draws polygons with hard edges


class Stencil:
    """A mask of a part of the canvas, drawn at twice its size so that its edges are soft."""

    def __init__(self, box: Box) -> None:
        """Begin an empty stencil over a box of the canvas."""
        self.left, self.top = box[0], box[1]
        self.size = max(1, box[2] - box[0]), max(1, box[3] - box[1])
        self._fine = Image.new("L", (self.size[0] * _FINE, self.size[1] * _FINE))
        self._pen = ImageDraw.Draw(self._fine)

    def polygon(self, points: Sequence[tuple[float, float]], strength: int = 255) -> None:
        """Fill a polygon."""
        self._pen.polygon([self._place(x, y) for x, y in points], fill=strength)

    def ellipse(self, x: float, y: float, across: float, down: float, strength: int = 255) -> None:
        """Fill an ellipse around a point, by its two radii."""
        self._pen.ellipse((*self._place(x - across, y - down), *self._place(x + across, y + down)), fill=strength)

    def line(self, points: Sequence[tuple[float, float]], width: float, strength: int = 255) -> None:
        """Draw a line through points; never thinner than half a pixel."""
        self._pen.line([self._place(x, y) for x, y in points], fill=strength, width=max(1, round(width * _FINE)))

    def mask(self) -> Image.Image:
        """The finished mask."""
        return self._fine.reduce(_FINE)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) * _FINE, (y - self.top) * _FINE


class Canvas:
    """A picture while it is being painted: its colours, and its alpha where there is no sky."""

    def __init__(self, picture: Picture, size: tuple[int, int]) -> None:
        """Take a fresh canvas of a size for a picture."""
        self.picture = picture
        self.width, self.height = size
        self.unit = float(min(size))
        self.palette: Palette = palette_of(picture.hour, picture.dice("palette"))
        self.detail = picture.detail
        self.image = Image.new("RGB", size, self.palette.land(0.3))
        self.alpha = Image.new("L", size) if picture.background == "transparent" else None

    def dice(self, *labels: object) -> random.Random:
        """Random numbers for one thing on the canvas."""
        return self.picture.dice(*labels)

    def below(self, top: float) -> Box:
        """The box from a height to the bottom."""
        return 0, min(max(int(top) - 1, 0), self.height - 1), self.width, self.height

    def around(self, x: float, y: float, radius: float) -> Box:
        """The box around a point."""
        return int(x - radius) - 1, int(y - radius) - 1, int(x + radius) + 2, int(y + radius) + 2

    def stencil(self, box: Box | None = None) -> Stencil:
        """An empty stencil over a box, or over all."""
        return Stencil(box or (0, 0, self.width, self.height))

    def lay(self, stencil: Stencil, paint: Colour | Image.Image, strength: float = 1.0) -> Image.Image:
        """Paint through a stencil, and give back its mask."""
        mask = stencil.mask()
        self.paste(paint, (stencil.left, stencil.top), faded(mask, strength))
        return mask

    def paste(self, paint: Colour | Image.Image, at: tuple[int, int], mask: Image.Image) -> None:
        """Paint through a mask; what is painted is no longer transparent."""
        box = (at[0], at[1], at[0] + mask.width, at[1] + mask.height)
        self.image.paste(paint, box, mask)
        if self.alpha is not None:
            self.alpha.paste(255, box, mask)

    def veil(self, paint: Colour | Image.Image, at: tuple[int, int], mask: Image.Image) -> None:
        """Tint what is there already, without making anything opaque: mist, light, shade."""
        self.image.paste(paint, (at[0], at[1], at[0] + mask.width, at[1] + mask.height), mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Let light fall off around a point."""
        box = self.around(x, y, radius)
        size = (box[2] - box[0], box[3] - box[1])
        self.veil(colour, box[:2], _falloff(strength).resize(size, Image.Resampling.BILINEAR))

    def land(self, line: Outline, above: float = 0.0) -> Stencil:
        """A stencil of all under a line, with room above it for what stands there; paint it with `fill`."""
        stencil = self.stencil(self.below(min(y for _, y in line) - above))
        stencil.polygon((*line, (self.width + 1, self.height + 1), (-1, self.height + 1)))
        return stencil

    def fill(self, stencil: Stencil, stops: Sequence[Colour], reach: float) -> Image.Image:
        """Paint through a stencil with a gradient from its top down over `reach` pixels."""
        return self.lay(stencil, gradient(stencil.size, stops, reach))


def gradient(size: tuple[int, int], stops: Sequence[Colour], reach: float = 0.0) -> Image.Image:
    """Colours running from the top down over `reach` pixels (the whole height if 0); below stays the last."""
    image = Image.new("RGB", size, stops[-1])
    pen, reach = ImageDraw.Draw(image), reach or size[1]
    for y in range(min(size[1], int(reach) + 1)):
        pen.line((0, y, size[0], y), fill=_between(stops, y / reach))
    return image


def _between(stops: Sequence[Colour], share: float) -> Colour:
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    left = min(int(place), len(stops) - 2)
    return mix(stops[left], stops[left + 1], place - left)


def faded(mask: Image.Image, strength: float) -> Image.Image:
    """A mask made weaker."""
    return mask if strength >= 1 else mask.point([round(level * strength) for level in range(256)])


def _falloff(strength: float) -> Image.Image:
    """Light around a point: full in the middle, none at the inscribed circle."""
    # Pillow's gradient is √2 times the distance from the middle of its 256 pixels: 181 at the middle of an edge.
    return Image.radial_gradient("L").point(
        [round(255 * strength * max(0.0, 1 - level / 181) ** 2.0) for level in range(256)]
    )


def ramp(size: tuple[int, int], levels: Sequence[int]) -> Image.Image:
    """A mask whose strength runs from the top down through some levels."""
    column = Image.frombytes("L", (1, len(levels)), bytes(levels))
    return column.resize(size, Image.Resampling.BILINEAR)


def noise(chance: random.Random, across: int, down: int, octaves: int) -> Image.Image:
    """Soft random light and shade, 256 x 256: the first octave has `across` x `down` spots."""
    whole: Image.Image | None = None
    for octave in range(octaves):
        size = across << octave, down << octave
        spots = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
        soft = spots.resize((256, 256), Image.Resampling.BICUBIC)
        whole = soft if whole is None else Image.blend(whole, soft, 0.5 ** (octave + 1) * 1.3)
    return whole or Image.new("L", (256, 256))


def inside(mask: Image.Image, other: Image.Image) -> Image.Image:
    """Where both masks are: one clipped by the other."""
    return ImageChops.multiply(mask, other)
