"""The scenes of nature, each painted from the sky to the foreground."""

from __future__ import annotations

import math

from PIL import Image

from .brush import Canvas, inside, ramp
from .palette import WHITE, mix
from .relief import Outline, height_at
from .scenery import (
    HIGH,
    MEDIUM,
    birds,
    jagged,
    mist,
    mountains,
    pine,
    pines,
    rolling,
    round_tree,
    sky,
    water,
)


def peaks(canvas: Canvas) -> None:
    """Paint mountain ranges, the far ones in haze, above wooded hills."""
    height, ranges = canvas.height, min(2 + canvas.detail // 2, 4)
    disc = sky(canvas, height * 0.62)
    birds(canvas, disc, height * 0.5)
    for at in range(ranges):
        share = at / max(1, ranges - 1)
        line = jagged(canvas, at, height * (0.56 + 0.12 * share), height * (0.30 - 0.06 * share))
        mountains(canvas, line, 0.14 + 0.42 * share, disc)
        mist(canvas, height * (0.46 + 0.14 * share), height * 0.16, 0.55)
    wooded(canvas, 0.62, 0.16)


def wooded(canvas: Canvas, nearest: float, rise: float) -> None:
    """Paint the hills in front, with pines that grow larger as they come near."""
    height = canvas.height
    for at, share in enumerate((0.0, 0.5, 1.0) if canvas.detail >= MEDIUM else (0.0, 1.0)):
        line = rolling(canvas, ("wood", share), height * (0.78 + 0.15 * share), height * rise * (0.7 + 0.2 * share))
        tall = height * (0.045 + 0.10 * share)
        stencil = canvas.land(line, tall)
        pines(canvas, stencil, line, tall, 90 - 22 * at)
        top = canvas.palette.land(nearest + 0.34 * share)
        canvas.fill(stencil, (top, canvas.palette.land(min(1.0, nearest + 0.1 + 0.34 * share))), height * 0.4)
        if share < 1:
            mist(canvas, height * (0.74 + 0.15 * share), height * 0.12, 0.35)


def lake(canvas: Canvas) -> None:
    """Paint mountains that stand mirrored in a calm lake."""
    height, horizon = canvas.height, canvas.height * 0.55
    disc = sky(canvas, horizon)
    birds(canvas, disc, height * 0.4)
    for at, share in enumerate((0.0, 1.0)):
        line = jagged(canvas, at, horizon * (0.98 + 0.04 * share), height * (0.30 - 0.12 * share))
        mountains(canvas, line, 0.18 + 0.3 * share, disc)
    mist(canvas, horizon - height * 0.1, height * 0.12, 0.6)
    shore(canvas, horizon)
    water(canvas, horizon, disc, calm=0.9)
    mist(canvas, horizon - height * 0.03, height * 0.06, 0.5)
    bank(canvas)


def shore(canvas: Canvas, horizon: float) -> None:
    """Paint the wooded far shore, to be mirrored with the rest."""
    line = rolling(canvas, "shore", horizon + 2, canvas.height * 0.025, 2.4)
    stencil = canvas.land(line, canvas.height * 0.05)
    pines(canvas, stencil, line, canvas.height * 0.05, 220)
    canvas.fill(stencil, (canvas.palette.land(0.62), canvas.palette.land(0.7)), canvas.height * 0.3)


def bank(canvas: Canvas) -> None:
    """Paint the bank one stands on, with a few tall pines to one side."""
    height, chance = canvas.height, canvas.dice("bank")
    mirrored = chance.random() < 0.5
    line = tuple((canvas.width * at / 40, height * (0.985 - 0.13 * max(0.0, 1 - at / 22) ** 1.6)) for at in range(41))
    trees = [
        (chance.random() ** 1.2 * 0.34 * canvas.width, chance.uniform(0.12, 0.36)) for _ in range(3 + canvas.detail)
    ]
    if mirrored:
        line = tuple((canvas.width - x, y) for x, y in reversed(line))
    stencil = canvas.land(line, height * 0.5)
    for x, tall in trees:
        place = canvas.width - x if mirrored else x
        pine(stencil, place, height_at(line, place) + height * 0.02, height * tall)
    canvas.fill(stencil, (canvas.palette.land(0.95), canvas.palette.near), height)


def sea(canvas: Canvas) -> None:
    """Paint an evening sea with islands, the path of light and a sailing boat."""
    height, horizon = canvas.height, canvas.height * canvas.dice("horizon").uniform(0.5, 0.6)
    disc = sky(canvas, horizon)
    birds(canvas, disc, height * 0.4)
    for at, share in enumerate((0.0, 1.0)):
        islands(canvas, at, horizon, 0.2 + 0.25 * share)
    water(canvas, horizon, disc, calm=0.35)
    mist(canvas, horizon - height * 0.03, height * 0.05, 0.45)
    if canvas.detail >= MEDIUM:
        boat(canvas, horizon)


def islands(canvas: Canvas, at: int, horizon: float, nearness: float) -> None:
    """Let islands rise from the horizon where a ridge is high."""
    line = jagged(canvas, ("isle", at), horizon + canvas.height * 0.085, canvas.height * 0.17, 0.46)
    land = canvas.land(line)
    canvas.fill(land, (canvas.palette.land(nearness + 0.15), canvas.palette.land(nearness)), canvas.height * 0.25)


def boat(canvas: Canvas, horizon: float) -> None:
    """Set a small sailing boat on the water, with its shade below."""
    chance = canvas.dice("boat")
    x, y = canvas.width * chance.uniform(0.25, 0.75), horizon + (canvas.height - horizon) * chance.uniform(0.16, 0.3)
    size = canvas.unit * chance.uniform(0.06, 0.11)
    shade, hull, sails = (canvas.stencil(canvas.around(x, y, size * 1.4)) for _ in range(3))
    shade.ellipse(x, y + size * 0.16, size * 0.55, size * 0.05)
    for stencil, shape in ((hull, _HULL), (hull, _MAST), (sails, _MAINSAIL), (sails, _JIB)):
        stencil.polygon([(x + across * size, y + down * size) for across, down in shape])
    canvas.lay(shade, canvas.palette.near, 0.45)
    canvas.lay(hull, canvas.palette.near)
    canvas.lay(sails, mix(canvas.palette.accent, WHITE, 0.7))


_HULL = ((-0.5, 0.0), (0.55, 0.0), (0.36, 0.15), (-0.36, 0.15))
_MAST = ((-0.02, 0.0), (-0.02, -1.12), (0.02, -1.12), (0.02, 0.0))
_MAINSAIL = ((0.04, -1.1), (0.52, -0.08), (0.04, -0.08))
_JIB = ((-0.04, -0.95), (-0.4, -0.08), (-0.04, -0.08))


def dunes(canvas: Canvas) -> None:
    """Paint dunes, each with a bright and a shaded side along its crest."""
    height, count = canvas.height, 3 + min(canvas.detail, 4)
    disc = sky(canvas, height * 0.6)
    birds(canvas, disc, height * 0.45)
    for at in range(count):
        share = at / (count - 1)
        line = rolling(canvas, ("dune", at), height * (0.58 + 0.34 * share), height * (0.07 + 0.10 * share), 1.1)
        dune(canvas, line, share)


def dune(canvas: Canvas, line: Outline, share: float) -> None:
    """Paint one dune: light from above, the lee side in shade below a winding edge."""
    palette, land = canvas.palette, canvas.land(line)
    light = mix(palette.land(0.12 + 0.5 * share), palette.disc, 0.25 * (1 - share) * (palette.glow > 0.2))
    mask = canvas.fill(land, (light, palette.land(0.25 + 0.62 * share)), canvas.height * 0.42)
    if canvas.detail < MEDIUM:
        return
    lee = canvas.stencil((0, land.top, canvas.width, canvas.height))
    rise = max(y for _, y in line) - min(y for _, y in line)
    for at in _crests(line):
        x, y = line[at]
        run = line[at : at + 26]
        edge = [
            (
                x + canvas.width * 0.02 * math.sin(step * 0.9 + at) + step * canvas.width * 0.012,
                y + rise * 0.22 * step,
            )
            for step in range(8)
        ]
        lee.polygon([*run, *reversed(edge)], 255)
    fade = gradient_mask(mask.size, rise * 2.4)
    canvas.veil(palette.land(min(1.0, 0.4 + 0.6 * share)), (0, land.top), inside(inside(mask, lee.mask()), fade))


def gradient_mask(size: tuple[int, int], reach: float) -> Image.Image:
    """A mask that is full at the top and gone after `reach` pixels."""
    mask = Image.new("L", size)
    mask.paste(ramp((size[0], max(1, int(reach))), (200, 200, 150, 70, 0)))
    return mask


def _crests(line: Outline) -> list[int]:
    return [at for at in range(2, len(line) - 2) if line[at - 1][1] > line[at][1] <= line[at + 1][1]]


def forest(canvas: Canvas) -> None:
    """Paint rows of pines fading into mist."""
    height, rows = canvas.height, 3 + min(canvas.detail, 4)
    disc = sky(canvas, height * 0.7)
    mountains(canvas, jagged(canvas, "far", height * 0.6, height * 0.22), 0.12, disc)
    for at in range(rows):
        share = at / (rows - 1)
        line = rolling(canvas, ("row", at), height * (0.58 + 0.36 * share), height * (0.05 + 0.05 * share), 1.3)
        tall = height * (0.10 + 0.20 * share)
        stencil = canvas.land(line, tall)
        pines(canvas, stencil, line, tall, 130 - 15 * at)
        tone = canvas.palette.land(0.2 + 0.78 * share)
        canvas.fill(stencil, (tone, mix(tone, canvas.palette.haze, 0.35 * (1 - share))), height * 0.5)
        if share < 0.9:
            mist(canvas, height * (0.52 + 0.34 * share), height * 0.2, 0.5 * (1 - share * 0.6))


def meadow(canvas: Canvas) -> None:
    """Paint rolling fields with furrows, round trees, a house and flowers."""
    height, fields = canvas.height, 3 + min(canvas.detail, 3)
    disc = sky(canvas, height * 0.6)
    birds(canvas, disc, height * 0.4)
    mountains(canvas, jagged(canvas, "blue", height * 0.58, height * 0.14, 0.48), 0.16, disc)
    mist(canvas, height * 0.48, height * 0.14, 0.5)
    for at in range(fields):
        share = at / (fields - 1)
        line = rolling(canvas, ("field", at), height * (0.62 + 0.28 * share), height * (0.06 + 0.06 * share), 1.2)
        field(canvas, line, at, share)
    flowers(canvas)


def field(canvas: Canvas, line: Outline, at: int, share: float) -> None:
    """Paint one field with its furrows, and trees along its edge."""
    chance, palette, height = canvas.dice("field", at), canvas.palette, canvas.height
    stencil = canvas.land(line, height * 0.12)
    if canvas.detail >= MEDIUM and share < 0.9:
        for _ in range(chance.randrange(3, 12)):
            x = chance.random() * canvas.width
            tree = round_tree if chance.random() < 0.7 else pine
            tree(
                stencil,
                x,
                height_at(line, x) + height * 0.005,
                height * (0.03 + 0.07 * share) * chance.uniform(0.7, 1.2),
            )
    tone = mix(palette.land(0.26 + 0.5 * share), palette.accent, 0.22 if at % 2 else 0.05)
    mask = canvas.fill(stencil, (tone, mix(tone, palette.near, 0.25)), height * 0.4)
    if canvas.detail >= HIGH:
        furrows = canvas.stencil((0, stencil.top, canvas.width, canvas.height))
        vanish = chance.uniform(-0.3, 1.3) * canvas.width
        for row in range(26):
            x = canvas.width * (row / 13 - 0.5)
            furrows.line(
                [(vanish + (x - vanish) * 0.35, min(y for _, y in line)), (x, height)],
                canvas.unit * 0.003,
                90,
            )
        canvas.veil(mix(tone, palette.near, 0.4), (0, stencil.top), inside(mask, furrows.mask()))


def flowers(canvas: Canvas) -> None:
    """Scatter flowers over the foreground, larger towards the bottom."""
    chance, height = canvas.dice("flowers"), canvas.height
    for colour in (canvas.palette.accent, mix(canvas.palette.accent, WHITE, 0.7), canvas.palette.disc):
        stencil = canvas.stencil((0, int(height * 0.78), canvas.width, height))
        for _ in range(40 * (canvas.detail - 1)):
            down = chance.random() ** 0.7
            size = canvas.unit * (0.0012 + 0.004 * down) * chance.uniform(0.6, 1.3)
            stencil.ellipse(chance.random() * canvas.width, height * (0.86 + 0.14 * down), size, size * 0.8)
        canvas.lay(stencil, colour, 0.85)
