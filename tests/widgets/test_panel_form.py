"""The form of the panel: the fields of each model, what is said of a call before it is made, and what is then sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.gateway import Gateway
from support.pictures import picture
from widgets.hands import LAB, PARAMS, PATH, Hands, until

from jupyter_imagegen.widgets import board

OF_ITS_OWN = "A price in your own imagegen.toml makes it known; a gateway has prices of its own."


def values(hands: Hands, label: str) -> list[str]:
    """What can be chosen in a field."""
    return [each if isinstance(each, str) else each[0] for each in hands.field(label).options]


# --- the fields of a model


def test_a_model_has_its_own_fields_with_their_values_and_its_default(hands: Hands) -> None:
    """What dall-e-3 takes, in the row's order, and what holds where nothing is chosen."""
    hands.type(provider="openai", model="dall-e-3")

    assert values(hands, "Quality") == ["default (standard)", "standard", "hd"]
    assert values(hands, "Style") == ["default (vivid)", "vivid", "natural"]
    assert values(hands, "Size") == ["default (1024x1024)", "1024x1024", "1792x1024", "1024x1792"]
    assert not hands.has("Background")
    assert not hands.has("Seed")


def test_a_size_that_a_rule_allows_can_be_typed(hands: Hands) -> None:
    """The values that are known are offered, and no more than that."""
    hands.type(provider="openai", model="gpt-image-2", size="1600x1200")

    assert hands.field("Size").placeholder == "default (auto)"
    assert hands.panel._form.draft.fields == (("size", "1600x1200"),)


def test_a_model_that_is_not_known_has_every_field_as_text(hands: Hands) -> None:
    """Nobody knows what it takes."""
    hands.type(model="of-tomorrow")

    for label in ("Size", "Quality", "Seed", "Background"):
        assert not getattr(hands.field(label), "options", ())
        hands.field(label).value = "any"


def test_what_was_typed_stays_where_the_next_model_has_the_same_field(hands: Hands) -> None:
    """Also the prompt; a value that the next model does not take is not carried over."""
    hands.type(prompt="an otter", provider="openai", model="gpt-image-1", user="me", quality="high")
    hands.type(model="gpt-image-1-mini")
    assert (hands.field("User").value, hands.field("Quality").value) == ("me", "high")
    hands.type(model="dall-e-3")

    assert (hands.field("Prompt").value, hands.field("User").value) == ("an otter", "me")
    assert hands.field("Quality").value == ""


def test_a_provider_of_a_persons_own_is_offered(hands: Hands, tmp_path: Path) -> None:
    """Its models, their sizes and their prices too, from the next choice on; what was typed stays meanwhile."""
    hands.type(user="me", seed="7")
    (tmp_path / "imagegen.toml").write_text(LAB)
    hands.type(model="any")
    assert (hands.field("User").value, hands.field("Seed").value) == ("me", "7")
    hands.type(provider="lab", model="")

    assert values(hands, "Size") == ["default", "8x8", "16x16"]
    assert values(hands, "Model") == ["house-1"]
    assert hands.estimate == "to https://lab.example/v1 · cost: $0.2500 (price list of 2026-11-21)"


def test_what_was_typed_stays_when_there_are_more_providers(hands: Hands, tmp_path: Path) -> None:
    """A list that grows shows its first entry for a moment, which is another provider with other fields."""
    rows = "".join(f'[[providers.lab.models]]\nname = "{name}"\ntakes = {{ tone = ["warm"] }}\n' for name in "ab")
    (tmp_path / "imagegen.toml").write_text(LAB + rows)
    hands.type(model="m")
    hands.type(provider="lab", model="a", tone="warm")
    (tmp_path / "imagegen.toml").write_text(f'{LAB + rows}[providers.annex]\nbase_url = "https://annex.example/v1"\n')
    hands.type(model="b")

    assert (hands.field("Provider").value, hands.field("Tone").value) == ("lab", "warm")
    assert "annex" in values(hands, "Provider")


def test_a_field_that_stays_is_not_made_anew(hands: Hands) -> None:
    """Nobody loses the place where they are typing."""
    hands.type(provider="openai", model="gpt-image-1")
    before = {label: hands.field(label) for label in ("User", "Quality")}
    hands.type(model="gpt-image-1-mini")

    assert {label: hands.field(label) for label in before} == before


def test_a_model_is_chosen_among_those_of_its_provider(hands: Hands) -> None:
    """No pattern of names is among them."""
    hands.type(provider="openai")

    assert "gpt-image-2" in values(hands, "Model")
    assert not any("*" in name for name in values(hands, "Model"))
    assert hands.field("Model").placeholder == "gpt-image-2"


def test_settings_that_cannot_be_meant_are_said_in_the_panel(hands: Hands, tmp_path: Path) -> None:
    """As in a cell; when they are put right, the form is there."""
    (tmp_path / "imagegen.toml").write_text("[providers.lab")
    hands.type(model="any")
    assert hands.is_error
    assert hands.message.startswith("SettingsError: ")
    (tmp_path / "imagegen.toml").unlink()
    hands.type(provider="openai", model="dall-e-3")

    assert hands.has("Style")


def test_the_fields_that_are_gone_are_gone_for_the_page_too(hands: Hands) -> None:
    """Another model, again and again, leaves no widget behind."""
    from ipywidgets.widgets.widget import _instances

    hands.type(provider="openai", model="dall-e-3")
    hands.type(model="gpt-image-2")
    before = len(_instances)
    for _ in range(5):
        hands.type(model="dall-e-3")
        hands.type(model="gpt-image-2")

    until(lambda: len(_instances) == before, "the end of the old fields")


# --- what is said before it is sent


def test_the_estimate_follows_the_fields(hands: Hands) -> None:
    """An amount with where it is from, for all pictures together, as soon as one can be told."""
    hands.type(provider="openai", model="gpt-image-1", size="1024x1024")
    assert hands.estimate == ("cost: unknown. It depends on size and quality: name both. · OPENAI_API_KEY is not set")
    hands.type(quality="low")
    assert hands.estimate.startswith("cost: $0.0110 (price list of ")
    hands.field("Pictures").value = "4"
    assert hands.estimate.startswith("cost: $0.0440 (price list of ")
    hands.field("Pictures").value = "12"

    assert hands.estimate.startswith("2 calls · cost: $0.1320")


def test_what_is_embedded_costs_nothing(hands: Hands) -> None:
    """It is said so, and not as an amount."""
    hands.type(provider="sketch")

    assert hands.estimate == "cost: nothing, it is embedded"


def test_a_gateway_says_where_it_is_asked_and_that_its_cost_is_unknown(hands: Hands, served: Gateway) -> None:
    """A form that a record has filled may lead anywhere."""
    assert hands.estimate == f"to {served.url} · cost: unknown. {OF_ITS_OWN}"


def test_what_a_model_refuses_is_said_before_it_is_sent(hands: Hands, served: Gateway) -> None:
    """Beside the button, and again when it is pressed; with the box ticked it goes."""
    hands.type(provider="openai", model="dall-e-3")
    hands.field(PARAMS).value = 'response_format="url"\noutput_format="png"'
    assert hands.estimate.startswith("dall-e-3 ")
    refused = hands.estimate
    hands.type(prompt="an otter")
    hands.send()

    assert hands.message.startswith(f"NotTaken: {refused}")
    assert hands.is_error
    assert (hands.rows, served.asked) == ([], [])
    hands.field("Force: send it in any case").value = True
    assert hands.estimate.startswith("cost: ")


def test_a_quality_of_another_model_is_refused_beside_the_button(hands: Hands) -> None:
    """dall-e-3 has no low quality: the form does not offer it, and a field that is typed is looked at as well."""
    hands.type(provider="openai", model="dall-e-3")
    hands.field(PARAMS).value = "quality=low"

    assert "low" not in values(hands, "Quality")
    assert "quality" in hands.estimate
    assert "low" in hands.estimate


def test_a_reference_adds_to_the_estimate(hands: Hands, tmp_path: Path) -> None:
    """Where its price is known; it is not read for that."""
    (tmp_path / "a.png").write_bytes(picture())
    hands.type(provider="xai", model="grok-imagine-image-2.0", size="auto", quality="low")
    before = hands.estimate
    hands.field(PATH).value = "a.png"

    assert before.startswith("cost: $0.0400")
    assert hands.estimate.startswith("cost: $0.0500")


def test_a_key_that_is_missing_is_said_by_its_variable(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no longer, once it is set."""
    hands.type(provider="zenlayer")
    assert hands.estimate.endswith(" · ZENLAYER_API_KEY is not set")
    monkeypatch.setenv("ZENLAYER_API_KEY", "of-this-test-0123456789")
    hands.type(note="anything")

    assert "is not set" not in hands.estimate


def test_in_a_replay_nothing_is_estimated(hands: Hands) -> None:
    """Nothing is sent."""
    hands.type(mode="replay")

    assert hands.estimate == "mode replay: nothing is sent"


def test_a_number_that_is_none_is_said_while_it_stands_there(hands: Hands) -> None:
    """In the words of the option."""
    hands.field("Pictures").value = "many"
    assert "-n takes" in hands.estimate
    hands.field("Pictures").value = ""

    assert hands.estimate.endswith(f"cost: unknown. {OF_ITS_OWN}")


@pytest.mark.parametrize("is_set", [True, False])
def test_a_provider_that_cannot_be_asked_yet_has_its_fields(
    open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch, *, is_set: bool
) -> None:
    """Its address is not set: that stands beside the button, and goes with the address."""
    if is_set:
        monkeypatch.setenv("IMAGEGEN_PROVIDER", "azure")
    hands = open_panel()
    hands.type(provider="" if is_set else "azure", model="gpt-image-1")
    assert "high" in values(hands, "Quality")
    assert "azure" in hands.estimate
    monkeypatch.setenv("AZURE_BASE_URL", "https://h.example")
    hands.type(note="anything")

    assert hands.estimate.startswith("to https://h.example · ")
    assert "high" in values(hands, "Quality")


def test_a_provider_that_is_set_and_not_known_is_said_beside_the_button(
    open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is there, and another one can be chosen."""
    monkeypatch.setenv("IMAGEGEN_PROVIDER", "no-such-one")
    hands = open_panel()
    assert "no-such-one" in hands.estimate
    hands.type(provider="sketch")

    assert hands.estimate == "cost: nothing, it is embedded"


def test_what_was_typed_comes_back_with_its_field(hands: Hands) -> None:
    """Also after a model that has none of that name."""
    hands.type(provider="openai", model="gpt-image-1", background="opaque")
    hands.type(model="dall-e-3")
    assert not hands.has("Background")
    hands.type(model="gpt-image-1")

    assert hands.field("Background").value == "opaque"


@pytest.mark.parametrize("depth", [500, 100_000])
def test_json_that_is_nested_too_deeply_is_said(hands: Hands, depth: int) -> None:
    """It stays in its field, and the panel lives."""
    deep = f"deep={'[' * depth}"
    hands.type(prompt="an otter")
    hands.field(PARAMS).value = deep
    assert not hands.estimate.startswith(("cost: ", "to "))
    hands.send()

    assert hands.is_error
    assert hands.field(PARAMS).value == deep


def test_a_defect_of_the_estimate_is_said_beside_the_button(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a callback raises, nobody sees."""

    def broken(_: object) -> str:
        message = "a defect"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(board, "foreseen", broken)
    hands.type(note="anything")

    assert hands.estimate == "a defect"


def test_an_error_is_gone_when_the_form_is_edited(hands: Hands) -> None:
    """It was of what stood there before."""
    hands.send()
    assert hands.is_error
    hands.type(prompt="an otter")

    assert (hands.message, hands.is_error) == ("", False)
