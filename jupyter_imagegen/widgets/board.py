"""The panel: the form, its jobs and the gallery put together, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import ipywidgets

from .. import api, archive
from ..again import asked_by
from ..blobs import has_digest
from ..celltext import as_cell
from ..display import Spot
from ..draft import asked, drafted
from ..edge import plain_errors, without_keys
from ..errors import ImageGenError, KeyInCell, KeyMissing
from ..foresee import foreseen
from ..gallery import Card
from ..journal import stamp
from ..records import Record
from ..result import Picture, Result
from ..settings import photograph
from ..shell import running_shell
from .form import Form
from .gate import Gate
from .jobs import Jobs
from .kept import Kept
from .looks import Widget, button, column, discard, field, row, show, style_sheet, text
from .shelf import Shelf
from .view import View
from .worker import Task, Worker, told

_LAST: Final = 4
"""Pictures that stay in the saved notebook."""

_ONCE: Final = "Or run one %%imagegen cell for it: that asks once, shows nothing, and the panel uses the answer."


class Panel:
    """A form, its jobs, and the gallery of this notebook; it is shown where it is the value of a cell."""

    def __init__(self) -> None:
        self._refused: KeyInCell | None = None
        self._message = text()
        self._estimate = text()
        self._cell = field(ipywidgets.Textarea, "The same as a cell: copy it into one", "jig-wide", rows=5)
        self._jobs = Jobs(self._arrived)
        self._worker = Worker(self._jobs.look, self._tell)
        self._kept = Kept()
        self._gate = Gate("Generate", self._generate)
        self._view = View(self)
        self._shelf = Shelf(self._open, self.do, self.refresh)
        self._form = Form(self._foresee, self.attempt)
        self.attempt(self._form.choose)
        show(self._cell, when=False)
        self.widget: Widget = column(
            style_sheet(),
            self._form.box,
            row(self._gate.button, button("As cell", self._write_form, "What stands in the form"), self._estimate),
            self._message,
            self._cell,
            self._jobs.box,
            self._view.box,
            self._shelf.box,
            name="jig-panel",
        )
        self._stamp = stamp(photograph().store)
        self._shell = running_shell()
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self._cell_ended)

    def __repr__(self) -> str:
        return "The panel of jupyter-imagegen. It is shown in a notebook, and works while the kernel runs."

    def _ipython_display_(self, **_: Any) -> None:  # noqa: ANN401  (IPython's own protocol)
        # The text of a widget is all that is left of it where there is no kernel: that of ipywidgets lists its parts.
        Spot().put({**self.widget._repr_mimebundle_(), "text/plain": repr(self)})
        with plain_errors():
            self._fill()
            self._kept.display(self._last())

    def use_record(self, record: Record) -> None:
        """Fill the form with the settings of a call. Raises what `asked_by` raises."""
        self._form.fill(drafted(asked_by(record, photograph())))

    def take_over(self, other: Panel) -> None:
        """Show the jobs of a panel that is shown no more, and close it."""
        self._jobs.take_over(other._jobs)
        other.close()
        self._worker.do(_nothing)

    def close(self) -> None:
        """Take its widgets away; jobs that were not taken over go on, and are recorded."""
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._cell_ended)
        self._worker.close()
        discard(self.widget, *self._gate.widgets)

    def use(self, card: Card) -> None:
        """Fill the form with the settings of a card."""
        self.use_record(card.record)
        self.say(f"The form has the settings of {card.record.id}.")

    def write_cell(self, card: Card) -> None:
        """Show the cell that repeats a card."""
        self._write(as_cell(asked_by(card.record, photograph())))

    def edit(self, card: Card) -> None:
        """Take the picture of a card as one to work from."""
        self._form.pictures.add(card.name)
        self.say(f"{card.name} is a picture to work from.")

    def do(self, task: Task) -> None:
        """Hand a task to the worker."""
        self._worker.do(task)

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something now, and show what is wrong with it as a cell would."""
        try:
            with plain_errors():
                act()
        except ImageGenError as error:
            self._tell(error)
            self._refused = error if isinstance(error, KeyInCell) else None

    def say(self, words: str) -> None:
        """Tell the person something."""
        self._message.remove_class("jig-error")
        self._message.value = words

    def refresh(self) -> None:
        """Have the store read again."""
        self.do(self._refresh)

    def _tell(self, error: BaseException) -> None:
        if isinstance(error, KeyInCell):
            self._form.drop_keys()
            self._view.drop_typed()
        lines = (told(error), *((_ONCE,) if isinstance(error, KeyMissing) else ()))
        self.say(without_keys("\n".join(lines)))
        self._message.add_class("jig-error")

    def _generate(self) -> None:
        """Send what stands in the form, unless a key was taken out of it just now: it is not what was meant then."""
        if self._refused is None:
            self.attempt(self._start)
        else:
            self._tell(self._refused)
        self._refused = None

    def _start(self) -> None:
        self._jobs.add(api.job(asked(self._form.draft)))
        self.say("")
        self._worker.do(_nothing)

    def _foresee(self) -> None:
        """Say beside the button what it will cost, or why it would be refused."""
        self._refused = None
        try:
            with plain_errors():
                self._form.refuse_keys()
                draft = self._form.draft
                self._estimate.value = foreseen(asked(replace(draft, prompt=draft.prompt or "…")))
        except ImageGenError as error:
            self._estimate.value = without_keys(error.message)
            if isinstance(error, KeyInCell):
                self._tell(error)
                self._refused = error

    def _write_form(self) -> None:
        self.attempt(lambda: self._write(as_cell(asked(self._form.draft))))

    def _write(self, cell: str) -> None:
        self._cell.value = cell
        show(self._cell, when=True)

    def _open(self, card: Card) -> None:
        self.attempt(lambda: self._view.open(card, photograph().store))

    def _arrived(self, _result: Result) -> None:
        self.refresh()

    def _cell_ended(self, _result: object) -> None:
        self.do(self._look_again)

    def _look_again(self) -> None:
        """Show what cells have made or changed, if they have."""
        if stamp(photograph().store) != self._stamp:
            self._refresh()

    def _refresh(self) -> None:
        before = self._last().pictures
        self._fill()
        self._view.renew(self._shelf.newest)
        last = self._last()
        if last.pictures != before:
            self._kept.update(last)

    def _fill(self) -> None:
        store = photograph().store
        self._stamp = stamp(store)
        self._shelf.fill(archive.recorded(), store)

    def _last(self) -> Result:
        """The newest pictures, in the order in which they were made."""
        settings = photograph()
        pictures = tuple(reversed([*islice(_whole(self._shelf.newest, settings.store), _LAST)]))
        records = tuple(dict.fromkeys(picture.record.id for picture in pictures))
        by_id = {picture.record.id: picture.record for picture in pictures}
        return Result(pictures=pictures, records=tuple(by_id[name] for name in records), inline=settings.inline)


def _whole(every: tuple[Card, ...], store: Path) -> Iterator[Picture]:
    """The pictures that are what they were: a link in a store of somebody else's may lead to any of this person's."""
    for card in every:
        if card.kept is not None and has_digest(store / card.kept.path, card.kept.sha256):
            yield Picture(card.record, card.kept, store)


def _nothing() -> None:
    """Makes the worker look at the jobs."""
