"""The bytes of an event stream become its events, wherever they are cut."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.events import Deltas, Lines, ServerEvent, kind_of, meaning, objects, what_it_is

_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
_EVENT = st.builds(
    lambda name, lines: ServerEvent(name=name, data="\n".join(lines)), _LINE, st.lists(_LINE, min_size=1)
)
_NEWLINE = st.sampled_from(["\n", "\r\n", "\r"])


def events(*parts: bytes) -> list[ServerEvent]:
    """All events of a stream that comes in these parts."""
    lines = Lines()
    return [*(event for part in parts for event in lines.feed(part)), *lines.close()]


def event(data: str, name: str = "") -> ServerEvent:
    """One event."""
    return ServerEvent(name=name, data=data)


@st.composite
def cut(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """Bytes in parts, cut anywhere; some parts are empty."""
    places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


@st.composite
def written(draw: st.DrawFn, said: list[ServerEvent]) -> bytes:
    """Events as a server may write them: any line ends, blanks or none, comments, ids, a byte order mark."""
    lines = []
    for each in said:
        fields = [f"data:{_blank(draw, line)}{line}" for line in each.data.split("\n")]
        if each.name:
            fields.insert(draw(st.integers(0, len(fields))), f"event:{_blank(draw, each.name)}{each.name}")
        for field in fields:
            lines += draw(
                st.lists(st.sampled_from([": keepalive", ":", "id: 7", "id", "retry: 10", "unheard: of"]), max_size=2)
            )
            lines.append(field)
        lines += [""] * draw(st.integers(1, 3))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    ends: list[str] = []
    for line in lines:
        # CR, an empty line and LF would be one line end.
        ends.append("\r" if not line and ends[-1:] == ["\r"] else draw(_NEWLINE))
    return (mark + "".join(line + end for line, end in zip(lines, ends, strict=True))).encode()


def _blank(draw: st.DrawFn, value: str) -> str:
    return " " if value.startswith(" ") else draw(st.sampled_from(["", " "]))


@held
@given(st.lists(_EVENT, max_size=4), st.data())
def test_events_come_back_as_they_were(said: list[ServerEvent], data: st.DataObject) -> None:
    """Whatever the line ends, comments and blanks, and wherever the bytes are cut."""
    whole = data.draw(written(said))

    assert events(*data.draw(cut(whole))) == said


@held
@given(st.binary() | st.text(st.sampled_from('data: event\r\n{}[]"\0\ufeff')).map(str.encode), st.data())
def test_any_bytes_give_the_same_events_however_they_are_cut(whole: bytes, data: st.DataObject) -> None:
    """Nothing is raised for any bytes, and a border between parts changes nothing."""
    expected = events(whole)

    assert events(*data.draw(cut(whole))) == expected
    assert events(*(whole[i : i + 1] for i in range(len(whole)))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: a\n\ndata: b\n\n", [event("a"), event("b")]),
        ("data: a\r\rdata: b\r\r", [event("a"), event("b")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", [event("a"), event("b")]),
        ("data:a\n\n", [event("a")]),
        ("data:  a\n\n", [event(" a")]),
        ("data: a\ndata: b\n\n", [event("a\nb")]),
        ("data\n\n", [event("")]),
        ("event: e\ndata: a\n\ndata: b\n\n", [event("a", "e"), event("b")]),
        ("data: a\nevent: e\n\n", [event("a", "e")]),
        ("event: e\n\ndata: a\n\n", [event("a")]),
        (": keepalive\n\n: keepalive\n\ndata: a\n\n", [event("a")]),
        ("id: 1\nretry: 5\nnobody: knows\ndata: a\n\n", [event("a")]),
        ("\ufeffdata: a\n\n", [event("a")]),
        ("\n\n \ndata: a\n\n", [event("a")]),
        ("  data: a\n\n", [event("a")]),
        ("\n\n", []),
        ("", []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(text: str, expected: list[ServerEvent]) -> None:
    """Line ends, the blank behind the colon, several data lines, comments, names that are not known."""
    assert events(text.encode()) == expected


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r", "\r\n"])
def test_the_last_event_counts_without_its_empty_line(end: str) -> None:
    """A server that closes the connection is done with it."""
    assert events(f"event: e\ndata: a{end}".encode()) == [event("a", "e")]


def test_an_event_comes_with_its_empty_line_and_not_later() -> None:
    """The first half of a line end is enough, and its other half is not one more."""
    lines = Lines()

    assert lines.feed(b"data: a\r\n\r") == [event("a")]
    assert lines.feed(b"\ndata: b\n") == []
    assert lines.feed(b"\n") == [event("b")]
    assert lines.close() == []


@pytest.mark.parametrize("first", ["data: {", "data:{", "data:"])
def test_json_over_several_lines_behind_one_data_is_one_event(first: str) -> None:
    """As a vendor prints it; lines that begin like JSON go on with what stands before them."""
    value = {"type": "image_generation.partial_succeeded", "list": [1, {"url": "https://h/a.png"}], "data: x": "y"}
    printed = json.dumps(value, indent=2)
    text = f"event: e\n{first}{printed.removeprefix('{') if '{' in first else chr(10) + printed}\n\ndata: [DONE]\n\n"

    found = events(text.encode())

    assert [json.loads(found[0].data), found[0].name, found[1]] == [value, "e", event("[DONE]")]


def test_only_json_goes_on_and_only_behind_data() -> None:
    """A line of words belongs to nothing, and so does JSON behind a field that is no data."""
    assert events(b"data: a\nwords\nid: 1\n  blank\n\n") == [event("a")]


def test_a_line_of_json_without_a_field_is_data() -> None:
    """Gateways send comments to keep the connection, and then the plain answer."""
    assert events(b': keepalive\n\n: keepalive\n\n{"data":[]}\n') == [event('{"data":[]}')]


def test_letters_that_are_none_are_replaced() -> None:
    """What is no UTF-8 spoils its letter and not its event."""
    assert events(b"data: a\xffb\n\n") == [event("a\ufffdb")]


def work(parts: int) -> int:
    """The bytes that are allocated, part by part, for one data line of so many parts."""
    lines, part, total = Lines(), b"x" * 16_384, 0
    lines.feed(b"data: ")
    tracemalloc.start()
    try:
        for _ in range(parts):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            lines.feed(part)
            total += tracemalloc.get_traced_memory()[1] - before
        assert len(lines.close()[0].data) == parts * len(part)
    finally:
        tracemalloc.stop()
    return total


def test_the_work_grows_with_the_bytes_and_not_with_their_square() -> None:
    """Four times the bytes of one line are four times the work, not sixteen times."""
    assert work(640) < 6 * work(160)


PNG = picture()


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", None),
        (b" \r\n\t\n", None),
        (b"\xef\xbb\xbf", None),
        (b"\0\0", None),
        (b"d", None),
        (b"\n event", None),
        (b"retry", None),
        (b'{"data"', "json"),
        (b"\r\n \n[", "json"),
        (b"\xef\xbb\xbf{", "json"),
        (b"\0\0{", "json"),
        (b"data:", "events"),
        (b"data: {}", "events"),
        (b"\n\nevent: x", "events"),
        (b"\xef\xbb\xbfid: 1", "events"),
        (b"retry: 100", "events"),
        (b": keepalive", "events"),
        (b":", "events"),
        (b"<html>", "html"),
        (b"\n<!doctype html>", "html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "picture"),
        (PNG[:100], "picture"),
        (picture(name="JPEG"), "picture"),
        (picture(name="WEBP"), "picture"),
        (b"\0\0\0\x20ftypavif", "picture"),
        (b"upstream error", "other"),
        (b"dates: never", "other"),
        (b"database: down", "other"),
        (b'"text"', "other"),
    ],
)
def test_what_an_answer_is_shows_in_its_first_line(start: bytes, kind: str | None) -> None:
    """Blanks that keep a connection say nothing yet, and neither does half of a field's name."""
    assert kind_of(start) == kind


@held
@given(st.binary(), st.binary())
def test_what_is_known_to_be_a_stream_or_json_stays_that(start: bytes, rest: bytes) -> None:
    """More bytes do not change it."""
    for begun in (start, b"\n " + start, b"data:" + start, b"{" + start):
        kind = kind_of(begun)
        if kind in ("events", "json"):
            assert kind_of(begun + rest) == kind


@pytest.mark.parametrize(
    ("body", "said"), [(b"", "empty"), (b"<html>", "HTML"), (b"PK\x03\x04", "ZIP"), (b"oops", "no JSON, or was cut")]
)
def test_what_cannot_be_read_is_named(body: bytes, said: str) -> None:
    """In a sentence for the person who waits for a picture."""
    assert said in what_it_is(body)


@pytest.mark.parametrize(
    ("payload", "name", "expected"),
    [
        ({"type": "image_generation.partial_image"}, "", "preview"),
        ({"type": "image_edit.partial_image"}, "", "preview"),
        ({}, "image_generation.partial_image", "preview"),
        ({"type": "partial_image"}, "", "preview"),
        ({"type": "b64_json"}, "partial_image", "preview"),
        ({"type": "image_partial"}, "", "preview"),
        ({"partial_image_index": 0}, "", "preview"),
        ({"type": "image_generation.completed", "partial_image_index": 0}, "", "end"),
        ({"type": "image_generation.completed"}, "partial_image", "end"),
        ({"type": "image_edit.completed"}, "", "end"),
        ({}, "done", "end"),
        ({"type": "image_generation.partial_succeeded"}, "", "picture"),
        ({"type": "image_generation.partial_failed", "error": {"code": "x"}}, "", "failure"),
        ({"type": "error", "message": "m"}, "", "error"),
        ({"message": "m"}, "error", "error"),
        ({"type": "invalid_request_error"}, "error", "error"),
        ({"type": "response.failed"}, "", "error"),
        ({"type": "started"}, "", "nothing"),
        ({}, "heartbeat", "nothing"),
        ({"object": "image.edit.chunk", "type": "ar_delta"}, "", "nothing"),
        ({"object": "image.edit.chunk", "type": "image"}, "", "picture"),
        ({"choices": [{"delta": {}}]}, "", "words"),
        ({"object": "chat.completion.chunk", "choices": []}, "", "words"),
        ({"object": "chat.completion.chunk", "choices": [{"delta": {}}], "error": {"code": 1}}, "", "picture"),
        ({"object": "error", "error": {"message": "m"}}, "", "picture"),
        ({"choices": [{"message": {}}]}, "", "picture"),
        ({"type": 7}, "", "picture"),
        ({}, "", "picture"),
    ],
)
def test_an_event_means_what_its_type_or_its_name_says(payload: dict[str, Any], name: str, expected: str) -> None:
    """Two families share names: a partial image is a preview, a partial success is a picture."""
    assert meaning(payload, name) == expected


def test_the_pieces_of_a_chat_are_put_together() -> None:
    """Texts in their order, choice by choice; whatever else there is, as pictures."""
    deltas = Deltas()
    part = {"type": "image_url", "image_url": {"url": "https://h/a.png"}}
    for choices in (
        [{"delta": {"role": "assistant", "content": "one "}}, {"index": 1, "delta": {"content": "other"}}],
        [{"delta": {"content": [{"type": "text", "text": "text "}, "and", part]}}],
        [
            {"delta": {"content": None, "images": ["x"]}},
            {"delta": 7},
            "no",
            {"index": "odd", "delta": {"content": "."}},
        ],
    ):
        deltas.add({"choices": choices})
    deltas.add({"choices": None})

    first, second = (choice["message"] for choice in deltas.whole()["choices"])
    assert first == {"content": "one text and.", "images": [part, {"images": ["x"]}]}
    assert second == {"content": "other", "images": []}


def test_objects_are_what_a_list_holds_of_them() -> None:
    """Anything else is passed over."""
    assert objects([{"a": 1}, None, "x", [{}]]) == [{"a": 1}]
    assert objects({"a": {}}) == objects("x") == objects(None) == []


def test_a_long_event_is_not_printed() -> None:
    """Its repr holds no picture."""
    assert base64.b64encode(PNG).decode()[:10] not in repr(event(base64.b64encode(PNG).decode()))
