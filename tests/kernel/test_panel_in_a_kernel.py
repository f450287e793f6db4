"""The panel on both kernels, spoken to as a page does that knows no subshells."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Gateway, Hang
from support.kernels import TIMEOUT_S, Kernel

_PARTS = """
from ipywidgets.widgets.widget import _instances as _all
p = ig.panel()
parts = {each.description: each.model_id for each in _all.values() if getattr(each, "description", "")}
parts["returned"] = p._board._gate._returned.model_id
"""


@dataclass(frozen=True)
class Page:
    """What a page sends to the panel in a kernel."""

    kernel: Kernel
    parts: dict[str, str]

    def set(self, part: str, value: object) -> str:
        """Send what stands in a field; returns the id of the message."""
        state = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        return self.kernel.comm({"comm_id": self.parts[part], "data": state})

    def press(self, part: str) -> str:
        """Press a button; returns the id of the message."""
        return self.kernel.comm(
            {"comm_id": self.parts[part], "data": {"method": "custom", "content": {"event": "click"}}}
        )

    def send_back(self, number: int) -> None:
        """Send back the number that a press was answered with, as the link in the page does."""
        self.kernel.finish_message(self.set("returned", number))


@pytest.fixture
def page(kernel: Kernel, gateway: Gateway) -> Page:
    """A panel that is open in a page, which has carried out its links once."""
    kernel.run(f"%config ImageGen.base_url = {gateway.url!r}\n%config ImageGen.model = 'any'")
    assert kernel.run(_PARTS).status == "ok"
    opened = Page(kernel, kernel.value("parts"))
    opened.send_back(1)
    return opened


def eventually(look: Callable[[], Any]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + TIMEOUT_S
    while not look():
        assert time.monotonic() < until, "it never was"
        time.sleep(0.02)


def test_a_press_that_waits_for_the_kernel_counts_once(page: Page, gateway: Gateway, tmp_path: Path) -> None:
    """Whoever presses again meanwhile pays once, for what the page had sent when it sent the number back."""
    kernel = page.kernel
    busy = kernel.send(
        f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.02)"
    )
    kernel.wait_for_message(busy, "execute_input")
    page.set("Prompt", "in red")
    pressed = [page.press("Generate") for _ in range(3)]
    (tmp_path / "go").touch()
    kernel.finish_message(pressed[-1])

    assert gateway.posts == []
    page.set("Prompt", "in blue")
    page.send_back(2)
    eventually(lambda: gateway.posts)
    eventually(lambda: kernel.value("ig.history().status.tolist()") == ["ok"])
    assert [asked.json["prompt"] for asked in gateway.posts] == ["in blue"]
    eventually(lambda: kernel.value("not p._board._gate.button.disabled"))
    kernel.finish_message(page.press("Generate"))
    page.send_back(3)
    eventually(lambda: kernel.value("ig.history().status.tolist()") == ["ok", "ok"])
    assert len(gateway.posts) == 2


def test_cells_run_while_it_paints_and_an_interrupt_is_not_for_it(page: Page, gateway: Gateway) -> None:
    """The stop button stops the cell; the job of the panel has a Cancel of its own, which closes its connection."""
    gateway.rule = lambda _: Hang()
    kernel = page.kernel
    page.set("Prompt", "an otter")
    kernel.finish_message(page.press("Generate"))
    page.send_back(2)
    gateway.wait_for_request()

    assert kernel.value("6 * 7") == 42
    cell = kernel.send("import time\nwhile True: time.sleep(0.02)")
    kernel.wait_for_message(cell, "execute_input")
    time.sleep(0.1)  # an interrupt in its first moments is lost by ipykernel itself
    kernel.interrupt()
    assert kernel.finish(cell).ename == "KeyboardInterrupt"
    assert not gateway.hung_up.is_set()
    assert kernel.value("ig.history().status.tolist()") == ["running"]

    page.parts.update(
        kernel.value("{each.description: each.model_id for each in _all.values() if hasattr(each, 'icon')}")
    )
    page.press("Cancel")
    assert gateway.hung_up.wait(TIMEOUT_S)
    eventually(lambda: kernel.value("ig.history().status.tolist()") == ["cancelled"])


@pytest.mark.parametrize("extension", ["loaded", "not loaded"])
def test_the_cell_that_is_run_again_takes_the_job_over(page: Page, gateway: Gateway, extension: str) -> None:
    """A panel that is closed takes no job with it, whether somebody follows the cells or not."""
    gateway.rule = lambda _: Hang()
    kernel = page.kernel
    if extension == "not loaded":
        assert kernel.run("%unload_ext jupyter_imagegen").status == "ok"
    first = kernel.finish(kernel.send("p = ig.panel()", cell_id="one"))
    assert first.status == "ok"
    kernel.run("p._board._form._prompt.value = 'an otter'\np._board._gate.button.click()")
    gateway.wait_for_request()
    assert kernel.finish(kernel.send("old, p = p, ig.panel()", cell_id="one")).status == "ok"

    eventually(lambda: kernel.value("old._board.widget.comm is None"))
    assert kernel.value("len(p._board._jobs.box.children)") == 1
    assert kernel.value("[t.name for t in __import__('threading').enumerate()].count('imagegen-panel')") <= 3
    kernel.run("next(iter(p._board._jobs._runs)).job.cancel()")
    assert gateway.hung_up.wait(TIMEOUT_S)
    eventually(lambda: kernel.value("ig.history().status.tolist()") == ["cancelled"])
