"""The Generate button: each press counts once, and only with what the page showed when it was pressed.

A kernel that is busy takes clicks and edits when it has time. Someone who presses again because nothing happens does
not want to pay twice; and an edit that the page holds back, as the one before is not answered yet, would come too late.
So the kernel answers a press with a number, which the page sends back by itself (a link between two hidden fields).
Messages keep their order: whatever was pressed and typed before has arrived when the number is back.

A kernel that is not busy is faster than the second click of a double click. So the button rests for a moment then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import ipywidgets

from .looks import button
from .subshells import Widget, heard_at_once

_MOST_S: Final = 600.0
"""After that, a number that comes back is of a page that was away, and nobody waits for a picture any more."""

Later = Callable[[Callable[[], None]], None]
"""Does something a moment later, on any thread."""


class Gate:
    """One button, what it does, and the two numbers that go round; `late` is called for a press that came too late."""

    def __init__(self, label: str, act: Callable[[], None], late: Callable[[], None], later: Later) -> None:
        self.button: Widget = button(label, self._press, f"{label} (what stands in the form)")
        self.button.button_style = "primary"
        self._act = act
        self._late = late
        self._later = later
        self._pressed_at: float | None = None
        self._is_resting = False
        self._sent: Widget = ipywidgets.IntText(1)
        self._returned: Widget = heard_at_once(ipywidgets.IntText(0))
        self._link: Widget = ipywidgets.jsdlink((self._sent, "value"), (self._returned, "value"))
        self._returned.observe(self._return, "value")

    @property
    def widgets(self) -> tuple[Widget, ...]:
        """All of it; what is not shown has to live as long as the button."""
        return (self.button, self._sent, self._returned, self._link)

    def _press(self) -> None:
        if self._pressed_at is not None or self._is_resting:
            return
        self._pressed_at = time.monotonic()
        self.button.disabled = True
        if self._returned.value:
            self._sent.value += 1
        else:
            # A page that has never sent a number back carries out no links.
            self._pass()

    def _return(self, change: dict[str, Any]) -> None:
        if self._pressed_at is not None and change["new"] == self._sent.value:
            self._pass()

    def _pass(self) -> None:
        pressed_at, self._pressed_at = self._pressed_at, None
        self._is_resting = True
        try:
            if pressed_at is not None and time.monotonic() - pressed_at > _MOST_S:
                self._late()
            else:
                self._act()
        finally:
            self._later(self._rest_is_over)

    def _rest_is_over(self) -> None:
        self._is_resting = False
        self.button.disabled = False
