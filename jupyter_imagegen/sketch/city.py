"""A skyline over a river."""

from __future__ import annotations

from .brush import Canvas, Stencil
from .palette import WHITE, mix
from .scenery import MEDIUM, birds, mist, sky, water

Rectangle = tuple[float, float, float, float]
"""Left, top, right and foot of a building, in pixels."""


def city(canvas: Canvas) -> None:
    """Paint a skyline in layers, with lit windows, above its reflection in a river."""
    height, horizon = canvas.height, canvas.height * 0.74
    disc = sky(canvas, horizon)
    birds(canvas, disc, height * 0.35)
    layers = min(2 + canvas.detail // 2, 4)
    for at in range(layers):
        share = at / (layers - 1)
        skyline(canvas, at, horizon, share)
        if share < 1:
            mist(canvas, horizon - height * 0.22, height * 0.24, 0.5)
    water(canvas, horizon, disc, calm=0.6)


def skyline(canvas: Canvas, at: int, foot: float, share: float) -> None:
    """Paint one row of buildings and light some of their windows."""
    chance, height = canvas.dice("skyline", at), canvas.height
    walls, lights = (canvas.stencil((0, 0, canvas.width, int(foot) + 1)) for _ in range(2))
    x = -canvas.unit * chance.uniform(0, 0.1)
    while x < canvas.width:
        wide = canvas.unit * chance.uniform(0.05, 0.12) * (0.8 + 0.4 * share)
        middle = 1 - abs(x / canvas.width - 0.5)
        tall = height * (0.14 + 0.36 * chance.random() ** 1.6 * middle) * (1.1 - 0.42 * share)
        building(canvas, walls, (x, foot - tall, x + wide, foot), chance.random())
        if share > 0.3 and canvas.detail >= MEDIUM:
            windows(canvas, lights, (x, foot - tall, x + wide, foot), (at, int(x / canvas.unit * 1000)))
        x += wide * chance.uniform(0.92, 1.25)
    tone = canvas.palette.land(0.22 + 0.7 * share)
    canvas.fill(walls, (tone, tone, mix(tone, canvas.palette.haze, 0.4 * (1 - share))), foot)
    canvas.lay(lights, mix(canvas.palette.accent, WHITE, 0.25), 0.9 if canvas.palette.dark else 0.7)


def building(canvas: Canvas, walls: Stencil, box: Rectangle, kind: float) -> None:
    """Draw one building with one of five kinds of roof."""
    left, top, right, foot = box
    wide, middle = right - left, (left + right) / 2
    walls.polygon([(left, top), (right, top), (right, foot), (left, foot)])
    if kind < 0.2:
        walls.polygon([(left, top), (middle, top - wide * 0.7), (right, top)])
    elif kind < 0.4:
        walls.polygon([(left, top), (right, top - wide * 0.35), (right, top)])
    elif kind < 0.6:
        inset = wide * 0.22
        walls.polygon(
            [
                (left + inset, top),
                (left + inset, top - wide * 0.4),
                (right - inset, top - wide * 0.4),
                (right - inset, top),
            ]
        )
        walls.line([(middle, top), (middle, top - wide * 1.1)], canvas.unit * 0.002)
    elif kind < 0.7:
        walls.ellipse(middle, top, wide / 2, wide / 2)


def windows(canvas: Canvas, lights: Stencil, box: Rectangle, label: object) -> None:
    """Light a random half of the windows of a building."""
    left, top, right, foot = box
    chance, step = canvas.dice("windows", label), canvas.unit * 0.0135
    columns, rows = int((right - left) / step - 0.6), int((foot - top) / step * 0.75)
    margin = (right - left - columns * step) / 2
    lit = 0.5 if canvas.palette.dark else 0.24
    for row in range(rows):
        for column in range(columns):
            if chance.random() < lit:
                x, y = left + margin + (column + 0.25) * step, top + (row + 0.8) * step * 1.3
                pane = (x, y, x + step * 0.5, y + step * 0.62)
                lights.polygon([pane[:2], (pane[2], y), pane[2:], (x, pane[3])], chance.randrange(90, 256))
