"""A person's own imagegen.toml: beside the notebook and in Jupyter's folder, laid over the catalogue."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support.gateway import Gateway

import jupyter_imagegen as ig
from jupyter_imagegen import config, errors
from jupyter_imagegen.settings import photograph

LAB = """
[providers.lab]
base_url = "{url}"
default_model = "house-1"
key_env = "LAB_KEY"
needs_key = true

[[providers.lab.models]]
name = "house-1"
max_n = 2
takes = {{ size = ["8x8", "16x16"] }}
defaults = {{ tone = "warm" }}
prices = [{{ usd = 0.25 }}]
prices_at = ["lab"]
"""


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter's folder of this person."""
    folder = tmp_path / "jupyter-config"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    return folder / config.NAME


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The file beside the notebook."""
    return tmp_path / config.NAME


def test_a_provider_of_ones_own_is_asked_as_its_row_says(
    gateway: Gateway, person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address, model, key, limits, defaults and price, like those of any other row."""
    person.write_text(LAB.format(url=gateway.url))
    monkeypatch.setenv("LAB_KEY", "a-key-of-the-lab")

    ig.generate("a cat", provider="lab", n=3, size="8x8", quiet=True)

    assert sorted((asked.json for asked in gateway.posts), key=lambda sent: sent["n"]) == [
        {"model": "house-1", "prompt": "a cat", "n": 1, "size": "8x8", "tone": "warm"},
        {"model": "house-1", "prompt": "a cat", "n": 2, "size": "8x8", "tone": "warm"},
    ]
    assert {asked.headers["authorization"] for asked in gateway.posts} == {"Bearer a-key-of-the-lab"}
    with pytest.raises(errors.NotTaken, match="16x16"):
        ig.generate("a cat", provider="lab", size="9x9")


def test_no_key_goes_where_only_a_file_beside_the_notebook_points(
    gateway: Gateway, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have come with the notebook; the environment can name the same address, and then it is trusted."""
    project.write_text(LAB.format(url=gateway.url))
    monkeypatch.setenv("LAB_KEY", "a-key-of-the-lab")

    with pytest.raises(errors.KeyMisdirected, match="lab"):
        ig.generate("a cat", provider="lab")
    assert gateway.asked == []

    monkeypatch.setenv("LAB_BASE_URL", gateway.url)
    ig.generate("a cat", provider="lab", quiet=True)
    assert gateway.posts[0].headers["authorization"] == "Bearer a-key-of-the-lab"


def test_a_file_beside_the_notebook_cannot_redirect_a_known_provider(
    gateway: Gateway, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of openai stays at home."""
    project.write_text(f'[providers.openai]\nbase_url = "{gateway.url}"\n')
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-openai")

    with pytest.raises(errors.KeyMisdirected, match=r"api\.openai\.com"):
        ig.generate("a cat", provider="openai")
    assert gateway.asked == []


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "LABKEY"])
def test_a_file_beside_the_notebook_cannot_take_the_key_of_another(project: Path, name: str) -> None:
    """The variable begins with the provider's own name there."""
    project.write_text(f'[providers.lab]\nbase_url = "http://127.0.0.1:9/v1"\nkey_env = "{name}"\n')

    with pytest.raises(errors.SettingsError, match="LAB_"):
        ig.generate("a cat", provider="lab")


def test_a_server_without_a_key_may_stand_beside_the_notebook(gateway: Gateway, project: Path) -> None:
    """Nothing is entrusted to it."""
    project.write_text(f'provider = "house"\n[providers.house]\nbase_url = "{gateway.url}"\n')

    ig.generate("a cat", quiet=True)

    assert ig.history()["provider"].tolist() == ["house"]
    assert "authorization" not in gateway.posts[0].headers


def test_the_project_goes_before_the_person_and_both_before_the_catalogue(person: Path, project: Path) -> None:
    """Key by key: what a file does not say stays as it was below."""
    person.write_text('model = "mine"\n[providers.zenlayer]\ndefault_model = "person"\n')
    project.write_text('provider = "zenlayer"\n[providers.zenlayer]\ndefault_model = "project"\n')

    rows = config.rows(photograph())
    row = rows.provider("zenlayer")

    assert (row.default_model, row.base_url) == ("project", "https://gateway.theturbo.ai/v1")
    assert [(layer.provider, layer.model) for layer in rows.layers[1:]] == [(None, "mine"), ("zenlayer", None)]


def test_a_model_of_the_catalogue_can_be_given_other_limits(gateway: Gateway, person: Path) -> None:
    """One's own gateway may take what the vendor does not."""
    person.write_text('[[models]]\nname = "gpt-image-1"\ntakes = { quality = ["ultra"] }\n')

    ig.generate("a cat", base_url=gateway.url, model="gpt-image-1", quality="ultra", quiet=True)

    with pytest.raises(errors.NotTaken, match="ultra"):
        ig.generate("a cat", base_url=gateway.url, model="gpt-image-1", quality="low")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[providers", "no TOML"),
        ("providers = 3", "no tables"),
        ("[providers]\nlab = 3", "no tables"),
        ("models = [3]", "no tables"),
        ("[providers.lab]\nmodels = 3", "models of a provider"),
        ("colour = 'red'", "colour"),
        ("[providers.lab]\nbase_ulr = 'x'", "Did you mean 'base_url'"),
        ("[providers.lab]\nneeds_key = 'yes'", "needs_key"),
        ("[[models]]\nname = 'm'\nmax_n = 'two'", "max_n"),
        ("[[models]]\nname = 'm'\nmaxn = 2", "Did you mean 'max_n'"),
        ("[[models]]\nmax_n = 2", "name"),
        ("[[providers.lab.models]]\nmax_n = 2", "name"),
        ("provider = 3", "provider"),
        ("[providers.lab]\nbase_url = 'no address'", "base_url|address|spaces"),
        ("[providers.lab]\nbase_url = 'http://u:secret@h/v1'", "user, password"),
        ("[providers.lab]\nbase_url = 'http://h'\ndialect = 'klingon'", "klingon"),
    ],
)
def test_a_file_that_cannot_be_meant_is_a_sentence(project: Path, text: str, said: str) -> None:
    """It names the file or the key, and nothing is sent."""
    project.write_text(text)

    with pytest.raises(errors.ImageGenError, match=said):
        ig.generate("a cat", provider="lab" if "lab" in text else None)


def test_a_file_that_cannot_be_read_is_a_sentence(project: Path) -> None:
    """Not UTF-8, or a folder in its place."""
    project.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.SettingsError, match="cannot be read"):
        ig.generate("a cat")

    project.unlink()
    project.mkdir()
    with pytest.raises(errors.SettingsError, match="cannot be read: it is no file"):
        ig.generate("a cat")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_the_place_of_a_file_hangs_nothing(project: Path) -> None:
    """It may have come with a notebook, and a form reads it while somebody types."""
    os.mkfifo(project)

    with pytest.raises(errors.SettingsError, match="cannot be read: it is no file"):
        config.rows(photograph())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[providers.sketch]\nbase_url = "{url}"', "may not change"),
        ("[providers.sketch]\nembedded = false", "may not change embedded"),
        ('[providers.openai]\nkey_header = "X-Key"', "may not change key_header"),
        ('[providers.openai]\nquery = {{ a = "b" }}', "may not change query"),
        ("[providers.mine]\nembedded = true", "may not change embedded"),
        ('[[models]]\nname = "gpt-image-2"\nprices = [{{ usd = 0 }}]', "may not set prices"),
        ('[[providers.openai.models]]\nname = "gpt-image-2"\nprices_at = ["openai"]', "may not set prices"),
    ],
)
def test_a_file_beside_the_notebook_cannot_say_what_others_cost_or_who_they_are(
    gateway: Gateway, project: Path, person: Path, text: str, said: str
) -> None:
    """--max-cost, and the sentence that nothing left this machine, must be true; one's own file may say so."""
    project.write_text(text.format(url=gateway.url))
    with pytest.raises(errors.SettingsError, match=said):
        ig.generate("a cat")
    assert gateway.asked == []

    person.write_text(project.read_text())
    project.unlink()
    assert len(config.rows(photograph()).layers) == 2


@pytest.mark.parametrize("row", ['providers.mine]\nbase_url = "http://h"\n', "[models]]\nname = 'm'\n"])
@pytest.mark.parametrize("name", ["prompt", "model"])
def test_a_default_never_replaces_what_was_typed(project: Path, row: str, name: str) -> None:
    """Nobody would see that another prompt was sent."""
    project.write_text(f"[{row}defaults = {{ {name} = 'another' }}\n")

    with pytest.raises(errors.SettingsError, match=f"may not hold {name}"):
        ig.generate("a cat")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[models]]\nname = 'm'\nmax_n = 0", "max_n"),
        ("[[models]]\nname = 'm'\nimages = -1", "images"),
        ("[providers.mine]\nkey_header = 'X-Schlüssel'", "key_header"),
        ("[providers.mine]\nkey_header = 'Bad Header'", "key_header"),
    ],
)
def test_a_row_that_could_not_be_sent_is_refused(project: Path, text: str, said: str) -> None:
    """Before a call is written down that cannot be made."""
    project.write_text(text)

    with pytest.raises(errors.SettingsError, match=said):
        ig.generate("a cat")


def test_a_key_in_a_file_is_refused_as_one(project: Path) -> None:
    """It would lie beside the notebook, and travel with it."""
    project.write_text("[providers.mine]\napi_key = 'sk-not-shown-1234567890'\n")

    with pytest.raises(errors.KeyInCell, match="never stands in a file") as caught:
        ig.generate("a cat")
    assert "1234567890" not in str(caught.value)


def test_a_provider_that_only_a_file_names_is_said(gateway: Gateway, project: Path) -> None:
    """The file may have come with the notebook."""
    project.write_text(f'provider = "house"\n[providers.house]\nbase_url = "{gateway.url}"\n')

    assert "(provider house, named in imagegen.toml)" in repr(ig.generate("a cat"))


def test_a_key_is_not_asked_for_where_no_address_is_its_own(
    gateway: Gateway, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed at a prompt is a key like any other."""
    asked: list[str] = []
    monkeypatch.setattr("jupyter_imagegen.keychain.ask", lambda variable, _: asked.append(variable))
    project.write_text(f'[providers.house]\nbase_url = "{gateway.url}"\nneeds_key = true\n')

    for provider, url in (("house", None), ("azure", gateway.url)):
        with pytest.raises(errors.KeyMisdirected):
            ig.generate("a cat", model="m", provider=provider, base_url=url)
    assert (asked, gateway.asked) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "x=" + "[" * 5000 + "]" * 5000,
        "[[models]]\nname='m'\nmax_n = " + "9" * 5000,
        "[[models]]\nname='m'\ndefaults = { x = 2020-01-01 }",
        "[[models]]\nname='m'\ndefaults = { x = nan }",
        "[[models]]\nname='m'\ndefaults = { api_key = 'x' }",
        "[[models]]\nname='gpt-image-2'\nunsaid = { quality = 'low' }",
    ],
    ids=["brackets", "digits", "a date", "nan", "a key", "what decides the price"],
)
def test_a_file_of_any_kind_is_read_or_refused(project: Path, text: str) -> None:
    """Nothing but a sentence comes of it."""
    project.write_text(text)

    with pytest.raises(errors.ImageGenError):
        ig.generate("a cat")


def test_a_default_may_be_an_object(gateway: Gateway, project: Path) -> None:
    """Of any depth, as the body may be."""
    project.write_text("[[models]]\nname='m'\ndefaults = { x = { a = [{ b = 1 }] } }")

    ig.generate("a cat", base_url=gateway.url, model="m", quiet=True)

    assert gateway.posts[0].json["x"] == {"a": [{"b": 1}]}
