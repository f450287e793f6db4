"""The body of an error -> a Complaint: what it says, whatever its shape. Pure.

| shape | who | source, read 2026-11-20 |
|---|---|---|
| `{"error": {message, type, param, code}}` | OpenAI, Seedream, new-api | the API references of OpenAI and Ark |
| in it `moderation_details: {moderation_stage, categories}` | OpenAI | openai 3.52.0, response_output_item.py |
| in it `innererror: {code, content_filter_result}` | Azure | openai/openai-dotnet#55, BerriAI/litellm#19372 |
| `{"code": "400", "error": "text"}` | xAI | rikkahub/rikkahub#1602 |
| `{"detail": "text"}`, `{"detail": [{loc, msg, type}]}` | FastAPI: SGLang, vLLM-Omni, LiteLLM | their sources |
| `{"issues": [{path, message}]}` | Zod | letta-ai/letta-code#4350 |
| `{message}`, `{code, msg}`, `{errors: […]}`, `{base_resp: {status_code, status_msg}}` | gateways, MiniMax | threads |
| one of these as JSON inside a message, or behind `data:` | LiteLLM, gateways in a row | BerriAI/litellm#40074 |
| `… (request id: X)`, `… Request id: X` in a message | new-api, Seedream | songquanpeng/one-api#2340, Ark |
| an HTML page | Cloudflare, nginx | QuantumNous/new-api#4478 |
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice, takewhile
from typing import Any, Final

LONGEST_MESSAGE: Final = 300
_LONGEST_READ: Final = 4000
_LONGEST_NAME: Final = 100
_LONGEST_ID: Final = 200
_PAGE_START: Final = 64 * 1024
_DEEPEST: Final = 8
_MOST_NODES: Final = 500
_MOST_ITEMS: Final = 20
_SHOWN_ITEMS: Final = 5

_NESTED: Final = ("error", "errors", "detail", "issues", "base_resp")
_MESSAGES: Final = ("message", "msg", "status_msg", "error_message", "error_description")
_STATUSES: Final = ("status", "http_code", "status_code", "code")
_PARTS: Final = ("body", "query", "form", "header", "path")
_NONE: Final = ("", "None", "null")

_TITLE: Final = re.compile(r"(?is)<title[^>]{0,200}>(.{0,1000}?)</title")
_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_REQUEST_ID: Final = re.compile(r"(?i)\brequest[ _-]?id[\s:=]+['\"`]?((?=[\w-]*\d)[\w-]{6,200})")
_VIOLATIONS: Final = re.compile(r"\s*\bsafety_violations=\[([^\]]{0,300})\]\.?")
_FIELD: Final = re.compile(r"[A-Za-z_][\w.\[\]-]*")
# Each alternative captures the field, or the fields, that are not taken.
_UNKNOWN: Final = re.compile(
    r"(?i)(?:unknown|unrecognized|unsupported) (?:parameter|request argument|argument|field|name)[^'\"`:]{0,40}"
    r"(?::\s*['\"`]?|\s['\"`])([\w.]+)"
    r"|argument not supported[^:]{0,40}: ([\w.]+)"
    r"|does not support parameters: \[([^\]]{1,300})\]"
    r"|setting `([\w.]+)` is not supported"
    r"|parameter [`'\"]([\w.]+)[`'\"] is not supported"
    r"|does not support the ['\"`]?([\w.]+)['\"`]? (?:parameter|argument|field)"
    r"|([\w.]+): extra inputs are not permitted"
)
_NAMED_FIELD: Final = re.compile(
    r"(?i)parameter [`'\"]([\w.]+)[`'\"]|missing (?:a )?required \w+:? ['\"`]?([\w.]+)|'(width|height)' must"
)
_VALUES: Final = re.compile(
    r"(?i)\b(?:(?:supported|allowed|valid|accepted|permitted) (?:values?|sizes?|formats?|options?)(?: are| is)?"
    r"|(?:must|should) be (?:one of|either)|(?:must|should) be(?= ['\"`])|is not one of|expected one of)[:\s]*"
)
_QUOTED: Final = re.compile(r"['\"`]([^'\"`]{1,40})['\"`]")
_MOST_VALUES: Final = 16
_SEEDREAM: Final = re.compile(r"(Input|Output)?\w*(?:SensitiveContentDetected|RiskDetection)(?:\.(\w+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What an error body says, whatever its shape; what it does not say is empty."""

    said: str = ""
    """Its words on one line, up to 4000 letters; the title of a page."""
    type: str = ""
    code: str = ""
    param: str = ""
    inner_code: str = ""
    status: int = 0
    """The HTTP status that the body itself names, from 400 on."""
    categories: tuple[str, ...] = ()
    """What moderation found, in the provider's words."""
    stage: str = ""
    """Where moderation found it: `input`, `output` or nothing."""
    request_id: str = ""
    is_page: bool = False
    """Whether the body is HTML, which no images API answers."""

    @property
    def message(self) -> str:
        """Its words, not longer than a person reads."""
        return shortened(self.said, LONGEST_MESSAGE)

    @property
    def field(self) -> str:
        """The field that it blames, without what is inside that; an empty text where it names none."""
        is_in_code = flat(self.code).startswith(("invalidparameter", "missingparameter"))
        suffix = self.code.partition(".")[2] if is_in_code else ""
        found = _NAMED_FIELD.search(self.said)
        in_words = next(filter(None, found.groups()), "") if found else ""
        return re.split(r"[.\[]", self.param or (suffix if suffix.islower() else "") or in_words)[0]

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """The fields of which its words say that they are not taken."""
        told = (name for match in _UNKNOWN.finditer(self.said) for name in match.groups() if name)
        names = (name.partition(".")[0] for text in told for name in re.findall(r"[A-Za-z_][\w.]*", text))
        return tuple(islice(dict.fromkeys(names), _SHOWN_ITEMS))

    @property
    def is_about_absence(self) -> bool:
        """Whether a field is missing that the server requires."""
        return flat(self.code).startswith("missing") or "missing required" in self.said.lower()

    @property
    def values(self) -> tuple[str, ...]:
        """The values that it says are taken, in its order."""
        found = _VALUES.search(self.said)
        listed = re.split(r"\.(?:\s|$)|[\])]", self.said[found.end() :], maxsplit=1)[0] if found else ""
        bare = (re.sub(r"^(?:and|or)\s+", "", part.strip(" [(")) for part in re.split(r",|\s(?:and|or)\s", listed))
        plain = list(takewhile(re.compile(r"[\w.:+-]{1,40}").fullmatch, filter(None, bare)))
        return tuple(islice(dict.fromkeys(_QUOTED.findall(listed) or plain), _MOST_VALUES))


def read_complaint(body: bytes) -> Complaint:
    """The complaint in an error body; an empty one where it holds none. It never raises."""
    start = body[:_PAGE_START].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\0")
    if start[:1] == b"<":
        return Complaint(said=page_title(start.decode(errors="replace")), is_page=True)
    try:
        return _complaint(_decoded(body))
    except RecursionError:
        return Complaint()


def shortened(text: str, most: int) -> str:
    """The text, cut to so many letters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def line(value: object) -> str:
    """One line of printable text from whatever a server may send. Raises RecursionError for what is nested too deep."""
    if value is None or value == "":
        return ""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value[:_MOST_ITEMS]):
        value = "; ".join(value[:_MOST_ITEMS])
    text = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_LONGEST_READ]
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def flat(code: str) -> str:
    """A code in small letters and digits alone: `moderation_blocked` and `ModerationBlocked` are the same."""
    return re.sub(r"[^a-z0-9]", "", code.lower())


def page_title(page: str) -> str:
    """The title of an HTML page as plain text; an empty text where it has none."""
    found = _TITLE.search(page)
    plain = unescape(_TAG.sub(" ", found[1])) if found else ""
    return shortened(line(plain.translate({ord("<"): " ", ord(">"): " "})), _LONGEST_NAME)


def without_violations(said: str) -> str:
    """The words without `safety_violations=[…]`, which the categories say in plain text."""
    return _VIOLATIONS.sub("", said).strip()


def _decoded(body: bytes) -> Any:  # noqa: ANN401  (whatever a server may send)
    """The body as JSON, or else as text: gateways send line breaks inside strings, and letters in other encodings."""
    try:
        return json.loads(body, strict=False)
    except ValueError:
        text = body.decode(errors="replace").strip("\ufeff \t\r\n\0")
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return text


def _complaint(body: object) -> Complaint:
    layers, words = _layers(body)
    inside = layers[::-1]
    said = next((text for text in reversed(words) if text), "")
    code = _code(inside)
    named = list(_nodes(layers))
    return Complaint(
        said=said,
        type=_name(inside, "type"),
        code=code,
        param=_param(inside),
        inner_code=next((_short(node.get("code")) for key, node in named if flat(key) == "innererror"), ""),
        status=_status(inside),
        categories=_categories(named, " ".join(words), code),
        stage=_stage(named, code),
        request_id=_request_id(inside, words),
    )


def _layers(body: object) -> tuple[list[dict[str, Any]], list[str]]:
    """The objects of a complaint, each in the one before it, and the words of each; the innermost say it best."""
    layers: list[dict[str, Any]] = []
    words: list[str] = []
    node = _item(body)
    while node and len(layers) < _DEEPEST:
        if isinstance(node, str) and words and words[-1]:
            break  # A text beside a message is the short name of what happened ("error": "Unauthorized").
        layer = node if isinstance(node, dict) else {"message": node}
        said = next((layer[name] for name in _MESSAGES if layer.get(name)), None)
        layers.append(layer)
        words.append(_words(said))
        nested = next((layer[name] for name in _NESTED if layer.get(name)), None)
        node = _item(nested or (_embedded(said) if isinstance(said, str) else None))
    return layers, words


def _item(node: object) -> object:
    """What a list says: its fields that were found wrong, its first object, or its texts."""
    if not isinstance(node, list) or not node or not isinstance(node[0], dict):
        return node
    if not any(isinstance(node[0].get(name), list) for name in ("loc", "path")):
        return node[0]
    wrong = [item for item in node[:_SHOWN_ITEMS] if isinstance(item, dict)]
    told = [": ".join(filter(None, (_located(item), line(item.get("msg") or item.get("message"))))) for item in wrong]
    return {"message": "; ".join(told), "param": _located(node[0]), "code": node[0].get("type") or node[0].get("code")}


def _located(item: dict[str, Any]) -> str:
    """`size` for the place `["body", "size"]`."""
    place = item.get("loc") or item.get("path")
    parts = [part for part in place[:_DEEPEST] if isinstance(part, str)] if isinstance(place, list) else []
    return ".".join(_short(part) for part in (parts[1:] if parts[:1] and parts[0] in _PARTS else parts))


def _words(value: object) -> str:
    """A text on one line, and of a page inside it the title."""
    said = line(value)
    is_page = said[:200].lower().lstrip().startswith(("<!doctype", "<html"))
    return (page_title(said) or "an HTML page") if is_page else said


def _embedded(text: str) -> object:
    """The complaint of another server that a text holds as JSON, or None."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except ValueError:
        return None
    return value if isinstance(value, dict) and any(value.get(name) for name in (*_NESTED, *_MESSAGES)) else None


def _code(inside: list[dict[str, Any]]) -> str:
    """The code of the innermost object; one that only repeats the HTTP status where there is no better one."""
    found = [_short(layer.get("code")) for layer in inside]
    short_names = [_short(layer["error"]) for layer in inside if _is_short_name(layer)]
    telling = [code for code in (*found, *short_names) if code and not re.fullmatch(r"\d{1,3}", code)]
    return next((code for code in (*telling, *found) if code), "")


def _is_short_name(layer: dict[str, Any]) -> bool:
    """Whether it says what happened in a message, and its name in `error`."""
    error = layer.get("error")
    return isinstance(error, str) and re.fullmatch(r"\w{3,60}", error) is not None and bool(layer.get("message"))


def _name(inside: list[dict[str, Any]], name: str) -> str:
    return next((text for layer in inside if (text := _short(layer.get(name)))), "")


def _param(inside: list[dict[str, Any]]) -> str:
    """The field that is blamed; gateways also put a status there."""
    found = (_short(layer.get("param")) for layer in inside)
    return next((text for text in found if _FIELD.fullmatch(text)), "")


def _short(value: object) -> str:
    text = shortened(line(value), _LONGEST_NAME)
    return "" if text in _NONE else text


def _status(inside: list[dict[str, Any]]) -> int:
    named = (_short(layer.get(name)) for layer in inside for name in _STATUSES)
    return next((int(text) for text in named if re.fullmatch(r"[45][0-9]{2}", text)), 0)


def _nodes(layers: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a complaint with the name that it has there, from the outside in; of a huge one, the first."""
    queue: deque[tuple[str, object]] = deque(("", layer) for layer in layers)
    for _ in range(_MOST_NODES):
        if not queue:
            return
        key, node = queue.popleft()
        if isinstance(node, dict):
            yield key, node
            queue.extend((name, value) for name, value in islice(node.items(), _MOST_ITEMS))
        elif isinstance(node, list):
            queue.extend((key, item) for item in node[:_MOST_ITEMS])


def _categories(named: list[tuple[str, dict[str, Any]]], said: str, code: str) -> tuple[str, ...]:
    """What moderation found: listed, marked as filtered, in the message, or behind the code."""
    listed = [item for key, node in named if "moderation" in key.lower() for item in _texts(node.get("categories"))]
    filtered = [key for key, node in named if node.get("filtered") is True]
    in_words = [part.strip(" '\"") for found in _VIOLATIONS.finditer(said) for part in found[1].split(",")]
    suffix = found[2] if (found := _SEEDREAM.fullmatch(code)) and found[2] else ""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", suffix).lower()
    every = (_short(item) for item in (*listed, *filtered, *in_words, spaced))
    return tuple(islice(dict.fromkeys(item for item in every if item), _SHOWN_ITEMS))


def _texts(value: object) -> Iterable[str]:
    return [item for item in value[:_MOST_ITEMS] if isinstance(item, str)] if isinstance(value, list) else ()


def _stage(named: list[tuple[str, dict[str, Any]]], code: str) -> str:
    told = next((node["moderation_stage"] for _, node in named if node.get("moderation_stage")), None)
    found = _SEEDREAM.fullmatch(code)
    stage = told if isinstance(told, str) else (found[1] or "") if found else ""
    return stage.lower() if stage.lower() in ("input", "output") else ""


def _request_id(inside: list[dict[str, Any]], words: list[str]) -> str:
    """The id of the server that answered, which is the outermost; in a message it stands last."""
    named = (layer.get(name) for layer in reversed(inside) for name in ("request_id", "requestId", "requestID"))
    found = (match for text in words for match in reversed(_REQUEST_ID.findall(text)))
    told = next((line(value) for value in named if isinstance(value, str) and line(value)), "")
    return (told or next(found, ""))[:_LONGEST_ID]
