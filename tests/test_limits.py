"""What a model is documented to refuse is said before it costs, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import Model, SizeRule, load
from jupyter_imagegen.errors import NotTaken
from jupyter_imagegen.limits import objections, refuse, sides

ROWS = load()
WRITTEN = tuple(ROWS.rows)
IDS = tuple(f"{at or 'any'}:{model.name}" for at, model in WRITTEN)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({name for _, row in WRITTEN for name in (*row.takes, *row.ranges, *row.refuses, "size", "made_up")})


def at(provider: str, name: str) -> Model:
    """What is known of a model at a provider."""
    return ROWS.model(ROWS.provider(provider), name)


def said(
    row: Model, asked: Mapping[str, Any], *, prompt: str = "a cat", images: int = 0, has_mask: bool = False
) -> tuple[str, ...]:
    """The objections to a call with these fields."""
    return objections(asked, prompt=prompt, images=images, has_mask=has_mask, model=row)


# --- every row of the catalogue


@pytest.mark.parametrize(("where", "row"), WRITTEN, ids=IDS)
def test_what_a_row_lists_passes_its_own_limits(where: str | None, row: Model) -> None:
    """Each value by itself, with what the row says that it needs."""
    for name, listed in row.takes.items():
        for value in listed:
            assert said(row, {**company(row, name, value), name: value}) == (), (where, name, value)


def company(row: Model, name: str, value: str) -> dict[str, Any]:
    """The other fields that a value needs, each with the first value that will do."""
    needs = [
        need for need in row.needs if need["field"] == name and value in (need.get("value"), *need.get("value", ()))
    ]
    return {other: expected[0] for need in needs for other, expected in need.items() if other not in ("field", "value")}


@pytest.mark.parametrize(("where", "row"), WRITTEN, ids=IDS)
def test_what_a_row_sends_by_itself_passes_its_own_limits(where: str | None, row: Model) -> None:
    """The defaults of a model are no reason to refuse, nor is what it takes for a field that is not sent."""
    assert said(row, row.defaults) == (), where
    assert said(row, {name: value for name, value in row.unsaid.items() if name not in row.refuses}) == (), where


@pytest.mark.parametrize("name", ROWS.names)
def test_what_a_provider_sends_by_itself_is_taken_by_its_default_model(name: str) -> None:
    """QuickRouter's n and size, with the model that is asked where nobody names one."""
    provider = ROWS.provider(name)

    assert said(ROWS.model(provider, provider.default_model), provider.defaults) == ()


@pytest.mark.parametrize(("where", "row"), WRITTEN, ids=IDS)
def test_the_ends_of_a_range_are_in_it_and_no_further(where: str | None, row: Model) -> None:
    """0 and 100 percent are asked for; 101 are not."""
    for name, (low, high) in row.ranges.items():
        with_stream = (
            {"stream": True, "output_format": "jpeg"} if name in ("partial_images", "output_compression") else {}
        )
        taken = {key: value for key, value in with_stream.items() if key not in row.refuses}
        gif = {"output_format": "gif"} if name.startswith("frame_") else {}
        assert [said(row, {name: value, **taken, **gif}) for value in (low, high)] == [(), ()], (where, name)
        assert said(row, {name: high + 1, **taken, **gif}), (where, name)


@held
@given(
    asked=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=6),
    row=st.sampled_from([row for _, row in WRITTEN]),
    prompt=st.text(max_size=5),
    images=st.integers(0, 40),
    has_mask=st.booleans(),
)
def test_anything_that_is_asked_has_an_answer(
    *, asked: Mapping[str, Any], row: Model, prompt: str, images: int, has_mask: bool
) -> None:
    """No JSON value breaks it, each objection is one line, and refusing is the same decision."""
    found = objections(asked, prompt=prompt, images=images, has_mask=has_mask, model=row)

    assert all(line.isprintable() and line.startswith(row.name) and line.endswith(".") for line in found)
    if found:
        with pytest.raises(NotTaken) as caught:
            refuse(asked, prompt=prompt, images=images, has_mask=has_mask, model=row)
        assert caught.value.message == " ".join(found)
    else:
        refuse(asked, prompt=prompt, images=images, has_mask=has_mask, model=row)


@held
@given(
    asked=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=6), images=st.integers(0, 99)
)
def test_nothing_is_said_against_a_model_that_nothing_is_known_of(asked: Mapping[str, Any], images: int) -> None:
    """Unknown models pass unchecked."""
    assert objections(asked, prompt="a" * 99_999, images=images, has_mask=True, model=Model(name="m")) == ()


@pytest.mark.parametrize("row", [row for _, row in WRITTEN], ids=IDS)
def test_null_counts_as_not_given(row: Model) -> None:
    """As in the API."""
    assert said(row, dict.fromkeys(FIELDS)) == ()


# --- what is said


@pytest.mark.parametrize(
    ("provider", "name", "asked", "sentence"),
    [
        (
            "openai",
            "gpt-image-2",
            {"quality": "ultra"},
            "gpt-image-2 takes quality auto, low, medium or high, not 'ultra'.",
        ),
        ("openai", "gpt-image-2", {"response_format": "url"}, "gpt-image-2 takes no response_format."),
        (
            "openai",
            "gpt-image-2",
            {"size": "512x512"},
            (
                "gpt-image-2 takes size auto, 1024x1024, 1536x1024, 1024x1536, 2048x2048, 2560x1440, 3840x2160 or any "
                "WxH with both sides divisible by 16, at least 655,360 pixels, at most 8,294,400 pixels, no side above "
                "3,840 and no side more than 3 times the other, not '512x512'."
            ),
        ),
        (
            "zenlayer",
            "gpt-image-2",
            {"size": "2048x2048"},
            "gpt-image-2 takes size 1024x1024, 1536x1024 or 1024x1536, not '2048x2048'.",
        ),
        ("zenlayer", "gpt-image-2", {"quality": "auto"}, "gpt-image-2 takes quality low, medium or high, not 'auto'."),
        ("openai", "dall-e-2", {"quality": "hd"}, "dall-e-2 takes no quality."),
        (
            "openai",
            "gpt-image-1",
            {"output_compression": 101, "output_format": "jpeg"},
            "gpt-image-1 takes output_compression from 0 to 100, not 101.",
        ),
        (
            "openai",
            "gpt-image-1",
            {"background": "transparent", "output_format": "jpeg"},
            "gpt-image-1 takes background 'transparent' only with output_format png or webp, not 'jpeg'.",
        ),
        (
            "openai",
            "gpt-image-1",
            {"output_compression": 50},
            (
                "gpt-image-1 takes output_compression only with output_format jpeg or webp, "
                "and it is png where none is given."
            ),
        ),
        (
            "openai",
            "gpt-image-2",
            {"partial_images": 2},
            "gpt-image-2 takes partial_images 2 only with stream true, and it is false where none is given.",
        ),
        ("ark", "doubao-seedream-4-0-250828", {"seed": 7}, "doubao-seedream-4-0-250828 takes no seed."),
        (
            "byteplus",
            "seedream-4-5-251128",
            {"size": "2k"},
            (
                "seedream-4-5-251128 takes size 2K, 4K, 2048x2048, 2304x1728, 2848x1600, 4096x4096 or any WxH with at "
                "least 3,686,400 pixels, at most 16,777,216 pixels and no side more than 16 times the other, not '2k'."
            ),
        ),
        (
            "ark",
            "doubao-seedream-3-0-t2i-250415",
            {"seed": -2},
            "doubao-seedream-3-0-t2i-250415 takes seed from -1 to 2,147,483,647, not -2.",
        ),
        (
            "xai",
            "grok-imagine-image-2.0",
            {"quality": "high"},
            "grok-imagine-image-2.0 takes quality auto, low or medium, not 'high'.",
        ),
        (
            "ark",
            "doubao-seedream-3-0-t2i-250415",
            {"seed": 10**9_999},
            "doubao-seedream-3-0-t2i-250415 takes seed from -1 to 2,147,483,647, not a larger number.",
        ),
        ("xai", "grok-imagine-image", {"quality": "low"}, "grok-imagine-image takes no quality."),
        (
            "vllm-omni",
            "Qwen/Qwen-Image",
            {"response_format": "url"},
            "Qwen/Qwen-Image takes response_format b64_json or file, not 'url'.",
        ),
    ],
)
def test_an_objection_names_what_is_taken(provider: str, name: str, asked: dict[str, Any], sentence: str) -> None:
    """One sentence, so that the next try is right."""
    assert said(at(provider, name), asked) == (sentence,)


def test_a_model_without_a_name_is_this_model() -> None:
    """Where nobody named one and the row is a person's own."""
    assert said(Model(name="", prompt_chars=2), {}) == ("This model takes a prompt of at most 2 characters, not 5.",)


def test_all_objections_are_said_at_once() -> None:
    """A call with three faults is not refused three times."""
    row = at("openai", "dall-e-3")
    asked = {"size": "auto", "style": "calm", "seed": 1}

    with pytest.raises(
        NotTaken, match=r"takes size .* takes style vivid or natural, not 'calm'\. .* takes no seed\."
    ) as caught:
        refuse(asked, prompt="a cat", images=0, has_mask=False, model=row)

    assert "--force" in caught.value.hint


# --- sizes

RULED = Model(
    name="m",
    takes=MappingProxyType({"size": ("auto", "100x100")}),
    size_rule=SizeRule(multiple_of=16, least_pixels=65_536, most_pixels=1_048_576, longest_edge=2048, widest_ratio=3),
)


@pytest.mark.parametrize(
    ("size", "is_taken"),
    [
        ("auto", True),
        ("100x100", True),
        ("100×100", True),
        ("256x256", True),
        ("256×256", True),
        ("1024x1024", True),
        ("768x256", True),
        ("240x256", False),
        ("784x256", False),
        ("1024x1040", False),
        ("257x256", False),
        ("2064x704", False),
        ("0256x256", False),
        ("256x256 ", False),
        ("256X256", False),
        ("256", False),
        ("-256x-256", False),
        ("1e3x256", False),
        ("٢٥٦x٢٥٦", False),
        ("Auto", False),
        ("", False),
        (256, False),
        ([256, 256], False),
        (True, False),
    ],
)
def test_a_size_is_listed_or_within_the_rule(size: object, is_taken: bool) -> None:  # noqa: FBT001  (a parameter of the table)
    """Each edge of the rule has a size on both sides of it."""
    assert (said(RULED, {"size": size}) == ()) is is_taken


@pytest.mark.parametrize(
    ("row", "auto", "any_size"),
    [
        (Model(name="m"), True, True),
        (Model(name="m", size_rule=SizeRule()), False, True),
        (Model(name="m", takes={"size": ("auto",)}), True, False),
        (Model(name="m", takes={"size": ("1x1",)}), False, False),
    ],
)
def test_without_sizes_and_a_rule_any_size_passes(*, row: Model, auto: bool, any_size: bool) -> None:
    """Auto passes where it is listed, or where nothing is known."""
    assert [said(row, {"size": size}) == () for size in ("auto", "640x480")] == [auto, any_size]


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("gpt-image-2", ["1536x864", "3840x2160", "2160x3840", "1488x496"]),
        ("gpt-image-2.5-sunburst", ["1536x864", "3840x1280"]),
        ("gpt-image-2.6-flare", ["1x1", "777x333", "9999x1"]),
        ("doubao-seedream-4-0-250828", ["1280x720", "1K", "3840x240"]),
        ("doubao-seedream-5-0-260128", ["3K", "6240x2656", "8192x8192"]),
        ("doubao-seedream-5-0-pro-260628", ["1500x1000", "1.5K"]),
        ("seedream-5-5-261028", ["3K", "1500x1000", "anything"]),
    ],
)
def test_sizes_that_are_documented_or_in_doubt_pass(name: str, sizes: list[str]) -> None:
    """What is not certain to be refused is not refused here."""
    assert [
        said(at("zenlayer" if name.startswith("gpt-image-2.") else "ark", name), {"size": size}) for size in sizes
    ] == [()] * len(sizes)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("gpt-image-2", ["256x256", "3856x2160", "3840x2176", "1000x1000", "2000x640", "2K"]),
        ("gpt-image-1", ["2048x2048", "256x256"]),
        ("dall-e-3", ["auto", "1536x1024"]),
        ("doubao-seedream-4-5-251128", ["1024x1024", "1K", "auto", "4097x4096"]),
        ("doubao-seedream-5-0-260128", ["1024x1024"]),
        ("doubao-seedream-5-0-pro-260628", ["4K", "2304x2048"]),
    ],
)
def test_sizes_that_are_documented_to_be_refused_do_not_pass(name: str, sizes: list[str]) -> None:
    """1024x1024 is too few pixels for Seedream 4.5, and 256x256 for gpt-image-2."""
    assert [bool(said(at("openai", name), {"size": size})) for size in sizes] == [True] * len(sizes)


@held
@given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_the_rule_of_gpt_image_2_is_the_documented_one(width: int, height: int) -> None:
    """Both sides divisible by 16, 1:3 to 3:1, 655,360 to 8,294,400 pixels, no edge above 3840."""
    row = at("openai", "gpt-image-2")
    ruled = (
        width % 16 == height % 16 == 0
        and width <= 3 * height
        and height <= 3 * width
        and 655_360 <= width * height <= 8_294_400
        and max(width, height) <= 3840
    )

    assert (said(row, {"size": f"{width}x{height}"}) == ()) is ruled


@held
@given(st.text())
def test_a_size_is_read_or_it_is_none(text: str) -> None:
    """Only WxH has sides."""
    found = sides(text)

    assert (found is not None) is bool(re.fullmatch(r"[1-9][0-9]{0,5}[x×][1-9][0-9]{0,5}", text))


# --- fields that go together


@pytest.mark.parametrize(
    ("given_fields", "is_taken"),
    [
        ({"background": "transparent"}, True),
        ({"background": "transparent", "output_format": "webp"}, True),
        ({"background": "transparent", "output_format": "jpeg"}, False),
        ({"background": "opaque", "output_format": "jpeg"}, True),
        ({"output_compression": 90, "output_format": "jpeg"}, True),
        ({"output_compression": 90, "output_format": "png"}, False),
        ({"partial_images": 0}, True),
        ({"partial_images": 1}, False),
        ({"partial_images": 1, "stream": True}, True),
        ({"partial_images": 1, "stream": 1}, False),
        ({"output_format": "gif", "stream": True}, False),
        ({"output_format": "gif"}, True),
        ({"frame_count": 4}, False),
        ({"frame_count": 4, "output_format": "gif"}, True),
    ],
)
def test_fields_go_together_as_documented(given_fields: dict[str, Any], is_taken: bool) -> None:  # noqa: FBT001  (of the table)
    """At gpt-image-2; what is not given is what the model takes for it."""
    assert (said(at("openai", "gpt-image-2"), given_fields) == ()) is is_taken


@pytest.mark.parametrize(
    ("name", "is_taken"), [("doubao-seedream-5-0-pro-260628", False), ("seedream-5-5-261028", True)]
)
def test_a_transparent_background_needs_png_where_jpeg_is_usual(name: str, is_taken: bool) -> None:  # noqa: FBT001  (of the table)
    """Seedream 5.0 Pro answers JPEG unless it is told otherwise, 5.5 PNG."""
    assert (said(at("ark", name), {"background": "transparent"}) == ()) is is_taken
    assert said(at("ark", name), {"background": "transparent", "output_format": "png"}) == ()


def test_a_need_that_nothing_is_known_to_meet_is_said() -> None:
    """Where the other field is not given, and what the model takes for it is not known."""
    row = Model(name="m", needs=({"field": "a", "b": "c"},))

    assert said(row, {"a": 1}) == ("m takes a only with b c, and none is given.",)
    assert said(row, {"a": 1, "b": "c"}) == said(row, {"b": "d"}) == ()


# --- prompts, pictures and masks


@pytest.mark.parametrize(
    ("provider", "name", "most"),
    [
        ("openai", "dall-e-2", 1000),
        ("openai", "dall-e-3", 4000),
        ("quickrouter", "gpt-image-1.5", 1000),
        ("openai", "gpt-image-2", 32000),
    ],
)
def test_a_prompt_is_as_long_as_the_model_takes(provider: str, name: str, most: int) -> None:
    """One letter more is refused, with the limit."""
    row = at(provider, name)

    assert said(row, {}, prompt="é" * most) == ()
    assert said(row, {}, prompt="é" * (most + 1)) == (
        f"{name} takes a prompt of at most {most:,} characters, not {most + 1:,}.",
    )


@pytest.mark.parametrize(
    ("name", "most", "sentence"),
    [
        ("gpt-image-2", 16, "at most 16 reference pictures, not 17"),
        ("dall-e-2", 1, "at most 1 reference picture, not 2"),
        ("dall-e-3", 0, "no reference pictures"),
        ("doubao-seedream-4-0-250828", 14, "at most 14 reference pictures, not 15"),
        ("doubao-seedream-5-0-pro-260628", 10, "at most 10 reference pictures, not 11"),
    ],
)
def test_a_call_has_as_many_pictures_as_the_model_takes(name: str, most: int, sentence: str) -> None:
    """One more is refused, with the limit."""
    row = at("openai", name)

    assert said(row, {}, images=most) == ()
    assert said(row, {}, images=most + 1) == (f"{name} takes {sentence}.",)


@pytest.mark.parametrize(
    ("name", "is_taken"), [("gpt-image-2", True), ("dall-e-3", False), ("seedream-4-0-250828", False), ("m", True)]
)
def test_a_mask_is_refused_where_there_is_no_place_for_one(name: str, is_taken: bool) -> None:  # noqa: FBT001  (of the table)
    """Seedream edits without one; of an unknown model nothing is known."""
    expected = () if is_taken else (f"{name} takes no mask.",)

    assert [line for line in said(at("openai", name), {}, has_mask=True) if "mask" in line] == list(expected)


# --- what must pass


@pytest.mark.parametrize(
    ("name", "fields"),
    list(
        product(
            ["sketch", "gpt-image-2", "dall-e-3"],
            [("seed", 7), ("negative_prompt", "a dog"), ("response_format", "url"), ("guidance_scale", 3)],
        )
    ),
)
def test_sketch_takes_its_own_fields_with_any_model(name: str, fields: tuple[str, Any]) -> None:
    """It stands in for the others, so that lessons need no key."""
    assert said(at("sketch", name), dict([fields])) == ()


@pytest.mark.parametrize("name", ["localai", "vllm-omni", "sglang", "sdcpp"])
def test_a_name_says_nothing_on_a_server_of_ones_own(name: str) -> None:
    """A model that is called gpt-image-1 there may be any model."""
    row = at(name, "gpt-image-1")
    asked = {"size": "640x480", "quality": "best", "seed": 1, "style": "calm"}

    assert said(row, asked, prompt="a" * 99_999, images=99, has_mask=True) == ()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("gpt-image-2", {"input_fidelity": "high"}),
        ("gpt-image-2", {"background": "transparent"}),
        ("gpt-image-2.6-flare", {"quality": "max", "complexity": "high"}),
        ("gpt-image-1.5", {"output_format": "svg"}),
        ("doubao-seedream-5-0-flash-260915", {"stream": True}),
        ("grok-imagine-image-2.0", {"size": "1234x777"}),
        ("gpt-image-2", {"made_up": [1, {"a": None}]}),
        ("gpt-image-2", {"user": "u", "safety_identifier": "s", "moderation": "low"}),
    ],
)
def test_what_is_uncertain_is_not_refused(name: str, asked: dict[str, Any]) -> None:
    """Previews for some projects, fields that sources disagree on, and fields that nobody knows."""
    assert said(at("openai", name), asked) == ()


@pytest.mark.parametrize(
    "name",
    [
        "doubao-seedream-5-0-pro-260628",
        "dola-seedream-5-0-pro-260628",
        "seedream-5-5-261028",
        "dola-seedream-5-5-261028",
    ],
)
def test_fields_that_are_an_error_whatever_is_in_them_are_refused(name: str) -> None:
    """A stream that is false is still a 400 there."""
    assert said(at("ark", name), {"stream": False}) == (f"{name} takes no stream.",)
    assert said(at("ark", name), {"sequential_image_generation": "disabled"})
