"""What is sent again and what never is: one pure decision.

The rule: sent again is only what was certainly not accepted. Once the body has left, the outcome is unknown and the
person decides, because no images API documents an idempotency key and a second POST is a second charge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from .errors import RateLimited, ServerFailed
from .rejection import explain
from .reply import Reply

MOST_CONNECTS: Final = 3
MOST_RATE_LIMITED: Final = 4
MOST_OVERLOADED: Final = 2
LONGEST_WAIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Send again after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not send again."""


def after_no_connection(attempt: int) -> Wait | Stop:
    """Nothing had been sent: three attempts in all, half a second and then a second apart."""
    return Wait(0.5 * 2 ** (attempt - 1)) if attempt < MOST_CONNECTS else Stop()


def after_reply(reply: Reply, attempt: int, now: float) -> Wait | Stop:
    """A reply that is no success; `attempt` counts from 1, `now` is seconds since the epoch.

    429 was rejected before any work: up to three waits, unless its body is about something that no wait will change,
    such as credit. 503 and 529 are sent again once, only when the server itself says so, and not when the body says
    that the model is not served there. Everything else stops.
    """
    should_retry = reply.header("x-should-retry").strip().lower()
    if should_retry == "false":
        return Stop()
    asked = asked_wait(reply, now)
    if reply.status == 429 and attempt < MOST_RATE_LIMITED and isinstance(explain(reply), RateLimited):
        return _bounded(asked if asked is not None else 2.0 ** (attempt - 1))
    is_invited = asked is not None or should_retry == "true"
    is_overloaded = reply.status in (503, 529) and isinstance(explain(reply), ServerFailed)
    if is_overloaded and is_invited and attempt < MOST_OVERLOADED:
        return _bounded(asked if asked is not None else 1.0)
    return Stop()


def asked_wait(reply: Reply, now: float) -> float | None:
    """Seconds that the server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    for value, unit in ((reply.header("retry-after-ms"), 0.001), (reply.header("retry-after"), 1.0)):
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        if not math.isnan(seconds):
            return max(0.0, seconds)
    try:
        date = parsedate_to_datetime(reply.header("retry-after"))
    except (ValueError, OverflowError):
        return None
    # A date without a zone is meant as GMT, which RFC 9110 knows alone.
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


def _bounded(seconds: float) -> Wait | Stop:
    """A wait longer than a person sits through is no wait: stop, and let the error say so."""
    return Wait(seconds) if seconds <= LONGEST_WAIT_S else Stop()
