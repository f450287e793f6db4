"""Results and progress as mimebundles: pictures, our own escaped captions, and text everywhere."""

from __future__ import annotations

import base64
import json
import random
import sys
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.utils.capture import capture_output
from PIL import Image as Pillow
from PIL import ImageChops
from support.made import record, result
from support.pictures import picture

from jupyter_imagegen import display
from jupyter_imagegen.blobs import nearby
from jupyter_imagegen.display import Progress, Silence, Spot, bundles, caption_lines, show
from jupyter_imagegen.result import Result, result_of

RED = picture("red")
EVIL = "<script>alert(1)</script>\"'&"


pytestmark = pytest.mark.usefixtures("shell")


def shown(found: Result) -> list[Any]:
    """The displays that a cell gets."""
    with capture_output() as captured:
        show(found)
    return list(captured.outputs)


def test_a_picture_is_shown_as_a_preview_then_its_caption(tmp_path: Path) -> None:
    """One image with its size and alternative text, and one line about it; each has a plain text beside it."""
    image, caption = shown(result(tmp_path, RED))

    assert set(image.data) == {"image/jpeg", "text/plain"}
    assert image.data["text/plain"] == "a cat"
    assert image.metadata["image/jpeg"] == {"alt": "a cat", "width": 64, "height": 48}
    assert set(caption.data) == {"text/plain", "text/html"}
    assert "64×48 png" in caption.data["text/plain"]


def photograph(seed: int, grain: int) -> bytes:
    """1024×1024 pixels like those of a photograph: soft shapes of every size, and grain."""
    chance = random.Random(seed)  # noqa: S311  (no secret depends on it)
    whole = Pillow.new("RGB", (1024, 1024), "grey")
    for spots, share in ((4, 0.5), (8, 0.4), (16, 0.3), (32, 0.22), (64, 0.16), (128, 0.12), (256, grain / 100)):
        soft = Pillow.frombytes("RGB", (spots, spots), chance.randbytes(3 * spots * spots))
        whole = Pillow.blend(whole, soft.resize(whole.size, Pillow.Resampling.BICUBIC), share)
    noise = Pillow.frombytes("L", whole.size, chance.randbytes(1024 * 1024)).point(lambda level: level * grain // 100)
    buffer = BytesIO()
    ImageChops.add(whole, Pillow.merge("RGB", (noise,) * 3)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("grain", [1, 3, 8])
def test_a_photograph_weighs_a_fortieth_in_the_notebook(tmp_path: Path, grain: int) -> None:
    """The picture and its caption, as a notebook file has them, against the stored PNG in base64."""
    data = photograph(grain, grain)
    outputs = json.dumps([(each.data, each.metadata) for each in shown(result(tmp_path, data))])

    assert len(data) > 1_200_000
    assert len(outputs) <= len(base64.b64encode(data)) / 40


def test_full_shows_the_stored_bytes(tmp_path: Path) -> None:
    """--inline full puts into the notebook what was received."""
    image, _ = shown(replace(result(tmp_path, RED), inline="full"))

    assert base64.b64decode(image.data["image/png"]) == RED


def test_none_shows_the_caption_alone(tmp_path: Path) -> None:
    """--inline none keeps the notebook small."""
    (caption,) = shown(replace(result(tmp_path, RED), inline="none"))

    assert "64×48" in caption.data["text/plain"]


def test_several_pictures_are_one_labelled_grid(tmp_path: Path) -> None:
    """The labels of the grid are those of the caption, and count as the Result does."""
    image, caption = shown(result(tmp_path, RED, picture("blue")))
    sheet = Pillow.open(BytesIO(base64.b64decode(image.data["image/jpeg"])))

    assert sheet.width > 2 * 64
    assert [line[:3] for line in caption.data["text/plain"].splitlines()] == ["[0]", "[1]"]


@pytest.mark.parametrize("data", [b"<svg onload='alert(1)'></svg>", RED[:20] + b"cut"])
def test_what_is_not_decoded_is_a_caption(tmp_path: Path, data: bytes) -> None:
    """SVG is stored, not rendered; a broken file is named."""
    outputs = shown(result(tmp_path, data))

    assert [set(each.data) for each in outputs] == [{"text/plain", "text/html"}]
    assert "alert" not in str(outputs[0].data)


def test_no_remote_text_becomes_html(tmp_path: Path) -> None:
    """Model and provider may be anything; the caption's HTML is our own and escaped."""
    image, caption = shown(result(tmp_path, RED, model=EVIL, provider=EVIL, prompt=EVIL))

    assert "text/html" not in image.data
    assert "<script" not in caption.data["text/html"]
    assert "&lt;script&gt;" in caption.data["text/html"]
    assert "<script" in caption.data["text/plain"]
    assert 'class="mathjax_ignore tex2jax_ignore"' in caption.data["text/html"]  # nor is it a formula


def test_several_prompts_are_each_in_the_alternative_text(tmp_path: Path) -> None:
    """The last pictures below the panel are of several calls; a prompt that two of them share is said once."""
    made = [result(tmp_path, RED, prompt=prompt) for prompt in ("a\ncat", "a dog", "a cat")]
    image, _ = shown(Result(pictures=tuple(each[0] for each in made), records=(), inline="preview"))

    assert image.data["text/plain"] == "a cat; a dog"
    assert image.metadata["image/jpeg"]["alt"] == "a cat; a dog"


def test_a_long_prompt_is_cut_in_the_alternative_text(tmp_path: Path) -> None:
    """Alt text is the prompt on one line, as long as a person listens."""
    image, _ = shown(result(tmp_path, RED, prompt="a\ncat " * 500))

    assert len(image.data["text/plain"]) == 400
    assert "\n" not in image.data["text/plain"]


def test_a_result_without_pictures_shows_no_picture(tmp_path: Path) -> None:
    """A refused call has a caption only."""
    (caption,) = shown(result_of((record(),), tmp_path))

    assert caption.data["text/plain"] == ""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({}, "m at openai · 64×48 png · 8.6 s · cost unknown · imagegen/images/a-cat-"),
        ({"model": None}, "openai · 64×48 png · "),
        ({"provider": "custom", "base_url": "https://h/v1"}, "m at custom · 64×48 png · 8.6 s · cost unknown"),
        ({"provider": "sketch", "model": "sketch"}, "sketch · 64×48 png · 8.6 s · cost unknown · "),
    ],
)
def test_a_caption_names_model_size_time_cost_and_path(tmp_path: Path, call: dict[str, Any], expected: str) -> None:
    """An unknown cost is unknown, and never nothing."""
    (line,) = caption_lines(result(tmp_path / "imagegen", RED, **call))

    assert line.startswith(expected)


@pytest.mark.parametrize(("usd", "shown"), [(0.0, "no cost"), (0.05, "$0.0250"), (None, "cost unknown")])
def test_a_caption_has_the_pictures_share_of_the_cost(tmp_path: Path, usd: float | None, shown: str) -> None:
    """A call of two pictures has one price."""
    whole = result(tmp_path, RED, picture("blue"))
    assert whole.record.end is not None
    end = msgspec.structs.replace(whole.record.end, cost_usd=usd)
    priced = result_of((msgspec.structs.replace(whole.record, end=end),), tmp_path)

    assert [line.split(" · ")[3] for line in caption_lines(priced)] == [shown, shown]


def test_what_is_not_as_it_was_asked_for_is_said_once(tmp_path: Path) -> None:
    """One quiet line, however many pictures have it."""
    params = msgspec.Raw(b'{"size":"1024x1024","output_format":"jpeg"}')
    lines = caption_lines(result(tmp_path, RED, picture("blue"), params=params))

    assert lines[2:] == ["(asked for 1024x1024, got 64x48)", "(asked for jpeg, got png)"]


def test_a_choice_that_nobody_made_is_said(tmp_path: Path) -> None:
    """The note stands below the captions."""
    assert caption_lines(replace(result(tmp_path, RED), notes=("because",)))[-1] == "(because)"


def test_a_path_is_shown_from_here(tmp_path: Path) -> None:
    """Below the current folder a path is relative; elsewhere it is whole."""
    assert nearby(tmp_path / "a" / "b.png") == "a/b.png"
    assert nearby(Path("/elsewhere/b.png")) == "/elsewhere/b.png"


@pytest.mark.parametrize(
    ("given", "count"), [({"inline": "preview"}, 2), ({"inline": "none"}, 1), ({"is_quiet": True}, 0)]
)
def test_a_result_shows_itself_at_the_end_of_a_cell(
    tmp_path: Path, shell: Any, given: dict[str, Any], count: int
) -> None:
    """Assigning it shows nothing; a quiet one shows nothing until it is asked."""
    shell.user_ns["r"] = replace(result(tmp_path, RED), **given)
    with capture_output() as captured:
        shell.run_cell("x = r")
        shell.run_cell("r")

    assert len(captured.outputs) == count


def test_one_picture_shows_itself(tmp_path: Path, shell: Any) -> None:
    """r[1] at the end of a cell is that picture."""
    shell.user_ns["r"] = result(tmp_path, RED, picture("blue"))
    with capture_output() as captured:
        shell.run_cell("r[1]")
    colour = Pillow.open(BytesIO(base64.b64decode(captured.outputs[0].data["image/jpeg"]))).getpixel((32, 24))

    assert isinstance(colour, tuple)
    assert colour[2] > 200
    assert len(captured.outputs) == 2


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: self.now))


class Terminal(StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_a_terminal_has_one_line_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first second on, once for each second, in place, and taken away at the end."""
    clock, terminal = Clock(monkeypatch), Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(None, "m at p")
    for elapsed in (0.0, 0.9, 1.0, 1.5, 2.0):
        clock.now = 100.0 + elapsed
        progress.tick(())
    progress.close()

    assert terminal.getvalue() == "\r\x1b[Km at p: 1 s …\r\x1b[Km at p: 2 s …\r\x1b[K"


def test_a_short_call_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over within a second leaves nothing to take away."""
    Clock(monkeypatch)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(None, "m at p")
    progress.tick(())
    progress.close()

    assert terminal.getvalue() == ""


def test_a_script_without_a_terminal_has_no_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log file is not filled with seconds."""
    clock = Clock(monkeypatch)
    progress = Progress(None, "m at p")
    clock.now += 5
    progress.tick(())
    progress.close()

    assert capsys.readouterr() == ("", "")


def test_a_quiet_call_has_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence ticks and closes without a word."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Silence().tick(())
    Silence().close()

    assert terminal.getvalue() == ""


def published(shell: Any) -> list[dict[str, Any]]:
    """What a front end is sent from now on, with the display that each belongs to."""
    publisher: Any = CapturingDisplayPublisher
    shell.display_pub = publisher()
    outputs: list[dict[str, Any]] = shell.display_pub.outputs
    return outputs


def test_a_spot_is_one_display_that_is_updated_in_place(shell: Any) -> None:
    """Begun by the first thing that is put there, with its metadata; cleared, it is empty and stays."""
    outputs, spot, other = published(shell), Spot(), Spot()
    spot.clear()
    assert outputs == []
    spot.put({"text/plain": "a"}, {"image/png": {"alt": "a cat"}})
    other.put({})
    spot.put({"text/plain": "b"})
    spot.clear()

    assert [each["data"] for each in outputs] == [{"text/plain": "a"}, {}, {"text/plain": "b"}, {"text/plain": ""}]
    assert [each["update"] for each in outputs] == [False, False, True, True]
    first, second, *others = (each["transient"]["display_id"] for each in outputs)
    assert others == [first, first]
    assert first != second
    assert outputs[0]["metadata"] == {"image/png": {"alt": "a cat"}}


def test_the_bundles_of_a_result_are_what_a_cell_is_given(tmp_path: Path) -> None:
    """Two, also where there is no picture to show: each has its place."""
    whole = result(tmp_path, RED)
    (picture_shown, metadata), (caption, _) = bundles(whole)
    image, line = shown(whole)
    assert (picture_shown, metadata) == (image.data, image.metadata)
    assert caption == line.data
    (none_shown, nothing), (caption, _) = bundles(replace(whole, inline="none"))

    assert (none_shown, nothing, caption) == ({}, {}, line.data)
