"""What is said of a call while it is still being written: where it goes, what it costs, what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.canary import SHAPELESS
from support.gateway import Gateway
from support.pictures import picture

import jupyter_imagegen as ig
from jupyter_imagegen import errors, keychain
from jupyter_imagegen.foresee import foreseen
from jupyter_imagegen.keys import Secret
from jupyter_imagegen.options import Options, from_call
from jupyter_imagegen.prepare import plan
from jupyter_imagegen.references import of_value
from jupyter_imagegen.settings import ImageGen, Where, photograph
from jupyter_imagegen.steps import destination

ELSEWHERE = "https://h.example/v1"
UNKNOWN = "cost: unknown. A price in your own imagegen.toml makes it known; a gateway has prices of its own."


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key was typed; a keyring that is asked while somebody types would show a dialog."""
    monkeypatch.setattr(keychain, "_typed", {})
    monkeypatch.setattr(keychain, "find", lambda *_: pytest.fail("a keyring is asked"))
    monkeypatch.setattr(keychain, "ask", lambda *_: pytest.fail("a person is asked"))
    monkeypatch.setitem(sys.modules, "keyring", None)


def options(*, n: int | None = None, image: object = None, mode: str | None = None, **given: Any) -> Options:
    """What was asked so far."""
    whom = Where(**{name: given.pop(name, None) for name in ("provider", "base_url", "model")})
    other: dict[str, Any] = {"timeout": None, "tags": (), "note": None, "inline": None, "save": None, "omit": ()}
    flags: dict[str, Any] = {"mask": None, "max_cost": None, "force": given.pop("force", False), "quiet": False}
    return from_call("an otter", whom, n=n, image=image, mode=mode, **other, **flags, fields=given)


def test_the_cost_is_that_of_a_dry_run() -> None:
    """The same words, from the same price list."""
    asked = options(provider="openai", model="gpt-image-1", size="1024x1024", quality="low", n=3)

    assert foreseen(asked).startswith("cost: $0.0330 (price list of ")
    assert f"Estimated cost: {foreseen(asked).removeprefix('cost: ').partition(' · ')[0]}" in repr(plan(asked))


def test_calls_are_counted_where_there_are_several() -> None:
    """A model that takes one picture in each call."""
    assert foreseen(options(provider="openai", model="dall-e-3", n=3)).startswith("3 calls · cost: $0.1200")


def test_nothing_is_said_of_the_cost_of_what_is_embedded() -> None:
    """It is nothing."""
    assert foreseen(options(provider="sketch")) == "cost: nothing, it is embedded"


def test_an_address_that_is_not_the_catalogues_is_said() -> None:
    """With what it costs there, which nobody here knows, and what would make it known."""
    assert foreseen(options(base_url=ELSEWHERE)) == f"to {ELSEWHERE} · {UNKNOWN}"
    assert "to " not in foreseen(options(provider="openai"))


def test_an_address_is_said_of_a_provider_whose_row_is_somebody_elses(tmp_path: Path) -> None:
    """A file beside the notebook may have come with it, and name any."""
    (tmp_path / "imagegen.toml").write_text(f'[providers.house]\nbase_url = "{ELSEWHERE}"\nneeds_key = false\n')

    assert foreseen(options(provider="house", model="m")) == f"to {ELSEWHERE} · {UNKNOWN}"


def test_why_a_cost_is_unknown_is_said() -> None:
    """Where a choice would make it known, that choice."""
    said = foreseen(options(provider="openai", model="gpt-image-1"))

    assert said.startswith("cost: unknown. It depends on size and quality: name both. · ")


@pytest.mark.parametrize(
    ("size", "most", "said"),
    [
        ("1024x1024", "0.01", "refused: that is more than $0.0100"),
        (None, "5", "refused: it may be more than $5.00"),
        ("1024x1024", "0.0111", ""),
    ],
)
def test_a_limit_that_would_be_passed_is_foreseen(size: str | None, most: str, said: str) -> None:
    """As the call would be refused, also where nobody knows what it costs."""
    given: dict[str, Any] = {"size": size, "quality": "low"} if size else {}
    asked = replace(options(provider="openai", model="gpt-image-1", **given), max_cost_usd=float(most))
    line = foreseen(asked)

    assert [part for part in line.split(" · ") if part.startswith("refused")] == ([said] if said else [])
    if said:
        with pytest.raises(errors.TooExpensive):
            ig.generate("an otter", provider="openai", model="gpt-image-1", max_cost=float(most), **given)


def test_a_variable_is_said_to_be_none() -> None:
    """A form has no variables, and who comes from a cell may expect them."""
    asked = replace(options(provider="sketch"), prompt="a {{cat}} by {{cat}} and {{1}}")

    assert foreseen(asked) == "cost: nothing, it is embedded · {{cat}} is sent as it is typed"


def test_an_address_of_a_record_is_said_to_get_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no key is missed for it."""
    where = Where(provider="openai", base_url=ELSEWHERE, is_recorded=True)
    said = f"to {ELSEWHERE}, without a key, as only a record names it · {UNKNOWN}"
    assert foreseen(Options(prompt="a", where=where)) == said
    monkeypatch.setenv("OPENAI_API_KEY", SHAPELESS)

    assert foreseen(Options(prompt="a", where=where)) == said


def test_a_key_that_is_missing_is_said_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, or typed this session."""
    asked = options(provider="zenlayer")
    assert foreseen(asked).endswith(" · ZENLAYER_API_KEY is not set")
    monkeypatch.setitem(keychain._typed, "ZENLAYER_API_KEY", Secret(SHAPELESS, "a test"))
    assert "is not set" not in foreseen(asked)
    monkeypatch.delitem(keychain._typed, "ZENLAYER_API_KEY")
    monkeypatch.setenv("ZENLAYER_API_KEY", SHAPELESS)

    assert "is not set" not in foreseen(asked)


def test_no_key_is_missed_where_that_of_the_environments_address_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """IMAGEGEN_API_KEY goes to IMAGEGEN_BASE_URL, whatever the provider there is called."""
    monkeypatch.setenv("IMAGEGEN_PROVIDER", "openai")
    monkeypatch.setenv("IMAGEGEN_BASE_URL", ELSEWHERE)
    assert foreseen(options()).endswith("OPENAI_API_KEY is not set")
    monkeypatch.setenv("IMAGEGEN_API_KEY", SHAPELESS)

    assert "is not set" not in foreseen(options())


def test_a_key_that_belongs_elsewhere_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be refused."""
    monkeypatch.setenv("OPENAI_API_KEY", SHAPELESS)

    with pytest.raises(errors.KeyMisdirected):
        foreseen(options(provider="openai", base_url=ELSEWHERE))


def test_what_a_model_refuses_is_foreseen() -> None:
    """As it would be refused; with force it has a price, or none."""
    with pytest.raises(errors.NotTaken, match="quality"):
        foreseen(options(provider="openai", model="dall-e-3", quality="low"))

    assert foreseen(options(provider="openai", model="dall-e-3", quality="low", force=True)).startswith("cost: ")


def test_a_key_among_the_options_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the environment looks like any word."""
    monkeypatch.setenv("OPENAI_API_KEY", SHAPELESS)

    with pytest.raises(errors.KeyInCell):
        foreseen(options(provider="sketch", user=SHAPELESS))


@pytest.mark.parametrize("image", ["not-there.png", of_value(picture(), "a.png")], ids=["path", "upload"])
def test_a_reference_is_counted_and_not_read(image: object) -> None:
    """It is named by a path that may not be there yet."""
    given: dict[str, Any] = {"provider": "xai", "model": "grok-imagine-image-2.0", "size": "auto", "quality": "low"}

    assert foreseen(options(**given)).startswith("cost: $0.0400")
    assert foreseen(options(**given, image=image)).startswith("cost: $0.0500")


def test_a_replay_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By option, setting or environment."""
    said = "mode replay: nothing is sent"
    assert foreseen(options(mode="replay", provider="openai")) == said
    monkeypatch.setenv("IMAGEGEN_MODE", "replay")
    assert foreseen(options(provider="openai")) == said
    assert foreseen(options(provider="opnai")) == said  # before anything that only matters to what is sent
    ImageGen.instance().mode = "live"

    assert foreseen(options(provider="openai")) != said


def test_the_destination_is_that_of_a_call(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is typed, else by what is set."""
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    assert destination(Where(), photograph()).base_url == gateway.url
    assert destination(Where(provider="sketch"), photograph()).embedded
    made = ig.generate("an otter", model="m")

    assert (made.record.call.base_url, made.record.model) == (gateway.url, "m")
    assert destination(Where(model="m"), photograph()).model.name == "m"


def test_a_provider_that_is_not_known_is_an_error() -> None:
    """With the one that may be meant."""
    with pytest.raises(errors.SettingsError, match="no provider 'opnai'"):
        foreseen(options(provider="opnai"))
