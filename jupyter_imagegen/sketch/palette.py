"""Colours of the hours: what the sky, the disc in it, and near and far land look like."""

from __future__ import annotations

import colorsys
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Colour = tuple[int, int, int]
"""Red, green, blue, each 0..255."""

WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one hour: `sky` from the zenith to the horizon, land from `haze` (far) to `near`."""

    sky: tuple[Colour, ...]
    disc: Colour
    glow: float
    haze: Colour
    middle: Colour
    near: Colour
    accent: Colour
    dark: bool = False

    def land(self, nearness: float) -> Colour:
        """Colour of land at a distance: 0 is the horizon, 1 is at one's feet."""
        if nearness < 0.5:
            return mix(self.haze, self.middle, nearness * 2)
        return mix(self.middle, self.near, nearness * 2 - 1)

    def horizon(self) -> Colour:
        """Colour of the sky where it meets the land."""
        return self.sky[-1]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: share 0 is the first, 1 the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def _palette(sky: str, disc: str, glow: float, land: str, *, dark: bool = False) -> Palette:
    haze, middle, near, accent = map(_hex, land.split())
    return Palette(
        sky=tuple(map(_hex, sky.split())),
        disc=_hex(disc),
        glow=glow,
        haze=haze,
        middle=middle,
        near=near,
        accent=accent,
        dark=dark,
    )


PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        "dawn": _palette("5f7bb3 b79cc4 f3bfb4 fde3c4", "fff4dc", 0.80, "ecc6bd 8d7a9f 2c2a4b f2858e"),
        "morning": _palette("5aa6d6 97cbe3 d8ebe6 fdf3d8", "fffbe8", 0.75, "cfe2de 679d97 1c4644 f4b860"),
        "noon": _palette("2b7cc0 66addd b9ddee f0f6ec", "fffdf0", 0.60, "c3dde6 559a80 174a3d ffd25a"),
        "golden": _palette("d9824a f0ad63 f9d48d fff0c6", "fffbe8", 0.85, "f3c88a b26f48 38211f f6e3b0"),
        "sunset": _palette("35285c 86396f e0625e fcb66c", "ffe6b0", 0.85, "ea9074 7d3c63 1b1531 ffcf70"),
        "dusk": _palette("18224c 413f7d 96669a f2a98c", "fff0dc", 0.60, "b3829d 4b4277 12132f ffb36b"),
        "night": _palette("060b21 0d1e44 1c3d67 44748c", "f6f2de", 0.55, "42697f 1b3853 050b19 ffd98a", dark=True),
        "winter": _palette("86a3c2 b5c9db dfe7ee fbf5ec", "ffffff", 0.70, "e4eaf0 9db3c5 364b61 d9695f"),
        "mint": _palette("9ccabb c8e2d1 ecf1da fbf3de", "fffdf0", 0.70, "d4e6d3 78aa95 1f453d f2a65a"),
        "ink": _palette("e9dec6 f1e8d5 f6f0e2 f2ead8", "c5432e", 0.12, "dad3c3 8c8982 242429 c5432e"),
    }
)


def palette_of(hour: str, chance: random.Random) -> Palette:
    """The palette of an hour, turned a little around the colour wheel so that no two pictures share it."""
    plain, turn = PALETTES[hour], chance.uniform(-0.025, 0.025)
    return Palette(
        sky=tuple(_turned(colour, turn) for colour in plain.sky),
        disc=plain.disc,
        glow=plain.glow,
        haze=_turned(plain.haze, turn),
        middle=_turned(plain.middle, turn * 2),
        near=_turned(plain.near, turn * 2),
        accent=plain.accent,
        dark=plain.dark,
    )


def _turned(colour: Colour, turn: float) -> Colour:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = colorsys.hls_to_rgb((hue + turn) % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
