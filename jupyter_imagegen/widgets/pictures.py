"""Reference pictures of the form: uploaded, named by a path, or taken from the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ..errors import ImageGenError
from ..gallery import one_line
from ..lookup import one
from ..options import Given
from ..references import of_value
from ..settings import photograph
from .keyless import refuse_key
from .looks import button, column, discard, field, row, text
from .subshells import Widget, heard_at_once


class Pictures:
    """The pictures to work from, in their order, and the mask. `changed` is called after every change."""

    def __init__(self, changed: Callable[[], None], attempt: Callable[[Callable[[], None]], None]) -> None:
        self._changed = changed
        self._images: tuple[Given, ...] = ()
        self._mask: Given | None = None
        self._upload = heard_at_once(
            ipywidgets.FileUpload(
                accept="image/*",
                multiple=True,
                description="Upload pictures",
                tooltip="Each of at most 10 MB; a path has no such limit",
            )
        )
        self._path = field(
            ipywidgets.Text, "Picture to work from (a path, or the id of a record)", continuous_update=False
        )
        self._list = column()
        self._upload.observe(lambda _: attempt(self._take_uploads), "value")
        self._path.observe(lambda _: attempt(self._take_path), "value")
        add = button("Add", lambda: attempt(self._take_path), "Add the picture of this path")
        self.box: Widget = column(row(self._path, add, self._upload), self._list)

    @property
    def path(self) -> Widget:
        """The field for a path."""
        return self._path

    @property
    def images(self) -> tuple[Given, ...]:
        """The pictures to work from."""
        return self._images

    @property
    def mask(self) -> Given | None:
        """The mask."""
        return self._mask

    def put(self, images: tuple[Given, ...], mask: Given | None) -> None:
        """Put these in the place of those."""
        self._images, self._mask = images, mask
        self._draw()

    def add(self, given: Given) -> None:
        """One more, unless it is there. Raises ReferenceUnreadable, and KeyInCell for what is no path but a key."""
        if isinstance(given, str):
            refuse_key(given)
            one(given, given, photograph().store)
        if given not in self._images:
            self.put((*self._images, given), self._mask)
            self._changed()

    def edit(self, given: str) -> None:
        """Work on this one alone. Raises ReferenceUnreadable, also for a call without a picture."""
        one(given, given, photograph().store)
        self.put((given,), None)
        self._changed()

    def _take_path(self) -> None:
        if self._path.value.strip():
            self.add(self._path.value.strip())
            self._path.value = ""

    def _take_uploads(self) -> None:
        """The files that came; they are taken out of the widget, whose state may be saved with the notebook."""
        files: tuple[Any, ...] = self._upload.value
        if not files:
            return
        self._upload.value = ()
        wrong: list[ImageGenError] = []
        for file in files:
            try:
                self.add(of_value(bytes(file["content"]), one_line(str(file["name"]))))
            except ImageGenError as error:
                wrong.append(error)
        if wrong:
            raise wrong[0]

    def _draw(self) -> None:
        rows = [self._line(given, _name(given), is_mask=False) for given in self._images]
        rows += [] if self._mask is None else [self._line(self._mask, f"mask: {_name(self._mask)}", is_mask=True)]
        old, self._list.children = self._list.children, rows
        discard(*old)

    def _line(self, given: Given, name: str, *, is_mask: bool) -> Widget:
        swap = button("Not as mask" if is_mask else "Use as mask", lambda: self._swap(given, is_mask=is_mask))
        return row(text(name), swap, button("Remove", lambda: self._remove(given), f"Remove {name}"))

    def _swap(self, given: Given, *, is_mask: bool) -> None:
        others = tuple(each for each in self._images if each is not given)
        back = () if self._mask is None or is_mask else (self._mask,)
        self.put((*others, given) if is_mask else (*others, *back), None if is_mask else given)
        self._changed()

    def _remove(self, given: Given) -> None:
        self.put(tuple(each for each in self._images if each is not given), None if self._mask is given else self._mask)
        self._changed()


def _name(given: Given) -> str:
    return (
        one_line(given)
        if isinstance(given, str)
        else f"{one_line(given.name)} ({given.image.format}, {len(given.image.data)} bytes)"
    )
