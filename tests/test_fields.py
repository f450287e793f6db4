"""A model's row -> the fields of a form."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import Catalogue, Model, Provider, SizeRule, load, over
from jupyter_imagegen.draft import Draft, asked
from jupyter_imagegen.fields import Field, fields
from jupyter_imagegen.limits import among, objections
from jupyter_imagegen.listing import served_by
from jupyter_imagegen.request import _asked as body_of
from jupyter_imagegen.sketch.wire import EDIT_FIELDS, GENERATION_FIELDS
from jupyter_imagegen.switches import SWITCHES

ROWS = load()
OPTIONS = [row.field for row in SWITCHES if row.is_field and not row.off]
NOBODY = Provider(name="p")


PAIRS = [
    (provider, ROWS.model(provider, name)) for provider in ROWS.providers for name in served_by(ROWS, provider.name)
]
IDS = [f"{provider.name}:{model.name}" for provider, model in PAIRS]


def of(provider: str, model: str, rows: Catalogue = ROWS) -> dict[str, Field]:
    """The fields of a model at a provider, by name."""
    at = rows.provider(provider)
    return {field.name: field for field in fields(rows.model(at, model), at)}


def company(model: Model, name: str, value: object) -> dict[str, Any]:
    """The other fields that a value needs, each with the first value that will do."""
    needs = [need for need in model.needs if need["field"] == name and among(value, need.get("value", value))]
    return {other: expected[0] for need in needs for other, expected in need.items() if other not in ("field", "value")}


# --- every row of the catalogue


@pytest.mark.parametrize(("provider", "model"), PAIRS, ids=IDS)
def test_no_field_is_shown_that_is_refused(provider: Provider, model: Model) -> None:
    """By the model or by its provider; and none that has its own place, or stands there twice."""
    names = [field.name for field in fields(model, provider)]

    assert not set(names) & {*model.refuses, *provider.refuses, "n", "model", "prompt", "image", "mask"}
    assert len(names) == len(set(names))
    assert names[: len(set(names) & set(OPTIONS))] == [name for name in OPTIONS if name in names]


@pytest.mark.parametrize(("provider", "model"), PAIRS, ids=IDS)
def test_what_a_form_lists_is_taken(provider: Provider, model: Model) -> None:
    """Each value, chosen in the form and read as it reads it, passes the limits, with what it needs."""
    for field in fields(model, provider):
        for text in field.values:
            chosen = body_of(asked(Draft(prompt="a cat", fields=((field.name, text),))))
            whole = {**company(model, field.name, chosen.get(field.name)), **chosen}
            assert objections(whole, prompt="a cat", images=0, has_mask=False, model=model) == (), (field.name, text)


@pytest.mark.parametrize(("provider", "model"), PAIRS, ids=IDS)
def test_every_model_shows_a_size(provider: Provider, model: Model) -> None:
    """There is no model in the catalogue that is known to take none."""
    assert "size" in [field.name for field in fields(model, provider)]


OTHERS = ("strange", "2400x1600", 1, 2, 20)


@pytest.mark.parametrize(("provider", "model"), PAIRS, ids=IDS)
def test_a_field_is_open_where_more_is_taken_than_it_lists(provider: Provider, model: Model) -> None:
    """A size within the rule, a number within its range, any text where nothing is listed; and nowhere else."""
    alone = replace(model, needs=())
    for field in fields(model, provider):
        others = [value for value in OTHERS if str(value) not in field.values]
        said = [objections({field.name: value}, prompt="a", images=0, has_mask=False, model=alone) for value in others]
        assert field.is_flag or field.is_open is (() in said), field


@pytest.mark.parametrize(("provider", "model"), PAIRS, ids=IDS)
def test_what_is_usual_is_taken(provider: Provider, model: Model) -> None:
    """An empty field shows what holds then, and that can be chosen too."""
    for field in fields(model, provider):
        assert not field.usual or field.is_open or field.usual in field.values, field


def test_sketch_shows_what_it_takes() -> None:
    """Its row is of this package, and knows each field of the endpoint."""
    own = {*GENERATION_FIELDS, *EDIT_FIELDS} - {"model", "prompt", "n"}

    assert set(of("sketch", "sketch")) == own


# --- what a field is


def test_a_form_is_what_the_row_says() -> None:
    """All of one model, in the order of the options and then of the row."""
    assert [(f.name, f.values, f.is_open, f.is_flag, f.usual) for f in of("openai", "gpt-image-1").values()] == [
        ("size", ("auto", "1024x1024", "1536x1024", "1024x1536"), False, False, "auto"),
        ("quality", ("auto", "low", "medium", "high"), False, False, "auto"),
        ("background", ("auto", "opaque", "transparent"), False, False, "auto"),
        ("output_format", ("png", "jpeg", "webp"), False, False, "png"),
        ("output_compression", (), True, False, ""),
        ("moderation", ("auto", "low"), False, False, ""),
        ("user", (), True, False, ""),
        ("stream", ("true", "false"), False, True, "false"),
        ("partial_images", ("0", "1", "2", "3"), False, False, ""),
        ("input_fidelity", ("high", "low"), False, False, ""),
    ]


@pytest.mark.parametrize(
    ("provider", "model", "shown", "hidden"),
    [
        ("openai", "dall-e-3", {"style", "response_format", "user"}, {"stream", "seed", "background"}),
        ("openai", "gpt-image-2", {"frame_count", "frame_duration_ms", "stream"}, {"seed", "style", "input_fidelity"}),
        ("openai", "gpt-image-2.6-flare", {"complexity"}, {"response_format"}),
        ("litellm", "gpt-image-2", {"quality", "user"}, {"stream", "partial_images"}),
        ("ark", "doubao-seedream-3-0-t2i-250415", {"seed", "guidance_scale", "watermark"}, {"stream", "user", "n"}),
        ("ark", "doubao-seedream-4-5-251128", {"watermark", "stream", "sequential_image_generation"}, {"seed"}),
        ("ark", "doubao-seedream-5-0-pro-260628", {"watermark", "background"}, {"stream", "quality"}),
        ("xai", "grok-imagine-image-2.0", {"resolution", "aspect_ratio", "quality", "user"}, {"style", "stream"}),
        ("xai", "grok-imagine-image", {"resolution"}, {"quality"}),
        ("together", "black-forest-labs/FLUX.1-schnell", {"seed", "negative_prompt", "steps"}, {"quality", "stream"}),
        ("vllm-omni", "Qwen/Qwen-Image", {"seed", "negative_prompt", "true_cfg_scale", "layers"}, {"style", "stream"}),
    ],
)
def test_a_model_shows_its_own_fields(provider: str, model: str, shown: set[str], hidden: set[str]) -> None:
    """A person sees no field that the model has no use for."""
    found = set(of(provider, model))

    assert shown <= found
    assert not hidden & found


@pytest.mark.parametrize(("provider", "model"), [("localai", "anything"), ("openai", "no-such-model")])
def test_a_model_of_which_nothing_is_known_shows_every_option(provider: str, model: str) -> None:
    """As free text; nothing is known against any of it."""
    found = of(provider, model)

    assert list(found) == OPTIONS
    assert all(field.is_open and not field.values and not field.usual for field in found.values())
    assert [name for name, field in found.items() if field.is_flag] == ["watermark", "stream"]


def test_what_a_provider_fails_on_is_not_shown_with_an_unknown_model_either() -> None:
    """LiteLLM hands on no stream, whatever the model is called."""
    assert set(OPTIONS) - set(of("litellm", "no-such-model")) == {"stream", "partial_images"}


@pytest.mark.parametrize(
    ("provider", "model", "name", "hint"),
    [
        ("openai", "gpt-image-1", "output_compression", "0 to 100"),
        ("ark", "doubao-seedream-3-0-t2i-250415", "seed", "-1 to 2147483647"),
        ("openai", "gpt-image-2", "frame_duration_ms", "20 to 655350"),
        ("openai", "gpt-image-2", "quality", "for example low, medium or high"),
        ("openai", "no-such-model", "output_compression", "for jpeg and webp, in percent"),
        ("openai", "gpt-image-2.6-flare", "complexity", ""),
    ],
)
def test_a_hint_is_a_range_or_what_the_option_means(provider: str, model: str, name: str, hint: str) -> None:
    """Of a field that no option has and no range is known of, there is none."""
    assert of(provider, model)[name].hint == hint


@pytest.mark.parametrize(
    ("provider", "model", "name", "usual"),
    [
        ("openai", "gpt-image-2", "size", "auto"),
        ("zenlayer", "gpt-image-2", "size", "1024x1024"),
        ("ark", "doubao-seedream-4-5-251128", "watermark", "true"),
        ("ark", "doubao-seedream-4-5-251128", "response_format", "b64_json"),
        ("quickrouter", "gpt-image-1.5", "size", "auto"),
        ("quickrouter", "dall-e-3", "size", "1024x1024"),
        ("openai", "gpt-image-1", "moderation", ""),
    ],
)
def test_what_is_usual_is_what_an_empty_field_comes_to(provider: str, model: str, name: str, usual: str) -> None:
    """What is sent by itself goes before what the model takes for a field that is not sent."""
    assert of(provider, model)[name].usual == usual


def test_an_empty_list_takes_any_value() -> None:
    """It makes a field known: shown in the form, and never refused for what is in it."""
    model = Model(name="m", takes=MappingProxyType({"seed": (), "size": ()}))

    assert [(field.name, field.values, field.is_open) for field in fields(model, NOBODY)] == [
        ("size", (), True),
        ("seed", (), True),
    ]
    for said in ({"seed": 7}, {"seed": "x"}, {"size": "1x1"}, {"size": "auto"}):
        assert objections(said, prompt="a", images=0, has_mask=False, model=model) == ()


def test_a_field_that_only_goes_with_another_is_shown() -> None:
    """A row that says what a field needs says that it is there."""
    model = Model(name="m", takes=MappingProxyType({"quality": ()}), needs=(MappingProxyType({"field": "depth"}),))

    assert [field.name for field in fields(model, NOBODY)] == ["quality", "depth"]


def test_a_rule_for_sizes_shows_the_size() -> None:
    """Also where the row lists none."""
    model = Model(name="m", ranges=MappingProxyType({"seed": (0, 9)}), size_rule=SizeRule())

    assert [(field.name, field.is_open) for field in fields(model, NOBODY)] == [("size", True), ("seed", True)]


def test_a_file_of_a_persons_own_makes_a_form() -> None:
    """Its fields are shown as those of the catalogue are; a name for a key is none of them."""
    text = """
    [[models]]
    name = "painter"
    takes = { quality = ["draft", "final"], api_key = [], n = [], brush = ["oil"] }
    ranges = { partial_images = [0, 1e9], depth = [0, 0.5] }
    unsaid = { tiled = false, day = 2026-11-20, brush = "oil" }
    """
    found = of("openai", "painter", over(ROWS, text, "a file", is_trusted=True))

    assert [(f.name, f.values, f.is_open, f.is_flag, f.usual, f.hint) for f in found.values()][1:] == [
        ("partial_images", (), True, False, "", "0 to 1000000000"),
        ("brush", ("oil",), False, False, "oil", ""),
        ("depth", (), True, False, "", "0 to 0.5"),
        ("tiled", ("true", "false"), False, True, "false", ""),
        ("day", (), True, False, "", ""),
    ]


@held
@given(
    takes=st.dictionaries(st.sampled_from(OPTIONS) | st.text(max_size=5), st.lists(st.text(max_size=5)).map(tuple)),
    ranges=st.dictionaries(st.sampled_from(OPTIONS), st.tuples(st.floats(), st.floats())),
    unsaid=st.dictionaries(st.sampled_from(OPTIONS), st.booleans() | st.floats() | st.text() | st.just((1,))),
    refuses=st.lists(st.sampled_from(OPTIONS)).map(tuple),
)
def test_any_row_makes_a_form(
    takes: dict[str, tuple[str, ...]],
    ranges: dict[str, tuple[float, float]],
    unsaid: dict[str, Any],
    refuses: tuple[str, ...],
) -> None:
    """A person's own file may say anything; what it refuses is not shown, and a list stays short."""
    model = Model(name="m", takes=takes, ranges=ranges, unsaid=unsaid, refuses=refuses)
    found = fields(model, NOBODY)

    assert not {field.name for field in found} & set(refuses)
    assert all(field.name in takes or len(field.values) <= 11 for field in found)
