"""Where a call goes, and the one key that may go with it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import load
from jupyter_imagegen.endpoint import Endpoint, key_for, normalised, origin, resolve
from jupyter_imagegen.errors import ImageGenError, KeyInCell, KeyMisdirected, KeyMissing, SettingsError
from jupyter_imagegen.keychain import find
from jupyter_imagegen.settings import Settings, Where

OPENAI = "https://api.openai.com/v1"
ELSEWHERE = "https://elsewhere.example/v1"


def settings(environ: dict[str, str], traits: Where | None = None) -> Settings:
    """Settings of a session with this environment."""
    return Settings(
        traits=traits or Where(),
        environment=Where(
            provider=environ.get("IMAGEGEN_PROVIDER"),
            base_url=environ.get("IMAGEGEN_BASE_URL"),
            model=environ.get("IMAGEGEN_MODEL"),
        ),
        store=Path("imagegen"),
        inline="preview",
        mode="live",
        timeout_s=900,
        notebook=None,
        project=Path(),
        person=Path(),
    )


def choose(typed: Where | None = None, traits: Where | None = None, **environ: str) -> Endpoint:
    """The endpoint for what was typed, configured and exported."""
    return resolve(typed or Where(), settings(environ, traits), environ, load())


def key(typed: Where | None = None, traits: Where | None = None, **environ: str) -> str | None:
    """The key that would be sent there."""
    environment = settings(environ, traits).environment
    found = key_for(choose(typed, traits, **environ), environment, environ, partial(find, environ=environ))
    return None if found is None else found.reveal()


# --- addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/v1", "https://h/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("https://h/v1///", "https://h/v1"),
        ("https://h", "https://h/v1"),
        ("https://h/", "https://h/v1"),
        ("h", "https://h/v1"),
        ("h:8080", "https://h:8080/v1"),
        ("localhost:8080/v1", "http://localhost:8080/v1"),
        ("http://localhost:8080/api", "http://localhost:8080/api"),
        ("https://h/v1/images/generations", "https://h/v1"),
        ("https://h/v1/images/generations/", "https://h/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://[2001:db8::1]/v1", "http://[2001:db8::1]/v1"),
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("HTTPS://H/v1", "https://H/v1"),
        ("https://müller.example/v1", "https://müller.example/v1"),
    ],
)
def test_a_base_url_is_completed(url: str, expected: str) -> None:
    """A missing scheme is https, a missing path /v1; slashes at the end and the endpoint's own path go."""
    assert normalised(url) == expected


@held
@given(st.from_regex(r"(https?://)?[a-z]{1,8}(:[1-9][0-9]{0,3})?(/[a-z0-9]{0,4}){0,3}/?", fullmatch=True))
def test_a_completed_base_url_is_complete(url: str) -> None:
    """What is recorded as base_url is taken as it is when it is given again."""
    assert normalised(normalised(url)) == normalised(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://host:99999",
        "http://host:port",
        "http://host:-1",
        "http://[",
        "http://[::1",
        "http://]",
        "http://[not-an-address]/v1",
        "http://",
        "https:///v1",
        "http:/host/v1",
        "//host/v1",
        "/v1",
        "",
        ":",
        "ftp://host/v1",
        "file:///etc/passwd",
        "data:image/png,x",
        "http://a host/v1",
        "http://host/v1\n",
        "\thttp://host",
        "http://host\x00/v1",
    ],
)
def test_what_is_no_http_address_is_refused(url: str) -> None:
    """Each is a SettingsError before anything is sent, never an error of the URL library."""
    with pytest.raises(SettingsError):
        normalised(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:sekret@host/v1",
        "https://sekret@host/v1",
        "me:sekret@host/v1",
        "https://host/v1?key=sekret",
        "https://host/v1#sekret",
        "https://api.openai.com\\@sekret.example/v1",
    ],
)
def test_a_base_url_carries_no_credentials(url: str) -> None:
    """A user, a password, a query or a fragment would go into the record: refused, and not repeated."""
    with pytest.raises(KeyInCell) as caught:
        normalised(url)

    assert "sekret" not in "\n".join(caught.value.lines())


@held
@given(st.text() | st.text("htps:/[]@?#.1v%\\").map("http://{}".format))
def test_any_text_is_an_address_or_is_refused(url: str) -> None:
    """No text makes anything but a base URL or an error of this package."""
    try:
        found = normalised(url)
    except ImageGenError:
        return
    assert origin(found).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://H.example/v1", "https://h.example:443"),
        ("https://h.example:443/other", "https://h.example:443"),
        ("http://h.example/v1", "http://h.example:80"),
        ("http://h.example:8080", "http://h.example:8080"),
        ("http://h.example:0", "http://h.example:0"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    """Two spellings of one origin are equal; another scheme or port is another origin."""
    assert origin(url) == expected


@pytest.mark.parametrize("url", ["http://[", "http://h:99999", "ftp://h", "h"])
def test_what_has_no_origin_is_refused(url: str) -> None:
    """Nothing is compared with an origin that is none."""
    with pytest.raises(SettingsError, match="is not an http or https address"):
        origin(url)


# --- which endpoint


def test_with_nothing_set_the_embedded_endpoint_paints_and_says_so() -> None:
    """Without a provider and a key it is sketch, and the note says why."""
    chosen = choose()

    assert (chosen.provider.name, chosen.embedded) == ("sketch", True)
    assert "no provider or key is set" in chosen.note


def test_with_only_openais_key_it_is_openai_and_says_so() -> None:
    """OPENAI_API_KEY alone chooses openai, and the note says why."""
    chosen = choose(OPENAI_API_KEY="k")

    assert (chosen.provider.name, chosen.base_url) == ("openai", OPENAI)
    assert "OPENAI_API_KEY is set" in chosen.note


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_variable_sets_nothing(blank: str) -> None:
    """An export of nothing chooses no provider, no address and no key."""
    chosen = choose(OPENAI_API_KEY=blank, OPENAI_BASE_URL=blank)

    assert chosen.provider.name == "sketch"
    assert choose(Where(provider="openai"), OPENAI_BASE_URL=blank).base_url == OPENAI
    with pytest.raises(KeyMissing):
        key(Where(provider="openai"), OPENAI_API_KEY=blank)


@pytest.mark.parametrize(
    ("typed", "traits", "environ", "expected"),
    [
        (Where(provider="openai"), Where(provider="zenlayer"), {"IMAGEGEN_PROVIDER": "sketch"}, "openai"),
        (Where(), Where(provider="zenlayer"), {"IMAGEGEN_PROVIDER": "sketch"}, "zenlayer"),
        (Where(), Where(), {"IMAGEGEN_PROVIDER": "zenlayer"}, "zenlayer"),
        (Where(base_url=ELSEWHERE), Where(provider="zenlayer"), {}, "custom"),
        (Where(), Where(base_url=ELSEWHERE), {"IMAGEGEN_PROVIDER": "openai"}, "custom"),
        (Where(), Where(), {"IMAGEGEN_BASE_URL": ELSEWHERE}, "custom"),
        (Where(provider="custom", base_url=ELSEWHERE), Where(), {}, "custom"),
    ],
)
def test_option_goes_before_config_before_environment(
    typed: Where, traits: Where, environ: dict[str, str], expected: str
) -> None:
    """The first level that names a provider or an address decides both."""
    assert choose(typed, traits, **environ).provider.name == expected


def test_no_two_levels_are_mixed_into_one_address() -> None:
    """A provider that is typed does not go to the address of the environment."""
    chosen = choose(Where(provider="openai"), Where(base_url=ELSEWHERE), IMAGEGEN_BASE_URL=ELSEWHERE)

    assert chosen.base_url == OPENAI


@pytest.mark.parametrize(
    ("typed", "traits", "environ", "expected"),
    [
        (Where(model="a"), Where(model="b"), {"IMAGEGEN_MODEL": "c"}, "a"),
        (Where(), Where(model="b"), {"IMAGEGEN_MODEL": "c"}, "b"),
        (Where(), Where(), {"IMAGEGEN_MODEL": "c"}, "c"),
        (Where(provider="openai"), Where(), {}, "gpt-image-2"),
        (Where(base_url=ELSEWHERE), Where(), {}, ""),
    ],
)
def test_the_model_follows_the_same_order(typed: Where, traits: Where, environ: dict[str, str], expected: str) -> None:
    """Option, then config, then environment, then the provider's default; a typed address has none."""
    assert choose(typed, traits, **environ).model.name == expected


def test_a_pattern_row_keeps_the_name_that_was_asked() -> None:
    """The catalogue's row for gpt-image-1* is used under the model's own name."""
    chosen = choose(Where(provider="openai", model="gpt-image-1-mini"))

    assert (chosen.model.name, chosen.model.max_n) == ("gpt-image-1-mini", 10)


def test_a_provider_may_be_moved_by_its_own_variable() -> None:
    """<PROVIDER>_BASE_URL is where that provider is."""
    chosen = choose(Where(provider="openai"), OPENAI_BASE_URL="https://proxy.example")

    assert (chosen.provider.name, chosen.base_url) == ("openai", "https://proxy.example/v1")


def test_requests_go_below_the_base_url() -> None:
    """The address of a request is the base URL and the API's path."""
    assert choose(Where(base_url=f"{ELSEWHERE}/images/generations")).base_url == ELSEWHERE


def test_an_unknown_provider_is_refused_with_the_nearest_name() -> None:
    """A misspelt provider costs nothing."""
    with pytest.raises(SettingsError, match="Did you mean 'openai'"):
        choose(Where(provider="opnai"))


def test_the_provider_custom_needs_an_address() -> None:
    """Custom is the name in the records for an address that was typed, and no address of its own."""
    with pytest.raises(SettingsError, match="say which with --base-url"):
        choose(Where(provider="custom"))


def test_another_address_than_its_own_is_not_embedded() -> None:
    """-p sketch with an address goes over the network like any other."""
    assert not choose(Where(provider="sketch", base_url=ELSEWHERE)).embedded


# --- which key


@pytest.mark.parametrize(
    ("typed", "traits", "environ", "expected"),
    [
        # The provider's key goes to the catalogue's origin …
        (Where(provider="openai"), Where(), {"OPENAI_API_KEY": "own"}, "own"),
        (Where(provider="openai", base_url="https://API.openai.com:443/v2"), Where(), {"OPENAI_API_KEY": "own"}, "own"),
        (Where(), Where(), {"OPENAI_API_KEY": "own"}, "own"),
        (Where(provider="zenlayer"), Where(), {"ZENLAYER_API_KEY": "own", "OPENAI_API_KEY": "other"}, "own"),
        # … or to the one that the environment names for it.
        (Where(provider="openai"), Where(), {"OPENAI_API_KEY": "own", "OPENAI_BASE_URL": ELSEWHERE}, "own"),
        (
            Where(provider="openai", base_url=ELSEWHERE),
            Where(),
            {"OPENAI_API_KEY": "own", "OPENAI_BASE_URL": ELSEWHERE},
            "own",
        ),
        (
            Where(),
            Where(),
            {"OPENAI_API_KEY": "own", "IMAGEGEN_PROVIDER": "openai", "IMAGEGEN_BASE_URL": ELSEWHERE},
            "own",
        ),
        # IMAGEGEN_API_KEY goes to IMAGEGEN_BASE_URL's origin …
        (Where(), Where(), {"IMAGEGEN_API_KEY": "shared", "IMAGEGEN_BASE_URL": ELSEWHERE}, "shared"),
        (Where(base_url=ELSEWHERE), Where(), {"IMAGEGEN_API_KEY": "shared", "IMAGEGEN_BASE_URL": ELSEWHERE}, "shared"),
        (
            Where(base_url="https://third.example"),
            Where(),
            {"IMAGEGEN_API_KEY": "shared", "IMAGEGEN_BASE_URL": ELSEWHERE},
            None,
        ),
        (
            Where(base_url="http://elsewhere.example/v1"),
            Where(),
            {"IMAGEGEN_API_KEY": "shared", "IMAGEGEN_BASE_URL": ELSEWHERE},
            None,
        ),
        (
            Where(base_url="https://elsewhere.example:444/v1"),
            Where(),
            {"IMAGEGEN_API_KEY": "shared", "IMAGEGEN_BASE_URL": ELSEWHERE},
            None,
        ),
        # … or, when that is not set, to the base_url that was typed.
        (Where(base_url=ELSEWHERE), Where(), {"IMAGEGEN_API_KEY": "shared"}, "shared"),
        (Where(), Where(base_url=ELSEWHERE), {"IMAGEGEN_API_KEY": "shared"}, "shared"),
        # A provider's key is never stretched to an address that was only typed.
        (Where(base_url=ELSEWHERE), Where(), {"OPENAI_API_KEY": "own"}, None),
        (Where(), Where(base_url=ELSEWHERE), {"OPENAI_API_KEY": "own"}, None),
        # The embedded endpoint needs none, and is sent none that is another's.
        (Where(provider="sketch"), Where(), {"OPENAI_API_KEY": "own", "IMAGEGEN_API_KEY": "shared"}, None),
        (Where(), Where(), {}, None),
        # What `cat` leaves at the end of a key is no part of it.
        (Where(provider="openai"), Where(), {"OPENAI_API_KEY": " own\n"}, "own"),
    ],
)
def test_a_key_goes_only_to_the_origin_it_belongs_to(
    typed: Where, traits: Where, environ: dict[str, str], expected: str | None
) -> None:
    """Each line is one sentence of the rule in DESIGN.md, Configuration."""
    assert key(typed, traits, **environ) == expected


@pytest.mark.parametrize(
    ("typed", "traits"),
    [
        (Where(provider="openai", base_url=ELSEWHERE), Where()),
        (Where(), Where(provider="openai", base_url=ELSEWHERE)),
        (Where(provider="openai", base_url="http://api.openai.com/v1"), Where()),
        (Where(provider="openai", base_url="https://api.openai.com:8443/v1"), Where()),
        (Where(provider="openai", base_url="https://api.openai.com.elsewhere.example/v1"), Where()),
    ],
)
@pytest.mark.parametrize("held_key", ["", "secret-key"])
def test_a_provider_at_another_address_is_refused_before_anything_is_sent(
    typed: Where, traits: Where, held_key: str
) -> None:
    """`-p openai --base-url https://elsewhere` is an error, with a key and without, and says what to set instead."""
    with pytest.raises(KeyMisdirected, match=r"belongs to https://api\.openai\.com:443") as caught:
        key(typed, traits, OPENAI_API_KEY=held_key)

    assert "OPENAI_BASE_URL" in caught.value.hint
    assert "secret-key" not in "\n".join(caught.value.lines())


def test_the_shared_key_does_not_stand_in_for_a_providers_own() -> None:
    """IMAGEGEN_API_KEY belongs to no provider of the catalogue."""
    with pytest.raises(KeyMissing):
        key(Where(provider="openai"), IMAGEGEN_API_KEY="shared")


@pytest.mark.parametrize("name", ["openai", "zenlayer"])
def test_a_missing_key_is_said_before_anything_is_sent(name: str) -> None:
    """The error names the variable, and the provider that needs none."""
    with pytest.raises(KeyMissing, match=f"{name.upper()}_API_KEY is not set") as caught:
        key(Where(provider=name))

    assert "-p sketch" in caught.value.hint


@pytest.mark.parametrize("value", ["sk-abc\nX-Evil: 1", "sk-“quoted”", "sk-\x00", "ключ"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(value: str) -> None:
    """A line break in a key would begin another header."""
    with pytest.raises(SettingsError, match="OPENAI_API_KEY holds characters that no key has") as caught:
        key(Where(provider="openai"), OPENAI_API_KEY=value)

    assert value not in str(caught.value)


def test_a_wrong_address_in_the_environment_is_said() -> None:
    """IMAGEGEN_BASE_URL is read like any other address."""
    with pytest.raises(SettingsError):
        choose(IMAGEGEN_BASE_URL="http://[")


def test_a_keyring_is_asked_only_for_a_key_that_could_go_there() -> None:
    """It may show a dialog, and Colab takes seconds: painting here and calling elsewhere need none of it."""
    asked: list[str] = []
    environ: dict[str, str] = {}

    def find_nothing(variable: str) -> None:
        asked.append(variable)

    for typed in (Where(provider="sketch"), Where(provider="openai", base_url=ELSEWHERE), Where(provider="localai")):
        chosen = resolve(typed, settings(environ), environ, load())
        with suppress(ImageGenError):
            key_for(chosen, Where(), environ, find_nothing)

    assert asked == ["LOCALAI_API_KEY"]


def test_prices_hold_where_the_address_is_the_providers_and_not_where_it_was_typed() -> None:
    """An address in the environment is taken for the provider's own."""
    own = choose(Where(provider="openai"), OPENAI_BASE_URL="https://proxy.example")
    typed = choose(Where(provider="sketch", base_url=ELSEWHERE))

    assert (own.vendor, typed.vendor) == ("openai", "custom")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no provider or key is set"),
        ({"ZENLAYER_API_KEY": "k"}, "ZENLAYER_API_KEY is set, and -p zenlayer would use it"),
        ({"OPENAI_BASE_URL": "http://h"}, "OPENAI_BASE_URL is set, and -p openai would use it"),
        ({"IMAGEGEN_API_KEY": "k"}, "IMAGEGEN_API_KEY is set, but no base URL"),
    ],
)
def test_the_embedded_endpoint_says_what_was_set_and_not_used(environ: dict[str, str], said: str) -> None:
    """Who has set a key wonders why a painter answers."""
    chosen = resolve(Where(), settings(environ), environ, load())

    assert chosen.note == f"painted by the embedded endpoint sketch: {said}"
