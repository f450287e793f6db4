"""The panel as a person sees it: its fields by their labels, its buttons by their names."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Locator

PANEL: Final = "ig.panel()"


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel in a page; `area` holds it."""

    area: Locator

    @property
    def jobs(self) -> Locator:
        """The rows of its jobs, the newest first."""
        return self.area.locator(".jig-job")

    @property
    def view(self) -> Locator:
        """What is opened of the gallery."""
        return self.area.locator(".jig-view")

    @property
    def tiles(self) -> Locator:
        """The thumbnails that are shown, each with its button."""
        return self.area.locator(".jig-tile:visible")

    @property
    def found(self) -> Locator:
        """How many pictures the gallery has found, and which page of them it shows."""
        return self.area.get_by_text(re.compile(r"^\d+ found · page"))

    def field(self, label: str) -> Locator:
        """A field by its label."""
        return self.area.get_by_label(label, exact=True)

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.area.get_by_role("button", name=name, exact=True)

    def type(self, label: str, text: str) -> None:
        """Type into a field, and leave it."""
        self.field(label).fill(text)
        self.field(label).blur()

    def ask(self, prompt: str) -> None:
        """Type a prompt and press Generate."""
        self.type("Prompt", prompt)
        self.button("Generate").click()


def event(kind: str, image: bytes, **fields: Any) -> bytes:
    """One event of a stream, with a picture."""
    body = {"type": kind, "b64_json": base64.b64encode(image).decode(), **fields}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def painted(image: bytes) -> bytes:
    """The event of a picture that is being painted."""
    return event("image_generation.partial_image", image, partial_image_index=0)


def completed(image: bytes) -> bytes:
    """The events of a picture that is finished."""
    return event("image_generation.completed", image) + b"data: [DONE]\n\n"
