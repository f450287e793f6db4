"""The jobs of the panel: Generate is back at once, each row says how it goes, and each can be cancelled by itself."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.canary import SHAPELESS, trace
from support.gateway import Answer, Asked, Gateway, Hang, Parts, Said
from support.pictures import answer, complaint, picture
from widgets.hands import Hands, shown, states, until

import jupyter_imagegen as ig
from jupyter_imagegen import errors, preview
from jupyter_imagegen.settings import ImageGen
from jupyter_imagegen.widgets import jobs
from jupyter_imagegen.widgets.worker import Worker

RED, BLUE, TEAL = picture("red"), picture("blue"), picture("teal")


def prompt_of(asked: Asked) -> str:
    """What was asked."""
    return str(asked.json["prompt"])


def held(gateway: Gateway) -> threading.Event:
    """No answer comes before this event."""
    event = threading.Event()

    def wait(_: Asked) -> Answer:
        event.wait(60)
        return Said(answer(TEAL))

    gateway.rule = wait
    return event


# --- how a job goes


def test_generate_is_back_while_the_endpoint_hangs(hands: Hands, served: Gateway) -> None:
    """The kernel is free at once, the row says that it is under way, and no record has an end."""
    served.rule = lambda _: Hang()
    row = hands.generate()
    served.wait_for_request()
    until(lambda: " s · " in row.head)

    assert row.buttons == ("Cancel",)
    assert ig.history().status.tolist() == ["running"]


def test_a_job_ends_with_its_picture_and_its_caption(hands: Hands, served: Gateway) -> None:
    """What a cell would show of it, in the place where the progress was."""
    served.rule = lambda _: Said(answer(RED))
    row = hands.generate().ends()
    found = preview.preview(newest())
    assert found is not None

    assert " · done · an otter" in row.head
    assert shown(row.picture) == found.data
    assert 'alt="what it has made"' in row.picture
    assert row.lines[0].startswith("custom · 64×48 png · ")


def newest() -> Path:
    """The file of the newest picture."""
    return ig.replay(str(ig.history().id.iloc[-1]))[0].path


def test_several_pictures_are_one_sheet(hands: Hands, served: Gateway) -> None:
    """As in a cell, with a line for each."""
    served.rule = lambda _: Said(answer(RED, BLUE))
    hands.field("Pictures").value = "2"
    row = hands.generate().ends()

    assert 'alt="what it has made"' in row.picture
    assert [line[:3] for line in row.lines] == ["[0]", "[1]"]


def test_previews_are_shown_while_it_is_painted_and_the_picture_then(hands: Hands, served: Gateway) -> None:
    """Each preview in the place of the one before, then the picture in that of the last."""
    gates = threading.Event(), threading.Event()
    parts = (event("partial_image", RED), gates[0], event("partial_image", BLUE), gates[1], event("completed", TEAL))
    served.rule = lambda _: Parts((*parts, b"data: [DONE]\n\n"))
    row = hands.generate(model="m", partial_images="2")
    for drawn, gate in zip((RED, BLUE), gates, strict=True):
        expected = preview.painted((("[0]", drawn),))
        assert expected is not None
        until(lambda: shown(row.picture) == expected.data, "a preview")  # noqa: B023  (it is waited for here)
        gate.set()
    row.ends()
    last = preview.preview(newest())
    assert last is not None

    assert shown(row.picture) == last.data
    assert newest().read_bytes() == TEAL


def event(kind: str, drawn: bytes) -> bytes:
    """An event of a stream."""
    said = {"type": f"image_generation.{kind}", "b64_json": base64.b64encode(drawn).decode(), "partial_image_index": 0}
    return f"event: {said['type']}\ndata: {json.dumps(said)}\n\n".encode()


def test_without_inline_pictures_a_row_has_words_alone(hands: Hands) -> None:
    """As a cell with --inline none."""
    ImageGen.instance().inline = "none"
    row = hands.generate().ends()

    assert row.picture == ""
    assert row.lines[0].startswith("custom · 64×48 png · ")


def test_a_long_prompt_is_cut_in_its_row(hands: Hands) -> None:
    """On one line."""
    row = hands.generate("an otter\n" * 40).ends()

    assert row.head.endswith("otter an otte…")
    assert "\n" not in row.head
    assert len(row.head) < 140


# --- cancelling


def test_each_job_is_cancelled_by_itself(hands: Hands, served: Gateway) -> None:
    """Its connection is closed, its record says so; the other one goes on to its picture."""
    free = threading.Event()

    def rule(asked: Asked) -> Answer:
        if prompt_of(asked) == "a seal":
            return Hang()
        free.wait(60)
        return Said(answer(TEAL))

    served.rule = rule
    otter, seal = hands.generate("an otter"), hands.generate("a seal")
    until(lambda: "a seal" in [prompt_of(each) for each in served.posts])
    seal.press("Cancel")
    seal.ends()
    assert served.hung_up.wait(30)
    assert " · cancelled · a seal" in seal.head
    assert otter.buttons == ("Cancel",)
    free.set()
    otter.ends()

    assert " · done · an otter" in otter.head
    assert dict(zip(ig.history().prompt, ig.history().status, strict=True)) == {
        "an otter": "ok",
        "a seal": "cancelled",
    }


def test_a_cancelled_job_says_what_became_of_it(hands: Hands, served: Gateway) -> None:
    """The id of the record, as an interrupted cell does; that is no error."""
    served.rule = lambda _: Hang()
    row = hands.generate()
    served.wait_for_request()
    row.press("Cancel")
    row.ends()

    assert row.lines[0].startswith(f"{ig.history().id.iloc[0]}: ")
    assert not row.is_in_error


def test_a_job_that_waits_for_its_turn_and_is_cancelled_is_never_sent(hands: Hands, served: Gateway) -> None:
    """No more than four are under way; the fifth starts when one of them has ended, in the order of asking."""
    free = held(served)
    rows = [hands.generate(f"otter {number}") for number in range(jobs.AT_ONCE + 2)]
    until(lambda: all(" s · " in row.head for row in rows[: jobs.AT_ONCE]))
    waiting = rows[jobs.AT_ONCE]
    assert " · waiting · " in waiting.head
    waiting.press("Cancel")
    waiting.ends()
    free.set()
    for row in rows:
        row.ends()

    assert waiting.lines == ("Nothing had been sent.",)
    assert sorted(map(prompt_of, served.posts)) == ["otter 0", "otter 1", "otter 2", "otter 3", "otter 5"]
    assert len(ig.history()) == jobs.AT_ONCE + 1


def test_the_row_of_an_ended_job_can_be_removed(hands: Hands) -> None:
    """Nothing is deleted; and nothing of it stays in the widgets."""
    from ipywidgets.widgets.widget import _instances

    hands.generate().ends()
    hands.settle()
    before = len(_instances)
    hands.generate("a seal").ends().press("Remove")

    assert [row.head.rpartition(" · ")[2] for row in hands.rows] == ["an otter"]
    assert len(ig.history()) == 2
    hands.settle()
    assert len(_instances) == before


def test_the_rows_of_the_last_jobs_stay(hands: Hands) -> None:
    """Of those that have ended; a row that is gone is gone for the page too."""
    for number in range(8):
        hands.type(prompt=f"otter {number}")
        hands.send()
        hands.rows[0].ends()

    assert [row.head.rpartition(" · ")[2] for row in hands.rows] == [f"otter {7 - number}" for number in range(5)]
    assert "otter 0" not in "".join(
        each for each in states().split("\n") if "'_model_name': 'LabelModel'" in each and " · done · " in each
    )


# --- what goes wrong


@pytest.mark.parametrize(
    "said",
    [
        Said(complaint("Your request was rejected by the safety system.", code="moderation_blocked"), 400),
        Said(complaint("Incorrect API key provided."), 401, {"x-request-id": "req-7"}),
        Said(complaint("Billing hard limit has been reached", code="billing_hard_limit_reached"), 400),
        Said(b"<html>not found</html>", 404),
        Said(b'{"data": []}'),
    ],
    ids=["refused", "key", "credit", "not found", "no picture"],
)
def test_an_error_is_said_in_the_lines_of_a_cell(hands: Hands, served: Gateway, said: Said) -> None:
    """The same class, the same words, the same hint, the same request id."""
    served.rule = lambda _: said
    row = hands.generate().ends()
    with pytest.raises(errors.CallError) as caught:
        ig.generate("an otter")

    def named(lines: tuple[str, ...]) -> list[str]:
        return [re.sub(r"\d{8}T\d+Z-[0-9a-f]{8}", "ID", line) for line in lines]

    assert named(row.lines) == named(tuple(line for each in caught.value.lines() for line in each.splitlines()))
    assert f" · {caught.value.status} · " in row.head
    assert row.is_in_error


def test_pictures_that_came_before_an_error_are_shown_with_it(hands: Hands, served: Gateway) -> None:
    """They were paid for."""
    served.rule = lambda _: Said(answer(RED))
    hands.field("Also save to").value = "out.png"
    Path("out.png").mkdir()
    row = hands.generate().ends()

    assert row.lines[0].startswith("StoreError: ")
    assert any("64×48 png" in line for line in row.lines)
    assert shown(row.picture)


def test_a_defect_of_a_call_is_shown_and_ends_nothing(
    hands: Hands, served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its row; the next job goes as ever."""
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_imagegen.session.Session.generate", broken)
        row = hands.generate().ends()
    after = hands.generate("a seal").ends()

    assert row.lines == ("ZeroDivisionError: a defect",)
    assert row.is_in_error
    assert " · done · a seal" in after.head
    assert len(served.posts) == 1


def broken(*_: Any, **__: Any) -> Any:
    """What has a defect."""
    message = "a defect"
    raise ZeroDivisionError(message)


def test_a_defect_of_the_panel_is_said_and_ends_nothing(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker goes on, with what it has to do and with what is under way."""
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_imagegen.archive.recorded", broken)
        hands.refresh()
    assert hands.message == "ZeroDivisionError: a defect"
    assert hands.is_error
    hands.refresh()
    hands.generate().ends()


def test_a_preview_that_cannot_be_shown_does_not_stop_the_look_at_its_job(
    hands: Hands, served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else wakes the worker: whatever fails in one look, it looks again."""
    gate = threading.Event()
    monkeypatch.setattr("jupyter_imagegen.preview.painted", broken)
    served.rule = lambda _: Parts((event("partial_image", RED), gate, event("completed", TEAL), b"data: [DONE]\n\n"))
    row = hands.generate(model="m", partial_images="1")
    until(lambda: hands.message == "ZeroDivisionError: a defect")
    gate.set()

    assert " · done · " in row.ends().head


def test_a_worker_looks_again_after_a_look_that_failed() -> None:
    """Until one says that nothing is under way."""
    told: list[str] = []
    looks: list[int] = []
    is_over = threading.Event()

    def look() -> bool:
        looks.append(1)
        if len(looks) < 3:
            broken()
        is_over.set()
        return False

    worker = Worker(look, lambda error: told.append(str(error)))
    worker.do(lambda: None)
    assert is_over.wait(30)
    worker.close()

    assert told == ["a defect"] * 2


# --- what is not in the rows


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_that_an_error_brings_back_is_in_no_widget(
    served: Gateway, open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Servers echo what they were sent."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", SHAPELESS)
    served.rule = lambda asked: Said(
        complaint(f"bad key {asked.headers['authorization']}", code=SHAPELESS), status, {"x-request-id": SHAPELESS}
    )
    monkeypatch.setattr("jupyter_imagegen.client._pause", no_pause)
    hands = open_panel()
    row = hands.generate().ends()
    hands.choose("Status", "")
    hands.open(0)

    assert served.posts[0].headers["authorization"] == f"Bearer {SHAPELESS}"
    assert row.is_in_error
    assert trace(SHAPELESS, states()) == ""


async def no_pause(_: object) -> None:
    """Go on at once."""


# --- what becomes of rows and of what waits


def test_the_row_of_the_job_that_ended_first_goes_first(hands: Hands, served: Gateway) -> None:
    """Whatever was asked first: one that took long has only just ended."""
    free = threading.Event()

    def rule(asked: Asked) -> Answer:
        if prompt_of(asked) == "otter 0":
            free.wait(60)
        return Said(answer(TEAL))

    served.rule = rule
    slow = hands.generate("otter 0")
    for number in range(1, 6):
        hands.generate(f"otter {number}").ends()
    free.set()
    slow.ends()
    hands.settle()

    assert [row.head.rpartition(" · ")[2] for row in hands.rows] == [f"otter {number}" for number in (5, 4, 3, 2, 0)]


def test_what_waits_in_a_panel_that_is_closed_is_sent_all_the_same(hands: Hands, served: Gateway) -> None:
    """It was asked for; and its pictures are kept."""
    free = held(served)
    for number in range(jobs.AT_ONCE + 1):
        hands.generate(f"otter {number}")
    hands.shown.close()
    free.set()
    until(lambda: ig.history().status.tolist() == ["ok"] * (jobs.AT_ONCE + 1), "the last job")

    assert len(served.posts) == jobs.AT_ONCE + 1


def test_every_panel_shows_what_a_job_of_any_has_made(hands: Hands, open_panel: Callable[[], Hands]) -> None:
    """Two of them may be open."""
    other = open_panel()
    hands.generate().ends()

    until(lambda: other.tiles, "the picture in the other panel")
