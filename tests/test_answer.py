"""The body of a success becomes the pictures in it, decided from the body."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import answer, complaint, picture
from support.properties import held

from jupyter_imagegen.answer import Answer, Delivered, Glimpse, Reading, Task, read
from jupyter_imagegen.errors import (
    AnswerUnreadable,
    CallError,
    ConnectionCut,
    ImageGenError,
    NoPicture,
    OutOfCredit,
    Refused,
    Rejected,
)
from jupyter_imagegen.reply import Reply

PNG, RED, GREY = picture(), picture("red"), picture("grey")
TEXT, RED_TEXT, GREY_TEXT = (base64.b64encode(each).decode() for each in (PNG, RED, GREY))
A = "https://cdn.example/a.png?sig=x%2Fy"

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
def test_an_answer_that_is_cut_gives_the_pictures_that_had_come_whole(length: int) -> None:
    """With the fault beside them; where there are none it may have been charged, and says so."""
    begun = answer(PNG, PNG)[:length]
    whole = begun.count(TEXT.encode() + b'"')

    if not whole:
        with pytest.raises(AnswerUnreadable, match=r"empty|cut"):
            read(reply(begun))
        return
    found = read(reply(begun))
    assert [picture.data for picture in found.pictures] == [PNG] * whole
    assert isinstance(found.fault, AnswerUnreadable)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (b'{"data":[{"url":"https://h/a.png"},{"url":"https://h/b', ["https://h/a.png"]),
        (b'{"data":[{"url": "https:\\/\\/h\\/a.png"},', ["https://h/a.png"]),
        (b'{"data":[{"url":"/a.png","x":', ["https://h.example/a.png"]),
    ],
)
def test_addresses_that_had_come_whole_are_kept_too(text: bytes, urls: list[str]) -> None:
    """What they lead to is paid for."""
    assert [picture.url for picture in read(reply(text)).pictures] == urls


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
    for text in (base64.b64encode(data), base64.b64encode(data).rstrip(b"="), base64.urlsafe_b64encode(data)):
        (found,) = read(one({"b64_json": text.decode()})).pictures
        assert found.data == data


def test_base64_that_was_cut_is_no_picture() -> None:
    """Its bytes would not be the picture: where the cut can be told, it is a fault."""
    whole = base64.b64encode(b"\xff" * 300).decode()

    for length in (1, 2, 3, 397, 398, 399):
        with pytest.raises(AnswerUnreadable, match="cannot be decoded"):
            read(one({"b64_json": whole[:length]}))


def test_an_address_stands_in_for_base64_that_cannot_be_read() -> None:
    """Where an item has both, one of them is enough."""
    (found,) = read(one({"b64_json": "…", "url": A})).pictures

    assert (found.url, found.fault) == (A, None)


def test_a_data_url_may_hold_plain_text() -> None:
    """An SVG comes percent-encoded as often as in base64."""
    (found,) = read(one({"url": "data:image/svg+xml,%3Csvg%2F%3E"})).pictures
    (other,) = read(one({"url": "data:image/svg+xml;base64,PHN2Zy8%2B"})).pictures

    assert found.data == other.data == b"<svg/>"


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
    "item",
    [
        {"b64_json": "not base64!"},
        {"b64_json": "é"},
        {"b64_json": "A"},
        {"b64_json": "===="},
        {"url": "http://["},
        {"url": "https://h/\ud800"},
        {"url": "data:image/png"},
        {"url": "data:image/png;base64,"},
        {"url": "data:,\ud800"},
    ],
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
        (b"PK\x03\x04\x14\x00", "ZIP file"),
        (b"dat", "no JSON, or was cut"),
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


# --- JSON of other shapes ---


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"b64_json": TEXT}}, Delivered(data=PNG)),
        ({"images": [TEXT]}, Delivered(data=PNG)),
        ({"data": [{"url": [A]}]}, Delivered(url=A)),
        ({"choices": [{"message": {"content": f"![cat]({A})"}}]}, Delivered(url=A)),
        ({"choices": [{"message": {"content": f"![cat](data:image/png;base64,{TEXT})"}}]}, Delivered(data=PNG)),
        ({"choices": [{"message": {"content": TEXT}}]}, Delivered(data=PNG)),
        ({"status": "processing", "data": [{"b64_json": TEXT}]}, Delivered(data=PNG)),
        ({"id": "x", "status": "processing", "data": [{"b64_json": TEXT}]}, Delivered(data=PNG)),
        ({"task_id": "t", "output": [A]}, Delivered(url=A)),
        ({"error": {"message": "m"}, "images": [A]}, Delivered(url=A)),
    ],
)
def test_a_picture_is_read_from_every_shape(body: dict[str, Any], expected: Delivered) -> None:
    """What shapes.py finds is decoded, and completed from the base URL."""
    assert read(reply(body)).pictures == (expected,)


def test_a_list_of_items_is_an_answer() -> None:
    """Without an object around it; an error in it is that error."""
    assert read(reply(json.dumps([{"b64_json": TEXT}]).encode())).pictures == (Delivered(data=PNG),)
    with pytest.raises(Refused):
        read(reply(json.dumps([{"error": {"code": "moderation_blocked"}}]).encode()))


def test_the_same_picture_in_several_places_of_a_chat_is_one() -> None:
    """By its bytes or its address, in the order in which it comes first."""
    wrapped = "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76))
    message = {
        "content": f"![one]({A}) ![two](data:image/png;base64,{TEXT}) ![one]({A})",
        "images": [{"b64_json": wrapped}, {"image_url": {"url": A}}, {"b64_json": RED_TEXT}],
        "image_b64_json": TEXT,
    }
    found = read(reply({"choices": [{"message": message}]})).pictures

    assert found == (Delivered(url=A), Delivered(data=PNG), Delivered(data=RED))


def test_the_same_picture_twice_in_a_list_is_two() -> None:
    """Two were ordered, and two were paid for."""
    assert len(read(reply(answer(PNG, PNG))).pictures) == 2


def test_words_instead_of_a_picture_are_quoted() -> None:
    """A gateway may answer with a chat completion, and its model may only talk."""
    body = {"choices": [{"message": {"content": "\n\nHello there,\nhow may I assist you today?"}}], "usage": {}}
    with pytest.raises(NoPicture, match="“Hello there, how may I assist you today\\?”"):
        read(reply(body))


@pytest.mark.parametrize("body", [PNG, picture(name="JPEG"), picture(name="WEBP"), b"\n<svg xmlns='x'/>\n"])
def test_an_answer_that_is_a_picture_is_that_picture(body: bytes) -> None:
    """Byte for byte."""
    assert read(reply(body)).pictures == (Delivered(data=body),)


@pytest.mark.parametrize("body", [PNG[:-20], picture(name="JPEG")[:-2]])
def test_an_answer_that_is_half_a_picture_is_unreadable(body: bytes) -> None:
    """Nothing around it says where it should end but itself."""
    with pytest.raises(AnswerUnreadable, match="cut before its end"):
        read(reply(body))


@pytest.mark.parametrize(
    "body",
    [
        answer(PNG) + answer(RED),
        answer(PNG) + b"\n" + answer(RED),
        answer(PNG) + b"\n<!-- served by a proxy -->",
        b"\r\n \n" + answer(PNG) + b"\0\0\0",
        b"\xef\xbb\xbf" + answer(PNG),
        answer(PNG, seconds=float("nan")),
        answer(PNG, number="#").replace(b'"#"', b"9" * 5000),
        answer(PNG, letter="#").replace(b'"#"', b'"\\ud800"'),
        answer(PNG, letter="#").replace(b'"#"', b'"\xff\n"'),
        answer(PNG, letter="#").replace(b'"#"', b"9" * 5000) + b" and junk",
    ],
)
def test_json_is_read_as_far_as_it_is_one_answer(body: bytes) -> None:
    """Blanks, padding, junk behind it, numbers and letters that no strict reader takes."""
    assert read(reply(body)).pictures == (Delivered(data=PNG),)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({"detail": "Not Found"}, Rejected, "Not Found"),
        ({"base_resp": {"status_code": 1008, "status_msg": "no balance"}}, CallError, "no balance"),
        ({"code": 401, "msg": "no token"}, CallError, "no token"),
        ({"data": {"error": {"message": "m"}}}, CallError, "m"),
        ({"choices": [{"message": {"content": "Sorry."}}], "error": {"message": "m"}}, CallError, "m"),
    ],
)
def test_an_error_in_another_shape_is_that_error(body: dict[str, Any], kind: type[CallError], said: str) -> None:
    """HTTP 200 was said too early."""
    with pytest.raises(kind, match=f"The endpoint answered with an error: .*{said}"):
        read(reply(body))


def test_an_error_beside_pictures_is_told_with_them() -> None:
    """A group that was stopped half-way: what was made is there, and why there is no more."""
    found = read(reply({"data": [{"url": A}], "error": {"code": "InternalServiceError", "message": "stopped"}}))

    assert found.pictures == (Delivered(url=A),)
    assert found.fault is not None
    assert "stopped" in found.fault.message
    assert read(reply({"data": [{"url": A}], "error": None})).fault is None


def test_an_answer_without_a_word_may_have_been_moderated() -> None:
    """An empty list is how xAI says it; an answer that says something is quoted."""
    bodies: tuple[dict[str, Any], ...] = ({"data": []}, {"created": 1})
    for body in bodies:
        with pytest.raises(NoPicture) as caught:
            read(reply(body))
        assert "moderation" in caught.value.hint
        assert "may still have charged" in caught.value.hint
    with pytest.raises(NoPicture, match="no picture in it: come back later") as caught:
        read(reply({"data": [], "message": "come back later"}))
    assert "moderation" not in caught.value.hint


@pytest.mark.parametrize(
    "usage", ["[" * 60, {"a": {"b": "[" * 200}}, {"a": 10**400, "b": 1.5}, {"a": "\ud800"}, [1], "x", None, 7]
)
def test_a_usage_that_is_none_does_not_lose_the_picture(usage: object) -> None:
    """It is kept as JSON or not at all."""
    found = read(reply({"data": [{"b64_json": TEXT}], "usage": usage}))

    assert found.pictures == (Delivered(data=PNG),)
    assert found.usage is None or isinstance(json.loads(found.usage), dict)


def test_a_usage_that_is_nested_too_deep_is_left_out() -> None:
    """Those who read it go down into it, and would not come to its end."""
    usage: Any = 1
    for _ in range(150):
        usage = {"a": usage}

    assert read(reply({"data": [{"b64_json": TEXT}], "usage": usage})).usage is None


# --- orders that were only taken ---

TASK = Task(id="t_1", path="/tasks/t_1")


@pytest.mark.parametrize(
    ("body", "task"),
    [
        ({"code": 200, "data": [{"status": "submitted", "task_id": "t_1"}]}, TASK),
        ({"data": {"status": "processing", "task_id": "t_1", "progress": 40}}, TASK),
        ({"data": {"status": "processing", "task_id": "t_1", "output": {"image_urls": [A]}}}, TASK),
        (
            {"id": "g 1", "object": "generation.task", "status": "queued", "progress": 0},
            Task(id="g 1", path="/images/generations/g%201"),
        ),
        ({"task_id": "t_1"}, Task(id="t_1", path="")),
        ({"id": "t_1", "status": "in_progress", "error": None}, Task(id="t_1", path="")),
    ],
)
def test_an_order_that_was_only_taken_is_a_task(body: dict[str, Any], task: Task) -> None:
    """With the path to ask at where one is documented; the answer to that may be a task again."""
    assert read(reply(body)) == Answer(pictures=(), tasks=(task,))


@pytest.mark.parametrize(
    "body",
    [
        {"id": "t_1", "status": "completed", "output": {"image_urls": [A]}},
        {"data": {"task_id": "t_1", "status": "completed", "result": {"images": [{"url": [A]}]}}},
        {"id": "g1", "object": "generation.task", "status": "succeeded", "result": {"data": [{"url": A}]}},
        {"data": {"task_id": "t_1", "status": "failed", "result": {"images": [{"url": A}]}}},
    ],
)
def test_an_order_that_is_done_has_its_pictures(body: dict[str, Any]) -> None:
    """Whatever its server calls it: pictures that are there are the answer."""
    assert read(reply(body)) == Answer(pictures=(Delivered(url=A),))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (
            {"data": {"task_id": "t_1", "status": "failed", "error": {"code": "moderation_blocked", "message": "m"}}},
            Refused,
            "m",
        ),
        ({"id": "g1", "object": "generation.task", "status": "failed", "error": "oh no"}, CallError, "oh no"),
        ({"task_id": "t_1", "error": "oh no"}, CallError, "oh no"),
        (
            {"data": {"task_id": "t_1", "status": "CANCELLED"}},
            NoPicture,
            "task t_1 is CANCELLED, and there is no picture",
        ),
        ({"id": "t_1", "status": "expired", "message": "too late"}, NoPicture, "t_1 is expired.* in it: too late"),
        ({"id": "t_1", "object": "generation.task", "status": "completed"}, NoPicture, "t_1 is completed"),
    ],
)
def test_an_order_that_failed_is_an_error(body: dict[str, Any], kind: type[CallError], said: str) -> None:
    """The error that it holds, or its own words."""
    with pytest.raises(kind, match=said):
        read(reply(body))


# --- streams ---


def event(payload: object, name: str = "") -> bytes:
    """One event of a stream."""
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n".encode()


def said(kind: str, **fields: Any) -> bytes:
    """One event whose payload has a type, which is its name as well."""
    return event({"type": kind, **fields}, kind)


def partial(text: str = GREY_TEXT, index: int = 0) -> bytes:
    """A preview in OpenAI's form."""
    return said("image_generation.partial_image", b64_json=text, partial_image_index=index)


def completed(text: str = TEXT, **fields: Any) -> bytes:
    """A finished picture in OpenAI's form."""
    return said("image_generation.completed", b64_json=text, **fields)


def succeeded(url: str = A, index: int = 0) -> bytes:
    """A finished picture in Seedream's form."""
    return said("image_generation.partial_succeeded", url=url, image_index=index, size="1x1")


USAGE = {"input_tokens": 10, "output_tokens": 20, "details": {"image_tokens": 20}}
FAILED = said("image_generation.partial_failed", error={"code": "moderation_blocked", "message": "no otters"})
DONE = b"data: [DONE]\n\n"


def chunk(**delta: Any) -> bytes:
    """A piece of a chat completion."""
    return event({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]})


def fed(parts: Iterable[bytes]) -> tuple[Reading, list[Glimpse | Delivered]]:
    """What comes of an answer that arrives in these parts."""
    reading = Reading(reply(b""))
    return reading, [found for part in parts for found in reading.feed(part, ())]


STREAMS = {
    "openai": (
        partial() + partial(index=1) + completed(usage=USAGE),
        [Glimpse(data=GREY, index=0), Glimpse(data=GREY, index=1), Delivered(data=PNG)],
    ),
    "openai edit": (
        said("image_edit.partial_image", b64_json=GREY_TEXT) + said("image_edit.completed", b64_json=TEXT) + DONE,
        [Glimpse(data=GREY, index=None), Delivered(data=PNG)],
    ),
    "openai, two": (
        completed() + partial() + completed(RED_TEXT),
        [Delivered(data=PNG), Glimpse(data=GREY, index=0), Delivered(data=RED)],
    ),
    "seedream": (
        succeeded() + said("image_generation.completed", usage={"generated_images": 1}) + DONE,
        [Delivered(url=A)],
    ),
    "minimax": (b": keepalive\n\n" * 3 + succeeded() + b": keepalive\n\n", [Delivered(url=A)]),
    "vllm-omni": (
        event({"object": "image.edit.chunk", "type": "ar_delta", "delta": "thinking", "index": 0})
        + event({"object": "image.edit.chunk", "type": "image", "data": [{"b64_json": TEXT, "url": None}]})
        + DONE,
        [Delivered(data=PNG)],
    ),
    "short names": (
        event({"b64_json": GREY_TEXT}, "partial_image") + event({"b64_json": TEXT}, "completed") + event({}, "done"),
        [Glimpse(data=GREY, index=None), Delivered(data=PNG)],
    ),
    "heyroute": (
        event({"type": "started"}) + event({"type": "heartbeat"}) * 3 + said("completed", data=[{"b64_json": TEXT}]),
        [Delivered(data=PNG)],
    ),
    "url in completed": (
        said("image_generation.completed", url="/files/a.png"),
        [Delivered(url="https://h.example/files/a.png")],
    ),
    "data in completed": (
        said("image_generation.completed", created=1, data=[{"url": A}, {"b64_json": TEXT}]),
        [Delivered(url=A), Delivered(data=PNG)],
    ),
    "data: address": (said("image_generation.completed", url=f"data:image/png;base64,{TEXT}"), [Delivered(data=PNG)]),
    "the whole answer": (
        event({"created": 1, "data": [{"b64_json": TEXT}], "usage": USAGE}) + DONE,
        [Delivered(data=PNG)],
    ),
    "a list": (event([{"b64_json": TEXT}]), [Delivered(data=PNG)]),
    "unknown": (said("image.ready", image={"url": A}), [Delivered(url=A)]),
    "no empty lines": (
        b"data: "
        + json.dumps({"type": "partial_image", "b64_json": GREY_TEXT}).encode()
        + b"\ndata: "
        + json.dumps({"type": "completed", "b64_json": TEXT}).encode()
        + b"\ndata: [DONE]\n\n",
        [Glimpse(data=GREY, index=None), Delivered(data=PNG)],
    ),
    "several lines": (
        b"event: image_generation.partial_succeeded\ndata: "
        + json.dumps({"type": "image_generation.partial_succeeded", "url": A}, indent=2).encode()
        + b"\n\n",
        [Delivered(url=A)],
    ),
    "plain JSON behind comments": (b": keepalive\n\n: keepalive\n\n" + answer(PNG) + b"\n\n", [Delivered(data=PNG)]),
    "an odd index": (
        said("partial_image", b64_json=GREY_TEXT, partial_image_index=True) + completed(error={"message": "m"}),
        [Glimpse(data=GREY, index=None), Delivered(data=PNG)],
    ),
    "a preview elsewhere": (
        said("partial_image", url=A) + said("partial_image", b64_json="…") + completed(),
        [Delivered(data=PNG)],
    ),
    "no JSON": (event("hello") + event('{"b64_json":') + completed() + event("bye", "note"), [Delivered(data=PNG)]),
}


@pytest.mark.parametrize(("body", "expected"), STREAMS.values(), ids=STREAMS)
def test_a_stream_of_every_dialect_is_read(body: bytes, expected: list[Glimpse | Delivered]) -> None:
    """Previews are previews, pictures come as they are whole, and the answer has them in that order."""
    reading, found = fed([body[:7], body[7:]])
    pictures = tuple(each for each in expected if isinstance(each, Delivered))

    assert found == expected
    assert (reading.is_stream, reading.received) == (True, len(pictures))
    assert reading.finish().pictures == read(reply(body)).pictures == pictures


SHAPES = {
    **{name: body for name, (body, _) in STREAMS.items()},
    "json": b"\n\n " + answer(PNG, RED, usage=USAGE),
    "json, junk": answer(PNG) + b" junk",
    "task": json.dumps({"data": {"task_id": "t_1"}}).encode(),
    "picture": PNG,
    "mark": b"\xef\xbb\xbf" + completed(),
    "returns": completed().replace(b"\n", b"\r\n"),
    "chat": json.dumps({"choices": [{"message": {"content": f"![é]({A})"}}]}, ensure_ascii=False).encode(),
    "chat stream": chunk(role="assistant") + chunk(content="![é](") + chunk(content=f"{A})") + DONE,
    "failed": FAILED + succeeded(index=1) + DONE,
    "error": completed() + event({"error": {"message": "m"}}, "error"),
    "refused": event({"error": {"code": "moderation_blocked"}}, "error"),
    "words": chunk(content="No.") + DONE,
    "html": b"<html>",
    "empty": b" \n",
}


def outcome(whole: Iterable[bytes]) -> object:
    """The answer that comes in these parts, or the error that it ends with."""
    reading, _ = fed(whole)
    try:
        found = reading.finish()
    except CallError as error:
        return type(error), error.message, error.hint, error.request_id
    faults = [each.fault and each.fault.message for each in found.pictures]
    return [(each.data, each.url) for each in found.pictures], faults, found.usage, found.task, str(found.fault)


@held
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_an_answer_is_the_same_however_it_is_cut_into_parts(name: str, data: st.DataObject) -> None:
    """A border between parts says nothing: not in a word, not in a letter, not in a line end."""
    body = SHAPES[name]
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    parts = [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]

    assert outcome(parts) == outcome([body])


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_an_answer_is_the_same_when_it_comes_byte_by_byte(body: bytes) -> None:
    """The smallest parts."""
    assert outcome(body[i : i + 1] for i in range(len(body))) == outcome([body])


@held
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_a_stream_that_is_cut_keeps_what_was_whole(name: str, data: st.DataObject) -> None:
    """At any byte: no picture whose event had come is lost, and only an error of a call is raised."""
    body = SHAPES[name]
    reading, found = fed([body[: data.draw(st.integers(0, len(body)))]])
    pictures = tuple(each for each in found if isinstance(each, Delivered))
    try:
        answered = reading.finish()
    except CallError:
        assert all(picture.fault is not None for picture in pictures)
        return

    assert answered.pictures[: len(pictures)] == pictures


@held
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_a_spoiled_answer_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Bytes that were changed on the way, anywhere: only an error of the tree, and the same however they are cut."""
    body = bytearray(SHAPES[name])
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
        body[place] = data.draw(st.integers(0, 255))
    half = data.draw(st.integers(0, len(body)))

    assert outcome([bytes(body)]) == outcome([bytes(body[:half]), bytes(body[half:])])


@held
@given(
    st.lists(
        st.sampled_from([partial(), completed(), succeeded(), FAILED, DONE, chunk(content=A), *map(event, ("{", "7"))])
    )
)
def test_events_may_come_in_any_order(parts: list[bytes]) -> None:
    """Every picture is there, in the order in which they came; a preview is none of them."""
    body = b"data:\n\n" + b"".join(parts)
    expected = [part for part in parts if part in (completed(), succeeded(), FAILED)]
    reading, found = fed([body])

    assert len([each for each in found if isinstance(each, Glimpse)]) == parts.count(partial())
    assert reading.received == len(expected)
    if {completed(), succeeded()} & set(parts):
        delivered = reading.finish().pictures[: len(expected)]
        assert [(each.data, each.url, each.fault is not None) for each in delivered] == [
            (PNG, "", False) if part == completed() else (None, A, False) if part == succeeded() else (None, "", True)
            for part in expected
        ]


@held
@given(
    st.lists(st.tuples(_JSON, st.sampled_from(["", "error", "partial_image", "completed", "partial_failed", "done"])))
)
def test_any_events_are_read_or_refused(said: list[tuple[object, str]]) -> None:
    """Payloads of the wrong type are like payloads that say nothing."""
    assert_read_or_refused(b"".join(event(json.dumps(value), name) for value, name in said))


@pytest.mark.parametrize(
    ("body", "is_over"),
    [
        (completed(), False),
        (partial() + b": keepalive\n\n", False),
        (succeeded() + said("image_generation.completed", usage={}), True),
        (completed() + DONE, True),
        (completed() + event({}, "done"), True),
        (event({"error": {"message": "m"}}, "error"), False),
        (event({"error": "m"}), False),
        (FAILED, False),
        (event({"type": "progress", "code": 102, "message": "painting"}), False),
        (answer(PNG), False),
    ],
)
def test_a_stream_is_over_when_it_says_so(body: bytes, is_over: bool) -> None:  # noqa: FBT001
    """A finished picture is no end: more may be coming."""
    reading, _ = fed([body])

    assert reading.is_over is is_over


@pytest.mark.parametrize("body", [event({"error": {"message": "m"}}, "error"), event({"error": "m"})])
def test_a_stream_that_says_an_error_may_still_bring_pictures(body: bytes) -> None:
    """They are paid for: it is listened to a little longer."""
    reading, _ = fed([body])

    assert reading.has_failed
    assert [each.data for each in reading.feed(completed(), ()) if isinstance(each, Delivered)] == [PNG]


def test_json_yields_nothing_before_its_end() -> None:
    """It is collected, and is no stream."""
    reading, found = fed([b"\n \n", answer(PNG)[:50], answer(PNG)[50:]])

    assert (found, reading.is_stream, reading.received) == ([], False, 0)
    assert reading.finish().pictures == (Delivered(data=PNG),)


def test_a_picture_that_failed_keeps_its_place_in_the_stream() -> None:
    """Among those that did not; it counts as received."""
    reading, found = fed([FAILED + succeeded(index=1)])
    first, second = reading.finish().pictures

    assert isinstance(first.fault, Refused)
    assert second == Delivered(url=A)
    assert found == [first, second]
    assert reading.received == 2


def test_an_error_in_the_event_of_a_picture_does_not_end_the_stream() -> None:
    """The picture is there, and more may be coming."""
    reading, _ = fed([completed(error={"message": "m"})])

    assert not reading.is_over
    assert reading.finish().fault is None


def test_an_error_after_a_picture_does_not_lose_it() -> None:
    """It is told beside the picture."""
    found = read(reply(completed() + event({"error": {"code": "moderation_blocked", "message": "no more"}}, "error")))

    assert found.pictures == (Delivered(data=PNG),)
    assert isinstance(found.fault, Refused)


@pytest.mark.parametrize(
    ("parts", "usage"),
    [
        ([completed(usage=USAGE)], USAGE),
        (
            [
                completed(usage=USAGE),
                completed(RED_TEXT, usage={"input_tokens": 1, "details": {"image_tokens": 2}, "x": "y"}),
            ],
            {"input_tokens": 11, "output_tokens": 20, "details": {"image_tokens": 22}, "x": "y"},
        ),
        (
            [succeeded(), said("image_generation.completed", usage={"generated_images": 1}), DONE],
            {"generated_images": 1},
        ),
        ([partial(), completed()], None),
        ([chunk(content=A), event({"choices": [], "object": "chat.completion.chunk", "usage": USAGE}), DONE], USAGE),
    ],
)
def test_the_usage_of_a_stream_is_that_of_all_its_pictures(parts: list[bytes], usage: dict[str, Any] | None) -> None:
    """Several completed events are added up, a single one is left as it is."""
    found = read(reply(b"".join(parts))).usage

    assert (json.loads(found) if found else None) == usage


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b": keepalive\n\n", ConnectionCut, "ended before its picture came"),
        (b"data: {}\n\n", ConnectionCut, "ended before"),
        (partial(), ConnectionCut, "ended before"),
        (completed()[:-40], ConnectionCut, "ended before"),
        (partial() + DONE, NoPicture, "came to its end with no picture"),
        (said("image_generation.completed", usage={}), NoPicture, "came to its end"),
        (FAILED + FAILED + DONE, Refused, "no otters"),
        (FAILED + event({"error": {"message": "later"}}, "error"), Refused, "no otters"),
        (completed("…"), AnswerUnreadable, "base64"),
        (event({"type": "error", "error": {"code": "moderation_blocked", "message": "m"}}, "error"), Refused, "m"),
        (event({"type": "error", "message": "flat"}), CallError, "flat"),
        (event({"error": "text"}, "error"), CallError, "text"),
        (event({"message": "named"}, "error"), CallError, "named"),
        (event('"quoted"', "error"), CallError, "quoted"),
        (event("plain words", "error"), CallError, "plain words"),
        (event('{"error": {"mess', "error"), ConnectionCut, "ended before"),
        (event({"object": "error", "error": {"message": "m", "code": 500}}) + DONE, CallError, "m"),
        (event({"error": {"message": "first"}}) + event({"error": {"message": "second"}}), CallError, "first"),
        (event({"detail": "Not Found"}) + DONE, Rejected, "Not Found"),
        (event({"code": 102, "message": "painting"}), CallError, "painting"),
        (chunk(content="I only ") + chunk(content="talk.") + DONE, NoPicture, "“I only talk.”"),
        (chunk(content="") + DONE, NoPicture, "came to its end"),
    ],
)
def test_a_stream_without_a_picture_is_an_error(body: bytes, kind: type[CallError], message: str) -> None:
    """What it said, or that it only ended: then it may have been charged."""
    with pytest.raises(kind, match=message) as caught:
        read(reply(body))

    assert caught.value.request_id == "req_1"


def test_a_chat_that_is_streamed_is_searched_at_its_end() -> None:
    """An address may come letter by letter, and the same picture in several places."""
    letters = [chunk(content=letter) for letter in f"![cat]({A})"]
    reading, found = fed([*letters, chunk(images=[{"image_url": {"url": A}}, {"b64_json": TEXT}]), DONE])

    assert found == []
    assert reading.finish().pictures == (Delivered(url=A), Delivered(data=PNG))


def test_a_long_glimpse_is_not_printed() -> None:
    """The repr of a preview holds no bytes."""
    assert "PNG" not in repr(Glimpse(data=PNG, index=0))
