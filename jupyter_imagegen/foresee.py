"""What a call will be, said while it is still being written: where it goes, how many it is, what it costs."""

from __future__ import annotations

import os
from dataclasses import replace

from . import config, keychain
from .catalogue import CUSTOM
from .cost import estimate, total
from .endpoint import Endpoint, key_for, resolve
from .errors import KeyMissing
from .keys import Secret, held
from .options import Options, texts
from .plan import in_words
from .prepare import refuse_keys
from .request import build
from .settings import Settings, Where, photograph


def destination(typed: Where, settings: Settings) -> Endpoint:
    """Where a call goes that names this much. Raises SettingsError."""
    return resolve(typed, settings, os.environ, config.rows(settings))


def foreseen(options: Options) -> str:
    """One line: whom it asks, how many calls, the cost, and a key that is missing; no picture and no keyring is read.

    Raises SettingsError, KeyMisdirected and KeyInCell, and NotTaken for what the model is documented to refuse.
    """
    refuse_keys(texts(options), held(os.environ))
    settings = photograph()
    endpoint = destination(options.where, settings)
    requests = build(replace(options, images=(), mask=None), endpoint, (), None)
    if (options.mode or settings.mode) == "replay":
        return "mode replay: nothing is sent"
    cost = total(
        estimate(each.wanted, n=each.n, images=len(options.images), model=endpoint.model, provider=endpoint.vendor)
        for each in requests
    )
    calls = f"{len(requests)} calls · " if len(requests) > 1 else ""
    return f"{_whom(endpoint)}{calls}cost: {in_words(cost, endpoint)}{_unset(endpoint, settings)}"


def _whom(endpoint: Endpoint) -> str:
    """The address, where it is not that of the catalogue; a form that a record filled may lead anywhere."""
    if endpoint.is_own and endpoint.provider.name != CUSTOM:
        return ""
    keyless = ", without a key, as only a record names it" if endpoint.is_recorded else ""
    return f"to {endpoint.base_url}{keyless} · "


def _unset(endpoint: Endpoint, settings: Settings) -> str:
    """That the variable of a key is not set; the key may be elsewhere, where it is looked for when it is needed."""
    try:
        key_for(endpoint, settings.environment, os.environ, _at_hand)
    except KeyMissing:
        return f" · {endpoint.provider.key_variable} is not set"
    return ""


def _at_hand(variable: str) -> Secret | None:
    """Something in the place of a key that is there: which one it is makes no difference here."""
    return Secret("at hand", variable) if keychain.is_at_hand(variable, os.environ) else None
