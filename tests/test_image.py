"""A picture is what its bytes say, whatever was asked."""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.image import Image, sniff

Pillow.init()


def written(name: str) -> bytes:
    """A small picture in a format that Pillow can write; empty where this system cannot."""
    for mode in ("RGB", "L", "1", "P", "RGBA"):
        buffer = BytesIO()
        try:
            with warnings.catch_warnings(action="ignore"):  # Pillow gives up some formats
                Pillow.new(mode, (16, 16)).save(buffer, name)
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RuntimeError):
            continue
        return buffer.getvalue()
    return b""


FORMATS = tuple(sorted(name for name in Pillow.SAVE if written(name)))

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@held
@given(st.binary())
def test_any_bytes_are_a_picture_or_none(data: bytes) -> None:
    """Nothing that a server sends makes the look at it fail."""
    found = sniff(data)

    assert found is None or found.data == data


@held
@given(st.sampled_from(FORMATS), st.data())
def test_a_cut_picture_of_any_format_is_looked_at(name: str, data: st.DataObject) -> None:
    """A header that ends too early gives a size or none, and no exception."""
    whole = written(name)
    found = sniff(whole[: data.draw(st.integers(0, len(whole)))])

    assert found is None or (found.width is None) == (found.height is None)


@held
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.data())
def test_an_altered_picture_is_looked_at(name: str, data: st.DataObject) -> None:
    """A byte that was changed may change what is seen, and nothing else."""
    altered = bytearray(written(name))
    altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    found = sniff(bytes(altered))

    assert found is None or found.sha256 == hashlib.sha256(altered).hexdigest()


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (16383, 1), (300, 7)])
@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("PNG", "RGB", "png"),
        ("PNG", "RGBA", "png"),
        ("PNG", "1", "png"),
        ("JPEG", "RGB", "jpeg"),
        ("JPEG", "L", "jpeg"),
        ("JPEG", "CMYK", "jpeg"),
        ("WEBP", "RGB", "webp"),
        ("WEBP", "RGBA", "webp"),
        ("GIF", "P", "gif"),
    ],
)
def test_format_and_size_are_those_of_the_bytes(name: str, mode: str, expected: str, size: tuple[int, int]) -> None:
    """What Pillow wrote is read back by the header alone."""
    found = sniff(picture("black" if mode != "P" else "teal", size, name, "RGB" if mode == "P" else mode))

    assert found is not None
    assert (found.format, found.width, found.height) == (expected, *size)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"exif": b"Exif\0\0" + b"x" * 5000}])
def test_a_jpeg_is_measured_behind_its_other_segments(options: dict[str, object]) -> None:
    """The frame header stands behind comments, EXIF data and profiles of any length."""
    buffer = BytesIO()
    Pillow.new("RGB", (123, 45)).save(buffer, "JPEG", icc_profile=b"x" * 70_000, comment=b"y" * 300, **options)
    found = sniff(buffer.getvalue())

    assert found is not None
    assert (found.width, found.height) == (123, 45)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0"}])
def test_every_kind_of_webp_is_measured(options: dict[str, object]) -> None:
    """Lossy, lossless and extended files say their size in three places."""
    buffer = BytesIO()
    Pillow.new("RGB", (123, 45)).save(buffer, "WEBP", **options)
    found = sniff(buffer.getvalue())

    assert found is not None
    assert (found.width, found.height) == (123, 45)


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        b"<svg></svg>",
        b"\xef\xbb\xbf" + SVG,
        b"\n  " + SVG,
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + SVG,
        b"<!-- made --><!-- by -->\n" + SVG,
        b'<?xml version="1.0"?><!-- a --> <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x"> ' + SVG,
    ],
)
def test_an_svg_is_known_in_every_form(data: bytes) -> None:
    """A byte order mark, a declaration, comments and a doctype may stand before the root."""
    found = sniff(data)

    assert found is not None
    assert (found.format, found.width) == ("svg", None)


@pytest.mark.parametrize("data", [b"", b"<html>", b"<svgx>", b'{"a":1}', b"%PDF-1.7", b"RIFF1234WAVE", b"hello", b"BM"])
def test_what_is_no_picture_is_none(data: bytes) -> None:
    """A page, a JSON text and a document are not stored as pictures."""
    assert sniff(data) is None


@pytest.mark.parametrize("text", [b"<!---->" * 146, b"<!--" * 250, b" " * 1024, b"<?xml" * 200, b"<!---->\n " * 110])
def test_no_text_keeps_the_look_busy(text: bytes) -> None:
    """Texts that look like the beginning of an SVG over and over are done with at once (they once took for ever)."""
    assert sniff(text) is None


def test_the_bytes_are_never_decoded() -> None:
    """A bomb is only a file: a header that claims four gigapixels costs nothing to look at."""
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00"
    found = sniff(header)

    assert found is not None
    assert (found.width, found.height) == (65535, 65535)


def test_the_bytes_are_kept_exactly_and_never_printed() -> None:
    """The digest is that of the bytes, and the repr is one line."""
    data = picture() + b"trailing secret"
    found = sniff(data)

    assert isinstance(found, Image)
    assert (found.data, found.sha256) == (data, hashlib.sha256(data).hexdigest())
    assert "secret" not in repr(found)
    assert "64x48" in repr(found)
