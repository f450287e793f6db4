"""The Python door: what is refused before anything is sent, and what a Result is."""

from __future__ import annotations

import asyncio
import pickle
import timeit
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Gateway, Said
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen import errors
from jupyter_imagegen.magic import shorten


def test_what_is_none_is_not_sent(gateway: Gateway) -> None:
    """None means not given; every other keyword goes into the body under its own name."""
    ig.generate("an otter", base_url=gateway.url, size=None, quality="low", steps=3)
    assert gateway.asked[0].json == {"prompt": "an otter", "quality": "low", "steps": 3}


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": "x"},
        {"mode": "offline"},
        {"max_cost": -1},
        {"max_cost": "much"},
        {"image": 7},
        {"mask": 7},
        {"dry_run": True},
        {"tag": "x"},
        {"n": 0},
        {"n": 1.5},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"inline": "huge"},
        {"seed": object()},
        {"seed": float("nan")},
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(gateway: Gateway, arguments: dict[str, Any]) -> None:
    """Sent as fields of the body they would do nothing, or cost for an answer that is not read."""
    with pytest.raises(errors.OptionError):
        ig.generate("an otter", base_url=gateway.url, **arguments)
    assert gateway.asked == []


def test_an_empty_prompt_is_refused(gateway: Gateway) -> None:
    """Blanks are no prompt."""
    with pytest.raises(errors.PromptError):
        ig.generate("  \n", base_url=gateway.url)
    assert gateway.asked == []


def test_timeit_of_a_call_that_costs_is_refused(gateway: Gateway) -> None:
    """The standard library's timeit as well as the magic."""
    with pytest.raises(errors.TimedRun):
        timeit.timeit(lambda: ig.generate("an otter", base_url=gateway.url), number=1)
    assert gateway.asked == []


def test_a_save_path_that_cannot_be_is_refused_before_it_costs(gateway: Gateway, tmp_path: Path) -> None:
    """The folder is made before the POST."""
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(errors.StoreError):
        ig.generate("an otter", base_url=gateway.url, save=tmp_path / "plain" / "a.png")
    assert gateway.asked == []


def test_a_save_that_fails_after_all_loses_no_result(gateway: Gateway, tmp_path: Path) -> None:
    """The target is a folder: the error holds the Result, and its hint says where the picture is."""
    (tmp_path / "out.png").mkdir()
    with pytest.raises(errors.StoreError) as caught:
        ig.generate("an otter", base_url=gateway.url, save="out.png")
    assert isinstance(caught.value.result, ig.Result)
    assert "imagegen/images/an-otter-" in caught.value.hint


@pytest.mark.parametrize("prompt", [5, None, b"an otter"])
def test_a_prompt_that_is_no_text_is_refused(gateway: Gateway, prompt: Any) -> None:
    """In words, before anything is sent."""
    with pytest.raises(errors.PromptError):
        ig.generate(prompt, base_url=gateway.url)
    assert gateway.asked == []


def test_fewer_pictures_than_asked_are_said(gateway: Gateway) -> None:
    """One quiet line in the caption."""
    assert "1 of 4 pictures came" in repr(ig.generate("an otter", base_url=gateway.url, n=4))


def test_one_of_several_pictures_is_not_said_to_be_missing_others(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Showing r[1] of two says nothing of a count: both came."""
    gateway.rule = lambda _: Said(answer(picture("red"), picture("blue")))
    ig.generate("an otter", base_url=gateway.url, n=2)[1]._ipython_display_()
    shown = capsys.readouterr().out
    assert "an-otter-" in shown
    assert "pictures came" not in shown


def test_a_result_is_a_sequence_of_pictures(gateway: Gateway) -> None:
    """Length, index, slice, iteration; each picture with bytes, size, hash and record."""
    sent = [picture("red"), picture("blue", (32, 16))]
    gateway.rule = lambda _: Said(answer(*sent))
    result = ig.generate("an otter", base_url=gateway.url, model="m", n=2)
    assert [found.bytes for found in result] == sent
    assert (len(result), result[-1].width, result[:1][0].height) == (2, 32, 48)
    assert result[1].pil.getpixel((0, 0)) == (0, 0, 255)
    assert (result.record.status, result.record.params, result.record.prompt) == (
        "ok",
        {"model": "m", "n": 2},
        "an otter",
    )


def test_a_result_survives_pickling(gateway: Gateway) -> None:
    """It holds values and paths, no connections and no keys."""
    result = ig.generate("an otter", base_url=gateway.url)
    assert pickle.loads(pickle.dumps(result))[0].sha256 == result[0].sha256  # noqa: S301  (our own bytes)


def test_a_picture_whose_file_is_gone_says_so(gateway: Gateway) -> None:
    """An error that names the file."""
    result = ig.generate("an otter", base_url=gateway.url)
    result[0].path.unlink()
    with pytest.raises(errors.StoreError, match="an-otter"):
        _ = result[0].bytes


def test_tags_and_note_are_in_the_record(gateway: Gateway) -> None:
    """One tag may be given as a text."""
    ig.generate("an otter", base_url=gateway.url, tags="study", note="the first")
    row = ig.history().iloc[0]
    assert (row["tags"], row["note"]) == (("study",), "the first")


def test_both_doors_give_the_same(gateway: Gateway) -> None:
    """The same body, the same bytes, the same request hash."""
    first = ig.generate("an otter", base_url=gateway.url, size="1x1")
    second = asyncio.run(ig.agenerate("an otter", base_url=gateway.url, size="1x1"))
    assert gateway.asked[0].body == gateway.asked[1].body
    assert first[0].sha256 == second[0].sha256
    assert first.record.call.request_hash == second.record.call.request_hash


def test_an_interrupt_without_notes_is_still_one_line() -> None:
    """A second interrupt may come before what became of the calls was written down: it is no error of its own."""
    interrupt = KeyboardInterrupt()

    shorten(interrupt)

    assert interrupt._render_traceback_() == ["KeyboardInterrupt: cancelled."]  # type: ignore[attr-defined]
