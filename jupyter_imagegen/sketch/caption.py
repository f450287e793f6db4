"""Words in the picture: the prompt on a pane of frosted glass, the mark and the seed in a corner.

Pillow's own font is used, as it is the same on every machine; it knows little more than ASCII, so other
characters are spelled: letters by their sound, Chinese characters by their code, emoji by their name.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageStat

from .palette import WHITE
from .picture import Picture

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_PUNCTUATION = dict(zip("‐‑‒–—―−×，。、！？：；（）「」《》", '-------x,.,!?:;()""""', strict=True))
# Each letter, followed by what is written for it.
_SPELLING = (
    "аa бb вv гg дd еe ёyo жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ' ыy "
    "ь' эe юyu яya іi їyi єye ґg "
    "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo "
)
_SOUNDS = {pair[0]: pair[1:] for pair in _SPELLING.split()}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Co"})

LINES = 3
"""Lines of the caption at most."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """A text that has been fitted: its lines and the size of the font in pixels."""

    lines: tuple[str, ...]
    size: int

    @property
    def leading(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * 1.3)


def spelled(text: str) -> str:
    """The text with each character that the font has not written in characters that it has."""
    return " ".join("".join(map(_spelled, text)).split())


@functools.lru_cache(maxsize=4096)
def _spelled(character: str) -> str:
    if character.isspace() or _drawable(character):
        return character
    if character in _PUNCTUATION:
        return _PUNCTUATION[character]
    # A Korean syllable would fall apart into letters; its name says how it sounds.
    plain = character if "가" <= character <= "힣" else unicodedata.normalize("NFKD", character)
    bare = "".join(mark for mark in plain if unicodedata.category(mark) not in _INVISIBLE)
    if bare != character:
        return "".join(map(_spelled, bare))
    sound = _SOUNDS.get(character.lower())
    if sound is not None:
        return sound.capitalize() if character.isupper() else sound
    return _named(character)


def _named(character: str) -> str:
    """A character by its Unicode name: a letter sounds, an ideograph has a code, others stand in brackets."""
    name = unicodedata.name(character, "")
    for kind in (" LETTER ", " SYLLABLE ", " VOWEL SIGN "):
        if kind in name:
            return name.rpartition(kind)[2].removeprefix("SMALL ").lower()
    if not name or name.startswith(("CJK", "TANGUT", "NUSHU")):
        return f" U+{ord(character):04X} "
    return f" [{name.lower()}] "


@functools.lru_cache(maxsize=4096)
def _drawable(character: str) -> bool:
    """Whether the font has a glyph: what it has not looks like what no font has."""
    font = _font(20)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


@functools.lru_cache(maxsize=256)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def fitted(text: str, width: float, largest: float, smallest: float) -> Lettering:
    """Fit a text into a width: as large as can be in two lines, else in three, else cut with an ellipsis."""
    size = max(largest, smallest)
    while size > smallest and len(_wrapped(text, _font(round(size)), width)) > LINES - 1:
        size *= 0.92
    lines = _wrapped(text, _font(round(max(size, smallest))), width)
    if len(lines) > LINES:
        lines = (
            *lines[: LINES - 1],
            _cut(lines[LINES - 1] + " " + lines[LINES], _font(round(smallest)), width),
        )
    return Lettering(lines, round(max(size, smallest)))


def _wrapped(text: str, font: Font, width: float) -> tuple[str, ...]:
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        lines.append(line)
        *full, line = _broken(word, font, width)
        lines.extend(full)
    return tuple(filter(None, (*lines, line)))


def _broken(word: str, font: Font, width: float) -> tuple[str, ...]:
    """A word too long for a line, in pieces."""
    pieces, piece = [], ""
    for character in word:
        if piece and font.getlength(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return (*pieces, piece)


def _cut(line: str, font: Font, width: float) -> str:
    while line and font.getlength(line + "…") > width:
        line = line[:-1].rstrip()
    return line + "…"


def write(image: Image.Image, picture: Picture) -> None:
    """Write the caption and the mark into a finished picture, RGB or RGBA."""
    unit = min(image.size)
    _caption(image, picture, unit)
    if unit >= 160:
        _mark(image, picture, unit)


def _caption(image: Image.Image, picture: Picture, unit: int) -> None:
    margin, padding = round(unit * 0.03), max(2, round(unit * 0.02))
    width = min(image.width - 2 * margin, round(unit * 1.7))
    text = fitted(spelled(picture.caption), width - 2 * padding, unit * 0.034, max(7.0, unit * 0.022))
    widest = max((_font(text.size).getlength(line) for line in text.lines), default=0)
    height = text.leading * len(text.lines) + 2 * padding - (text.leading - text.size)
    box = (
        margin,
        image.height - margin - height,
        round(margin + widest + 2 * padding),
        image.height - margin,
    )
    if not text.lines or height > image.height * 0.8:
        return
    _pane(image, box, round(unit * 0.014))
    pen = ImageDraw.Draw(image)
    for at, line in enumerate(text.lines):
        place = (box[0] + padding, box[1] + padding + at * text.leading)
        pen.text(place, line, font=_font(text.size), fill=WHITE, anchor="la")


def _pane(image: Image.Image, box: tuple[int, int, int, int], rounding: int) -> None:
    """Lay a pane of dark frosted glass over a part of the picture."""
    behind = image.crop(box)
    blurred = behind.filter(ImageFilter.BoxBlur(max(1, rounding)))
    glass = Image.blend(blurred, Image.new(image.mode, behind.size, (12, 14, 24)), 0.56)
    if image.mode == "RGBA":
        glass.putalpha(behind.getchannel("A").point([max(level, 175) for level in range(256)]))
    fine = Image.new("L", (behind.width * 2, behind.height * 2))
    ImageDraw.Draw(fine).rounded_rectangle((0, 0, fine.width - 1, fine.height - 1), rounding * 2, fill=255)
    image.paste(glass, box[:2], fine.reduce(2))


def _mark(image: Image.Image, picture: Picture, unit: int) -> None:
    """Write what made the picture into the upper right corner, dark on a bright sky."""
    number = f" #{picture.index + 1}" if picture.index else ""
    words, size = f"sketch · seed {picture.seed}{number}", max(8, round(unit * 0.018))
    right, top = image.width - round(unit * 0.028), round(unit * 0.028)
    behind = image.crop((right - int(_font(size).getlength(words)), top, right, top + size))
    bright = ImageStat.Stat(behind.convert("L")).mean[0] > 150
    ink = (18, 20, 32, 200) if bright else (255, 255, 255, 225)
    ImageDraw.Draw(image, "RGBA").text((right, top), words, font=_font(size), fill=ink, anchor="ra")
