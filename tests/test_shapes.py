"""Pictures, orders and complaints are found in whatever shape an answer has."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.shapes import (
    Item,
    Progress,
    complaint,
    in_text,
    is_chat,
    items,
    progress,
    remark,
    total,
    usage,
    words,
)

TEXT = base64.b64encode(picture()).decode()
OTHER = base64.b64encode(picture("red")).decode()
URL_SAFE = base64.urlsafe_b64encode(picture(name="JPEG")).decode()
EMBEDDED = f"data:image/png;base64,{TEXT}"
A, B = "https://cdn.example/a.png?sig=x%2Fy&e=1", "https://cdn.example/b"

_NAMES = (
    *(
        "data",
        "images",
        "image",
        "output",
        "result",
        "image_urls",
        "url",
        "b64_json",
        "image_url",
        "choices",
        "message",
    ),
    *("content", "type", "text", "error", "code", "msg", "status", "id", "task_id", "object", "base_resp", "usage"),
    *("status_code", "success", "detail", "revised_prompt", "delta"),
)
_TEXTS = st.text(max_size=5) | st.sampled_from(["failed", "queued", "https://h/a.png", "data:,x", "![a](b)", TEXT[:40]])
_SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=20,
)


def chat(content: object = None, **message: Any) -> dict[str, Any]:
    """A chat completion with this message."""
    return {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": content, **message}}]}


def picture_at(url: str) -> Item:
    """A picture that is only an address."""
    return Item(url=url)


def picture_in(text: str) -> Item:
    """A picture that is there as text."""
    return Item(base64=text)


@held
@given(_SHAPES)
def test_any_json_is_searched(body: object) -> None:
    """Wrong types in every place are like places that are empty."""
    for item in items(body):
        assert item.is_picture != bool(item.complaint)
    found = progress(body)
    assert found is None or found.id
    for said in (complaint(body), remark(body)):
        assert said == "" or isinstance(json.loads(said), dict)
    assert isinstance(words(body), str)
    assert isinstance(is_chat(body), bool)
    assert isinstance(usage(body), dict | None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"b64_json": TEXT}, {"b64_json": OTHER}]},
        {"data": {"images": [{"b64_json": TEXT}, {"b64_json": OTHER}]}},
        {"data": {"image_base64": [TEXT, OTHER]}},
        {"images": [TEXT, OTHER]},
        {"images": [{"b64_json": TEXT}, {"image_base64": OTHER}]},
        {"output": [{"type": "image_generation_call", "result": TEXT}, {"type": "x", "result": OTHER}]},
        {"data": [], "images": [TEXT, OTHER]},
        {"data": [{"error": "no"}], "images": [TEXT, OTHER]},
        [{"b64_json": TEXT}, {"b64_json": OTHER}],
        [TEXT, OTHER],
    ],
)
def test_base64_is_found_in_every_list(body: object) -> None:
    """Under any of the names that servers give it, in the order of the answer."""
    assert items(body) == (picture_in(TEXT), picture_in(OTHER))


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"url": A}, {"url": B}]},
        {"data": [{"type": "url", "url": A, "index": 0}, {"url": B, "content_filter_results": {}}]},
        {"data": [{"url": [A, B]}]},
        {"data": {"image_urls": [A, B]}, "base_resp": {"status_code": 0}},
        {"images": [{"image_url": {"url": A}}, {"image_url": B}]},
        {"output": {"image_urls": [A, B]}},
        {"output": [A, B]},
        {"result": {"images": [{"url": A}, {"url": B}]}},
        {"result": {"images": [{"url": [A, B]}]}},
        {"result": {"data": [{"url": A}, {"url": B}]}},
        {"data": {"status": "completed", "result": {"images": [{"url": [A]}, {"url": [B]}]}}},
        {"image_urls": [A, B]},
        {"urls": [], "url": [A, B]},
        [{"url": A}, {"url": B}],
        [A, B],
    ],
)
def test_addresses_are_found_in_every_list(body: object) -> None:
    """A signed address stays as it is."""
    assert items(body) == (picture_at(A), picture_at(B))


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ({"data": {"b64_json": TEXT}}, picture_in(TEXT)),
        ({"data": {"url": A}}, picture_at(A)),
        ({"b64_json": TEXT, "created": 1}, picture_in(TEXT)),
        ({"url": A}, picture_at(A)),
        ({"image": EMBEDDED}, picture_in(EMBEDDED)),
        ({"output": A}, picture_at(A)),
        ({"data": [{"url": EMBEDDED}]}, picture_in(EMBEDDED)),
        ({"data": [{"b64_json": EMBEDDED}]}, picture_in(EMBEDDED)),
        ({"data": [{"b64_json": A}]}, picture_at(A)),
        ({"data": [{"url": TEXT}]}, picture_in(TEXT)),
        ({"data": [{"b64_json": None, "url": A}]}, picture_at(A)),
        ({"data": [{"b64_json": "", "url": A}]}, picture_at(A)),
        ({"data": [{"b64_json": TEXT, "url": ""}]}, picture_in(TEXT)),
        ({"data": [{"b64_json": TEXT, "url": None}]}, picture_in(TEXT)),
        ({"data": [{"b64_json": TEXT, "url": A}]}, Item(base64=TEXT, url=A)),
        ({"data": [{"url": "/v1/images/7/content?variant=0"}]}, picture_at("/v1/images/7/content?variant=0")),
        ({"data": [{"url": " files/a.png\n"}]}, picture_at("files/a.png")),
        ({"data": ["/files/a.png"]}, picture_at("/files/a.png")),
        ({"images": [URL_SAFE]}, picture_in(URL_SAFE)),
        ({"url": "https://h/tasks/7", "data": [{"url": A}]}, picture_at(A)),
        ({"data": [{"url": A, "revised_prompt": "better"}]}, Item(url=A, revised_prompt="better")),
        ({"data": [{"url": A, "revised_prompt": "\ud800"}]}, Item(url=A, revised_prompt="?")),
        ({"data": [{"url": A, "revised_prompt": ["no"]}]}, picture_at(A)),
        (A, picture_at(A)),
    ],
)
def test_one_picture_is_found_under_every_name(body: object, item: Item) -> None:
    """What its text shows to be the other kind than its field says is the other kind."""
    assert items(body) == (item,)


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        "text",
        [],
        {},
        [[A]],
        {"data": ["x", None, 7]},
        {"data": {"data": {}}},
        {"urls": [A]},
        {"input": {"url": A}},
    ],
)
def test_what_is_no_picture_is_passed_over(body: object) -> None:
    """Words, and addresses of something else."""
    assert items(body) == ()


def test_an_error_stands_in_the_place_of_its_picture() -> None:
    """Among others, or alone."""
    said = '{"error": {"code": "OutputImageSensitiveContentDetected"}}'
    error = json.loads(said)

    assert items({"data": [{"url": A}, error, {"url": B}]}) == (picture_at(A), Item(complaint=said), picture_at(B))
    assert items([error]) == items({"data": [error], "images": []}) == (Item(complaint=said),)


def test_what_is_nested_deeper_than_any_answer_is_not_searched() -> None:
    """A list in a list in a list ends somewhere."""
    body: Any = {"url": A}
    for _ in range(900):
        body = {"data": [body]}

    assert items(body) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"![a cat]({A})", [A]),
        (f"Here it is:\n\n![a [very] old cat]({B})\n\nEnjoy!", [B]),
        (f'![cat]({A} "A cat")', [A]),
        (f"![cat](<{A}>)", [A]),
        (f"![]( {B} )", [B]),
        ("![cat](/files/a_(1).png)", ["/files/a_(1).png"]),
        (f"![a]({A})\n![b]({B})\n![a]({A})", [A, B, A]),
        (f"![cat]({EMBEDDED})", [EMBEDDED]),
        (f"Look: {EMBEDDED}", [EMBEDDED]),
        (f"[cat]({EMBEDDED})", [EMBEDDED]),
        (f'<img alt="cat" src="{A.replace("&", "&amp;")}" width=10>', [A]),
        (f"<p><IMG SRC='{B}'></p>", [B]),
        (f"[cat]({A})", [A]),
        (f"See {A}.", [A]),
        (f"![file]({A})\n\n[Download](https://cdn.example/download/a.png)", [A]),
        (f"[a]({A}) and https://cdn.example/c.webp, and {B}", [A, "https://cdn.example/c.webp"]),
        (A, [A]),
        (f"\n <{B}> \n", [B]),
        (f"`{B}`", [B]),
        (EMBEDDED, [EMBEDDED]),
        (TEXT, [TEXT]),
        ("\n".join((TEXT[:76], TEXT[76:])), ["\n".join((TEXT[:76], TEXT[76:]))]),
        (f"See {B}.", []),
        (f"[docs]({B})", []),
        ("![cat](sandbox:/mnt/a.png) ![cat](attachment:a.png) [mail](mailto:a@b.png)", []),
        ("Use a data:image/png;base64,… address", []),
        ("https://[broken.png and http://[", []),
        ("Hello there, how may I assist you today?", []),
        ("", []),
    ],
)
def test_a_text_is_searched_for_pictures(text: str, expected: list[str]) -> None:
    """Images always; a plain link when it ends like one, or is all there is."""
    assert [item.base64 or item.url for item in in_text(text)] == expected


@pytest.mark.parametrize(
    "piece",
    [
        *("![", "](", "![a](", "](a(b", "](((", "[", "<img", "<img ", "<img src", " src", "<img src=", "data:image/"),
        *("data:image/png;base64,", "https://", "http://a.png ", "(", ")", " ", "\n", "![a](b)", "a"),
    ],
)
def test_no_text_keeps_the_search_busy(piece: str) -> None:
    """A million letters of a pattern that never ends; a search that goes back over them would not come to an end."""
    for text in (piece * (1_000_000 // len(piece)), "<img" + piece * (500_000 // len(piece)) + "x"):
        assert all(item.is_picture for item in in_text(text))


@pytest.mark.parametrize(
    "body",
    [
        chat(f"![cat]({A})"),
        chat([{"type": "text", "text": "Here:"}, {"type": "image_url", "image_url": {"url": A}}]),
        chat([f"![cat]({A})"]),
        chat({"type": "image_url", "image_url": A}),
        chat("Here:", images=[A]),
        chat(None, images=[{"type": "image_url", "image_url": {"url": A}}]),
        chat(None, images=[{"url": A}]),
        chat(None, images=A),
        chat(None, image_url={"url": A}),
        {"choices": [None, {}, {"message": None}, *chat(A)["choices"]]},
    ],
)
def test_an_address_is_found_in_a_chat(body: dict[str, Any]) -> None:
    """In its text, in its parts, or beside them."""
    assert items(body) == (picture_at(A),)
    assert is_chat(body)


@pytest.mark.parametrize(
    "body",
    [
        chat(TEXT),
        chat("", images=[TEXT]),
        chat("", images=[{"b64_json": TEXT}]),
        chat("", image_b64_json=TEXT),
        chat([{"type": "image", "b64_json": TEXT}]),
    ],
)
def test_base64_is_found_in_a_chat(body: dict[str, Any]) -> None:
    """As the whole of it, or in a field of its own."""
    assert items(body) == (picture_in(TEXT),)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (chat("\n\nHello there,\nhow may I assist you today?"), "Hello there, how may I assist you today?"),
        (chat([{"type": "text", "text": "Hello"}, {"type": "image"}, "there"]), "Hello there"),
        (chat(None, refusal="I cannot."), "I cannot."),
        (chat("x" * 5000), "x" * 199 + "…"),
        (chat(None), ""),
        ({"data": []}, ""),
        (None, ""),
    ],
)
def test_the_words_of_a_chat_are_one_short_line(body: object, said: str) -> None:
    """As they are shown in an error."""
    assert words(body) == said


@pytest.mark.parametrize(
    ("body", "task_id", "path", "state"),
    [
        ({"code": 200, "data": [{"status": "submitted", "task_id": "t_1"}]}, "t_1", "/tasks/t_1", "pending"),
        ({"data": {"status": "processing", "task_id": "t_1"}}, "t_1", "/tasks/t_1", "pending"),
        ({"data": {"task_id": "t_1"}}, "t_1", "/tasks/t_1", "unsaid"),
        ({"data": {"task_id": 7, "state": "IN_PROGRESS"}}, "7", "/tasks/7", "pending"),
        ({"data": {"task_id": "a/b?c", "status": "queued"}}, "a/b?c", "/tasks/a%2Fb%3Fc", "pending"),
        ({"data": {"task_id": "..", "status": "queued"}}, "..", "", "pending"),
        ({"data": {"id": "t_1", "status": "queued"}}, "t_1", "", "pending"),
        (
            {"id": "g1", "object": "generation.task", "status": "queued", "progress": 0},
            "g1",
            "/images/generations/g1",
            "pending",
        ),
        ({"id": "g1", "object": "generation.task", "status": "failed"}, "g1", "/images/generations/g1", "failed"),
        ({"id": "g1", "object": "generation.task", "status": "completed"}, "g1", "/images/generations/g1", "done"),
        ({"task_id": "x"}, "x", "", "unsaid"),
        ({"task_id": "x", "task_status": "Not-Started"}, "x", "", "pending"),
        ({"id": "x", "status": "starting"}, "x", "", "pending"),
        ({"id": "x", "status": "canceled"}, "x", "", "failed"),
        ({"id": "x", "status": "expired"}, "x", "", "failed"),
    ],
)
def test_an_order_is_known_with_where_to_ask(body: dict[str, Any], task_id: str, path: str, state: str) -> None:
    """The path is there for the shapes whose server documents one; the id cannot lead anywhere else."""
    found = progress(body)

    assert isinstance(found, Progress)
    assert (found.id, found.path, found.state) == (task_id, path, state)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"data": []},
        {"data": [{}, {"task_id": "second"}]},
        {"id": "x"},
        {"id": "x", "status": "completed"},
        {"id": "x", "status": 200},
        {"id": True, "status": "queued"},
        {"id": ["x"], "status": "queued"},
        {"task_id": ""},
        chat("hello", id="x"),
    ],
)
def test_what_is_no_order_is_none(body: object) -> None:
    """An id alone is on every answer."""
    assert progress(body) is None


def test_an_order_that_failed_says_why() -> None:
    """In one line, cut where no person reads on; an id that was cut is no address any more."""
    found = progress({"data": {"task_id": "t" * 900, "status": "FAILURE", "fail_reason": "no\n otters " + "x" * 900}})

    assert found is not None
    assert (found.state, found.path, len(found.id)) == ("failed", "", 200)
    assert found.reason.startswith("no otters x")
    assert len(found.reason) == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "rate limit", "data": []}, {"error": "rate limit"}),
        ({"error": {"message": "m", "code": 1}}, {"error": {"message": "m", "code": 1}}),
        ({"detail": "Not Found"}, {"detail": "Not Found"}),
        ({"data": {"error": {"message": "m"}}}, {"error": {"message": "m"}}),
        ({"result": {"error": "m"}, "id": 1}, {"error": "m"}),
        (
            {"data": None, "base_resp": {"status_code": 1026, "status_msg": "sensitive"}},
            {"error": {"code": "1026", "message": "sensitive"}},
        ),
        ({"code": 401, "msg": "no token"}, {"error": {"code": "401", "message": "no token"}}),
        ({"code": "InvalidKey", "message": "no"}, {"error": {"code": "InvalidKey", "message": "no"}}),
        ({"success": False, "message": "no"}, {"error": {"code": "", "message": "no"}}),
        ({"status": "error", "message": "no"}, {"error": {"code": "", "message": "no"}}),
    ],
)
def test_a_complaint_is_found_in_every_shape(body: dict[str, Any], said: dict[str, Any]) -> None:
    """As the JSON of an error, without the pictures beside it."""
    assert json.loads(complaint(body)) == said


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"error": None, "data": []},
        {"error": ""},
        {"message": "success"},
        {"code": 0, "msg": "ok"},
        {"code": 200, "msg": "ok"},
        {"code": "success", "message": ""},
        {"code": "200", "message": "fine"},
        {"code": 500},
        {"code": True, "msg": "ok"},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"base_resp": {"status_code": "0", "status_msg": "success"}},
        {"base_resp": "x"},
        {"status": "completed", "message": "fine"},
        {"status": "failed", "id": "x", "message": "an order says it better"},
    ],
)
def test_what_is_no_complaint_is_none(body: object) -> None:
    """A message alone is on answers that are well."""
    assert complaint(body) == ""


def test_a_complaint_that_is_nested_too_deep_is_still_one() -> None:
    """What cannot be written down is an error without words."""
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]

    assert json.loads(complaint({"error": deep})) == {"error": {}}
    assert complaint({"status": deep, "code": deep, "success": False, "message": "m"}) != ""


def test_a_remark_holds_no_picture() -> None:
    """It is read and shown: megabytes of base64 are no words."""
    assert json.loads(remark({"b64_json": TEXT, "data": [], "message": "m", "id": 1})) == {"message": "m", "id": 1}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"usage": {"total_tokens": 7}}, {"total_tokens": 7}),
        ({"data": {"usage": {"total_tokens": 7}}}, {"total_tokens": 7}),
        ({"usage": None, "result": {"usage": {}}}, {}),
        ({"usage": [1]}, None),
        ({"data": [{"usage": {}}]}, None),
        ([], None),
    ],
)
def test_the_usage_is_found(body: object, expected: object) -> None:
    """At the top, or beside the pictures."""
    assert usage(body) == expected


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        ([], None),
        ([{"a": 1, "b": {"c": "x"}}], {"a": 1, "b": {"c": "x"}}),
        ([{"a": 1, "b": {"c": 2}}, {"a": 2.5, "b": {"c": 3, "d": 4}}], {"a": 3.5, "b": {"c": 5, "d": 4}}),
        ([{"a": None, "m": "x"}, {"a": 2, "m": "y"}, {"a": None}], {"a": 2, "m": "x"}),
        ([{"a": True}, {"a": 1}], {"a": True}),
    ],
)
def test_the_usage_of_several_events_is_added_up(usages: list[dict[str, Any]], expected: object) -> None:
    """Number by number; what is no number stays as the first one says it."""
    assert total(usages) == expected


def test_a_long_picture_is_not_printed() -> None:
    """The repr of an item holds no picture."""
    assert TEXT[:10] not in repr(picture_in(TEXT))
