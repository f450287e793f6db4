"""Providers and models as data, each row with its source and date, and a person's own rows laid over them."""

from __future__ import annotations

import datetime as dt
import re
from fnmatch import fnmatchcase
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

import pytest
from support.interpreters import ROOT

from jupyter_imagegen import dialects
from jupyter_imagegen.catalogue import CUSTOM, Catalogue, Model, Provider, SizeRule, load, over
from jupyter_imagegen.endpoint import normalised
from jupyter_imagegen.errors import SettingsError

ROWS = load()
LAYER = ROWS.layers[0]
WRITTEN = tuple(ROWS.rows)
MODELS = tuple(model for _, model in WRITTEN)
OF_ANY = tuple(model for at, model in WRITTEN if at is None)
IDS = tuple(f"{at or 'any'}:{model.name}" for at, model in WRITTEN)

DIALECTS = tuple(module.name for module in iter_modules(dialects.__path__))
HOSTED = ("openai", "zenlayer", "quickrouter", "ark", "byteplus", "xai", "together", "azure")
OWN = ("localai", "vllm-omni", "sglang", "sdcpp", "litellm")


def at(provider: str, model: str) -> Model:
    """What is known of a model at a provider."""
    return ROWS.model(ROWS.provider(provider), model)


def laid(text: str, *, is_trusted: bool = True) -> Catalogue:
    """The catalogue with a file of this text over it."""
    return over(ROWS, text, "imagegen.toml", is_trusted=is_trusted)


# --- the rows of this package


@pytest.mark.parametrize("row", [*ROWS.providers, *MODELS], ids=lambda row: row.name)
def test_every_row_has_a_source_and_a_date(row: Provider | Model) -> None:
    """Limits are data that can be checked and grow old."""
    assert row.source
    assert dt.date.fromisoformat(row.date) >= dt.date(2024, 1, 1)


@pytest.mark.parametrize("row", ROWS.providers, ids=lambda row: row.name)
def test_every_provider_can_be_called(row: Provider) -> None:
    """Its address is complete, its name makes a variable, its dialect is there and its default model is known."""
    assert (normalised(row.base_url) == row.base_url) if row.base_url else row.name == "azure"
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*_API_KEY", row.key_variable)
    assert row.home == row.base_url
    assert row.dialect in (None, *DIALECTS)
    assert row.default_model is None or ROWS.model(row, row.default_model).source


def test_the_providers_are_those_that_are_promised() -> None:
    """The hosted ones need a key, the servers of one's own and the embedded one need none."""
    assert {row.name for row in ROWS.providers if row.needs_key} == set(HOSTED)
    assert {row.name for row in ROWS.providers if not row.needs_key} == {*OWN, "sketch"}
    assert [row.name for row in ROWS.providers if row.embedded] == ["sketch"]


def test_names_are_given_once() -> None:
    """No provider has two rows, no model two at one place, and none is called custom."""
    assert len(set(ROWS.names)) == len(ROWS.names)
    assert CUSTOM not in ROWS.names
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("name", OWN)
def test_a_server_of_ones_own_is_asked_on_this_machine(name: str) -> None:
    """At the port of its documents, in OpenAI's dialect whatever a model's maker speaks."""
    row = ROWS.provider(name)

    assert re.fullmatch(r"http://localhost:\d+/v1", row.base_url)
    assert row.dialect == "openai"


def test_the_embedded_address_can_never_exist() -> None:
    """RFC 2606 keeps .invalid free: a mistake sends nothing anywhere."""
    assert ROWS.provider("sketch").base_url == "http://sketch.invalid/v1"


@pytest.mark.parametrize(("where", "row"), WRITTEN, ids=IDS)
def test_every_row_is_of_one_piece(where: str | None, row: Model) -> None:
    """Sizes are sizes, a range has two ends, prices hold somewhere, and the dialect is one that is spoken here."""
    assert all(
        re.fullmatch(r"auto|adaptive|[1-9][\d.]*K|[1-9]\d*x[1-9]\d*", size) for size in row.takes.get("size", ())
    )
    assert all(low < high for low, high in row.ranges.values())
    assert row.max_n is None or row.max_n >= 1
    assert bool(row.prices or row.tokens) <= bool(row.prices_at)
    assert set(row.prices_at) <= set(ROWS.names)
    assert row.dialect in (None, *DIALECTS)
    assert not set(row.refuses) & {*row.takes, *row.ranges, *row.defaults}, where


@pytest.mark.parametrize("row", [row for row in MODELS if row.retired], ids=lambda row: row.name)
def test_every_day_of_retirement_is_one(row: Model) -> None:
    """And what is named as successor is a model that is still served."""
    assert dt.date.fromisoformat(row.retired) >= dt.date(2026, 1, 1)
    assert not row.successor or not next(other for other in OF_ANY if other.name == row.successor).retired


@pytest.mark.parametrize("row", OF_ANY, ids=lambda row: row.name)
def test_no_row_hides_behind_another(row: Model) -> None:
    """The first row that fits is used, so no pattern may stand before a name that it covers."""
    for pattern in (row.name, *row.also):
        first = next(other for other in OF_ANY if any(fnmatchcase(pattern, one) for one in (other.name, *other.also)))
        assert first.name == row.name, pattern


@pytest.mark.parametrize(
    ("provider", "name", "max_n", "sizes"),
    [
        ("zenlayer", "gpt-image-2", 1, 3),
        ("openai", "gpt-image-2", 10, 7),
        ("openai", "gpt-image-2-2026-04-21", 10, 7),
        ("openai", "gpt-image-2.5-flare", 10, 7),
        ("openai", "gpt-image-2.5-sunburst-2026-09-08", 10, 7),
        ("openai", "gpt-image-1", 10, 4),
        ("zenlayer", "gpt-image-1", 10, 4),
        ("quickrouter", "gpt-image-1.5", 10, 4),
        ("openai", "dall-e-3", 1, 3),
        ("openai", "dall-e-2", 10, 3),
        ("ark", "doubao-seedream-4-5-251128", 1, 6),
        ("byteplus", "seedream-4-5-251128", 1, 6),
        ("byteplus", "seedream-5-0-lite-260128", 1, 7),
        ("byteplus", "dola-seedream-5-0-pro-260628", 1, 6),
        ("byteplus", "dola-seedream-5-5-261028", 1, 0),
        ("localai", "dall-e-3", None, 0),
        ("litellm", "dall-e-3", 1, 3),
        ("sketch", "dall-e-3", 1, 3),
    ],
)
def test_a_providers_own_limits_go_before_the_models(provider: str, name: str, max_n: int | None, sizes: int) -> None:
    """Zenlayer's gpt-image-2 takes one picture in three sizes; the same model elsewhere takes more."""
    row = at(provider, name)

    assert (row.max_n, len(row.takes.get("size", ()))) == (max_n, sizes)


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("doubao-seedream-4-0-250828", "seedream"),
        ("doubao-seedream-9-0-990101", "seedream"),
        ("seedream-5-0-260128", "seedream"),
        ("doubao-seededit-3-0-i2i-250628", "seedream"),
        ("grok-imagine-image-2.0", "xai"),
        ("grok-imagine-image-9", "xai"),
        ("black-forest-labs/FLUX.2-dev", "together"),
        ("gpt-image-2", None),
        ("anything", None),
    ],
)
def test_behind_a_gateway_a_model_is_asked_in_its_makers_words(name: str, dialect: str | None) -> None:
    """Where the provider has no dialect of its own, the model's row has one; OpenAI's need none."""
    assert ROWS.provider("zenlayer").dialect is None
    assert at("zenlayer", name).dialect == dialect


def test_zenlayer_takes_three_sizes_and_no_others() -> None:
    """Its row takes the rule for other sizes away, and leaves what it does not speak of."""
    row = at("zenlayer", "gpt-image-2")

    assert row.size_rule is None
    assert row.takes["quality"] == ("low", "medium", "high")
    assert row.takes["moderation"] == at("openai", "gpt-image-2").takes["moderation"]


def test_quickrouter_gets_what_its_page_requires() -> None:
    """The page documents n and size as required, and prompts of a thousand characters."""
    assert dict(ROWS.provider("quickrouter").defaults) == {"n": 1, "size": "auto"}
    assert at("quickrouter", "gpt-image-1.5").prompt_chars == 1000


def test_azure_is_asked_in_its_own_way() -> None:
    """Its key has a header of its own, its addresses a version, and each customer an address."""
    row = ROWS.provider("azure")

    assert (row.base_url, row.key_header) == ("", "api-key")
    assert set(row.query) == {"api-version"}


def test_seedream_answers_with_the_picture_itself() -> None:
    """Its URLs are gone after a day, so the picture is asked for in the answer; nothing else is sent unasked."""
    defaults = {row.name: dict(row.defaults) for row in OF_ANY if row.defaults}

    assert set(map(str, defaults.values())) == {str({"response_format": "b64_json"})}
    assert {name for name in defaults if "seed" not in name} == set()


@pytest.mark.parametrize("name", ["gpt-image-2", "dall-e-3", "sketch", "doubao-seedream-4-0-250828", "anything"])
def test_sketch_refuses_no_field_and_costs_nothing(name: str) -> None:
    """It stands in for other houses' models, and takes its own fields with any of them."""
    row = at("sketch", name)

    assert (row.refuses, row.needs, row.tokens) == ((), (), None)
    assert row.prices == (MappingProxyType({"usd": 0}),)
    assert row.prices_at == ("sketch",)


@pytest.mark.parametrize("name", ["flux-9", "GPT-IMAGE-2", "", None])
def test_nothing_is_known_of_an_unknown_model(name: str | None) -> None:
    """Unknown models pass unchecked."""
    row = ROWS.model(ROWS.provider("openai"), name)

    assert row == Model(name=name or "")


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


@pytest.mark.parametrize("row", MODELS, ids=IDS)
def test_a_row_cannot_be_changed(row: Model) -> None:
    """Rows are shared by all calls: no table and no list in them is one that could be written to."""

    def unchangeable(value: Any) -> bool:
        match value:
            case MappingProxyType():
                return all(map(unchangeable, value.values()))
            case tuple():
                return all(map(unchangeable, value))
            case _:
                return not isinstance(value, dict | list | set)

    assert all(unchangeable(getattr(row, name)) for name in Model.__slots__)


# --- rows of a person's own

PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
def test_the_examples_of_the_documents_are_files_that_can_be_laid_over(text: str) -> None:
    """As they stand there, trusted or not."""
    for is_trusted in (True, False):
        found = laid(text, is_trusted=is_trusted)
        assert found.names[: len(ROWS.names)] == ROWS.names
        assert len(tuple(found.rows)) > len(WRITTEN)


@pytest.mark.parametrize(("heading", "kind"), [("### A provider", Provider), ("### A model", Model)])
def test_the_documents_name_every_key_of_a_row(heading: str, kind: type[Provider | Model]) -> None:
    """And none that means nothing."""
    table = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0]
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)))

    assert sorted(named) == sorted(
        {*kind.__slots__, "models"} - {"home"} - ({"name"} if kind is Provider else {"models"})
    )


def test_a_persons_rows_are_laid_over_key_by_key() -> None:
    """What a file does not speak of stays as it was, inside a table too."""
    found = laid('[[models]]\nname = "gpt-image-2"\nmax_n = 2\ntakes.quality = ["low"]')
    row = found.model(found.provider("openai"), "gpt-image-2")

    assert (row.max_n, row.takes["quality"]) == (2, ("low",))
    assert row.takes["size"] == at("openai", "gpt-image-2").takes["size"]


def test_false_takes_a_table_or_a_number_away() -> None:
    """And it stays an answer where the question is one of yes or no."""
    text = '[[models]]\nname = "dall-e-3"\nmax_n = false\ntakes = false\nmask = false\nrefuses = false'
    found = laid(text)
    row = found.model(found.provider("openai"), "dall-e-3")

    assert (row.max_n, dict(row.takes), row.refuses, row.mask) == (None, {}, (), False)
    assert row.dialect == at("openai", "dall-e-3").dialect


def test_a_value_of_false_is_kept_inside_a_table() -> None:
    """`watermark = false` is what is wanted there."""
    found = laid('[[models]]\nname = "doubao-seedream-*"\ndefaults = { watermark = false }')
    row = found.model(found.provider("ark"), "doubao-seedream-4-0-250828")

    assert dict(row.defaults) == {"response_format": "b64_json", "watermark": False}


def test_a_rule_without_conditions_is_a_rule() -> None:
    """It allows any size, unlike none, which leaves the listed ones alone."""
    assert at("openai", "gpt-image-2.6-flare").size_rule == SizeRule()


@pytest.mark.parametrize(("is_trusted", "home"), [(True, "https://h.example/v1"), (False, "https://api.openai.com/v1")])
def test_the_home_of_a_key_is_that_of_a_trusted_file(*, is_trusted: bool, home: str) -> None:
    """A file that came with a notebook may name another address, and no key goes there."""
    found = laid('[providers.openai]\nbase_url = "https://h.example/v1"', is_trusted=is_trusted).provider("openai")

    assert (found.base_url, found.home) == ("https://h.example/v1", home)
    assert found.default_model == "gpt-image-2"


def test_a_provider_of_a_file_that_is_not_trusted_has_no_home() -> None:
    """Its address is known, and no key belongs to it."""
    found = laid('[providers.mine]\nbase_url = "https://h.example/v1"', is_trusted=False).provider("mine")

    assert (found.base_url, found.home) == ("https://h.example/v1", "")


def test_a_file_that_is_not_trusted_names_no_variable_of_another_house() -> None:
    """Or a notebook could have any variable sent to any address."""
    text = '[providers.mine]\nbase_url = "https://h.example/v1"\nkey_env = "OPENAI_API_KEY"'

    assert laid(text).provider("mine").key_variable == "OPENAI_API_KEY"
    with pytest.raises(SettingsError, match=r"the key variable of mine must begin with MINE_\."):
        laid(text, is_trusted=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", r"imagegen\.toml is no TOML: "),
        ("a = 1", r"imagegen\.toml has 'a', which means nothing there\."),
        ("providers = 1", r"no tables where \[providers\.NAME\] or \[\[models\]\] should be"),
        ("models = 1", r"no tables where"),
        ("models = [1]", r"no tables where"),
        ("providers.a = 1", r"no tables where"),
        ("providers.a.models = 1", r"the models of a provider are \[\[providers\.NAME\.models\]\]"),
        ("providers.a.models = [1]", r"the models of a provider are"),
        ("provider = 1", r"imagegen\.toml: provider is a name in quotes\."),
        ("model = ['a']", r"imagegen\.toml: model is a name in quotes\."),
        ("[[models]]\nmax_n = 1", r"imagegen\.toml has a model without a name\."),
        ("[[models]]\nname = 1", r"without a name"),
        ("[[models]]\nname = 'a'\nalso = 'b'", r"without a name"),
        ("[[models]]\nname = 'a'\nalso = [1]", r"without a name"),
        ("[[providers.openai.models]]\nmax_n = 1", r"without a name"),
        ("[[models]]\nname = 'a'\nmaxn = 1", r"imagegen\.toml: 'a' has 'maxn'\. Did you mean 'max_n'"),
        (
            "[[models]]\nname = 'a'\nsize_rule.multiple = 8",
            r"size_rule of 'a' has 'multiple'\. Did you mean 'multiple_of'",
        ),
        ("[[models]]\nname = 'a'\ntokens.text = 8", r"tokens of 'a' has 'text'\. Did you mean"),
        ("[[models]]\nname = 'a'\nmax_n = 'b'", r"imagegen\.toml: 'a': Expected `int \| null`, got `str`"),
        ("[[models]]\nname = 'a'\ntakes.size = 'b'", r"Expected `array`, got `str`"),
        (
            "[[models]]\nname = 'a'\nprices = [{ usd = 'b' }]",
            r"prices of 'a': usd and most_pixels are numbers from 0\.",
        ),
        ("[[models]]\nname = 'a'\nprices = [{ usd = -1 }]", r"prices of 'a'"),
        ("[[models]]\nname = 'a'\nneeds = [{ stream = true }]", r"needs of 'a': each row has a `field`\."),
        ("[providers.a]\nbase_ur = 'b'", r"imagegen\.toml: 'a' has 'base_ur'\. Did you mean 'base_url'"),
        ("[providers.a]\nbase_url = 1", r"imagegen\.toml: 'a': Expected `str`"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_place(text: str, message: str) -> None:
    """A limit that is misspelt would be one that is not there."""
    with pytest.raises(SettingsError, match=message):
        laid(text)
