"""Fields of a request -> what is asked, complete and valid, or a refusal.

Source: OpenAI API reference, images/create and images/edit, read 2026-11. `seed` and `negative_prompt` are
extensions, as several self-hosted servers have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .fields import Fields, choice, flag, only, size, text, whole
from .refusal import blocked, missing, no_such_model, wrong_value

OWN_MODEL = "sketch"
MOST_IMAGES = 16
"""Pictures that one edit takes."""

MARKER = "[refuse]"
"""A prompt that contains this is refused as by moderation, so that people can see how that looks."""

_STANDS_IN_FOR = re.compile(r"sketch|gpt-image-[\w.-]{1,80}|chatgpt-image-latest|dall-e-[23]")
_QUALITIES = ("auto", "low", "medium", "high", "standard", "hd", "xhigh", "max")
_EFFECTIVE = {"auto": "high", "standard": "medium", "hd": "high"}
_SEED_LIMIT = 2**63

_COMMON = (
    "background",
    "model",
    "moderation",
    "n",
    "negative_prompt",
    "output_compression",
    "output_format",
    "partial_images",
    "prompt",
    "quality",
    "response_format",
    "safety_identifier",
    "seed",
    "size",
    "stream",
    "user",
)
GENERATION_FIELDS = (*_COMMON, "style")
EDIT_FIELDS = (*_COMMON, "input_fidelity")
WHOLE_NUMBERS = ("n", "output_compression", "partial_images", "seed")
FLAGS = ("stream",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A valid request: `size` is None for auto, `seed` None if none was named; all else is effective."""

    prompt: str
    negative_prompt: str
    model: str
    n: int
    size: tuple[int, int] | None
    quality: str
    background: str
    output_format: str
    output_compression: int
    response_format: str
    stream: bool
    partial_images: int
    seed: int | None
    style: str
    input_fidelity: str
    safety_identifier: str


def generation(fields: Fields) -> Asked:
    """Read a request for new pictures; Refused says what is wrong with it."""
    only(fields, GENERATION_FIELDS)
    return _asked(fields)


def edit(fields: Fields) -> Asked:
    """Read a request for edited pictures, without the pictures; Refused says what is wrong with it."""
    only(fields, EDIT_FIELDS)
    return _asked(fields)


def _asked(fields: Fields) -> Asked:
    model = _model(fields)
    quality = choice(fields, "quality", "auto", _QUALITIES)
    choice(fields, "moderation", "auto", ("low", "auto"))
    asked = Asked(
        prompt=_prompt(fields),
        negative_prompt=text(fields, "negative_prompt"),
        model=model,
        n=whole(fields, "n", 1, 1, 10),
        size=size(fields),
        quality=_EFFECTIVE.get(quality, quality),
        background=_background(fields),
        output_format=choice(fields, "output_format", "png", ("png", "jpeg", "webp")),
        output_compression=whole(fields, "output_compression", 100, 0, 100),
        response_format=_response_format(fields, model),
        stream=flag(fields, "stream"),
        partial_images=whole(fields, "partial_images", 0, 0, 3),
        seed=_seed(fields),
        style=choice(fields, "style", "", ("vivid", "natural")),
        input_fidelity=choice(fields, "input_fidelity", "low", ("high", "low")),
        safety_identifier=text(fields, "safety_identifier") or text(fields, "user"),
    )
    _refuse_contradictions(asked)
    return asked


def _model(fields: Fields) -> str:
    name = text(fields, "model", OWN_MODEL)
    if not _STANDS_IN_FOR.fullmatch(name):
        raise no_such_model(name)
    return name


def _prompt(fields: Fields) -> str:
    prompt = text(fields, "prompt")
    if fields.get("prompt") is None:
        raise missing("prompt")
    if not prompt.strip():
        raise wrong_value("prompt", "Invalid 'prompt': empty string. Expected a string with minimum length 1.")
    if MARKER in prompt:
        raise blocked()
    return prompt


def _background(fields: Fields) -> str:
    background = choice(fields, "background", "auto", ("transparent", "opaque", "auto"))
    return "opaque" if background == "auto" else background


def _response_format(fields: Fields, model: str) -> str:
    """The dall-e models answered with an address by default, and code written for them relies on it."""
    by_default = "url" if model.startswith("dall-e") and not flag(fields, "stream") else "b64_json"
    return choice(fields, "response_format", by_default, ("url", "b64_json"))


def _seed(fields: Fields) -> int | None:
    if fields.get("seed") is None:
        return None
    return whole(fields, "seed", 0, -_SEED_LIMIT, _SEED_LIMIT - 1)


def _refuse_contradictions(asked: Asked) -> None:
    if asked.background == "transparent" and asked.output_format == "jpeg":
        raise wrong_value(
            "background",
            "Transparent background is not supported for the 'jpeg' output format. Supported values of"
            " 'output_format' are: 'png' and 'webp'.",
        )
    if asked.output_format == "png" and asked.output_compression < 100:
        raise wrong_value(
            "output_compression",
            "Compression less than 100 is not supported for the 'png' output format. Supported values of"
            " 'output_format' are: 'jpeg' and 'webp'.",
        )
    if asked.partial_images and not asked.stream:
        raise wrong_value("partial_images", "Invalid 'partial_images': it needs 'stream' to be true.")
    if asked.stream and asked.response_format == "url":
        raise wrong_value("response_format", "Invalid value: 'url'. Supported values with 'stream' are: 'b64_json'.")
