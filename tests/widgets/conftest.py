"""Panels that end with their test, and a gateway that they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import ipywidgets
import pytest
from support.gateway import Gateway, Said
from support.pictures import answer, complaint
from widgets.hands import Hands, colour

import jupyter_imagegen as ig
from jupyter_imagegen import widgets
from jupyter_imagegen.which import Named
from jupyter_imagegen.widgets import board, jobs
from jupyter_imagegen.widgets.board import Board

Open = Callable[..., Hands]

LATER = board._later
"""How long the button rests outside of these tests."""


@pytest.fixture(autouse=True)
def panels_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every panel is closed, every job is over, and no widget is left, when a test is."""
    made: list[Board] = []
    started: list[jobs.Run] = []
    begin, run = Board.__init__, jobs.Run.__init__

    def seen(self: Board) -> None:
        made.append(self)
        begin(self)

    def followed(self: jobs.Run, *given: object) -> None:
        started.append(self)
        run(self, *given)  # type: ignore[arg-type]

    # The button rests for no moment: one press can follow another.
    monkeypatch.setattr(board, "_later", lambda act: act())
    monkeypatch.setattr(Board, "__init__", seen)
    monkeypatch.setattr(jobs.Run, "__init__", followed)
    yield
    for each in started:
        each.job.cancel()
    for panel in made:
        if hasattr(panel, "widget") and panel.widget.comm is not None:
            panel.close()
    widgets._shown.clear()
    ipywidgets.Widget.close_all()


@pytest.fixture
def open_panel() -> Open:
    """Open a panel as a cell does, and have a page show it."""

    def opened(id: Named | None = None) -> Hands:  # noqa: A002  (what it is)
        hands = Hands(ig.panel(id))
        hands.page_opens()
        return hands

    return opened


@pytest.fixture
def served(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway, as the endpoint of this environment."""
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    return gateway


@pytest.fixture
def hands(served: Gateway, open_panel: Open) -> Hands:
    """A panel over the gateway."""
    assert served.asked == []
    return open_panel()


@pytest.fixture
def another_picture_each_time(served: Gateway) -> None:
    """No two pictures are the same."""
    numbers = count(1)
    served.rule = lambda _: Said(answer(colour(next(numbers))))


@pytest.fixture
def three(served: Gateway, open_panel: Open) -> Hands:
    """A panel over three calls, of which one has two pictures and one none."""
    ig.generate("an otter", model="m", seed=7, tags=["study"])
    served.rule = lambda _: Said(answer(colour(11), colour(12)))
    ig.generate("two seals", model="other", n=2)
    served.rule = lambda _: Said(complaint("No.", code="moderation_blocked"), 400)
    with pytest.raises(ig.Refused):
        ig.generate("a refused one", model="m")
    hands = open_panel()
    hands.refresh()
    return hands
