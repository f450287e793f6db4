"""What a call will cost and what it did, in US dollars, as far as that can be known. Pure.

In the order of belief: what the gateway says that it charged, the tokens that were counted at the vendor's prices, the
vendor's price list. Anything else is unknown, and never 0. Prices hold at their vendor; a gateway has its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .catalogue import Model, TokenPrices
from .limits import among, sides, spelt
from .reply import Reply

_SUREST_FIRST: Final = ("gateway", "usage", "price-list")

_COST_HEADER: Final = "x-litellm-response-cost"
_USD_PER_TICK: Final = 1e-10
"""Of `usage.cost_in_usd_ticks` at xAI (docs.x.ai, read 2026-11-20)."""

_PLAIN_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_MOST_USD: Final = 1000.0
_MOST_COUNTED: Final = 1e9
"""Of one call, in tokens, pixels or previews: what is beyond that is a mistake."""

_NO_CONDITION: Final = ("usd", "most_pixels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """US dollars, and where they are from: `gateway`, `usage`, `price-list`, or `unknown`, for which there are none."""

    usd: float | None
    source: str


_UNKNOWN: Final = Cost(usd=None, source="unknown")


def estimate(asked: Mapping[str, Any], *, n: int, images: int, model: Model, provider: str) -> Cost:
    """What one call of `n` pictures will cost, by the price list or the grid; unknown at a provider with other prices.

    `asked` has the fields in the names of OpenAI's API, `images` counts the reference pictures. What the prompt costs
    is not in it: a fraction of a cent.
    """
    if provider not in model.prices_at:
        return _UNKNOWN
    said = {**model.unsaid, **{name: value for name, value in asked.items() if value is not None}}
    if isinstance(size := said.get("size"), str):
        said["size"] = spelt(size)
    parts = (_picture(said, model), _previews(said, model), _references(images, model))
    picture, previews, references = (math.nan if part is None else part for part in parts)
    return _cost(n * (picture + previews) + references, "price-list")


def charged(
    reply: Reply,
    usage: Mapping[str, Any] | None,
    *,
    asked: Mapping[str, Any],
    received: int,
    images: int,
    model: Model,
    provider: str,
) -> Cost:
    """What a call that was answered cost; `received` counts its pictures. A number that cannot be is not believed."""
    counted = usage if isinstance(usage, Mapping) else {}
    if (usd := _of_gateway(reply, counted)) is not None:
        return _cost(usd, "gateway")
    if provider in model.prices_at and (usd := _of_tokens(counted, images, model.tokens)) is not None:
        return _cost(usd, "usage")
    if not received:
        return _UNKNOWN
    return estimate(asked, n=received, images=images, model=model, provider=provider)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum over the calls of an ask, with its least sure source; unknown if that of any is, or if there are none."""
    every = tuple(costs)
    known = [cost.usd for cost in every if cost.usd is not None]
    if not known or len(known) < len(every):
        return _UNKNOWN
    return _cost(math.fsum(known), max((cost.source for cost in every), key=_SUREST_FIRST.index))


def output_tokens(width: int, height: int, patches: int) -> int:
    """The image tokens of a picture whose long side has as many patches.

    Source: community.openai.com 1382699, 2026-04-30, for gpt-image-2; with 2.5's patches it gives the five counts that
    were published for 1024x1024.
    """
    short, long = sorted((width, height))
    across = (2 * patches * short + long) // (2 * long)
    return -(-patches * across * (2_000_000 + width * height) // 4_000_000)


def _cost(usd: float, source: str) -> Cost:
    # Ticks are the smallest unit that anyone counts in; what is behind them is rounding.
    return Cost(usd=round(usd, 10), source=source) if 0 <= usd < math.inf else _UNKNOWN


def _picture(said: Mapping[str, Any], model: Model) -> float | None:
    """Dollars for one picture: by the first price that holds, else by the grid."""
    price = next((price for price in model.prices if _holds(price, said)), None)
    return _by_grid(said, model) if price is None else _number(price.get("usd"), _MOST_USD)


def _holds(price: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    if "most_pixels" in price:
        found = sides(said.get("size"))
        most = _number(price["most_pixels"], _MOST_COUNTED)
        if found is None or most is None or found[0] * found[1] > most:
            return False
    return all(among(said.get(name), expected) for name, expected in price.items() if name not in _NO_CONDITION)


def _by_grid(said: Mapping[str, Any], model: Model) -> float | None:
    found = sides(said.get("size"))
    patches = model.grid.get(str(said.get("quality")))
    if found is None or patches is None or model.tokens is None:
        return None
    tokens = output_tokens(*found, patches)
    return _dollars(tokens, model.tokens.image_out) if tokens > 0 else None


def _previews(said: Mapping[str, Any], model: Model) -> float | None:
    count = said.get("partial_images", 0)
    if not count or not model.partial_tokens:
        return 0.0
    number = _number(count, _MOST_COUNTED)
    if number is None or model.tokens is None:
        return None
    return _dollars(number * model.partial_tokens, model.tokens.image_out)


def _references(images: int, model: Model) -> float | None:
    if not images:
        return 0.0
    return None if model.image_usd is None else images * model.image_usd


def _of_gateway(reply: Reply, usage: Mapping[str, Any]) -> float | None:
    """What the server says that it charged. Nothing is no figure: a proxy without a price for a model says 0."""
    text = reply.header(_COST_HEADER).strip()
    said = _number(float(text), _MOST_USD) if _PLAIN_NUMBER.fullmatch(text) else None
    ticks = _number(usage.get("cost_in_usd_ticks"), _MOST_USD / _USD_PER_TICK)
    return said or (None if not ticks else ticks * _USD_PER_TICK)


def _of_tokens(usage: Mapping[str, Any], images: int, prices: TokenPrices | None) -> float | None:
    """Dollars for the tokens that were counted; None where a count is missing or cannot be."""
    if prices is None:
        return None
    taken, made = _taken(usage, images, prices), _made(usage, prices)
    return None if taken is None or made is None else taken + made


def _taken(usage: Mapping[str, Any], images: int, prices: TokenPrices) -> float | None:
    """Dollars for what was sent. A prompt always has tokens, and so has a reference picture."""
    details = usage.get("input_tokens_details")
    if isinstance(details, Mapping):
        text, image = _tokens(details, "text_tokens"), _tokens(details, "image_tokens")
        if text and (image or not images):
            return _dollars(text, prices.text_in) + _dollars(image or 0.0, prices.image_in)
    whole = _tokens(usage, "input_tokens")
    return _dollars(whole, prices.text_in) if whole and not images else None


def _made(usage: Mapping[str, Any], prices: TokenPrices) -> float | None:
    """Dollars for what came back: all of it is picture, but for text that has a price and is counted apart."""
    whole = _tokens(usage, "output_tokens")
    if not whole:
        return None
    details = usage.get("output_tokens_details")
    text = (_tokens(details, "text_tokens") or 0.0) if isinstance(details, Mapping) and prices.text_out else 0.0
    if text > whole:
        return None
    return _dollars(whole - text, prices.image_out) + _dollars(text, prices.text_out)


def _tokens(counts: Mapping[str, Any], name: str) -> float | None:
    return _number(counts.get(name), _MOST_COUNTED)


def _number(value: object, most: float) -> float | None:
    """A number as it can be: finite, not negative and not beyond all measure."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None


def _dollars(tokens: float, usd_per_million: float) -> float:
    return tokens * usd_per_million / 1_000_000
