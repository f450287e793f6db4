"""The pictures of an answer leave its body while it arrives, and nothing of the body is lost by that."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.pictures import answer, noise, picture
from support.properties import held

from jupyter_imagegen.divert import SHOWN, Diversion, mark_in, restored

HEAVY = noise(5_000)
TEXT = base64.b64encode(HEAVY).decode()


class Sink:
    """Where a picture goes to, in memory."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: bytes) -> None:
        """Take more of it."""
        self.taken += data

    def undo(self) -> bytes:
        """Give it back."""
        return self.taken


def diverted(body: bytes, cuts: list[int]) -> tuple[bytes, list[bytes], str]:
    """What stays of a body that comes in parts, the pictures that left it, and the nonce of the marks."""
    diversion = Diversion(Sink)
    parts = [body[start:end] for start, end in pairwise([0, *sorted(cuts), len(body)])]
    kept = b"".join(diversion.feed(part) for part in parts) + diversion.close()
    return kept, [sink.taken for sink in diversion.ended], diversion.nonce


def again(body: bytes, cuts: list[int]) -> bytes:
    """The body put together again."""
    kept, pictures, nonce = diverted(body, cuts)
    return restored(kept, nonce, pictures.__getitem__)


# Bodies that are nearly what is diverted: long runs, prefixes, and what breaks them.
_PIECES = st.sampled_from(
    [
        b'"',
        b"{",
        b"}",
        b"\\",
        b"\n",
        b"=",
        b"==",
        b"-",
        b"data:image/png;base64,",
        b"data:",
        TEXT.encode(),
        TEXT.encode()[:1499],
        TEXT.encode()[:1500],
        TEXT.encode()[:1503],
        b"A" * 1600,
        b'"b64_json":"',
        base64.b64encode(noise(2_001)),
        base64.b64encode(noise(2_002)),
        b"QR==",
        b"Q",
    ]
)
_BODIES = st.lists(_PIECES | st.binary(max_size=5), max_size=12).map(b"".join)


@held
@given(_BODIES, st.lists(st.integers(0, 20_000), max_size=8))
@example(b'"' + TEXT.encode()[:-4] + b'QR=="', [])
@example(b'"' + base64.b64encode(noise(2_002))[:-2] + b'"', [])
def test_a_body_is_put_together_again_byte_for_byte(body: bytes, cuts: list[int]) -> None:
    """Whatever a server sends, and however the network cuts it: an answer that cannot be read is kept as it came."""
    assert again(body, [cut for cut in cuts if cut <= len(body)]) == body


@held
@given(st.lists(st.integers(0, 9_000), max_size=6), st.sampled_from(["", "data:image/png;base64,"]))
def test_a_picture_leaves_the_body_wherever_it_is_cut(cuts: list[int], prefix: str) -> None:
    """Its bytes are in the sink, and in its place are its first letters and a mark."""
    body = json.dumps({"data": [{"b64_json": prefix + TEXT}]}).encode()
    kept, pictures, nonce = diverted(body, [cut for cut in cuts if cut <= len(body)])
    text = json.loads(kept)["data"][0]["b64_json"]

    assert pictures == [HEAVY]
    assert mark_in(text, nonce) == (prefix + TEXT[:SHOWN], 0)


def test_every_picture_of_an_answer_leaves_it() -> None:
    """Each mark leads to its own, in their order."""
    heavy = [noise(size) for size in (1_125, 4_000, 4_001, 4_002)]
    kept, pictures, nonce = diverted(answer(*heavy), [])
    marks = [mark_in(item["b64_json"], nonce) for item in json.loads(kept)["data"]]

    assert pictures == heavy
    assert [mark and mark[1] for mark in marks] == [0, 1, 2, 3]


def test_a_picture_of_an_event_leaves_it() -> None:
    """Only quotes count, so that a stream is no other thing."""
    event = b'event: image_generation.completed\ndata: {"b64_json": "' + TEXT.encode() + b'"}\n\n'
    kept, pictures, _ = diverted(event, list(range(0, len(event), 7)))

    assert pictures == [HEAVY]
    assert kept.endswith(b'"}\n\n')


@pytest.mark.parametrize("name", ["content", "text"])
def test_what_a_model_says_stays(name: str) -> None:
    """In a stream it comes in pieces, and one that begins like a picture is not the whole of it."""
    event = f'data: {{"choices": [{{"delta": {{"{name}" : "{TEXT}"}}}}]}}\n\n'.encode()

    for cut in range(60):
        assert diverted(event, [cut])[:2] == (event, [])


def test_a_picture_whose_end_comes_before_its_quote_leaves_the_body() -> None:
    """Some servers write what stands before a picture, the picture, and what stands behind it, one by one."""
    for size in (4_000, 4_001, 4_002):
        text = base64.b64encode(noise(size))
        kept, pictures, _ = diverted(b'{"b64_json": "' + text + b'"}', [14, 14 + len(text)])
        assert pictures == [noise(size)]
        assert kept.endswith(b':"}')


def test_the_end_of_an_event_is_not_held_back() -> None:
    """An event that is whole is seen at once, and not when the next one begins."""
    diversion = Diversion(Sink)

    assert diversion.feed(b'data: {"type": "x"}\n\n') == b'data: {"type": "x"}\n\n'
    assert diversion.feed(b'data: "b') == b"data: "


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("/", "\\/"),
        TEXT.replace("+", "-").replace("/", "_"),
        "\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
        base64.b64encode(noise(4_000)).decode().rstrip("="),
        base64.b64encode(b"\1" + HEAVY).decode(),
        base64.b64encode(picture()).decode(),
    ],
    ids=["escaped", "of the other alphabet", "in lines", "without padding", "no picture", "small"],
)
def test_what_is_not_spelt_as_an_encoder_spells_it_stays(text: str) -> None:
    """The reader knows all spellings; here only that counts which can be spelt again as it was."""
    body = json.dumps({"b64_json": text}).encode()
    kept, pictures, _ = diverted(body, [])

    assert (kept, pictures) == (body, [])


def test_what_can_become_no_picture_any_more_is_not_held_back() -> None:
    """However long the text is: each byte is looked at once."""
    diversion = Diversion(Sink)
    part = b"A" * 1_000
    kept = [diversion.feed(b'{"x": "data:image/png,'), *(diversion.feed(part) for _ in range(50))]

    assert len(b"".join(kept)) > 45_000


def test_a_text_that_is_cut_stays() -> None:
    """At the end of the bytes everything is there that came."""
    body = answer(HEAVY)[:4_000]
    kept, pictures, _ = diverted(body, [1_000, 3_001])

    assert (kept, pictures) == (body, [])


def test_no_server_can_write_a_mark() -> None:
    """A text of the answer that looks like one is a text of the answer."""
    body = json.dumps({"b64_json": "x:" + "0" * 32 + ":0:"}).encode()
    kept, _, nonce = diverted(body, [])

    assert kept == body
    assert mark_in(json.loads(body)["b64_json"], nonce) is None
    assert mark_in(f"x:{nonce}:1:", nonce) == ("x", 1)
    assert mark_in(f"x:{nonce}:1", nonce) is None
