"""The Python door to what is made now: keywords -> Options -> a job on the HTTP thread -> a Result, waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import cells
from .again import again, said_again
from .bridge import Job, wait, wait_async
from .edge import plain_errors
from .errors import ImageGenError
from .options import Options, from_call
from .prepare import prepare
from .recall import shown_from
from .records import Record, read
from .result import Result, result_of
from .settings import Where, photograph
from .shell import running_shell
from .steps import is_undamaged
from .which import Named, which

if TYPE_CHECKING:
    from .ask import Ask
    from .display import Progress, Silence


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


def rerun(id: Named, **changes: Any) -> Result:  # noqa: A002, ANN401  (what it is; as in `generate`)
    """Ask a call again, with changes if there are any; the new record names the old one as its parent.

    `changes` are keywords as in `generate`; None takes a field away. Below the pictures stands what was asked
    otherwise, and how far each picture is from the one that came then. Raises as `generate` does, and OptionError for
    what names no call.
    """
    with plain_errors():
        settings = photograph()
        parent = which(id, read(settings.store)).record
        result = run(job(again(parent, changes, settings)))
        return replace(
            result, notes=(*result.notes, *said_again(parent, result.record), *_drifts(parent, result, settings.store))
        )


def _drifts(parent: Record, result: Result, store: Path) -> Iterator[str]:
    """How far each new picture is from the old one at its place."""
    from .drift import Side, drift  # noqa: PLC0415  (Pillow is loaded when a picture is first shown)

    if not is_undamaged(parent, store):
        yield "the picture of then is gone or altered, so nothing is compared"
        return
    before = {picture.index: picture for picture in result_of((parent,), store).pictures}
    for place, picture in enumerate(result):
        old = before.get(picture.index)
        if old is not None:
            sides = (Side(label="then", data=old.bytes), Side(label="now", data=picture.bytes))
            yield f"{f'[{place}] ' if len(result) > 1 else ''}{drift(*sides).sentence}"


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
    return (*chosen, *((shown_from(shown, len(ask.steps)),) if shown else ()))


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
