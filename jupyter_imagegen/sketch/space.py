"""A ringed planet over another world."""

from __future__ import annotations

import math

from PIL import Image

from .brush import Canvas, gradient, inside, noise
from .palette import WHITE, mix
from .scenery import HIGH, MEDIUM, Disc, jagged


def space(canvas: Canvas) -> None:
    """Paint a ringed planet and its moon over the ridges of another world."""
    height, chance = canvas.height, canvas.dice("space")
    if canvas.alpha is None:
        night = mix(canvas.palette.near, (4, 4, 14), 0.75)
        glow = mix(mix(canvas.palette.sky[1], canvas.palette.middle, 0.5), night, 0.35)
        canvas.image.paste(gradient(canvas.image.size, (night, night, glow), height * 0.85))
        nebula(canvas)
        galaxy(canvas)
    side = 0.16 if chance.random() < 0.5 else 0.84
    ball(canvas, Disc(canvas.width * side, height * chance.uniform(0.12, 0.5), canvas.unit * 0.04), "moon")
    ringed(
        canvas,
        Disc(canvas.width * (1 - side * 0.8 - 0.1), height * 0.36, canvas.unit * chance.uniform(0.15, 0.21)),
    )
    for at, share in enumerate((0.0, 0.5, 1.0)):
        line = jagged(canvas, ("world", at), height * (0.8 + 0.12 * share), height * (0.14 - 0.02 * share), 0.5)
        tone = mix(canvas.palette.land(0.45 + 0.45 * share), canvas.palette.near, 0.3)
        canvas.fill(canvas.land(line), (tone, mix(tone, canvas.palette.near, 0.5)), height * 0.35)


def nebula(canvas: Canvas) -> None:
    """Draw two coloured clouds of gas over the sky."""
    if canvas.detail < MEDIUM:
        return
    for at, colour in enumerate((canvas.palette.accent, mix(canvas.palette.sky[0], canvas.palette.middle, 0.4))):
        chance = canvas.dice("nebula", at)
        curve = [round(max(0, level - 120) ** 1.25 * 0.55) for level in range(256)]
        mask = noise(chance, 3, 3, 5).point([min(150, level) for level in curve])
        canvas.veil(colour, (0, 0), mask.resize(canvas.image.size, Image.Resampling.BICUBIC))


def galaxy(canvas: Canvas) -> None:
    """Scatter stars over all, a few of them with rays."""
    chance, stencil = canvas.dice("stars"), canvas.stencil()
    for _ in range(110 * canvas.detail):
        x, y = chance.random() * canvas.width, chance.random() * canvas.height
        size = canvas.unit * 0.0006 * (1 + 2.5 * chance.random() ** 5)
        stencil.ellipse(x, y, size, size, round(70 + 185 * chance.random()))
        if canvas.detail >= HIGH and chance.random() < 0.02:
            stencil.line([(x - size * 7, y), (x + size * 7, y)], size * 0.5, 120)
            stencil.line([(x, y - size * 7), (x, y + size * 7)], size * 0.5, 120)
    canvas.lay(stencil, WHITE, 0.9)


def ringed(canvas: Canvas, disc: Disc) -> None:
    """Paint a banded planet, with its ring passing behind and in front of it."""
    tilt = canvas.dice("tilt").uniform(-0.5, 0.5)
    ring(canvas, disc, tilt, math.pi)
    ball(canvas, disc, "planet")
    ring(canvas, disc, tilt, 0.0)


def ring(canvas: Canvas, disc: Disc, tilt: float, start: float) -> None:
    """Paint half of a ring: from angle 0 it is the half in front, from pi the half behind."""
    stencil = canvas.stencil(canvas.around(disc.x, disc.y, disc.radius * 2.3))
    for inner, outer, strength in ((1.35, 1.6, 150), (1.63, 1.95, 215), (2.0, 2.12, 110)):
        arc = [start + math.pi * step / 48 for step in range(49)]
        edge = [_on_ring(disc, angle, outer, tilt) for angle in arc]
        stencil.polygon([*edge, *(_on_ring(disc, angle, inner, tilt) for angle in reversed(arc))], strength)
    canvas.lay(stencil, mix(canvas.palette.disc, canvas.palette.accent, 0.35), 0.9)


def _on_ring(disc: Disc, angle: float, distance: float, tilt: float) -> tuple[float, float]:
    along, across = math.cos(angle) * distance * disc.radius, math.sin(angle) * distance * disc.radius * 0.26
    turn, sink = math.cos(tilt), math.sin(tilt)
    return disc.x + along * turn - across * sink, disc.y + along * sink + across * turn


def ball(canvas: Canvas, disc: Disc, label: str) -> None:
    """Paint a sphere in bands of colour, lit from the upper left."""
    stencil = canvas.stencil(canvas.around(disc.x, disc.y, disc.radius))
    stencil.ellipse(disc.x, disc.y, disc.radius, disc.radius)
    mask = canvas.lay(stencil, _bands(canvas, label, stencil.size))
    light = Image.radial_gradient("L").resize((mask.width * 2, mask.height * 2), Image.Resampling.BILINEAR)
    corner = round(mask.width * 0.72), round(mask.height * 0.76)
    shade = light.crop((*corner, corner[0] + mask.width, corner[1] + mask.height))
    dark = shade.point([min(235, round(level * 1.5)) for level in range(256)])
    canvas.veil(mix(canvas.palette.near, (0, 0, 10), 0.7), (stencil.left, stencil.top), inside(mask, dark))


def _bands(canvas: Canvas, label: str, size: tuple[int, int]) -> Image.Image:
    chance, palette = canvas.dice("bands", label), canvas.palette
    tones = (palette.haze, palette.accent, palette.disc, palette.middle, palette.sky[2])
    count = 12 if canvas.detail >= MEDIUM else 3
    stops = [mix(chance.choice(tones), palette.haze, chance.uniform(0.2, 0.6)) for _ in range(count)]
    return gradient(size, stops).rotate(chance.uniform(-25, 25), Image.Resampling.BILINEAR, fillcolor=stops[0])
