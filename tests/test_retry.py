"""Paying once: one test for each row of the rule, and what a server may ask for.

| row | event | sent again |
|---|---|---|
| 1 | no connection | twice |
| 2 | 429 | three times, as long as the server asks, up to two minutes |
| 3 | 429 about credit, and every other 4xx | never |
| 4 | 503 and 529 with an invitation | once |
| 5 | 408, every other 5xx | never: it may have been charged |
| 6 | 409 | never: it is under way |
| 7 | 3xx | never: a paid request is not sent on |
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.errors import ModelNotFound, OutcomeUnknown, OutOfCredit, RateLimited, Redirected, Rejected
from jupyter_imagegen.rejection import explain
from jupyter_imagegen.reply import Reply
from jupyter_imagegen.retry import LONGEST_WAIT_S, Stop, Wait, after_no_connection, after_reply, asked_wait

NOW = 1_800_000_000.0
IN_A_MINUTE = "Fri, 15 Jan 2027 08:01:00 GMT"


def reply(status: int, body: bytes = b"", /, **headers: str) -> Reply:
    """A reply with these headers, underscores standing for dashes."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status=status, headers=named, body=body, base_url="https://h/v1")


def complaint(**fields: Any) -> bytes:
    """An error body in OpenAI's form."""
    return json.dumps({"error": fields}).encode()


@pytest.mark.parametrize(("attempt", "verdict"), [(1, Wait(0.5)), (2, Wait(1.0)), (3, Stop()), (4, Stop())])
def test_no_connection_is_tried_three_times(attempt: int, verdict: Wait | Stop) -> None:
    """Row 1: nothing had been sent, so it is sent again, at most twice."""
    assert after_no_connection(attempt) == verdict


@pytest.mark.parametrize(
    ("attempt", "verdict"), [(1, Wait(1.0)), (2, Wait(2.0)), (3, Wait(4.0)), (4, Stop()), (5, Stop())]
)
def test_429_waits_three_times(attempt: int, verdict: Wait | Stop) -> None:
    """Row 2: a 429 was rejected before any work; without a header the waits double."""
    assert after_reply(reply(429), attempt, NOW) == verdict


@pytest.mark.parametrize(
    "body",
    [
        complaint(code="rate_limit_exceeded", message="Please try again after 51.84 seconds."),
        complaint(code="429", message="Requests have exceeded call rate limit of your current OpenAI S0 pricing tier."),
        complaint(code="ModelAccountIpmRateLimitExceeded"),
        complaint(code="ModelAccountRpmRateLimitExceeded"),
        complaint(code="RequestBurstTooFast"),
        complaint(code="ServerOverloaded"),
        complaint(code="InflightBatchsizeExceeded"),
        complaint(type="throttling_error"),
        b"<html><title>429 Too Many Requests</title>",
        b"error code: 1015",
        b'{"detail":"slow down"}',
    ],
)
def test_429_of_every_provider_waits(body: bytes) -> None:
    """Row 2: whatever a rate limit or an overloaded server is called, nothing was made."""
    assert after_reply(reply(429, body, retry_after="7"), 1, NOW) == Wait(7.0)
    assert after_reply(reply(429, body, retry_after="7"), 4, NOW) == Stop()
    assert type(explain(reply(429, body))) is RateLimited


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({"retry_after": "7"}, Wait(7.0)),
        ({"retry_after": "0"}, Wait(0.0)),
        ({"retry_after": "0.25"}, Wait(0.25)),
        ({"retry_after": " 7 "}, Wait(7.0)),
        ({"retry_after_ms": "1500"}, Wait(1.5)),
        ({"retry_after_ms": "1500", "retry_after": "9"}, Wait(1.5)),
        ({"retry_after_ms": "soon", "retry_after": "9"}, Wait(9.0)),
        ({"retry_after_ms": "nan", "retry_after": "9"}, Wait(9.0)),
        ({"retry_after_ms": "120001"}, Stop()),
        ({"retry_after": IN_A_MINUTE}, Wait(60.0)),
        ({"retry_after": "Fri, 15 Jan 2027 08:01:00"}, Wait(60.0)),
        ({"retry_after": "Fri, 15 Jan 2027 09:01:00 +0100"}, Wait(60.0)),
        ({"retry_after": "Fri, 15 Jan 2027 07:59:00 GMT"}, Wait(0.0)),
        ({"retry_after": "120"}, Wait(LONGEST_WAIT_S)),
        ({"retry_after": "121"}, Stop()),
        ({"retry_after": "86400"}, Stop()),
        ({"retry_after": "inf"}, Stop()),
        ({"retry_after": "9" * 400}, Stop()),
        ({"retry_after": "Fri, 15 Jan 2027 09:00:00 GMT"}, Stop()),
        ({"retry_after": "nan"}, Wait(1.0)),
        ({"retry_after": "-3"}, Wait(0.0)),
        ({"retry_after": "-inf"}, Wait(0.0)),
        ({"retry_after": "soon"}, Wait(1.0)),
        ({"retry_after": ""}, Wait(1.0)),
        ({"x_should_retry": "false"}, Stop()),
        ({"x_should_retry": "False", "retry_after": "1"}, Stop()),
        ({"x_should_retry": " false "}, Stop()),
        ({"x_should_retry": "true", "retry_after": "121"}, Stop()),
    ],
)
def test_429_waits_as_long_as_the_server_asks_up_to_two_minutes(headers: dict[str, str], verdict: Wait | Stop) -> None:
    """Row 2: Retry-After is kept, in seconds, milliseconds or as a date; a longer one stops."""
    assert after_reply(reply(429, b"", **headers), 1, NOW) == verdict


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_wait_that_is_too_long_is_told(status: int) -> None:
    """Rows 2 and 4: where the wait is longer than a person sits through, the error says when to come back."""
    assert "in 300 s" in explain(reply(status, retry_after="300")).hint
    assert "in 300 s" in explain(reply(status, retry_after_ms="300000")).hint
    assert IN_A_MINUTE in explain(reply(status, retry_after=IN_A_MINUTE)).hint


@pytest.mark.parametrize(
    "body",
    [
        complaint(code="insufficient_quota"),
        complaint(type="insufficient_quota"),
        complaint(message="You exceeded your current quota, please check your plan and billing details."),
        complaint(code="billing_hard_limit_reached"),
        complaint(code="billing_not_active"),
        complaint(code="QuotaExceeded"),
        complaint(code="SetLimitExceeded"),
        complaint(code="insufficient_user_quota"),
        complaint(code="pre_consume_token_quota_failed"),
        complaint(code="429", type="budget_exceeded", message="exceeded budget for model=x"),
        complaint(message="账户余额不足"),
        complaint(message="用户额度不足"),
        b'{"code":429,"msg":"insufficient balance"}',
        b"Billing hard limit has been reached",
    ],
)
def test_429_about_credit_is_final(body: bytes) -> None:
    """Row 3: no wait brings credit back, whatever the headers say."""
    assert after_reply(reply(429, body, retry_after="1", x_should_retry="true"), 1, NOW) == Stop()
    assert type(explain(reply(429, body))) is OutOfCredit


@pytest.mark.parametrize("code", ["moderation_blocked", "model_not_found", "unknown_parameter", "invalid_api_key"])
def test_429_about_something_that_no_wait_will_change_is_final(code: str) -> None:
    """Row 3: gateways put their own status on what the server behind them refused."""
    assert after_reply(reply(429, complaint(code=code), retry_after="1"), 1, NOW) == Stop()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 415, 422, 451])
def test_a_rejection_is_final(status: int) -> None:
    """Row 3: the server said no and made nothing; the same request gets the same answer."""
    assert after_reply(reply(status, retry_after="1", x_should_retry="true"), 1, NOW) == Stop()
    assert isinstance(explain(reply(status)), Rejected)


@pytest.mark.parametrize("status", [503, 529])
@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({"retry_after": "3"}, Wait(3.0)),
        ({"retry_after_ms": "500"}, Wait(0.5)),
        ({"retry_after": IN_A_MINUTE}, Wait(60.0)),
        ({"x_should_retry": "true"}, Wait(1.0)),
        ({"x_should_retry": "true", "retry_after": "3"}, Wait(3.0)),
        ({"retry_after": "600"}, Stop()),
        ({"retry_after": "3", "x_should_retry": "false"}, Stop()),
        ({"retry_after": "soon"}, Stop()),
        ({"x_should_retry": "perhaps"}, Stop()),
        ({}, Stop()),
    ],
)
def test_an_overloaded_server_is_asked_again_once_and_only_when_it_says_so(
    status: int, headers: dict[str, str], verdict: Wait | Stop
) -> None:
    """Row 4: 503 and 529 with Retry-After or x-should-retry are probably unbilled; without, they are unknown."""
    assert after_reply(reply(status, b"", **headers), 1, NOW) == verdict
    assert after_reply(reply(status, b"", **headers), 2, NOW) == Stop()


def test_503_for_a_model_that_is_not_served_is_final() -> None:
    """Row 4: new-api answers 503 where it has no channel for the model; asking again does not bring one."""
    answered = reply(
        503, complaint(message="No available channel for model x", code="model_not_found"), retry_after="1"
    )

    assert after_reply(answered, 1, NOW) == Stop()
    assert type(explain(answered)) is ModelNotFound


@pytest.mark.parametrize("status", [408, 500, 502, 504, 520, 521, 522, 523, 524, 525, 526, 530, 599])
def test_a_failure_that_may_have_been_charged_is_never_sent_again(status: int) -> None:
    """Row 5: the outcome is unknown, whatever the server says about asking again, and the error says so."""
    assert after_reply(reply(status, retry_after="1", x_should_retry="true"), 1, NOW) == Stop()
    assert isinstance(explain(reply(status)), OutcomeUnknown)
    assert "may have been charged" in explain(reply(status)).hint


def test_409_is_never_sent_again() -> None:
    """Row 6: a call that is under way already is not asked for a second time by itself."""
    assert after_reply(reply(409, retry_after="1", x_should_retry="true"), 1, NOW) == Stop()
    assert isinstance(explain(reply(409)), OutcomeUnknown)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Row 7: a paid POST is not sent on; the error names the other host."""
    answered = reply(status, location="https://other.example/v2/images", retry_after="1")

    assert after_reply(answered, 1, NOW) == Stop()
    assert isinstance(explain(answered), Redirected)
    assert "https://other.example/v2/images" in explain(answered).message


_NUMBERS = st.integers(-(10**9), 10**9) | st.floats() | st.sampled_from(("1e400", "١", "1_0", "0x1", "--1", "+7", "7s"))
_DATES = st.lists(
    st.sampled_from(
        (
            "Fri,",
            "15",
            "Jan",
            "2027",
            "0001",
            "9999",
            "08:01:00",
            "99:99:99",
            "GMT",
            "+0100",
            "-9999",
            "(",
            '"',
            ";",
            "\0",
        )
    )
).map(" ".join)


@held
@given(
    st.integers(0, 999),
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["retry_after", "retry_after_ms", "x_should_retry"]), st.text() | _NUMBERS.map(str) | _DATES
    ),
    st.integers(1, 9),
)
def test_any_reply_gives_a_verdict(status: int, body: bytes, headers: dict[str, str], attempt: int) -> None:
    """Whatever a server says, the decision is a short wait or a stop, and never an exception after the POST."""
    verdict = after_reply(reply(status, body, **headers), attempt, NOW)

    assert isinstance(verdict, Stop) or (0 <= verdict.seconds <= LONGEST_WAIT_S and status in (429, 503, 529))
    assert explain(reply(status, body, **headers)).message


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
        "Mon, 01 Jan 2020 00:00:00 +99999999999999999",
        "Mon, 99 Jan 2020 99:99:99 GMT",
        "9" * 5000 + "x",
        "soon",
        "",
    ],
)
def test_a_date_that_no_calendar_has_is_no_wait(date: str) -> None:
    """A header that cannot be read asks for nothing."""
    assert asked_wait(reply(429, retry_after=date), NOW) is None


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799 - NOW),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 253_402_300_799 + 86_340 - NOW),
    ],
)
def test_the_first_and_the_last_date_can_be_asked_for(date: str, seconds: float) -> None:
    """The ends of the calendar are dates like any other."""
    assert asked_wait(reply(429, retry_after=date), NOW) == seconds
