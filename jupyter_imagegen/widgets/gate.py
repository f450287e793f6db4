"""The Generate button: each press counts once, and only with what the page showed when it was pressed.

A kernel that is busy takes clicks and edits when it has time. Someone who presses again because nothing happens does
not want to pay twice; and an edit that the page holds back, as the one before is not answered yet, would come too late.
So the kernel answers a press with a number, which the page sends back by itself (a link between two hidden fields).
Messages keep their order: whatever was pressed and typed before has arrived when the number is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from .looks import Widget, button, heard_at_once


class Gate:
    """One button, what it does, and the two numbers that go round."""

    def __init__(self, label: str, act: Callable[[], None]) -> None:
        self.button: Widget = button(label, self._press, f"{label} (what stands in the form)")
        self.button.button_style = "primary"
        self._act = act
        self._is_pressed = False
        self._sent: Widget = ipywidgets.IntText(1)
        self._returned: Widget = heard_at_once(ipywidgets.IntText(0))
        self._link: Widget = ipywidgets.jsdlink((self._sent, "value"), (self._returned, "value"))
        self._returned.observe(self._return, "value")

    @property
    def widgets(self) -> tuple[Widget, ...]:
        """All of it; what is not shown has to live as long as the button."""
        return (self.button, self._sent, self._returned, self._link)

    def _press(self) -> None:
        if self._is_pressed:
            return
        if not self._returned.value:
            # A page that has never sent a number back carries out no links.
            self._act()
            return
        self._is_pressed = True
        self.button.disabled = True
        self._sent.value += 1

    def _return(self, change: dict[str, Any]) -> None:
        if not self._is_pressed or change["new"] != self._sent.value:
            return
        try:
            self._act()
        finally:
            self._is_pressed = False
            self.button.disabled = False
