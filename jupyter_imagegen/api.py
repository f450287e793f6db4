"""The Python door: keyword arguments -> Options -> a job on the HTTP thread -> a Result, waited for in either way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import cells
from .bridge import Job, wait, wait_async
from .edge import plain_errors
from .errors import ImageGenError
from .options import Options, from_call
from .prepare import prepare
from .recall import shown_from
from .result import Result, result_of
from .settings import Where, photograph
from .shell import running_shell

if TYPE_CHECKING:
    from .ask import Ask
    from .bill import Spent
    from .display import Progress, Silence
    from .frame import History
    from .records import Record
    from .settings import Settings


def generate(
    prompt: str,
    *,
    model: str | None = None,
    provider: str | None = None,
    base_url: str | None = None,
    n: int | None = None,
    timeout: float | None = None,
    mode: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    inline: str | None = None,
    save: str | Path | None = None,
    omit: Sequence[str] = (),
    image: object = None,
    mask: object = None,
    max_cost: float | None = None,
    force: bool = False,
    quiet: bool = False,
    **fields: Any,  # noqa: ANN401  (whatever the endpoint's body may hold)
) -> Result:
    """Generate pictures and return them as a Result; it blocks, in a cell, a function, a callback or a script.

    `n` images are made, in several calls where the model takes fewer in one. `timeout` is in seconds, for one call in
    all. `mode` is live, cache or replay. `image` is a picture to work from, or a list of them, and `mask` what may be
    changed in the first: each a path, a PIL image, an array, a Picture, a Result of one picture, bytes, or the id of a
    record. `max_cost` is in US dollars, for all calls together. Any other keyword is a field of the body under the
    API's own name: size, quality, style, background, output_format, partial_images, seed, user, … What is None is not
    sent.

    Raises the errors of jupyter_imagegen.errors; pictures that did arrive are in the error's `result`. An interrupt
    closes the connections, records the calls as cancelled and goes on as KeyboardInterrupt.
    """
    with plain_errors():
        options = from_call(
            prompt,
            Where(provider=provider, base_url=base_url, model=model),
            n=n,
            timeout=timeout,
            mode=mode,
            tags=tags,
            note=note,
            inline=inline,
            save=save,
            omit=omit,
            image=image,
            mask=mask,
            max_cost=max_cost,
            force=force,
            quiet=quiet,
            fields=fields,
        )
        return run(job(options))


async def agenerate(
    prompt: str,
    *,
    model: str | None = None,
    provider: str | None = None,
    base_url: str | None = None,
    n: int | None = None,
    timeout: float | None = None,  # noqa: ASYNC109  (the call's own deadline, which covers what asyncio's would not)
    mode: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    inline: str | None = None,
    save: str | Path | None = None,
    omit: Sequence[str] = (),
    image: object = None,
    mask: object = None,
    max_cost: float | None = None,
    force: bool = False,
    quiet: bool = False,
    **fields: Any,  # noqa: ANN401  (whatever the endpoint's body may hold)
) -> Result:
    """As `generate`, for a coroutine of any event loop; cancelling it cancels the calls."""
    with plain_errors():
        options = from_call(
            prompt,
            Where(provider=provider, base_url=base_url, model=model),
            n=n,
            timeout=timeout,
            mode=mode,
            tags=tags,
            note=note,
            inline=inline,
            save=save,
            omit=omit,
            image=image,
            mask=mask,
            max_cost=max_cost,
            force=force,
            quiet=quiet,
            fields=fields,
        )
        asked = job(options)
        try:
            await wait_async(asked)
        except asyncio.CancelledError:
            # Only in the cell itself: out of a task of its own, KeyboardInterrupt would end the kernel's loop.
            if cells.is_interrupted():
                raise KeyboardInterrupt from None
            raise
        if asked.is_cancelled:
            # Not KeyboardInterrupt: out of a task it would stop whatever cell the loop is serving by then.
            raise asyncio.CancelledError
        return finish(asked)


class Here(Enum):
    """Stands for the notebook that asks."""

    NOTEBOOK = "this notebook"


def history(notebook: str | Here | None = Here.NOTEBOOK) -> History:
    """A pandas.DataFrame of every call: one row for each picture, and one for each call that gave none.

    It holds this notebook's calls, those of another one by its name, or with None all that share the store. Where a
    notebook cannot know its own name (nbclient, papermill, a script), it holds all. Raises StoreError.
    """
    from .frame import frame  # noqa: PLC0415  (pandas is loaded by the first look)
    from .records import read  # noqa: PLC0415

    with plain_errors():
        settings = photograph()
        wanted, every = _wanted(notebook, settings), read(settings.store)
    found = _of(wanted, every)
    made = frame(found, settings.store)
    if every and not found:
        made.attrs["note"] = f"None of {wanted}; the store has {len(every)} calls: ig.history(notebook=None)"
    return made


def spent(notebook: str | Here | None = Here.NOTEBOOK) -> Spent:
    """What the calls of this notebook cost together, as far as that is known; `notebook` is as in `history`."""
    from .bill import spent as total  # noqa: PLC0415  (loaded by the first look)
    from .records import read  # noqa: PLC0415

    with plain_errors():
        settings = photograph()
        return total(_of(_wanted(notebook, settings), read(settings.store)))


def _wanted(notebook: str | Here | None, settings: Settings) -> str | None:
    """The name of the notebook whose records are meant; None for all."""
    if not isinstance(notebook, Here):
        return notebook
    return cells.place(running_shell(), settings.notebook, settings.store).notebook


def _of(notebook: str | None, records: Iterable[Record]) -> list[Record]:
    return [record for record in records if notebook is None or record.call.notebook == notebook]


def job(options: Options) -> Job:
    """What was asked, ready to start, and bound to the cell that asks."""
    return Job(prepare(options), cells.current())


def run(job: Job) -> Result:
    """Carry out a job and wait for it, with a line of progress where there is someone to see it."""
    progress = _progress(job)
    try:
        wait(job, lambda: progress.tick(job.sights))
    except KeyboardInterrupt as interrupt:
        for line in became(job):
            interrupt.add_note(line)
        _show_what_arrived(job)
        raise
    finally:
        progress.close()
    return finish(job)


def finish(job: Job) -> Result:
    """The Result of a finished job, its pictures saved where that was asked. Raises what went wrong."""
    if job.defect is not None:
        raise job.defect
    if job.is_cancelled:
        raise KeyboardInterrupt
    result = arrived(job)
    error = (job.outcome and job.outcome.error) or _not_saved(job, result)
    if error is not None:
        error.result = result
        raise error
    return result


def arrived(job: Job) -> Result:
    """The pictures that a job has brought, whatever else became of it."""
    records = job.outcome.records if job.outcome is not None else ()
    found = result_of(records, job.ask.store)
    ask = job.ask
    return replace(found, inline=ask.inline, is_quiet=ask.options.quiet, notes=_notes(ask))


def _notes(ask: Ask) -> tuple[str, ...]:
    """Who chose the endpoint, where something was sent, and what is shown from records."""
    shown = ask.shown
    chosen = (ask.endpoint.note,) if ask.endpoint.note and len(shown) < len(ask.steps) else ()
    return (*chosen, *((shown_from(shown),) if shown else ()))


def became(job: Job) -> list[str]:
    """What became of each call of a job that was interrupted, in a line each."""
    if job.outcome is None:
        return ["Nothing had been sent." if job.is_finished else "It may have been charged: see ig.history()."]
    return [f"{record.id}: {record.error or record.status}" for record in job.outcome.records]


def _not_saved(job: Job, result: Result) -> ImageGenError | None:
    """Why the pictures could not be saved where they were wanted; they are in the store all the same."""
    save = job.ask.options.save
    try:
        if save is not None and result:
            result.save(save)
    except ImageGenError as error:
        return error
    return None


def _show_what_arrived(job: Job) -> None:
    """Pictures that came before an interrupt are paid for: they are shown before it goes on."""
    result = arrived(job)
    if result and running_shell() is not None and not result.is_quiet:
        result.show()


def _progress(job: Job) -> Progress | Silence:
    from .display import Progress, Silence  # noqa: PLC0415

    if job.ask.options.quiet or (job.cell is None and running_shell() is not None):
        return Silence()
    endpoint = job.ask.endpoint
    return Progress(running_shell(), f"{endpoint.model.name or 'waiting'} at {endpoint.provider.name}")
