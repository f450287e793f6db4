"""The application itself, called as an ASGI server calls it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest

from jupyter_imagegen.sketch import Endpoint, studio

Event = MutableMapping[str, Any]


class Conversation:
    """One request over ASGI: what the application receives, and what it has sent."""

    def __init__(self, body: Mapping[str, object], *, path: str = "/v1/images/generations") -> None:
        raw = json.dumps(body).encode()
        self.scope: Event = {
            "type": "http",
            "method": "POST",
            "path": path,
            "scheme": "http",
            "headers": [(b"host", b"sketch.test"), (b"content-type", b"application/json")],
        }
        self.incoming: list[Event] = [
            {"type": "http.request", "body": raw[:5], "more_body": True},
            {"type": "http.request", "body": raw[5:]},
        ]
        self.gone = asyncio.Event()
        self.sent: list[Event] = []

    async def receive(self) -> Event:
        """The next event: the body in two pieces, then, when the client goes, that it has gone."""
        if self.incoming:
            return self.incoming.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        """Keep what is sent."""
        self.sent.append(event)

    async def held(self, endpoint: Endpoint) -> Conversation:
        """Let the application answer."""
        await endpoint(self.scope, self.receive, self.send)
        return self


async def converse(body: Mapping[str, object], endpoint: Endpoint | None = None, **changes: Any) -> Conversation:
    """Ask an endpoint for something."""
    conversation = Conversation(body)
    conversation.scope.update(changes)
    return await conversation.held(endpoint or Endpoint())


def test_each_event_of_a_stream_is_sent_as_soon_as_it_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of its own for each, before the next is begun."""
    order: list[str] = []

    def paint(*_: object) -> bytes:
        order.append("paint")
        return b"picture"

    monkeypatch.setattr(studio, "preview", paint)
    monkeypatch.setattr(studio, "finished", paint)

    async def streamed() -> Conversation:
        conversation = Conversation({"prompt": "a", "stream": True, "partial_images": 2, "n": 2})
        keep = conversation.send

        async def send(event: Event) -> None:
            order.append(event["type"].rpartition(".")[2])
            await keep(event)

        await Endpoint()(conversation.scope, conversation.receive, send)
        return conversation

    sent = asyncio.run(streamed()).sent
    assert order == ["start", *["paint", "body"] * 6, "body"]
    assert all(event["body"].count(b"event: ") == 1 for event in sent[1:-1])
    assert sent[1]["body"].startswith(b"event: image_generation.partial_image\ndata: {")
    assert sent[-1] == {"type": "http.response.body", "body": b""}


def test_a_client_that_goes_away_stops_the_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture that is being painted is the last."""
    begun, release, painted = threading.Event(), threading.Event(), []

    def paint(_work: object, index: int) -> bytes:
        painted.append(index)
        begun.set()
        release.wait(30)
        return b"picture"

    monkeypatch.setattr(studio, "finished", paint)

    async def abandoned() -> list[Event]:
        conversation = Conversation({"prompt": "a", "n": 10})
        answer = asyncio.create_task(conversation.held(Endpoint()))
        await asyncio.to_thread(begun.wait, 30)
        conversation.gone.set()
        await answer
        release.set()
        return conversation.sent

    assert asyncio.run(abandoned()) == []
    assert painted == [0]


def test_a_request_that_ends_early_is_not_answered() -> None:
    """There is nobody to answer."""

    async def cut_off() -> list[Event]:
        conversation = Conversation({"prompt": "a"})
        conversation.incoming.pop()
        conversation.gone.set()
        return (await conversation.held(Endpoint())).sent

    assert asyncio.run(cut_off()) == []


def test_a_fault_of_the_painter_is_a_server_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client learns that it was not its fault, the server's log learns why."""

    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(studio, "finished", broken)
    conversations = [Conversation({"prompt": "a", "stream": stream}) for stream in (False, True)]
    for conversation in conversations:
        with pytest.raises(ZeroDivisionError):
            asyncio.run(conversation.held(Endpoint()))
    plain, streamed = (conversation.sent for conversation in conversations)
    assert plain[0]["status"] == 500
    assert json.loads(plain[1]["body"])["error"]["type"] == "server_error"
    assert streamed[1]["body"].startswith(b'event: error\ndata: {"type":"error","error":{')
    assert not streamed[1].get("more_body")


def test_a_body_is_read_up_to_its_limit_only() -> None:
    """Also one whose length was not announced."""
    sent = asyncio.run(converse({"prompt": "a" * 100}, Endpoint(largest_body=64))).sent
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_delay_is_spread_over_the_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture takes as long with previews as without."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("jupyter_imagegen.sketch.asgi.asyncio.sleep", sleep)
    request = {"prompt": "a", "size": "64x64"}
    asyncio.run(converse(request | {"n": 2}, Endpoint(delay=6)))
    asyncio.run(converse(request | {"stream": True, "partial_images": 2}, Endpoint(delay=6)))
    assert pauses == [6, 6, 2, 2, 2]


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, "http://sketch.test/v1/files/"),
        ({"scheme": "https"}, "https://sketch.test/v1/files/"),
        ({"headers": [], "server": ("127.0.0.1", 80)}, "http://127.0.0.1:80/v1/files/"),
        ({"root_path": "/paint", "path": "/paint/v1/images/generations"}, "http://sketch.test/paint/v1/files/"),
    ],
)
def test_an_address_is_that_by_which_the_client_came(changes: dict[str, Any], origin: str) -> None:
    """Scheme, host and the path under which the application is mounted."""
    sent = asyncio.run(converse({"prompt": "a", "response_format": "url"}, **changes)).sent
    assert json.loads(sent[1]["body"])["data"][0]["url"].startswith(origin)


def test_it_takes_part_in_the_life_of_a_server() -> None:
    """Start and end are acknowledged."""

    async def lifetime() -> list[Event]:
        incoming: list[Event] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[Event] = []

        async def receive() -> Event:
            return incoming.pop(0)

        async def send(event: Event) -> None:
            sent.append(event)

        await Endpoint()({"type": "lifespan"}, receive, send)
        return sent

    assert [event["type"] for event in asyncio.run(lifetime())] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_websocket_is_closed() -> None:
    """The protocol has none."""
    conversation = Conversation({})
    conversation.scope["type"] = "websocket"
    assert asyncio.run(conversation.held(Endpoint())).sent == [{"type": "websocket.close", "code": 1000}]


def test_edits_are_kept_on_a_shelf_of_limited_size() -> None:
    """The oldest go first."""
    from jupyter_imagegen.sketch.shelf import Shelf

    shelf = Shelf(limit=10)
    names = [shelf.put(bytes([at]) * 4, "png") for at in range(3)]
    assert [shelf.get(name) for name in names] == [None, b"\1" * 4, b"\2" * 4]
