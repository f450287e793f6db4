"""A person at a panel, as the kernel sees one: fields that change, buttons that are pressed, a page that answers."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import ipywidgets
from support.pictures import picture

from jupyter_imagegen.widgets.looks import HIDDEN
from jupyter_imagegen.widgets.shown import Panel

PATH: Final = "Picture to work from (a path, or the id of a record)"
PARAMS: Final = "Other fields of the request, one KEY=JSON a line"
ADDRESS: Final = "Address of an endpoint"

LAB: Final = """
[providers.lab]
base_url = "https://lab.example/v1"
default_model = "house-1"

[[providers.lab.models]]
name = "house-1"
takes = { size = ["8x8", "16x16"] }
prices = [{ usd = 0.25 }]
prices_at = ["lab"]
source = "the lab"
date = "2026-11-21"
"""
"""An imagegen.toml of a person's own."""

_LONGEST_WAIT_S: Final = 60.0
_ROUNDS: Final = 20
"""More than one thing that is done leads to: the twelve thumbnails of a page hand each other over."""


def until(is_so: Callable[[], object], what: str = "what is waited for") -> None:
    """Wait until it is so; a minute is only for a machine that hardly moves."""
    end = time.monotonic() + _LONGEST_WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"{what} has not come"
        time.sleep(0.005)


def inside(widget: Any) -> Iterator[Any]:
    """A widget and all that stands in it, in the order of the page."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def colour(number: int) -> bytes:
    """A picture of its own for each number."""
    return picture(f"#{number * 2654435761 % 0xFFFFFF:06x}")


def shown(markup: str) -> bytes:
    """The picture in the markup of a place for one."""
    found = re.search(r"base64,([^\"]+)", markup)
    return base64.b64decode(found[1]) if found else b""


def visible(widget: Any) -> Iterator[Any]:
    """A widget and all that stands in it, but for what is hidden with all that stands in that."""
    if widget.layout.display != HIDDEN:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from visible(child)


@dataclass(frozen=True)
class Row:
    """The row of one job."""

    widget: Any

    @property
    def head(self) -> str:
        """Its number, whom it asks, how far it is, and the prompt."""
        return str(self._texts[0].value)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is said below its picture."""
        return tuple(self._texts[1].value.splitlines())

    @property
    def picture(self) -> str:
        """The markup of its picture; empty where there is none."""
        (found,) = (each for each in inside(self.widget) if isinstance(each, ipywidgets.HTML))
        return str(found.value)

    @property
    def buttons(self) -> tuple[str, ...]:
        """What can be pressed."""
        return tuple(self._buttons)

    @property
    def is_in_error(self) -> bool:
        """Whether its lines stand out as an error."""
        return "jig-error" in self._texts[1]._dom_classes

    def press(self, label: str) -> None:
        """Press a button."""
        self._buttons[label].click()

    def ends(self) -> Row:
        """Wait until it has."""
        until(lambda: self.buttons == ("Remove",), "the end of a job")
        return self

    @property
    def _texts(self) -> list[Any]:
        return [each for each in inside(self.widget) if isinstance(each, ipywidgets.Label)]

    @property
    def _buttons(self) -> dict[str, Any]:
        return {each.description: each for each in inside(self.widget) if isinstance(each, ipywidgets.Button)}


class Hands:
    """What can be done with one panel, and seen of it."""

    def __init__(self, panel: Panel) -> None:
        self.shown = panel
        self.panel = panel._board

    @property
    def widgets(self) -> list[Any]:
        """Everything in the panel."""
        return list(inside(self.panel.widget))

    def part(self, name: str) -> Any:
        """The part of the panel with this class."""
        return next(each for each in self.widgets if name in each._dom_classes)

    def field(self, label: str, within: str = "jig-panel") -> Any:
        """The first field or button with this label in a part."""
        found = [each for each in inside(self.part(within)) if getattr(each, "description", None) == label]
        assert found, f"there is no {label!r}, but {self.labels}"
        return found[0]

    def sees(self, widget: Any) -> bool:
        """Whether a page shows it: neither it nor anything around it is hidden."""
        return any(each is widget for each in visible(self.panel.widget))

    def has(self, label: str) -> bool:
        """Whether the form has such a field."""
        return label in self.labels

    @property
    def labels(self) -> list[str]:
        """The labels of the form, in their order."""
        form = next(each for each in self.panel.widget.children if isinstance(each, ipywidgets.VBox))
        return [each.description for each in inside(form) if getattr(each, "description", "")]

    def type(self, **values: object) -> None:
        """Fill fields of the form in, `output_format` being that with the label "Output format"."""
        for name, value in values.items():
            self.field(name.replace("_", " ").capitalize()).value = value

    def press(self, label: str, within: str = "jig-panel") -> None:
        """Press a button, and wait for what the panel makes of it."""
        self.field(label, within).click()
        self.settle()

    # --- Generate, and the page that sends a number back

    def page_opens(self) -> None:
        """The link of a page that shows the panel copies its number once."""
        self.answer()

    def answer(self) -> None:
        """The page sends back the number that it got."""
        gate = self.panel._gate
        gate._returned.value = gate._sent.value
        self.settle()

    def send(self) -> None:
        """Press Generate, and have the page answer."""
        self.press("Generate")
        self.answer()

    def generate(self, prompt: str = "an otter", **values: object) -> Row:
        """Fill in and send; the row of the job."""
        before = len(self.rows)
        self.type(prompt=prompt, **values)
        self.send()
        assert len(self.rows) == before + 1, self.message
        return self.rows[0]

    # --- what is seen

    @property
    def rows(self) -> list[Row]:
        """The rows of the jobs, the newest first."""
        return [Row(each) for each in self.part("jig-jobs").children]

    @property
    def estimate(self) -> str:
        """What stands beside the button."""
        found = next(each for each in self.widgets if self.field("Generate") in getattr(each, "children", ()))
        return str(found.children[-1].value)

    @property
    def message(self) -> str:
        """What the panel says."""
        return str(self._message.value)

    @property
    def is_error(self) -> bool:
        """Whether that is an error."""
        return "jig-error" in self._message._dom_classes

    @property
    def _message(self) -> Any:
        children = list(self.panel.widget.children)
        return children[children.index(self.part("jig-jobs")) - 2]

    @property
    def cell(self) -> str:
        """The cell of the form that is shown, if one is."""
        return self._written(self.widgets[0].children)

    @property
    def cell_of_opened(self) -> str:
        """The cell of the opened picture that is shown, if one is."""
        return self._written(inside(self.part("jig-view")))

    def _written(self, among: Iterable[Any]) -> str:
        closing = "Close the cell"
        box = next(
            each
            for each in among
            if any(getattr(child, "description", "") == closing for child in getattr(each, "children", ()))
        )
        return str(box.children[0].value) if self.sees(box) else ""

    @property
    def references(self) -> list[str]:
        """The pictures to work from, as they are listed."""
        return [each.value for each in inside(self._listed) if isinstance(each, ipywidgets.Label)]

    def press_of_reference(self, place: int, label: str) -> None:
        """Press a button of a picture to work from."""
        next(each for each in inside(self._listed.children[place]) if getattr(each, "description", "") == label).click()

    def upload(self, *files: tuple[str, bytes]) -> None:
        """What a page sends when files are chosen."""
        when = datetime(2026, 11, 21, tzinfo=UTC)
        self.field("Upload pictures").value = tuple(
            {"name": name, "type": "image/png", "size": len(data), "content": memoryview(data), "last_modified": when}
            for name, data in files
        )

    @property
    def _listed(self) -> Any:
        upload = self.field("Upload pictures")
        row = next(each for each in self.widgets if upload in getattr(each, "children", ()))
        box = next(each for each in self.widgets if row in getattr(each, "children", ()))
        return box.children[-1]

    # --- the gallery

    @property
    def tiles(self) -> list[tuple[Any, Any]]:
        """The picture and the button of each tile that is shown."""
        found = (each for each in inside(self.part("jig-tiles")) if "jig-tile" in each._dom_classes)
        return [tuple(each.children) for each in found if self.sees(each)]

    @property
    def found(self) -> str:
        """How many were found, and the page."""
        return str(self.part("jig-pager").children[1].value)

    def choose(self, label: str, value: object) -> None:
        """Narrow the gallery."""
        shelf = self.panel.widget.children[-1]
        next(each for each in inside(shelf) if getattr(each, "description", "") == label).value = value
        self.settle()

    def open(self, place: int = 0) -> list[str]:
        """Open a tile; what is said beside it."""
        self.tiles[place][1].click()
        self.settle()
        return self.details

    @property
    def details(self) -> list[str]:
        """What is said of the opened picture."""
        texts = [each for each in inside(self.part("jig-view")) if isinstance(each, ipywidgets.Label)]
        return str(texts[2].value).splitlines()

    @property
    def large(self) -> str:
        """The markup of the opened picture."""
        return str(next(each for each in inside(self.part("jig-view")) if isinstance(each, ipywidgets.HTML)).value)

    # --- time

    def settle(self) -> None:
        """Wait until the worker has done what it was told, and what that led to."""
        for _ in range(_ROUNDS):
            done = threading.Event()
            self.panel.do(done.set)
            assert done.wait(_LONGEST_WAIT_S), "the worker does not answer"

    def refresh(self) -> None:
        """Have the store read again, and wait for it."""
        self.panel.refresh()
        self.settle()


def states() -> str:
    """What is in every widget of this process, as a saved notebook would have it."""
    living = list(ipywidgets.widgets.widget._instances.values())
    return "\n".join(repr(each.get_state()) for each in living)
