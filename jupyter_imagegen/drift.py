"""How far two pictures are apart: in bytes, in pixels, and to the eye. Loads Pillow, so it is imported at first use."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, Final

from . import preview
from .image import Image, Size, sniff
from .preview import Preview
from .shell import running_shell

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Metadata = dict[str, dict[str, str | int]]

# Between black and white, so that drawings in either are seen where nothing is behind them.
_BEHIND: Final = 128
_HASH_ROWS: Final = 8
# About a quarter of full brightness: bright enough to be seen, and few pixels are cut off at white.
_SHOWN_MEAN: Final = 64
# One pixel of a million that is a few levels apart becomes a dot that can be seen; more would only be louder.
_MOST_AMPLIFIED: Final = 1000


@dataclass(frozen=True, slots=True)
class Side:
    """One of two pictures: its exact bytes, and a plain text that names it."""

    label: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Drift:
    """How far two pictures, a and b, are apart; what could not be measured is None, and `notes` say why.

    Pixels are compared as they are shown: upright, as RGB of 8 bits without colour profiles, with alpha as a fourth
    channel where either has one (the colour of wholly transparent pixels does not count), of a moving picture the
    first frame. Pictures of two sizes are both brought to the smaller width and the smaller height.
    """

    labels: tuple[str, str]
    formats: tuple[str | None, str | None]
    """png, jpeg, webp, …: what the bytes are; None for no picture that is known here."""
    sizes: tuple[Size | None, Size | None]
    """Width and height in pixels, upright; of a picture that is not decoded here, what its header says."""
    same_bytes: bool
    same_pixels: bool | None = None
    """None also where all that was compared is the same, and something was not compared."""
    compared_at: Size | None = None
    """Width and height in pixels at which they were compared."""
    mean_difference: float | None = None
    """The mean over all pixels and channels of the absolute difference, in levels of 0 to 255."""
    largest_difference: int | None = None
    """The largest of these differences, in levels."""
    changed: float | None = None
    """The share of pixels, from 0 to 1, that differ in any channel."""
    hash_distance: int | None = None
    """Bits of 64 that differ between the perceptual hashes (dHash): about 32 for unrelated pictures."""
    notes: tuple[str, ...] = ()
    amplified: int | None = None
    """How many times brighter the difference is in `sheet`, so that it can be seen."""
    sheet: Preview | None = None
    """In one row: a, b, and the strongest channel of their difference; without what is not decoded here."""

    @property
    def same_size(self) -> bool | None:
        """Whether width and height are the same; None where the pixels were not compared."""
        return None if self.compared_at is None else self.sizes[0] == self.sizes[1]

    @property
    def sentence(self) -> str:
        """How far they are apart, in words."""
        return "; ".join((_verdict(self), *self.notes))

    def __repr__(self) -> str:
        return "\n".join(_lines(self))

    def _ipython_display_(self, **_: Any) -> None:  # noqa: ANN401  (IPython's own protocol)
        shell = running_shell()
        if shell is not None:
            for data, metadata in bundles(self):
                shell.display_pub.publish(data, metadata)


def drift(a: Side, b: Side) -> Drift:
    """How far two pictures are apart; whatever their bytes are, this raises nothing."""
    is_same = a.data == b.data
    images = sniff(a.data), sniff(b.data)
    first = preview.upright(a.data)
    second = first if is_same else preview.upright(b.data)
    found = Drift(
        labels=(a.label, b.label),
        formats=(_format(images[0]), _format(images[1])),
        sizes=(_size(images[0], first), _size(images[1], second)),
        same_bytes=is_same,
        notes=tuple(_notes_of_one(a, first) if is_same else _notes_of_two((a, first), (b, second))),
    )
    if first is None or second is None:
        return replace(found, sheet=preview.row(tuple(_decoded(first, second))))
    return _measured(found, first, second)


def _format(image: Image | None) -> str | None:
    return None if image is None else image.format


def _size(image: Image | None, picture: PillowImage | None) -> Size | None:
    if picture is not None:
        return picture.size
    return None if image is None or image.width is None or image.height is None else (image.width, image.height)


def _decoded(first: PillowImage | None, second: PillowImage | None) -> Iterator[tuple[str, PillowImage]]:
    return ((name, picture) for name, picture in (("a", first), ("b", second)) if picture is not None)


def _notes_of_one(side: Side, picture: PillowImage | None) -> Iterator[str]:
    """Of the same bytes nothing is left out: they are the same in all their frames and levels."""
    if picture is None:
        yield f"a and b: {_obstacle(side.data)}"


def _notes_of_two(*pairs: tuple[Side, PillowImage | None]) -> Iterator[str]:
    for name, (side, picture) in zip("ab", pairs, strict=True):
        if picture is None:
            yield f"{name}: {_obstacle(side.data)}"
        else:
            yield from (f"{name}: {each} are not compared" for each in preview.left_out(side.data))


def _obstacle(data: bytes) -> str:
    """Why a picture is not decoded here."""
    image = sniff(data)
    if image is None:
        return "no picture that is known here"
    if image.format.upper() not in preview.FORMATS:
        return f"{_spoken(image.format)} is not decoded here"
    if (image.width or 0) * (image.height or 0) > preview.MOST_PIXELS:
        return f"{_sides(_size(image, None))} is too large to be decoded here"
    return "damaged, or too large to be decoded here"


def _measured(found: Drift, first: PillowImage, second: PillowImage) -> Drift:
    """The same with its pixels compared; counts of levels make it exact and fast."""
    common = min(first.width, second.width), min(first.height, second.height)
    apart = preview.difference(_at(first, common), _at(second, common))
    counts = apart.histogram()
    strongest = preview.strongest(apart)
    mean = sum(place % 256 * count for place, count in enumerate(counts)) / sum(counts)
    factor = min(_MOST_AMPLIFIED, max(1, round(_SHOWN_MEAN / mean))) if mean else 1
    seen = preview.amplified(strongest, factor)
    return replace(
        found,
        same_pixels=_same_pixels(found, mean),
        compared_at=common,
        mean_difference=mean,
        largest_difference=max(place % 256 for place, count in enumerate(counts) if count),
        changed=1 - strongest.histogram()[0] / (common[0] * common[1]),
        hash_distance=(dhash(first) ^ dhash(second)).bit_count(),
        amplified=factor,
        sheet=preview.row((*_decoded(first, second), (f"difference x {factor}", seen))),
    )


def _at(picture: PillowImage, size: Size) -> PillowImage:
    return picture if picture.size == size else picture.resize(size)


def _same_pixels(found: Drift, mean: float) -> bool | None:
    if mean or found.sizes[0] != found.sizes[1]:
        return False
    return None if found.notes else True


def dhash(picture: PillowImage) -> int:
    """64 bits of what a picture looks like: at 9x8 pixels, whether each is brighter than the one to its left.

    What shows through lies on mid-grey. A flat picture has no steps, and so the hash 0 whatever its colour.
    """
    data = picture.resize((_HASH_ROWS + 1, _HASH_ROWS)).convert("LA").tobytes()
    shades = [grey * alpha + _BEHIND * (255 - alpha) for grey, alpha in zip(data[::2], data[1::2], strict=True)]
    steps = (place for place in range(len(shades)) if place % (_HASH_ROWS + 1))
    return sum((shades[place] > shades[place - 1]) << bit for bit, place in enumerate(steps))


def _verdict(found: Drift) -> str:
    if found.same_bytes:
        return "the same bytes"
    if found.compared_at is None:
        return f"other bytes ({_formats(found)}), the pixels are not compared"
    if not found.same_size:
        sizes = f"{_sides(found.sizes[0])} against {_sides(found.sizes[1])}"
        return f"other size: {sizes}; both at {_sides(found.compared_at)}: {_measures(found)}"
    if found.mean_difference:
        return f"other pixels: {_measures(found)}"
    same = "the same pixels" if found.same_pixels else "the same pixels, as far as they are compared"
    return f"{same}, other bytes ({_formats(found)})"


def _measures(found: Drift) -> str:
    mean, changed = found.mean_difference or 0.0, found.changed or 0.0
    return (
        f"mean difference {_rounded(mean, 255)} of 255, largest {found.largest_difference}, "
        f"{_rounded(changed * 100, 100)} % of the pixels, "
        f"perceptual hash {found.hash_distance} of 64 bits apart"
    )


def _rounded(value: float, whole: int) -> str:
    """Never nothing for a little, never the whole for less than it."""
    if 0 < value < 0.1:
        return "less than 0.1"
    if whole - 0.1 < value < whole:
        return f"more than {whole - 0.1:.1f}"
    return f"{value:.1f}".removesuffix(".0")


def _formats(found: Drift) -> str:
    first, second = (_spoken(name) for name in found.formats)
    return f"both {first}" if first == second else f"{first} against {second}"


def _spoken(name: str | None) -> str:
    return "unknown" if name is None else {"webp": "WebP"}.get(name, name.upper())


def _sides(size: Size | None) -> str:
    return "unknown size" if size is None else f"{size[0]}x{size[1]}"


def _lines(found: Drift) -> list[str]:
    """The sentence, then one line for each picture."""
    sides = zip("ab", found.labels, found.formats, found.sizes, strict=True)
    return [
        found.sentence,
        *(f"{name}: {' '.join(label.split())} · {_sides(size)} {_spoken(kind)}" for name, label, kind, size in sides),
    ]


def bundles(found: Drift) -> Iterator[tuple[dict[str, str], Metadata]]:
    """What a notebook shows: the sheet as image/png or image/jpeg where there is one, then the caption, escaped."""
    if found.sheet is not None:
        mime, alt = found.sheet.mime, _alt(found)
        size: dict[str, str | int] = {"alt": alt, "width": found.sheet.width, "height": found.sheet.height}
        yield {mime: b64encode(found.sheet.data).decode("ascii"), "text/plain": alt}, {mime: size}
    lines = _lines(found)
    html = "<br>".join(escape(line) for line in lines)
    text = f'<div class="mathjax_ignore tex2jax_ignore" style="font-size: 85%; opacity: 0.75">{html}</div>'
    yield {"text/plain": "\n".join(lines), "text/html": text}, {}


def _alt(found: Drift) -> str:
    if found.amplified is None:
        return "the one of two pictures that is decoded here"
    return f"two pictures, a and b, and their difference x {found.amplified}"
