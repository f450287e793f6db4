"""Every documented refusal, over a real connection: its status, its code, its parameter, its sentence."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sketch.pictures import data_url, png_of

if TYPE_CHECKING:
    import httpx2

OK = {"prompt": "a kettle", "size": "64x64"}
GENERATIONS = [
    ({"prompt": None}, 400, "missing_required_parameter", "prompt", "Missing required parameter: 'prompt'."),
    ({"prompt": " "}, 400, "invalid_value", "prompt", "empty string"),
    ({"prompt": "x" * 32_001}, 400, "invalid_value", "prompt", "maximum length of 32000"),
    ({"prompt": ["a"]}, 400, "invalid_type", "prompt", "expected a string, but got an array"),
    ({"prompt": "please [refuse] this"}, 400, "moderation_blocked", None, "safety_violations=[sketch]"),
    ({"model": "imagen"}, 404, "model_not_found", "model", "'imagen' does not exist"),
    ({"model": "gpt-image-"}, 404, "model_not_found", "model", "does not exist"),
    ({"model": 1}, 400, "invalid_type", "model", "expected a string, but got an integer"),
    ({"n": 0}, 400, "invalid_value", "n", "from 1 to 10, but got 0"),
    ({"n": 11}, 400, "invalid_value", "n", "from 1 to 10, but got 11"),
    ({"n": "2"}, 400, "invalid_type", "n", "expected an integer, but got a string"),
    ({"n": True}, 400, "invalid_type", "n", "expected an integer, but got a boolean"),
    ({"n": 1.0}, 400, "invalid_type", "n", "expected an integer, but got a decimal number"),
    ({"n": 10**40}, 400, "invalid_value", "n", "but got a larger number"),
    ({"size": "big"}, 400, "invalid_value", "size", "'WIDTHxHEIGHT'"),
    ({"size": "63x64"}, 400, "invalid_value", "size", "from 64 to 4096"),
    ({"size": "4097x64"}, 400, "invalid_value", "size", "from 64 to 4096"),
    ({"size": "4096x4096"}, 400, "invalid_value", "size", "at most 8294400 pixels"),
    ({"size": "١٠٢٤x1024"}, 400, "invalid_value", "size", "'WIDTHxHEIGHT'"),
    ({"quality": "best"}, 400, "invalid_value", "quality", "'auto', 'low', 'medium', 'high', 'standard'"),
    ({"background": "blue"}, 400, "invalid_value", "background", "'transparent', 'opaque', and 'auto'"),
    ({"background": "transparent", "output_format": "jpeg"}, 400, "invalid_value", "background", "'png' and 'webp'"),
    ({"output_format": "gif"}, 400, "invalid_value", "output_format", "'png', 'jpeg', and 'webp'"),
    ({"output_compression": 50}, 400, "invalid_value", "output_compression", "'jpeg' and 'webp'"),
    ({"output_compression": 101}, 400, "invalid_value", "output_compression", "from 0 to 100"),
    ({"moderation": "none"}, 400, "invalid_value", "moderation", "'low' and 'auto'"),
    ({"response_format": "file"}, 400, "invalid_value", "response_format", "'url' and 'b64_json'"),
    ({"response_format": "url", "stream": True}, 400, "invalid_value", "response_format", "'b64_json'"),
    ({"style": "cubist"}, 400, "invalid_value", "style", "'vivid' and 'natural'"),
    ({"user": 5}, 400, "invalid_type", "user", "expected a string"),
    ({"safety_identifier": {}}, 400, "invalid_type", "safety_identifier", "but got an object"),
    ({"stream": "yes"}, 400, "invalid_type", "stream", "expected a boolean"),
    ({"partial_images": 4, "stream": True}, 400, "invalid_value", "partial_images", "from 0 to 3"),
    ({"partial_images": 1}, 400, "invalid_value", "partial_images", "'stream'"),
    ({"seed": "lucky"}, 400, "invalid_type", "seed", "expected an integer"),
    ({"seed": 2**63}, 400, "invalid_value", "seed", "but got 9223372036854775808"),
    ({"negative_prompt": 1}, 400, "invalid_type", "negative_prompt", "expected a string"),
    ({"guidance_scale": 3}, 400, "unknown_parameter", "guidance_scale", "Unknown parameter: 'guidance_scale'."),
    ({"input_fidelity": "high"}, 400, "unknown_parameter", "input_fidelity", "Unknown parameter"),
]


def check(response: httpx2.Response, status: int, code: str | None, param: str | None, part: str) -> dict[str, Any]:
    """An answer is the documented error."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    error: dict[str, Any] = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert part in error["message"]
    assert {"message", "type", "param", "code"} <= error.keys()
    return error


@pytest.mark.parametrize(("change", "status", "code", "param", "part"), GENERATIONS, ids=lambda value: str(value)[:40])
def test_a_wrong_field_is_refused(
    http: httpx2.Client, *, change: dict[str, object], status: int, code: str, param: str | None, part: str
) -> None:
    """The body names the field, the code and what is accepted; a wrong stream is refused the same way."""
    error = check(http.post("/images/generations", json=OK | change), status, code, param, part)
    assert error["type"] == ("image_generation_user_error" if code == "moderation_blocked" else "invalid_request_error")


def test_a_null_field_counts_as_not_given(http: httpx2.Client) -> None:
    """As in the API."""
    fields = dict.fromkeys(("model", "n", "quality", "seed", "stream", "user"))
    assert http.post("/images/generations", json=OK | fields).status_code == 200


def test_a_moderated_prompt_says_at_which_stage(http: httpx2.Client) -> None:
    """Details are those of the GPT image models."""
    error = http.post("/images/generations", json=OK | {"prompt": "[refuse]"}).json()["error"]
    assert error["moderation_details"] == {"moderation_stage": "input", "categories": ["sketch"]}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(http: httpx2.Client, body: bytes, part: str) -> None:
    """Whatever is wrong with it."""
    response = http.post("/images/generations", content=body, headers={"content-type": "application/json"})
    check(response, 400, None, None, part)


@pytest.mark.parametrize("path", ["/images/generations", "/images/edits"])
def test_an_unsupported_content_type_is_refused(http: httpx2.Client, path: str) -> None:
    """The message names those that are read."""
    response = http.post(path, content=b"a=b", headers={"content-type": "text/csv"})
    check(response, 400, "unsupported_content_type", None, "'application/json'")


def test_a_malformed_form_is_refused(http: httpx2.Client) -> None:
    """With what is wrong about it."""
    headers = {"content-type": "multipart/form-data; boundary=b"}
    check(http.post("/images/edits", content=b"--b\r\n", headers=headers), 400, None, None, "malformed")


def test_a_body_that_is_too_large_is_refused(http: httpx2.Client) -> None:
    """And the client hears so, though it is still sending."""
    response = http.post("/images/generations", content=b" " * (65 * 1024 * 1024))
    check(response, 413, "request_too_large", None, "67108864")


@pytest.mark.parametrize(
    "path", ["/images/variations", "/files/nothing.png", "/files/WyJ4Il0.100.png", "/", "/modelss"]
)
def test_an_unknown_path_is_not_found(http: httpx2.Client, path: str) -> None:
    """Also a file that never was."""
    check(http.get(path), 404, "unknown_url", None, "Invalid URL (GET /v1")


def test_an_unknown_model_is_not_found(http: httpx2.Client) -> None:
    """In the list of models as in a request."""
    check(http.get("/models/imagen"), 404, "model_not_found", "model", "imagen")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/images/generations", "POST"), ("PUT", "/images/edits", "POST"), ("POST", "/models", "GET, HEAD")],
)
def test_a_wrong_method_is_not_allowed(http: httpx2.Client, method: str, path: str, allowed: str) -> None:
    """And the answer says which is."""
    response = http.request(method, path)
    check(response, 405, "method_not_allowed", None, method)
    assert response.headers["allow"] == allowed


PNG = png_of(Image.new("RGB", (80, 64), (10, 200, 90)))
HUGE = io.BytesIO()
Image.new("1", (6001, 6000)).save(HUGE, "PNG")
HEADER = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + PNG[24:29]
BOMB = PNG[:12] + HEADER + zlib.crc32(HEADER).to_bytes(4, "big") + PNG[33:]
JPEG = io.BytesIO()
Image.new("L", (80, 64)).save(JPEG, "JPEG")
IMAGE = ("a.png", PNG, "image/png")

FORMS = [
    ([], {}, "missing_required_parameter", "image", "Missing"),
    ([("image[]", IMAGE)] * 17, {}, "invalid_value", "image", "at most 16, but got 17"),
    ([("image", ("a.png", b"", "image/png"))], {}, "empty_image_file", "image", "empty"),
    ([("image", ("a.png", b"no picture", "image/png"))], {}, "invalid_image_format", "image", "png, jpeg, webp, gif"),
    ([("image", ("a.bmp", b"BM" + b"\0" * 60, "image/bmp"))], {}, "invalid_image_format", "image", "png, jpeg"),
    ([("image", ("a.png", PNG[:70], "image/png"))], {}, "image_parse_error", "image", "Invalid image file"),
    ([("image", ("a.png", HUGE.getvalue(), "image/png"))], {}, "image_too_large", "image", "36000000 pixels"),
    ([("image", ("a.png", BOMB, "image/png"))], {}, "image_too_large", "image", "36000000 pixels"),
    ([("image[]", IMAGE), ("image[]", ("b", b"", "image/png"))], {}, "empty_image_file", "image[1]", "empty"),
    ([("image", IMAGE), ("mask", ("m.png", b"", "image/png"))], {}, "empty_image_file", "mask", "empty"),
    (
        [("image", IMAGE), ("mask", ("m.png", png_of(Image.new("RGBA", (8, 8))), "image/png"))],
        {},
        "invalid_image",
        "mask",
        "80x64",
    ),
    ([("image", IMAGE), ("mask", IMAGE)], {}, "invalid_image_mode", "mask", "alpha channel"),
    ([("image", IMAGE), ("mask", ("m.jpg", JPEG.getvalue(), "image/jpeg"))], {}, "invalid_image_format", "mask", "png"),
    ([("image", IMAGE), ("mask", IMAGE), ("mask", IMAGE)], {}, "invalid_value", "mask", "more than once"),
    ([("image", IMAGE)], {"prompt": ""}, "invalid_value", "prompt", "empty string"),
    ([("image", IMAGE)], {"n": "two"}, "invalid_type", "n", "expected an integer, but got a string"),
    ([("image", IMAGE)], {"stream": "1"}, "invalid_type", "stream", "expected a boolean"),
    ([("image", IMAGE)], {"style": "vivid"}, "unknown_parameter", "style", "Unknown parameter: 'style'."),
    ([("image", IMAGE)], {"input_fidelity": "low-ish"}, "invalid_value", "input_fidelity", "'high' and 'low'"),
    ([("image", IMAGE)], {"prompt": ["a", "b"]}, "invalid_value", "prompt", "more than once"),
    ([("image", IMAGE), ("model", IMAGE)], {}, "invalid_type", "model", "expected a string, but got a file"),
]


@pytest.mark.parametrize(("files", "change", "code", "param", "part"), FORMS, ids=lambda value: str(value)[:40])
def test_a_wrong_form_is_refused(
    http: httpx2.Client, *, files: list[tuple[str, Any]], change: dict[str, Any], code: str, param: str, part: str
) -> None:
    """Fields and pictures alike."""
    fields = {"prompt": "paint it", **change}
    # Without any file the client would not write a form.
    texts = [
        (name, (None, text))
        for name, texts in fields.items()
        for text in ([texts] if isinstance(texts, str) else texts)
    ]
    check(http.post("/images/edits", files=[*files, *texts]), 400, code, param, part)


def test_a_picture_sent_as_text_is_refused(http: httpx2.Client) -> None:
    """It has to be a file."""
    response = http.post("/images/edits", files=[("image", (None, "a.png")), ("prompt", (None, "x"))])
    check(response, 400, "invalid_type", "image", "expected a file, but got a string")


BODIES = [
    ({}, "missing_required_parameter", "images"),
    ({"images": []}, "missing_required_parameter", "images"),
    ({"images": data_url(PNG)}, "invalid_type", "images"),
    ({"images": ["x"]}, "invalid_type", "images[0]"),
    ({"images": [{}]}, "missing_required_parameter", "images[0].image_url"),
    ({"images": [{"image_url": 5}]}, "invalid_type", "images[0].image_url"),
    ({"images": [{"image_url": "https://pictures.test/a.png"}]}, "invalid_image_url", "images[0].image_url"),
    ({"images": [{"image_url": "data:image/png;base64,@@"}]}, "invalid_base64_image", "images[0].image_url"),
    ({"images": [{"image_url": "data:image/png;base64,"}]}, "empty_image_file", "images[0].image_url"),
    ({"images": [{"file_id": "file-1"}]}, "image_file_not_found", "images[0].file_id"),
    ({"images": [{"image_url": data_url(PNG), "alt": "x"}]}, "unknown_parameter", "images[0].alt"),
    ({"images": [{"image_url": data_url(PNG)}] * 17}, "invalid_value", "images"),
    ({"images": [{"image_url": data_url(PNG)}], "mask": data_url(PNG)}, "invalid_type", "mask"),
    ({"images": [{"image_url": data_url(PNG)}], "markup": {}}, "unknown_parameter", "markup"),
]


@pytest.mark.parametrize(("change", "code", "param"), BODIES, ids=lambda value: str(value)[:40])
def test_a_wrong_json_edit_is_refused(http: httpx2.Client, change: dict[str, Any], code: str, param: str) -> None:
    """The parameter is a path into the body."""
    check(http.post("/images/edits", json={"prompt": "paint it", **change}), 400, code, param, "")
