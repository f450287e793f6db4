"""The panel: the form, its jobs and the gallery put together, and what passes between them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from .. import api, archive
from ..again import asked_by
from ..celltext import as_cell
from ..display import Spot
from ..draft import asked, drafted
from ..edge import plain_errors, without_keys
from ..errors import KeyInCell, KeyMissing, OptionError
from ..foresee import foreseen
from ..gallery import Card
from ..journal import stamp
from ..options import Options
from ..records import Record
from ..references import is_record
from ..result import Picture, Result
from ..settings import photograph
from ..shell import running_shell
from .form import Form
from .gate import Gate
from .jobs import Jobs
from .looks import button, column, discard, row, style_sheet, text
from .outputs import Outputs
from .shelf import Shelf
from .subshells import Widget
from .view import View
from .whole import whole
from .worker import Task, Worker, told
from .written import Written

_LAST: Final = 4
"""Pictures that stay in the saved notebook."""
_LOOKED_AT: Final = 12
"""Of the newest pictures, at most so many are read to find those: a store of somebody else's may hold no whole one."""

_REST_S: Final = 0.7
"""How long Generate rests after a press: longer than a double click takes."""

_ONCE: Final = "Or run one %%imagegen cell for it: that asks once, shows nothing, and the panel uses the answer."
_LATE: Final = (
    "Generate was pressed more than ten minutes ago, and the page was away since. Press again if it is meant."
)

_boards: Final[weakref.WeakSet[Board]] = weakref.WeakSet()
"""Those that are open: what a job of one has made is shown by all."""


def _later(act: Callable[[], None]) -> None:
    timer = threading.Timer(_REST_S, act)
    timer.daemon = True
    timer.start()


class Board:
    """A form, its jobs and the gallery, in one box of widgets."""

    def __init__(self) -> None:
        self._stamp = stamp(photograph().store)
        self._refused: KeyInCell | None = None
        self._is_wrong = False
        self._message = text()
        self._estimate = text()
        self._written = Written()
        self._jobs = Jobs(self._arrived)
        self._worker = Worker(self._jobs.look, self._tell)
        self._outputs = Outputs()
        self._gate = Gate("Generate", self._generate, lambda: self.say(_LATE), _later)
        self._view = View(self)
        self._shelf = Shelf(self._open, self.do, self.refresh)
        self._form = Form(self._foresee, self.attempt)
        self.attempt(self._form.choose)
        self.widget: Widget = column(
            style_sheet(),
            self._form.box,
            row(self._gate.button, button("As cell", self._write_form, "What stands in the form"), self._estimate),
            self._message,
            self._written.box,
            self._jobs.box,
            self._view.box,
            self._shelf.box,
            name="jig-panel",
        )
        self._shell = running_shell()
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self._cell_ended)
        _boards.add(self)

    def __repr__(self) -> str:
        return "The panel of jupyter-imagegen. It is shown in a notebook, and works while the kernel runs."

    def display(self) -> None:
        """Show it in the cell that is running, with what stays of it where no widgets are shown."""
        self.attempt(self._fill)
        # The text of a widget is all that is left of it where there is no kernel: that of ipywidgets lists its parts.
        Spot().put({**self.widget._repr_mimebundle_(), "text/plain": repr(self)})
        self._outputs.display(self._last())

    def use_record(self, record: Record) -> None:
        """Fill the form with the settings of a call. Raises what `asked_by` raises."""
        self._form.fill(drafted(asked_by(record, photograph())))

    def take_over(self, other: Board) -> None:
        """Show the jobs of a panel that is shown no more, and close it; on its own thread, which watches them."""
        other.do(lambda: self._receive(other))

    def _receive(self, other: Board) -> None:
        self._jobs.receive(other._jobs)
        other.close()
        self.do(_nothing)

    def close(self) -> None:
        """Take its widgets away; jobs that were not taken over go on, also those that wait."""
        _boards.discard(self)
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._cell_ended)
            self._shell = None
        self._worker.close()
        discard(self.widget, *self._gate.widgets)

    def use(self, card: Card) -> None:
        """Fill the form with the settings of a card."""
        self.use_record(card.record)
        self.say(f"The form has the settings of {card.record.id}.")

    def cell_of(self, card: Card) -> tuple[str, str]:
        """The cell that repeats a card, and what has to be said of it."""
        options = asked_by(card.record, photograph())
        return as_cell(options), _warning(options)

    def edit(self, card: Card) -> None:
        """Take the picture of a card as the one to work from."""
        if not is_record(card.name):
            # It would be looked for as a file: another hand may have given a call the name of one.
            message = f"{card.name} is no name of a picture in this store."
            raise OptionError(message, "Its file can be named by its path.")
        self._form.pictures.edit(card.name)
        self.say(f"{card.name} is the picture to work from.")

    def step(self, card: Card, by: int) -> None:
        """Open the card so many places further on in the gallery."""
        there = self._shelf.beside(card, by)
        if there is not None:
            self._view.open(there, photograph().store)

    def do(self, task: Task) -> None:
        """Hand a task to the worker."""
        self._worker.do(task)

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something now, and show what is wrong with it as a cell would."""
        try:
            with plain_errors():
                act()
        except Exception as error:  # noqa: BLE001  (the notebook's edge: nobody sees what a callback raises)
            self._tell(error)
            self._refused = error if isinstance(error, KeyInCell) else None

    def say(self, words: str) -> None:
        """Tell the person something, where they are looking."""
        self._is_wrong = False
        for message in (self._message, self._view.message):
            message.remove_class("jig-error")
            message.value = words

    def refresh(self) -> None:
        """Have the store read again."""
        self.do(self.reread)

    def _tell(self, error: BaseException) -> None:
        if isinstance(error, KeyInCell):
            self._form.drop_keys()
            self._view.drop_typed()
        lines = (told(error), *((_ONCE,) if isinstance(error, KeyMissing) else ()))
        self.say(without_keys("\n".join(lines)))
        self._is_wrong = True
        for message in (self._message, self._view.message):
            message.add_class("jig-error")

    def _generate(self) -> None:
        """Send what stands in the form, unless a key was taken out of it just now: it is not what was meant then."""
        if self._refused is None:
            draft = self._form.draft
            self.do(lambda: self._start(asked(draft)))
        else:
            self._tell(self._refused)
        self._refused = None

    def _start(self, options: Options) -> None:
        self._jobs.add(api.job(options))
        self.say("")

    def _foresee(self) -> None:
        """Say beside the button what it will cost, or why it would be refused; what was said before is over."""
        self._refused = None
        self._written.close()
        if self._is_wrong:
            self.say("")
        try:
            with plain_errors():
                self._form.refuse_keys()
                draft = self._form.draft
                self._estimate.value = foreseen(asked(replace(draft, prompt=draft.prompt.strip() or "…")))
        except Exception as error:  # noqa: BLE001  (the notebook's edge: nobody sees what a callback raises)
            self._estimate.value = without_keys(str(error))
            if isinstance(error, KeyInCell):
                self._tell(error)
                self._refused = error

    def _write_form(self) -> None:
        self._written.close()
        self.attempt(lambda: self._write(asked(self._form.draft)))

    def _write(self, options: Options) -> None:
        self._written.write("What stands in the form, as a cell: copy it into one", as_cell(options))
        self.say(_warning(options))

    def _open(self, card: Card) -> None:
        self.do(lambda: self._view.open(self._shelf.now(card), photograph().store))

    def _arrived(self) -> None:
        for board in tuple(_boards):
            board.refresh()

    def _cell_ended(self, _result: object) -> None:
        self.do(self._look_again)

    def _look_again(self) -> None:
        """Show what cells have made or changed, if they have: in the store, and in where the form leads."""
        self.attempt(self._form.choose)
        if stamp(photograph().store) != self._stamp:
            self.reread()

    def reread(self) -> None:
        """Read the store again at once. On the worker's thread."""
        self._fill()
        self._view.renew(self._shelf.newest)
        self._outputs.update(self._last())

    def _fill(self) -> None:
        settings = photograph()
        self._stamp = stamp(settings.store)
        records = archive.recorded(settings)
        self._shelf.fill(records, settings.store)
        self._jobs.forget(frozenset(record.id for record in records if record.is_forgotten))

    def _last(self) -> Result:
        """The newest pictures, in the order in which they were made."""
        settings = photograph()
        newest = islice(_newest(self._shelf.newest, settings.store), _LAST)
        return Result(pictures=tuple(reversed([*newest])), records=(), inline=settings.inline)


def _newest(every: tuple[Card, ...], store: Path) -> Iterator[Picture]:
    """The pictures of the newest cards that have one which is what it was."""
    for card in islice((card for card in every if card.kept is not None), _LOOKED_AT):
        picture = whole(card, store)
        if picture is not None:
            yield picture


def _warning(options: Options) -> str:
    """What has to be said of a cell that names an address which nobody here has set."""
    if not options.where.is_recorded:
        return ""
    return (
        f"Look at {options.where.base_url} before you run this cell: only a record names it, the request with its "
        "pictures goes there, and so does IMAGEGEN_API_KEY where that is set and IMAGEGEN_BASE_URL is not."
    )


def _nothing() -> None:
    """Makes the worker look at the jobs."""
