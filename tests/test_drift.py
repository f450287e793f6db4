"""How far two pictures are apart: in bytes, in pixels, and to the eye."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.utils.capture import capture_output
from PIL import Image as Pillow
from PIL import ImageDraw
from support.kernels import Kernel
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.drift import Drift, Side, bundles, dhash, drift
from jupyter_imagegen.preview import HEAVIEST, MOST_PIXELS

EVIL = "<script>alert(1)</script>\"'&"
RED = picture("red")
ALPHA = "#ff000080"


def saved(image: Pillow.Image, name: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture as one format."""
    buffer = BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def between(a: bytes, b: bytes) -> Drift:
    """The drift of two pictures."""
    return drift(Side("first", a), Side("second", b))


def scene(seed: int, side: int = 256) -> Pillow.Image:
    """A picture with things in it, as models make them: large shapes in many colours."""
    chance = random.Random(seed)  # noqa: S311  (no secret depends on it)
    image = Pillow.new("RGB", (side, side), (chance.randrange(256), 120, 90))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        (left, right), (top, low) = (sorted(chance.sample(range(side), 2)) for _ in "xy")
        colour = chance.randrange(256), chance.randrange(256), chance.randrange(256)
        draw.ellipse((left, top, right, low), fill=colour)
    return image


def noise(side: int, seed: int) -> Pillow.Image:
    """The picture that is hardest to make small."""
    pixels = random.Random(seed).randbytes(side * side * 3)  # noqa: S311  (no secret depends on it)
    return Pillow.frombytes("RGB", (side, side), pixels)


def ramp(mode: str) -> Pillow.Image:
    """Shades of red, in any mode."""
    red = Pillow.linear_gradient("L").resize((32, 24))
    flat = Pillow.new("L", red.size, 40)
    return Pillow.merge("RGB", (red, flat, flat)).convert(mode)


def turned() -> bytes:
    """A picture that lies on its side, with the note of a camera that says so."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return saved(ramp("RGB").transpose(Pillow.Transpose.ROTATE_90), exif=exif)


def sixteen_bits(low: int) -> bytes:
    """16 bits of grey whose lower 8 are these."""
    return saved(Pillow.frombytes("I;16", (16, 16), struct.pack("<H", 0x4000 + low) * 256))


def sixteen_bits_of_colour(low: int) -> bytes:
    """The same in colour, which Pillow reads and does not write."""
    rows = (b"\x00" + struct.pack(">HHH", 0x4000 + low, 0x2000, 0x1000) * 4) * 4
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def moving(second: str, name: str = "GIF") -> bytes:
    """Two frames: red, then this colour."""
    first, last = (Pillow.new("RGB", (16, 16), colour) for colour in ("red", second))
    return saved(first, name, save_all=True, append_images=[last])


def bomb() -> bytes:
    """More pixels than are decoded here, in a few kilobytes."""
    side = int(MOST_PIXELS**0.5) + 100
    return saved(Pillow.new("1", (side, side)))


def measures(found: Drift) -> tuple[Any, ...]:
    """What was measured, which does not depend on which picture is first."""
    return (
        *(found.same_bytes, found.same_pixels, found.same_size, found.compared_at, found.mean_difference),
        *(found.largest_difference, found.changed, found.hash_distance, found.amplified),
    )


KINDS: dict[str, Callable[[], bytes]] = {
    **{f"{name} {mode}": lambda name=name, mode=mode: saved(ramp(mode), name)  # type: ignore[misc]
       for name in ("PNG", "WEBP", "GIF", "BMP", "TIFF") for mode in ("RGB", "L", "1", "P")},
    **{f"JPEG {mode}": lambda mode=mode: saved(ramp(mode), "JPEG") for mode in ("RGB", "L", "CMYK")},  # type: ignore[misc]
    **{f"{name} {mode}": lambda name=name, mode=mode: saved(ramp(mode), name)  # type: ignore[misc]
       for name in ("PNG", "TIFF") for mode in ("RGBA", "LA")},
    **{f"TIFF {mode}": lambda mode=mode: saved(ramp(mode), "TIFF") for mode in ("CMYK", "YCbCr", "F", "I")},  # type: ignore[misc]
    "WEBP RGBA": lambda: picture(ALPHA, name="WEBP", mode="RGBA"),
    "TIFF LAB": lambda: saved(Pillow.new("LAB", (16, 16)), "TIFF"),
    "turned": turned,
    "palette with one clear colour": lambda: saved(ramp("P"), transparency=3),
    "16 bits": lambda: sixteen_bits(1),
    "16 bits of colour": lambda: sixteen_bits_of_colour(1),
    **{f"moving {name}": lambda name=name: moving("blue", name) for name in ("GIF", "PNG", "WEBP", "TIFF")},  # type: ignore[misc]
    "one pixel": lambda: picture(size=(1, 1)),
    "long": lambda: picture(size=(3000, 2)),
}  # fmt: skip
UNDECODED: dict[str, Callable[[], bytes]] = {
    "no picture that is known here": lambda: b"",
    "SVG is not decoded here": lambda: b"<svg onload='alert(1)'></svg>",
    "AVIF is not decoded here": lambda: b"\x00\x00\x00\x1cftypavif",
    "8245x8245 is too large to be decoded here": bomb,
    "damaged, or too large to be decoded here": lambda: saved(noise(64, 1), "WEBP")[:-2000],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bytes_are_no_distance_apart(kind: str) -> None:
    """Whatever they are, all measures are taken and nothing."""
    data = KINDS[kind]()
    found = between(data, data)

    assert (found.same_bytes, found.same_pixels, found.same_size) == (True, True, True)
    assert (found.mean_difference, found.largest_difference, found.changed, found.hash_distance) == (0, 0, 0, 0)
    assert found.sentence == "the same bytes"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_compared_with_every_other(kind: str) -> None:
    """Another mode, format, size or transparency is never an error, and which is first does not count."""
    for other in KINDS.values():
        found, back = between(KINDS[kind](), other()), between(other(), KINDS[kind]())

        assert measures(found) == measures(back)
        assert None not in (found.mean_difference, found.changed, found.hash_distance, found.sheet)
        assert (found.same_pixels is False) == (not found.same_size or found.changed != 0)


@pytest.mark.parametrize("reason", UNDECODED)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_not_decoded_is_unknown_and_the_sentence_says_why(reason: str, *, is_first: bool) -> None:
    """SVG, a bomb and a cut file have bytes to compare and no pixels."""
    data = UNDECODED[reason]()
    found = between(data, RED) if is_first else between(RED, data)

    assert measures(found) == (False, *[None] * 8)
    assert found.sentence.endswith(f", the pixels are not compared; {'a' if is_first else 'b'}: {reason}")
    assert found.sheet is not None


@pytest.mark.parametrize("reason", UNDECODED)
def test_the_same_bytes_that_are_not_decoded_are_the_same_bytes(reason: str) -> None:
    """That is known; what their pixels would be is not."""
    data = UNDECODED[reason]()
    found = between(data, data)

    assert measures(found) == (True, *[None] * 8)
    assert found.sentence == f"the same bytes; a and b: {reason}"
    assert found.sheet is None


@held
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own, about metadata that is cut
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_any_damage_is_compared_or_unknown(name: str, data: st.DataObject) -> None:
    """A file that is cut or altered raises nothing, and has all measures or none."""
    whole = saved(noise(24, 2), name)
    altered = bytearray(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    found = between(whole, bytes(altered))

    assert (found.mean_difference is None) == (found.hash_distance is None) == (found.compared_at is None)
    assert found.same_bytes == (bytes(altered) == whole)


@pytest.mark.parametrize(
    ("first", "second", "formats"),
    [
        (saved(scene(1)), saved(scene(1), "WEBP", lossless=True), "PNG against WebP"),
        (saved(scene(1)), saved(scene(1), compress_level=1), "both PNG"),
        (saved(scene(1)), saved(scene(1).convert("RGBA")), "both PNG"),
        (saved(ramp("L")), saved(ramp("L").convert("RGB"), "BMP"), "PNG against BMP"),
        (saved(ramp("P")), saved(ramp("P").convert("RGB")), "both PNG"),
        (saved(ramp("RGB")), turned(), "both PNG"),
    ],
    ids=["webp", "compression", "opaque alpha", "grey", "palette", "turned"],
)
def test_the_same_pixels_in_other_bytes_are_the_same_pixels(first: bytes, second: bytes, formats: str) -> None:
    """Format, compression, palette, an alpha that hides nothing and how a picture lies change nothing that is seen."""
    found = between(first, second)

    assert (found.same_bytes, found.same_pixels, found.mean_difference, found.changed) == (False, True, 0, 0)
    assert found.sentence == f"the same pixels, other bytes ({formats})"


def test_the_colour_of_what_is_clear_does_not_count() -> None:
    """Encoders drop it, and nobody sees it."""
    found = between(picture("#ff000000", mode="RGBA"), picture("#00ff0000", mode="RGBA"))

    assert (found.same_bytes, found.same_pixels, found.largest_difference) == (False, True, 0)


def test_alpha_is_a_channel_of_its_own() -> None:
    """Black that is half transparent differs from black in one channel of four."""
    found = between(picture("#000000", mode="RGB"), picture("#00000080", mode="RGBA"))

    assert (found.mean_difference, found.largest_difference, found.changed) == (127 / 4, 127, 1)


@pytest.mark.parametrize(
    ("first", "second", "left_out"),
    [
        (moving("blue"), moving("green"), "frames after the first"),
        (moving("blue", "WEBP"), moving("green", "WEBP"), "frames after the first"),
        (moving("blue", "PNG"), moving("green", "PNG"), "frames after the first"),
        (sixteen_bits(1), sixteen_bits(2), "levels finer than 8 bits"),
        (sixteen_bits_of_colour(1), sixteen_bits_of_colour(2), "levels finer than 8 bits"),
    ],
    ids=["gif", "webp", "png", "16 bits", "16 bits of colour"],
)
def test_what_is_not_compared_is_never_called_the_same(first: bytes, second: bytes, left_out: str) -> None:
    """Only first frames and 8 bits are compared: where these are the same, the pixels may still be others."""
    found = between(first, second)

    assert (found.mean_difference, found.changed, found.same_pixels) == (0, 0, None)
    assert found.sentence.startswith("the same pixels, as far as they are compared, other bytes (both ")
    assert found.notes == tuple(f"{name}: {left_out} are not compared" for name in "ab")


@held
@given(st.integers(0, 63), st.integers(0, 47), st.sampled_from("RGB"), st.integers(1, 127))
def test_a_change_of_one_pixel_is_seen(x: int, y: int, channel: str, step: int) -> None:
    """However small it is, the pixels are others, the share is that of one, and the sentence does not say none."""
    image = Pillow.new("RGB", (64, 48), "teal")
    levels = list(Pillow.new("RGB", (1, 1), "teal").tobytes())
    levels["RGB".index(channel)] ^= step
    expected = max(abs(was - now) for was, now in zip((0, 128, 128), levels, strict=True))
    image.putpixel((x, y), tuple(levels))
    found = between(saved(Pillow.new("RGB", (64, 48), "teal")), saved(image))

    assert found.same_pixels is False
    assert found.largest_difference == expected
    assert found.changed == pytest.approx(1 / (64 * 48))
    assert found.mean_difference == pytest.approx(expected / (64 * 48 * 3))
    assert "mean difference less than 0.1 of 255" in found.sentence
    assert "less than 0.1 % of the pixels" in found.sentence


@held
@given(st.binary(min_size=48, max_size=48), st.binary(min_size=48, max_size=48))
def test_the_measures_are_those_of_the_definition(first: bytes, second: bytes) -> None:
    """Counted one by one, for any pixels, and the same the other way round."""
    a, b = (saved(Pillow.frombytes("RGB", (4, 4), pixels)) for pixels in (first, second))
    apart = [abs(x - y) for x, y in zip(first, second, strict=True)]
    found = between(a, b)

    assert found.mean_difference == pytest.approx(sum(apart) / 48)
    assert found.largest_difference == max(apart)
    assert found.changed == pytest.approx(sum(any(apart[at : at + 3]) for at in range(0, 48, 3)) / 16)
    assert measures(found) == measures(between(b, a))


@pytest.mark.parametrize("seed", range(12))
def test_a_resized_copy_looks_the_same_and_another_picture_does_not(seed: int) -> None:
    """The perceptual hash keeps its bits through size and lossy formats, and loses many to other contents."""
    whole = saved(scene(seed))
    half = between(whole, saved(scene(seed).resize((128, 128))))
    lossy = between(whole, saved(scene(seed), "JPEG", quality=40))
    other = between(whole, saved(scene(seed + 100)))

    assert (half.same_size, half.compared_at, half.same_pixels) == (False, (128, 128), False)
    assert half.hash_distance is not None
    assert half.hash_distance <= 4
    assert lossy.hash_distance is not None
    assert lossy.hash_distance <= 4
    assert other.hash_distance is not None
    assert other.hash_distance >= 12


def test_a_drawing_on_nothing_has_a_hash_in_black_and_in_white() -> None:
    """What shows through counts as grey; on white or on black one of the two would be a flat picture."""
    shape = Pillow.new("L", (64, 64))
    ImageDraw.Draw(shape).ellipse((10, 4, 40, 60), fill=255)
    for colour in ("white", "black"):
        drawing = Pillow.new("RGBA", shape.size, colour)
        drawing.putalpha(shape)
        assert dhash(drawing).bit_count() > 4

    assert dhash(Pillow.new("RGB", (64, 64), "red")) == 0


def test_two_sizes_are_compared_at_the_smaller_width_and_height() -> None:
    """The sentence says both, and at which they were compared."""
    found = between(picture("#000000", (512, 300)), picture("#0a0a0a", (400, 1024), "BMP"))

    assert found.sizes == ((512, 300), (400, 1024))
    assert found.sentence == (
        "other size: 512x300 against 400x1024; both at 400x300: mean difference 10 of 255, largest 10, "
        "100 % of the pixels, perceptual hash 0 of 64 bits apart"
    )


@pytest.mark.parametrize(
    ("count", "share"),
    [(1, "0.1"), (41, "4.1"), (410, "41"), (999, "99.9"), (1000, "100")],
)
def test_a_sentence_says_the_measures(count: int, share: str) -> None:
    """With one decimal, and never none for a few nor all for most."""
    pixels = bytes([30]) * count + bytes(1000 - count)
    found = between(saved(Pillow.new("L", (50, 20))), saved(Pillow.frombytes("L", (50, 20), pixels)))
    exact = replace(found, mean_difference=12.345, hash_distance=14)

    assert exact.sentence == (
        f"other pixels: mean difference 12.3 of 255, largest 30, {share} % of the pixels, "
        "perceptual hash 14 of 64 bits apart"
    )
    assert "more than 99.9 % of" in replace(found, changed=0.99999).sentence
    assert "less than 0.1 % of" in replace(found, changed=0.00001).sentence


def test_sixteen_bits_are_compared_by_their_upper_eight() -> None:
    """Shades that differ there differ here."""
    found = between(sixteen_bits(0x00), saved(Pillow.new("L", (16, 16), 0x50)))

    assert (found.mean_difference, found.same_pixels) == (0x10, False)


def sheet(found: Drift) -> Pillow.Image:
    """The picture for the notebook, decoded."""
    assert found.sheet is not None
    return Pillow.open(BytesIO(found.sheet.data)).convert("RGB")


def test_the_sheet_shows_both_and_where_they_differ() -> None:
    """In a row: a, b, and the difference, dark where there is none and bright where there is a little."""
    other = Pillow.new("RGB", (300, 300), (40, 60, 80))
    other.paste((40, 63, 80), (0, 0, 150, 300))
    found = between(saved(Pillow.new("RGB", (300, 300), (40, 60, 80))), saved(other))
    shown = sheet(found)
    step = (shown.width - 6) // 3
    centres = [shown.getpixel((step * n + 6 + 220, 150)) for n in range(3)]
    changed = shown.getpixel((step * 2 + 6 + 75, 150))

    assert found.amplified == round(64 / 0.5)
    assert centres == [pytest.approx(each, abs=6) for each in ((40, 60, 80), (40, 60, 80), (0, 0, 0))]
    assert changed == pytest.approx((255, 255, 255), abs=6)


def test_one_changed_pixel_of_a_large_picture_is_seen_on_the_sheet() -> None:
    """Ten pixels become one there, and a change of three levels is not lost on the way."""
    other = Pillow.new("RGB", (1024, 1024))
    other.putpixel((512, 512), (3, 0, 0))
    shown = sheet(between(saved(Pillow.new("RGB", (1024, 1024))), saved(other)))
    spot = shown.crop((shown.width * 2 // 3 + 20, 20, shown.width - 20, 300)).getextrema()

    assert isinstance(spot[0], tuple)
    assert spot[0][1] > 60


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (1024, 1024), (4000, 40)])
def test_the_sheet_is_bounded_in_pixels_and_bytes(size: tuple[int, int]) -> None:
    """Three pictures of at most 320 px, also for noise, which nothing makes small."""
    a, b = (saved(noise(max(size), seed).crop((0, 0, *size))) for seed in (1, 2))
    found = between(a, b)

    assert found.sheet is not None
    assert found.sheet.width <= 3 * 326 + 6
    assert found.sheet.height <= 320 + 40
    assert len(found.sheet.data) <= 3 * HEAVIEST


def test_a_sheet_leaves_out_what_is_not_decoded() -> None:
    """The other picture is shown alone."""
    found = between(b"<svg></svg>", RED)
    colour = sheet(found).getpixel((30, 20))

    assert isinstance(colour, tuple)
    assert (colour[0] > 200, colour[1] < 60, found.amplified) == (True, True, None)


def test_a_drift_is_a_plain_text_everywhere() -> None:
    """The sentence, then a line for each picture; a label stays on its line."""
    found = drift(Side("20261121T1[0]", RED), Side("x\ny", b"<svg></svg>"))

    assert repr(found).splitlines() == [
        "other bytes (PNG against SVG), the pixels are not compared; b: SVG is not decoded here",
        "a: 20261121T1[0] · 64x48 PNG",
        "b: x y · unknown size SVG",
    ]


def test_what_a_side_holds_is_never_printed() -> None:
    """A traceback with megabytes of a picture helps nobody."""
    assert repr(Side("x", RED)) == "Side(label='x')"


def test_no_foreign_text_becomes_html() -> None:
    """Labels may be anything; the caption's HTML is our own and escaped."""
    (image, metadata), (caption, _) = bundles(drift(Side(EVIL, RED), Side(EVIL, picture("blue"))))

    assert set(image) == {"image/jpeg", "text/plain"}
    assert metadata["image/jpeg"]["alt"] == image["text/plain"] == "two pictures, a and b, and their difference x 1"
    assert "<script" not in caption["text/html"]
    assert "&lt;script&gt;" in caption["text/html"]
    assert "<script" in caption["text/plain"]
    assert 'class="mathjax_ignore tex2jax_ignore"' in caption["text/html"]  # nor is it a formula


def test_two_that_are_not_decoded_are_a_caption() -> None:
    """There is nothing to show of them, and something to say."""
    ((caption, metadata),) = bundles(between(b"", b"<svg onload='alert(1)'></svg>"))

    assert set(caption) == {"text/plain", "text/html"}
    assert metadata == {}
    assert "alert" not in str(caption)


def test_a_drift_shows_itself_at_the_end_of_a_cell(shell: Any) -> None:
    """The sheet with its size, then the caption; assigning it shows nothing."""
    shell.user_ns["d"] = between(RED, picture("blue"))
    with capture_output() as captured:
        shell.run_cell("x = d")
        shell.run_cell("d")
    image, caption = captured.outputs
    width, height = image.metadata["image/jpeg"]["width"], image.metadata["image/jpeg"]["height"]

    assert Pillow.open(BytesIO(base64.b64decode(image.data["image/jpeg"]))).size == (width, height)
    assert caption.data["text/plain"] == repr(shell.user_ns["d"])


def test_a_drift_is_shown_in_a_real_kernel(kernel: Kernel) -> None:
    """As an image and an escaped caption, with a plain text beside each."""
    done = kernel.run(
        "from jupyter_imagegen.drift import Side, drift\n"
        "from io import BytesIO\n"
        "from PIL import Image\n"
        "def side(colour):\n"
        "    Image.new('RGB', (64, 48), colour).save(buffer := BytesIO(), 'PNG')\n"
        "    return Side(colour, buffer.getvalue())\n"
        "drift(side('red'), side('blue'))"
    )

    assert done.status == "ok", done
    assert [sorted(out["data"]) for out in done.outputs] == [["image/jpeg", "text/plain"], ["text/html", "text/plain"]]
    assert "other pixels: mean difference 170 of 255" in done.text
