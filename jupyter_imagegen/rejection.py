"""A reply that is no success -> one error: what happened, whether it may have been charged, what to do. Pure.

What the body says decides before the status does. A code is believed at any status; words are believed only where the
status itself says that nothing was made, because a 5xx that talks about a refusal may have been charged all the same.

Sources, read 2026-11-20: the API references of OpenAI, Azure and xAI; for Seedream volcengine/ark-cli, error-codes.md;
for new-api and one-api QuantumNous/new-api#6310, songquanpeng/one-api#2340; for LiteLLM BerriAI/litellm#12408, #40074,
#14144; for vLLM-Omni its api_server.py; for Cloudflare and nginx their error pages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit

from .catalogue import Model
from .complaint import LONGEST_MESSAGE, Complaint, flat, line, read_complaint, shortened, without_violations
from .errors import (
    AccessDenied,
    CallError,
    GatewayTimedOut,
    KeyRejected,
    ModelNotFound,
    OutOfCredit,
    RateLimited,
    Redirected,
    Refused,
    Rejected,
    ServerFailed,
    SizeRejected,
    TooLarge,
    UnknownParameter,
    Unverified,
    ValueRejected,
)
from .reply import Reply

__all__ = ["Complaint", "explain", "is_quota", "read_complaint"]

_ANY_MODEL: Final = Model(name="")
_FREE: Final = "Nothing was made."
_UNKNOWN: Final = "It may have been charged, so it was not sent again."

# Codes and types, in small letters and digits alone; the first row that has one of them is it.
_CODES: Final[tuple[tuple[type[CallError], tuple[str, ...]], ...]] = (
    # OpenAI, Azure (dall-e, gpt-image, MAI), Seedream.
    (Refused, ("moderationblocked", "*contentpolicyviolation", "contentfilter", "responsibleaipolicyviolation")),
    (Refused, ("contentsafetyviolation", "contentmoderation", "*sensitivecontentdetected*", "*riskdetection")),
    # OpenAI, new-api, LiteLLM, Seedream.
    (OutOfCredit, ("insufficientquota", "billinghardlimitreached", "billingnotactive", "creditbalancetoolow")),
    (OutOfCredit, ("insufficientuserquota", "preconsumetokenquotafailed", "insufficientbalance", "budgetexceeded")),
    (
        OutOfCredit,
        ("insufficientcredits", "accountoverdueerror", "operationdeniedserviceoverdue", "invalidsubscription"),
    ),
    (OutOfCredit, ("quotaexceeded", "setlimitexceeded")),
    # OpenAI, Seedream, LiteLLM.
    (KeyRejected, ("invalidapikey", "apikeyinvalid", "authenticationerror", "invalidaccountstatus")),
    (AccessDenied, ("accessdenied", "permissionerror", "*modelaccessdenied", "operationdeniedpermissiondenied")),
    # OpenAI and new-api, Seedream, Azure.
    (ModelNotFound, ("modelnotfound", "modelnotopen", "invalidendpoint*", "unsupportedmodel", "deploymentnotfound")),
    (ModelNotFound, ("operationdeniedservicenotopen",)),
    (RateLimited, ("*ratelimitexceeded*", "ratelimiterror", "requestbursttoofast", "inflightbatchsizeexceeded")),
    (UnknownParameter, ("unknownparameter", "*unsupportedparameter", "extraforbidden")),
    # OpenAI, with its codes for reference pictures; Azure MAI; Seedream.
    (ValueRejected, ("invalidvalue", "unsupportedvalue", "unsupportedrequestvalue", "*abovemax*", "*belowmin*")),
    (ValueRejected, ("invalidimage*", "invalidbase64image", "imagetoo*", "imageparseerror", "imagefile*")),
    (ValueRejected, ("unsupportedimagemediatype", "emptyimagefile", "failedtodownloadimage", "invalidparameter*")),
)
_MODERATION_TYPE: Final = "imagegenerationusererror"
_CODE: Final = re.compile(r"(?![0-9]{1,3}$)[\w.:-]+")
"""A code that says more than the status again."""

_CREDIT: Final = re.compile(
    r"(?i)insufficient[ _](?:user[ _])?(?:quota|balance|credit|funds)|quota is not enough|billing[ _]hard[ _]limit"
    r"|exceeded your current quota|(?:out of|used all available) credits|budget has been exceeded|exceeded ?budget"
    r"|credit (?:limit|balance) is (?:insufficient|too low)|额度不足|余额不足|额度已用尽|欠费"
)

# Believed at any status: said before a server was asked at all.
_CERTAIN: Final[tuple[tuple[type[CallError], re.Pattern[str]], ...]] = (
    (ModelNotFound, re.compile(r"(?i)no available channels? for model|无可用渠道")),
    (UnknownParameter, re.compile(r"UnsupportedParamsError")),
)
_WORDS: Final[tuple[tuple[type[CallError], re.Pattern[str]], ...]] = (
    (AccessDenied, re.compile(r"(?i)resource has been temporarily blocked")),
    (
        Refused,
        re.compile(
            r"(?i)moderation_blocked|content_policy_violation|safety_violations|(?:our|the) safety system"
            r"|content (?:management )?policy|content moderation|内容审核|敏感内容|违规内容"
        ),
    ),
    (OutOfCredit, _CREDIT),
    (Unverified, re.compile(r"(?i)organi[sz]ation must be verified|verify organi[sz]ation")),
    (
        ModelNotFound,
        re.compile(
            r"(?i)model_not_found|model mismatch|(?:unknown|invalid) model\b|模型不存在|model(?:[^.]|\.\S){0,100} "
            r"(?:does not exist|not found|has been (?:deprecated|retired|shut ?down|removed))"
        ),
    ),
    (
        KeyRejected,
        re.compile(r"(?i)(?:incorrect|invalid|expired) (?:api[ _-]?key|access token)|api key not valid|无效的令牌"),
    ),
    (RateLimited, re.compile(r"(?i)rate[ _]limit|too many requests")),
)
_SERVER: Final = re.compile(
    r"(?i)server[ _]?(?:error|overloaded)|internal|upstream|bad_response|\btime(?:d|-)?[ -]?out\b"
)
_TIMEOUT: Final = re.compile(r"(?i)\btime(?:d|-)?[ -]?out\b|deadline exceeded")
_REFUSAL: Final = re.compile(
    r"(?i)no image|not return (?:an |any )?image|moderation|safety|content.policy|sensitive|违规"
)
_SIZE: Final = re.compile(
    r"(?i)(?:(?:invalid|unsupported|requested|specified)(?: image)? size|size must be|size not supported"
    r"|requested resolution|invalid value: '\d+x\d+'|'\d+x\d+' is not one of)(?!.{0,80}\b[km]i?b\b)"
)
_PICTURE: Final = re.compile(r"(?i)\bimage [0-9]")
_LEAST_PIXELS: Final = re.compile(r"(?i)at least ([1-9][0-9]{3,8}) pixels")
_SIZE_FIELDS: Final = ("size", "width", "height", "resolution", "aspect_ratio")
_PICTURE_FIELDS: Final = ("image", "images", "image_url", "mask", "reference_images")
# What a dialect sends in place of what was asked for.
_ASKED_AS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(_SIZE_FIELDS, "size"),
        "sequential_image_generation": "n",
        "sequential_image_generation_options": "n",
    }
)

_BY_STATUS: Final[Mapping[int, type[CallError]]] = MappingProxyType(
    {401: KeyRejected, 402: OutOfCredit, 403: AccessDenied, 413: TooLarge, 429: RateLimited}
)
_ONE_MEANING: Final = (401, 402, 413, 429)
"""Statuses that mean one thing, or that there is no credit."""
_UNFINISHED: Final = (408, 409, 499)
"""4xx that say nothing about what was made: out of time, under way already, hung up."""


def explain(reply: Reply, model: Model = _ANY_MODEL) -> CallError:
    """The error for a reply whose status or body says that it failed; it never raises.

    The row of the model adds that its vendor has retired it, where the error is about the model.
    """
    complaint = read_complaint(reply.told)
    kind = _kind(reply.status, complaint)
    return kind(
        _message(kind, reply, complaint),
        _retirement(kind, complaint, model) or _hint(kind, reply, complaint),
        code=complaint.code if _CODE.fullmatch(complaint.code) else "",
        request_id=reply.request_id or complaint.request_id,
    )


def is_quota(complaint: Complaint) -> bool:
    """Whether it is about credit, which no wait will bring back."""
    return _by_code(complaint) is OutOfCredit or _CREDIT.search(complaint.said) is not None


def _kind(status: int, complaint: Complaint) -> type[CallError]:
    if 300 <= status < 400:
        return Redirected
    kind = _by_code(complaint) or _by_words(status, complaint) or _by_status(status, complaint)
    return _finer(kind, complaint) if kind in (Rejected, ValueRejected) else kind


def _by_code(complaint: Complaint) -> type[CallError] | None:
    for code in (complaint.code, complaint.inner_code, complaint.type):
        plain = flat(code)
        if plain == _MODERATION_TYPE and not complaint.param:
            return Refused
        for kind, patterns in _CODES:
            if any(fnmatchcase(plain, pattern) for pattern in patterns):
                return kind
    return None


def _by_words(status: int, complaint: Complaint) -> type[CallError] | None:
    if status in _ONE_MEANING:
        return OutOfCredit if is_quota(complaint) else None
    table = _CERTAIN if _may_have_worked(status) else (*_CERTAIN, *_WORDS)
    return next((kind for kind, words in table if words.search(complaint.said)), None)


def _may_have_worked(status: int) -> bool:
    return status >= 500 or status in _UNFINISHED


def _by_status(status: int, complaint: Complaint) -> type[CallError]:
    if status < 300:
        is_fault = _SERVER.search(f"{complaint.code} {complaint.type} {complaint.said}")
        status = complaint.status or (500 if is_fault else 400)
    if _may_have_worked(status):
        is_cut = status in (504, 522, 524) or (status == 408 and complaint.is_page) or _TIMEOUT.search(complaint.said)
        return GatewayTimedOut if is_cut else ServerFailed
    is_value = status in (400, 422) and complaint.param and not complaint.is_about_absence
    return ValueRejected if is_value else _BY_STATUS.get(status, Rejected)


def _finer(kind: type[CallError], complaint: Complaint) -> type[CallError]:
    """What a value was rejected for: the field, the model or the size; codes such as Seedream's say only that."""
    field = complaint.field
    if complaint.unknown_fields:
        return UnknownParameter
    if kind is ValueRejected and field == "model":
        return ModelNotFound
    is_size = field in _SIZE_FIELDS or (not field and _SIZE.search(complaint.said))
    return SizeRejected if is_size and not complaint.is_about_absence else kind


def _message(kind: type[CallError], reply: Reply, complaint: Complaint) -> str:
    if kind is Redirected:
        if not reply.header("location"):
            return f"HTTP {reply.status}: the endpoint points elsewhere, and does not say where."
        return f"HTTP {reply.status}: the endpoint points to {_target(reply)}, and a paid request is not sent on."
    start = "The endpoint answered with an error: " if 200 <= reply.status < 300 else f"HTTP {reply.status}: "
    found = _found(complaint) if kind is Refused else ""
    said = without_violations(complaint.said) if found else complaint.said
    return f"{start}{shortened(_told(said, reply, complaint), LONGEST_MESSAGE - len(start) - len(found))}{found}"


def _found(complaint: Complaint) -> str:
    """` (sexual, violence; at the input)`: what moderation found, and where."""
    parts = (", ".join(complaint.categories), f"at the {complaint.stage}" if complaint.stage else "")
    text = "; ".join(filter(None, parts))
    return f" ({shortened(text, LONGEST_MESSAGE // 2)})" if text else ""


def _told(said: str, reply: Reply, complaint: Complaint) -> str:
    """The words of the body, or else what kind of body it is."""
    if complaint.is_page:
        return f'an HTML page, "{said}".' if said else "an HTML page, not an answer of an images API."
    name = complaint.code or complaint.type
    return (
        said
        or (f"{name}, and no more." if name else line(reply.told[:500].decode(errors="replace")))
        or "an empty answer."
    )


def _target(reply: Reply) -> str:
    """Where a redirect points, without a query, which may carry a token."""
    try:
        target = urlsplit(urljoin(f"{reply.base_url}/", reply.header("location")))
    except ValueError:
        return "an address that is none"
    return shortened(line(f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"), LONGEST_MESSAGE // 2)


def _retirement(kind: type[CallError], complaint: Complaint, model: Model) -> str:
    """That the vendor has retired the model, where the error is about the model; the day may lie ahead."""
    is_named = re.search(r"(?i)\bmodel\b", complaint.said) or (model.name and model.name in complaint.said)
    if not model.retired or not (kind is ModelNotFound or (kind in (Rejected, AccessDenied) and is_named)):
        return ""
    instead = f"; {model.successor} takes its place" if model.successor else ""
    return f"{_FREE} {model.name} is retired as of {model.retired}{instead}."


def _hint(kind: type[CallError], reply: Reply, complaint: Complaint) -> str:
    """What to do about this reply; an empty text where the hint of its kind says it all."""
    hint = _HINTS.get(kind)
    return hint(reply, complaint) if hint else ""


def _of_unknown_field(_reply: Reply, complaint: Complaint) -> str:
    fields = complaint.unknown_fields or ((complaint.field,) if complaint.field else ())
    if not fields:
        return f"{_FREE} --dry-run shows what is sent, and --omit KEY leaves a field out."
    asked = " ".join(f"--omit {name}" for name in dict.fromkeys(_ASKED_AS.get(name, name) for name in fields))
    named = " and ".join(_labelled(name) for name in fields)
    return f"{_FREE} This endpoint does not take {named}: leave the option away, or give {asked} where it is a default."


def _labelled(field: str) -> str:
    """The field as the endpoint calls it, with the option that it was made from."""
    asked = _ASKED_AS.get(field, field)
    return field if asked == field else f"{field} (which stands for {asked})"


def _of_value(_reply: Reply, complaint: Complaint) -> str:
    field, values = complaint.field, complaint.values
    if values:
        listed = " or ".join(filter(None, (", ".join(values[:-1]), values[-1])))
        return f"{_FREE} It takes {listed}{f' for {_labelled(field)}' if field else ''}."
    if field in _PICTURE_FIELDS or "image" in flat(complaint.code) or _PICTURE.search(complaint.said):
        option = "--mask" if "mask" in f"{field} {complaint.said}".lower() else "--image"
        return f"{_FREE} It is about a picture that was sent: give another one, or the same one as PNG, with {option}."
    if field == "prompt":
        return f"{_FREE} Change the prompt; a shorter one may do."
    asked = _ASKED_AS.get(field, field)
    return f"{_FREE} Change {asked}, or leave it to the server with --omit {asked}." if asked else ""


def _of_size(reply: Reply, complaint: Complaint) -> str:
    if complaint.values:
        return _of_value(reply, complaint)
    if found := _LEAST_PIXELS.search(complaint.said):
        side = math.ceil(math.sqrt(int(found[1])) / 16) * 16
        return f"{_FREE} Give a larger --size: for a square {side}x{side} is enough."
    return ""


def _of_refusal(_reply: Reply, complaint: Complaint) -> str:
    again = "the same request is not sent again by itself"
    if complaint.stage == "output":
        return f"The picture was withheld, and some providers charge for that. Change the prompt; {again}."
    if flat(complaint.code).startswith(("inputimage", "imagecontent")):
        return f"{_FREE} Change the reference picture; {again}."
    return f"{_FREE} Change the prompt; {again}." if complaint.stage == "input" else ""


def _of_key(reply: Reply, _complaint: Complaint) -> str:
    """Which key it was, and where it went; whoever sent none looks for the fault in the wrong place."""
    host = line(urlsplit(reply.base_url).netloc) or "the endpoint"
    if reply.key is None:
        return f"{_FREE} No key was sent to {host}, as none that is set belongs there."
    return f"{_FREE} It was {reply.key.source}, sent to {host}: check the key, and that it belongs there."


def _of_denial(_reply: Reply, complaint: Complaint) -> str:
    if complaint.is_page:
        return f"{_FREE} A proxy or a firewall answered in place of the endpoint: check the base URL and the network."
    if "temporarily blocked" in complaint.said:
        return f"{_FREE} The provider has blocked the whole account for a while, not this prompt alone."
    return ""


def _of_rate_limit(reply: Reply, _complaint: Complaint) -> str:
    when = _when(reply)
    return f"{_FREE} The server says to ask again {when}." if when else ""


def _of_failure(reply: Reply, complaint: Complaint) -> str:
    if _REFUSAL.search(complaint.said):
        return (
            f"{_UNKNOWN} Some gateways answer a refusal by moderation like this: change the prompt before asking again."
        )
    when = _when(reply)
    return f"{_UNKNOWN} The server says to ask again {when}." if when else ""


def _when(reply: Reply) -> str:
    """When a server wants to be asked again, in words; an empty text where it does not say."""
    for value, unit in ((reply.header("retry-after-ms"), 0.001), (reply.header("retry-after"), 1.0)):
        seconds = _number(value) * unit
        if 0 < seconds < math.inf:
            return f"in {math.ceil(seconds)} s" if seconds < 7200 else f"in about {round(min(seconds / 3600, 9999))} h"
    date = reply.header("retry-after")
    try:
        parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return ""
    return f"after {shortened(line(date), 40)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _of_rejection(reply: Reply, complaint: Complaint) -> str:
    if reply.status in (404, 405) or complaint.is_page:
        return f"{_FREE} Check the base URL: requests go to <base URL>/images/generations."
    if complaint.is_about_absence and (field := complaint.field):
        return f"{_FREE} The server requires {field}: give it with its option, or with --param."
    return ""


_HINTS: Final[Mapping[type[CallError], Callable[[Reply, Complaint], str]]] = MappingProxyType(
    {
        AccessDenied: _of_denial,
        KeyRejected: _of_key,
        RateLimited: _of_rate_limit,
        Refused: _of_refusal,
        Rejected: _of_rejection,
        ServerFailed: _of_failure,
        SizeRejected: _of_size,
        UnknownParameter: _of_unknown_field,
        ValueRejected: _of_value,
    }
)
