"""Everything that this package raises on purpose, as one tree.

ImageGenError
├── OptionError              what was typed cannot be understood
│   ├── PromptError          no prompt, or a {{name}} that is not defined
│   ├── NotTaken             the model is documented to refuse it
│   ├── ReferenceUnreadable  --image or --mask names no picture
│   └── KeyInCell            a key was given where a key must never be
├── SettingsError            a setting, a provider or an environment variable is wrong
│   ├── KeyMissing           the provider needs a key and none is set
│   └── KeyMisdirected       a key would go to an origin that it does not belong to
├── StoreError               the folder of pictures and journals cannot be written or read
│   └── RecordDamaged        a picture in it is gone, or is not what it was
├── NotRecorded              in the mode replay: there is no record of this request
├── TimedRun                 something that costs was about to run under timeit
├── TooExpensive             the estimate is above --max-cost, or unknown
└── CallError                one call to an endpoint gave no picture
    ├── NotSent              nothing left this machine: no connection
    ├── Rejected             the server said no, and made nothing
    │   ├── Refused          by moderation
    │   ├── KeyRejected      401
    │   ├── AccessDenied     403
    │   │   └── Unverified   the organisation has to be verified first
    │   ├── OutOfCredit      402, or 429 for a quota
    │   ├── RateLimited      429
    │   ├── ModelNotFound    the code model_not_found
    │   ├── UnknownParameter a body field that the server does not take
    │   ├── ValueRejected    a value that the server does not take
    │   │   └── SizeRejected the size
    │   ├── TooLarge         413
    │   └── Redirected       3xx: a paid request is not sent on
    ├── NoPicture            an answer that can be read, and has no picture in it
    ├── DownloadFailed       the picture was made, and its URL could not be fetched
    └── OutcomeUnknown       the request had left: it may have been charged
        ├── DeadlinePassed   no answer within the timeout
        ├── ConnectionCut    the connection ended before the answer did
        ├── ServerFailed     408, 409, 5xx
        │   └── GatewayTimedOut  504, 522, 524: a gateway gave up waiting for the server
        ├── TaskUnfinished   the server took the order, and its picture did not come in time
        ├── AnswerUnreadable an answer came, and no picture could be read from it
        └── NotKept          a picture came, and could not be written down

A message says what happened and why, `hint` what to do. Neither ever holds a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class ImageGenError(Exception):
    """Base of every error here: `message` says what happened, `hint` what to do about it."""

    status: ClassVar[str] = "failed"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        self.result: object = None
        """The Result with the pictures that did arrive; None where the error came before anything was sent."""
        if self.hint:
            self.add_note(self.hint)

    def reword(self, change: Callable[[str], str]) -> None:
        """Change every text that this error shows."""
        self.message, self.hint = change(self.message), change(self.hint)
        self.args = (self.message,)
        self.__notes__ = [change(note) for note in getattr(self, "__notes__", ())]

    def lines(self) -> tuple[str, ...]:
        """What a notebook shows: the message, then the hint."""
        return tuple(line for line in (f"{type(self).__name__}: {self.message}", self.hint) if line)

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this instead of printing frames. The frames would be ours, not the
        # reader's, and under %xmode Verbose they would carry every local variable into the notebook.
        return list(self.lines())


class OptionError(ImageGenError):
    """What was typed cannot be understood."""

    default_hint = "%%imagegen? lists the options."


class PromptError(OptionError):
    """There is no prompt, or it names a variable that is not defined."""


class NotTaken(OptionError):
    """The model is documented to refuse this, so it was not sent."""

    default_hint = "Nothing was sent. --force sends it all the same."


class ReferenceUnreadable(OptionError):
    """What was given as a reference picture or a mask is none, or cannot be read."""

    default_hint = "--image and --mask take a file, a variable (PIL image, array, Result) or the id of a record."


class KeyInCell(OptionError):
    """A key was given where a key must never be: it would stay in the notebook and its history."""

    default_hint = (
        "Set it in the environment before the kernel starts, for example OPENAI_API_KEY or IMAGEGEN_API_KEY. "
        "If this cell held a real key, revoke it: IPython keeps what was typed."
    )


class SettingsError(ImageGenError):
    """A setting, a provider or an environment variable is wrong."""


class KeyMissing(SettingsError):
    """The provider needs a key and none is set."""


class KeyMisdirected(SettingsError):
    """A key would go to an origin that it does not belong to."""


class StoreError(ImageGenError):
    """The folder of pictures and journals cannot be written or read."""

    default_hint = "Choose another folder with %config ImageGen.store or IMAGEGEN_STORE."


class NotRecorded(ImageGenError):
    """In the mode `replay`, there is no record of this request, or not so many."""

    default_hint = "Nothing was sent. --mode live asks the endpoint, --mode cache does so where there is no record."


class RecordDamaged(StoreError):
    """A picture of a record is gone, or is not what it was."""

    default_hint = "ig.verify() looks at the whole store, ig.rerun(id) makes it anew."


class TimedRun(ImageGenError):
    """Something that costs was about to run under timeit, which would pay for every loop."""

    default_hint = "Time it on the embedded endpoint (-p sketch), or use %%time, which runs it once."


class TooExpensive(ImageGenError):
    """The estimated cost is higher than --max-cost, or cannot be told."""

    default_hint = "Nothing was sent."


class CallError(ImageGenError):
    """One call to an endpoint gave no picture."""

    default_code: ClassVar[str] = "failed"

    def __init__(self, message: str, hint: str = "", *, code: str = "", request_id: str = "") -> None:
        super().__init__(message, hint)
        self.code = code or self.default_code
        self.request_id = request_id
        if request_id:
            self.add_note(f"Request id: {request_id}")

    def lines(self) -> tuple[str, ...]:
        """The message, the hint and the provider's request id."""
        request_id = (f"Request id: {self.request_id}",) if self.request_id else ()
        return (*super().lines(), *request_id)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders (papermill, multiprocessing): keep the keyword arguments."""
        return (_rebuild, (type(self), self.message, self.hint, self.code, self.request_id))


def _rebuild(kind: type[CallError], message: str, hint: str, code: str, request_id: str) -> CallError:
    return kind(message, hint, code=code, request_id=request_id)


class NotSent(CallError):
    """Nothing left this machine: the connection could not be made, so nothing was charged."""

    default_code = "not_sent"
    default_hint = "Nothing was sent and nothing was charged. Check the base URL and the network."


class Rejected(CallError):
    """The server said no, and made nothing."""

    default_code = "rejected"
    default_hint = "Nothing was made. Change what the message names; --dry-run shows what is sent."


class Refused(Rejected):
    """The request or its picture was refused by moderation."""

    status = "refused"
    default_code = "moderation_blocked"
    default_hint = "Change the prompt. The same prompt is not sent again by itself."


class KeyRejected(Rejected):
    """The server does not accept the key."""

    default_code = "invalid_api_key"
    default_hint = (
        "Nothing was made. Check the key that is set in the environment, and that it belongs to this endpoint."
    )


class AccessDenied(Rejected):
    """The key is known and may not do this."""

    default_code = "access_denied"
    default_hint = (
        "Nothing was made. The account may lack access to this model, or its organisation may have to be verified "
        "first."
    )


class Unverified(AccessDenied):
    """The model is only for organisations that were verified."""

    default_code = "organisation_unverified"
    default_hint = (
        "Nothing was made. Verify the organisation with the provider; it may take a quarter of an hour until it counts."
    )


class OutOfCredit(Rejected):
    """The account has no credit or quota left."""

    default_code = "insufficient_quota"
    default_hint = "Nothing was made. Add credit or raise the limit with the provider; a short wait does not help."


class RateLimited(Rejected):
    """Too many requests, and the waits that are allowed did not help."""

    default_code = "rate_limit_exceeded"
    default_hint = "Nothing was made. Wait a little before asking again, or ask for fewer pictures at once."


class ModelNotFound(Rejected):
    """The endpoint does not serve this model."""

    default_code = "model_not_found"
    default_hint = (
        "Nothing was made. Check the model's name, and which endpoint answered: without a provider or a key, it is "
        "sketch, which paints."
    )


class UnknownParameter(Rejected):
    """The server does not take one of the fields that were sent."""

    default_code = "unknown_parameter"


class ValueRejected(Rejected):
    """The server does not take the value of one of the fields."""

    default_code = "invalid_value"


class SizeRejected(ValueRejected):
    """The server does not take the size."""

    default_hint = "Nothing was made. Give another --size, or leave it to the server with --omit size."


class TooLarge(Rejected):
    """The request is larger than the server takes."""

    default_code = "request_too_large"
    default_hint = "Nothing was made. Shorten the prompt, or give fewer or smaller reference pictures."


class Redirected(Rejected):
    """The endpoint answered with a redirect, and a paid request is not sent on to another address."""

    default_code = "redirected"
    default_hint = "Nothing was made. Set the base URL to the address that really answers."


class NoPicture(CallError):
    """The answer can be read, and there is no picture in it."""

    default_code = "no_picture"
    default_hint = "The provider may still have charged for it."


class DownloadFailed(CallError):
    """The picture was made, and its URL could not be fetched."""

    default_code = "download_failed"
    default_hint = "It was probably charged, so the request was not sent again."


class OutcomeUnknown(CallError):
    """The request had left this machine: it may have been charged, so it is not sent again by itself."""

    status = "unknown"
    default_code = "unknown"
    default_hint = "It may have been charged, so it was not sent again by itself. Asking once more is up to you."


class DeadlinePassed(OutcomeUnknown):
    """No answer came within the timeout."""

    default_code = "timeout"


class ConnectionCut(OutcomeUnknown):
    """The connection ended before the answer did."""

    default_code = "connection_cut"


class ServerFailed(OutcomeUnknown):
    """The server or a gateway before it failed while it had the request."""

    default_code = "server_error"


class GatewayTimedOut(ServerFailed):
    """A gateway gave up waiting; the server behind it usually goes on, and charges."""

    default_hint = (
        "It may have been charged, so it was not sent again. Gateways give up after 60 to 120 s: a lower quality or a "
        "smaller size is faster, and with --partial-images 1 something comes before that where the gateway hands it on."
    )


class TaskUnfinished(OutcomeUnknown):
    """The server took the order as a task, and its picture did not come in time."""

    default_code = "task_unfinished"


class AnswerUnreadable(OutcomeUnknown):
    """An answer came, and no picture could be read from it."""

    default_code = "unreadable_answer"


class NotKept(OutcomeUnknown):
    """A picture came, and could not be written down."""

    default_code = "not_kept"
    default_hint = "It was probably charged. Make room or choose another store before asking again."
