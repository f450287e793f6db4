"""The official SDK against the really served endpoint: what people's own code will do."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import Any, Literal

import httpx2
import openai
import pytest
from PIL import Image, ImageChops, ImageStat
from sketch.pictures import data_url, picture_of

FORMS: tuple[Literal["url"], Literal["b64_json"]] = ("url", "b64_json")
FIDELITIES: tuple[Literal["low"], Literal["high"]] = ("low", "high")


def test_a_picture_is_generated(sdk: openai.OpenAI) -> None:
    """With the values that were used, and their usage."""
    answer = sdk.images.generate(model="sketch", prompt="a kettle", size="128x96")
    assert answer.data is not None
    assert [picture_of(item.b64_json).size for item in answer.data] == [(128, 96)]
    assert (answer.size, answer.quality, answer.background, answer.output_format) == ("128x96", "high", "opaque", "png")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.input_tokens == answer.usage.input_tokens_details.text_tokens == 2


def test_the_default_is_one_square_png_of_1024(sdk: openai.OpenAI) -> None:
    """As in the API."""
    answer = sdk.images.generate(prompt="a kettle")
    assert answer.data is not None
    image = picture_of(answer.data[0].b64_json)
    assert (len(answer.data), image.size, image.format) == (1, (1024, 1024), "PNG")


def test_several_pictures_differ_and_come_again(sdk: openai.OpenAI) -> None:
    """The same request gives the same list of different pictures."""
    first, second = (sdk.images.generate(prompt="a kettle", n=3, size="64x64").data for _ in range(2))
    assert first is not None
    assert first == second
    assert len({item.b64_json for item in first}) == 3


def test_the_seed_is_an_extension(sdk: openai.OpenAI) -> None:
    """Another seed is another picture, and no seed is the one that the prompt gives."""

    def painted(**extra: Any) -> str | None:
        answer = sdk.images.generate(prompt="a kettle", size="64x64", extra_body=extra)
        assert answer.data
        return answer.data[0].b64_json

    assert painted(seed=1) == painted(seed=1)
    assert len({painted(), painted(seed=1), painted(seed=2), painted(negative_prompt="x")}) == 4


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_formats_are_what_was_asked(sdk: openai.OpenAI, form: Any) -> None:
    """By the bytes, not only by the field."""
    answer = sdk.images.generate(prompt="a kettle", size="64x64", output_format=form)
    assert answer.data
    assert (picture_of(answer.data[0].b64_json).format, answer.output_format) == (form.upper(), form)


def test_compression_makes_a_smaller_file(sdk: openai.OpenAI) -> None:
    """For jpeg and webp."""
    sizes = [
        len(str(sdk.images.generate(prompt="a", size="256x256", output_format="jpeg", output_compression=level)))
        for level in (100, 20)
    ]
    assert sizes[0] > sizes[1]


@pytest.mark.parametrize(
    ("asked", "used"), [("auto", "high"), ("standard", "medium"), ("hd", "high"), ("low", "low"), ("max", "max")]
)
def test_quality_is_answered_with_what_was_used(sdk: openai.OpenAI, asked: Any, used: str) -> None:
    """Also the words of older models."""
    assert sdk.images.generate(prompt="a", size="64x64", quality=asked).quality == used


def test_a_transparent_background_has_alpha(sdk: openai.OpenAI) -> None:
    """Through the whole road."""
    answer = sdk.images.generate(prompt="a lake", size="128x128", background="transparent", output_format="webp")
    assert answer.data
    assert picture_of(answer.data[0].b64_json).getpixel((64, 0))[3] == 0  # type: ignore[index]
    assert answer.background == "transparent"


@pytest.mark.parametrize("model", ["sketch", "gpt-image-1", "gpt-image-2.6-flare", "chatgpt-image-latest"])
def test_it_stands_in_for_the_image_models(sdk: openai.OpenAI, model: str) -> None:
    """Code works by changing only the base URL."""
    assert sdk.images.generate(prompt="a", model=model, size="64x64").data


def test_dall_e_answers_with_an_address_and_the_prompt(sdk: openai.OpenAI) -> None:
    """As code written for it relies on; asked for base64, it gives that."""
    answer = sdk.images.generate(prompt="a", model="dall-e-3", size="64x64", style="natural", quality="hd")
    assert answer.data
    assert (answer.data[0].b64_json, answer.data[0].revised_prompt) == (None, "a")
    assert answer.data[0].url is not None
    inline = sdk.images.generate(prompt="a", model="dall-e-2", size="64x64", response_format="b64_json")
    assert inline.data
    assert inline.data[0].b64_json


@pytest.mark.parametrize("prompt", ["a kettle", "水獭 " * 8000, "x" * 32_000])
def test_an_address_leads_to_the_picture(sdk: openai.OpenAI, prompt: str) -> None:
    """The same bytes as inline, from another connection and without any key, however long the prompt."""
    answers = [
        sdk.images.generate(
            prompt=prompt,
            size="96x64",
            n=2,
            output_format="jpeg",
            output_compression=70,
            style="vivid",
            response_format=form,
        ).data
        for form in FORMS
    ]
    assert answers[0]
    assert answers[1]
    for linked, inline in zip(*answers, strict=True):
        assert linked.url is not None
        file = httpx2.get(linked.url, trust_env=False)
        assert (file.status_code, file.headers["content-type"]) == (200, "image/jpeg")
        assert file.content == picture_bytes(inline.b64_json)


def picture_bytes(b64: str | None) -> bytes:
    """The bytes of an answer."""
    assert b64
    return base64.b64decode(b64)


@pytest.mark.parametrize("stages", [0, 1, 3])
def test_a_stream_shows_previews_then_the_picture(sdk: openai.OpenAI, stages: int) -> None:
    """The last event is what the request gives without a stream."""
    with sdk.images.generate(prompt="a kettle", size="96x96", stream=True, partial_images=stages) as stream:
        events = list(stream)
    assert [event.type for event in events] == [
        *["image_generation.partial_image"] * stages,
        "image_generation.completed",
    ]
    assert [event.partial_image_index for event in events if event.type.endswith("partial_image")] == [*range(stages)]  # type: ignore[union-attr]
    assert {picture_of(event.b64_json).size for event in events} == {(96, 96)}
    plain = sdk.images.generate(prompt="a kettle", size="96x96").data
    assert plain
    assert events[-1].b64_json == plain[0].b64_json


def test_a_completed_event_has_all_documented_fields(sdk: openai.OpenAI) -> None:
    """And previews cost a hundred tokens each."""
    with sdk.images.generate(
        prompt="a kettle", size="64x64", quality="low", stream=True, partial_images=2, user="u-1"
    ) as stream:
        *_, last = stream
    assert last.type == "image_generation.completed"
    assert (last.size, last.quality, last.output_format, last.background) == ("64x64", "low", "png", "opaque")
    assert (last.usage.output_tokens, last.safety_identifier) == (2 + 200, "u-1")
    assert last.created_at > 0


def test_a_stream_of_several_completes_each(sdk: openai.OpenAI) -> None:
    """One completed event per picture."""
    with sdk.images.generate(prompt="a", n=2, size="64x64", stream=True, partial_images=1) as stream:
        kinds = [event.type.rpartition(".")[2] for event in stream]
    assert kinds == ["partial_image", "completed"] * 2


def test_the_asynchronous_client_works_alike(base_url: str) -> None:
    """Calls and streams, several at once."""

    async def all_at_once() -> tuple[list[Any], list[str]]:
        transport = openai.DefaultAsyncHttpxClient(trust_env=False)
        async with openai.AsyncOpenAI(base_url=base_url, api_key="any", http_client=transport) as client:
            calls = (client.images.generate(prompt=prompt, size="64x64") for prompt in ("a", "b", "a"))
            answers = await asyncio.gather(*calls)
            stream = await client.images.generate(prompt="a", size="64x64", stream=True, partial_images=2)
            return [answer.data for answer in answers], [event.type async for event in stream]

    pictures, kinds = asyncio.run(all_at_once())
    assert pictures[0] == pictures[2] != pictures[1]
    assert [kind.rpartition(".")[2] for kind in kinds] == ["partial_image", "partial_image", "completed"]


def test_an_edit_repaints_what_was_sent(sdk: openai.OpenAI, red_png: bytes) -> None:
    """In its own size if none is asked; another picture or prompt gives another edit."""
    blue = Image.new("RGB", (96, 80), (20, 40, 220))
    buffer = io.BytesIO()
    blue.save(buffer, "WEBP")
    answers = [
        sdk.images.edit(image=("a", sent), prompt=prompt).data
        for sent, prompt in ((red_png, "by night"), (buffer.getvalue(), "by night"), (red_png, "in snow"))
    ]
    pictures = [picture_of(answer[0].b64_json) for answer in answers if answer]
    assert [picture.size for picture in pictures] == [(96, 80)] * 3
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_high_fidelity_keeps_more_of_what_was_sent(sdk: openai.OpenAI, red_png: bytes) -> None:
    """The red stays redder."""
    reds = []
    for fidelity in FIDELITIES:
        answer = sdk.images.edit(image=("a.png", red_png), prompt="blue", size="96x80", input_fidelity=fidelity)
        assert answer.data
        means = ImageStat.Stat(picture_of(answer.data[0].b64_json).convert("RGB")).mean
        reds.append(means[0] - means[1])
    assert reds[0] < reds[1]


def test_sixteen_pictures_make_one_edit(sdk: openai.OpenAI, red_png: bytes) -> None:
    """In the size that was asked, and each is paid for."""
    answer = sdk.images.edit(image=[(f"{at}.png", red_png) for at in range(16)], prompt="all", size="256x192", n=2)
    assert answer.data
    assert [picture_of(item.b64_json).size for item in answer.data] == [(256, 192)] * 2
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 16 * 3 * 3


def test_a_mask_protects_what_it_covers(sdk: openai.OpenAI, red_png: bytes, mask_png: bytes) -> None:
    """Only where its alpha is 0 anything changes, to the pixel."""
    answer = sdk.images.edit(image=("a.png", red_png), mask=("m.png", mask_png), prompt="a window")
    assert answer.data
    edited = picture_of(answer.data[0].b64_json).convert("RGB")
    with Image.open(io.BytesIO(red_png)) as sent:
        changed = ImageChops.difference(edited, sent.convert("RGB"))
    assert changed.crop((48, 0, 96, 80)).getbbox() is None
    assert changed.crop((0, 0, 48, 80)).getbbox() == (0, 0, 48, 80)


def test_further_pictures_fill_the_hole(sdk: openai.OpenAI, red_png: bytes, mask_png: bytes) -> None:
    """The mask belongs to the first of them."""
    answers = [
        sdk.images.edit(image=[("a.png", red_png)] * count, mask=("m.png", mask_png), prompt="a window").data
        for count in (1, 2)
    ]
    assert answers[0] != answers[1]


def test_an_edit_streams(sdk: openai.OpenAI, red_png: bytes) -> None:
    """Its events have names of their own."""
    with sdk.images.edit(image=("a.png", red_png), prompt="soft", stream=True, partial_images=2) as stream:
        events = list(stream)
    assert [event.type for event in events] == [*["image_edit.partial_image"] * 2, "image_edit.completed"]
    assert {picture_of(event.b64_json).size for event in events} == {(96, 80)}


def test_an_edit_can_be_answered_with_an_address(sdk: openai.OpenAI, red_png: bytes) -> None:
    """The file is what is given inline."""
    linked, inline = (
        sdk.images.edit(image=("a.png", red_png), prompt="soft", response_format=form).data for form in FORMS
    )
    assert linked
    assert inline
    assert linked[0].url
    assert httpx2.get(linked[0].url, trust_env=False).content == picture_bytes(inline[0].b64_json)


def test_an_edit_in_json_is_the_same_edit(
    sdk: openai.OpenAI, http: httpx2.Client, red_png: bytes, mask_png: bytes
) -> None:
    """Pictures come as data URLs there."""
    form = sdk.images.edit(image=("a.png", red_png), mask=("m.png", mask_png), prompt="a window", n=1).data
    pictures = {"images": [{"image_url": data_url(red_png)}], "mask": {"image_url": data_url(mask_png)}}
    body = http.post("/images/edits", json={"prompt": "a window", "n": 1, **pictures}).json()
    assert form
    assert body["data"][0]["b64_json"] == form[0].b64_json


def test_the_models_are_listed(sdk: openai.OpenAI) -> None:
    """Only its own, not those it stands in for."""
    assert [(model.id, model.object) for model in sdk.models.list()] == [("sketch", "model")]
    assert sdk.models.retrieve("sketch").owned_by == "jupyter-imagegen"


def test_errors_are_those_of_the_sdk(sdk: openai.OpenAI) -> None:
    """With code, parameter and request id where the SDK looks for them."""
    with pytest.raises(openai.BadRequestError) as wrong:
        sdk.images.generate(prompt="a", size="7x7")
    assert (wrong.value.code, wrong.value.param, wrong.value.type) == ("invalid_value", "size", "invalid_request_error")
    assert str(wrong.value.request_id).startswith("req_")
    with pytest.raises(openai.NotFoundError) as absent:
        sdk.images.generate(prompt="a", model="imagen")
    assert absent.value.code == "model_not_found"
    with (
        pytest.raises(openai.BadRequestError) as blocked,
        sdk.images.generate(prompt="[refuse]", stream=True) as stream,
    ):
        next(iter(stream))
    assert (blocked.value.code, blocked.value.type) == ("moderation_blocked", "image_generation_user_error")


def test_every_answer_has_the_documented_headers(http: httpx2.Client) -> None:
    """And nothing of the key that was sent."""
    key = {"authorization": "Bearer sk-canary"}
    answers = [http.post("/images/generations", json={"prompt": "a", "size": "64x64"}, headers=key) for _ in range(2)]
    first = answers[0]
    assert first.headers["content-type"] == "application/json"
    assert int(first.headers["content-length"]) == len(first.content)
    assert first.headers["openai-version"] == "2020-10-01"
    assert first.headers["openai-processing-ms"].isdecimal()
    assert len({answer.headers["x-request-id"] for answer in answers}) == 2
    assert "sk-canary" not in first.text + str(first.headers)
