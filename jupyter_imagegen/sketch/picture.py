"""What is to be painted, as a value: all that the brush needs, and nothing of the request that asked for it.

A picture can be written as a short name and read back from it, so an address of a picture carries the picture
itself and the endpoint keeps nothing.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CAPTION_LENGTH = 300
"""Characters of a prompt that go into the caption, and so into the address of a picture."""

DETAIL: Mapping[str, int] = MappingProxyType(
    {"low": 1, "medium": 2, "standard": 2, "high": 3, "hd": 3, "auto": 3, "xhigh": 4, "max": 5}
)
"""How much is painted, by the quality that was asked."""

SCENE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "peaks": "mountain mountains peak peaks alps hike climber cliff eagle wolf goat 山 雪山 峰",
        "lake": "lake pond river reflection water swan duck frog canoe otter beaver fish 湖 河 水 獭",
        "sea": "sea ocean beach boat ship sail wave island whale dolphin lighthouse harbour harbor 海 船 岛",
        "dunes": "desert dune dunes sand camel pyramid sahara oasis canyon 沙漠 沙",
        "forest": "forest wood woods tree trees jungle pine bear deer fox owl mushroom 森林 树 林",
        "city": "city town street skyline tower building buildings skyscraper neon office robot 城市 城 楼",
        "meadow": "meadow field flower flowers garden farm village sheep horse rabbit cat dog 花 田 草 猫",
        "space": "space planet planets galaxy star stars rocket astronaut alien cosmos orbit 星 宇宙 太空",
    }
)
"""The scenes, each with the words of a prompt that call for it."""

HOUR_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "dawn": "dawn sunrise pastel pink 黎明",
        "morning": "morning spring fresh 早晨 春",
        "noon": "noon day summer blue sunny 夏",
        "golden": "golden autumn fall warm gold amber 秋 金",
        "sunset": "sunset evening red romantic dramatic 日落",
        "dusk": "dusk twilight purple violet 黄昏",
        "night": "night midnight moon moonlit dark stars 夜 月",
        "winter": "winter snow snowy ice frost cold white 冬 雪",
        "mint": "mist misty fog foggy green calm 雾",
        "ink": "ink sumi calligraphy print paper zen japanese 水墨 墨",
    }
)
"""The palettes, each with the words of a prompt that call for it."""

_ACCEPTED = (
    ("scene", tuple(SCENE_WORDS)),
    ("hour", tuple(HOUR_WORDS)),
    ("detail", tuple(DETAIL.values())),
    ("background", ("opaque", "transparent")),
    ("style", ("", "vivid", "natural")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to paint; equal values give equal bytes on one machine.

    `key` is 32 hex digits from which every random choice is drawn; `width` and `height` are pixels;
    `detail` is 1..5; `background` is "opaque" or "transparent"; `style` is "", "vivid" or "natural".
    """

    key: str
    caption: str
    width: int
    height: int
    seed: int
    index: int
    scene: str
    hour: str
    detail: int
    background: str = "opaque"
    style: str = ""

    def dice(self, *labels: object) -> random.Random:
        """Random numbers for one thing in the picture, independent of all others."""
        return dice(self.key, *labels)


def dice(*labels: object) -> random.Random:
    """Random numbers that depend on the labels only, in every process."""
    return random.Random(int(digest(*labels)[:16], 16))  # noqa: S311  pictures are no secrets


def digest(*labels: object) -> str:
    """Hex digest of some labels; a lone surrogate in a prompt is a label like any other."""
    joined = "\x1f".join(map(str, labels))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def seed_of(prompt: str) -> int:
    """The seed of a request that names none: the same for the same prompt, 0..2**31-1."""
    return int(digest("seed", prompt)[:8], 16) & 0x7FFF_FFFF


def compose(
    *,
    prompt: str,
    negative: str,
    seed: int,
    index: int,
    size: tuple[int, int],
    quality: str,
    background: str,
    style: str,
) -> Picture:
    """Decide what the picture of a prompt shows.

    Neither size, quality, background nor style changes the composition, so that the same seed can be compared
    across them. Pictures of one request differ in scene and palette unless the prompt names one.
    """
    scenes, hours = _called(SCENE_WORDS, prompt, negative), _called(HOUR_WORDS, prompt, negative)
    order = dice("order", prompt, negative, seed)
    scenes, hours = _shuffled(scenes, order), _shuffled(hours, order)
    return Picture(
        key=digest(prompt, negative, seed, index)[:32],
        caption=_captioned(prompt),
        width=size[0],
        height=size[1],
        seed=seed,
        index=index,
        scene=scenes[index % len(scenes)],
        hour=hours[index % len(hours)],
        detail=DETAIL[quality],
        background=background,
        style=style,
    )


def _captioned(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= CAPTION_LENGTH else words[: CAPTION_LENGTH - 1] + "…"


def _called(table: Mapping[str, str], prompt: str, negative: str) -> tuple[str, ...]:
    """The names of a table that a prompt calls for, or all of them; never those it calls away."""
    unwanted = {name for name, words in table.items() if _mentions(negative, words)}
    allowed = [name for name in table if name not in unwanted] or list(table)
    return tuple(name for name in allowed if _mentions(prompt, table[name])) or tuple(allowed)


def _mentions(text: str, words: str) -> bool:
    """Whether a text has one of the words; Chinese has no spaces and is looked for as it stands."""
    said = set(re.findall(r"[a-z]+", text.lower()))
    return any(word in said if word.isascii() else word in text for word in words.split())


def _shuffled(names: tuple[str, ...], order: random.Random) -> tuple[str, ...]:
    """The names in a random order; sorting by drawn keys, as `shuffle` may change with the Python version."""
    return tuple(sorted(names, key=lambda _: order.random()))


def name_of(picture: Picture) -> str:
    """Write a picture as a name that is safe in a URL."""
    plain = json.dumps(dataclasses.astuple(picture), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(plain.encode("utf-8", "surrogatepass")).decode("ascii").rstrip("=")


def from_name(name: str) -> Picture:
    """Read a picture back from its name; a name that this module would not write is a ValueError."""
    plain = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("utf-8", "surrogatepass")
    values = json.loads(plain)
    fields = dataclasses.fields(Picture)
    if not isinstance(values, list) or [type(value).__name__ for value in values] != [f.type for f in fields]:
        raise ValueError("the name holds no picture")
    picture = Picture(**{field.name: value for field, value in zip(fields, values, strict=True)})
    if not all(getattr(picture, field) in accepted for field, accepted in _ACCEPTED):
        raise ValueError("the name holds no picture")
    return picture
