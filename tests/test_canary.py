"""A key is in nothing that a failure leaves behind: no output, traceback, log, record, file or object."""

from __future__ import annotations

import asyncio
import base64
import gzip
import html
import json
import logging
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any, Final
from urllib.parse import quote

import h11
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data
from support.canary import CANARIES, Witness, trace
from support.clock import DEADLINE_S
from support.gateway import Answer, Asked, Cut, Gateway, Hang, Parts, Rule, Said
from support.made import kept, record
from support.pictures import answer, complaint, picture
from traitlets.config import Config

import jupyter_imagegen as ig
from jupyter_imagegen import api, bridge, errors
from jupyter_imagegen import call as call_module
from jupyter_imagegen import client as client_module
from jupyter_imagegen.arrival import Arrival
from jupyter_imagegen.client import Client
from jupyter_imagegen.journal import Opened, Segment
from jupyter_imagegen.options import Options
from jupyter_imagegen.plan import Plan
from jupyter_imagegen.result import result_of
from jupyter_imagegen.retry import Wait
from jupyter_imagegen.settings import Where

# --- where the attempts are made


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    """A real shell with the extension loaded, which keeps no history on the disk."""
    hook, excepthook = sys.displayhook, sys.excepthook
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=config)
    made.run_line_magic("load_ext", "jupyter_imagegen")
    yield made
    made.run_line_magic("unload_ext", "jupyter_imagegen")
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook = hook, excepthook


@pytest.fixture(scope="module", autouse=True)
def talkative_loop() -> Iterator[None]:
    """The loop of all HTTP in asyncio's debug mode, where every step of it counts as slow and is logged."""
    with pytest.MonkeyPatch.context() as patch:
        start_talkative_loop(patch)
        yield


def start_talkative_loop(patch: pytest.MonkeyPatch) -> None:
    """A loop in place of the one that there is, with connections of its own, until the patch is taken back."""
    patch.setenv("PYTHONASYNCIODEBUG", "1")
    patch.setattr(bridge, "_loops", [])
    bridge.http_loop().loop.slow_callback_duration = 0


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept in the system's folder when the store takes nothing is looked at too."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts, and before a task is asked about, are not slept through."""

    async def pause(_: Wait) -> None:
        """Go on."""

    monkeypatch.setattr(client_module, "_pause", pause)
    monkeypatch.setattr(call_module, "_POLL_S", 0.01)


@pytest.fixture
def witness(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Witness:
    """Who watches the attempt of a test, and sees the job, the order and the outcome that it makes as well."""
    made = Witness(shell, tmp_path, caplog)

    class SeenJob(bridge.Job):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.reached.append(self)

    post = Client.post

    async def seen_post(self: Client, order: Any, *given: Any) -> Any:
        made.reached.append(order)
        return await post(self, order, *given)

    monkeypatch.setattr(api, "Job", SeenJob)
    monkeypatch.setattr(Client, "post", seen_post)
    return made


@pytest.fixture(params=CANARIES)
def key(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A canary, set as the key of whatever endpoint is typed."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", CANARIES[request.param])
    return CANARIES[request.param]


# --- what servers say


def unauthorized(say: Callable[[str], str]) -> Callable[[str], Answer]:
    """A 401 whose message says something of the key."""
    return lambda key: Said(complaint(f"Incorrect API key provided: {say(key)}. Try again."), 401)


def quoting(status: int, code: str = "") -> Callable[[str], Answer]:
    """A server that quotes the request's header in its complaint."""
    return lambda key: Said(complaint(f"Cannot do that. Got Authorization: Bearer {key}", code=code or None), status)


def page(status: int) -> Callable[[str], Answer]:
    """A gateway's HTML page with the key in its title and its text."""
    return lambda key: Said(
        f"<!doctype html><title>{status} for {key}</title><p>Authorization: Bearer {html.escape(key)}</p>".encode(),
        status,
        {"content-type": "text/html"},
    )


def masked(key: str) -> str:
    """As OpenAI shows a key: its first and last letters."""
    return f"{key[:8]}{'*' * 24}{key[-4:]}"


def escaped(key: str) -> str:
    """As a JSON writer that trusts no letter spells it, backslashes of JSON included."""
    return "".join(f"\\u{ord(letter):04x}" for letter in key)


def basic(key: str) -> str:
    """As the header of another kind of authorisation carries it."""
    return f"Basic {base64.b64encode(f'user:{key}'.encode()).decode()}"


def events(*payloads: dict[str, Any]) -> bytes:
    """A stream of these events."""
    return b"".join(b"data: %s\n\n" % json.dumps(payload).encode() for payload in payloads)


def stream(*payloads: dict[str, Any], end: str = "close", **headers: str) -> Parts:
    """An answer that is a stream of these events."""
    return Parts((events(*payloads),), end, {"content-type": "text/event-stream", **headers})


def chat(text: str, **extra: Any) -> bytes:
    """The JSON of a chat completion."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], **extra}).encode()


def painted(**item: Any) -> bytes:
    """An answer with one picture and something beside it."""
    return json.dumps({"data": [{"b64_json": PICTURE, **item}]}).encode()


PICTURE: Final = base64.b64encode(picture()).decode()
LARGE: Final = base64.b64encode(picture(size=(4000, 3000), name="BMP")[:100_000]).decode()
"""A picture that makes an answer too long to be searched as a complaint."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What a server says when it is sent a key, what a call makes of that, and with which arguments it is made."""

    says: Callable[[str], Answer]
    is_then: type[object]
    fetched: Callable[[str], Answer] = lambda _: Said(b"", 404)
    """What the server says to a GET."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    is_unseen: bool = False


FAILURES: Final[Mapping[str, Failure]] = {
    # 401
    "401, whole": Failure(says=unauthorized(str), is_then=errors.KeyRejected),
    "401, masked": Failure(says=unauthorized(masked), is_then=errors.KeyRejected, is_unseen=True),
    "401, percent-encoded": Failure(says=unauthorized(lambda key: quote(key, safe="")), is_then=errors.KeyRejected),
    "401, in base64": Failure(says=unauthorized(basic), is_then=errors.KeyRejected),
    "401, escaped for HTML": Failure(says=unauthorized(html.escape), is_then=errors.KeyRejected),
    "401, escaped for JSON": Failure(
        says=lambda key: Said(b'{"error": {"message": "Bad key %s."}}' % escaped(key).encode(), 401),
        is_then=errors.KeyRejected,
    ),
    "401, JSON inside JSON": Failure(
        says=lambda key: Said(complaint(json.dumps({"error": {"message": f"Bad key {key}", "code": key}})), 401),
        is_then=errors.KeyRejected,
    ),
    "401, a name and every field": Failure(
        says=lambda key: Said(json.dumps({"error": {key: key, "code": key, "type": key, "param": key}}).encode(), 401),
        is_then=errors.KeyRejected,
    ),
    "401, in headers": Failure(
        says=lambda key: Said(complaint("Bad key."), 401, {"www-authenticate": f"Bearer {key}", "x-echo": quote(key)}),
        is_then=errors.KeyRejected,
    ),
    "401, in a cookie": Failure(
        says=lambda key: Said(complaint("Bad key."), 401, {"set-cookie": f"key={key}; Path=/"}),
        is_then=errors.KeyRejected,
    ),
    "401, in ids of the request": Failure(
        says=lambda key: Said(complaint(f"Bad key (request id: {key})"), 401, {"x-request-id": key, "cf-ray": key}),
        is_then=errors.KeyRejected,
    ),
    "401, across the end of an id": Failure(
        says=lambda key: Said(b"", 401, {"x-request-id": "r" * (200 - 20) + key}), is_then=errors.KeyRejected
    ),
    "401, across the end of a message": Failure(
        says=lambda key: Said(complaint("y" * (300 - 30) + key), 401), is_then=errors.KeyRejected
    ),
    "401, across the end of a page's title": Failure(
        says=lambda key: Said(f"<title>{'y' * (100 - 20)}{key}</title>".encode(), 401), is_then=errors.KeyRejected
    ),
    "401, packed": Failure(
        says=lambda key: Said(gzip.compress(complaint(f"Bad key {key}")), 401, {"content-encoding": "gzip"}),
        is_then=errors.KeyRejected,
        is_unseen=True,
    ),
    "401, a page": Failure(says=page(401), is_then=errors.KeyRejected),
    "401, a text": Failure(says=lambda key: Said(f"Bad key {key}".encode(), 401), is_then=errors.KeyRejected),
    "401, of edits": Failure(
        says=unauthorized(str), is_then=errors.KeyRejected, asked={"image": picture(), "model": "any"}
    ),
    "401, of one of three calls": Failure(
        says=unauthorized(str), is_then=errors.KeyRejected, asked={"model": "dall-e-3", "n": 3}
    ),
    # Other refusals
    "302, in the path": Failure(
        says=lambda key: Said(b"", 302, {"location": f"https://elsewhere.invalid/{quote(key, safe='')}/v1"}),
        is_then=errors.Redirected,
    ),
    "307, in the query and the user": Failure(
        says=lambda key: Said(
            b"", 307, {"location": f"https://user:{quote(key, safe='')}@elsewhere.invalid/v1?key={quote(key, safe='')}"}
        ),
        is_then=errors.Redirected,
    ),
    "400": Failure(says=quoting(400), is_then=errors.Rejected),
    "400, a value": Failure(
        says=lambda key: Said(complaint(f"Supported values are: '{key}'.", param="size", code="invalid_value"), 400),
        is_then=errors.ValueRejected,
    ),
    "400, a field": Failure(
        says=lambda key: Said(complaint(f"Unknown parameter: '{key}'.", param=key, code="unknown_parameter"), 400),
        is_then=errors.UnknownParameter,
    ),
    "400, of edits": Failure(says=quoting(400), is_then=errors.Rejected, asked={"image": picture(), "model": "any"}),
    "400, a refusal": Failure(
        says=lambda key: Said(
            complaint(
                f"No. safety_violations=[{key}]", code="moderation_blocked", moderation_details={"categories": [key]}
            ),
            400,
        ),
        is_then=errors.Refused,
    ),
    "402": Failure(says=quoting(402), is_then=errors.OutOfCredit),
    "403": Failure(says=quoting(403), is_then=errors.AccessDenied),
    "404": Failure(says=quoting(404, "model_not_found"), is_then=errors.ModelNotFound),
    "413": Failure(says=quoting(413), is_then=errors.TooLarge),
    "422": Failure(
        says=lambda key: Said(json.dumps({"detail": [{"loc": ["body", key], "msg": key, "type": key}]}).encode(), 422),
        is_then=errors.Rejected,
    ),
    "429": Failure(says=quoting(429), is_then=errors.RateLimited),
    "429, for a quota": Failure(says=quoting(429, "insufficient_quota"), is_then=errors.OutOfCredit),
    # Outcomes that are unknown
    "500": Failure(says=page(500), is_then=errors.ServerFailed),
    "502": Failure(says=page(502), is_then=errors.ServerFailed),
    "503": Failure(says=page(503), is_then=errors.ServerFailed),
    "504": Failure(says=page(504), is_then=errors.GatewayTimedOut),
    "524": Failure(says=page(524), is_then=errors.GatewayTimedOut),
    "200, an error": Failure(says=quoting(200), is_then=errors.Rejected),
    "200, an error in a long answer": Failure(
        says=lambda key: Said(complaint("y" * (300 - 60) + key, padding="z" * 70_000), 200), is_then=errors.Rejected
    ),
    "200, a page": Failure(says=page(200), is_then=errors.AnswerUnreadable),
    "200, a long page": Failure(
        says=lambda key: Said(f"<title>{'y' * 80}{key}</title>{'z' * 70_000}{key}".encode()),
        is_then=errors.AnswerUnreadable,
    ),
    "200, unreadable": Failure(
        says=lambda key: Said(b'{"key": %s, "data": [{"b64_' % json.dumps(key).encode()),
        is_then=errors.AnswerUnreadable,
    ),
    "200, a picture that cannot be decoded": Failure(
        says=lambda key: Said(json.dumps({"data": [{"b64_json": f"!{key}!"}]}).encode()),
        is_then=errors.AnswerUnreadable,
    ),
    "200, nothing": Failure(
        says=lambda key: Said(json.dumps({"data": [], "message": f"for {key}"}).encode()), is_then=errors.NoPicture
    ),
    "200, words": Failure(says=lambda key: Said(chat(f"Your key is {key}.")), is_then=errors.NoPicture),
    "200, many words": Failure(
        says=lambda key: Said(chat("y" * (200 - 30) + key + "z" * 70_000)), is_then=errors.NoPicture
    ),
    "a stream with an error": Failure(
        says=lambda key: stream({"type": "error", "error": {"message": f"Bad key {key}", "code": key}}),
        is_then=errors.CallError,
    ),
    "a stream with a long error": Failure(
        says=lambda key: stream({"type": "error", "error": {"message": "y" * (300 - 60) + key}}),
        is_then=errors.CallError,
    ),
    "a stream of words": Failure(
        says=lambda key: stream({"choices": [{"delta": {"content": "y" * (200 - 30) + key}}]}),
        is_then=errors.NoPicture,
    ),
    "a stream that is cut": Failure(
        says=lambda key: stream({"type": "started", "id": key}, end="cut", **{"x-request-id": "r" * (200 - 20) + key}),
        is_then=errors.ConnectionCut,
    ),
    "an answer that is cut": Failure(
        says=lambda key: Said(
            painted(revised_prompt=key)[:-90], 200, {"content-length": "100000", "x-request-id": key}
        ),
        is_then=errors.ConnectionCut,
    ),
    # Pictures
    "a picture with words": Failure(
        says=lambda key: Said(
            answer(picture(), usage={"total_tokens": 1, key: {key: [key]}, "for": key}, id=key),
            200,
            {"x-request-id": key, "set-cookie": key},
        ),
        is_then=ig.Result,
    ),
    "a revised prompt": Failure(says=lambda key: Said(painted(revised_prompt=f"draw {key}")), is_then=ig.Result),
    "a revised prompt in a stream": Failure(
        says=lambda key: stream(
            {"type": "image_generation.completed", "b64_json": PICTURE, "revised_prompt": key, "usage": {key: key}}
        ),
        is_then=ig.Result,
    ),
    "a revised prompt in a long answer": Failure(
        says=lambda key: Said(
            json.dumps({"data": [{"b64_json": LARGE, "revised_prompt": key}], "usage": {"for": key}}).encode(),
            200,
            {"x-request-id": "r" * (200 - 20) + key},
        ),
        is_then=ig.Result,
    ),
    "an error beside a picture": Failure(
        says=lambda key: Said(json.dumps({"data": [{"b64_json": PICTURE}, {"error": {"message": key}}]}).encode()),
        is_then=errors.Rejected,
        asked={"n": 2},
    ),
    "an error beside a picture in a long answer": Failure(
        says=lambda key: Said(json.dumps({"data": [{"b64_json": LARGE}, {"error": {"message": key}}]}).encode()),
        is_then=errors.Rejected,
        asked={"n": 2},
    ),
    "a URL that fails": Failure(
        says=lambda key: Said(json.dumps({"data": [{"url": f"/{quote(key, safe='')}/a.png?key={key}"}]}).encode()),
        is_then=errors.DownloadFailed,
    ),
    "a URL elsewhere": Failure(
        says=lambda key: Said(json.dumps({"data": [{"url": f"http://{quote(key, safe='')}@10.0.0.1/{key}"}]}).encode()),
        is_then=errors.DownloadFailed,
    ),
    "a URL that points on": Failure(
        says=lambda _: Said(b'{"data": [{"url": "/a.png"}]}'),
        fetched=lambda key: Said(b"", 302, {"location": f"http://u:{quote(key, safe='')}@10.0.0.1/{quote(key)}"}),
        is_then=errors.DownloadFailed,
    ),
    "a URL that is none": Failure(
        says=lambda _: Said(b'{"data": [{"url": "/a.png"}]}'),
        fetched=lambda key: Said(b"", 302, {"location": f"http://{quote(key)}:99999/a.png"}),
        is_then=errors.DownloadFailed,
    ),
    "a URL that says no": Failure(
        says=lambda _: Said(b'{"data": [{"url": "/a.png"}]}'),
        fetched=lambda key: Said(key.encode(), 403, {"x-request-id": key, "set-cookie": key}),
        is_then=errors.DownloadFailed,
    ),
    "a URL without a picture": Failure(
        says=lambda _: Said(b'{"data": [{"url": "/a.png"}]}'),
        fetched=lambda key: Said(f"<title>{key}</title>".encode()),
        is_then=errors.AnswerUnreadable,
    ),
    # Tasks
    "a task": Failure(
        says=lambda key: Said(json.dumps({"id": key, "status": "queued"}).encode()), is_then=errors.TaskUnfinished
    ),
    "a task that fails": Failure(
        says=lambda key: Said(json.dumps({"id": "t1", "status": "failed", "message": f"for {key}"}).encode()),
        is_then=errors.CallError,
    ),
    "a task that is asked for": Failure(
        says=lambda key: Said(json.dumps({"data": {"task_id": f"t-{quote(key)}", "status": "queued"}}).encode()),
        fetched=lambda key: Said(complaint(f"No task for {key}"), 404),
        is_then=errors.TaskUnfinished,
    ),
    # No answer
    "a deadline": Failure(
        says=lambda _: Hang(), is_then=errors.DeadlinePassed, asked={"timeout": DEADLINE_S}, is_unseen=True
    ),
    "a deadline in an answer": Failure(
        says=lambda key: stream({"type": "started", "id": key}, end="hang", **{"x-request-id": "r" * 180 + key}),
        is_then=errors.DeadlinePassed,
        asked={"timeout": DEADLINE_S},
    ),
    "a reset": Failure(says=lambda _: Cut(), is_then=errors.ConnectionCut, is_unseen=True),
}
"""Each by what the server says. `is_unseen`: the bytes of the answer have no piece of the key in them."""


def rule(failure: Failure, key: str) -> Rule:
    """The gateway of a failure: a POST gets its answer, a GET what is fetched."""
    return lambda asked: failure.fetched(key) if asked.method == "GET" else failure.says(key)


@pytest.mark.usefixtures("stalls_are_long")
@pytest.mark.parametrize("name", FAILURES)
def test_no_answer_brings_the_key_back(gateway: Gateway, witness: Witness, key: str, name: str) -> None:
    """Whatever a server says of the key that it was sent, and however it spells it, nothing here says it again."""
    failure = FAILURES[name]
    gateway.rule = rule(failure, key)

    came = witness.watch(lambda: ig.generate("an otter", base_url=gateway.url, **failure.asked))

    assert isinstance(came, failure.is_then), came
    assert key in gateway.posts[0].headers["authorization"]
    assert failure.is_unseen or trace(key, repr([failure.says(key), failure.fetched(key)])), "nothing was echoed"
    witness.says_nothing_of(key)


def test_a_picture_whose_url_carries_the_key_is_fetched_and_the_key_is_not_shown(
    gateway: Gateway, witness: Witness, key: str
) -> None:
    """It was paid for, and is at that address alone; what is logged, recorded and shown of it has no key."""
    path = f"/{quote(key, safe='')}/a.png?key={quote(key, safe='')}"
    data = json.dumps({"data": [{"url": path}]}).encode()
    fetched = {"/v1/images/generations": Said(data), path: Said(picture())}
    gateway.rule = lambda asked: fetched.get(asked.path, Said(b"", 404))
    came = witness.watch(lambda: ig.generate("an otter", base_url=gateway.url))
    witness.says_nothing_of(key)
    assert isinstance(came, ig.Result), came


# --- no answer at all


@pytest.fixture
def nobody() -> int:
    """A port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("address", ["http://127.0.0.1:{nobody}/v1", "http://nowhere.invalid/v1", "{tls}/v1"])
def test_no_failed_connection_shows_the_key(
    gateway: Gateway, witness: Witness, key: str, nobody: int, address: str
) -> None:
    """Refused, a host that is none, and a server that speaks no TLS."""
    url = address.format(nobody=nobody, tls=gateway.origin.replace("http:", "https:"))
    came = witness.watch(lambda: ig.generate("an otter", base_url=url))
    assert isinstance(came, errors.NotSent), came
    witness.says_nothing_of(key)


PROXIES: Final[Mapping[str, tuple[str, str, str]]] = {
    "refused": ("HTTP_PROXY", "http://user:{key}@127.0.0.1:{nobody}", "NotSent"),
    "asks for a password": ("HTTP_PROXY", "http://user:{key}@{proxy}", "Rejected"),
    "tunnels nothing": ("HTTPS_PROXY", "http://user:{key}@{proxy}", "NotSent"),
    "of another kind": ("HTTPS_PROXY", "ftp://user:{key}@127.0.0.1:{nobody}", "SettingsError"),
    "needs a library": ("ALL_PROXY", "socks5://user:{key}@127.0.0.1:{nobody}", "SettingsError"),
    "at a port that is none": ("ALL_PROXY", "http://user:{key}@127.0.0.1:99999x", "SettingsError"),
    "at a host that is none": ("ALL_PROXY", "http://user:{key}@[::1", "SettingsError"),
}
"""By what is wrong with it: the variable, its value, and the error."""


@dataclass(frozen=True)
class Proxied:
    """An address that is reached through a proxy, and the error that this ends with."""

    url: str
    error: str


@pytest.fixture(params=PROXIES)
def proxied(
    request: pytest.FixtureRequest, gateway: Gateway, nobody: int, key: str, monkeypatch: pytest.MonkeyPatch
) -> Proxied:
    """A proxy in the environment, on a loop whose connections are made with it."""
    variable, value, error = PROXIES[request.param]
    proxy = gateway.origin.removeprefix("http://")
    monkeypatch.setenv(variable, value.format(key=quote(key, safe=""), nobody=nobody, proxy=proxy))
    start_talkative_loop(monkeypatch)
    return Proxied("https://nowhere.invalid/v1" if variable == "HTTPS_PROXY" else "http://nowhere.invalid/v1", error)


def test_no_proxy_brings_the_key_back(gateway: Gateway, witness: Witness, key: str, proxied: Proxied) -> None:
    """A proxy with the key as its password that refuses, echoes or cannot be used."""
    echo = {"proxy-authenticate": f"Basic realm={quote(key)}"}
    gateway.rule = lambda asked: Said(complaint(f"{key} {asked.headers}"), 407, echo)
    came = witness.watch(lambda: ig.generate("an otter", base_url=proxied.url))
    assert type(came).__name__ == proxied.error, came
    witness.says_nothing_of(key)


# --- what ends a call from within


@pytest.mark.parametrize("moment", ["before the answer", "in the answer", "in a download"])
def test_no_interrupt_shows_the_key(
    gateway: Gateway, witness: Witness, key: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop button, pressed while the wait looks at the job."""
    half = stream({"type": "started", "id": key}, end="hang", **{"x-request-id": "r" * 180 + key})
    address = Said(json.dumps({"data": [{"url": f"/{key}/a.png"}]}).encode(), 200, {"x-request-id": key})
    says: dict[str, Answer] = {"before the answer": Hang(), "in the answer": half, "in a download": address}
    gateway.rule = lambda asked: Hang() if asked.method == "GET" else says[moment]
    left = 2 if moment == "in a download" else 1

    taken = threading.Event()
    take = Arrival.take

    async def seen_take(self: Arrival, part: bytes) -> bytes:
        rest = await take(self, part)
        taken.set()
        return rest

    monkeypatch.setattr(Arrival, "take", seen_take)

    class Button:
        def tick(self, _: object) -> None:
            if len(gateway.asked) >= left and (moment != "in the answer" or taken.is_set()):
                raise KeyboardInterrupt

        def close(self) -> None:
            """Nothing was shown."""

    monkeypatch.setattr(api, "_progress", lambda _: Button())
    came = witness.watch(lambda: ig.generate("an otter", base_url=gateway.url))
    assert isinstance(came, KeyboardInterrupt), came
    assert ig.history().status.tolist() == ["cancelled"]
    witness.says_nothing_of(key)


@pytest.mark.parametrize("broken", ["the folder of pictures", "the store", "the store in mid-call"])
def test_no_store_that_takes_nothing_shows_the_key(
    gateway: Gateway, witness: Witness, key: str, tmp_path: Path, broken: str
) -> None:
    """The answer, with what it says of the key, is kept in unread/, in the system's folder, or not at all."""
    store = tmp_path / "imagegen"
    if broken == "the store":
        store.write_text("a file")

    def rule(_: Asked) -> Said:
        if broken == "the folder of pictures":
            (store / "images").rmdir()
            (store / "images").write_text("a file")
        if broken == "the store in mid-call":
            store.rename(tmp_path / "elsewhere")
            store.write_text("a file")
        said = json.dumps({"data": [{"b64_json": PICTURE, "revised_prompt": key}], "usage": {key: key}})
        return Said(said.encode(), 200, {"x-request-id": key})

    gateway.rule = rule
    came = witness.watch(lambda: ig.generate("an otter", base_url=gateway.url))
    assert isinstance(came, errors.StoreError | errors.NotKept), came
    assert (broken == "the store") or any(channel.endswith(".bin") for channel, _ in witness.said)
    witness.says_nothing_of(key)


@pytest.mark.parametrize("where", ["while it is sent", "while it is read", "at a host that breaks the resolver"])
def test_no_defect_shows_the_key(
    gateway: Gateway, witness: Witness, key: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has foreseen goes through to the person, without the frames of the HTTP library."""

    def fail(*_: object) -> None:
        raise MemoryError

    if where == "while it is sent":
        monkeypatch.setattr(h11.Connection, "send_with_data_passthrough", fail)
    if where == "while it is read":
        monkeypatch.setattr(call_module, "explain", fail)
    gateway.rule = lambda _: Said(complaint(key), 401)
    url = "http://a..b/v1" if "host" in where else gateway.url
    came = witness.watch(lambda: ig.generate("an otter", base_url=url))
    assert isinstance(came, MemoryError | UnicodeError | errors.NotSent), came
    witness.says_nothing_of(key)


# --- what is decided before anything is sent


@pytest.mark.parametrize("surround", [" {} ", "\t{}\r\n"])
def test_a_key_with_blanks_around_it_is_sent_without_and_not_shown(
    gateway: Gateway, witness: Witness, key: str, surround: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file or a copied line leaves them."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", surround.format(key))
    gateway.rule = unauthorized_with(key)
    came = witness.watch(lambda: ig.generate("an otter", base_url=gateway.url))
    assert isinstance(came, errors.KeyRejected), came
    assert gateway.posts[0].headers["authorization"] == f"Bearer {key}"
    witness.says_nothing_of(key)


def unauthorized_with(key: str) -> Rule:
    """A 401 that says the key, and the header in which it came."""
    return lambda asked: Said(complaint(f"Incorrect API key provided: {key}, {asked.headers}"), 401)


ENVIRONMENTS: Final[Mapping[str, tuple[dict[str, str], dict[str, Any], type[Exception]]]] = {
    "a letter that no key has": ({"IMAGEGEN_API_KEY": "{key}é"}, {}, errors.SettingsError),
    "a line break in the key": ({"IMAGEGEN_API_KEY": "x\n{key}"}, {}, errors.SettingsError),
    "a key of another origin": ({"OPENAI_API_KEY": "{key}"}, {"provider": "openai"}, errors.KeyMisdirected),
    "no key where one is needed": ({}, {"provider": "zenlayer", "base_url": None}, errors.KeyMissing),
    "a provider that is none": ({}, {"provider": "opnai"}, errors.SettingsError),
    "an address that is none": ({}, {"base_url": "gopher://x"}, errors.SettingsError),
    "a key in an address": (
        {"IMAGEGEN_BASE_URL": "https://user:{key}@elsewhere.invalid/v1"},
        {"base_url": None},
        errors.ImageGenError,
    ),
    "a key in a provider's address": (
        {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "https://elsewhere.invalid/v1?key={key}"},
        {"base_url": None, "provider": "openai"},
        errors.KeyInCell,
    ),
    "a timeout that is none": ({}, {"timeout": "soon"}, errors.OptionError),
    "a value that is not taken": ({}, {"model": "dall-e-3", "size": "1x1"}, errors.NotTaken),
    "a cost that is too high": ({}, {"max_cost": 0.01}, errors.TooExpensive),
    "a picture that is none": ({}, {"image": "nowhere.png"}, errors.ReferenceUnreadable),
    "a folder that cannot be": ({}, {"save": "/dev/null/x"}, errors.ImageGenError),
}
"""By what is wrong: variables of the environment, arguments, and the error."""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_refusal_before_the_post_shows_the_key(
    gateway: Gateway, witness: Witness, key: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment holds a key while something else is wrong, or is itself what is wrong."""
    variables, asked, error = ENVIRONMENTS[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value.format(key=key))
    came = witness.watch(lambda: ig.generate("an otter", **{"base_url": gateway.url, **asked}))
    assert isinstance(came, error), came
    assert gateway.asked == []
    witness.says_nothing_of(key)


TYPED: Final[Mapping[str, tuple[str, str | None]]] = {
    "--api-key": ("--api-key {key}", "an otter"),
    "--api-key=": ("--api-key={key}", "an otter"),
    "-k": ("-k {key} an otter", None),
    "--param api_key=": ("--param api_key={key}", "an otter"),
    "--param extra=": ("--param extra='\"{key}\"'", "an otter"),
    "--base-url with a user": ("-p openai --base-url https://user:{key}@elsewhere.invalid/v1", "an otter"),
    "--base-url with a query": ("--base-url https://elsewhere.invalid/v1?key={key}", "an otter"),
    "--base-url with a path": ("--base-url {gateway}/{key}", "an otter"),
    "--user": ("--user {key}", "an otter"),
    "--note": ("--note {key}", "an otter"),
    "--tag": ("--tag {key}", "an otter"),
    "--negative-prompt": ("--negative-prompt {key}", "an otter"),
    "--model": ("-m {key}", "an otter"),
    "--save": ("--save {key}", "an otter"),
    "--size": ("-m dall-e-3 --size {key}", "an otter"),
    "--provider": ("-p {key}", "an otter"),
    "--timeout": ("--timeout {key}", "an otter"),
    "--image": ("-i {key}.png", "an otter"),
    "an option that is none": ("--{key}", "an otter"),
    "the prompt": ("", "an otter with {key}"),
    "the prompt of a line": ("an otter with {key}", None),
    "a variable": ("", "an otter with {{{{secret}}}}"),
    "a variable in a line": ("an otter with {{{{secret}}}}", None),
    "a variable as a picture": ("-i secret", "an otter"),
    "a variable of a dry run": ("--dry-run", "an otter with {{{{secret}}}}"),
}
"""By where a person put the key: the line, and the cell below it."""


@pytest.mark.parametrize("canary", ["shaped", "shapeless"])
@pytest.mark.parametrize("name", TYPED)
def test_what_was_typed_is_refused_and_not_said_again(
    gateway: Gateway, witness: Witness, name: str, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, nothing is recorded, and the error does not repeat it."""
    key = CANARIES[canary]
    monkeypatch.setenv("IMAGEGEN_API_KEY", key)
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    monkeypatch.setitem(witness.shell.user_ns, "secret", key)
    line, below = TYPED[name]
    asked = below and below.format(key=key)
    came = witness.watch(lambda: cell(witness, line.format(key=key, gateway=gateway.url), asked), typed=True)
    assert isinstance(came, errors.ImageGenError), came
    assert gateway.asked == []
    witness.says_nothing_of(key)


def cell(witness: Witness, line: str, below: str | None = "an otter") -> object:
    """Run a cell, or a line where nothing is below it."""
    shell: Any = witness.shell
    return shell.run_line_magic("imagegen", line) if below is None else shell.run_cell_magic("imagegen", line, below)


# --- other ways


def test_no_dry_run_shows_the_key(gateway: Gateway, witness: Witness, key: str) -> None:
    """It says where the key comes from."""
    line = f"--dry-run -m dall-e-3 -n 2 --base-url {gateway.url}"
    came = witness.watch(lambda: cell(witness, line))
    assert isinstance(came, Plan), came
    assert "IMAGEGEN_API_KEY" in repr(came)
    witness.says_nothing_of(key)


def test_a_key_in_a_header_of_its_own_is_not_shown(
    gateway: Gateway, witness: Witness, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure's `api-key` has no `Bearer` before it, and HTTP libraries print that header as it is."""
    monkeypatch.setenv("AZURE_BASE_URL", gateway.origin)
    monkeypatch.setenv("AZURE_API_KEY", key)
    gateway.rule = unauthorized_with(key)
    came = witness.watch(lambda: ig.generate("an otter", provider="azure", model="painter"))
    assert isinstance(came, errors.KeyRejected), came
    assert gateway.posts[0].headers["api-key"] == key
    witness.says_nothing_of(key)


def test_a_coroutine_shows_as_little(gateway: Gateway, witness: Witness, key: str) -> None:
    """In a loop of the person's own, in debug mode as well."""
    gateway.rule = unauthorized_with(key)
    came = witness.watch(lambda: asyncio.run(ig.agenerate("an otter", base_url=gateway.url), debug=True))
    assert isinstance(came, errors.KeyRejected), came
    witness.says_nothing_of(key)


def test_a_cell_shows_as_little(gateway: Gateway, witness: Witness, key: str) -> None:
    """%%imagegen, whose frames are those of a magic."""
    gateway.rule = unauthorized_with(key)
    came = witness.watch(lambda: cell(witness, f"--base-url {gateway.url}"))
    assert isinstance(came, errors.KeyRejected), came
    witness.says_nothing_of(key)


# --- whether the watch would see one


def spoken(text: str) -> None:
    """Say it on standard output."""
    sys.stdout.write(text)


def complained(text: str) -> None:
    """Say it on standard error."""
    sys.stderr.write(text)


def displayed(text: str) -> None:
    """Put it into the notebook as HTML."""
    publish: Any = publish_display_data
    publish({"text/html": html.escape(text)})


def logged(text: str) -> None:
    """Give it to a log line as an argument that is not printed."""
    logging.getLogger("httpcore2.http11").debug("sent", extra={"header": text})


def warned(text: str) -> None:
    """Warn of it."""
    warnings.warn(text, stacklevel=1)


def failed(text: str) -> None:
    """Fail with it as the message."""
    raise errors.Rejected(text)


def failed_with_a_note(text: str) -> None:
    """Fail with it below the message."""
    raise errors.Rejected("No.", text)


def failed_with_an_attribute(text: str) -> None:
    """Fail with it in something that is not shown."""
    error = errors.Rejected("No.")
    error.result = text
    raise error


def failed_after_something_else(text: str) -> None:
    """Fail because of something that is not shown."""
    try:
        failed(text)
    except errors.Rejected:
        raise errors.Rejected("No.") from None


def failed_because_of_something_else(text: str) -> None:
    """Fail because of something that is shown."""
    try:
        failed(text)
    except errors.Rejected as error:
        raise errors.Rejected("No.") from error


def failed_in_a_function(text: str) -> None:
    """Fail where it is a variable."""
    raise errors.Rejected("No.", code=str(len(text)))


def written(text: str) -> None:
    """Write it into a file beside others."""
    Path("imagegen/unread").mkdir(parents=True)
    Path("imagegen/unread/x.bin").write_bytes(b"\0\xff" + text.encode())


def named(text: str) -> None:
    """Name a file after it."""
    Path(quote(text, safe="")).touch()


def recorded(text: str) -> ig.Result:
    """Record it as a note, as a call that nobody refused would have."""
    store = Path.cwd() / "imagegen"
    call = record(kept(store, picture()), call={"note": text})
    Segment(store, Opened(journal=1, at="", version="", python="", host="", pid=0, process_started=None)).append(
        call.call
    )
    return result_of((call,), store)


def returned(text: str) -> dict[str, str]:
    """Return it as the value of the cell."""
    return {"a": quote(text)}


def held_by_an_object(text: str) -> Options:
    """Return something that has it in an object that says nothing of itself."""
    return Options(prompt="an otter", where=Where(model=base64.b64encode(text.encode()).decode()))


PLANTS: Final[Mapping[Callable[[str], object], tuple[str, ...]]] = {
    spoken: ("standard output",),
    complained: ("standard error",),
    displayed: ("displays",),
    logged: ("log of httpcore2.http11", "log that pytest captures"),
    warned: ("warning",),
    failed: (
        *(f"%xmode {mode}" for mode in ("Plain", "Context", "Verbose", "Minimal", "Docs")),
        "what Python prints",
        "error",
        "error, pickled",
        "Rejected.message",
        "%xmode Context of an error that it caused",
    ),
    failed_with_a_note: ("%xmode Plain", "what Python prints", "error", "Rejected.hint"),
    failed_with_an_attribute: ("error", "Rejected.result"),
    failed_after_something_else: ("error.__context__", "frames of the error.__context__, failed"),
    failed_because_of_something_else: (
        "what Python prints",
        "error.__cause__",
        "frames of the error.__cause__, failed",
    ),
    failed_in_a_function: ("frames of the error, failed_in_a_function", "%xmode Verbose of an error that it caused"),
    written: ("file imagegen/unread/x.bin",),
    named: ("file ",),
    recorded: (
        "file imagegen/journal/",
        "history",
        "Result.record.call",
        "Result.record, as JSON",
        "Result, pickled",
    ),
    returned: ("the value of the cell", "dict['a']"),
    held_by_an_object: ("Options", "Options.where.model"),
}
"""Ways for a key to come out, each with the channels in which it has to be found."""


def in_the_package(function: Callable[[str], object]) -> Callable[[str], object]:
    """The function as if it stood in the package, whose frames are searched."""
    return FunctionType(function.__code__, {**globals(), "__name__": f"{ig.__name__}.planted"})


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_key_that_comes_out_is_found(witness: Witness, plant: Callable[[str], object], canary: str) -> None:
    """In each of the channels, whichever key it is."""
    key = CANARIES[canary]
    witness.watch(lambda: in_the_package(plant)(key))
    leaks = witness.leaks(key)
    for channel in PLANTS[plant]:
        assert any(leak.startswith(channel) for leak in leaks), (channel, leaks)


def test_a_key_that_is_only_in_the_hands_of_the_test_is_not_found(witness: Witness, key: str) -> None:
    """The frames of the person who calls are their own."""
    witness.watch(lambda: failed(f"{len(key)}"))
    witness.says_nothing_of(key)


SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "as it is": str,
    "percent-encoded": lambda key: quote(key, safe=""),
    "percent-encoded twice": lambda key: quote(quote(key, safe=""), safe=""),
    "percent-encoded whole": lambda key: "".join(f"%{ord(letter):02X}" for letter in key),
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps(key)),
    "JSON without a letter": escaped,
    "HTML": html.escape,
    "HTML twice": lambda key: html.escape(html.escape(key)),
    "HTML in numbers": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "Python": repr,
    "Python's bytes in a list": lambda key: repr([(b"authorization", f"Bearer {key}".encode())]),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "basic": basic,
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(f"Bearer {key}".encode()).decode(),
    "another case": str.upper,
    "coloured": lambda key: f"\x1b[31m{key[:9]}\x1b[0m{key[9:]}",
    "ten letters of it": lambda key: key[15:25],
    "cut short": lambda key: f"{key[:10]}…",
}


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_is_found_however_it_is_spelt(canary: str, spelling: str) -> None:
    """As text and as bytes; nine letters of it are no piece, and neither is another key."""
    key = CANARIES[canary]
    said = f"<{SPELLINGS[spelling](key)}>"
    assert trace(key, said)
    assert trace(key, said.encode())
    assert not any(trace(other, said) for name, other in CANARIES.items() if name != canary)
    assert not trace(key, key[:9] + key[20:29])
