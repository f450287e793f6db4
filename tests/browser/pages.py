"""A notebook that is open in a page of JupyterLab or Notebook 7, as a person has it before them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page

from browser.servers import Server

WIDE, USUAL, NARROW = 1600, 900, 400
"""Widths of a window, in pixels."""
HEIGHT: Final = 1000
_AROUND: Final = 400
"""Pixels of what a page has above and below its cells."""

Theme = Literal["light", "dark"]
_THEMES: Final[dict[Theme, str]] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

AREA: Final = ".jp-OutputArea-output > .jupyter-widgets"
"""Where a widget that a cell displays begins; in JupyterLab, Notebook 7 and Voilà alike."""


class CellFailed(AssertionError):
    """A cell that a test ran ended with an error."""


def written(file: Path, *cells: str) -> Path:
    """A notebook file with these code cells, for the kernel of this interpreter."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel})
    nbformat.write(notebook, file)
    return file


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook file that is open in a page. Cells are counted from 0; -1 is the last one."""

    page: Page
    file: Path

    @property
    def area(self) -> Locator:
        """The widgets that cells display; narrow it down by role, label or class."""
        return self.page.locator(AREA)

    @property
    def sources(self) -> list[str]:
        """The text of every cell."""
        return list(self.page.evaluate("front.sources()"))

    def cell(self, index: int) -> Locator:
        """A cell with its outputs, to look for something in it."""
        return self.page.locator(".jp-Cell").nth(index)

    def wait_until_idle(self) -> None:
        """Wait until the notebook is open, its kernel connected and no cell running."""
        self.page.wait_for_function("window.front?.isIdle()", polling=50)

    def run_all(self) -> None:
        """Run all cells to their end. Raises CellFailed."""
        self._do("front.runAll()")
        for index in range(len(self.sources)):
            self.output(index)

    def start(self, index: int) -> int:
        """Run a cell and do not wait; returns what `finish` waits for."""
        return int(self.page.evaluate("(index) => front.run(index)", self._at(index)))

    def finish(self, task: int) -> None:
        """Wait for the end of something that was started."""
        self.page.wait_for_function("(task) => front.state(task) !== 'running'", arg=task, polling=50)
        state = self.page.evaluate("(task) => front.state(task)", task)
        assert state == "done", state

    def append(self, text: str) -> int:
        """Add a cell at the end; returns its index."""
        return int(self.page.evaluate("(text) => front.append(text)", text))

    def run(self, text: str) -> str:
        """Add a cell at the end, run it, and return the text that it left. Raises CellFailed."""
        return self.run_cell(self.append(text))

    def run_cell(self, index: int) -> str:
        """Run a cell to its end, and return the text that it left. Raises CellFailed."""
        self.finish(self.start(index))
        return self.output(index)

    def output(self, index: int) -> str:
        """The text that a cell has left so far. Raises CellFailed where that is an error."""
        outputs = self.outputs(index)
        for output in outputs:
            if output["output_type"] == "error":
                problem = "\n".join((self.sources[index], *output["traceback"]))
                raise CellFailed(re.sub(r"\x1b\[[0-9;]*m", "", problem))
        return "".join(_text(output) for output in outputs)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs that a cell has left so far, as they are stored."""
        return list(self.page.evaluate("(index) => front.outputs(index)", self._at(index)))

    def upload(self, button: Locator, *files: Path) -> None:
        """Choose files, as a person does after a click on an upload button."""
        with self.page.expect_file_chooser() as chooser:
            button.click()
        chooser.value.set_files(files)

    def wait_for_widgets(self) -> None:
        """Wait until every widget that a cell displays is in the page, also after a reload.

        Raises a playwright TimeoutError when one is not: its model is in no kernel any more.
        """
        self.page.wait_for_function(
            "(() => { const { wanted, shown } = front.widgets(); return wanted > 0 && shown >= wanted; })()", polling=50
        )

    def without_subshells(self) -> None:
        """Send what widgets say to the main shell of the kernel, as front ends do that know no subshells."""
        self.page.evaluate("front.withoutSubshells()")

    def restart(self) -> None:
        """Restart the kernel, and wait until it answers. The widgets of the old one stay, and do nothing."""
        self._do("front.restart()")
        self.wait_until_idle()

    def save(self) -> str:
        """Save the notebook; returns the text of its file."""
        self._do("front.save()")
        return self.file.read_text("utf-8")

    def reload(self) -> None:
        """Save, load the page anew, and wait until it is connected to the kernel, which went on."""
        self.save()
        self.page.reload()
        self.wait_until_idle()

    def models(self) -> dict[str, Any]:
        """The state of every widget that the page knows, by its id; binary values are base64."""
        state: dict[str, Any] = json.loads(self.page.evaluate("front.models()"))["state"]
        return state

    def show(self, width: int, theme: Theme) -> None:
        """Give the window a width, and the page a theme."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self._do("(name) => front.theme(name)", _THEMES[theme])
        # Its splash lies over the page for a moment; a theme that comes before it is gone makes JupyterLab fail.
        self.page.wait_for_function("(light) => front.isThemed(light)", arg=theme == "light", polling=50)

    def shoot(self, shot: Path, width: int = WIDE, theme: Theme = "light") -> Path:
        """A screenshot of the first widget that is displayed, in a window of a width; the window is as before then."""
        before = self.page.viewport_size
        self.show(width, theme)
        shoot(self.area.first, shot)
        self.show(before["width"] if before else WIDE, "light")
        return shot

    def _at(self, index: int) -> int:
        return index if index >= 0 else index + len(self.sources)

    def _do(self, call: str, *given: object) -> None:
        self.finish(int(self.page.evaluate(call, *given)))


Opened = Callable[..., Notebook]
OpenedInVoila = Callable[..., Locator]


def open_in_lab(page: Page, server: Server, file: Path) -> Notebook:
    """Open a notebook in JupyterLab, without the file browser, and without what earlier pages left open."""
    page.goto(f"{server.origin}/lab/tree/{server.path(file)}?reset")
    notebook = Notebook(page, file)
    notebook.wait_until_idle()
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    return notebook


def open_in_notebook(page: Page, server: Server, file: Path) -> Notebook:
    """Open a notebook in Notebook 7."""
    page.goto(f"{server.origin}/notebooks/{server.path(file)}")
    notebook = Notebook(page, file)
    notebook.wait_until_idle()
    return notebook


def open_in_voila(page: Page, server: Server, file: Path) -> Locator:
    """Run a notebook with Voilà, and wait for its first widget; returns the widgets that it displays."""
    page.goto(f"{server.origin}/voila/render/{server.path(file)}")
    area = page.locator(AREA)
    area.first.wait_for()
    return area


def shoot(element: Locator, shot: Path) -> None:
    """A screenshot of an element that has come to rest, whole, in a window that is high enough for it."""
    before = element.page.viewport_size
    box = element.bounding_box()
    if before is not None and box is not None:
        element.page.set_viewport_size({"width": before["width"], "height": math.ceil(box["height"]) + _AROUND})
    element.scroll_into_view_if_needed()
    element.evaluate("(element) => front.settled(element)")
    shot.parent.mkdir(parents=True, exist_ok=True)
    element.screenshot(path=shot, animations="disabled")
    if before is not None:
        element.page.set_viewport_size(before)


def _text(output: dict[str, Any]) -> str:
    """The plain text of an output."""
    text: str | Iterable[str] = output.get("text") or output.get("data", {}).get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)
