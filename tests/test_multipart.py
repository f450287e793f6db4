"""Fields and pictures become a form that every reader takes apart into the same fields and pictures."""

from __future__ import annotations

import hashlib
import re
from email.message import Message
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.image import Image, sniff
from jupyter_imagegen.multipart import encode
from jupyter_imagegen.references import Reference
from jupyter_imagegen.sketch.multipart import Part, read

Parts = list[tuple[str, str | Reference]]


def reference(data: bytes | None = None, name: str = "otter.png") -> Reference:
    """A reference picture."""
    found = sniff(picture() if data is None else data)
    assert found is not None
    return Reference(image=found, name=name)


def any_bytes(data: bytes) -> Reference:
    """A picture that consists of these bytes, whatever they are."""
    image = Image(data=data, format="png", width=1, height=1, sha256=hashlib.sha256(data).hexdigest())
    return Reference(image=image, name="x")


def mail(parts: Parts) -> list[Message]:
    """The parts as Python's mail parser reads them."""
    content_type, body = encode(parts)
    message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found = message.get_payload()
    assert isinstance(found, list)
    assert message.defects == []
    return [part for part in found if isinstance(part, Message)]


def ours(parts: Parts) -> tuple[Part, ...]:
    """The parts as the embedded endpoint reads them."""
    content_type, body = encode(parts)
    return read(body, content_type)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1)
VALUES = st.text(st.characters(codec="utf-8")) | st.builds(any_bytes, st.binary())
LINES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"a", b"imagegen-", b"\0", b"\xff"])).map(b"".join)


def content(value: str | Reference) -> bytes:
    """What a part holds."""
    return value.image.data if isinstance(value, Reference) else value.encode()


@held
@given(st.lists(st.tuples(NAMES, VALUES | st.builds(any_bytes, LINES)), max_size=6))
@example([("a", "\r\n"), ("b", "--"), ("c", "")])
def test_the_embedded_endpoint_reads_what_was_written(parts: Parts) -> None:
    """Names, texts and pictures come out as they went in, byte for byte, in their order."""
    found = ours(parts)

    assert [part.data for part in found] == [content(value) for _, value in parts]
    assert [part.filename is not None for part in found] == [isinstance(value, Reference) for _, value in parts]
    assert [part.name for part in found] == [
        name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A") for name, _ in parts
    ]


FIELDS = st.from_regex(r"[a-z_]+(\[[a-z]*\])?", fullmatch=True)


@held
@given(st.lists(st.tuples(FIELDS, VALUES | st.builds(any_bytes, LINES)), min_size=1, max_size=6))
def test_a_mail_parser_reads_what_was_written(parts: Parts) -> None:
    """An independent reader agrees."""
    found = mail(parts)

    assert [part.get_payload(decode=True) for part in found] == [content(value) for _, value in parts]
    assert [part.get_param("name", header="content-disposition") for part in found] == [name for name, _ in parts]
    assert [part.get_content_disposition() for part in found] == ["form-data"] * len(parts)


def test_a_form_is_written_in_one_way_only() -> None:
    """Byte for byte, what goes over the wire."""
    small = picture(size=(1, 1))
    content_type, body = encode([("prompt", "an ötter"), ("image", reference(small))])
    boundary = content_type.removeprefix("multipart/form-data; boundary=").encode()

    assert body == (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nan \xc3\xb6tter\r\n'
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="image"; filename="image-0.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + small + b"\r\n"
        b"--" + boundary + b"--\r\n"
    )


def test_the_same_parts_are_the_same_bytes() -> None:
    """A request that is repeated is the one that was recorded; another one has another boundary."""
    parts: Parts = [("prompt", "otter"), ("image", reference())]

    assert encode(parts) == encode(iter(parts))
    assert encode(parts)[0] != encode([("prompt", "cat"), parts[1]])[0]
    assert encode(parts)[0] != encode([parts[0], ("image", reference(picture("red")))])[0]


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_the_boundary_never_stands_in_the_content(monkeypatch: pytest.MonkeyPatch, copies: int) -> None:
    """Not even where the content was made to hold the boundary that its digest gives."""

    class Digest:
        """A digest that is known beforehand, for as many times."""

        count = 0

        def update(self, data: bytes) -> None:
            """Count the boundaries that were tried."""
            self.count += data.startswith(b"imagegen-")

        def hexdigest(self) -> str:
            """`0000…`, then `1111…`."""
            return f"{self.count}" * 64

    text = " ".join(f"imagegen-{str(copy) * 40}" for copy in range(copies))
    monkeypatch.setattr(hashlib, "sha256", lambda _data=b"": Digest())
    content_type, body = encode([("prompt", text), ("size", "1x1")])

    assert content_type.endswith(f"boundary=imagegen-{str(copies) * 40}")
    assert [part.data for part in read(body, content_type)] == [text.encode(), b"1x1"]


@held
@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_the_boundary_needs_no_quotes(parts: Parts) -> None:
    """At most 70 letters (RFC 2046) that stand in a header as they are."""
    content_type, body = encode(parts)
    boundary = content_type.partition("; boundary=")[2]

    assert re.fullmatch(r"[a-z0-9\-]{1,70}", boundary)
    assert body.count(boundary.encode()) == len(parts) + 1


@pytest.mark.parametrize("name", ['a"; filename="x', "a\r\nContent-Type: text/html\r\n\r\nx", "a\n\nb", "\r"])
@pytest.mark.parametrize("value", ["text", reference()])
def test_a_field_name_injects_no_header(name: str, value: str | Reference) -> None:
    """Quotes and line ends are escaped as browsers do."""
    (part,) = mail([(name, value)])
    expected = 2 if isinstance(value, Reference) else 1

    assert part.get_payload(decode=True) == content(value)
    assert len(part.keys()) == expected
    assert part.get_content_type() != "text/html"
    assert part.get_param("name", header="content-disposition") == (
        name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    )


@pytest.mark.parametrize(
    ("kind", "mime", "suffix"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/gif", "gif"),
    ],
)
def test_a_picture_says_what_it_is(kind: str, mime: str, suffix: str) -> None:
    """Relays refuse application/octet-stream, and some go by the suffix."""
    (part,) = mail([("image", reference(picture(name=kind), "wrong.xyz"))])

    assert part.get_content_type() == mime
    assert part.get_filename() == f"image-0.{suffix}"


def test_an_svg_says_what_it_is() -> None:
    """Its media type is not its suffix."""
    (part,) = mail([("image", reference(b"<svg></svg>"))])

    assert (part.get_content_type(), part.get_filename()) == ("image/svg+xml", "image-0.svg")


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("image",), ["image-0.png"]),
        (("image[]", "image[]", "mask"), ["image-0.png", "image-1.png", "mask.png"]),
        (("mask",), ["mask.png"]),
        (("Mark Up", "../x", "ü", '"'), ["mark-up.png", "x.png", "picture.png", "picture.png"]),
    ],
)
def test_a_file_is_named_after_its_field_and_place(names: tuple[str, ...], files: list[str]) -> None:
    """Where a picture came from is not told to the server."""
    path = "/home/otter/secret plans.png"
    parts: Parts = [(name, reference(name=path)) for name in names]

    assert [part.filename for part in ours(parts)] == files
    assert b"secret" not in encode(parts)[1]


@held
@given(NAMES)
def test_a_file_name_has_plain_letters_only(name: str) -> None:
    """Nothing in it needs an escape or is a path."""
    (part,) = ours([(name, reference())])

    assert re.fullmatch(r"[a-z0-9\-]+\.png", part.filename or "")


def test_a_text_has_no_media_type() -> None:
    """It is UTF-8 without saying so (RFC 7578, section 5.1.2); line ends stay as they were typed."""
    (part,) = mail([("prompt", "one\ntwo\r\nthree\rfour")])

    assert part.keys() == ["Content-Disposition"]
    assert part.get_payload(decode=True) == b"one\ntwo\r\nthree\rfour"


def test_half_a_character_does_not_stop_a_form() -> None:
    """It cannot be sent, and is replaced."""
    (part,) = ours([("prompt", "an \ud800 otter")])

    assert part.data == b"an ? otter"


def test_a_form_without_fields_is_a_form() -> None:
    """Readers find its end."""
    content_type, body = encode([])

    assert read(body, content_type) == ()
