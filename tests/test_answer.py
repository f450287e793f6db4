"""The body of a success becomes the pictures in it, decided from the body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import answer, complaint, picture
from support.properties import held

from jupyter_imagegen.answer import read
from jupyter_imagegen.errors import AnswerUnreadable, CallError, ImageGenError, NoPicture, OutOfCredit, Refused
from jupyter_imagegen.reply import Reply

PNG = picture()
TEXT = base64.b64encode(PNG).decode()

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "url", "b64_json", "revised_prompt", "error", "usage", "message"]), inner
        )
    ),
    max_leaves=10,
)


def reply(body: bytes | dict[str, Any], base_url: str = "https://h.example/v1") -> Reply:
    """A reply of status 200."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=200, headers=(("x-request-id", "req_1"),), body=data, base_url=base_url)


def one(item: dict[str, Any]) -> Reply:
    """A reply with one picture."""
    return reply({"data": [item]})


def assert_read_or_refused(body: bytes) -> None:
    """Read it; only an error of this package may come out."""
    try:
        found = read(reply(body))
    except ImageGenError:
        return

    assert found.pictures
    said = [(item.data is not None, item.url != "", item.fault is not None) for item in found.pictures]
    assert all(sum(each) == 1 for each in said)
    assert not all(is_fault for *_, is_fault in said)


@held
@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Whatever was paid for, reading it raises nothing but an error of this package."""
    assert_read_or_refused(body)


@held
@given(_JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    """Fields of the wrong type are like fields that are missing."""
    assert_read_or_refused(json.dumps(value).encode())


@held
@given(st.lists(st.dictionaries(st.sampled_from(["url", "b64_json", "revised_prompt"]), st.text()), min_size=1))
def test_any_items_are_read_or_refused(items: list[dict[str, str]]) -> None:
    """Texts that are no base64 and no address are refused in words."""
    assert_read_or_refused(json.dumps({"data": items}).encode())


@held
@given(st.integers(0, len(answer(PNG, PNG)) - 1))
def test_an_answer_that_is_cut_is_unreadable(length: int) -> None:
    """No prefix of an answer gives pictures: it may have been charged, and says so."""
    with pytest.raises(AnswerUnreadable, match=r"empty|cut"):
        read(reply(answer(PNG, PNG)[:length]))


@pytest.mark.parametrize("depth", [500, 990, 1000, 100_000])
def test_a_deeply_nested_answer_is_read_or_refused(depth: int) -> None:
    """Nesting that makes a reader fail is no reason to lose the record."""
    nested = b"[" * depth + b"]" * depth
    assert_read_or_refused(b'{"data":[{"b64_json":"' + TEXT.encode() + b'"}],"usage":{"a":' + nested + b"}}")


@pytest.mark.parametrize(
    "item",
    [
        {"b64_json": TEXT},
        {"b64_json": TEXT.rstrip("=")},
        {"b64_json": f"data:image/png;base64,{TEXT}"},
        {"b64_json": "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76))},
        {"b64_json": TEXT.replace("+", "-").replace("/", "_")},
        {"b64_json": TEXT, "url": "https://elsewhere.example/a.png"},
        {"b64_json": TEXT, "url": None},
        {"url": f"data:image/png;base64,{TEXT}"},
        {"url": f"data:image/png;base64,{TEXT}", "b64_json": None},
        {"url": f"data:image/png;base64,{TEXT}", "b64_json": ""},
    ],
)
def test_the_bytes_of_a_picture_are_exact_in_every_spelling(item: dict[str, Any]) -> None:
    """b64_json with or without a data: prefix, padding and line breaks, and data: URLs give the same bytes."""
    (found,) = read(one(item)).pictures

    assert found.data == PNG


@held
@given(st.binary(min_size=1))
def test_base64_is_decoded_exactly(data: bytes) -> None:
    """What was encoded comes out, whatever it is."""
    (found,) = read(one({"b64_json": base64.b64encode(data).decode()})).pictures

    assert found.data == data


def test_a_data_url_may_hold_plain_text() -> None:
    """An SVG comes percent-encoded as often as in base64."""
    (found,) = read(one({"url": "data:image/svg+xml,%3Csvg%2F%3E"})).pictures

    assert found.data == b"<svg/>"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://cdn.example/a.png?sig=x%2Fy&e=1", "https://cdn.example/a.png?sig=x%2Fy&e=1"),
        ("/files/a.png", "https://h.example/files/a.png"),
        ("files/a.png", "https://h.example/v1/files/a.png"),
        ("//cdn.example/a.png", "https://cdn.example/a.png"),
    ],
)
def test_an_address_is_completed_from_the_base_url(url: str, expected: str) -> None:
    """A signed URL stays as it is; a relative one is below the API's address."""
    (found,) = read(one({"url": url})).pictures

    assert (found.url, found.data) == (expected, None)


@pytest.mark.parametrize(
    "item", [{"b64_json": "not base64!"}, {"b64_json": "é"}, {"b64_json": "A"}, {"url": "http://["}]
)
def test_a_picture_that_cannot_be_read_is_said(item: dict[str, str]) -> None:
    """It was paid for: the outcome is unknown, and the request id is kept."""
    with pytest.raises(AnswerUnreadable, match="The answer has a picture whose") as caught:
        read(one(item))

    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"<html><body>Bad gateway</body></html>", "HTML page"),
        (b"\n <!doctype html>", "HTML page"),
        (b"data: {}\n\n", "event stream"),
        (b"event: image\ndata: {}\n\n", "event stream"),
        (b": keep-alive\n\n", "event stream"),
        (b"upstream error", "no JSON, or was cut"),
        (b'{"data":', "no JSON, or was cut"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
    ],
)
def test_what_is_no_answer_is_named(body: bytes, said: str) -> None:
    """Each is its own clear error."""
    with pytest.raises(AnswerUnreadable, match=said):
        read(reply(body))


def test_blank_lines_before_the_json_are_skipped() -> None:
    """Gateways send blanks to keep a connection alive."""
    assert len(read(reply(b"\r\n \n" * 50 + answer(PNG) + b"\n")).pictures) == 1


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (complaint("no credit", code="insufficient_quota"), OutOfCredit, "no credit"),
        (complaint("blocked", code="moderation_blocked"), Refused, "blocked"),
        (b'{"error":"rate limit","data":[]}', CallError, "rate limit"),
        (b'{"error":{"message":"m"},"data":null}', CallError, "m"),
    ],
)
def test_an_error_inside_200_is_that_error(body: bytes, kind: type[CallError], said: str) -> None:
    """A success that holds an error is explained like a failure."""
    with pytest.raises(kind, match=said):
        read(reply(body))


@pytest.mark.parametrize(
    "body", [{}, {"data": []}, {"data": None}, {"data": [{}]}, {"data": ["x", None]}, {"data": {}}]
)
def test_an_answer_without_a_picture_is_said(body: dict[str, Any]) -> None:
    """It can be read and holds none; the hint says that it may cost."""
    with pytest.raises(NoPicture, match="no picture in it") as caught:
        read(reply(body))

    assert "may still have charged" in caught.value.hint


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"error": {"message": "refused", "code": "moderation_blocked"}}, Refused),
        ({"error": "out of memory"}, CallError),
        ({"b64_json": "not base64!"}, AnswerUnreadable),
        ({"url": "http://["}, AnswerUnreadable),
    ],
)
def test_one_picture_that_failed_does_not_lose_the_others(item: dict[str, Any], kind: type[CallError]) -> None:
    """Its place says why, and the pictures before and after it are there."""
    found = read(reply({"data": [{"b64_json": TEXT}, item, {"b64_json": TEXT}]})).pictures

    assert [each.data for each in found] == [PNG, None, PNG]
    assert isinstance(found[1].fault, kind)
    assert (found[0].fault, found[2].fault) == (None, None)


def test_an_answer_whose_pictures_all_failed_is_the_first_failure() -> None:
    """Where there is nothing else, the error of the first picture is the error of the call."""
    with pytest.raises(Refused, match="no otters"):
        read(reply({"data": [{"error": {"message": "no otters", "code": "moderation_blocked"}}, {"url": "http://["}]}))


def test_what_the_answer_says_beside_the_pictures_is_kept() -> None:
    """The rewritten prompt of each picture, and the tokens as JSON text."""
    found = read(reply({"data": [{"b64_json": TEXT, "revised_prompt": "better"}], "usage": {"total_tokens": 7}}))

    assert found.pictures[0].revised_prompt == "better"
    assert found.usage == '{"total_tokens":7}'


@pytest.mark.parametrize("extra", [{"revised_prompt": 7}, {"revised_prompt": None}, {}])
def test_odd_fields_are_like_missing_ones(extra: dict[str, Any]) -> None:
    """A field of the wrong type is not believed and not fatal."""
    found = read(reply({"data": [{"b64_json": TEXT, **extra}], "usage": [1], "created": "now"}))

    assert found.pictures[0].revised_prompt is None
    assert found.usage is None


def test_a_long_picture_is_not_printed() -> None:
    """The repr of what was delivered holds no bytes."""
    assert TEXT[:10] not in repr(read(one({"b64_json": TEXT})))
    assert "PNG" not in repr(read(one({"b64_json": TEXT})))
