"""Things a scene is made of: sky, disc, clouds, stars, ridges, trees, birds, mist, water."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops

from .brush import Canvas, Stencil, gradient, inside, noise, ramp
from .palette import WHITE, Colour, mix
from .relief import Outline, Point, coarse, height_at, outline, ridge, summits, swell

MEDIUM, HIGH, XHIGH = 2, 3, 4
"""Levels of detail from which on a thing is painted."""


@dataclass(frozen=True, slots=True)
class Disc:
    """Where the sun or the moon stands, in pixels."""

    x: float
    y: float
    radius: float


def sky(canvas: Canvas, horizon: float) -> Disc:
    """Paint the sky down to the horizon with all in it; on a transparent ground, only place the disc."""
    chance = canvas.dice("disc")
    side = chance.uniform(0.18, 0.42) if chance.random() < 0.5 else chance.uniform(0.58, 0.82)
    disc = Disc(canvas.width * side, horizon * chance.uniform(0.36, 0.74), canvas.unit * chance.uniform(0.045, 0.085))
    if canvas.alpha is None:
        canvas.image.paste(gradient(canvas.image.size, canvas.palette.sky, horizon))
        stars(canvas, horizon)
        sun_or_moon(canvas, disc)
        clouds(canvas, horizon)
    return disc


def sun_or_moon(canvas: Canvas, disc: Disc) -> None:
    """Paint the disc with its glow; a dark sky has a moon, which may be a crescent."""
    palette = canvas.palette
    canvas.glow(disc.x, disc.y, disc.radius * 9, palette.disc, palette.glow * 0.55)
    canvas.glow(disc.x, disc.y, disc.radius * 3.2, palette.disc, palette.glow * 0.75)
    stencil = canvas.stencil(canvas.around(disc.x, disc.y, disc.radius))
    stencil.ellipse(disc.x, disc.y, disc.radius, disc.radius)
    if palette.dark and canvas.dice("crescent").random() < 0.6:
        stencil.ellipse(
            disc.x - disc.radius * 0.5, disc.y - disc.radius * 0.22, disc.radius * 0.92, disc.radius * 0.92, 0
        )
    canvas.lay(stencil, palette.disc)


def stars(canvas: Canvas, horizon: float) -> None:
    """Scatter stars over a dark sky, the fewer the nearer to the horizon."""
    if not canvas.palette.dark:
        return
    chance, stencil = canvas.dice("stars"), canvas.stencil((0, 0, canvas.width, int(horizon)))
    for _ in range(70 * canvas.detail):
        x, y = chance.random() * canvas.width, chance.random() ** 1.5 * horizon
        size = canvas.unit * 0.0007 * (1 + 2.2 * chance.random() ** 4)
        stencil.ellipse(x, y, size, size, round(90 + 165 * chance.random()))
    canvas.lay(stencil, WHITE, 0.9)


def clouds(canvas: Canvas, horizon: float) -> None:
    """Draw out soft noise into clouds, lit from below."""
    if canvas.detail < MEDIUM:
        return
    chance = canvas.dice("clouds")
    size = canvas.width, max(2, int(horizon))
    amount = chance.uniform(105, 150)
    curve = [round(min(1.0, max(0.0, (level - amount) / 80)) * 190) for level in range(256)]
    mask = noise(chance, 2, 5, 4 if canvas.detail < HIGH else 5).point(curve)
    fade = ramp((256, 256), (120, 255, 200, 60, 0))
    whole = inside(mask, fade).resize(size, Image.Resampling.BICUBIC)
    lit = mix(canvas.palette.horizon(), WHITE, 0.0 if canvas.palette.dark else 0.55)
    canvas.veil(lit, (0, 0), whole.point([round(level * 0.8) for level in range(256)]))


def jagged(canvas: Canvas, label: object, base: float, rise: float, roughness: float = 0.52) -> Outline:
    """The line of a mountain ridge, plainer at low detail."""
    heights = ridge(canvas.dice("ridge", label), roughness)
    return outline(coarse(heights, 16 if canvas.detail < MEDIUM else 2), canvas.width, base, rise)


def rolling(canvas: Canvas, label: object, base: float, rise: float, waves: float = 1.6) -> Outline:
    """The line of soft hills."""
    return outline(swell(canvas.dice("swell", label), waves), canvas.width, base, rise)


def mountains(canvas: Canvas, line: Outline, nearness: float, disc: Disc) -> None:
    """Paint a mountain ridge with its lit faces and snow."""
    palette, reach = canvas.palette, max(y for _, y in line) - min(y for _, y in line)
    far = palette.land(nearness)
    mask = canvas.fill(
        stencil := canvas.land(line),
        (far, far, mix(far, palette.haze, 0.55)),
        reach * 1.3 + canvas.height * 0.12,
    )
    if canvas.detail >= MEDIUM:
        faces = _faces(canvas, line, stencil, disc)
        snow = mix(palette.disc if palette.glow > 0.2 else WHITE, WHITE, 0.4)
        light = gradient(faces.size, (mix(far, snow, 0.75), mix(far, snow, 0.1)), reach * 1.1 + canvas.height * 0.12)
        canvas.veil(light, (stencil.left, stencil.top), inside(mask, faces))


def _faces(canvas: Canvas, line: Outline, land: Stencil, disc: Disc) -> Image.Image:
    """The faces of a ridge turned to the light: from each summit a ragged one down the bright side."""
    stencil = canvas.stencil((0, land.top, canvas.width, canvas.height))
    step, low = line[1][0] - line[0][0], max(y for _, y in line)
    for reach in (9, 4) if canvas.detail >= HIGH else (9,):
        for at in summits(line, reach):
            toward = 1.0 if disc.x > line[at][0] else -1.0
            drop = min(step * reach * 1.7, (low - line[at][1]) * 0.75)
            stencil.polygon(_face(line[at], toward, drop, canvas.dice("face", at, reach)), 170)
    return stencil.mask()


def _face(peak: Point, toward: float, drop: float, chance: random.Random) -> Outline:
    """A face of five corners: down the spine of the mountain, then ragged along its foot."""
    x, y = peak
    spine = [(0.0, -0.02), *((chance.uniform(-0.12, 0.16) * share, share) for share in (0.3, 0.55, 0.8, 1.0))]
    foot = [(0.28, 0.72), (0.45, 0.95), (0.62, 0.6), (0.85, 0.82), (1.5, 0.9)]
    return tuple((x + toward * drop * across, y + drop * down) for across, down in (*spine, *foot))


def mist(canvas: Canvas, top: float, depth: float, strength: float) -> None:
    """Let mist lie in a band, thickest in its middle; on a transparent ground there is none."""
    if canvas.alpha is not None or canvas.detail < MEDIUM:
        return
    level = round(255 * strength)
    mask = ramp((canvas.width, int(depth) + 1), (0, level // 2, level, level // 2, 0))
    canvas.veil(mix(canvas.palette.haze, WHITE, 0.12), (0, int(top)), mask)


def pines(canvas: Canvas, stencil: Stencil, line: Outline, height: float, count: int) -> None:
    """Stand pine trees along a line, in groups with gaps between."""
    chance = canvas.dice("pines", count)
    gaps = swell(chance, 3.2)
    for _ in range(count if canvas.detail >= MEDIUM else count // 4):
        share, size = chance.random(), chance.uniform(0.45, 1.0)
        density = gaps[int(share * (len(gaps) - 1))]
        if density > 0.35:
            x = share * canvas.width
            pine(stencil, x, height_at(line, x) + height * 0.06, height * size * (0.5 + 0.5 * density))


def pine(stencil: Stencil, x: float, foot: float, height: float) -> None:
    """Draw one pine: a trunk and four tapering tiers."""
    stencil.polygon([(x - height * 0.025, foot), (x, foot - height), (x + height * 0.025, foot)])
    for tier in range(4):
        top = foot - height * (1 - tier * 0.2)
        half = height * (0.085 + tier * 0.055)
        low = top + height * 0.34
        stencil.polygon([(x, top), (x + half, low), (x + half * 0.35, low - height * 0.035), (x - half, low)])


def birds(canvas: Canvas, disc: Disc, horizon: float) -> None:
    """Let a small flock fly past the disc."""
    if canvas.alpha is not None or canvas.detail < HIGH or canvas.palette.dark:
        return
    chance, stencil = canvas.dice("birds"), canvas.stencil((0, 0, canvas.width, int(horizon)))
    x, y = (
        disc.x + canvas.unit * chance.uniform(-0.2, 0.2),
        disc.y + canvas.unit * chance.uniform(-0.02, 0.12),
    )
    for _ in range(chance.randrange(4, 9)):
        span = canvas.unit * chance.uniform(0.007, 0.013)
        bird(stencil, x + canvas.unit * chance.gauss(0, 0.06), y + canvas.unit * chance.gauss(0, 0.028), span)
    canvas.lay(stencil, mix(canvas.palette.middle, canvas.palette.near, 0.6), 0.85)


def bird(stencil: Stencil, x: float, y: float, span: float) -> None:
    """Draw a bird as two bent wings."""
    wing = [(x - span, y - span * 0.3), (x - span * 0.5, y - span * 0.42), (x, y)]
    stencil.line([*wing, (x + span * 0.5, y - span * 0.46), (x + span, y - span * 0.38)], span * 0.16)


def water(canvas: Canvas, horizon: float, disc: Disc, *, calm: float) -> None:
    """Paint water under the horizon that mirrors what stands above it; `calm` 1 is a mirror, 0 a sea."""
    top, depth = int(horizon), canvas.height - int(horizon)
    if depth < 2:
        return
    above = canvas.image.crop((0, max(0, top - depth), canvas.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirrored = above.resize((canvas.width, depth), Image.Resampling.BILINEAR)
    deep = gradient((canvas.width, depth), _depths(canvas), depth)
    surface = Image.blend(deep, mirrored, 0.25 + 0.5 * calm)
    canvas.paste(_rippled(canvas, surface, calm), (0, top), Image.new("L", (canvas.width, depth), 255))
    glitter(canvas, disc, top)


def _depths(canvas: Canvas) -> tuple[Colour, ...]:
    palette = canvas.palette
    return (
        mix(palette.horizon(), palette.middle, 0.25),
        palette.middle,
        mix(palette.middle, palette.near, 0.7),
    )


def _rippled(canvas: Canvas, surface: Image.Image, calm: float) -> Image.Image:
    """Shift the rows of a surface sideways, the further the nearer they are."""
    if canvas.detail < MEDIUM:
        return surface
    chance, rippled = canvas.dice("ripples"), surface.copy()
    rows = 90
    for row in range(rows):
        top, bottom = (int(surface.height * ((row + end) / rows) ** 1.4) for end in (0, 1))
        shift = canvas.unit * (0.022 - 0.014 * calm) * (0.15 + row / rows) * chance.gauss(0, 0.5)
        if bottom > top:
            strip = surface.crop((0, top, surface.width, bottom))
            rippled.paste(ImageChops.offset(strip, round(shift), 0), (0, top))
    return rippled


def glitter(canvas: Canvas, disc: Disc, top: float) -> None:
    """Lay the path of light that a low disc throws over water, and a few glints beside it."""
    chance, depth = canvas.dice("glitter"), canvas.height - top
    stencil = canvas.stencil((0, int(top), canvas.width, canvas.height))
    for _ in range(60 * canvas.detail):
        down = chance.random() ** 1.6
        y, spread = top + down * depth, disc.radius * (0.5 + 1.6 * down)
        length = canvas.unit * (0.006 + 0.03 * down) * chance.uniform(0.4, 1.3)
        thin = canvas.unit * (0.0008 + 0.0026 * down)
        x = disc.x + chance.gauss(0, 0.55) * spread
        stencil.ellipse(x, y, length, thin, round(230 * (1 - 0.6 * down)))
    for _ in range(30 * canvas.detail):
        down = chance.random() ** 1.3
        x, y = chance.random() * canvas.width, top + down * depth
        stencil.ellipse(x, y, canvas.unit * (0.01 + 0.05 * down), canvas.unit * (0.0005 + 0.001 * down), 46)
    canvas.lay(stencil, mix(canvas.palette.disc, WHITE, 0.2), 0.85)


def round_tree(stencil: Stencil, x: float, foot: float, height: float) -> None:
    """Draw one broad tree: a trunk under three clumps of leaves."""
    stencil.polygon([(x - height * 0.04, foot), (x, foot - height * 0.6), (x + height * 0.04, foot)])
    for turn in range(5):
        angle = math.tau * turn / 5 + x
        stencil.ellipse(
            x + math.cos(angle) * height * 0.17,
            foot - height * 0.66 + math.sin(angle) * height * 0.14,
            height * 0.22,
            height * 0.2,
        )
