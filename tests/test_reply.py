"""What came back for one POST, before anyone has read it."""

from __future__ import annotations

import pytest

from jupyter_imagegen.reply import Reply


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
