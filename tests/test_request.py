"""Options and an endpoint become the requests that are sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import Model, Provider
from jupyter_imagegen.endpoint import Endpoint
from jupyter_imagegen.options import Options
from jupyter_imagegen.request import build, fingerprint


def endpoint(max_n: int | None = None, name: str = "m") -> Endpoint:
    """An endpoint whose model takes this many pictures in one call."""
    return Endpoint(
        provider=Provider(name="p", base_url="https://h/v1"),
        base_url="https://h/v1",
        model=Model(name=name, max_n=max_n),
    )


def options(n: int | None = None, omit: tuple[str, ...] = (), **fields: Any) -> Options:
    """Options with these body fields."""
    return Options(
        prompt="a cat", n=n, omit=omit, fields=tuple((name, json.dumps(value)) for name, value in fields.items())
    )


def test_only_what_was_asked_is_sent() -> None:
    """No default of ours is in the body: not n, not size, not a model that nobody named."""
    (plain,) = build(options(), endpoint(name=""))
    (full,) = build(options(n=2, size="1x1", made_up=[1]), endpoint())

    assert plain.fields == {"prompt": "a cat"}
    assert full.fields == {"model": "m", "prompt": "a cat", "n": 2, "size": "1x1", "made_up": [1]}


def test_a_request_is_posted_to_the_endpoint() -> None:
    """The address comes from the endpoint, and the params are the body without the prompt."""
    (request,) = build(options(n=2), endpoint())

    assert request.url == "https://h/v1/images/generations"
    assert request.params == {"model": "m", "n": 2}


@pytest.mark.parametrize("name", ["n", "model", "size", "prompt"])
def test_a_field_that_is_omitted_is_not_sent(name: str) -> None:
    """--omit takes out what would be sent, and the number of pictures stays known."""
    (request,) = build(options(n=2, omit=(name,), size="1x1"), endpoint())

    assert name not in request.fields
    assert request.n == 2


@held
@given(st.integers(1, 300), st.none() | st.integers(1, 12))
def test_the_calls_together_ask_for_what_was_asked(n: int, most: int | None) -> None:
    """More pictures than the model takes are fanned out: none too many, none too few, each place once."""
    requests = build(options(n=n), endpoint(most))
    places = [place for request in requests for place in range(request.first_index, request.first_index + request.n)]

    assert places == list(range(n))
    assert all(request.fields["n"] == request.n <= (most or n) for request in requests)


def test_a_seed_counts_on_from_call_to_call() -> None:
    """The same seed again would be paid for and give the same picture."""
    requests = build(options(n=5, seed=7), endpoint(2))

    assert [request.fields["seed"] for request in requests] == [7, 9, 11]


@pytest.mark.parametrize("seed", ["random", None, [1]])
def test_a_seed_that_is_no_number_stays_as_it_is(seed: object) -> None:
    """What cannot be counted is passed on."""
    requests = build(options(n=2, seed=seed), endpoint(1))

    assert [request.fields["seed"] for request in requests] == [seed, seed]


def test_the_body_is_canonical_json() -> None:
    """Keys sorted, no blanks, letters as they are: the same request is the same bytes."""
    first, second = options(b=1, a={"y": 2, "x": "é"}), options(a={"x": "é", "y": 2}, b=1)
    (one,), (other,) = build(first, endpoint()), build(second, endpoint())

    assert one.body == '{"a":{"x":"é","y":2},"b":1,"model":"m","prompt":"a cat"}'
    assert one == other


@held
@given(st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.booleans()))
def test_the_body_is_what_was_asked(prompt: str, extra: dict[str, Any]) -> None:
    """Every text comes out of the body as it went in."""
    extra = {name: value for name, value in extra.items() if name not in ("prompt", "model", "n")}
    asked = replace(options(), prompt=prompt, fields=tuple((k, json.dumps(v)) for k, v in extra.items()))
    (request,) = build(asked, endpoint())

    assert json.loads(request.body.encode()) == {"model": "m", "prompt": prompt, **extra}


def test_the_fingerprint_is_of_the_body_alone() -> None:
    """The same request to another address has the same fingerprint; another body has another."""
    elsewhere = replace(endpoint(), base_url="https://other/v1", provider=Provider(name="q", base_url="https://q"))
    (here,), (there,) = build(options(), endpoint()), build(options(), elsewhere)
    (other,) = build(options(size="1x1"), endpoint())

    assert here.fingerprint == there.fingerprint == fingerprint(here.fields)
    assert here.fingerprint != other.fingerprint


def test_a_fingerprint_never_changes_its_form() -> None:
    """It is what a record is found by, years later: this one is written down."""
    assert (
        fingerprint({"prompt": "a cat", "model": "m", "n": 1})
        == "r1:0da0c38e9ded1ff0862aeb8d53f246e9441f5bac168dc9690eb09524940e4e00"
    )
