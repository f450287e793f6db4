"""Pictures to work from: what may be given, how it is sent, what is kept of it."""

from __future__ import annotations

import base64
import hashlib
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from support.gateway import Asked, Gateway
from support.pictures import picture

import jupyter_imagegen as ig
from jupyter_imagegen import errors
from jupyter_imagegen.options import parse_cell

RED, BLUE = picture("red"), picture("blue", mode="RGBA")


def parts(asked: Asked) -> list[tuple[str, str, bytes]]:
    """The parts of a form: name, content type and bytes."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    _, *found = message_from_bytes(head + asked.body).walk()
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_content_type(),
            bytes(part.get_payload(decode=True)),
        )
        for part in found
    ]


def edit(gateway: Gateway, **given: Any) -> ig.Result:
    """An edit at the gateway, with a model of which nothing is known."""
    return ig.generate("a red hat", base_url=gateway.url, model="any", quiet=True, **given)


def test_a_file_is_sent_as_a_form_byte_for_byte(gateway: Gateway, tmp_path: Path) -> None:
    """To /images/edits, with the type of each picture, beside the fields as text."""
    Path("otter.png").write_bytes(RED)
    (tmp_path / "mask.png").write_bytes(BLUE)

    edit(gateway, image="otter.png", mask=tmp_path / "mask.png", n=1, size="1024x1024")

    (asked,) = gateway.posts
    assert asked.path == "/v1/images/edits"
    assert sorted(parts(asked)) == [
        ("image", "image/png", RED),
        ("mask", "image/png", BLUE),
        ("model", "text/plain", b"any"),
        ("n", "text/plain", b"1"),
        ("prompt", "text/plain", b"a red hat"),
        ("size", "text/plain", b"1024x1024"),
    ]


def test_several_pictures_are_sent_in_their_order(gateway: Gateway) -> None:
    """A list, or --image more than once."""
    edit(gateway, image=[RED, BLUE])

    assert [(name, data) for name, _, data in parts(gateway.posts[0]) if "image" in name] == [
        ("image[]", RED),
        ("image[]", BLUE),
    ]


def test_what_was_sent_is_kept_and_recorded_by_its_digest(gateway: Gateway, tmp_path: Path) -> None:
    """The record says which bytes they were, and the store has them, whatever becomes of the file."""
    path = tmp_path / "my otter.png"
    path.write_bytes(RED)

    result = edit(gateway, image=path, mask=BLUE)
    path.unlink()

    first, second = result.record.call.inputs
    store = tmp_path / "imagegen"
    assert (first.role, first.name, first.sha256) == ("image", "my otter.png", hashlib.sha256(RED).hexdigest())
    assert (second.role, second.format, second.bytes) == ("mask", "png", len(BLUE))
    assert ((store / first.path).read_bytes(), (store / second.path).read_bytes()) == (RED, BLUE)
    assert result.record.params["image"] == f"sha256:{first.sha256}"
    journal = b"".join(file.read_bytes() for file in (store / "journal").iterdir())
    assert base64.b64encode(RED)[:60] not in journal


@pytest.mark.parametrize(
    "value",
    [
        Pillow.new("RGB", (5, 4), "red"),
        np.full((4, 5, 3), (255, 0, 0), dtype=np.uint8),
        np.full((4, 5, 3), (1.0, 0.0, 0.0)),
    ],
    ids=["PIL image", "array", "floats"],
)
def test_a_picture_in_memory_is_sent_as_a_png_of_its_pixels(gateway: Gateway, value: object) -> None:
    """Nothing is guessed about what its numbers mean."""
    edit(gateway, image=value)

    ((_, kind, data),) = [part for part in parts(gateway.posts[0]) if part[0] == "image"]
    assert kind == "image/png"
    with Pillow.open(__import__("io").BytesIO(data)) as found:
        assert found.size == (5, 4)
        assert found.convert("RGB").getpixel((2, 2)) == (255, 0, 0)


def test_a_picture_of_a_result_is_sent_as_its_own_bytes(gateway: Gateway) -> None:
    """Not a copy that was decoded and encoded again: the digest in the record is that of the picture."""
    made = ig.generate("a cat", base_url=gateway.url, model="any", quiet=True)

    again = edit(gateway, image=made)
    third = edit(gateway, image=made[0])

    assert again.record.call.inputs[0].sha256 == third.record.call.inputs[0].sha256 == made[0].sha256


@pytest.mark.parametrize("place", ["", "[0]", "[-1]"])
def test_the_id_of_a_record_is_its_picture(gateway: Gateway, place: str) -> None:
    """Of one that has several, an index says which."""
    made = ig.generate("a cat", base_url=gateway.url, model="any", quiet=True)

    again = edit(gateway, image=f"{made.record.id}{place}")

    assert again.record.call.inputs[0].sha256 == made[0].sha256


def test_variables_of_the_notebook_are_taken_by_name() -> None:
    """As in the prompt, nothing is evaluated."""
    names = {"otter": RED, "both": [BLUE, RED], "where": Path("a b.png")}

    options = parse_cell("--image otter -i both[1] -i where -i otter.png --mask otter", "a hat", names)

    given = [each if isinstance(each, str) else each.image.data for each in options.images]
    assert given == [RED, RED, "a b.png", "otter.png"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"image": "otter.png"}, "There is no file otter.png"),
        ({"image": 7}, "int"),
        ({"image": b"not a picture"}, "no picture"),
        ({"image": "20261121T041500123456Z-9f3a2c1b"}, "no call 20261121T041500123456Z-9f3a2c1b"),
        ({"image": RED, "mask": "nowhere.png"}, "no file nowhere.png"),
        ({"mask": RED}, "no picture is given"),
        ({"image": []}, None),
    ],
    ids=str,
)
def test_what_is_no_picture_is_refused_before_anything_is_sent(
    gateway: Gateway, given: dict[str, Any], said: str | None
) -> None:
    """In one sentence that names it; an empty list is none at all."""
    if said is None:
        edit(gateway, **given)
        assert gateway.posts[0].path == "/v1/images/generations"
        return
    with pytest.raises(errors.OptionError, match=said):
        edit(gateway, **given)
    assert gateway.asked == []


def test_more_pictures_than_a_model_takes_are_refused_before_it_costs(gateway: Gateway) -> None:
    """The limit is the model's own."""
    with pytest.raises(errors.NotTaken, match="16"):
        ig.generate("a hat", base_url=gateway.url, model="gpt-image-2", image=[RED] * 17)
    with pytest.raises(errors.NotTaken, match="dall-e-3"):
        ig.generate("a hat", base_url=gateway.url, model="dall-e-3", image=RED)
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("model", "path", "field"),
    [
        ("doubao-seedream-4-0-250828", "/v1/images/generations", "image"),
        ("grok-imagine-image-2.0", "/v1/images/edits", "image"),
    ],
)
def test_a_family_that_wants_json_gets_the_same_bytes_in_json(
    gateway: Gateway, model: str, path: str, field: str
) -> None:
    """As a data URI; the record still holds only the digest."""
    result = ig.generate("a hat", base_url=gateway.url, model=model, image=RED, quiet=True)

    (asked,) = gateway.posts
    sent = json.dumps(asked.json[field])
    assert (asked.path, asked.headers["content-type"]) == (path, "application/json")
    assert f"data:image/png;base64,{base64.b64encode(RED).decode()}" in sent
    assert hashlib.sha256(RED).hexdigest() in json.dumps(result.record.params[field])


def test_the_embedded_endpoint_works_from_a_picture() -> None:
    """The same road without a network: another picture comes of it."""
    made = ig.generate("a lake", size="64x64", quiet=True)

    changed = ig.generate("a red hat", image=made, size="64x64", quiet=True)

    assert changed[0].sha256 != made[0].sha256
    assert changed.record.provider == "sketch"
