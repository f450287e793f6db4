"""The brush: the same value gives the same bytes, and every value gives the picture it says."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from jupyter_imagegen.sketch import paint
from jupyter_imagegen.sketch.picture import HOUR_WORDS, SCENE_WORDS, Picture, compose

SMALL = (160, 120)


def composed(**changes: Any) -> Picture:
    """A picture of some request."""
    request: dict[str, Any] = {
        "prompt": "a kettle",
        "negative": "",
        "seed": 7,
        "index": 0,
        "size": SMALL,
        "quality": "high",
        "background": "opaque",
        "style": "",
    }
    return compose(**request | changes)


def png(picture: Picture) -> bytes:
    """A picture, painted and encoded."""
    return paint.encode(paint.paint(picture), "png", 100)


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are apart, 0..255."""
    means = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(means) / len(means)


def test_another_process_paints_the_same_bytes() -> None:
    """Nothing of the process enters a picture, neither hash randomisation nor the global random state."""
    code = (
        "import hashlib; from jupyter_imagegen.sketch import paint;"
        "from jupyter_imagegen.sketch.picture import compose;"
        "p = compose(prompt='a kettle', negative='', seed=7, index=0, size=(160, 120), quality='high',"
        " background='opaque', style='');"
        "print(hashlib.sha256(paint.encode(paint.paint(p), 'png', 100)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {hashlib.sha256(png(composed())).hexdigest()}


@pytest.mark.parametrize("change", [{"seed": 8}, {"index": 1}, {"prompt": "a teapot"}, {"negative": "red"}], ids=str)
def test_another_seed_index_or_prompt_is_another_scene(change: dict[str, Any]) -> None:
    """Each changes what is painted, not only the caption."""
    assert distance(paint.scene(composed()), paint.scene(composed(**change))) > 5


def test_the_prompt_is_written_into_the_picture() -> None:
    """Two captions over one scene make two pictures."""
    one = composed()
    assert png(one) != png(dataclasses.replace(one, caption="another"))


@pytest.mark.parametrize("size", [(64, 64), (64, 300), (300, 64), (101, 67), (1536, 1024)], ids=str)
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_size_and_format_are_what_was_asked(size: tuple[int, int], form: str) -> None:
    """To the pixel, for every shape and format."""
    data = paint.encode(paint.paint(composed(size=size)), form, 80)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.format) == (size, form.upper())


@pytest.mark.parametrize("scene", SCENE_WORDS)
@pytest.mark.parametrize("background", ["opaque", "transparent"])
@pytest.mark.parametrize("size", [(64, 64), (64, 700), (700, 64)], ids=str)
def test_every_scene_can_be_painted_in_any_shape(scene: str, background: str, size: tuple[int, int]) -> None:
    """Also in its smallest preview."""
    picture = dataclasses.replace(composed(size=size, background=background, quality="max"), scene=scene)
    assert paint.paint(picture).size == paint.scene(picture, 0.01).size == size


@pytest.mark.parametrize("scene", SCENE_WORDS)
def test_a_transparent_background_has_no_sky(scene: str) -> None:
    """The top is clear up to the mark in its corner, something below is solid."""
    image = paint.paint(dataclasses.replace(composed(background="transparent", size=(256, 256)), scene=scene))
    alpha = image.getchannel("A")
    assert image.mode == "RGBA"
    assert alpha.crop((0, 0, 100, 20)).getextrema() == (0, 0)
    assert alpha.getextrema()[1] == 255


@pytest.mark.parametrize("scene", SCENE_WORDS)
def test_higher_quality_has_more_in_it(scene: str) -> None:
    """Measured by what a lossless format needs for the scene without its caption."""
    pictures = [dataclasses.replace(composed(size=(384, 384), quality=asked), scene=scene) for asked in ("low", "high")]
    sizes = [len(paint.encode(paint.scene(picture), "png", 100)) for picture in pictures]
    assert sizes[0] * 1.1 < sizes[1]


@pytest.mark.parametrize("background", ["opaque", "transparent"])
def test_previews_come_nearer_to_the_picture(background: str) -> None:
    """Each stage is closer to the finished scene than the one before."""
    picture = composed(size=(512, 384), background=background)
    final = paint.scene(picture)
    steps = [distance(paint.scene(picture, paint.sharpness(stage, 3)), final) for stage in range(3)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] > 0


def test_four_pictures_of_one_request_show_four_scenes() -> None:
    """A prompt that names none is painted in as many kinds as there are pictures."""
    assert len({composed(index=index).scene for index in range(4)}) == 4
    assert len({composed(index=index).hour for index in range(4)}) == 4


@pytest.mark.parametrize(
    ("prompt", "scene"), [("A City at night", "city"), ("海边的船", "sea"), ("an otter", "lake"), ("starfish", None)]
)
def test_words_of_the_prompt_choose_the_scene(prompt: str, scene: str | None) -> None:
    """Whole words in English, characters in Chinese."""
    scenes = {composed(prompt=prompt, seed=seed).scene for seed in range(12)}
    assert (scenes == {scene}) if scene else (len(scenes) > 2)


def test_words_of_the_negative_prompt_forbid_a_scene() -> None:
    """Even one that the prompt asks for."""
    assert all(composed(prompt="a city", negative="city", index=at).scene != "city" for at in range(10))


def test_style_changes_the_colours() -> None:
    """Vivid is more saturated than natural."""
    vivid, natural = (
        ImageStat.Stat(paint.scene(composed(style=style)).convert("HSV")).mean[1] for style in ("vivid", "natural")
    )
    assert vivid > natural


@pytest.mark.parametrize("hour", HOUR_WORDS)
def test_every_palette_has_land_from_far_to_near(hour: str) -> None:
    """Nothing fails at either end of the distance."""
    picture = dataclasses.replace(composed(size=(64, 64)), hour=hour)
    assert paint.paint(picture).size == (64, 64)
