"""The Python door: keyword arguments -> Options -> a job on the HTTP thread -> a Result, waited for in either way."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import cells
from .blobs import cannot, make_folder
from .bridge import Job, wait, wait_async
from .catalogue import load as catalogue
from .endpoint import Endpoint, key_for, resolve
from .errors import SettingsError, TimedRun
from .options import Options, from_call
from .plan import Plan
from .request import build
from .result import Result, folder_of, result_of
from .settings import Settings, Where, photograph

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .call import Ask
    from .display import Progress, Silence
    from .frame import History


def generate(
    prompt: str,
    *,
    model: str | None = None,
    provider: str | None = None,
    base_url: str | None = None,
    n: int | None = None,
    timeout: float | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    inline: str | None = None,
    save: str | Path | None = None,
    omit: Sequence[str] = (),
    quiet: bool = False,
    **fields: Any,  # noqa: ANN401  (whatever the endpoint's body may hold)
) -> Result:
    """Generate pictures and return them as a Result; it blocks, in a cell, a function, a callback or a script.

    `n` images are made, in several calls where the model takes fewer in one. `timeout` is in seconds, for one call in
    all. Any other keyword is a field of the body under the API's own name: size, quality, style, background,
    output_format, seed, user, … What is None is not sent.

    Raises the errors of jupyter_imagegen.errors; pictures that did arrive are in the error's `result`. An interrupt
    closes the connections, records the calls as cancelled and goes on as KeyboardInterrupt.
    """
    options = from_call(
        prompt,
        Where(provider=provider, base_url=base_url, model=model),
        n=n,
        timeout=timeout,
        tags=tags,
        note=note,
        inline=inline,
        save=save,
        omit=omit,
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
    tags: Sequence[str] = (),
    note: str | None = None,
    inline: str | None = None,
    save: str | Path | None = None,
    omit: Sequence[str] = (),
    quiet: bool = False,
    **fields: Any,  # noqa: ANN401  (whatever the endpoint's body may hold)
) -> Result:
    """As `generate`, for a coroutine of any event loop; cancelling it cancels the calls."""
    options = from_call(
        prompt,
        Where(provider=provider, base_url=base_url, model=model),
        n=n,
        timeout=timeout,
        tags=tags,
        note=note,
        inline=inline,
        save=save,
        omit=omit,
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

    settings = photograph()
    here = cells.place(shell(), settings.notebook, settings.store).notebook
    wanted = here if isinstance(notebook, Here) else notebook
    records = (record for record in read(settings.store) if wanted is None or record.call.notebook == wanted)
    return frame(records, settings.store)


def job(options: Options) -> Job:
    """What was asked, ready to start, and bound to the cell that asks."""
    return Job(prepare(options), cells.current())


def run(job: Job) -> Result:
    """Carry out a job and wait for it, with a line of progress where there is someone to see it."""
    progress = _progress(job)
    try:
        wait(job, progress.tick)
    finally:
        progress.close()
    return finish(job)


def prepare(options: Options) -> Ask:
    """Decide everything that can be decided before something is sent, and refuse what must not be."""
    from .call import Ask  # noqa: PLC0415  (the client and the journal are loaded by the first call)

    settings = photograph()
    endpoint = resolve(options.where, settings, os.environ, catalogue())
    requests = build(options, endpoint)
    key = key_for(endpoint, settings.environment, os.environ)
    _refuse_timed(endpoint)
    _make_room(options.save)
    return Ask(
        options=options,
        endpoint=endpoint,
        key=key,
        requests=requests,
        timeout_s=options.timeout_s or settings.timeout_s,
        store=settings.store,
        place=cells.place(shell(), settings.notebook, settings.store),
    )


def plan(options: Options) -> Plan:
    """What would be sent, without sending it; a key that is missing is said, not raised."""
    settings = photograph()
    endpoint = resolve(options.where, settings, os.environ, catalogue())
    return Plan(endpoint=endpoint, requests=build(options, endpoint), key_source=_key_source(endpoint, settings))


def finish(job: Job) -> Result:
    """The Result of a finished job, its pictures saved where that was asked. Raises what went wrong."""
    if job.defect is not None:
        raise job.defect
    if job.is_cancelled:
        raise KeyboardInterrupt
    result = arrived(job)
    if job.ask.options.save is not None and result:
        result.save(job.ask.options.save)
    if job.outcome is not None and job.outcome.error is not None:
        job.outcome.error.result = result
        raise job.outcome.error
    return result


def arrived(job: Job) -> Result:
    """The pictures that a job has brought, whatever else became of it."""
    options, endpoint = job.ask.options, job.ask.endpoint
    records = job.outcome.records if job.outcome is not None else ()
    found = result_of(records, job.ask.store)
    inline = "quiet" if options.quiet else options.inline or photograph().inline
    return Result(pictures=found.pictures, records=found.records, inline=inline, note=endpoint.note)


def shell() -> InteractiveShell | None:
    """The IPython shell that this runs in; None in a script."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython  # noqa: PLC0415  (only where IPython is loaded already)

    return get_ipython()


def _progress(job: Job) -> Progress | Silence:
    from .display import Progress, Silence  # noqa: PLC0415

    if job.ask.options.quiet or (job.cell is None and shell() is not None):
        return Silence()
    endpoint = job.ask.endpoint
    return Progress(shell(), f"{endpoint.model.name or 'waiting'} at {endpoint.provider.name}")


def _refuse_timed(endpoint: Endpoint) -> None:
    if not endpoint.embedded and cells.is_timed():
        message = "timeit runs a cell many times, and each run would be paid for. Nothing was sent."
        raise TimedRun(message)


def _make_room(save: str | None) -> None:
    """Make the folder that pictures will be saved to, so that a path that cannot be is refused before it costs."""
    if save is None:
        return
    folder = folder_of(save)
    try:
        make_folder(folder)
    except OSError as error:
        raise cannot("save to", folder, error) from None


def _key_source(endpoint: Endpoint, settings: Settings) -> str:
    try:
        key = key_for(endpoint, settings.environment, os.environ)
    except SettingsError as error:
        return error.message
    return f"from {key.source}" if key is not None else "none is sent"
