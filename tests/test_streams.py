"""Answers that come as streams of events, over a real connection: what is shown, what is kept, when it is over."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Answer, Asked, Gateway, Parts, Said
from support.pictures import answer, complaint, picture

import jupyter_imagegen as ig
from jupyter_imagegen import api, client, errors
from jupyter_imagegen.bridge import wait
from jupyter_imagegen.options import Options
from jupyter_imagegen.settings import Where
from jupyter_imagegen.sight import Sight

RED, BLUE, GREY = picture("red"), picture("blue"), picture("grey")


def event(kind: str, image: bytes | None = None, **fields: Any) -> bytes:
    """One event in OpenAI's form, with a picture if there is one."""
    carried = {"b64_json": base64.b64encode(image).decode()} if image is not None else {}
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **carried, **fields})}\n\n".encode()


def partial(data: bytes, index: int = 0) -> bytes:
    """A preview."""
    return event("image_generation.partial_image", data, partial_image_index=index)


def completed(data: bytes, **fields: Any) -> bytes:
    """A finished picture."""
    return event("image_generation.completed", data, **fields)


def succeeded(data: bytes, index: int = 0) -> bytes:
    """A finished picture of a group, in Seedream's form."""
    return event("image_generation.partial_succeeded", data, image_index=index)


DONE = b"data: [DONE]\n\n"
USAGE = {"input_tokens": 10, "output_tokens": 1056, "total_tokens": 1066}


def ask(gateway: Gateway, said: Answer, **given: Any) -> ig.Result:
    """What comes of a call that is answered like this."""
    gateway.rule = lambda _: said
    return ig.generate("a cat", base_url=gateway.url, model="any", quiet=True, **given)


@pytest.mark.parametrize("asked", [{"partial_images": 2}, {"stream": True}, {}], ids=str)
@pytest.mark.parametrize("declared", ["text/event-stream", "application/json", "text/plain"])
def test_a_stream_is_read_whether_it_was_asked_for_and_declared_or_not(
    gateway: Gateway, asked: dict[str, Any], declared: str
) -> None:
    """Only the bytes say what an answer is."""
    parts = (partial(GREY), partial(GREY, 1), completed(RED, usage=USAGE), DONE)

    result = ask(gateway, Parts(parts, headers={"content-type": declared}), **asked)

    assert [each.bytes for each in result] == [RED]
    assert result.record.usage == USAGE
    assert len(gateway.posts) == 1


@pytest.mark.parametrize("asked", [{"partial_images": 2}, {"stream": True}], ids=str)
def test_json_is_read_although_a_stream_was_asked_for(gateway: Gateway, asked: dict[str, Any]) -> None:
    """A gateway that streams nothing answers with JSON: the official client drops such a picture without a word."""
    result = ask(gateway, Said(answer(RED)), **asked)

    assert [each.bytes for each in result] == [RED]


def test_a_stream_is_asked_for_as_one(gateway: Gateway) -> None:
    """With the field, and without compression, which would hold back its previews."""
    ask(gateway, Said(answer(RED)), partial_images=2)

    (asked,) = gateway.posts
    assert (asked.json["stream"], asked.json["partial_images"]) == (True, 2)
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "parts",
    [
        (completed(RED), completed(BLUE), DONE),
        (succeeded(RED), succeeded(BLUE, 1), event("image_generation.completed", usage={"generated_images": 2}), DONE),
        (event("completed", data=[{"b64_json": base64.b64encode(each).decode()} for each in (RED, BLUE)]),),
    ],
    ids=["openai", "seedream", "one event"],
)
def test_several_pictures_of_one_stream_are_all_kept_in_order(gateway: Gateway, parts: tuple[bytes, ...]) -> None:
    """The first finished picture is not the end."""
    result = ask(gateway, Parts(parts), n=2)

    assert [each.bytes for each in result] == [RED, BLUE]
    assert [each.index for each in result] == [0, 1]


@pytest.mark.parametrize(
    "parts",
    [(completed(RED), DONE), (succeeded(RED), event("image_generation.completed", usage=USAGE))],
    ids=["[DONE]", "completed without a picture"],
)
def test_a_connection_that_stays_open_after_the_end_is_closed(gateway: Gateway, parts: tuple[bytes, ...]) -> None:
    """A relay may never close it; what was said is enough."""
    result = ask(gateway, Parts(parts, end="hang"))

    assert [each.bytes for each in result] == [RED]
    assert gateway.hung_up.wait(30)


def test_a_connection_that_stays_open_without_an_end_is_listened_to_a_little_longer(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every picture that was asked for is there; its usage may still come."""
    monkeypatch.setattr(client, "LINGER_S", 0.2)

    result = ask(gateway, Parts((completed(RED), b": keepalive\n\n"), end="hang"))

    assert [each.bytes for each in result] == [RED]
    assert gateway.hung_up.wait(30)


def test_a_stream_that_is_cut_keeps_the_pictures_that_had_come(gateway: Gateway, tmp_path: Path) -> None:
    """The first one is paid for and kept; the error says that the rest may be."""
    with pytest.raises(errors.ConnectionCut) as caught:
        ask(gateway, Parts((completed(RED), completed(BLUE)[:-40]), end="cut"), n=2)

    assert isinstance(caught.value.result, ig.Result)
    assert [each.bytes for each in caught.value.result] == [RED]
    assert ig.history()["status"].tolist() == ["ok"]
    assert len(list((tmp_path / "imagegen" / "unread").iterdir())) == 1


@pytest.mark.parametrize("end", ["close", "cut"])
def test_a_stream_that_ends_before_its_picture_may_have_been_charged(
    gateway: Gateway, tmp_path: Path, end: str
) -> None:
    """A preview is no picture: the outcome is unknown, nothing is sent again, and what came is kept."""
    with pytest.raises(errors.OutcomeUnknown, match="ended before") as caught:
        ask(gateway, Parts((partial(GREY),), end=end))

    assert ig.history()["status"].tolist() == ["unknown"]
    assert "may have been charged" in caught.value.hint
    assert len(gateway.posts) == 1
    (kept,) = (tmp_path / "imagegen" / "unread").iterdir()
    assert base64.b64encode(GREY) in kept.read_bytes()


def test_an_error_in_a_stream_is_the_error(gateway: Gateway) -> None:
    """HTTP 200 had been said before anybody knew."""
    blocked = complaint("no", code="moderation_blocked", type="image_generation_user_error")
    with pytest.raises(errors.Refused):
        ask(gateway, Parts((partial(GREY), b"event: error\ndata: " + blocked + b"\n\n")))

    assert ig.history()["status"].tolist() == ["refused"]


def test_a_picture_that_failed_beside_one_that_did_not_keeps_its_place(gateway: Gateway) -> None:
    """Seedream goes on with the next one; only what came is charged."""
    failed = event(
        "image_generation.partial_failed", image_index=0, error={"code": "OutputImageSensitiveContentDetected"}
    )
    with pytest.raises(errors.Refused) as caught:
        ask(gateway, Parts((failed, succeeded(RED, 1), event("image_generation.completed", usage={}), DONE)), n=2)

    assert isinstance(caught.value.result, ig.Result)
    assert [(each.index, each.bytes) for each in caught.value.result] == [(1, RED)]


def test_a_picture_of_a_stream_is_on_disk_before_the_next_one_comes(gateway: Gateway, tmp_path: Path) -> None:
    """It is paid for: a kernel that dies now must not lose it."""
    on_disk = threading.Event()
    seen: list[bytes] = []

    class Watched(threading.Event):
        def wait(self, _timeout: float | None = None) -> bool:
            for _ in range(3000):
                seen[:] = [path.read_bytes() for path in (tmp_path / "imagegen").glob("images/*")]
                if seen or on_disk.wait(0.01):
                    break
            return True

    result = ask(gateway, Parts((completed(RED), Watched(), completed(BLUE), DONE)), n=2)

    assert seen == [RED]
    assert [each.bytes for each in result] == [RED, BLUE]


def test_previews_are_seen_while_it_paints(gateway: Gateway) -> None:
    """Each replaces the one before; the picture that comes of them is the result."""
    shown: list[tuple[Sight, ...]] = []
    first, second = threading.Event(), threading.Event()
    said = Parts((partial(GREY), first, partial(BLUE, 1), second, completed(RED), DONE))
    gateway.rule = lambda _: said
    job = api.job(
        Options(
            prompt="a cat",
            where=Where(base_url=gateway.url, model="any"),
            fields=(("partial_images", "2"),),
        )
    )

    def look() -> None:
        if job.sights and job.sights not in shown:
            shown.append(job.sights)
            (second if len(shown) > 1 else first).set()

    wait(job, look)

    assert [[(each.place, each.number, each.data) for each in sights] for sights in shown] == [
        [(0, 1, GREY)],
        [(0, 2, BLUE)],
    ]
    assert [each.bytes for each in api.finish(job)] == [RED]


def test_a_finished_picture_is_seen_while_the_others_are_painted() -> None:
    """Of several, each stays in its place until all are there."""
    job = api.job(Options(prompt="a lake", n=2, fields=(("partial_images", "1"), ("size", '"64x64"'))))

    wait(job, lambda: None)

    result = api.finish(job)
    assert [sight.place for sight in job.sights] == [0, 1]
    assert [sight.data for sight in job.sights] == [picture.bytes for picture in result]


def test_a_stream_behind_a_rate_limit_is_read_from_its_beginning(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said before the stream is not part of it."""

    async def at_once(_: object) -> None:
        """Do not wait."""

    monkeypatch.setattr(client, "_pause", at_once)
    answers: list[Answer] = [Said(complaint("slow down"), 429), Parts((completed(RED), DONE))]

    def rule(_: Asked) -> Answer:
        return answers.pop(0)

    gateway.rule = rule
    result = ig.generate("a cat", base_url=gateway.url, model="any", quiet=True)

    assert [each.bytes for each in result] == [RED]
    assert len(gateway.posts) == 2


def test_the_embedded_endpoint_streams_its_previews() -> None:
    """The same road without a network."""
    job = api.job(Options(prompt="a lake", fields=(("partial_images", "2"), ("size", '"64x64"'))))

    wait(job, lambda: None)

    assert [(sight.place, sight.number) for sight in job.sights] == [(0, 2)]
    assert api.finish(job)[0].width == 64


class Moment(threading.Event):
    """Passes after a moment, whatever is set."""

    def wait(self, _timeout: float | None = None) -> bool:
        """Wait a moment."""
        return super().wait(0.02)


def test_a_heartbeat_does_not_hold_a_stream_that_has_brought_everything(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The little longer is fixed once, and not drawn out by each sign of life."""
    monkeypatch.setattr(client, "LINGER_S", 0.3)
    beats = tuple(part for _ in range(1000) for part in (Moment(), b": keep-alive\n\n"))

    result = ask(gateway, Parts((completed(RED), *beats)))

    assert [each.bytes for each in result] == [RED]
    assert gateway.hung_up.wait(30)


def test_more_pictures_than_were_asked_for_are_listened_to(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """While pictures keep coming, the stream is not over: each of them is paid for."""
    monkeypatch.setattr(client, "LINGER_S", 0.5)
    pause = tuple(Moment() for _ in range(15))

    result = ask(gateway, Parts((completed(RED), *pause, completed(BLUE), *pause, completed(GREY)), end="hang"))

    assert [each.bytes for each in result] == [RED, BLUE, GREY]


def test_a_body_that_says_that_it_is_not_packed_is_read_as_it_comes(gateway: Gateway) -> None:
    """Some servers name the encoding `identity`."""
    headers = {"content-type": "text/event-stream", "content-encoding": "identity"}

    result = ask(gateway, Parts((completed(RED), DONE), end="hang", headers=headers))

    assert [each.bytes for each in result] == [RED]
    assert gateway.hung_up.wait(30)


def test_a_picture_behind_an_error_event_is_kept(gateway: Gateway) -> None:
    """The error is of another one; what comes after it is paid for."""
    failed = b'event: error\ndata: {"error": {"message": "the first one failed"}}\n\n'

    with pytest.raises(errors.ImageGenError, match="the first one failed") as caught:
        ask(gateway, Parts((failed, Moment(), completed(RED))), n=2)

    assert isinstance(caught.value.result, ig.Result)
    assert [each.bytes for each in caught.value.result] == [RED]
    assert "Nothing was made" not in caught.value.hint
