"""The Generate button: each press counts once, and only with what the page showed when it was pressed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from support.gateway import Gateway
from widgets.conftest import LATER
from widgets.hands import Hands, until

import jupyter_imagegen as ig
from jupyter_imagegen.widgets import board, gate
from jupyter_imagegen.widgets.gate import Gate

REST_S = 3600.0


def test_presses_before_the_page_answered_are_one(hands: Hands, served: Gateway) -> None:
    """Someone who presses again because nothing happens does not want to pay twice."""
    hands.type(prompt="an otter")
    for _ in range(3):
        hands.press("Generate")
    assert hands.rows == []
    assert hands.field("Generate").disabled
    hands.answer()
    hands.rows[0].ends()

    assert len(hands.rows) == len(served.posts) == 1
    assert not hands.field("Generate").disabled


def test_a_page_is_sent_one_number_until_it_is_back(hands: Hands) -> None:
    """Nor is the wait for it begun anew: it may be long already."""
    numbers: list[int] = []
    hands.panel._gate._sent.observe(lambda change: numbers.append(change["new"]), "value")
    for _ in range(3):
        hands.press("Generate")

    assert numbers == [2]


def test_a_press_after_the_answer_counts_again(hands: Hands, served: Gateway) -> None:
    """Each of them is one job."""
    hands.generate().ends()
    hands.generate().ends()

    assert len(served.posts) == 2


def test_what_stands_there_when_the_number_is_back_is_sent(hands: Hands, served: Gateway) -> None:
    """The page holds an edit back while the one before is not answered: it arrives before the number does."""
    hands.type(prompt="an otter")
    hands.press("Generate")
    hands.type(prompt="a seal")
    hands.answer()
    hands.rows[0].ends()

    assert served.posts[0].json["prompt"] == "a seal"


def test_a_page_that_never_answers_still_generates(served: Gateway) -> None:
    """Some front ends carry out no links: there, each press counts at once."""
    hands = Hands(ig.panel())
    hands.type(prompt="an otter")
    hands.press("Generate")
    hands.press("Generate")
    for row in hands.rows:
        row.ends()

    assert len(served.posts) == 2


def test_a_number_that_nobody_waits_for_does_nothing(hands: Hands) -> None:
    """A page that is opened again, and one that is late."""
    hands.type(prompt="an otter")
    hands.panel._gate._returned.value = 0
    hands.panel._gate._returned.value = 1
    hands.press("Generate")
    hands.panel._gate._returned.value = 77

    assert hands.rows == []


def test_an_error_leaves_the_button_to_be_pressed_again(hands: Hands) -> None:
    """Whatever was wrong can be put right."""
    hands.send()
    assert hands.message.startswith("PromptError: ")
    assert not hands.field("Generate").disabled
    row = hands.generate().ends()

    assert " · done · " in row.head
    assert not hands.is_error


def test_a_defect_in_the_act_leaves_the_button_to_be_pressed_again() -> None:
    """It goes on as what it is."""
    acts: list[int] = []

    def act() -> None:
        acts.append(1)
        raise ZeroDivisionError

    gate = Gate("Generate", act, pytest.fail, lambda rest: rest())
    gate._returned.value = 1
    for _ in range(2):
        gate.button.click()
        try:
            gate._returned.value = gate._sent.value
        except ZeroDivisionError:
            assert not gate.button.disabled
    until(lambda: len(acts) == 2)


@pytest.fixture
def resting(served: Gateway, open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hands]:
    """A panel whose button rests for longer than a test takes."""
    assert served.asked == []
    monkeypatch.setattr(board, "_later", LATER)
    monkeypatch.setattr(board, "_REST_S", REST_S)
    yield open_panel()
    for timer in timers():
        timer.cancel()


def timers() -> list[threading.Timer]:
    """The rests that are not over."""
    return [each for each in threading.enumerate() if isinstance(each, threading.Timer) and each.interval == REST_S]


def test_a_press_while_the_button_rests_does_not_count(resting: Hands, served: Gateway) -> None:
    """The second click of a double click comes after the page has answered."""
    row = resting.generate()
    assert resting.field("Generate").disabled
    resting.send()
    row.ends()
    assert len(resting.rows) == len(served.posts) == 1
    (timer,) = timers()
    timer.cancel()
    timer.function()
    assert not resting.field("Generate").disabled
    resting.generate("a seal").ends()

    assert len(served.posts) == 2


def test_the_rest_of_the_button_is_over_by_itself(resting: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else has to happen."""
    monkeypatch.setattr(board, "_REST_S", 0.0)
    resting.generate().ends()

    until(lambda: not resting.field("Generate").disabled, "the end of the rest")


def test_a_number_that_comes_too_late_sends_nothing(
    hands: Hands, served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was away, and nobody waits for a picture any more: it is said, and the button can be pressed again."""
    hands.type(prompt="an otter")
    hands.press("Generate")
    with monkeypatch.context() as patch:
        patch.setattr(gate, "_MOST_S", -1.0)
        hands.answer()
    assert hands.message.startswith("Generate was pressed more than ten minutes ago")
    assert (hands.rows, served.asked) == ([], [])
    hands.generate().ends()

    assert len(served.posts) == 1
