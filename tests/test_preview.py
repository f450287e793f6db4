"""Small pictures for the notebook, made from stored ones."""

from __future__ import annotations

import os
import random
import struct
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.preview import (
    HEAVIEST,
    LONGEST_SIDE,
    MOST_PIXELS,
    Preview,
    amplified,
    decoded,
    difference,
    full,
    grid,
    left_out,
    load,
    painted,
    preview,
    row,
    strongest,
    upright,
)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def noise(size: tuple[int, int], name: str, mode: str = "RGB") -> bytes:
    """The picture that is hardest to make small."""
    pixels = random.Random(1).randbytes(size[0] * size[1] * len(mode))  # noqa: S311  (no secret depends on it)
    buffer = BytesIO()
    Pillow.frombytes(mode, size, pixels).save(buffer, name)
    return buffer.getvalue()


def stored(folder: Path, data: bytes) -> Path:
    """A file with these bytes."""
    path = folder / "x"
    path.write_bytes(data)
    return path


def opened(small: Preview | None) -> Pillow.Image:
    """A preview, decoded."""
    assert small is not None
    found = Pillow.open(BytesIO(small.data))
    assert (found.width, found.height) == (small.width, small.height)
    assert Pillow.MIME[found.format or ""] == small.mime
    return found


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1536, 1024), (512, 512), (40, 2000), (1, 1)])
def test_a_preview_is_small_in_pixels_and_bytes(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    """At most 512 px on the long side and 40 KB in base64, also for noise, which nothing makes small."""
    found = opened(small := preview(stored(tmp_path, noise(size, "PNG", mode))))

    assert small is not None
    assert max(found.size) <= LONGEST_SIDE
    assert len(b64encode(small.data)) <= 40_000


def test_what_was_just_shown_is_not_made_again(tmp_path: Path) -> None:
    """The same bytes in the same shape are the same preview, wherever they lie."""
    first, copy = tmp_path / "first", tmp_path / "copy"
    for path in (first, copy):
        path.write_bytes(noise((300, 200), "PNG"))

    assert preview(first) is preview(copy)
    assert preview(first, 64) is not preview(first)


def test_a_file_that_was_altered_is_shown_as_it_is(tmp_path: Path) -> None:
    """What was shown before at this place is another picture, though size, time and name are the same."""
    red, blue = (picture(colour, name="BMP") for colour in ("red", "blue"))
    path = stored(tmp_path, red)
    before = path.stat()
    shown = [preview(path), grid((("x", path),))]
    path.write_bytes(blue)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert [preview(path), grid((("x", path),))] != shown
    centres = [opened(small).convert("RGB").getpixel((32, 24)) for small in (preview(path), grid((("x", path),)))]

    assert all(isinstance(colour, tuple) and colour[2] > 200 and colour[0] < 60 for colour in centres)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((64, 48), (64, 48)), ((1536, 1024), (512, 341)), ((512, 2048), (128, 512)), ((1, 1), (1, 1))],
)
def test_a_preview_keeps_the_shape(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    """The long side becomes 512 px where it was longer; a small picture is not made larger."""
    assert opened(preview(stored(tmp_path, picture(size=size)))).size == expected


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_every_format_has_a_preview_in_its_colours(tmp_path: Path, name: str, mode: str) -> None:
    """Each format and mode that is decoded here comes out as PNG or JPEG."""
    buffer = BytesIO()
    Pillow.new("RGB", (64, 48), "white").convert(mode).save(buffer, name)
    found = opened(preview(stored(tmp_path, buffer.getvalue()))).convert("RGB")

    assert found.getpixel((32, 24)) == (255, 255, 255)


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_what_shows_through_stays_so(tmp_path: Path, name: str) -> None:
    """A transparent background is a PNG with transparency; one that is opaque all over is a JPEG."""
    clear = opened(preview(stored(tmp_path, picture("#00000000", name=name, mode="RGBA"))))
    opaque = preview(stored(tmp_path, picture("#000000ff", name=name, mode="RGBA")))

    assert clear.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)
    assert opaque is not None
    assert opaque.mime == "image/jpeg"


def test_a_turned_photograph_is_shown_upright(tmp_path: Path) -> None:
    """The orientation that a camera notes is followed."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Pillow.new("RGB", (64, 48)).save(buffer, "JPEG", exif=exif)

    assert opened(preview(stored(tmp_path, buffer.getvalue()))).size == (48, 64)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg></svg>",
        b"no picture",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00\x00\x00\x00\x00",
        b"%PDF-1.7",
    ],
)
def test_what_is_not_decoded_here_has_no_preview(tmp_path: Path, data: bytes) -> None:
    """SVG, a bomb and an unknown format are stored and not shown."""
    path = stored(tmp_path, data)

    assert (preview(path), full(path), load(data), decoded(data), grid((("x", path),))) == (None,) * 5
    assert (upright(data), left_out(data)) == (None, ())


def test_a_file_that_is_gone_has_no_preview(tmp_path: Path) -> None:
    """An output is shown without it."""
    assert preview(tmp_path / "gone") is None
    assert full(tmp_path / "gone") is None


def test_a_bomb_is_not_decoded() -> None:
    """More pixels than any model makes are a file and nothing else."""
    side = int(MOST_PIXELS**0.5) + 100
    buffer = BytesIO()
    Pillow.new("1", (side, side)).save(buffer, "PNG")

    assert load(buffer.getvalue()) is None


@held
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own, about metadata that is cut
@given(st.sampled_from(FORMATS), st.data())
def test_any_damage_is_shown_or_left_out(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """A file that is cut or altered has a preview or none, and never stops a cell that has paid for it."""
    whole = noise((30, 20), name)
    altered = bytearray(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    path = stored(tmp_path, bytes(altered))
    found = [preview(path), full(path), grid((("x", path),))]
    decoded(bytes(altered))

    assert all(each is None or each.mime in ("image/png", "image/jpeg") for each in found)


@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_full_is_the_stored_bytes_themselves(tmp_path: Path, name: str) -> None:
    """What a notebook can show goes in as it was received."""
    data = picture(name=name)
    found = full(stored(tmp_path, data))

    assert found is not None
    assert (found.mime, found.data) == (f"image/{name.lower()}", data)


@pytest.mark.parametrize("name", ["WEBP", "GIF", "TIFF", "BMP"])
def test_full_of_another_format_is_a_png_of_its_size(tmp_path: Path, name: str) -> None:
    """Only image/png and image/jpeg leave the kernel."""
    found = opened(full(stored(tmp_path, picture(size=(700, 30), name=name))))

    assert (found.format, found.size) == ("PNG", (700, 30))


def test_full_of_a_cut_picture_is_none(tmp_path: Path) -> None:
    """Its header can be read and its pixels cannot."""
    assert full(stored(tmp_path, noise((300, 300), "WEBP")[:-2000])) is None


@pytest.mark.parametrize(("count", "columns", "rows"), [(2, 2, 1), (4, 2, 2), (5, 3, 2), (10, 4, 3)])
def test_a_grid_holds_every_picture(tmp_path: Path, count: int, columns: int, rows: int) -> None:
    """Row by row, in a sheet that is about square, and light enough for that many pictures."""
    path = stored(tmp_path, picture("red", (512, 512)))
    sheet = grid(tuple((f"[{place}]", path) for place in range(count)))
    found = opened(sheet).convert("RGB")
    step = found.width // columns, found.height // rows
    centres = [found.getpixel((step[0] * (n % columns) + 130, step[1] * (n // columns) + 130)) for n in range(count)]

    assert sheet is not None
    assert len(sheet.data) <= HEAVIEST * count
    assert all(isinstance(colour, tuple) and colour[0] > 200 and colour[1] < 60 for colour in centres)


def test_a_grid_leaves_out_what_cannot_be_shown(tmp_path: Path) -> None:
    """One SVG among pictures does not hide them."""
    svg = tmp_path / "x.svg"
    svg.write_bytes(b"<svg></svg>")
    path = stored(tmp_path, picture())

    assert grid((("[0]", svg), ("[1]", path))) == grid((("[1]", path),))


def test_sixteen_bits_of_grey_keep_their_shades(tmp_path: Path) -> None:
    """A ramp over all of them is a ramp in the preview, not white."""
    ramp = Pillow.new("I;16", (256, 1))
    ramp.putdata([level * 257 for level in range(256)])
    ramp.save(tmp_path / "ramp.png")
    small = preview(tmp_path / "ramp.png")
    assert small is not None
    middle = Pillow.open(BytesIO(small.data)).convert("L").getpixel((128, 0))
    assert isinstance(middle, int)
    assert 100 < middle < 160


def test_a_picture_whose_header_is_made_up_has_no_preview() -> None:
    """Pillow raises whatever comes of it (here TypeError); a paid call must not end because of a preview."""
    buffer = BytesIO()
    Pillow.new("RGB", (8, 8), "red").save(buffer, "TIFF")
    data = bytearray(buffer.getvalue())
    at = data.index(struct.pack("<H", 273), 8)
    data[at + 2 : at + 4] = struct.pack("<H", 5)  # StripOffsets as a RATIONAL

    assert painted((("[0]", bytes(data)),)) is None
    assert decoded(bytes(data)) is None


def test_the_whole_picture_is_upright_in_colours_of_eight_bits() -> None:
    """Turned as the camera noted, RGB where nothing shows through, RGBA where something does; nothing is made small."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Pillow.new("CMYK", (640, 480)).save(buffer, "JPEG", exif=exif)
    turned, clear = upright(buffer.getvalue()), upright(picture("#00000080", mode="RGBA"))
    assert turned is not None
    assert clear is not None

    assert (turned.size, turned.mode) == ((480, 640), "RGB")
    assert clear.mode == "RGBA"


def test_a_pixel_of_a_bitmap_in_sixteen_bits_has_no_finer_levels() -> None:
    """In BMP the number of bits is that of all channels together."""
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 70, 0, 0, 66, 40, 1, 1, 1, 16, 3, 4, 0, 0, 0, 0)
    data = head + struct.pack("<IIIHH", 0xF800, 0x7E0, 0x1F, 0xFFFF, 0)  # 5, 6 and 5 bits, then one pixel
    white = upright(data)
    assert white is not None

    assert white.getpixel((0, 0)) == (255, 255, 255)
    assert left_out(data) == ()


def test_a_difference_has_the_channels_of_the_richer_picture() -> None:
    """RGB of two opaque pictures, RGBA where one has alpha, and the strongest of them as grey."""
    black, grey = (Pillow.new("RGB", (2, 1), colour) for colour in ((0, 0, 0), (1, 2, 3)))
    clear = Pillow.new("RGBA", (2, 1), (1, 2, 3, 255 - 9))

    assert difference(black, grey).getpixel((0, 0)) == (1, 2, 3)
    assert difference(black, clear).getpixel((0, 0)) == (1, 2, 3, 9)
    assert strongest(difference(clear, black)).getpixel((1, 0)) == 9


@pytest.mark.parametrize(("level", "factor", "expected"), [(0, 9, 0), (5, 9, 45), (100, 9, 255), (7, 1, 7)])
def test_what_is_amplified_stays_black_and_ends_at_white(level: int, factor: int, expected: int) -> None:
    """No level starts again from black, whatever the factor."""
    found = amplified(Pillow.new("L", (700, 70), level), factor)

    assert found.getextrema() == (expected, expected)
    assert max(found.size) <= LONGEST_SIDE


def test_a_row_has_room_for_its_labels() -> None:
    """A label that is wider than its picture is not written over the next one; one row however many there are."""
    dot = Pillow.new("RGB", (4, 4), "red")
    narrow, wide = (opened(row(((label, dot),) * 5)) for label in ("a", "difference x 255"))

    assert wide.width > 5 * 80
    assert wide.width > narrow.width
    assert wide.height == narrow.height
    assert row(()) is None
