"""A copy of a picture with words written into it: who made it, with which prompt. Pure.

Pixels and every chunk or segment that is there stay as they are. What cannot carry the words comes back byte for byte:
another format, a file that is cut or odd, words that are too long for their place. Nothing is written twice: where a
picture has an XMP packet, EXIF or `parameters` of its own, that stays and ours is left out, because two of them are
read differently by every program, and to merge them would be to rewrite what others signed.

A C2PA manifest stays byte for byte too. But its signature is over the whole file, so that it no longer holds for a
copy into which anything is written; it holds for the original, which is never touched.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

from ..catalogue import Catalogue
from ..records import Record
from ..result import Picture
from .snapshots import dated

IPTC: Final = "iptc"
PARAMETERS: Final = "parameters"
WHAT: Final = (IPTC, PARAMETERS)
"""What can be written: the fields of IPTC in an XMP packet, and the prompt with its parameters in one text."""

_SOURCES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED: Final = f"{_SOURCES}trainedAlgorithmicMedia"
COMPOSITE: Final = f"{_SOURCES}compositeWithTrainedAlgorithmicMedia"
ALGORITHMIC: Final = f"{_SOURCES}algorithmicMedia"

# As the text calls them, and as servers that take them do.
_SAMPLING: Final = (
    ("Steps", ("steps", "num_inference_steps")),
    ("Sampler", ("sampler", "sampler_name")),
    ("CFG scale", ("cfg_scale", "guidance_scale")),
    ("Seed", ("seed",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is written into one picture; `source` is the IPTC code of how it came to be, `settings` are in order."""

    prompt: str
    negative_prompt: str | None
    system: str
    version: str | None
    source: str
    settings: tuple[tuple[str, str], ...]


def facts_of(picture: Picture, catalogue: Catalogue) -> Facts:
    """What the record of a picture says of it; the catalogue says whether a model made it, or plain code."""
    record = picture.record
    asked = record.asked
    negative = asked.get("negative_prompt")
    return Facts(
        prompt=record.prompt,
        negative_prompt=negative if isinstance(negative, str) and negative else None,
        system=f"{record.model or 'default model'} ({record.provider})",
        version=dated(record.model),
        source=_source(record, catalogue),
        settings=tuple(_settings(picture, asked)),
    )


def _source(record: Record, catalogue: Catalogue) -> str:
    if record.provider in catalogue.names and catalogue.provider(record.provider).embedded:
        return ALGORITHMIC
    return COMPOSITE if any(given.role == "mask" for given in record.call.inputs) else TRAINED


def _settings(picture: Picture, asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for title, names in _SAMPLING:
        yield from ((title, str(asked[name])) for name in names if isinstance(asked.get(name), int | float | str))
    if picture.width is not None:
        yield "Size", f"{picture.width}x{picture.height}"
    yield "Model", picture.record.model or "default"
    yield "Provider", picture.record.provider
    # Readers take the last line for settings only where it has three of them or more: these are always there.
    yield "Version", f"jupyter-imagegen {picture.record.version or 'unknown'}"


def embed(data: bytes, format: str, facts: Facts, what: tuple[str, ...]) -> bytes:  # noqa: A002  (as Picture says it)
    """The same picture with these words in it, or the same bytes where it cannot carry them.

    `format` is what the bytes are: png, jpeg and webp carry words. `what` is of WHAT. Raises nothing: the bytes come
    from a stranger.
    """
    write = _WRITERS.get(format)
    if write is None:
        return data
    words = _Words(
        packet=xmp(facts) if IPTC in what else None,
        parameters=parameters(facts) if PARAMETERS in what else None,
    )
    try:
        return write(data, words)
    except (_OddError, struct.error, IndexError):
        return data


def xmp(facts: Facts) -> bytes:
    """The XMP packet with the fields that IPTC has for generated pictures, in UTF-8; well-formed for any prompt."""
    fields = {
        "DigitalSourceType": facts.source,
        "AISystemUsed": facts.system,
        "AISystemVersionUsed": facts.version,
        "AIPromptInformation": facts.prompt,
    }
    lines = (f"<Iptc4xmpExt:{name}>{_xml(text)}</Iptc4xmpExt:{name}>" for name, text in fields.items() if text)
    return _PACKET.format(fields="\n   ".join(lines)).encode()


def parameters(facts: Facts) -> str:
    """The text that many image tools read back: the prompt, what is not wanted, and a last line of settings."""
    negative = (f"Negative prompt: {facts.negative_prompt}",) if facts.negative_prompt else ()
    settings = ", ".join(f"{name}: {_quoted(value)}" for name, value in facts.settings)
    return _text("\n".join((facts.prompt, *negative, settings)))


def _quoted(value: str) -> str:
    """A value that would be read as several is written as JSON, which those tools read too."""
    return json.dumps(value, ensure_ascii=False) if re.search(r"[,:\n\"]", value) else value


def _xml(text: str) -> str:
    """Text as XML 1.0 can hold it; a carriage return would be read as a line break, were it not spelt out."""
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text), quote=False).replace("\r", "&#13;")


def _text(text: str) -> str:
    """Text as every container can hold it: NUL ends a text in PNG, and half of a surrogate pair is no letter."""
    return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PACKET: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   {fields}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


class _OddError(ValueError):
    """A file that is cut, or not what its format says."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What is to be written; None for what is not."""

    packet: bytes | None
    parameters: str | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """One chunk or segment: its name, what is in it, and all its bytes as they stand in the file."""

    name: bytes
    content: bytes
    whole: bytes


# PNG: chunks of length, name, content and CRC.

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD: Final = b"XML:com.adobe.xmp"


def _into_png(data: bytes, words: _Words) -> bytes:
    pieces = tuple(_chunks(data))
    keywords = {piece.content.partition(b"\0")[0] for piece in pieces if piece.name in (b"tEXt", b"zTXt", b"iTXt")}
    added = b""
    if words.packet is not None and not keywords & {_XMP_KEYWORD, b"Raw profile type xmp"}:
        added += _international(_XMP_KEYWORD, words.packet)
    if words.parameters is not None and b"parameters" not in keywords:
        added += _png_text(b"parameters", words.parameters)
    before = sum(len(piece.whole) for piece in takewhile(lambda piece: piece.name != b"IDAT", pieces)) + len(_PNG)
    return data[:before] + added + data[before:]


def _chunks(data: bytes) -> Iterator[_Piece]:
    at, name = len(_PNG), b""
    if not data.startswith(_PNG):
        raise _OddError
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise _OddError
        yield _Piece(name, data[at + 8 : end - 4], data[at:end])
        at = end
    if name != b"IEND":
        raise _OddError


def _png_text(keyword: bytes, text: str) -> bytes:
    """As tEXt where Latin-1 can spell it, which every reader knows, else as iTXt."""
    try:
        return _chunk(b"tEXt", keyword + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _international(keyword, text.encode())


def _international(keyword: bytes, text: bytes) -> bytes:
    """An iTXt chunk without compression, language and translated keyword."""
    return _chunk(b"iTXt", keyword + b"\0\0\0\0\0" + text)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc32(name + content))


# JPEG: segments of marker, length and content, up to the picture itself.

_APP0: Final = b"\xff\xe0"
_APP1: Final = b"\xff\xe1"
_SCAN: Final = b"\xff\xda"
_XMP_HEAD: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF_HEAD: Final = b"Exif\0\0"
_LONGEST_SEGMENT: Final = 0xFFFF - 2
_DIRECTORY: Final = 2 + 12 + 4
"""Bytes of an EXIF directory with one entry: how many there are, the entry, and where the next directory is."""


def _into_jpeg(data: bytes, words: _Words) -> bytes:
    pieces = tuple(_segments(data))
    has_exif = any(piece.name == _APP1 and piece.content.startswith(_EXIF_HEAD) for piece in pieces)
    has_xmp = any(piece.name == _APP1 and piece.content.startswith(_XMP_HEAD) for piece in pieces)
    added = b""
    if words.parameters is not None and not has_exif:
        added += _segment(_EXIF_HEAD + _exif(words.parameters))
    if words.packet is not None and not has_xmp:
        added += _segment(_XMP_HEAD + words.packet)
    # JFIF and EXIF each want to be first; what others wrote there keeps its place.
    head = takewhile(lambda piece: piece.name == _APP0 or piece.content.startswith(_EXIF_HEAD), pieces)
    before = 2 + sum(len(piece.whole) for piece in head)
    return data[:before] + added + data[before:]


def _segments(data: bytes) -> Iterator[_Piece]:
    """Those before the first scan. A file without a scan, or without an end after it, is cut."""
    at, name = 2, b""
    if not data.startswith(b"\xff\xd8"):
        raise _OddError
    while name != _SCAN:
        name, (length,) = data[at : at + 2], struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if name[0] != 0xFF or not 0xC0 <= name[1] <= 0xFE or length < 2 or end > len(data):
            raise _OddError
        yield _Piece(name, data[at + 4 : end], data[at:end])
        at = end
    if data.rfind(b"\xff\xd9", at) < 0:
        raise _OddError


def _segment(content: bytes) -> bytes:
    """An APP1 segment; nothing for what does not fit into one."""
    if len(content) > _LONGEST_SEGMENT:
        return b""
    return _APP1 + struct.pack(">H", len(content) + 2) + content


def _exif(text: str) -> bytes:
    """EXIF that holds nothing but a UserComment: a first directory that points to the one with the comment."""
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    first = struct.pack(">HHHIII", 1, 0x8769, 4, 1, 8 + _DIRECTORY, 0)
    second = struct.pack(">HHHIII", 1, 0x9286, 7, len(comment), 8 + 2 * _DIRECTORY, 0)
    return b"MM\0*" + struct.pack(">I", 8) + first + second + comment


# WebP: a RIFF file of chunks, each with name, length, content and a byte to make it even.

_HAS_XMP: Final = 0x04
_HAS_EXIF: Final = 0x08
_HAS_ALPHA: Final = 0x10


def _into_webp(data: bytes, words: _Words) -> bytes:
    pieces = tuple(_riff_chunks(data))
    names = {piece.name for piece in pieces}
    added, flags = b"", 0
    if words.parameters is not None and b"EXIF" not in names:
        added, flags = _riff(b"EXIF", _exif(words.parameters)), _HAS_EXIF
    if words.packet is not None and b"XMP " not in names:
        added, flags = added + _riff(b"XMP ", words.packet), flags | _HAS_XMP
    if not added:
        return data
    body = b"WEBP" + _extended(pieces[0], flags) + b"".join(piece.whole for piece in pieces[1:]) + added
    return _riff(b"RIFF", body)


def _riff_chunks(data: bytes) -> Iterator[_Piece]:
    at = 12
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or struct.unpack_from("<I", data, 4)[0] != len(data) - 8:
        raise _OddError
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        if end + length % 2 > len(data):
            raise _OddError
        yield _Piece(data[at : at + 4], data[at + 8 : end], data[at : end + length % 2])
        at = end + length % 2


def _extended(first: _Piece, flags: int) -> bytes:
    """The first chunk with the flags set: VP8X with more of them, or a new VP8X before a picture that had none."""
    if first.name == b"VP8X" and len(first.content) == 10:
        return _riff(b"VP8X", bytes([first.content[0] | flags]) + first.content[1:])
    width, height, has_alpha = _canvas(first)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff(b"VP8X", bytes([flags | has_alpha, 0, 0, 0]) + sides) + first.whole


def _canvas(first: _Piece) -> tuple[int, int, int]:
    """Width, height and the flag for alpha, as the header of a picture without VP8X says."""
    content = first.content
    if first.name == b"VP8L" and content[0] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, _HAS_ALPHA if bits >> 28 & 1 else 0
    if first.name == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF, 0
    raise _OddError


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


_WRITERS: Final = MappingProxyType[str, Callable[[bytes, _Words], bytes]](
    {"png": _into_png, "jpeg": _into_jpeg, "webp": _into_webp}
)
