"""A key is in no widget of the panel, whose states a notebook may be saved with, wherever it was typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.canary import CANARIES, SHAPED, SHAPELESS, trace
from support.gateway import Gateway
from widgets.hands import ADDRESS, PARAMS, PATH, Hands, states

from jupyter_imagegen import keychain
from jupyter_imagegen.keys import Secret

FIELDS = (
    *("Prompt", "Model", "Pictures", "User", "Seed", "Tags", "Note", "Also save to", "Timeout, s", "At most, US$"),
    *("Fields to leave out", ADDRESS, PARAMS, PATH),
)


@pytest.fixture(autouse=True)
def empty_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was typed yet, and no keyring of this machine is asked."""
    monkeypatch.setattr(keychain, "_typed", {})
    monkeypatch.setitem(sys.modules, "keyring", None)


def test_a_key_that_is_missing_is_said_with_the_way_to_give_it(hands: Hands) -> None:
    """The variable; and that one cell asks for it, as a widget has no place for a key."""
    hands.type(provider="openai", prompt="an otter")
    hands.send()

    assert hands.message.startswith("KeyMissing: openai needs a key, and OPENAI_API_KEY is not set.")
    assert hands.message.endswith("that asks once, shows nothing, and the panel uses the answer.")
    assert hands.is_error


def test_a_key_that_a_cell_asked_for_is_used(
    served: Gateway, open_panel: Callable[[], Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And shown nowhere; it is not missed any more."""
    monkeypatch.setenv("ZENLAYER_BASE_URL", served.url)
    keychain._typed["ZENLAYER_API_KEY"] = Secret(SHAPELESS, "a test")
    hands = open_panel()
    hands.type(provider="zenlayer", model="m")
    assert "is not set" not in hands.estimate
    hands.generate().ends()

    assert served.posts[0].headers["authorization"] == f"Bearer {SHAPELESS}"
    assert trace(SHAPELESS, states()) == ""


@pytest.mark.parametrize("label", FIELDS)
def test_a_key_that_is_typed_into_a_field_is_refused_and_gone(hands: Hands, served: Gateway, label: str) -> None:
    """At once, with what to do; whatever field it was."""
    hands.type(prompt="an otter")
    hands.field(label).value = f"a {SHAPED}" if label == "Prompt" else SHAPED
    hands.send()

    assert hands.message.startswith("KeyInCell: ")
    assert trace(SHAPED, states()) == ""
    assert served.asked == []


def test_what_a_key_was_taken_out_of_is_sent_only_when_it_is_pressed_again(hands: Hands, served: Gateway) -> None:
    """The press that came with the key meant something else; the next one means what is shown."""
    hands.type(prompt="an otter", note=SHAPED)
    hands.send()
    assert (hands.rows, served.asked) == ([], [])
    hands.send()
    hands.rows[0].ends()

    assert len(served.posts) == 1
    assert hands.message == ""


@pytest.mark.parametrize("label", ["Prompt", "User", "Note"])
def test_a_refused_key_is_told(hands: Hands, label: str) -> None:
    """What it is, and that it may have to be revoked."""
    hands.field(label).value = f"a {SHAPED}"

    assert hands.message.startswith("KeyInCell: ")
    assert "revoke it" in hands.message
    assert hands.field(label).value == ""


@pytest.mark.parametrize("name", sorted(CANARIES))
@pytest.mark.parametrize("label", ["Prompt", "Note", PARAMS, PATH])
def test_a_key_of_the_environment_is_known_whatever_it_looks_like(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, label: str, name: str
) -> None:
    """Nothing but the environment says that it is one."""
    key = CANARIES[name]
    monkeypatch.setenv("OPENAI_API_KEY", key)
    hands.field(label).value = f"a={key}" if label == PARAMS else key

    assert hands.message.startswith("KeyInCell: ")
    assert trace(key, states()) == ""


def test_a_field_for_a_key_is_emptied(hands: Hands) -> None:
    """By its name: the key may look like any word."""
    hands.field(PARAMS).value = "api_key=otter-otter-otter"

    assert hands.message.startswith("KeyInCell: ")
    assert "otter-otter" not in states()


@pytest.mark.parametrize("address", ["https://me:otter-otter@h.example/v1", "https://h.example/v1?key=otter-otter"])
def test_an_address_with_a_password_is_emptied(hands: Hands, address: str) -> None:
    """It is an address only."""
    hands.field(ADDRESS).value = address

    assert hands.message.startswith("KeyInCell: ")
    assert "otter-otter" not in states()


@pytest.mark.parametrize("label", ["Search", "Save to"])
def test_a_key_that_is_typed_anywhere_else_is_gone_too(hands: Hands, tmp_path: Path, label: str) -> None:
    """What was sought, or a path to save to: nothing of that name is made."""
    hands.generate().ends()
    hands.refresh()
    hands.open(0)
    hands.field(label).value = SHAPED
    if label == "Save to":
        hands.press("Save")
    hands.settle()

    assert hands.message.startswith("KeyInCell: ")
    assert trace(SHAPED, states()) == ""
    assert not [path for path in tmp_path.rglob("*") if SHAPED in path.name]


@pytest.mark.parametrize("label", ["Tags of this picture", "Note on this picture"])
@pytest.mark.parametrize("key", [SHAPED, SHAPELESS])
def test_a_key_that_is_said_of_a_picture_is_refused_and_gone(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, label: str, key: str
) -> None:
    """It is in no widget and no journal, and what was said before stays."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", key)
    hands.generate().ends()
    hands.refresh()
    hands.open(0)
    hands.field(label).value = "an animal"
    hands.settle()
    hands.field(label).value = key
    hands.settle()

    assert hands.message.startswith("KeyInCell: ")
    assert hands.field(label).value == "an animal"
    assert trace(key, states()) == ""


def test_a_key_that_was_typed_this_session_is_known_whatever_it_looks_like(hands: Hands) -> None:
    """It is in no environment."""
    keychain._typed["OPENAI_API_KEY"] = Secret(SHAPELESS, "a test")
    hands.type(note=SHAPELESS)

    assert hands.message.startswith("KeyInCell: ")
    assert hands.field("Note").value == ""
    assert trace(SHAPELESS, states()) == ""


def test_a_key_in_a_record_of_somebody_else_is_not_told(three: Hands) -> None:
    """Its prompt may hold one: the state of a widget may be saved with another notebook."""
    for path in Path("imagegen", "journal").iterdir():
        path.write_bytes(path.read_bytes().replace(b"an otter", SHAPED.encode()))
    three.refresh()
    said = three.open(2)

    assert said[0].startswith("prompt: ")
    assert trace(SHAPED, "\n".join(said)) == ""
