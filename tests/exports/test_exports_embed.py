"""Words written into copies of pictures: read back by Pillow, with every pixel and every other chunk as it was."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from support.made import kept, record
from support.properties import held

from jupyter_imagegen.catalogue import load
from jupyter_imagegen.exports.embed import (
    ALGORITHMIC,
    COMPOSITE,
    IPTC,
    PARAMETERS,
    TRAINED,
    WHAT,
    Facts,
    embed,
    facts_of,
    parameters,
    xmp,
)
from jupyter_imagegen.journal import Input
from jupyter_imagegen.result import Picture

FACTS: Final = Facts(
    prompt="a cat on a mat ]]> <b>&amp;\nunder a tree",
    negative_prompt="dogs",
    system="gpt-image-1 (openai)",
    version="2025-04-15",
    source=TRAINED,
    settings=(("Seed", "7"), ("Size", "64x48"), ("Model", "m, or n")),
)
TEXT: Final = """a cat on a mat ]]> <b>&amp;
under a tree
Negative prompt: dogs
Seed: 7, Size: 64x48, Model: "m, or n\""""

UNICODE: Final = replace(FACTS, prompt="eine Kätzin 🐈 猫")


def drawn(name: str, mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose pixels differ from each other; 65 × 48, as odd sizes are where containers pad."""
    size = (65, 48)
    whole = Pillow.merge(
        "RGBA",
        [
            Pillow.linear_gradient("L").resize(size),
            Pillow.radial_gradient("L").resize(size),
            Pillow.new("L", size, 9),
            Pillow.linear_gradient("L").resize(size),
        ],
    )
    buffer = BytesIO()
    whole.convert(mode).save(buffer, name, **options)
    return buffer.getvalue()


def moving(name: str) -> bytes:
    """A picture of two frames."""
    frames = [Pillow.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    buffer = BytesIO()
    frames[0].save(buffer, name, save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


CARRIERS: Final = {
    "png": ("png", drawn("PNG")),
    "png with alpha": ("png", drawn("PNG", "RGBA")),
    "png of a palette": ("png", drawn("PNG", "P")),
    "png of grey": ("png", drawn("PNG", "L")),
    "moving png": ("png", moving("PNG")),
    "jpeg": ("jpeg", drawn("JPEG")),
    "progressive jpeg": ("jpeg", drawn("JPEG", progressive=True)),
    "jpeg of grey": ("jpeg", drawn("JPEG", "L")),
    "jpeg of CMYK": ("jpeg", drawn("JPEG", "CMYK")),
    "jpeg with a profile": ("jpeg", drawn("JPEG", icc_profile=b"profile" * 9)),
    "webp": ("webp", drawn("WEBP")),
    "webp with alpha": ("webp", drawn("WEBP", "RGBA")),
    "lossless webp": ("webp", drawn("WEBP", lossless=True)),
    "lossless webp with alpha": ("webp", drawn("WEBP", "RGBA", lossless=True)),
    "webp with a profile": ("webp", drawn("WEBP", icc_profile=b"profile" * 9)),
    "moving webp": ("webp", moving("WEBP")),
}


def frames(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Every frame, decoded."""
    found = []
    with Pillow.open(BytesIO(data)) as picture:
        for place in range(getattr(picture, "n_frames", 1)):
            picture.seek(place)
            found.append((picture.mode, picture.size, picture.tobytes()))
    return found


def pieces(data: bytes, name: str) -> list[bytes]:
    """The chunks or segments of a file, each whole; another reading than the one that is tested."""
    return list({"png": _png, "jpeg": _jpeg, "webp": _webp}[name](data))


def _png(data: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        assert zlib.crc32(data[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        yield data[at:end]
        at = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    at = 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        yield data[at:end]
        at = end
    yield data[at:]


def _webp(data: bytes) -> Iterator[bytes]:
    """VP8X is left out: it says which chunks there are."""
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    at = 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if data[at : at + 4] != b"VP8X":
            yield data[at:end]
        at = end


def are_in_order(wanted: list[bytes], found: list[bytes]) -> bool:
    """Whether all of them are there, one behind the other, whatever stands between them."""
    rest = iter(found)
    return all(piece in rest for piece in wanted)


def packet_in(data: bytes) -> dict[str, str]:
    """The fields of IPTC in the XMP packet, as Pillow finds it and an XML parser reads it."""
    with Pillow.open(BytesIO(data)) as picture:
        return fields(picture.info["xmp"])


def fields(packet: bytes) -> dict[str, str]:
    """The fields of IPTC in a packet."""
    (description,) = ET.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")  # noqa: S314
    return {
        (field.tag.removeprefix("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}")): field.text or ""
        for field in description
    }


def text_in(data: bytes) -> str:
    """The text `parameters` as Pillow reads it: a text chunk of PNG, UserComment in EXIF elsewhere."""
    with Pillow.open(BytesIO(data)) as picture:
        if "parameters" in picture.info:
            return str(picture.info["parameters"])
        comment = picture.getexif().get_ifd(0x8769)[0x9286]
    assert comment[:8] == b"UNICODE\0"
    return str(comment[8:].decode("utf-16-be"))


@pytest.mark.parametrize("name", CARRIERS)
@pytest.mark.parametrize("what", [(IPTC,), (PARAMETERS,), WHAT])
def test_pixels_and_every_other_chunk_stay(name: str, what: tuple[str, ...]) -> None:
    """Each frame decodes to the same pixels, and every piece of the file is there, in order."""
    form, data = CARRIERS[name]

    made = embed(data, form, FACTS, what)

    assert made != data
    assert frames(made) == frames(data)
    assert are_in_order(pieces(data, form), pieces(made, form))


@pytest.mark.parametrize("name", CARRIERS)
@pytest.mark.parametrize("facts", [FACTS, UNICODE], ids=["latin", "unicode"])
def test_what_was_written_is_read_back(name: str, facts: Facts) -> None:
    """By Pillow, and by a parser of XML: the fields of IPTC, and the text that image tools know."""
    form, data = CARRIERS[name]

    made = embed(data, form, facts, WHAT)

    assert packet_in(made) == {
        "DigitalSourceType": TRAINED,
        "AISystemUsed": "gpt-image-1 (openai)",
        "AISystemVersionUsed": "2025-04-15",
        "AIPromptInformation": facts.prompt,
    }
    assert text_in(made) == parameters(facts)


def test_the_text_has_the_layout_that_image_tools_read() -> None:
    """The prompt, what is not wanted, and a last line of settings; a value with a comma is quoted."""
    assert parameters(FACTS) == TEXT
    assert parameters(replace(FACTS, negative_prompt=None)).count("\n") == 2


@pytest.mark.parametrize("name", CARRIERS)
@pytest.mark.parametrize("what", [(IPTC,), (PARAMETERS,), WHAT])
def test_nothing_is_written_twice(name: str, what: tuple[str, ...]) -> None:
    """A picture that has the words already, or others in their place, keeps those it has."""
    form, data = CARRIERS[name]
    once = embed(data, form, FACTS, what)

    assert embed(once, form, UNICODE, what) == once


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_what_others_wrote_is_kept_and_the_rest_is_added(form: str) -> None:
    """A packet or EXIF of the provider's own stays as it is; what has another place is still written."""
    theirs = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    exif = Pillow.Exif()
    exif[0x0131] = "their software"
    with_packet = drawn(form.upper(), xmp=theirs) if form != "png" else _png_with("XML:com.adobe.xmp", theirs.decode())
    with_exif = drawn(form.upper(), exif=exif) if form != "png" else _png_with("parameters", "their own")

    for data, what_is_new, kept_piece in ((with_packet, text_in, theirs), (with_exif, packet_in, b"their")):
        made = embed(data, form, FACTS, WHAT)
        assert what_is_new(made)
        assert made.count(kept_piece) == data.count(kept_piece) == 1
        assert are_in_order(pieces(data, form), pieces(made, form))
        assert frames(made) == frames(data)
    assert embed(with_packet, form, FACTS, (IPTC,)) == with_packet
    assert embed(with_exif, form, FACTS, (PARAMETERS,)) == with_exif


def _png_with(keyword: str, text: str) -> bytes:
    info = PngInfo()
    info.add_itxt(keyword, text)
    return drawn("PNG", pnginfo=info)


def _with_manifest(form: str) -> tuple[bytes, bytes]:
    """A picture that carries a C2PA manifest, and the piece that holds it."""
    manifest = b"jumb" * 30
    if form == "png":
        data, whole = drawn("PNG"), b"caBX" + manifest
        chunk = struct.pack(">I", len(manifest)) + whole + struct.pack(">I", zlib.crc32(whole))
        return data[:33] + chunk + data[33:], chunk
    if form == "jpeg":
        data, segment = drawn("JPEG"), b"\xff\xeb" + struct.pack(">H", len(manifest) + 2) + manifest
        return data[:20] + segment + data[20:], segment
    data, chunk = drawn("WEBP", icc_profile=b"profile"), b"C2PA" + struct.pack("<I", len(manifest)) + manifest
    return b"RIFF" + struct.pack("<I", len(data) - 8 + len(chunk)) + data[8:] + chunk, chunk


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_c2pa_manifest_stays_byte_for_byte(form: str) -> None:
    """Who signed it said what they said."""
    data, manifest = _with_manifest(form)

    made = embed(data, form, FACTS, WHAT)

    assert manifest in pieces(made, form)
    assert packet_in(made)["AIPromptInformation"] == FACTS.prompt
    assert text_in(made) == TEXT


@pytest.mark.parametrize("form", ["gif", "bmp", "tiff", "avif"])
def test_other_formats_come_back_byte_for_byte(form: str) -> None:
    """They have no place that is read, or one that cannot be written without moving what is there."""
    data = drawn(form.upper())

    assert embed(data, form, FACTS, WHAT) == data
    assert embed(b"<svg/>", "svg", FACTS, WHAT) == b"<svg/>"


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("webp", 0x0C),
        ("webp with alpha", 0x1C),
        ("lossless webp", 0x0C),
        ("lossless webp with alpha", 0x1C),
        ("webp with a profile", 0x2C),
    ],
)
def test_the_header_of_webp_says_what_is_in_the_file(name: str, flags: int) -> None:
    """EXIF and XMP, beside the alpha and the profile that were there; some readers look at nothing else."""
    made = embed(CARRIERS[name][1], "webp", FACTS, WHAT)

    assert (made[12:16], made[20]) == (b"VP8X", flags)
    assert (int.from_bytes(made[24:27], "little") + 1, int.from_bytes(made[27:30], "little") + 1) == (65, 48)


@pytest.mark.parametrize("name", CARRIERS)
def test_without_anything_to_write_the_bytes_are_the_same(name: str) -> None:
    """No word, no change."""
    form, data = CARRIERS[name]

    assert embed(data, form, FACTS, ()) == data


@pytest.mark.parametrize("name", CARRIERS)
def test_a_cut_file_comes_back_as_it_is(name: str) -> None:
    """At whatever byte: it is what was received, and nothing is said to be in it."""
    form, data = CARRIERS[name]

    for end in range(len(data)):
        assert embed(data[:end], form, FACTS, WHAT) == data[:end]


@pytest.mark.parametrize(("form", "other"), [("png", "jpeg"), ("jpeg", "webp"), ("webp", "png")])
def test_a_file_of_another_format_comes_back_as_it_is(form: str, other: str) -> None:
    """What the name of the format promises is not there."""
    data = CARRIERS[other][1]

    assert embed(data, form, FACTS, WHAT) == data


@held
@given(name=st.sampled_from(sorted(CARRIERS)), place=st.integers(0, 400), byte=st.integers(0, 255))
def test_an_altered_file_raises_nothing_and_loses_nothing(name: str, place: int, byte: int) -> None:
    """Whatever a stranger sends: the bytes come back as they are, or with something added between them."""
    form, data = CARRIERS[name]
    odd = data[:place] + bytes([byte]) + data[place + 1 :]

    made = embed(odd, form, FACTS, WHAT)

    assert made == odd or (len(made) > len(odd) and odd[-20:] in made)


@held
@given(form=st.sampled_from(["png", "jpeg", "webp"]), data=st.binary(max_size=200))
def test_arbitrary_bytes_come_back_as_they_are(form: str, data: bytes) -> None:
    """No picture, no words."""
    heads = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8", "webp": b"RIFF\x10\0\0\0WEBP"}

    assert embed(data, form, FACTS, WHAT) == data
    embed(heads[form] + data, form, FACTS, WHAT)


@held
@given(words=st.lists(st.text(st.characters(codec=None)), min_size=3, max_size=3))
def test_xml_is_well_formed_for_any_words(words: list[str]) -> None:
    """Control characters, `]]>`, quotes and half letters: a parser reads the packet, and every letter that XML has."""
    prompt, system, version = words

    found = fields(xmp(replace(FACTS, prompt=prompt, system=system, version=version)))

    # What XML 1.0 cannot hold is replaced, one letter by one.
    for name, text in (("AIPromptInformation", prompt), ("AISystemUsed", system), ("AISystemVersionUsed", version)):
        read = found.get(name, "")
        assert len(read) == len(text)
        assert all(new in (old, "\N{REPLACEMENT CHARACTER}") for new, old in zip(read, text, strict=True))
        assert [new for new, old in zip(read, text, strict=True) if old >= " " and old < "\x7f"] == [
            old for old in text if old >= " " and old < "\x7f"
        ]


@held
@given(name=st.sampled_from(["png", "jpeg", "webp"]), prompt=st.text(st.characters(codec=None), max_size=60))
def test_any_prompt_is_read_back(name: str, prompt: str) -> None:
    """As it is, but for NUL and half letters, which no container can hold."""
    form, data = CARRIERS[name]
    facts = replace(FACTS, prompt=prompt)

    made = embed(data, form, facts, (PARAMETERS,))

    assert frames(made) == frames(data)
    assert text_in(made) == parameters(facts)


@pytest.mark.parametrize("letters", [30_000, 40_000, 65_000, 200_000])
def test_words_that_are_too_long_for_a_segment_are_left_out(letters: int) -> None:
    """A JPEG segment holds 65,533 bytes, PNG and WebP what one wants; a piece of a prompt is no prompt."""
    facts = replace(FACTS, prompt="x" * letters)

    for form in ("png", "webp"):
        made = embed(CARRIERS[form][1], form, facts, WHAT)
        assert packet_in(made)["AIPromptInformation"] == facts.prompt
    made = embed(CARRIERS["jpeg"][1], "jpeg", facts, WHAT)
    assert frames(made) == frames(CARRIERS["jpeg"][1])
    assert (b"AIPromptInformation" in made) == (letters < 65_000)
    assert (b"UNICODE\0" in made) == (letters * 2 < 65_000)


def _picture(tmp_path: Path, **call: Any) -> Picture:
    image = kept(tmp_path, CARRIERS["png"][1])
    return Picture(record(image, call=call), image, tmp_path)


def _raw(**params: Any) -> Any:
    import msgspec

    return msgspec.Raw(msgspec.json.encode(params))


def test_facts_come_from_the_record(tmp_path: Path) -> None:
    """The words of OpenAI's API, the size of the picture itself, and the settings of sampling where they were sent."""
    asked = _raw(negative_prompt="dogs", seed=7, steps=20, guidance_scale=4.5, size="1x1")

    facts = facts_of(_picture(tmp_path, params=asked, model="gpt-image-1-2025-04-15"), load())

    assert facts == Facts(
        prompt="a cat",
        negative_prompt="dogs",
        system="gpt-image-1-2025-04-15 (openai)",
        version="2025-04-15",
        source=TRAINED,
        settings=(
            ("Steps", "20"),
            ("CFG scale", "4.5"),
            ("Seed", "7"),
            ("Size", "65x48"),
            ("Model", "gpt-image-1-2025-04-15"),
            ("Provider", "openai"),
            ("Version", "jupyter-imagegen 0.1.0"),
        ),
    )


def _mask(role: str) -> Input:
    return Input(role=role, path="inputs/x", sha256="0", bytes=1, format="png", name="x")


@pytest.mark.parametrize(
    ("call", "source"),
    [
        ({}, TRAINED),
        ({"provider": "custom"}, TRAINED),
        ({"inputs": (_mask("image"),)}, TRAINED),
        ({"inputs": (_mask("image"), _mask("mask"))}, COMPOSITE),
        ({"provider": "sketch"}, ALGORITHMIC),
    ],
)
def test_the_source_is_said_in_the_code_of_iptc(tmp_path: Path, call: dict[str, Any], source: str) -> None:
    """A model made it, or a part of it inside a mask; the embedded endpoint is no model."""
    assert facts_of(_picture(tmp_path, **call), load()).source == source
