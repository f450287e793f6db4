"""A reply that is no success becomes one error that says what happened and what to do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import complaint
from support.properties import held

from jupyter_imagegen import errors
from jupyter_imagegen.errors import CallError
from jupyter_imagegen.rejection import Complaint, explain, is_quota, read_complaint
from jupyter_imagegen.reply import Reply

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "detail", "code", "type", "param", "msg"]), inner)
    ),
    max_leaves=8,
)


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A reply with these headers, underscores standing for dashes."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status=status, headers=named, body=body, base_url="https://h/v1")


@held
@given(
    st.integers(300, 599),
    st.binary() | _JSON.map(lambda value: json.dumps(value).encode()),
    st.text(),
)
def test_any_reply_is_explained(status: int, body: bytes, location: str) -> None:
    """Whatever a server answers, there is an error of this package with one line that is not empty."""
    error = explain(reply(status, body, location=location))

    assert isinstance(error, CallError)
    assert error.message.startswith(f"HTTP {status}: ")
    assert "\n" not in error.message
    assert len(error.message) < 2000


@pytest.mark.parametrize("depth", [500, 900, 990, 1000, 100_000])
def test_a_deeply_nested_body_is_explained(depth: int) -> None:
    """A body that is nested to make a reader fail is only another error."""
    body = b'{"error":{"message":' + b"[" * depth + b"]" * depth + b"}}"

    assert explain(reply(400, body)).message.startswith("HTTP 400: ")


@pytest.mark.parametrize("location", ["http://[", "", "//", "http://h:99999/x", "\x00", "/other"])
def test_any_location_is_explained(location: str) -> None:
    """A redirect to what is no address is a redirect all the same."""
    assert isinstance(explain(reply(302, location=location)), errors.Redirected)


def test_a_redirect_is_named_without_what_may_be_a_secret() -> None:
    """The query and the user of the new address are left out."""
    error = explain(reply(307, location="https://me:pw@other.example/path?token=abc#x"))

    assert "https://other.example/path," in error.message
    assert "pw" not in error.message
    assert "abc" not in error.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"error":{"message":"m","type":"t","param":"p","code":"c"}}',
            Complaint(message="m", type="t", param="p", code="c"),
        ),
        (b'{"error":{"message":"m","type":null,"param":null,"code":null}}', Complaint(message="m")),
        (b'{"error":"text"}', Complaint(message="text")),
        (b'{"detail":"text"}', Complaint(message="text")),
        (
            b'{"detail":[{"loc":["body","n"],"msg":"bad"}]}',
            Complaint(message='[{"loc": ["body", "n"], "msg": "bad"}]'),
        ),
        (b'{"detail":{"message":"m"}}', Complaint(message="m")),
        (b'{"message":"m","code":7}', Complaint(message="m", code="7")),
        (b'{"error":{"code":"c"},"message":"outer"}', Complaint(message="outer", code="c")),
        (b'{"error":{"msg":"m"}}', Complaint(message="m")),
        (b'\n\n {"error":"text"}', Complaint(message="text")),
        (b'{"error":"two\\nlines\\u001b[31m"}', Complaint(message="two lines [31m")),
        (b'{"error":""}', Complaint()),
        (b"[]", Complaint()),
        (b"<html>", Complaint()),
        (b"", Complaint()),
        (b"\xff\xfe", Complaint()),
    ],
)
def test_a_complaint_is_read_in_every_documented_shape(body: bytes, expected: Complaint) -> None:
    """OpenAI's form, a text, FastAPI's detail, a bare message; what is none of them is an empty complaint."""
    assert read_complaint(body) == expected


def test_a_long_complaint_is_cut() -> None:
    """A message is not longer than a person reads."""
    assert len(read_complaint(json.dumps({"error": "x" * 10_000}).encode()).message) == 300


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, complaint("no"), errors.Rejected),
        (400, complaint("no", code="moderation_blocked"), errors.Refused),
        (400, complaint("no", code="content_policy_violation"), errors.Refused),
        (400, complaint("no", code="contentFilter"), errors.Refused),
        (400, complaint("no", type="image_generation_user_error"), errors.Refused),
        (403, complaint("no", code="content_policy_violation"), errors.Refused),
        (500, complaint("no", code="moderation_blocked"), errors.Refused),
        (401, complaint("bad key"), errors.KeyRejected),
        (402, complaint("pay"), errors.OutOfCredit),
        (403, complaint("no"), errors.AccessDenied),
        (404, complaint("no", code="model_not_found"), errors.ModelNotFound),
        (400, complaint("no", code="model_not_found"), errors.ModelNotFound),
        (404, b"", errors.Rejected),
        (413, b"<html>", errors.TooLarge),
        (422, b'{"detail":"no"}', errors.Rejected),
        (429, complaint("slow down"), errors.RateLimited),
        (429, complaint("no", code="insufficient_quota"), errors.OutOfCredit),
        (400, complaint("no", code="billing_hard_limit_reached"), errors.OutOfCredit),
        (
            400,
            complaint("Unknown parameter: 'style'.", code="unknown_parameter", param="style"),
            errors.UnknownParameter,
        ),
        (400, complaint("Unrecognized request argument supplied: style"), errors.UnknownParameter),
        (408, b"", errors.ServerFailed),
        (409, b"", errors.ServerFailed),
        (500, complaint("oops"), errors.ServerFailed),
        (503, b"<html>", errors.ServerFailed),
        (524, b"<html>", errors.ServerFailed),
        (302, b"", errors.Redirected),
    ],
)
def test_each_refusal_is_its_own_error(status: int, body: bytes, kind: type[CallError]) -> None:
    """What a program or a person would do differently has a class of its own."""
    assert type(explain(reply(status, body))) is kind


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (reply(400, complaint("Unknown parameter: 'style'.")), "--omit style"),
        (reply(400, complaint("no", code="unknown_parameter", param="n")), "--omit n"),
        (reply(401), "key"),
        (reply(404), "<base URL>/images/generations"),
        (reply(429), "Wait a little"),
        (reply(429, retry_after="300"), "in 300 s"),
        (reply(504), "gateway gave up waiting"),
        (reply(524), "gateway gave up waiting"),
        (reply(500), "may have been charged"),
        (reply(302, location="https://x/"), "Set the base URL"),
        (reply(400, complaint("no", code="moderation_blocked")), "Change the prompt"),
        (reply(402), "Add credit"),
    ],
)
def test_each_refusal_says_what_to_do(answered: Reply, said: str) -> None:
    """The hint is about this reply."""
    assert said in explain(answered).hint


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty answer"),
        (b"\n \n", "an empty answer"),
        (b"<!doctype html><script>alert(1)</script>", "an HTML page, not an answer of an images API"),
        (b"upstream connect error", "upstream connect error"),
        (b"\x00\xff\x1b[31m", "[31m"),
    ],
)
def test_a_body_without_a_message_is_described(body: bytes, said: str) -> None:
    """HTML is named and never quoted; a plain text is quoted on one line."""
    error = explain(reply(502, body))

    assert said in error.message
    assert "<script" not in error.message
    assert error.message.isprintable()


def test_an_error_inside_200_is_called_one() -> None:
    """A gateway that answers 200 and means no is not quoted as HTTP 200."""
    error = explain(reply(200, complaint("no credit")))

    assert error.message == "The endpoint answered with an error: no credit"


def test_code_and_request_id_are_kept() -> None:
    """A person who writes to the provider needs both."""
    error = explain(reply(400, complaint("no", code="weird"), x_request_id="req_1"))

    assert (error.code, error.request_id) == ("weird", "req_1")
    assert "Request id: req_1" in error.lines()


def test_a_refusal_without_a_code_has_the_code_of_its_kind() -> None:
    """error_code in the history is never empty for a call that failed."""
    assert explain(reply(401)).code == "invalid_api_key"


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "", "tokens"])
def test_a_rate_limit_is_no_quota(code: str) -> None:
    """Only what no wait will bring back is a quota."""
    assert not is_quota(Complaint(code=code))
