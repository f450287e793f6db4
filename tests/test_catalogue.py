"""Providers and models as data, each row with its source and date."""

from __future__ import annotations

import datetime as dt
import re
from fnmatch import fnmatchcase

import pytest

from jupyter_imagegen.catalogue import CUSTOM, Catalogue, Model, Provider, load
from jupyter_imagegen.endpoint import normalised
from jupyter_imagegen.errors import SettingsError

ROWS = load()
MODELS = (*ROWS.models, *(model for provider in ROWS.providers for model in provider.models))


@pytest.mark.parametrize("row", [*ROWS.providers, *MODELS], ids=lambda row: row.name)
def test_every_row_has_a_source_and_a_date(row: Provider | Model) -> None:
    """Limits are data that can be checked and grow old."""
    assert row.source
    assert dt.date.fromisoformat(row.date) >= dt.date(2024, 1, 1)


@pytest.mark.parametrize("row", ROWS.providers, ids=lambda row: row.name)
def test_every_provider_can_be_called(row: Provider) -> None:
    """Its address is complete, its name makes a variable, and its default model is known."""
    assert normalised(row.base_url) == row.base_url
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*_API_KEY", row.key_variable)
    assert row.default_model is None or ROWS.model(row, row.default_model).source


def test_names_are_given_once() -> None:
    """No provider has two rows, no model two of one kind, and none is called custom."""
    names = [row.name for row in ROWS.providers]

    assert len(set(names)) == len(names)
    assert CUSTOM not in names
    assert len({model.name for model in ROWS.models}) == len(ROWS.models)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_every_size_is_one(row: Model) -> None:
    """Sizes are WxH or auto, and a limit of pictures is at least one."""
    assert all(re.fullmatch(r"auto|[1-9]\d*x[1-9]\d*", size) for size in row.sizes)
    assert row.max_n is None or row.max_n >= 1


@pytest.mark.parametrize("name", ["openai", "zenlayer", "sketch"])
def test_the_providers_of_this_version_are_there(name: str) -> None:
    """Those of the seeds that this version speaks to, and the embedded one."""
    assert ROWS.provider(name).name == name


def test_only_the_embedded_endpoint_needs_no_key() -> None:
    """What goes over the network to a house that sells pictures needs one."""
    assert [row.name for row in ROWS.providers if not row.needs_key] == ["sketch"]
    assert [row.name for row in ROWS.providers if row.embedded] == ["sketch"]


def test_the_embedded_address_can_never_exist() -> None:
    """RFC 2606 keeps .invalid free: a mistake sends nothing anywhere."""
    assert ROWS.provider("sketch").base_url == "http://sketch.invalid/v1"


@pytest.mark.parametrize(
    ("provider", "name", "max_n", "sizes"),
    [
        ("zenlayer", "gpt-image-2", 1, 3),
        ("openai", "gpt-image-2", 10, 7),
        ("openai", "gpt-image-2.5-flare", 10, 7),
        ("openai", "gpt-image-1", 10, 4),
        ("zenlayer", "gpt-image-1", 10, 4),
        ("openai", "gpt-image-1.5", 10, 4),
        ("openai", "dall-e-3", 1, 3),
        ("openai", "dall-e-2", 10, 3),
    ],
)
def test_a_gateways_own_limits_go_before_the_models(provider: str, name: str, max_n: int, sizes: int) -> None:
    """Zenlayer's gpt-image-2 takes one picture in three sizes; the same model elsewhere takes more."""
    row = ROWS.model(ROWS.provider(provider), name)

    assert (row.max_n, len(row.sizes)) == (max_n, sizes)


@pytest.mark.parametrize("name", ["flux-9", "GPT-IMAGE-2", "", None])
def test_nothing_is_known_of_an_unknown_model(name: str | None) -> None:
    """Unknown models pass unchecked."""
    row = ROWS.model(ROWS.provider("openai"), name)

    assert row == Model(name=name or "")


@pytest.mark.parametrize("row", ROWS.models, ids=lambda row: row.name)
def test_no_row_hides_behind_another(row: Model) -> None:
    """The first row that fits is used, so no pattern may stand before a name that it covers."""
    first = next(other for other in ROWS.models if fnmatchcase(row.name, other.name))

    assert first == row


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    """The error names the nearest and lists the rest."""
    with pytest.raises(SettingsError, match=r"There is no provider 'zenlayr'\. Did you mean 'zenlayer'") as caught:
        ROWS.provider("zenlayr")

    assert "openai" in caught.value.hint
    assert "--base-url" in caught.value.hint


@pytest.mark.parametrize(("name", "prefix"), [("openai", "OPENAI"), ("vllm-omni", "VLLM_OMNI")])
def test_a_providers_variables_are_made_of_its_name(name: str, prefix: str) -> None:
    """`vllm-omni` becomes VLLM_OMNI_API_KEY and VLLM_OMNI_BASE_URL."""
    row = Provider(name=name, base_url="https://h/v1")

    assert (row.key_variable, row.url_variable) == (f"{prefix}_API_KEY", f"{prefix}_BASE_URL")


def test_the_files_are_read_once() -> None:
    """The catalogue is one value."""
    assert isinstance(load(), Catalogue)
    assert load() is load()
