"""What the form sends, what a record fills it with, and the cell that asks for the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Gateway
from support.pictures import picture
from widgets.hands import ADDRESS, LAB, PARAMS, Hands

import jupyter_imagegen as ig
from jupyter_imagegen import errors
from jupyter_imagegen.celltext import as_cell
from jupyter_imagegen.draft import asked
from jupyter_imagegen.records import read
from jupyter_imagegen.settings import ImageGen, photograph

# --- what is sent


EVERY: dict[str, Any] = {
    "model": "m",
    "n": 2,
    "size": "64x48",
    "quality": "low",
    "seed": 7,
    "user": "me",
    "background": "opaque",
    "steps": 3,
    "tone": {"warm": True},
}


def test_the_form_sends_what_generate_sends(hands: Hands, served: Gateway) -> None:
    """The same body, the same hash, the same tags and note, in the same store."""
    texts = {"model": "m", "size": "64x48", "quality": "low", "seed": "7", "user": "me", "background": "opaque"}
    hands.field("Pictures").value = "2"
    hands.field(PARAMS).value = 'steps=3\ntone={"warm": true}'
    hands.type(tags="study, first", note="of two")
    hands.generate("an otter", **texts).ends()
    ig.generate("an otter", **EVERY, tags=["study", "first"], note="of two")
    first, second = read(photograph().store)

    assert json.loads(served.posts[0].body) == json.loads(served.posts[1].body)
    assert first.call.request_hash == second.call.request_hash
    assert (first.call.tags, first.call.note) == (second.call.tags, second.call.note)
    assert ig.history().request_hash.nunique() == 1


def test_the_form_spells_a_body_as_generate_does(hands: Hands, served: Gateway) -> None:
    """Byte for byte, where the fields are given in the form's own order."""
    hands.generate("an otter", model="m", size="64x48", seed="7").ends()
    ig.generate("an otter", model="m", size="64x48", seed=7)

    assert served.posts[0].body == served.posts[1].body


def test_a_replay_of_the_panel_sends_nothing(hands: Hands, served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request is shown from its record, another one is an error."""
    hands.generate("an otter", model="m").ends()
    monkeypatch.setenv("IMAGEGEN_MODE", "replay")
    row = hands.generate("an otter").ends()
    hands.type(prompt="a seal")
    hands.send()

    assert " · done · " in row.head
    assert row.picture
    assert hands.message.startswith("NotRecorded: ")
    assert len(served.posts) == 1


def test_the_setting_replay_holds_for_the_panel(hands: Hands, served: Gateway) -> None:
    """As %config ImageGen.mode sets it, also after the panel was shown."""
    hands.generate("an otter").ends()
    ImageGen.instance().mode = "replay"
    hands.generate("an otter").ends()

    assert len(served.posts) == 1


def test_a_picture_is_saved_where_the_form_says(hands: Hands, tmp_path: Path) -> None:
    """Byte for byte, beside the store."""
    hands.field("Also save to").value = "out.png"
    hands.generate().ends()

    assert (tmp_path / "out.png").read_bytes() == picture()


def test_what_is_too_dear_is_refused_in_the_panel(hands: Hands, served: Gateway) -> None:
    """A cost that is not known is above any limit."""
    hands.field("At most, US$").value = "0.5"
    hands.type(prompt="an otter")
    hands.send()

    assert hands.message.startswith("TooExpensive: ")
    assert served.asked == []


def test_an_empty_prompt_is_said_when_it_is_sent(hands: Hands) -> None:
    """Not before: everybody begins with one."""
    assert "prompt" not in hands.estimate
    hands.send()

    assert hands.message.startswith("PromptError: ")


# --- a form that a record fills


def test_the_form_of_a_call_has_its_settings(served: Gateway, open_panel: Any) -> None:
    """Its prompt, its model, its fields, also those that the form has no field for; sent again it is the same."""
    made = ig.generate("an otter", **EVERY, tags=["study"], note="first")
    hands = open_panel(made.record.id)
    texts = {label: hands.field(label).value for label in ("Prompt", "Pictures", "Size", "Seed", "Tags", "Note")}
    assert texts == {
        "Prompt": "an otter",
        "Pictures": "2",
        "Size": "64x48",
        "Seed": "7",
        "Tags": "study",
        "Note": "first",
    }
    hands.send()
    hands.rows[0].ends()

    assert json.loads(served.posts[0].body) == json.loads(served.posts[1].body)


def test_the_magic_fills_the_form_too(served: Gateway, shell: Any) -> None:
    """%imagegen_panel with an id."""
    made = ig.generate("an otter", seed=7)
    shell.run_line_magic("load_ext", "jupyter_imagegen")
    shell.user_ns["made"] = made
    shell.run_cell(f"shown = %imagegen_panel {made.record.id}").raise_error()
    hands = Hands(shell.user_ns["shown"])

    assert (hands.field("Prompt").value, hands.field("Seed").value) == ("an otter", "7")
    assert len(served.posts) == 1


@pytest.mark.parametrize("name", ["otter", "20261121T041500123456Z-9f3a2c1b"])
def test_what_names_no_call_fills_no_form(name: str) -> None:
    """It is an error in the cell that asks."""
    with pytest.raises(errors.OptionError, match="no call"):
        ig.panel(name)


def test_no_key_goes_to_an_address_that_only_a_record_names(
    gateway: Gateway, open_panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store may be somebody else's. The form shows the address, and says so; who types it sends the key there."""
    made = ig.generate("an otter", base_url=gateway.url)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-this-person")
    hands = open_panel(made.record.id)
    assert hands.field(ADDRESS).value == gateway.url
    assert f"to {gateway.url}, without a key, as only a record names it · " in hands.estimate
    hands.send()
    hands.rows[0].ends()
    assert "authorization" not in gateway.posts[1].headers
    hands.field(ADDRESS).value = f"{gateway.url}/"
    hands.send()
    hands.rows[0].ends()

    assert gateway.posts[2].headers["authorization"] == "Bearer key-of-this-person"


def test_a_provider_that_is_not_known_here_is_an_error_and_stays_one_choice(
    served: Gateway, open_panel: Any, tmp_path: Path
) -> None:
    """A record of another machine: the form goes on to work."""
    (tmp_path / "imagegen.toml").write_text(LAB.replace("https://lab.example/v1", served.url))
    made = ig.generate("an otter", provider="lab", size="8x8")
    hands = open_panel()
    (tmp_path / "imagegen.toml").unlink()
    hands.refresh()
    hands.open(0)
    hands.type(prompt="a walrus", seed="7")
    before = hands.panel._form.draft
    hands.press("Use these settings")
    assert hands.message.startswith("SettingsError: There is no provider 'lab'.")
    assert hands.panel._form.draft == before
    assert made.record.id
    hands.type(provider="")
    row = hands.generate("a seal").ends()

    assert " · done · a seal" in row.head


# --- the cell that asks for the same


def test_the_form_as_a_cell_is_the_cell_of_what_is_asked(hands: Hands) -> None:
    """The same text as for the same options anywhere."""
    hands.type(prompt="an otter", model="m", size="64x48", seed="7", tags="a, b")
    assert hands.cell == ""
    hands.press("As cell")

    assert hands.cell == as_cell(asked(hands.panel._form.draft))
    assert hands.cell.startswith("%%imagegen -m m -s 64x48 --seed 7 ")


def test_a_form_that_no_cell_can_say_is_told(hands: Hands) -> None:
    """A picture that was uploaded has no name yet."""
    hands.type(prompt="an otter")
    hands.upload(("a.png", picture()))
    hands.press("As cell")

    assert hands.cell == ""
    assert "Generate first" in hands.message


def test_the_cell_of_the_form_closes_when_the_form_changes(hands: Hands) -> None:
    """It would be the cell of something else; and it can be closed by hand."""
    hands.type(prompt="an otter")
    hands.press("As cell")
    assert hands.cell
    hands.type(prompt="a seal")
    assert hands.cell == ""
    hands.press("As cell")
    assert hands.cell.endswith("a seal")
    hands.press("Close the cell")

    assert hands.cell == ""


def test_a_cell_with_an_address_that_only_a_record_names_is_warned_of(gateway: Gateway, open_panel: Any) -> None:
    """In a cell it is an address that somebody typed, to which keys go; both of the form and of the picture."""
    made = ig.generate("an otter", base_url=gateway.url)
    hands = open_panel(made.record.id)
    hands.press("As cell")
    assert hands.message.startswith(f"Look at {gateway.url} before you run this cell")
    hands.field(ADDRESS).value = f"{gateway.url}/"
    hands.press("As cell")
    assert hands.message == ""
    hands.refresh()
    hands.open(0)
    hands.press("As cell", "jig-view")

    assert hands.message.startswith(f"Look at {gateway.url} before you run this cell")


@pytest.mark.parametrize("around", ["  ", "\\n", "\\t "])
def test_blanks_around_an_address_of_a_record_bring_it_no_key(
    gateway: Gateway, open_panel: Any, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    """Another hand may have written them, and a field of one line drops them."""
    made = ig.generate("an otter", base_url=gateway.url)
    for path in Path("imagegen", "journal").iterdir():
        path.write_text(path.read_text().replace(f'"{gateway.url}"', f'"{around}{gateway.url}{around}"'))
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-this-person")
    hands = open_panel(made.record.id)
    assert hands.field(ADDRESS).value.strip() == gateway.url
    hands.send()
    for row in hands.rows:
        row.ends()
    hands.field(ADDRESS).value = gateway.url
    hands.send()
    for row in hands.rows:
        row.ends()

    assert [each.headers.get("authorization") for each in gateway.posts[1:]] == [None] * len(hands.rows)
    assert hands.rows


def test_a_record_that_fills_the_form_leaves_how_it_is_asked(served: Gateway, open_panel: Any) -> None:
    """Mode, limits, and where it is saved are of this person and this moment."""
    made = ig.generate("an otter", timeout=70, max_cost=None)
    hands = open_panel()
    how = {"Timeout, s": "30", "At most, US$": "5", "Mode": "live", "Also save to": "figures/"}
    force = hands.field("Force: send it in any case")
    force.value = True
    for label, value in how.items():
        hands.field(label).value = value
    hands.panel.use_record(made.record)

    assert hands.field("Prompt").value == "an otter"
    assert {label: hands.field(label).value for label in how} == how
    assert force.value is True
    assert len(served.posts) == 1


def test_a_cell_that_changes_where_the_form_leads_is_seen_by_it(
    served: Gateway, open_panel: Any, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it has ended."""
    hands = open_panel()
    assert hands.estimate.startswith(f"to {served.url} · ")
    monkeypatch.delenv("IMAGEGEN_BASE_URL")
    monkeypatch.setenv("IMAGEGEN_PROVIDER", "sketch")
    shell.run_cell("1").raise_error()
    hands.settle()

    assert hands.estimate == "cost: nothing, it is embedded"
