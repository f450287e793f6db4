"""A reply that is no success becomes one error that says what happened, whether it was charged and what to do."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import complaint
from support.properties import held

from jupyter_imagegen import errors
from jupyter_imagegen.catalogue import Model
from jupyter_imagegen.errors import CallError, OutcomeUnknown, Rejected
from jupyter_imagegen.rejection import Complaint, explain, is_quota, read_complaint
from jupyter_imagegen.reply import Reply

RETIRED: Final = Model(name="dall-e-3", retired="2026-05-12", successor="gpt-image-2")

_KEYS: Final = (
    *(
        "error",
        "errors",
        "message",
        "detail",
        "code",
        "type",
        "param",
        "msg",
        "loc",
        "status",
        "base_resp",
        "request_id",
    ),
    *(
        "moderation_details",
        "moderation_stage",
        "categories",
        "innererror",
        "content_filter_result",
        "filtered",
        "path",
    ),
)
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(("size", "input", "\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner),
    max_leaves=12,
)
_WORDS: Final = st.lists(
    st.sampled_from(
        (
            *(
                "unknown parameter",
                "Supported values are",
                "must be one of:",
                "'a'",
                "`size`",
                "size",
                "model",
                "not found",
            ),
            *(
                "safety_violations=[",
                "]",
                "[",
                "(request id: 1234567)",
                "at least 99999 pixels",
                "{",
                "no image",
                ".",
                ":",
            ),
        )
    )
).map(" ".join)


def reply(status: int, body: bytes | object = b"", /, **headers: str) -> Reply:
    """A reply with these headers, underscores standing for dashes; what is no body already becomes JSON."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    whole = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=named, body=whole, base_url="https://h/v1")


def wrong(*items: tuple[str, str, str]) -> dict[str, Any]:
    """What FastAPI says of fields: their kind of fault, their name, its words."""
    return {"detail": [{"type": kind, "loc": ["body", name], "msg": words, "input": 1} for kind, name, words in items]}


def seedream(code: str, message: str = "m", param: str = "") -> dict[str, Any]:
    """An error body in Seedream's form."""
    return {"error": {"code": code, "message": message, "param": param, "type": "BadRequest"}}


@held
@given(
    st.integers(0, 999),
    st.binary() | _JSON.map(lambda value: json.dumps(value).encode()) | _WORDS.map(complaint),
    st.dictionaries(
        st.sampled_from(("location", "retry-after", "retry-after-ms", "x-request-id", "date")), st.text(), max_size=3
    ),
)
def test_any_reply_is_explained(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever a server answers, there is one error: a printable line of 300 letters at most, and two sentences."""
    error = explain(Reply(status=status, headers=tuple(headers.items()), body=body, base_url="https://h/v1"), RETIRED)

    assert isinstance(error, CallError)
    assert error.message.startswith(("HTTP ", "The endpoint answered with an error: "))
    assert error.message.isprintable()
    assert len(error.message) <= 300
    assert error.hint.isprintable()
    assert len(re.findall(r"\. (?=[A-Z])", error.hint)) <= 1
    assert error.code


@held
@given(
    st.integers(400, 599), _WORDS.map(complaint) | _JSON.map(lambda value: json.dumps(value).encode()), st.booleans()
)
def test_what_it_cost_is_said(status: int, body: bytes, is_retired: bool) -> None:  # noqa: FBT001
    """A rejection made nothing, any other failure may have been charged, and the hint says which of both it is."""
    error = explain(reply(status, body), RETIRED if is_retired else Model(name=""))

    if isinstance(error, errors.Refused):
        assert "Change the prompt" in error.hint or "Change the reference picture" in error.hint
    else:
        said = "may have been charged" if isinstance(error, OutcomeUnknown) else "Nothing was made."
        assert said in error.hint
    assert isinstance(error, OutcomeUnknown | Rejected)


@pytest.mark.parametrize("depth", [5, 100, 500, 900, 990, 1000, 100_000])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b'{"error":{"message":' + b"[" * 5, b"]" * 5 + b"}}"),
        (b'{"error":', b"}"),
        (b'{"detail":[', b"]}"),
        (b"[", b"]"),
    ],
)
def test_a_deeply_nested_body_is_explained(depth: int, start: bytes, end: bytes) -> None:
    """A body that is nested to make a reader fail is only another error."""
    error = explain(reply(400, start * depth + b"1" + end * depth))

    assert error.message.startswith("HTTP 400: ")
    assert len(error.message) > len("HTTP 400: ")


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "n"], "msg": "bad", "input": "x" * 100}] * 20_000},
        {"error": {"message": "x" * 1_000_000}},
        {"error": {"message": ["x"] * 100_000}},
        {"error": {"message": "m", **{f"key{n}": {"filtered": True} for n in range(20_000)}}},
        {"errors": [{"message": "m"}] * 20_000},
        {"error": {"message": "m", "moderation_details": {"categories": ["a"] * 20_000}}},
        {"message": "request id: " + "a" * 100_000},
        {"message": "unknown parameter" * 5_000},
    ],
)
def test_a_huge_body_is_a_short_message(body: dict[str, Any]) -> None:
    """Servers that echo the whole request for each fault are known (vllm-project/vllm#49239)."""
    error = explain(reply(422, body))

    assert 10 < len(error.message) <= 300
    assert len(error.hint) < 300


@pytest.mark.parametrize("location", ["http://[", "", "//", "http://h:99999/x", "\x00", "/other", "/" + "x" * 5000])
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
        # OpenAI; new-api and LiteLLM, which fill what they do not know
        (
            {"error": {"message": "m", "type": "t", "param": "p", "code": "c"}},
            Complaint(said="m", type="t", param="p", code="c"),
        ),
        ({"error": {"message": "m", "type": None, "param": None, "code": None}}, Complaint(said="m")),
        ({"error": {"message": "m", "type": "None", "param": "400", "code": ""}}, Complaint(said="m")),
        ({"error": {"message": "m", "code": "400"}}, Complaint(said="m", code="400", status=400)),
        ({"error": {"code": "c"}, "message": "outer"}, Complaint(said="outer", code="c")),
        # a text, with and without a sentence beside it
        ({"error": "text"}, Complaint(said="text")),
        ({"error": "no_money", "message": "You have none."}, Complaint(said="You have none.", code="no_money")),
        ({"error": "Bad Request", "message": ["a is b", "c is d"]}, Complaint(said="a is b; c is d")),
        (
            {"code": "400", "error": "Argument not supported: n"},
            Complaint(said="Argument not supported: n", code="400", status=400),
        ),
        # a bare message
        ({"message": "m", "code": 7}, Complaint(said="m", code="7")),
        ({"code": 401, "msg": "m"}, Complaint(said="m", code="401", status=401)),
        ({"base_resp": {"status_code": 1008, "status_msg": "m"}}, Complaint(said="m")),
        ({"message": "no", "errors": ["a is b", "c is d"]}, Complaint(said="a is b; c is d")),
        ({"errors": [{"code": 7003, "message": "m"}]}, Complaint(said="m", code="7003")),
        # FastAPI, and LiteLLM's use of it
        ({"detail": "text"}, Complaint(said="text")),
        ({"detail": {"message": "m"}}, Complaint(said="m")),
        ({"detail": {"error": "m"}}, Complaint(said="m")),
        (
            wrong(("missing", "prompt", "Field required"), ("int_type", "n", "no int")),
            Complaint(said="prompt: Field required; n: no int", code="missing", param="prompt"),
        ),
        (
            {"detail": [{"type": "json_invalid", "loc": ["body", 3], "msg": "bad"}]},
            Complaint(said="bad", code="json_invalid"),
        ),
        (
            {"issues": [{"code": "too_big", "path": ["n"], "message": "m"}]},
            Complaint(said="n: m", code="too_big", param="n"),
        ),
        # one server's error inside another's message
        (
            {"error": {"message": 'litellm: {"error": {"message": "m", "code": "c"}}', "code": "400"}},
            Complaint(said="m", code="c", status=400),
        ),
        ({"error": {"message": "<html><head><title>502 Bad Gateway</title>"}}, Complaint(said="502 Bad Gateway")),
        (b'event: error\ndata: {"type": "error", "error": {"message": "m"}}\n\n', Complaint(said="m", type="error")),
        # what breaks other readers
        (b'\n\n {"error":"text"}', Complaint(said="text")),
        (b'\xef\xbb\xbf{"error":"text"}', Complaint(said="text")),
        (b'{"error":"two\nlines\\u001b[31m"}', Complaint(said="two lines [31m")),
        (b'{"error":"half \\ud800 letter"}', Complaint(said="half letter")),
        (b'{"error":"caf\xe9"}', Complaint(said="caf\N{REPLACEMENT CHARACTER}")),
        (b"upstream connect error", Complaint(said="upstream connect error")),
        (b'"text"', Complaint(said="text")),
        ({"error": ""}, Complaint()),
        (b"[]", Complaint()),
        (b"", Complaint()),
        (b"<html>", Complaint(is_page=True)),
        (b"\n<!DOCTYPE html><TITLE lang='en'>a &amp; <b>b</b>\n c</TITLE>", Complaint(said="a & b c", is_page=True)),
    ],
)
def test_a_complaint_is_read_in_every_known_shape(body: bytes | dict[str, Any], expected: Complaint) -> None:
    """OpenAI's form, a text, FastAPI's detail, a bare message, and one inside another."""
    assert read_complaint(body if isinstance(body, bytes) else json.dumps(body).encode()) == expected


def test_a_long_complaint_is_cut() -> None:
    """A message is not longer than a person reads."""
    assert len(read_complaint(json.dumps({"error": "x" * 10_000}).encode()).message) == 300


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("Invalid value: 'hd'. Supported values are: 'low', 'medium', and 'high'.", ("low", "medium", "high")),
        ("size must be one of 'WIDTHxHEIGHT', '2k', or '4k'. Request id: 02", ("WIDTHxHEIGHT", "2k", "4k")),
        ("output_format must be one of: jpeg, png", ("jpeg", "png")),
        ("must be one of: 1K, 1.5K, 2K. See the docs", ("1K", "1.5K", "2K")),
        ("'6x6' is not one of ['256x256', '512x512'] - 'size'", ("256x256", "512x512")),
        ("Input should be 'b64_json' or 'file'", ("b64_json", "file")),
        ("Allowed values: low and high", ("low", "high")),
        ("Value must be 'dall-e-2'.", ("dall-e-2",)),
        ("Input should be less than or equal to 10", ()),
        ("Invalid value: 'hd'.", ()),
        ("no such thing", ()),
    ],
)
def test_the_values_that_are_taken_are_read(said: str, values: tuple[str, ...]) -> None:
    """What the message lists can be offered; what it does not list is not invented."""
    assert Complaint(said=said).values == values


# Status, body, kind: one row for each way in which a server says no.
_REFUSED = [
    (400, complaint("no", code="moderation_blocked")),
    (400, complaint("no", code="content_policy_violation")),
    (400, complaint("no", code="contentFilter")),
    (400, complaint("no", code="content_filter", param="prompt", innererror={"code": "ResponsibleAIPolicyViolation"})),
    (
        400,
        complaint("no", code="400", provider_specific_fields={"innererror": {"code": "ResponsibleAIPolicyViolation"}}),
    ),
    (400, complaint("no", code="image_content_policy_violation", param="image")),
    (400, complaint("no", type="image_generation_user_error")),
    (400, complaint("Your request was rejected as a result of our safety system.")),
    (400, complaint("Error code: 400 - {'error': {'code': 'moderation_blocked'}}")),
    (403, complaint("no", code="content_policy_violation")),
    (422, complaint("Your request was rejected by content moderation.")),
    (429, complaint("no", code="moderation_blocked")),
    (500, complaint("no", code="moderation_blocked")),
    (200, complaint("no", code="moderation_blocked")),
    (400, seedream("InputTextSensitiveContentDetected")),
    (400, seedream("InputImageSensitiveContentDetected.PrivacyInformation")),
    (400, seedream("OutputImageSensitiveContentDetected.PolicyViolation")),
    (400, seedream("SensitiveContentDetected.Violence")),
    (400, seedream("InputTextRiskDetection")),
    (400, seedream("OutputImageRiskDetection")),
]
_OUT_OF_CREDIT = [
    (402, b""),
    (402, {"error": {"message": "Insufficient credits.", "code": 402}}),
    (429, complaint("no", code="insufficient_quota")),
    (429, complaint("You exceeded your current quota, please check your plan.", type="insufficient_quota")),
    (400, complaint("no", code="billing_hard_limit_reached")),
    (400, b"Billing hard limit has been reached"),
    (400, complaint("Budget has been exceeded! Current cost: 2, Max budget: 1", code="400")),
    (429, complaint("exceeded budget for model=x", type="budget_exceeded", code="429")),
    (403, complaint("user quota is not enough", type="new_api_error", code="insufficient_user_quota")),
    (403, complaint("用户额度不足, 剩余额度: 0")),
    (401, complaint("该令牌额度已用尽")),
    (400, complaint("账户余额不足")),
    (200, {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
    (403, seedream("AccountOverdueError")),
    (403, seedream("OperationDenied.ServiceOverdue")),
    (429, seedream("QuotaExceeded")),
    (429, seedream("SetLimitExceeded")),
]
_MODEL_NOT_FOUND = [
    (404, complaint("no", code="model_not_found")),
    (400, complaint("The model `dall-e-3` has been deprecated, learn more here.")),
    (404, complaint("The model `gpt-image-1.5` does not exist or you do not have access to it.")),
    (404, {"code": "not found", "error": "The model grok-9 does not exist or your team does not have access to it."}),
    (400, complaint("Invalid value: 'x'. Value must be 'dall-e-2'.", param="model", code="invalid_value")),
    (404, complaint("no", code="DeploymentNotFound")),
    (400, complaint("Unknown model: gpt-image-2")),
    (404, seedream("ModelNotOpen")),
    (404, seedream("InvalidEndpointOrModel.NotFound")),
    (404, seedream("InvalidEndpointOrModel.ModelIDAccessDisabled")),
    (404, seedream("UnsupportedModel")),
    (400, {"detail": "Model mismatch: request specifies 'a' but server is running 'b'."}),
    (400, {"detail": {"error": "/images/generations: Invalid model name passed in model=x."}}),
    (503, complaint("No available channel for model x under group default", code="model_not_found")),
    (503, complaint("当前分组 default 下对于模型 x 无可用渠道", type="one_api_error")),
    (503, complaint("No available channels for model x in group default")),
]
_UNKNOWN_PARAMETER = [
    (400, complaint("Unknown parameter: 'style'.", code="unknown_parameter", param="style")),
    (400, complaint("Unrecognized request argument supplied: style")),
    (400, complaint("Unsupported parameter: 'style' is not supported with this model.", code="unsupported_parameter")),
    (400, complaint("The model `x` does not support the 'style' parameter.")),
    (400, complaint('Invalid JSON payload received. Unknown name "style": Cannot find field.')),
    (400, {"code": "400", "error": "Argument not supported: style"}),
    (
        400,
        complaint("litellm.UnsupportedParamsError: openai does not support parameters: ['style'], for x", code="400"),
    ),
    (500, complaint("litellm.UnsupportedParamsError: Setting `style` is not supported by openai, x.", code="500")),
    (422, wrong(("extra_forbidden", "style", "Extra inputs are not permitted"))),
    (
        422,
        wrong(("missing", "prompt", "Field required"), ("extra_forbidden", "style", "Extra inputs are not permitted")),
    ),
    (
        400,
        seedream(
            "InvalidParameter",
            "The parameter `style` specified in the request is not valid: "
            "the parameter `style` is not supported by the current model.",
        ),
    ),
    (400, seedream("InvalidParameter.UnsupportedParameter", param="style")),
]
_SIZE_REJECTED = [
    (400, complaint("Invalid size '1792x936'. Width and height must both be divisible by 16.")),
    (400, complaint("Invalid value: '5x5'.", param="size", code="invalid_value")),
    (400, complaint("no", type="image_generation_user_error", param="size", code="invalid_value")),
    (400, complaint("Invalid value: '1254x836'. Supported values are: '1024x1024' and 'auto'.")),
    (400, complaint("'600x600' is not one of ['256x256', '512x512'] - 'size'")),
    (400, complaint("'width' must be at least 768 pixels.", code="unsupported_request_value")),
    (400, complaint("size not supported for this image model")),
    (400, {"detail": "Requested image size 9999x9999 exceeds the maximum allowed size of 4194304 pixels."}),
    (422, wrong(("string_pattern_mismatch", "size", "String should match pattern"))),
    (400, seedream("InvalidParameter", "image size must be at least 3686400 pixels", "size")),
    (400, seedream("InvalidParameter", "The parameter `size` specified in the request is not valid: too small")),
    (400, seedream("InvalidParameter.size")),
    (400, complaint("no", param="aspect_ratio", code="invalid_value")),
]
_VALUE_REJECTED = [
    (400, complaint("bad", code="invalid_value")),
    (400, complaint("bad", param="quality", code="invalid_value")),
    (400, complaint("bad", param="prompt", code="string_above_max_length")),
    (400, complaint("bad", type="invalid_request_error", param="n")),
    (400, complaint("Image size must be less than 4MB.", code="image_file_too_large", param="image")),
    (400, complaint("Invalid image file or mode for image 1.", code="invalid_image_file")),
    (422, wrong(("less_than_equal", "n", "Input should be less than or equal to 10"))),
    (400, seedream("InvalidParameter", "Image 0 failed: Image exceeds the maximum allowed total pixels.")),
    (400, seedream("InvalidImageURL.EmptyURL")),
]
_KEY_REJECTED = [
    (401, complaint("bad key")),
    (401, seedream("AuthenticationError")),
    (401, seedream("InvalidAccountStatus")),
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: x***."}),
    (200, {"code": 401, "msg": "no"}),
    (200, {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}),
]
_RATE_LIMITED = [
    (429, b""),
    (429, complaint("slow down")),
    (429, complaint("Requests have exceeded call rate limit of your current OpenAI S0 pricing tier.", code="429")),
    (429, complaint("Rate limit reached for model `x` does not exist")),
    (403, complaint("Rate limit exceeded")),
    (200, complaint("slow down", code="rate_limit_exceeded")),
    (429, seedream("ModelAccountIpmRateLimitExceeded")),
    (429, seedream("ModelAccountRpmRateLimitExceeded")),
    (429, seedream("RequestBurstTooFast")),
    (429, seedream("ServerOverloaded")),
    (429, seedream("InflightBatchsizeExceeded")),
]
_ACCESS_DENIED = [
    (403, b""),
    (403, complaint("no")),
    (403, seedream("AccessDenied")),
    (401, complaint("key not allowed to access model", type="key_model_access_denied", code="401")),
    (
        403,
        {
            "error": {
                "code": "Forbidden",
                "message": "Your resource has been temporarily blocked because we detected "
                "behavior that may violate our content policy.",
            }
        },
    ),
    (403, b"<html><title>Just a moment...</title>"),
]
_REJECTED = [
    (400, complaint("no")),
    (400, complaint("no", code="weird")),
    (400, complaint("Missing required parameter: 'prompt'.", code="missing_required_parameter", param="prompt")),
    (400, seedream("MissingParameter", param="size")),
    (400, seedream("ContentSecurityDetectionError")),
    (400, complaint("bad response status code 400", type="upstream_error", code="bad_response_status_code")),
    (404, b""),
    (404, {"detail": "Not Found"}),
    (405, b"<html>"),
    (415, complaint("Unsupported content type: 'text/plain'.")),
    (422, {"detail": "no"}),
    (451, b""),
    (200, complaint("no", code="x")),
]
_GATEWAY_TIMED_OUT = [
    (504, b""),
    (504, b"<html><title>504 Gateway Time-out</title>"),
    (522, b"<html>"),
    (524, b"<html><title>h | 524: A timeout occurred</title>"),
    (408, b"<html><title>408 Request Time-out</title>"),
    (408, complaint("litellm.Timeout: APITimeoutError - Request timed out.", code="408")),
    (500, complaint("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")),
    (200, complaint("upstream timed out", type="server_error")),
]
_SERVER_FAILED = [
    (408, b""),
    (409, b""),
    (499, b""),
    (500, complaint("oops")),
    (500, complaint("Unknown parameter: 'style'.")),
    (500, seedream("InternalServiceError")),
    (502, complaint("upstream did not return image output")),
    (502, complaint("Your request was rejected by the safety system.")),
    (503, b"<html>"),
    (503, complaint("The server is overloaded", code="ServerOverloaded")),
    (520, b"<html>"),
    (529, b""),
    (200, complaint("oops", type="server_error")),
    (200, complaint("oops", code="InternalServiceError")),
    (200, {"code": 500, "msg": "oops"}),
]
_KINDS: Final[dict[type[CallError], list[tuple[int, Any]]]] = {
    errors.Refused: _REFUSED,
    errors.OutOfCredit: _OUT_OF_CREDIT,
    errors.ModelNotFound: _MODEL_NOT_FOUND,
    errors.UnknownParameter: _UNKNOWN_PARAMETER,
    errors.SizeRejected: _SIZE_REJECTED,
    errors.ValueRejected: _VALUE_REJECTED,
    errors.KeyRejected: _KEY_REJECTED,
    errors.RateLimited: _RATE_LIMITED,
    errors.AccessDenied: _ACCESS_DENIED,
    errors.Unverified: [
        (403, complaint("Your organization must be verified to use the model `gpt-image-1`.")),
        (400, complaint("Your organization must be verified to stream this model.")),
    ],
    errors.TooLarge: [(413, b"<html><title>413 Request Entity Too Large</title>"), (413, complaint("too large"))],
    errors.Redirected: [(300, b""), (302, b""), (308, complaint("no", code="insufficient_quota"))],
    errors.Rejected: _REJECTED,
    errors.GatewayTimedOut: _GATEWAY_TIMED_OUT,
    errors.ServerFailed: _SERVER_FAILED,
}


@pytest.mark.parametrize(
    ("status", "body", "kind"), [(status, body, kind) for kind, rows in _KINDS.items() for status, body in rows]
)
def test_each_refusal_is_its_own_error(status: int, body: bytes | dict[str, Any], kind: type[CallError]) -> None:
    """What a program or a person would do differently has a class of its own."""
    assert type(explain(reply(status, body))) is kind


# As the providers spell them.
_NAMES: Final[dict[type[CallError], tuple[str, ...]]] = {
    errors.Refused: ("moderation_blocked", "content_safety_violation", "content_moderation", "InputTextRiskDetection"),
    errors.OutOfCredit: (
        *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_balance_too_low"),
        *("insufficient_user_quota", "pre_consume_token_quota_failed", "insufficient_balance", "insufficient_credits"),
        *("budget_exceeded", "AccountOverdueError", "OperationDenied.ServiceOverdue", "InvalidSubscription"),
        *("QuotaExceeded", "SetLimitExceeded"),
    ),
    errors.KeyRejected: ("invalid_api_key", "api_key_invalid", "AuthenticationError", "InvalidAccountStatus"),
    errors.AccessDenied: (
        *("AccessDenied", "permission_error", "team_model_access_denied", "OperationDenied.PermissionDenied"),
    ),
    errors.ModelNotFound: (
        *(
            "model_not_found",
            "ModelNotOpen",
            "UnsupportedModel",
            "DeploymentNotFound",
            "InvalidEndpoint.ClosedEndpoint",
        ),
        *("InvalidEndpointOrModel.NotFound", "OperationDenied.ServiceNotOpen"),
    ),
    errors.RateLimited: (
        *("rate_limit_exceeded", "rate_limit_error", "RequestBurstTooFast", "InflightBatchsizeExceeded"),
        *("RateLimitExceeded.EndpointRPMExceeded", "ModelAccountIpmRateLimitExceeded"),
    ),
    errors.UnknownParameter: (
        *("unknown_parameter", "unsupported_parameter", "extra_forbidden", "InvalidParameter.UnsupportedParameter"),
    ),
    errors.ValueRejected: (
        *("invalid_value", "unsupported_value", "unsupported_request_value", "string_above_max_length"),
        *(
            "integer_below_min_value",
            "invalid_image",
            "invalid_image_format",
            "invalid_base64_image",
            "image_too_small",
        ),
        *("image_parse_error", "image_file_too_large", "image_file_not_found", "unsupported_image_media_type"),
        *("empty_image_file", "failed_to_download_image", "InvalidImageURL.EmptyURL", "InvalidParameter"),
    ),
}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("code", "kind"), [(code, kind) for kind, codes in _NAMES.items() for code in codes])
def test_a_code_is_believed_at_any_status(status: int, code: str, kind: type[CallError]) -> None:
    """A gateway that puts a status of its own on it changes nothing."""
    assert type(explain(reply(status, complaint("no", code=code)))) is kind
    assert type(explain(reply(status, complaint("no", type=code)))) is kind
    assert explain(reply(status, complaint("no", code=code))).code == code


@pytest.mark.parametrize(("status", "body"), _UNKNOWN_PARAMETER)
def test_an_unknown_field_is_named(status: int, body: bytes | dict[str, Any]) -> None:
    """The field is found in the words, in `param` and in the place; the hint leaves it out."""
    hint = explain(reply(status, body)).hint

    assert "does not take style:" in hint
    assert "--omit style" in hint


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (reply(400, complaint("no", code="unknown_parameter", param="n")), "--omit n"),
        (reply(400, complaint("x does not support parameters: ['style', 'user']")), "--omit style --omit user"),
        (reply(400, complaint("no", code="unknown_parameter")), "--omit KEY"),
        # what a dialect sends in place of --size is left out by that name
        (reply(400, {"error": "Argument not supported: aspect_ratio"}), "aspect_ratio (which stands for size)"),
        (reply(400, {"error": "Argument not supported: aspect_ratio"}), "--omit size"),
        (reply(400, complaint("Unknown parameter: 'sequential_image_generation_options.max_images'.")), "--omit n"),
        (
            reply(400, complaint("Supported values are: 'low' and 'high'.", code="invalid_value", param="quality")),
            "It takes low or high for quality.",
        ),
        (reply(400, complaint("bad", code="invalid_value", param="quality")), "--omit quality"),
        (reply(400, complaint("bad", code="invalid_value", param="prompt")), "shorter"),
        (reply(400, complaint("bad", code="invalid_image_format", param="image")), "--image"),
        (reply(400, seedream("InvalidParameter", "Image 0 failed: too many pixels.")), "--image"),
        (reply(400, complaint("bad", code="invalid_value", param="size")), "Give another --size"),
        (reply(400, complaint("'5x5' is not one of ['256x256', '512x512'] - 'size'")), "It takes 256x256 or 512x512."),
        (reply(400, seedream("InvalidParameter", "image size must be at least 3686400 pixels", "size")), "1920x1920"),
        (reply(400, seedream("MissingParameter", param="size")), "requires size"),
        (reply(400, wrong(("missing", "prompt", "Field required"))), "requires prompt"),
        (reply(401), "No key was sent"),
        (reply(403, b"<html><title>Attention Required!</title>"), "firewall"),
        (reply(403, complaint("Your resource has been temporarily blocked")), "whole account"),
        (reply(403, complaint("Your organization must be verified.")), "quarter of an hour"),
        (reply(404), "<base URL>/images/generations"),
        (reply(404, {"detail": "Not Found"}), "<base URL>/images/generations"),
        (reply(405, b"<html>"), "<base URL>/images/generations"),
        (reply(400, b"<html>"), "<base URL>/images/generations"),
        (reply(413), "smaller reference pictures"),
        (reply(429), "Wait a little"),
        (reply(429, retry_after="soon"), "Wait a little"),
        (reply(429, retry_after="-7"), "Wait a little"),
        (reply(429, retry_after="inf"), "Wait a little"),
        (reply(429, retry_after="300"), "in 300 s"),
        (reply(429, retry_after_ms="300500"), "in 301 s"),
        (reply(429, retry_after="86400"), "in about 24 h"),
        (reply(429, retry_after="Fri, 15 Jan 2027 08:01:00 GMT"), "after Fri, 15 Jan 2027 08:01:00 GMT"),
        (reply(503, retry_after="600"), "in 600 s"),
        (reply(504), "Gateways give up"),
        (reply(524, b"<html>"), "Gateways give up"),
        (reply(502, complaint("no image in the answer")), "refusal by moderation"),
        (reply(502, complaint("rejected by the safety system")), "refusal by moderation"),
        (reply(500), "Asking once more is up to you"),
        (reply(302, location="https://x/"), "Set the base URL"),
        (reply(400, complaint("no", code="moderation_blocked")), "Change the prompt"),
        (reply(400, seedream("InputImageSensitiveContentDetected")), "Change the reference picture"),
        (reply(400, seedream("OutputImageSensitiveContentDetected")), "some providers charge for that"),
        (reply(402), "Add credit"),
    ],
)
def test_each_refusal_says_what_to_do(answered: Reply, said: str) -> None:
    """The hint is about this reply."""
    assert said in explain(answered).hint


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            complaint(
                "Your request was rejected by the safety system. safety_violations=[sexual, violence].",
                code="moderation_blocked",
                moderation_details={"moderation_stage": "input", "categories": ["sexual", "violence"]},
            ),
            "Your request was rejected by the safety system. (sexual, violence; at the input)",
        ),
        (complaint("No. safety_violations=[self-harm].", code="moderation_blocked"), "No. (self-harm)"),
        (
            complaint("No.", code="moderation_blocked", moderation_details={"moderation_stage": "output"}),
            "No. (at the output)",
        ),
        (
            complaint("No.", code="moderation_blocked", moderation_details={"moderation_stage": "unknown"}),
            "No.",
        ),
        (
            complaint(
                "No.",
                code="content_filter",
                innererror={"content_filter_result": {"hate": {"filtered": False}, "sexual": {"filtered": True}}},
            ),
            "No. (sexual)",
        ),
        (
            complaint(
                "No.",
                code="content_policy_violation",
                inner_error={
                    "content_filter_results": {"violence": {"filtered": True}, "jailbreak": {"detected": True}}
                },
            ),
            "No. (violence)",
        ),
        (
            json.dumps(seedream("InputImageSensitiveContentDetected.PrivacyInformation", "No.")).encode(),
            "No. (privacy information; at the input)",
        ),
        (json.dumps(seedream("OutputImageRiskDetection", "No.")).encode(), "No. (at the output)"),
        (complaint("No.", code="moderation_blocked"), "No."),
    ],
)
def test_a_refusal_says_what_was_found_and_where(body: bytes, said: str) -> None:
    """The provider's category and stage stand behind its words, whatever form they came in."""
    assert explain(reply(400, body)).message == f"HTTP 400: {said}"


def test_what_was_found_is_said_behind_a_long_message() -> None:
    """The words are cut, not the categories."""
    details = {"moderation_stage": "input", "categories": ["sexual"]}
    error = explain(reply(400, complaint("x" * 1000, code="moderation_blocked", moderation_details=details)))

    assert len(error.message) == 300
    assert error.message.endswith("… (sexual; at the input)")


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (reply(404, complaint("no", code="model_not_found")), True),
        (reply(400, complaint("This model cannot be used any more.")), True),
        (reply(403, complaint("dall-e-3 is closed")), True),
        (reply(503, complaint("No available channel for model dall-e-3")), True),
        (reply(400, complaint("bad", param="size", code="invalid_value")), False),
        (reply(400, complaint("no", code="moderation_blocked")), False),
        (reply(429, complaint("too many requests for this model")), False),
        (reply(500, complaint("the model failed")), False),
        (reply(404), False),
    ],
)
def test_a_retired_model_is_called_so_where_the_error_is_about_it(answered: Reply, said: bool) -> None:  # noqa: FBT001
    """The row of the model explains what the server does not, and nothing where the error is about something else."""
    retirement = "Nothing was made. dall-e-3 is retired as of 2026-05-12; gpt-image-2 takes its place."

    assert (explain(answered, RETIRED).hint == retirement) is said
    assert "retired" not in explain(answered, Model(name="dall-e-3")).hint


def test_a_retired_model_without_a_successor_is_only_retired() -> None:
    """Nothing is named in its place where nothing is known."""
    error = explain(reply(404, complaint("no", code="model_not_found")), Model(name="old", retired="2026-05-12"))

    assert error.hint == "Nothing was made. old is retired as of 2026-05-12."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty answer"),
        (b"\n \n", "an empty answer"),
        (b"<!doctype html><script>alert(1)</script>", "an HTML page, not an answer of an images API."),
        (b"<html><title>502 Bad Gateway</title><script>alert(1)", 'an HTML page, "502 Bad Gateway".'),
        (b"<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>", 'an HTML page, "script alert(1) /script".'),
        (b"<title>" + b"x" * 900 + b"</title>", "xxx…"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"error":{"code":"c"}}', "c, and no more."),
        (b'{"created":1}', '{"created":1}'),
        (b"\x00\xff\x1b[31m", "[31m"),
    ],
)
def test_a_body_without_a_message_is_described(body: bytes, said: str) -> None:
    """Of a page its title is said, as plain text; a plain text is quoted on one line."""
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


@pytest.mark.parametrize(
    ("body", "request_id"),
    [
        (complaint("no (request id: 20261121abc)"), "20261121abc"),
        (json.dumps(seedream("x", "no. Request id: 0217811890343749")).encode(), "0217811890343749"),
        (complaint("no", request_id="req_011Cb3"), "req_011Cb3"),
        (json.dumps({"error": {"message": "no"}, "request_id": "req_2"}).encode(), "req_2"),
        # two servers: the one that answered stands last
        (complaint("include the request ID b68e1d8f-31a3. (request id: 2026071521)"), "2026071521"),
        (complaint("The request id is missing."), ""),
        (complaint("no"), ""),
    ],
)
def test_the_request_id_is_found_in_the_body(body: bytes, request_id: str) -> None:
    """Gateways and Seedream say it only there; a header goes before it."""
    assert explain(reply(400, body)).request_id == request_id
    assert explain(reply(400, body, x_request_id="req_h")).request_id == "req_h"


@pytest.mark.parametrize("code", ["401", "", "Client specified an invalid argument", None])
def test_a_refusal_without_a_code_has_the_code_of_its_kind(code: str | None) -> None:
    """error_code in the history is never empty for a call that failed, and never the status again."""
    assert explain(reply(401, complaint("no", code=code))).code == "invalid_api_key"


@pytest.mark.parametrize(("status", "body"), _OUT_OF_CREDIT[2:])
def test_a_quota_is_one_in_every_form(status: int, body: bytes | dict[str, Any]) -> None:
    """Codes and words of every provider say that there is no credit, whatever the status."""
    assert is_quota(read_complaint(reply(status, body).body))


@pytest.mark.parametrize(("status", "body"), [row for row in _RATE_LIMITED if row[0] == 429])
def test_a_rate_limit_is_no_quota(status: int, body: bytes | dict[str, Any]) -> None:
    """Only what no wait will bring back is a quota."""
    assert not is_quota(read_complaint(reply(status, body).body))
