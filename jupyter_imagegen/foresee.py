"""What a call will be, said while it is still being written: where it goes, how many it is, what it costs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from . import keychain
from .catalogue import load
from .cost import Cost, estimate, total
from .endpoint import Endpoint, key_for
from .errors import KeyMissing
from .keys import Secret, held
from .options import Options, texts, variables_in
from .plan import dollars, in_words, why_unknown
from .prepare import refuse_keys
from .request import Requests, build
from .settings import Settings, photograph
from .steps import destination


def foreseen(options: Options) -> str:
    """One line: whom it asks, how many calls, the cost, and what is missing; no picture and no keyring is read for it.

    Raises SettingsError, KeyMisdirected and KeyInCell, and NotTaken for what the model is documented to refuse.
    """
    refuse_keys(texts(options), held(os.environ))
    settings = photograph()
    if (options.mode or settings.mode) == "replay":
        return "mode replay: nothing is sent"
    endpoint = destination(options.where, settings)
    requests = build(replace(options, images=(), mask=None), endpoint, (), None)
    return " · ".join((*_whom(endpoint), *_costs(options, endpoint, requests), *_lacks(options, endpoint, settings)))


def _whom(endpoint: Endpoint) -> Iterator[str]:
    """The address, where it is not that of the catalogue; a file beside the notebook, or a record, may name any."""
    name, known = endpoint.provider.name, load()
    if name in known.names and known.provider(name).base_url == endpoint.base_url:
        return
    keyless = ", without a key, as only a record names it" if endpoint.is_recorded else ""
    yield f"to {endpoint.base_url}{keyless}"


def _costs(options: Options, endpoint: Endpoint, requests: Requests) -> Iterator[str]:
    if len(requests) > 1:
        yield f"{len(requests)} calls"
    expected = _expected(options, endpoint, requests)
    why = f". {why_unknown(options, endpoint)}" if expected.usd is None and not endpoint.embedded else ""
    yield f"cost: {in_words(expected, endpoint)}{why}"
    most = options.max_cost_usd
    if most is not None and (expected.usd is None or expected.usd > most):
        yield f"refused: {'it may be' if expected.usd is None else 'that is'} more than {dollars(most)}"


def _expected(options: Options, endpoint: Endpoint, requests: Requests) -> Cost:
    return total(
        estimate(each.wanted, n=each.n, images=len(options.images), model=endpoint.model, provider=endpoint.vendor)
        for each in requests
    )


def _lacks(options: Options, endpoint: Endpoint, settings: Settings) -> Iterator[str]:
    """A key that is not set, though it may be kept where nobody looks for it before it is needed; and no variables."""
    try:
        key_for(endpoint, settings.environment, os.environ, _at_hand)
    except KeyMissing:
        yield f"{endpoint.provider.key_variable} is not set"
    for name in variables_in(options.prompt):
        yield f"{{{{{name}}}}} is sent as it is typed"


def _at_hand(variable: str) -> Secret | None:
    """Something in the place of a key that is there: which one it is makes no difference here."""
    return Secret("at hand", variable) if keychain.is_at_hand(variable, os.environ) else None
