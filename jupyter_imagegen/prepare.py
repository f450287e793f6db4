"""Options -> Ask: everything that can be decided before something is sent, and the refusal of what must not be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from . import cells
from .ask import Ask
from .blobs import cannot, make_folder
from .catalogue import load as catalogue
from .endpoint import Endpoint, key_for, resolve
from .errors import KeyInCell, OptionError, SettingsError, StoreError, TimedRun
from .keys import Secret
from .options import Options, texts
from .plan import Plan
from .request import build
from .result import folder_of
from .settings import Settings, photograph
from .shell import running_shell

_LONG: Final = 12
"""Letters from which a key is no word that a prompt could hold by chance."""


def prepare(options: Options) -> Ask:
    """Decide everything that can be decided before something is sent, and refuse what must not be."""
    settings = photograph()
    endpoint = resolve(options.where, settings, os.environ, catalogue())
    requests = build(options, endpoint)
    key = key_for(endpoint, settings.environment, os.environ)
    _refuse_own_key(options, key)
    _refuse_timed(endpoint)
    _make_room(options.save)
    return Ask(
        options=options,
        endpoint=endpoint,
        key=key,
        requests=requests,
        timeout_s=options.timeout_s or settings.timeout_s,
        inline=options.inline or settings.inline,
        store=settings.store,
        place=cells.place(running_shell(), settings.notebook, settings.store),
    )


def plan(options: Options) -> Plan:
    """What would be sent, without sending it; a key that is missing is said, not raised."""
    settings = photograph()
    endpoint = resolve(options.where, settings, os.environ, catalogue())
    return Plan(endpoint=endpoint, requests=build(options, endpoint), key_source=_key_source(endpoint, settings))


def _refuse_own_key(options: Options, key: Secret | None) -> None:
    """The key that is about to be used, in a variable or a note, has no shape by which it could be known."""
    if key is not None and len(key.reveal()) >= _LONG and any(key.reveal() in text for text in texts(options)):
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
        key = key_for(endpoint, settings.environment, os.environ)
    except SettingsError as error:
        return error.message
    return f"from {key.source}" if key is not None else "none is sent"
