"""What a call will cost and what it did: believed is what can be, and the rest is unknown, never 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import Model, TokenPrices, load
from jupyter_imagegen.cost import Cost, charged, estimate, output_tokens, total
from jupyter_imagegen.reply import Reply

ROWS = load()
WRITTEN = tuple(ROWS.rows)
UNKNOWN = Cost(usd=None, source="unknown")
SOURCES = ("gateway", "usage", "price-list", "unknown")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SAID = st.dictionaries(
    st.sampled_from(["size", "quality", "partial_images", "resolution", "output_format"]) | st.text(max_size=5),
    JSON | st.sampled_from(["1024x1024", "1536×1024", "low", "high", "max", "2K", "1k"]),
    max_size=5,
)
COUNTS = (
    st.integers() | st.floats() | st.sampled_from([0, 10**400, -1, math.nan, math.inf, True, "12", None, [1]]) | JSON
)
DETAILS = COUNTS | st.dictionaries(st.sampled_from(["text_tokens", "image_tokens"]), COUNTS)
USAGE = st.none() | st.dictionaries(
    st.sampled_from(
        ["input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details", "cost_in_usd_ticks"]
    ),
    DETAILS,
)


def at(provider: str, name: str) -> Model:
    """What is known of a model at a provider."""
    return ROWS.model(ROWS.provider(provider), name)


def answered(cost: str | None = None) -> Reply:
    """An answer, with the header in which LiteLLM says what it charged."""
    headers = () if cost is None else (("x-litellm-response-cost", cost),)
    return Reply(status=200, headers=headers, body=b"{}")


def of(provider: str, name: str, *, n: int = 1, images: int = 0, **asked: Any) -> Cost:
    """The estimate of one call."""
    return estimate(asked, n=n, images=images, model=at(provider, name), provider=provider)


def paid(
    usage: Mapping[str, Any] | None,
    header: str | None = None,
    *,
    provider: str = "openai",
    name: str = "gpt-image-2",
    received: int = 1,
    images: int = 0,
    **asked: Any,
) -> Cost:
    """What a call cost that was answered with this usage and header."""
    return charged(
        answered(header),
        usage,
        asked=asked,
        received=received,
        images=images,
        model=at(provider, name),
        provider=provider,
    )


# --- the grid


@pytest.mark.parametrize(
    ("quality", "tokens"), [("low", 196), ("medium", 439), ("high", 1756), ("xhigh", 3122), ("max", 7024)]
)
def test_the_grid_gives_the_published_counts_of_a_square(quality: str, tokens: int) -> None:
    """The five counts that were published for gpt-image-2.5 at 1024x1024."""
    patches = at("openai", "gpt-image-2.5-flare").grid[quality]

    assert output_tokens(1024, 1024, patches) == tokens
    assert of("openai", "gpt-image-2.5-flare", size="1024x1024", quality=quality).usd == pytest.approx(tokens * 30e-6)


@pytest.mark.parametrize("price", [row for row in at("openai", "gpt-image-2").prices if "usd" in row], ids=str)
def test_the_grid_agrees_with_the_published_prices_of_gpt_image_2(price: Mapping[str, Any]) -> None:
    """To the tenth of a cent, which is what the price list of OpenAI shows."""
    row = at("openai", "gpt-image-2")
    sizes = [price["size"]] if isinstance(price["size"], str) else price["size"]
    for size in sizes:
        width, height = map(int, size.split("x"))
        tokens = output_tokens(width, height, row.grid[price["quality"]])
        assert abs(tokens * 30e-6 - price["usd"]) < 0.0006


@pytest.mark.parametrize(
    ("size", "tokens"), [("2048x2048", 3568), ("2560x1440", 1843), ("1440x2560", 1843), ("3840x2160", 3336)]
)
def test_a_size_without_a_price_is_told_by_the_grid(size: str, tokens: int) -> None:
    """Portrait and landscape cost the same."""
    assert of("openai", "gpt-image-2", size=size, quality="medium") == Cost(
        usd=round(tokens * 30e-6, 10), source="price-list"
    )


@held
@given(width=st.integers(16, 4000), height=st.integers(16, 4000), patches=st.sampled_from([16, 24, 48, 64, 96]))
def test_the_grid_is_that_of_the_picture_turned(width: int, height: int, patches: int) -> None:
    """A picture has the same tokens lying and standing, and more patches never make fewer of them."""
    assert output_tokens(width, height, patches) == output_tokens(height, width, patches)
    assert output_tokens(width, height, patches) <= output_tokens(width, height, 96)


# --- estimates


@pytest.mark.parametrize(
    ("provider", "name", "asked", "usd"),
    [
        ("openai", "gpt-image-2", {"size": "1024x1024", "quality": "high"}, 0.211),
        ("openai", "gpt-image-2", {"size": "1024×1024", "quality": "high"}, 0.211),
        ("openai", "gpt-image-2", {"size": "1024x1536", "quality": "low"}, 0.005),
        ("openai", "gpt-image-2-2026-04-21", {"size": "1536x1024", "quality": "medium"}, 0.041),
        ("openai", "gpt-image-1", {"size": "1024x1024", "quality": "medium"}, 0.042),
        ("openai", "gpt-image-1-mini", {"size": "1536x1024", "quality": "high"}, 0.052),
        ("openai", "gpt-image-1.5", {"size": "1536x1024", "quality": "low"}, 0.013),
        ("openai", "dall-e-3", {}, 0.04),
        ("openai", "dall-e-3", {"quality": "hd", "size": "1024x1792"}, 0.12),
        ("openai", "dall-e-2", {"size": "512x512"}, 0.018),
        ("byteplus", "seedream-4-0-250828", {}, 0.03),
        ("byteplus", "seedream-4-5-251128", {"size": "4K"}, 0.04),
        ("byteplus", "seedream-5-0-lite-260128", {}, 0.035),
        ("byteplus", "dola-seedream-5-0-pro-260628", {"size": "1.5K"}, 0.045),
        ("byteplus", "dola-seedream-5-0-pro-260628", {"size": "1500x1000"}, 0.045),
        ("byteplus", "dola-seedream-5-0-pro-260628", {"size": "2K"}, 0.09),
        ("byteplus", "dola-seedream-5-0-pro-260628", {"size": "2048x2048"}, 0.09),
        ("xai", "grok-imagine-image", {"size": "2048x2048"}, 0.02),
        ("xai", "grok-imagine-image-2.0", {}, 0.06),
        ("xai", "grok-imagine-image-2.0", {"quality": "low"}, 0.04),
        ("xai", "grok-imagine-image-2.0", {"size": "auto", "quality": "low"}, 0.04),
        ("xai", "grok-imagine-image-2.0", {"size": "1280x720"}, 0.06),
        ("xai", "grok-imagine-image-2.0", {"size": "1536x1536"}, 0.07),
        ("xai", "grok-imagine-image-2.0", {"size": "2048x2048", "quality": "low"}, 0.06),
        ("xai", "grok-imagine-image-2.0", {"resolution": "1.5k", "size": "2048x2048"}, 0.07),
        ("sketch", "sketch", {"size": "64x64", "made_up": 1}, 0),
        ("sketch", "gpt-image-2", {"partial_images": 3}, 0),
        ("sketch", "anything", {}, 0),
    ],
)
def test_a_picture_costs_what_the_vendor_lists(provider: str, name: str, asked: dict[str, Any], usd: float) -> None:
    """By the fields that were asked, and by what the model takes for those that were not."""
    assert of(provider, name, **asked) == Cost(usd=usd, source="price-list")
    assert of(provider, name, n=4, **asked) == Cost(usd=round(4 * usd, 10), source="price-list")


@pytest.mark.parametrize(
    ("provider", "name", "asked"),
    [
        ("openai", "gpt-image-2", {}),
        ("openai", "gpt-image-2", {"size": "1024x1024"}),
        ("openai", "gpt-image-2", {"quality": "high"}),
        ("openai", "gpt-image-2", {"quality": "auto", "size": "1024x1024"}),
        ("openai", "gpt-image-2", {"quality": "high", "size": "1024x1024", "output_format": "gif"}),
        ("openai", "gpt-image-2.5-flare", {"quality": "high", "size": "1024x1024", "output_format": "svg"}),
        ("openai", "gpt-image-2.6-flare", {"quality": "high", "size": "1024x1024"}),
        ("openai", "chatgpt-image-latest", {"quality": "high", "size": "1024x1024"}),
        ("openai", "no-such-model", {"quality": "high", "size": "1024x1024"}),
        ("byteplus", "dola-seedream-5-0-pro-260628", {}),
        ("byteplus", "dola-seedream-5-5-261028", {"size": "2K"}),
        ("ark", "doubao-seedream-4-0-250828", {}),
        ("zenlayer", "gpt-image-2", {"quality": "high", "size": "1024x1024"}),
        ("azure", "gpt-image-2", {"quality": "high", "size": "1024x1024"}),
        ("litellm", "gpt-image-2", {"quality": "high", "size": "1024x1024"}),
        ("localai", "sketch", {}),
        ("together", "black-forest-labs/FLUX.1-schnell", {}),
        ("xai", "grok-imagine-image-2.0", {"quality": "auto"}),
        ("xai", "grok-imagine-image-2.0", {"size": "4096x4096"}),
    ],
)
def test_what_is_not_listed_is_unknown(provider: str, name: str, asked: dict[str, Any]) -> None:
    """A gateway has prices of its own, and `auto` is decided by the server."""
    assert of(provider, name, **asked) == UNKNOWN


def test_each_preview_costs_a_hundred_tokens_of_each_picture() -> None:
    """Of gpt-image-2 that is 0.003 US dollars."""
    asked: dict[str, Any] = {"size": "1024x1024", "quality": "low", "stream": True}

    assert of("openai", "gpt-image-2", n=2, partial_images=3, **asked).usd == pytest.approx(2 * (0.006 + 3 * 0.003))
    assert of("openai", "gpt-image-2", partial_images=0, **asked).usd == pytest.approx(0.006)


@pytest.mark.parametrize("count", ["3", -1, math.nan, math.inf, 10**400, [1], True])
def test_a_number_of_previews_that_is_none_makes_the_cost_unknown(count: object) -> None:
    """Nothing is guessed."""
    assert of("openai", "gpt-image-2", size="1024x1024", quality="low", partial_images=count) == UNKNOWN


def test_a_reference_picture_costs_once_for_each_call() -> None:
    """0.01 US dollars each at xAI; where its price is not known, that of the call is not."""
    assert of("xai", "grok-imagine-image-2.0", n=2, images=3).usd == pytest.approx(2 * 0.06 + 3 * 0.01)
    assert of("openai", "gpt-image-2", images=1, size="1024x1024", quality="low") == UNKNOWN
    assert of("sketch", "sketch", images=2) == Cost(usd=0.0, source="price-list")


@pytest.mark.parametrize("null", [{"quality": None}, {"size": None, "quality": None}])
def test_null_is_what_the_model_takes_for_it(null: dict[str, Any]) -> None:
    """As if it had not been asked."""
    assert of("openai", "dall-e-3", **null) == of("openai", "dall-e-3")


@pytest.mark.parametrize("width", [1, 2, 1000])
def test_a_size_that_no_model_takes_is_never_free(width: int) -> None:
    """With --force it may be sent; a grid without patches is no price."""
    assert of("openai", "gpt-image-2.5-flare", size=f"{width}x999999", quality="low") == UNKNOWN


@held
@given(asked=SAID, row=st.sampled_from(WRITTEN), n=st.integers(1, 10), images=st.integers(0, 16))
def test_anything_that_is_asked_has_an_estimate(
    asked: Mapping[str, Any], row: tuple[str | None, Model], n: int, images: int
) -> None:
    """No JSON value breaks it, and it is known exactly where it has a source."""
    _, model = row
    for provider in (*model.prices_at, "elsewhere"):
        sound(estimate(asked, n=n, images=images, model=model, provider=provider))


def sound(cost: Cost) -> None:
    """A cost is a finite number from 0 with a source, or unknown."""
    assert cost.source in SOURCES
    assert (cost.usd is None) is (cost.source == "unknown")
    assert cost.usd is None or (math.isfinite(cost.usd) and cost.usd >= 0)


# --- what was charged


@pytest.mark.parametrize("provider", ["litellm", "zenlayer", "openai"])
def test_what_the_gateway_says_goes_before_everything(provider: str) -> None:
    """Whoever sends the header knows what it charged."""
    usage = {"input_tokens": 10, "output_tokens": 1756}

    assert paid(usage, "0.0421", provider=provider, size="1024x1024", quality="high") == Cost(
        usd=0.0421, source="gateway"
    )


def test_a_tick_is_a_ten_billionth_of_a_dollar() -> None:
    """XAI counts its charges so."""
    assert paid({"cost_in_usd_ticks": 600_000_000}, provider="xai", name="grok-imagine-image-2.0") == Cost(
        usd=0.06, source="gateway"
    )


@pytest.mark.parametrize("header", ["", "None", "nan", "inf", "-1", "1e400", "1001", "0", "0.0", "$1", "1,5", "0x1"])
def test_a_header_that_cannot_be_is_not_believed(header: str) -> None:
    """And what follows in the order of belief is taken: a proxy without a price says 0."""
    assert paid(None, header, size="1024x1024", quality="high") == Cost(usd=0.211, source="price-list")


@pytest.mark.parametrize("ticks", [0, -5, math.nan, math.inf, 10**400, "600000000", True, None, 10**14])
def test_ticks_that_cannot_be_are_not_believed(ticks: object) -> None:
    """Nor is a number in quotes."""
    assert paid({"cost_in_usd_ticks": ticks}, provider="xai", name="grok-imagine-image") == Cost(
        usd=0.02, source="price-list"
    )


@pytest.mark.parametrize(
    ("name", "images", "usage", "usd"),
    [
        ("gpt-image-2", 0, {"input_tokens": 12, "output_tokens": 1756}, (12 * 5 + 1756 * 30) / 1e6),
        (
            "gpt-image-2",
            0,
            {"input_tokens": 12, "input_tokens_details": {"text_tokens": 12, "image_tokens": 0}, "output_tokens": 196},
            (12 * 5 + 196 * 30) / 1e6,
        ),
        (
            "gpt-image-2",
            1,
            {"input_tokens_details": {"text_tokens": 20, "image_tokens": 1200}, "output_tokens": 196},
            (20 * 5 + 1200 * 8 + 196 * 30) / 1e6,
        ),
        (
            "gpt-image-1",
            1,
            {"input_tokens_details": {"text_tokens": 20, "image_tokens": 1200}, "output_tokens": 4160},
            (20 * 5 + 1200 * 10 + 4160 * 40) / 1e6,
        ),
        (
            "gpt-image-1.5",
            0,
            {"input_tokens": 12, "output_tokens": 1100, "output_tokens_details": {"text_tokens": 100}},
            (12 * 5 + 1000 * 32 + 100 * 10) / 1e6,
        ),
        (
            "gpt-image-2",
            0,
            {"input_tokens": 12, "output_tokens": 1100, "output_tokens_details": {"text_tokens": 100}},
            (12 * 5 + 1100 * 30) / 1e6,
        ),
        ("gpt-image-2", 0, {"input_tokens": 12, "input_tokens_details": {"text_tokens": 0}, "output_tokens": 1}, 9e-5),
        ("gpt-image-2.6-flare", 0, {"input_tokens": 12, "output_tokens": 5000}, (12 * 5 + 5000 * 30) / 1e6),
    ],
)
def test_tokens_are_counted_at_the_vendors_prices(name: str, images: int, usage: dict[str, Any], usd: float) -> None:
    """Text and pictures have prices of their own; without details, all that was sent is text where no picture was."""
    assert paid(usage, name=name, images=images) == Cost(usd=round(usd, 10), source="usage")


@pytest.mark.parametrize(
    ("images", "usage"),
    [
        (0, None),
        (0, {}),
        (0, {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}),
        (0, {"input_tokens": 12}),
        (0, {"output_tokens": 1756}),
        (0, {"input_tokens": 12, "output_tokens": -1}),
        (0, {"input_tokens": 12, "output_tokens": math.nan}),
        (0, {"input_tokens": 12, "output_tokens": 10**400}),
        (0, {"input_tokens": 12, "output_tokens": "1756"}),
        (0, {"input_tokens": True, "output_tokens": 1756}),
        (0, {"input_tokens": 12, "output_tokens": {"a": 1}}),
        (1, {"input_tokens": 1220, "output_tokens": 1756}),
        (1, {"input_tokens_details": {"text_tokens": 20, "image_tokens": 0}, "output_tokens": 1756}),
        (1, {"input_tokens_details": {"text_tokens": 20}, "output_tokens": 1756}),
        (1, {"input_tokens_details": [20, 1200], "output_tokens": 1756}),
        (0, {"prompt_tokens": 12, "total_tokens": 1768}),
    ],
)
def test_counts_that_cannot_be_are_not_believed(images: int, usage: Mapping[str, Any] | None) -> None:
    """The price list is asked instead, which does not know what a reference picture costs here."""
    found = paid(usage, images=images, size="1024x1024", quality="high")

    assert found == (UNKNOWN if images else Cost(usd=0.211, source="price-list"))


def test_text_that_is_more_than_all_that_came_is_not_believed() -> None:
    """A part is no larger than the whole."""
    usage = {"input_tokens": 12, "output_tokens": 10, "output_tokens_details": {"text_tokens": 11}}

    assert paid(usage, name="gpt-image-1.5") == UNKNOWN


@pytest.mark.parametrize("provider", ["zenlayer", "azure", "litellm", "quickrouter"])
def test_a_gateways_tokens_have_no_price_here(provider: str) -> None:
    """It sells at prices of its own, so that what it counts is no amount of money."""
    usage = {"input_tokens": 12, "output_tokens": 1756}

    assert paid(usage, provider=provider, size="1024x1024", quality="high") == UNKNOWN


def test_the_price_list_counts_the_pictures_that_came() -> None:
    """Not those that were asked for; and nothing is said of a call that gave none."""
    asked: dict[str, Any] = {"size": "1024x1024", "quality": "high"}

    assert paid(None, received=2, **asked) == Cost(usd=0.422, source="price-list")
    assert paid(None, received=0, **asked) == UNKNOWN


def test_tokens_are_charged_for_a_call_that_gave_no_picture() -> None:
    """What was counted was paid for."""
    assert paid({"input_tokens": 12, "output_tokens": 1756}, received=0).source == "usage"


@held
@given(
    usage=USAGE,
    header=st.none() | st.text(max_size=12) | st.floats().map(str),
    asked=SAID,
    row=st.sampled_from(WRITTEN),
    received=st.integers(0, 10),
    images=st.integers(0, 16),
)
def test_anything_that_a_server_says_has_a_cost_or_none(
    *,
    usage: Mapping[str, Any] | None,
    header: str | None,
    asked: Mapping[str, Any],
    row: tuple[str | None, Model],
    received: int,
    images: int,
) -> None:
    """No number from a server breaks it, and none becomes an amount that is no amount."""
    _, model = row
    for provider in (*model.prices_at, "elsewhere"):
        cost = charged(
            answered(header), usage, asked=asked, received=received, images=images, model=model, provider=provider
        )
        sound(cost)
        assert cost.usd is None or cost.source != "gateway" or cost.usd <= 1000


def test_tokens_without_a_price_list_are_not_counted() -> None:
    """Nothing is known of the model, so that its tokens are no amount."""
    model = Model(name="m", prices_at=("p",))
    usage = {"input_tokens": 12, "output_tokens": 1756}
    found = charged(answered(), usage, asked={}, received=1, images=0, model=model, provider="p")

    assert found == UNKNOWN


def test_a_persons_own_price_holds_at_a_persons_own_provider() -> None:
    """A price in imagegen.toml makes an estimate possible, for tokens as for pictures."""
    model = Model(
        name="m",
        prices=({"usd": 0.5, "quality": "good"},),
        tokens=TokenPrices(text_in=1, image_in=1, image_out=1),
        prices_at=("mine",),
    )

    assert estimate({"quality": "good"}, n=2, images=0, model=model, provider="mine").usd == 1.0
    assert estimate({"quality": "bad"}, n=2, images=0, model=model, provider="mine") == UNKNOWN


# --- sums


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([("price-list", 0.1)], ("price-list", 0.1)),
        ([("price-list", 0.1), ("price-list", 0.2)], ("price-list", 0.3)),
        ([("gateway", 0.1), ("usage", 0.2)], ("usage", 0.3)),
        ([("usage", 0.1), ("price-list", 0.2), ("gateway", 0.3)], ("price-list", 0.6)),
        ([("gateway", 0.1), ("unknown", None)], ("unknown", None)),
        ([("price-list", 0.0)], ("price-list", 0.0)),
        ([], ("unknown", None)),
    ],
)
def test_a_sum_is_as_sure_as_its_least_sure_part(
    costs: list[tuple[str, float | None]], expected: tuple[str, float | None]
) -> None:
    """One call of unknown cost makes that of the ask unknown."""
    found = total(Cost(usd=usd, source=source) for source, usd in costs)

    assert (found.source, found.usd) == expected
