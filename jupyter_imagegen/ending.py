"""How a call ended -> its last line in the journal. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from .cost import Cost, charged
from .errors import CallError, ImageGenError
from .journal import NOTHING, Ended, Kept, now
from .keys import Secret, scrub, scrubbed
from .order import Attempts, Order
from .reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a call went through: what was sent, what came of it, and whether it was cut short."""

    order: Order
    attempts: Attempts
    reply: Reply | None
    usage: str | None
    """The tokens as JSON text, as the provider counted them."""
    made: int
    """How many pictures the answer said that it has."""
    kept: tuple[Kept, ...]
    is_cancelled: bool
    cut_short: str
    """Where the answer is that had come when it was cancelled."""
    latency_s: float


def ended(course: Course, error: ImageGenError | None) -> Ended:
    """The line of a call that is over, with the error that it ended with."""
    key = course.order.key
    status, said = _status(course, error)
    cost = _cost(course)
    is_raised = error is not None and not course.is_cancelled
    return Ended(
        id=course.order.call_id,
        at=now(),
        status=status,
        latency_s=round(course.latency_s, 3),
        attempts=course.attempts.made,
        error_class=type(error).__name__ if is_raised else None,
        error_code=error.code if isinstance(error, CallError) else None,
        error=said or None,
        hint=(error.hint or None) if error is not None and is_raised else None,
        request_id=_request_id(course, error),
        usage=_usage(course.usage, key),
        cost_usd=cost.usd,
        cost_source=cost.source,
    )


def cleaned(course: Course, error: ImageGenError) -> ImageGenError:
    """The error without the key, and with the provider's id of the request where it did not find one itself."""
    if not isinstance(error, CallError):
        return error
    key, replied = course.order.key, course.reply.request_id if course.reply is not None else ""
    # Beside a picture that came, what the error of another says of nothing is not true.
    hint = error.hint.removeprefix("Nothing was made.").strip() if course.kept else error.hint
    return type(error)(
        scrub(error.message, key),
        scrub(hint, key),
        code=scrub(error.code, key),
        request_id=scrub(error.request_id or replied, key),
    )


def _request_id(course: Course, error: ImageGenError | None) -> str | None:
    if isinstance(error, CallError):
        return error.request_id or None
    return scrub(course.reply.request_id, course.order.key) or None if course.reply is not None else None


def _cost(course: Course) -> Cost:
    """What the call cost, as far as that can be known: nothing is guessed of a call that brought no picture."""
    if course.reply is None:
        return Cost(usd=None, source="unknown")
    request, endpoint = course.order.request, course.order.endpoint
    return charged(
        course.reply,
        msgspec.json.decode(course.usage) if course.usage else None,
        asked=request.wanted,
        received=max(course.made, len(course.kept)),
        images=request.images,
        model=endpoint.model,
        provider=endpoint.vendor,
    )


def _status(course: Course, error: ImageGenError | None) -> tuple[str, str]:
    """How the call is recorded: a picture that was kept makes it ok, whatever came after."""
    if course.is_cancelled:
        if len(course.kept) >= course.order.request.n:
            return "ok", course.cut_short
        if course.kept:
            came = f"Cancelled after {len(course.kept)} of {course.order.request.n} pictures."
            return "ok", f"{came} {course.cut_short}".strip()
        return "cancelled", f"{_cancelled_when(course.attempts)} {course.cut_short}".strip()
    if error is None:
        return "ok", ""
    return "ok" if course.kept else error.status, error.message


def _usage(text: str | None, key: Secret | None) -> msgspec.Raw:
    """The token counts without the key, should a server have put it there. Its text is not cut: it stays JSON."""
    if text is None:
        return NOTHING
    return msgspec.Raw(msgspec.json.encode(scrubbed(msgspec.json.decode(text), key)))


def _cancelled_when(attempts: Attempts) -> str:
    if attempts.has_left:
        return "Cancelled after the request had left. It may have been charged."
    if attempts.is_waiting:
        return "Cancelled while waiting as the server had asked; nothing was accepted."
    return "Cancelled before anything was sent."
