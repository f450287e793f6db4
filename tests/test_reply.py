"""What came back for one POST, before anyone has read it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.reply import Reply, unpacked


def reply(*headers: tuple[str, str]) -> Reply:
    """A reply with these headers."""
    return Reply(status=200, headers=headers, body=b"secret picture")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), ""),
        ((("x-request-id", "a"),), "a"),
        ((("cf-ray", "ray"), ("x-request-id", "a")), "a"),
        ((("cf-ray", "ray"), ("x-oneapi-request-id", "b")), "b"),
        ((("x-request-id", ""), ("apim-request-id", "c")), "c"),
        ((("x-request-id", "a"), ("x-request-id", "b")), "a"),
    ],
)
def test_the_request_id_is_the_providers_own_before_a_proxys(
    headers: tuple[tuple[str, str], ...], expected: str
) -> None:
    """Under it the provider finds the request; an edge's id is better than none."""
    assert reply(*headers).request_id == expected


def test_a_header_that_is_not_there_is_empty() -> None:
    """No caller asks twice."""
    assert reply(("a", "1")).header("b") == ""


def test_the_body_is_never_printed() -> None:
    """A traceback or a log holds no megabytes."""
    assert "secret" not in repr(reply())


RAW = b"an answer, an answer, an answer"


def deflated(wbits: int) -> bytes:
    """The answer, packed with this kind of wrapping."""
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(RAW) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (RAW, ""),
        (RAW, "gzip"),
        (RAW, "br"),
        (gzip.compress(RAW), "gzip"),
        (gzip.compress(RAW), "x-gzip"),
        (gzip.compress(RAW), " GZIP "),
        (gzip.compress(RAW), ""),
        (gzip.compress(RAW), "identity"),
        (gzip.compress(gzip.compress(RAW)), "gzip, gzip"),
        (gzip.compress(gzip.compress(RAW)), "gzip"),
        (gzip.compress(deflated(zlib.MAX_WBITS)), "deflate, gzip"),
        (deflated(zlib.MAX_WBITS), "deflate"),
        (deflated(-zlib.MAX_WBITS), "deflate"),
    ],
)
def test_a_body_is_unpacked_whatever_its_server_says_of_it(body: bytes, encoding: str) -> None:
    """Told wrongly, twice, or not at all: the bytes show it."""
    assert unpacked(body, encoding, 1000) == RAW


@pytest.mark.parametrize("encoding", ["gzip", ""])
def test_a_body_that_would_grow_beyond_all_measure_stays_packed(encoding: str) -> None:
    """A kilobyte can unpack to a gigabyte."""
    bomb = gzip.compress(b"\0" * 100_000)

    assert unpacked(bomb, encoding, 1000) == bomb


@held
@given(st.binary(), st.sampled_from(["", "gzip", "deflate", "x-gzip, deflate", "br"]), st.integers(1, 500))
def test_unpacking_never_fails_and_never_grows_beyond_its_cap(body: bytes, encoding: str, most: int) -> None:
    """Whatever the bytes are; what is not unpacked comes back as it was."""
    found = unpacked(body, encoding, most)

    assert found == body or len(found) <= most
