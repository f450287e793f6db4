"""The reader of forms."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_imagegen.sketch import multipart
from jupyter_imagegen.sketch.multipart import MalformedMultipart, Part

CONTENT_TYPE = 'multipart/form-data; boundary="b b"'

# An encoder escapes quotes, backslashes and line ends in names each in its own way; no API has such names.
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\%'), min_size=1, max_size=20)


@given(st.lists(st.tuples(NAMES, NAMES, st.binary(max_size=300)), min_size=1, max_size=8))
@settings(deadline=None)
def test_what_an_http_client_writes_is_read_back(files: list[tuple[str, str, bytes]]) -> None:
    """Names, file names and every byte of the data, in order."""
    sent = [(name, (filename, data, "image/png")) for name, filename, data in files]
    request = httpx2.Request("POST", "http://sketch.test/", files=sent)
    parts = multipart.read(request.read(), request.headers["content-type"])
    assert parts == tuple(Part(*file) for file in files)


@given(st.binary(max_size=400).map(lambda tail: b'--b b\r\nContent-Disposition: form-data; name="a"\r\n' + tail))
@settings(deadline=None)
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """No other exception comes out of a hostile body."""
    try:
        parts = multipart.read(body, CONTENT_TYPE)
    except MalformedMultipart:
        return
    assert all(isinstance(part.name, str) for part in parts)


FIELD = b'Content-Disposition: form-data; name="a"\r\n\r\n1'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "ends before"),
        (b"--b b\r\n" + FIELD, "ends before"),
        (b"--b b x\r\n" + FIELD + b"\r\n--b b--", "alone on its line"),
        (b"--b b\r\nContent-Type: text/plain\r\n--b b--", "no empty line"),
        (b"--b b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b b--", "no name"),
        (b'--b b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--b b--', "no name"),
        (b"--b b\r\n\r\n1\r\n--b b--", "no name"),
        ((b"--b b\r\n" + FIELD + b"\r\n") * 101 + b"--b b--", "too many"),
    ],
)
def test_a_malformed_body_says_what_is_wrong(body: bytes, problem: str) -> None:
    """Each way a form can be broken has its sentence."""
    with pytest.raises(MalformedMultipart, match=problem):
        multipart.read(body, CONTENT_TYPE)


def test_preamble_padding_and_epilogue_are_ignored() -> None:
    """As RFC 2046 has it."""
    body = b"preamble\r\n--b b \t\r\n" + FIELD + b"\r\n--b b--\r\nepilogue"
    assert multipart.read(body, CONTENT_TYPE) == (Part("a", None, b"1"),)


def test_an_encoded_file_name_is_decoded() -> None:
    """Also in the form of RFC 2231."""
    head = b"Content-Disposition: form-data; name=a; filename*=utf-8''%E6%B0%B4.png\r\n\r\n1"
    assert multipart.read(b"--b b\r\n" + head + b"\r\n--b b--", CONTENT_TYPE) == (Part("a", "水.png", b"1"),)


def test_a_content_type_without_boundary_is_malformed() -> None:
    """There is nothing to cut at."""
    with pytest.raises(MalformedMultipart, match="no boundary"):
        multipart.read(b"", "multipart/form-data")
