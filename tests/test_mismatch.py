"""What came is compared with what was asked, and with nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from jupyter_imagegen.journal import Called, Kept
from jupyter_imagegen.mismatch import mismatch
from jupyter_imagegen.records import Record


def record(asked: dict[str, Any], n: int = 1, came: int = 1) -> Record:
    """A call that asked for this and got a PNG of 64x48."""
    call = Called(
        id="a",
        at="t",
        n=n,
        params=msgspec.Raw(json.dumps(asked).encode()),
        provider="p",
        base_url="u",
        request_hash="r1:0",
        prompt="a cat",
    )
    return Record(call=call, images=(KEPT,) * came, end=None, version=None, session="s", is_running=False)


KEPT = Kept(id="a", index=0, path="x", sha256="0", bytes=1, format="png", width=64, height=48)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, None),
        ({"size": "auto"}, None),
        ({"size": "2K"}, None),
        ({"size": 7}, None),
        ({"size": "64x48"}, None),
        ({"size": "64×48"}, None),
        ({"output_format": "png"}, None),
        ({"size": "48x64"}, "asked for 48x64, got 64x48"),
        ({"output_format": "jpg"}, "asked for jpg, got png"),
        ({"output_format": "JPEG", "size": "1x1"}, "asked for 1x1, got 64x48; asked for JPEG, got png"),
    ],
)
def test_only_what_was_asked_can_differ(asked: dict[str, Any], said: str | None) -> None:
    """A tier, auto and what was left open have no picture that would be wrong."""
    assert mismatch(record(asked), KEPT) == said


def test_another_spelling_of_a_format_is_the_same_format() -> None:
    """Both jpg and jpeg are one."""
    jpeg = msgspec.structs.replace(KEPT, format="jpeg")

    assert mismatch(record({"output_format": "jpg"}), jpeg) is None


def test_a_size_that_the_bytes_do_not_say_is_no_difference() -> None:
    """Of an SVG nothing is claimed."""
    assert mismatch(record({"size": "1x1"}), msgspec.structs.replace(KEPT, width=None, height=None)) is None


@pytest.mark.parametrize(
    ("asked", "n", "came", "said"),
    [
        ({}, 2, 2, None),
        ({}, 4, 2, "asked for 4 pictures, got 2"),
        ({}, 1, 2, "asked for 1 picture, got 2"),
        ({"sequential_image_generation": "auto"}, 4, 2, None),
    ],
)
def test_the_number_of_pictures_is_compared(asked: dict[str, Any], n: int, came: int, said: str | None) -> None:
    """Of a series, the number is a limit."""
    assert mismatch(record(asked, n, came), KEPT) == said
