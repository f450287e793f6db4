"""The systems that this package was asked to speak to: what is sent to each is what its document shows.

The documents: Zenlayer's gateway for gpt-image-1 and for gpt-image-2, QuickRouter for gpt-image-1.5, a gateway with
gpt-image-1 and Seedream 4.0 and 4.5 behind one path, and the dall-e form of api.openai.com.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.gateway import Gateway, Said
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen import errors

OTTER = "A cute baby sea otter"


def body(gateway: Gateway, **given: Any) -> dict[str, Any]:
    """The body of the one POST that a call makes, at a provider of the catalogue that lies on the gateway."""
    ig.generate(quiet=True, **given)
    (asked,) = gateway.posts
    assert asked.path == "/v1/images/generations"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["authorization"] == "Bearer a-key-of-mine"
    return asked.json


@pytest.fixture
def at(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a provider of the catalogue on the gateway, with a key."""

    def put(provider: str) -> None:
        prefix = provider.upper().replace("-", "_")
        monkeypatch.setenv(f"{prefix}_BASE_URL", gateway.url)
        monkeypatch.setenv(f"{prefix}_API_KEY", "a-key-of-mine")

    return put


@pytest.mark.parametrize("model", ["gpt-image-1", "gpt-image-2"])
def test_zenlayer_is_sent_the_body_of_its_document(gateway: Gateway, at: Any, model: str) -> None:
    """Its example, field for field."""
    at("zenlayer")

    sent = body(gateway, provider="zenlayer", prompt=OTTER, model=model, n=1, size="1024x1024")

    assert sent == {"model": model, "prompt": OTTER, "n": 1, "size": "1024x1024"}


@pytest.mark.parametrize(
    ("field", "value", "listed"),
    [("size", "2048x2048", "1536x1024"), ("size", "auto", "1024x1536"), ("quality", "auto", "medium")],
)
def test_zenlayers_own_limits_are_checked_before_it_costs(
    gateway: Gateway, at: Any, field: str, value: Any, listed: str
) -> None:
    """Three sizes and three qualities; what is refused lists what is taken."""
    at("zenlayer")

    with pytest.raises(errors.NotTaken, match=listed):
        ig.generate(OTTER, provider="zenlayer", model="gpt-image-2", **{field: value})
    assert gateway.posts == []

    ig.generate(OTTER, provider="zenlayer", model="gpt-image-2", force=True, quiet=True, **{field: value})
    assert gateway.posts[0].json[field] == value


def test_zenlayers_two_pictures_are_two_calls(gateway: Gateway, at: Any) -> None:
    """gpt-image-2 takes only n = 1 there."""
    at("zenlayer")

    result = ig.generate(OTTER, provider="zenlayer", model="gpt-image-2", n=2, quiet=True)

    assert [asked.json["n"] for asked in gateway.posts] == [1, 1]
    assert len(result) == 2


def test_zenlayers_second_picture_for_one_is_kept_and_said(gateway: Gateway, at: Any) -> None:
    """Its example answers n = 1 with two pictures and a usage of zeros: neither is believed nor lost."""
    at("zenlayer")
    nothing = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    gateway.rule = lambda _: Said(answer(picture("red"), picture("blue"), usage=nothing))

    result = ig.generate(OTTER, provider="zenlayer", model="gpt-image-1", n=1, quiet=True)

    assert len(result) == 2
    row = ig.history().iloc[0]
    assert row["mismatch"] == "asked for 1 picture, got 2"
    assert (row["cost_source"], row.isna()["cost_usd"]) == ("unknown", True)


def test_quickrouter_is_always_sent_n_and_size(gateway: Gateway, at: Any) -> None:
    """Its document marks both as required."""
    at("quickrouter")

    assert body(gateway, provider="quickrouter", prompt="a man walks") == {
        "model": "gpt-image-1.5",
        "prompt": "a man walks",
        "n": 1,
        "size": "auto",
    }


def test_quickrouter_is_sent_the_body_of_its_document(gateway: Gateway, at: Any) -> None:
    """Its example, field for field."""
    at("quickrouter")

    sent = body(gateway, provider="quickrouter", prompt="a man walks", size="1024x1536", n=1)

    assert sent == {"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 1}


def test_quickrouters_prompt_has_at_most_a_thousand_letters(gateway: Gateway, at: Any) -> None:
    """So its document says; elsewhere the same model takes 32,000."""
    at("quickrouter")

    with pytest.raises(errors.NotTaken, match="1,000"):
        ig.generate("a" * 1001, provider="quickrouter")
    assert gateway.posts == []


def test_quickrouters_chat_without_a_picture_is_said_in_its_own_words(gateway: Gateway, at: Any) -> None:
    """Its documented answer is a chat completion that greets."""
    at("quickrouter")
    greeting = {"role": "assistant", "content": "\n\nHello there, how may I assist you today?"}
    chat = {
        "id": "chatcmpl-123",
        "object": "chat.completion",
        "created": 1677652288,
        "choices": [{"index": 0, "message": greeting, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    }
    gateway.rule = lambda _: Said(json.dumps(chat).encode())

    with pytest.raises(errors.NoPicture, match="Hello there, how may I assist you today"):
        ig.generate("a man walks", provider="quickrouter")


@pytest.mark.parametrize(
    ("model", "size", "sent"),
    [
        ("gpt-image-1", "1024x1024", {"size": "1024x1024"}),
        ("doubao-seedream-4-0-250828", "1024x1024", {"size": "1024x1024", "response_format": "b64_json"}),
        ("doubao-seedream-4-0-250828", "2K", {"size": "2K", "response_format": "b64_json"}),
        ("doubao-seedream-4-5-251128", "4K", {"size": "4K", "response_format": "b64_json"}),
    ],
)
def test_one_gateway_with_two_families_is_asked_in_the_words_of_each(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, model: str, size: str, sent: dict[str, Any]
) -> None:
    """Model and prompt are required there, and the rest is that of the model's own document."""
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "a-key-of-mine")

    found = body(gateway, prompt="Programmer cartoon avatar", model=model, size=size)

    assert found == {"model": model, "prompt": "Programmer cartoon avatar", **sent}


def test_seedream_4_5_at_a_megapixel_is_refused_before_it_costs(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its smallest picture has 3,686,400 pixels; the size that every other model takes is too small."""
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)

    with pytest.raises(errors.NotTaken, match="2K"):
        ig.generate("a cat", model="doubao-seedream-4-5-251128", size="1024x1024")
    assert gateway.posts == []


def test_dall_e_3_is_sent_the_body_of_its_document(gateway: Gateway, at: Any) -> None:
    """Quality hd, a style, a user and the form of the answer: all of its documented fields."""
    at("openai")

    found = body(
        gateway,
        provider="openai",
        prompt=OTTER,
        model="dall-e-3",
        n=1,
        size="1792x1024",
        quality="hd",
        style="vivid",
        user="u-1",
        response_format="url",
    )

    assert found == {
        "model": "dall-e-3",
        "prompt": OTTER,
        "n": 1,
        "size": "1792x1024",
        "quality": "hd",
        "style": "vivid",
        "user": "u-1",
        "response_format": "url",
    }


def test_a_picture_behind_a_url_is_brought_and_its_revised_prompt_kept(gateway: Gateway, at: Any) -> None:
    """The documented dall-e answer: two addresses and nothing else but the prompt as it was rewritten."""
    at("openai")
    found = {"/a.png": picture("red"), "/b.png": picture("blue")}
    data = [{"url": f"{gateway.origin}{path}", "revised_prompt": path} for path in found]
    whole = json.dumps({"created": 1589478378, "data": data}).encode()
    gateway.rule = lambda asked: Said(found.get(asked.path, whole))

    result = ig.generate(OTTER, provider="openai", model="dall-e-2", n=2, quiet=True)

    assert [each.bytes for each in result] == list(found.values())
    assert [each.revised_prompt for each in result] == list(found)
    assert [asked.headers.get("authorization") for asked in gateway.asked if asked.method == "GET"] == [None, None]


def test_a_retired_model_says_so_when_the_server_refuses_it(gateway: Gateway, at: Any) -> None:
    """dall-e-3 is gone at its own house, and gateways still serve the name: the server decides, the hint explains."""
    at("openai")
    gone = {"message": "The model `dall-e-3` has been deprecated.", "type": "invalid_request_error", "param": None}
    gateway.rule = lambda _: Said(json.dumps({"error": {**gone, "code": "model_not_found"}}).encode(), 404)

    with pytest.raises(errors.ModelNotFound) as caught:
        ig.generate(OTTER, provider="openai", model="dall-e-3")

    assert "2026-05-12" in caught.value.hint


@pytest.mark.parametrize("model", ["gpt-image-1", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-flare"])
def test_gpt_image_models_are_never_sent_a_response_format(gateway: Gateway, at: Any, model: str) -> None:
    """They refuse it: not even a default may bring it in."""
    at("openai")

    assert "response_format" not in body(gateway, provider="openai", prompt=OTTER, model=model)
    with pytest.raises(errors.NotTaken, match="response_format"):
        ig.generate(OTTER, provider="openai", model=model, response_format="b64_json")


def test_ark_is_asked_at_its_own_path_with_its_own_words(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below /api/v3, with a tier, and each further picture in a call of its own."""
    monkeypatch.setenv("ARK_BASE_URL", f"{gateway.origin}/api/v3")
    monkeypatch.setenv("ARK_API_KEY", "a-key-of-mine")

    ig.generate(
        "a cat", provider="ark", model="doubao-seedream-4-0-250828", size="2K", n=2, watermark=False, quiet=True
    )

    fields = {"model": "doubao-seedream-4-0-250828", "prompt": "a cat", "size": "2K", "watermark": False}
    assert [asked.path for asked in gateway.posts] == ["/api/v3/images/generations"] * 2
    assert [asked.json for asked in gateway.posts] == [{**fields, "response_format": "b64_json"}] * 2


def test_azure_is_asked_at_its_deployment_with_its_own_header(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is in `api-key`, the version in the query, the model in the path alone."""
    monkeypatch.setenv("AZURE_BASE_URL", gateway.origin)
    monkeypatch.setenv("AZURE_API_KEY", "a-key-of-mine")

    ig.generate("a cat", provider="azure", model="my-images", size="1024x1024", quiet=True)

    (asked,) = gateway.posts
    path, _, query = asked.path.partition("?")
    assert path == "/openai/deployments/my-images/images/generations"
    assert query.startswith("api-version=20")
    assert (asked.headers["api-key"], "authorization" in asked.headers) == ("a-key-of-mine", False)
    assert asked.json == {"prompt": "a cat", "size": "1024x1024"}
