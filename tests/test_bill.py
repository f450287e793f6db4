"""What a history cost: only what is known is added up, and what is not is counted."""

from __future__ import annotations

from typing import Any

import pytest
from support.gateway import Gateway, Said
from support.made import record
from support.pictures import answer, complaint, picture

import jupyter_imagegen as ig
from jupyter_imagegen.bill import spent
from jupyter_imagegen.errors import ImageGenError
from jupyter_imagegen.journal import Ended
from jupyter_imagegen.records import Record


def ended(status: str = "ok", usd: float | None = None) -> Record:
    """A call that ended so."""
    source = "unknown" if usd is None else "usage"
    end = Ended(id="a", at="t", status=status, latency_s=1, attempts=1, cost_usd=usd, cost_source=source)
    return record(end=end)


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        ((), "$0.0000 for 0 calls"),
        ((ended(usd=0.25),), "$0.2500 for 1 call"),
        ((ended(usd=0.25), ended(usd=1.5)), "$1.75 for 2 calls"),
        ((ended(usd=0.25), ended()), "$0.2500 for 1 call; what 1 call cost is not known"),
        ((ended("refused"), ended("failed")), "$0.0000 for 0 calls"),
        (
            (ended("unknown"), ended("cancelled"), ended()),
            "$0.0000 for 0 calls; what 3 calls cost is not known, 2 of them may have been charged",
        ),
        ((ended("failed", usd=0.1),), "$0.1000 for 1 call"),
    ],
)
def test_what_is_not_known_is_never_nothing(records: tuple[Record, ...], shown: str) -> None:
    """An unknown cost is counted beside the sum; a call that made nothing cost nothing, unless its server says so."""
    assert repr(spent(records)) == shown


def last() -> dict[Any, Any]:
    """The last row of the history."""
    return ig.history().iloc[-1].to_dict()


@pytest.mark.parametrize(
    ("said", "source", "usd"),
    [
        (Said(answer(picture()), headers={"x-litellm-response-cost": "0.042"}), "gateway", 0.042),
        (Said(answer(picture(), usage={"cost_in_usd_ticks": 400_000_000})), "gateway", 0.04),
        (Said(answer(picture())), "unknown", None),
        (Said(answer(picture(), usage={"input_tokens": 5, "output_tokens": 1056})), "unknown", None),
    ],
)
def test_a_gateways_own_figure_is_taken_and_a_vendors_price_is_not_put_on_it(
    gateway: Gateway, said: Said, source: str, usd: float | None
) -> None:
    """Gateways have prices of their own."""
    gateway.rule = lambda _: said

    ig.generate("a cat", base_url=gateway.url, model="gpt-image-1", size="1024x1024", quality="low", quiet=True)

    row = last()
    assert row["cost_source"] == source
    assert ig.history()["cost_usd"].isna().all() if usd is None else row["cost_usd"] == pytest.approx(usd)


@pytest.fixture
def openai(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway as the provider openai."""
    monkeypatch.setenv("OPENAI_BASE_URL", gateway.url)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-mine")
    return gateway


def test_tokens_are_counted_at_the_vendors_price(openai: Gateway) -> None:
    """Ten tokens of text in at $5 and 1056 of picture out at $40 a million."""
    usage = {"input_tokens": 10, "output_tokens": 1056, "input_tokens_details": {"text_tokens": 10, "image_tokens": 0}}
    openai.rule = lambda _: Said(answer(picture(), usage=usage))

    ig.generate("a cat", provider="openai", model="gpt-image-1", quiet=True)

    assert last()["cost_source"] == "usage"
    assert last()["cost_usd"] == pytest.approx(10 * 5e-6 + 1056 * 40e-6)


def test_the_rows_of_a_call_share_its_cost(openai: Gateway) -> None:
    """So that the column adds up to what was paid."""
    openai.rule = lambda _: Said(answer(picture("red"), picture("blue")))

    ig.generate("a cat", provider="openai", model="gpt-image-1", size="1024x1024", quality="low", n=2, quiet=True)

    history = ig.history()
    assert history["cost_source"].tolist() == ["price-list"] * 2
    assert history["cost_usd"].sum() == pytest.approx(2 * 0.011)
    assert ig.spent().usd == pytest.approx(0.022)
    assert "Known cost: $0.0220" in repr(history)


def test_a_call_that_made_nothing_has_no_cost(openai: Gateway) -> None:
    """Not zero dollars of a price list: nothing is known."""
    openai.rule = lambda _: Said(complaint("no", code="moderation_blocked"), 400)

    with pytest.raises(ImageGenError):
        ig.generate("a cat", provider="openai", model="gpt-image-1", size="1024x1024", quality="low")

    assert ig.history()["cost_usd"].isna().all()
    assert last()["cost_source"] == "unknown"


@pytest.mark.parametrize(
    ("most", "given", "said"),
    [
        (0.01, {"size": "1024x1024", "quality": "low"}, r"\$0\.0110"),
        (0.02, {"size": "1024x1024", "quality": "low", "n": 2}, r"\$0\.0220"),
        (9, {"size": "1024x1024"}, "not known"),
        (
            9,
            {"size": "1024x1024", "quality": "low", "base_url": "http://127.0.0.1:9/v1", "provider": None},
            "not known",
        ),
    ],
)
def test_what_is_dearer_than_allowed_or_unknown_is_not_sent(
    openai: Gateway, most: float, given: dict[str, Any], said: str
) -> None:
    """The estimate is of all calls together."""
    whole = {"provider": "openai", "model": "gpt-image-1", **given}

    with pytest.raises(ig.ImageGenError, match=said) as caught:
        ig.generate("a cat", max_cost=most, **whole)

    assert type(caught.value).__name__ == "TooExpensive"
    assert openai.asked == []


def test_what_is_cheap_enough_is_sent(openai: Gateway) -> None:
    """Up to and with the limit; the embedded endpoint costs nothing."""
    ig.generate(
        "a cat", provider="openai", model="gpt-image-1", size="1024x1024", quality="low", max_cost=0.011, quiet=True
    )
    ig.generate("a cat", provider="sketch", size="64x64", max_cost=0, quiet=True)

    assert len(openai.posts) == 1
    assert last()["cost_usd"] == 0
