"""Options -> Ask: everything that can be decided before something is sent, and the refusal of what must not be."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Final

from . import cells, keychain
from .ask import Ask
from .blobs import cannot, make_folder, make_ready
from .cost import Cost, estimate, total
from .endpoint import Endpoint, key_for, origin
from .errors import (
    KeyInCell,
    KeyMissing,
    OptionError,
    SettingsError,
    StoreError,
    TimedRun,
    TooExpensive,
)
from .keys import Secret, held
from .offline import replayed
from .options import Options, texts
from .place import Place
from .plan import Plan, dollars, why_unknown
from .recall import Cell
from .request import Requests
from .result import folder_of
from .settings import Settings, photograph
from .shell import running_shell
from .steps import Asker, Steps, cached, counted, live

_LONG: Final = 12
"""Letters from which a key is no word that a prompt could hold by chance."""

_find: Final = partial(keychain.find, environ=os.environ)


def prepare(options: Options) -> Ask:
    """Decide everything that can be decided before something is sent, and refuse what must not be."""
    refuse_keys(texts(options), held(os.environ))
    settings = photograph()
    with counted():
        return _ask(options, settings, options.mode or settings.mode)


def _ask(options: Options, settings: Settings, mode: str) -> Ask:
    place = cells.place(running_shell(), settings.notebook, settings.store)
    steps = _steps(options, Asker(settings=settings, mode=mode, notebook=place.notebook, cell=_cell(place)))
    key = _admitted(options, steps, settings) if steps.requests else None
    _make_room(options.save)
    return Ask(
        options=options,
        endpoint=steps.endpoint,
        key=key,
        steps=steps.steps,
        mode=mode,
        timeout_s=options.timeout_s or settings.timeout_s,
        inline=options.inline or settings.inline,
        store=settings.store,
        place=place,
    )


def plan(options: Options) -> Plan:
    """What would be sent, without sending it; a key that is missing is said, not raised, and not asked for."""
    refuse_keys(texts(options), held(os.environ))
    settings = photograph()
    found = live(options, settings)
    return Plan(
        endpoint=found.endpoint,
        requests=found.requests,
        mode=options.mode or settings.mode,
        key_source=_key_source(found.endpoint, settings),
        estimate=_estimate(found.endpoint, found.requests),
        max_cost_usd=options.max_cost_usd,
    )


def _steps(options: Options, asker: Asker) -> Steps:
    match asker.mode:
        case "replay":
            return replayed(options, asker)
        case "cache":
            return cached(options, asker)
        case _:
            return live(options, asker.settings)


def _cell(place: Place) -> Cell:
    return Cell(place.cell_id, place.execution_count)


def _admitted(options: Options, steps: Steps, settings: Settings) -> Secret | None:
    """The key for what is to be sent, once nothing speaks against sending it."""
    _refuse_dear(options, steps.endpoint, _estimate(steps.endpoint, steps.requests))
    key = _key(steps.endpoint, settings)
    refuse_keys(texts(options), () if key is None else (key,))
    _refuse_timed(steps.endpoint)
    make_ready(settings.store, sum(request.n for request in steps.requests))
    return key


def _estimate(endpoint: Endpoint, requests: Requests) -> Cost:
    return total(
        estimate(
            request.wanted,
            n=request.n,
            images=request.images,
            model=endpoint.model,
            provider=endpoint.vendor,
        )
        for request in requests
    )


def _refuse_dear(options: Options, endpoint: Endpoint, expected: Cost) -> None:
    most = options.max_cost_usd
    if most is None or (expected.usd is not None and expected.usd <= most):
        return
    if expected.usd is None:
        message = f"What {endpoint.model.name or 'this'} costs at {endpoint.provider.name} is not known."
        raise TooExpensive(message, f"Nothing was sent. {why_unknown(options, endpoint)}")
    message = f"It would cost about {dollars(expected.usd)}, and --max-cost is {dollars(most)}."
    raise TooExpensive(message)


def _key(endpoint: Endpoint, settings: Settings) -> Secret | None:
    """The key that may go there; one that is missing is asked for, where there is someone to answer."""
    try:
        return key_for(endpoint, settings.environment, os.environ, _find)
    except KeyMissing as error:
        missing = error
    # Outside of the handler, so that an interrupt at the prompt is no second error behind the first.
    typed = keychain.ask(endpoint.provider.key_variable, origin(endpoint.base_url))
    if typed is None:
        raise missing
    return typed


def refuse_keys(said: tuple[str, ...], keys: tuple[Secret, ...]) -> None:
    """A key that is set, in a variable or a note, may have no shape by which it could be known. Raises KeyInCell."""
    for key in keys:
        if len(key.reveal()) >= _LONG and any(key.reveal() in text for text in said):
            message = f"The prompt, a variable or an option holds the key of {key.source}. Nothing was sent."
            raise KeyInCell(message)


def _refuse_timed(endpoint: Endpoint) -> None:
    if not endpoint.embedded and cells.is_timed():
        message = "timeit runs a cell many times, and each run would be paid for. Nothing was sent."
        raise TimedRun(message)


def _make_room(save: str | None) -> None:
    """Make the folder that pictures will be saved to, so that a path that cannot be is refused before it costs."""
    if save is None:
        return
    try:
        folder = folder_of(save)
        make_folder(folder)
    except (ValueError, RuntimeError) as error:
        message = f"--save {save!r} is no path: {error}."
        raise OptionError(message) from None
    except OSError as error:
        message = cannot("save to", Path(save), error).message
        raise StoreError(message, "Choose another path. Nothing was sent.") from None


def _key_source(endpoint: Endpoint, settings: Settings) -> str:
    try:
        key = key_for(endpoint, settings.environment, os.environ, _find)
    except SettingsError as error:
        return error.message.removesuffix(" Nothing was sent.")
    return f"from {key.source}" if key is not None else "none is sent"
