"""How each family of servers is asked: the same call in the words of its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from support.pictures import picture

from jupyter_imagegen import dialects
from jupyter_imagegen.dialects import EDITS, GENERATIONS, Spelling, Wanted
from jupyter_imagegen.errors import NotTaken, SettingsError
from jupyter_imagegen.references import Reference, of_value

CAT = of_value(picture(), "cat")
DOG = of_value(picture(size=(4, 3)), "dog")


def spelt(name: str, base_url: str = "https://h/v1", **given: Any) -> Spelling:
    """A call in a dialect; what is not named is a prompt alone."""
    fixed: dict[str, Any] = {
        "base_url": base_url,
        "query": {},
        "model": "m",
        "prompt": "a cat",
        "n": None,
        "fields": {},
        "images": (),
        "mask": None,
    }
    return dialects.named(name).spell(Wanted(**{**fixed, **given}))


@pytest.mark.parametrize("name", ["openai", "azure", "seedream", "together", "xai"])
def test_every_dialect_asks_for_a_picture_with_model_and_prompt(name: str) -> None:
    """The least that can be asked is the same in all of them; Azure has the model in the path."""
    found = spelt(name)

    assert found.path.endswith(GENERATIONS)
    assert {**found.fields, "model": "m"} == {"model": "m", "prompt": "a cat"}
    assert not found.is_form


def test_an_unknown_dialect_names_the_known_ones() -> None:
    """It is data, and may be misspelt in a person's own file."""
    with pytest.raises(SettingsError, match=r"There is no dialect 'sedream'\. Did you mean 'seedream'") as caught:
        dialects.named("sedream")

    assert "together" in caught.value.hint


@pytest.mark.parametrize("name", ["__init__", "os", "openai.py", "", "../openai"])
def test_only_a_file_of_its_folder_is_a_dialect(name: str) -> None:
    """A name in a file cannot load anything else."""
    with pytest.raises(SettingsError):
        dialects.named(name)


# --- OpenAI


def test_one_picture_is_edited_as_image_and_several_as_a_list() -> None:
    """Servers made after dall-e-2 refuse `image[]`; OpenAI's own client uses it for several."""
    one = spelt("openai", images=(CAT,), mask=DOG, n=2, fields={"size": "auto"})
    two = spelt("openai", images=(CAT, DOG))

    assert (one.path, one.is_form) == (EDITS, True)
    assert one.fields == {"model": "m", "prompt": "a cat", "n": 2, "size": "auto", "image": CAT, "mask": DOG}
    assert two.fields == {"model": "m", "prompt": "a cat", "image[]": (CAT, DOG)}


# --- Azure


@pytest.mark.parametrize(
    ("base_url", "path", "has_model", "query"),
    [
        ("https://r.openai.azure.com", "/openai/deployments/m%2F1/images/generations", False, {"api-version": "1"}),
        ("https://r.openai.azure.com/openai/v1", "/images/generations", True, {}),
    ],
)
def test_azure_has_the_deployment_in_the_path(
    base_url: str, path: str, *, has_model: bool, query: Mapping[str, str]
) -> None:
    """The newer surface has the model in the body again, and asks for no version."""
    found = spelt("azure", base_url, model="m/1", query={"api-version": "1"})

    assert (found.path, "model" in found.fields, found.query) == (path, has_model, query)


def test_azure_without_a_deployment_is_a_sentence() -> None:
    """There is no address to post to."""
    with pytest.raises(SettingsError, match="deployment"):
        spelt("azure", "https://r.openai.azure.com", model="")


# --- Seedream


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"n": 3}, {}),
        ({"fields": {"size": "2K"}}, {"size": "2K"}),
        ({"fields": {"size": "2048×1024", "watermark": False}}, {"size": "2048x1024", "watermark": False}),
        ({"images": (CAT,)}, {"image": CAT}),
        ({"images": (CAT, DOG)}, {"image": (CAT, DOG)}),
        (
            {"n": 3, "fields": {"sequential_image_generation": "auto"}},
            {"sequential_image_generation": "auto", "sequential_image_generation_options": {"max_images": 3}},
        ),
        (
            {
                "n": 3,
                "fields": {"sequential_image_generation": "auto", "sequential_image_generation_options": {"x": 1}},
            },
            {"sequential_image_generation": "auto", "sequential_image_generation_options": {"x": 1}},
        ),
        (
            {"fields": {"sequential_image_generation": "auto"}},
            {"sequential_image_generation": "auto"},
        ),
    ],
)
def test_seedream_has_no_n_and_its_pictures_in_the_body(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """One path for all, tiers as they are, and a series only where one was asked for."""
    found = spelt("seedream", **given)

    assert found.path == GENERATIONS
    assert found.fields == {"model": "m", "prompt": "a cat", **sent}
    assert not found.is_form


@pytest.mark.parametrize(("fields", "most"), [({}, 1), ({"sequential_image_generation": "auto"}, 15)])
def test_seedream_makes_one_picture_in_a_call_unless_a_series_is_asked_for(fields: dict[str, Any], most: int) -> None:
    """More than one are calls of their own: a series is another thing, pictures that belong together."""
    assert dialects.named("seedream").share(fields, 10) == most


# --- xAI


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("1024x1024", "1:1", "1k"),
        ("1536x1024", "3:2", "1k"),
        ("1024x1536", "2:3", "1k"),
        ("1280x720", "16:9", "1k"),
        ("1344×768", "16:9", "1k"),
        ("1536x1536", "1:1", "1.5k"),
        ("2048x2048", "1:1", "2k"),
        ("2560x1440", "16:9", "2k"),
    ],
)
def test_xai_is_told_a_size_as_ratio_and_resolution(size: str, ratio: str, resolution: str) -> None:
    """It refuses the field size."""
    found = spelt("xai", fields={"size": size, "user": "u"})

    assert found.fields == {
        "model": "m",
        "prompt": "a cat",
        "user": "u",
        "aspect_ratio": ratio,
        "resolution": resolution,
    }


@pytest.mark.parametrize(
    ("size", "sent"), [("auto", {"aspect_ratio": "auto"}), ("2K", {"size": "2K"}), (7, {"size": 7})]
)
def test_xai_is_told_no_size_that_has_no_sides(size: object, sent: dict[str, Any]) -> None:
    """What is not WxH is handed on as it is, and the server decides."""
    assert spelt("xai", fields={"size": size}).fields == {"model": "m", "prompt": "a cat", **sent}


@pytest.mark.parametrize("size", ["1000x999999", "1024x600", "8192x8192"])
def test_a_size_that_xai_has_no_word_for_is_refused_before_it_costs(size: str) -> None:
    """A picture of another shape would be paid for."""
    with pytest.raises(NotTaken, match=size):
        spelt("xai", fields={"size": size})


def test_xai_says_its_own_words_where_they_were_given() -> None:
    """--param goes before what a size would be translated to."""
    found = spelt("xai", fields={"size": "1024x1024", "aspect_ratio": "2:1"})

    assert (found.fields["aspect_ratio"], found.fields["resolution"]) == ("2:1", "1k")


@pytest.mark.parametrize(
    ("images", "sent"),
    [((CAT,), {"image": {"url": CAT}}), ((CAT, DOG), {"images": ({"url": CAT}, {"url": DOG})})],
)
def test_xai_is_sent_pictures_as_json(images: tuple[Reference, ...], sent: dict[str, Any]) -> None:
    """One is an object, several are a list."""
    found = spelt("xai", images=images)

    assert (found.path, found.is_form) == (EDITS, False)
    assert found.fields == {"model": "m", "prompt": "a cat", **sent}


# --- Together


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"fields": {"size": "1024x768"}}, {"width": 1024, "height": 768}),
        ({"fields": {"size": "auto"}}, {"size": "auto"}),
        ({"fields": {"response_format": "b64_json"}}, {"response_format": "base64"}),
        ({"fields": {"response_format": "url"}, "n": 2}, {"response_format": "url", "n": 2}),
        ({"images": (CAT,)}, {"image_url": CAT}),
        ({"images": (CAT, DOG)}, {"reference_images": (CAT, DOG)}),
    ],
)
def test_together_has_width_and_height_and_base64(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """Its words stand in place of OpenAI's."""
    found = spelt("together", **given)

    assert found.path == GENERATIONS
    assert found.fields == {"model": "m", "prompt": "a cat", **sent}


@pytest.mark.parametrize("name", ["seedream", "together", "xai"])
def test_a_mask_is_refused_where_there_is_no_word_for_one(name: str) -> None:
    """Left out without a word, it would be paid for and do nothing."""
    with pytest.raises(NotTaken, match="mask"):
        spelt(name, images=(CAT,), mask=DOG)
