"""What a dry run shows instead of sending it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_imagegen.catalogue import Model, load
from jupyter_imagegen.cost import Cost
from jupyter_imagegen.endpoint import Endpoint
from jupyter_imagegen.options import Options
from jupyter_imagegen.plan import Plan, dollars, in_words, why_unknown
from jupyter_imagegen.request import build


def plan(provider: str = "openai", n: int = 2, note: str = "", mode: str = "live") -> Plan:
    """The plan for n pictures of a model that takes one in each call."""
    row = load().provider(provider)
    endpoint = Endpoint(provider=row, base_url=row.base_url, model=Model(name="m", max_n=1), note=note)
    requests = build(Options(prompt="a cat", n=n), endpoint, (), None)
    unknown = Cost(usd=None, source="unknown")
    return Plan(
        endpoint=endpoint,
        requests=requests,
        mode=mode,
        key_source="from OPENAI_API_KEY",
        estimate=unknown,
        max_cost_usd=None,
    )


def test_a_plan_shows_the_exact_requests() -> None:
    """Each call with its address and its body, and how many they are."""
    said = repr(plan()).splitlines()

    assert said[0] == "Dry run: 2 calls to openai, nothing was sent."
    assert said.count("POST https://api.openai.com/v1/images/generations  (× 2)") == 1
    assert said.count('{"model":"m","n":1,"prompt":"a cat"}') == 1


def test_one_call_is_one_call() -> None:
    """The sentence fits the number."""
    assert repr(plan(n=1)).startswith("Dry run: 1 call to openai")


def test_a_plan_says_where_the_key_would_come_from() -> None:
    """The variable, never the key."""
    assert "Key: from OPENAI_API_KEY" in repr(plan())


def test_an_unknown_cost_is_unknown() -> None:
    """Only what stays in this process costs nothing."""
    moved = replace(plan("sketch"), endpoint=replace(plan("sketch").endpoint, base_url="https://h/v1"))

    assert "Estimated cost: unknown" in repr(plan())
    assert "Estimated cost: nothing" in repr(plan("sketch"))
    assert "Estimated cost: unknown" in repr(moved)


def test_a_known_cost_says_how_old_its_price_is() -> None:
    """A price list grows old."""
    row = replace(plan().endpoint.model, date="2026-11-20")
    priced = replace(
        plan(), endpoint=replace(plan().endpoint, model=row), estimate=Cost(usd=0.022, source="price-list")
    )

    assert "Estimated cost: $0.0220 (price list of 2026-11-20)" in repr(priced)


def test_requests_that_are_the_same_are_shown_once() -> None:
    """A hundred of them are a hundred lines that say one thing."""
    assert repr(plan(n=100)).count("POST ") == 1
    assert "(× 100)" in repr(plan(n=100))


def test_a_plan_says_that_a_model_is_retired_where_its_vendor_is_asked() -> None:
    """A gateway may still serve it."""
    row = Model(name="m", retired="2026-05-12", successor="n", prices_at=("openai",))
    there = replace(plan(), endpoint=replace(plan().endpoint, model=row))
    elsewhere = replace(plan(), endpoint=replace(plan("zenlayer").endpoint, model=row))

    assert repr(there).endswith("(m is retired as of 2026-05-12; n takes its place)")
    assert "retired" not in repr(elsewhere)


@pytest.mark.parametrize(("most", "is_said"), [(None, False), (0.5, False), (0.01, True)])
def test_a_plan_says_when_it_would_not_be_sent(most: float | None, *, is_said: bool) -> None:
    """The estimate and the limit stand beside each other."""
    priced = replace(plan(), estimate=Cost(usd=0.02, source="price-list"), max_cost_usd=most)

    assert ("nothing would be sent" in repr(priced)) is is_said


@pytest.mark.parametrize(
    ("usd", "shown"), [(0.0, "$0.0000"), (0.00588, "$0.0059"), (0.5, "$0.5000"), (1.0, "$1.00"), (12.345, "$12.35")]
)
def test_an_amount_is_shown_as_people_read_it(usd: float, shown: str) -> None:
    """Pictures cost fractions of a cent, and a study dollars."""
    assert dollars(usd) == shown


def test_a_choice_that_nobody_made_is_said() -> None:
    """The note of the endpoint stands at the end."""
    assert repr(plan(note="because")).endswith("\n(because)")
    assert "()" not in repr(plan())


@pytest.mark.parametrize(("mode", "said"), [("cache", "of what this store has"), ("replay", "nothing is sent")])
def test_a_plan_says_that_records_would_be_shown(mode: str, said: str) -> None:
    """The requests are shown as they would be sent; in these modes not all of them are."""
    assert f"(mode {mode}: {said}" in repr(plan(mode=mode))


def test_an_estimate_is_said_with_where_it_is_from() -> None:
    """An amount has the day of its price list; what is embedded costs nothing, whatever a price list says."""
    here, priced = plan().endpoint, Cost(usd=0.04, source="price-list")
    dated = replace(here, model=Model(name="m", date="2026-11-20"))

    assert in_words(priced, dated) == "$0.0400 (price list of 2026-11-20)"
    assert in_words(Cost(usd=None, source="unknown"), dated) == "unknown"
    assert in_words(priced, plan("sketch").endpoint) == "nothing, it is embedded"


@pytest.mark.parametrize(
    ("at", "images", "said"),
    [
        ((), (), "imagegen.toml"),
        (("openai",), ("a.png",), "reference pictures"),
        (("openai",), (), "size and quality"),
    ],
)
def test_what_would_make_a_price_known_is_said(at: tuple[str, ...], images: tuple[str, ...], said: str) -> None:
    """In words that fit a cell and a form: neither has the other's spelling of an option."""
    there = replace(plan().endpoint, model=Model(name="m", prices_at=at))
    why = why_unknown(Options(prompt="a cat", images=images), there)

    assert said in why
    assert "--" not in why
