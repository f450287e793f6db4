"""A reply that is no success -> one error that says what happened and what to do. Pure.

Sources: the error bodies of the OpenAI API reference and of the gateways that wrap it, read 2026-11-20: `{"error":
{"message","type","param","code"}}`, `{"error": "text"}`, `{"detail": …}` (FastAPI servers), `{"message": …}`, HTML.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from .errors import (
    AccessDenied,
    CallError,
    KeyRejected,
    ModelNotFound,
    OutOfCredit,
    RateLimited,
    Redirected,
    Refused,
    Rejected,
    ServerFailed,
    TooLarge,
    UnknownParameter,
)
from .reply import Reply

_MODERATION: Final = ("moderation_blocked", "content_policy_violation", "contentfilter", "content_filter")
_MODERATION_TYPE: Final = "image_generation_user_error"
_QUOTA: Final = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quotaexceeded")
_UNKNOWN_FIELD: Final = re.compile(
    r"(?i)(?:unknown|unrecognized|unsupported) (?:parameter|request argument)[^'\"`:]*[:\s]+['\"`]?([\w.]+)"
)
_LONGEST_MESSAGE: Final = 300
_LONGEST_READ: Final = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What an error body says, whatever its shape."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""


def explain(reply: Reply) -> CallError:
    """The error for a reply whose status or body says that it failed."""
    complaint = read_complaint(reply.body)
    kind = _kind(reply.status, complaint)
    message = _message(reply, complaint)
    hint = _hint(kind, reply, complaint)
    return kind(message, hint, code=complaint.code, request_id=reply.request_id)


def is_quota(complaint: Complaint) -> bool:
    """Whether a 429 is about credit, which no wait will bring back."""
    return _flat(complaint.code) in map(_flat, _QUOTA) or _flat(complaint.type) in map(_flat, _QUOTA)


def read_complaint(body: bytes) -> Complaint:
    """The complaint in an error body; an empty one when the body has none that can be read."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return Complaint()
    if not isinstance(decoded, dict):
        return Complaint()
    inner = decoded.get("error") or decoded.get("detail") or decoded
    if not isinstance(inner, dict):
        return Complaint(message=_text(inner))
    return Complaint(
        message=_text(inner.get("message") or inner.get("msg") or decoded.get("message")),
        type=_text(inner.get("type")),
        code=_text(inner.get("code")),
        param=_text(inner.get("param")),
    )


def _text(value: Any) -> str:  # noqa: ANN401  (whatever a server may send)
    """One line of printable text, not longer than a person reads."""
    if value is None or value == "":
        return ""
    text = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_LONGEST_READ]
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 1]}…"


def _flat(code: str) -> str:
    return code.lower().replace("_", "")


def _kind(status: int, complaint: Complaint) -> type[CallError]:  # noqa: PLR0911  (a table, read from the top)
    if 300 <= status < 400:
        return Redirected
    if _is_moderation(complaint):
        return Refused
    if is_quota(complaint) or status == 402:
        return OutOfCredit
    if complaint.code == "model_not_found":
        return ModelNotFound
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in (408, 409) or status >= 500:
        return ServerFailed
    return UnknownParameter if _unknown_field(complaint) else Rejected


_BY_STATUS: Final[dict[int, type[CallError]]] = {
    401: KeyRejected,
    403: AccessDenied,
    413: TooLarge,
    429: RateLimited,
}


def _is_moderation(complaint: Complaint) -> bool:
    return complaint.type == _MODERATION_TYPE or _flat(complaint.code) in map(_flat, _MODERATION)


def _unknown_field(complaint: Complaint) -> str:
    if complaint.code == "unknown_parameter" and complaint.param:
        return complaint.param
    found = _UNKNOWN_FIELD.search(complaint.message)
    return found[1] if found else ""


def _message(reply: Reply, complaint: Complaint) -> str:
    said = complaint.message or _unsaid(reply)
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status}: the endpoint points to {_target(reply)}, and a paid request is not sent on."
    return f"HTTP {reply.status}: {said}" if reply.status != 200 else f"The endpoint answered with an error: {said}"


def _target(reply: Reply) -> str:
    """Where a redirect points, without a query, which may carry a token."""
    try:
        target = urlsplit(urljoin(f"{reply.base_url}/", reply.header("location")))
    except ValueError:
        return "an address that is none"
    return _text(f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}")


def _unsaid(reply: Reply) -> str:
    """For a body without a message: what kind of body it is."""
    start = reply.body.lstrip()[:1]
    if not start:
        return "an empty answer."
    return (
        "an HTML page, not an answer of an images API."
        if start == b"<"
        else _text(reply.body[:200].decode(errors="replace"))
    )


def _hint(kind: type[CallError], reply: Reply, complaint: Complaint) -> str:  # noqa: PLR0911  (a table)
    if kind is UnknownParameter:
        field = _unknown_field(complaint)
        return f"This endpoint does not take {field}: leave the option away, or give --omit {field}."
    if kind is ServerFailed and reply.status in (504, 524):
        return f"{ServerFailed.default_hint} A gateway gave up waiting; a smaller size or a lower quality is faster."
    if kind is KeyRejected:
        return "Check the key that is set in the environment, and that it belongs to this endpoint."
    if kind is RateLimited and (when := _text(reply.header("retry-after"))):
        when = f"in {when} s" if when.isdecimal() else f"after {when}"
        return f"Nothing was made. The server says to ask again {when}."
    if kind is Redirected:
        return "Set the base URL to the address that really answers."
    if reply.status == 404 and kind is Rejected:
        return "Check the base URL: requests go to <base URL>/images/generations."
    return ""
