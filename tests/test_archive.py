"""What can be done with what was made: show it again, rate, tag, note and forget it, by whatever names it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.gateway import Gateway, Hang, Said
from support.pictures import answer, complaint, picture

import jupyter_imagegen as ig
from jupyter_imagegen import api, archive, erase, errors
from jupyter_imagegen.options import from_call, parse_cell
from jupyter_imagegen.records import read
from jupyter_imagegen.references import of_value
from jupyter_imagegen.settings import Where, photograph
from jupyter_imagegen.which import those, which

STORE = Path("imagegen")


@pytest.fixture
def two(gateway: Gateway) -> ig.Result:
    """Two pictures of one call."""
    gateway.rule = lambda _: Said(answer(picture("teal"), picture("gold"), revised_prompt="an OTTER-SECRET"))
    return ig.generate("OTTER-SECRET", base_url=gateway.url, n=2, user="OTTER-SECRET", tags=["OTTER-SECRET"])


def row(index: int = 0) -> Any:
    """A row of the history, with None for what is not there."""
    table = ig.history().astype(object)
    return table.where(table.notna(), None).iloc[index]


# --- what names a call


def test_a_call_is_named_by_its_id_a_record_a_picture_or_a_result(two: ig.Result) -> None:
    """A picture names itself, in its call."""
    records = read(STORE.absolute())
    names: list[Any] = [two.record.id, f" {two.record.id} ", two.record, two]

    assert [which(name, records).index for name in names] == [None] * 4
    assert [which(name, records).index for name in (two[1], f"{two.record.id}[1]")] == [1, 1]


@pytest.mark.parametrize("name", ["otter", "20261121T041500123456Z-9f3a2c1b", 7, None, Path("a")])
def test_what_names_no_call_is_an_error(two: ig.Result, name: Any) -> None:
    """It says what does."""
    with pytest.raises(errors.OptionError, match=r"no call"):
        ig.rate(name, 4)
    with pytest.raises(errors.OptionError, match="none with the index 2"):
        ig.rate(f"{two.record.id}[2]", 4)


def test_rows_of_a_history_name_calls_and_pictures(two: ig.Result) -> None:
    """A selection of rows is those pictures; of ids alone, the whole calls."""
    records, table = read(STORE.absolute()), ig.history()

    assert [indexes for _, indexes in those(records, table[table.image_index == 1])] == [{1}]
    assert [indexes for _, indexes in those(records, table[["id"]])] == [{0, 1}]
    assert list(those(records, table[table.image_index > 5])) == []
    assert [indexes for _, indexes in those(records, [two[0]])] == [{0}]


# --- marks


def test_a_rating_is_of_a_picture_or_else_of_its_call(two: ig.Result) -> None:
    """The last one of each counts, and None takes it back."""
    ig.rate(two, 3)
    ig.rate(two[1], 5)
    assert ig.history().rating.tolist() == [3, 5]

    ig.rate(two, 4)
    assert ig.history().rating.tolist() == [4, 5]
    ig.rate(two[1], None)
    assert ig.history().rating.tolist() == [4, 4]


@pytest.mark.parametrize("rating", [0, 6, 2.5, True, "4"])
def test_a_rating_is_from_one_to_five(two: ig.Result, rating: Any) -> None:
    """Anything else is an error, and nothing is written."""
    with pytest.raises(errors.OptionError, match="from 1 to 5"):
        ig.rate(two, rating)
    assert row().rating is None


def test_tags_are_added_and_taken_away(gateway: Gateway) -> None:
    """Those of the call, in the order in which they came, and those of one picture."""
    gateway.rule = lambda _: Said(answer(picture("teal"), picture("gold")))
    result = ig.generate("an otter", base_url=gateway.url, n=2, tags=["study"])
    ig.tag(result, "keep", "b")
    ig.tag(result[1], "title page")
    ig.untag(result, "study", "never there")

    assert ig.history().tags.tolist() == [("keep", "b"), ("keep", "b", "title page")]


def test_a_note_takes_the_place_of_the_one_before(gateway: Gateway) -> None:
    """Of the call, or of one picture; None takes it away."""
    result = ig.generate("an otter", base_url=gateway.url, note="first")
    ig.note(result, "second")
    assert row().note == "second"
    ig.note(result[0], "of the picture")
    assert row().note == "of the picture"
    ig.note(result, None)
    ig.note(result[0], None)
    assert row().note is None


def test_marks_are_lines_that_another_session_reads(two: ig.Result) -> None:
    """They are in the journal, on disk, when the function returns."""
    ig.rate(two, 4)
    ig.tag(two[0], "keep")
    (segment,) = STORE.glob("journal/*.jsonl")
    lines = [json.loads(line) for line in segment.read_text().splitlines()]

    assert [line["event"] for line in lines[-2:]] == ["rating", "tag"]
    assert lines[-1] | {"at": ""} == {"event": "tag", "id": two.record.id, "at": "", "index": 0, "word": "keep"}


def test_what_is_already_so_is_not_written_again(gateway: Gateway) -> None:
    """A notebook that marks its pictures can be run again from a folder that can only be read."""
    result = ig.generate("an otter", base_url=gateway.url)

    def mark() -> None:
        ig.rate(result, 4)
        ig.tag(result, "a", "b")
        ig.untag(result, "c")
        ig.note(result[0], "x")

    mark()
    (segment,) = STORE.glob("journal/*.jsonl")
    before = segment.read_bytes()
    mark()
    assert segment.read_bytes() == before


def test_no_key_becomes_a_tag_or_a_note(two: ig.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it looks like one or is the one in use."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", "0123456789abcdef")
    for text in ("sk-proj-AbCdEf0123456789AbCdEf0123456789", "it is 0123456789abcdef"):
        with pytest.raises(errors.KeyInCell):
            ig.tag(two, text)
        with pytest.raises(errors.KeyInCell):
            ig.note(two, text)


def test_a_store_that_cannot_be_written_is_an_error_of_the_store(
    two: ig.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said to be kept that is not."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(errors.StoreError, match="No space left"):
        ig.rate(two, 4)


# --- showing again


def test_a_record_is_shown_again_without_a_call(two: ig.Result, gateway: Gateway) -> None:
    """Its pictures, its captions, and that it is a record."""
    told = ig.replay(two.record.id)

    assert [each.bytes for each in told] == [each.bytes for each in two]
    assert "shown again; nothing was sent" in repr(told)
    assert len(gateway.posts) == 1


def test_a_record_without_a_picture_says_what_happened(gateway: Gateway) -> None:
    """It is shown, and not raised: nobody asked for the picture now."""
    gateway.rule = lambda _: Said(complaint("No otters.", code="moderation_blocked"), 400)
    with pytest.raises(errors.Refused):
        ig.generate("an otter", base_url=gateway.url)

    assert repr(ig.replay(ig.history().id[0])).startswith("(refused: HTTP 400: No otters.")


def test_a_record_whose_picture_is_gone_is_not_shown(two: ig.Result) -> None:
    """What would be shown is not what was made."""
    two[0].path.unlink()
    with pytest.raises(errors.RecordDamaged):
        ig.replay(two)


# --- looking whether everything is there


def test_a_store_that_is_not_there_is_not_sound() -> None:
    """The kernel may have been started elsewhere: an empty report would hide that."""
    with pytest.raises(errors.StoreError, match=r"There is no folder .*imagegen"):
        ig.verify()


# --- comparing


def test_pictures_are_compared_by_whatever_names_them(two: ig.Result, tmp_path: Path) -> None:
    """Ids with places, pictures, files, PIL images."""
    file = two[0].save(tmp_path / "a.png")
    name = two.record.id

    assert ig.compare(two[0], file).same_bytes
    assert ig.compare(f"{name}[0]", two[0].pil).same_pixels
    assert not ig.compare(f"{name}[0]", f"{name}[1]").same_pixels


def test_a_call_with_several_pictures_needs_a_place_to_be_compared(two: ig.Result) -> None:
    """Which of them is meant is not guessed."""
    with pytest.raises(errors.ReferenceUnreadable, match="2 pictures"):
        ig.compare(two.record.id, two[0])


# --- forgetting


def words_in(folder: Path) -> list[Path]:
    """The files in whose name or bytes the words of the prompt stand."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and (b"OTTER-SECRET" in path.read_bytes() or "otter-secret" in path.name)
    ]


def test_a_forgotten_call_leaves_no_word_and_no_picture(two: ig.Result) -> None:
    """Not in the journal, not in a file's name, not in marks; what stays is that it was made."""
    ig.note(two, "of OTTER-SECRET")
    ig.tag(two[0], "OTTER-SECRET")
    assert words_in(STORE)
    erased = ig.forget(two)

    assert words_in(STORE) == []
    assert list(STORE.glob("images/*")) == []
    assert repr(erased).startswith(f"{two.record.id} is forgotten: 2 files and")
    assert (row().id, row().status, row().prompt, row().path) == (two.record.id, "ok", None, None)
    assert (row().sha256, row().request_hash, row().note, row().rating) == (two[0].sha256, None, None, None)
    assert ig.history().tags.tolist() == [(), ()]


def test_forgetting_leaves_every_other_line_as_it_was(gateway: Gateway) -> None:
    """Byte for byte, also in a segment that is being written to; the next call goes into it."""
    results = [ig.generate(f"otter {number}", base_url=gateway.url) for number in range(3)]
    (segment,) = STORE.glob("journal/*.jsonl")
    before = segment.read_bytes().splitlines()
    ig.forget(results[1])
    ig.generate("otter 3", base_url=gateway.url)
    after = segment.read_bytes().splitlines()

    gone = [new for old, new in zip(before, after, strict=False) if old != new]
    assert [line.strip() for line in gone] == [b""] * 3
    assert len(after) == len(before) + 1 + 3
    assert [prompt for prompt in ig.history().prompt if not pd.isna(prompt)] == ["otter 0", "otter 2", "otter 3"]


def test_a_picture_that_another_call_has_too_stays(gateway: Gateway) -> None:
    """The same bytes for the same prompt are one file."""
    first = ig.generate("an otter", base_url=gateway.url)
    second = ig.generate("an otter", base_url=gateway.url)
    assert first[0].path == second[0].path

    assert "1 file stayed" in repr(ig.forget(first))
    assert second[0].bytes
    ig.forget(second)
    assert not second[0].path.exists()


def test_inputs_and_unread_answers_are_forgotten_too(gateway: Gateway) -> None:
    """They are of the call as much as its pictures."""
    gateway.rule = lambda _: Said(b'{"data": [{"b64_json": "OTTER-SECRET"}]}')
    with pytest.raises(errors.AnswerUnreadable):
        ig.generate("an otter", base_url=gateway.url, model="gpt-image-1", image=picture())
    assert len(list(STORE.glob("inputs/*"))) == len(list(STORE.glob("unread/*"))) == 1
    ig.forget(ig.history().id[0])

    assert list(STORE.glob("inputs/*")) == list(STORE.glob("unread/*")) == []


def test_forgetting_half_way_is_ended_by_forgetting_once_more(two: ig.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tombstone is written first, so that nothing that stays is lost, and the rest can be done again."""
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_imagegen.erase._blank", lambda *_: pytest.fail("power cut"))
        with pytest.raises(pytest.fail.Exception):
            ig.forget(two)
    assert row().prompt is None
    assert words_in(STORE)
    ig.forget(two.record.id)

    assert words_in(STORE) == []


def test_the_torn_end_of_a_segment_is_forgotten_too(two: ig.Result) -> None:
    """A crash can leave the half of a line, and verify moves it aside: words of the prompt stand in it as well."""
    (segment,) = STORE.glob("journal/*.jsonl")
    torn = segment.with_name(f"{segment.name}.torn")
    torn.write_text(f'{{"event":"call","id":"{two.record.id}","prompt":"OTTER-SECR')
    ig.forget(two)

    assert torn.read_text().strip() == ""


def test_what_crashes_left_of_a_call_is_forgotten_with_it(two: ig.Result) -> None:
    """The half of a file of which the name begins like the prompt, and the torn end of a segment that is gone."""
    half = two[0].path.with_name(f".{two[0].path.name[:40]}.0123abcd.part")
    half.write_bytes(b"half a picture")
    os.utime(half, (0, 0))
    torn = STORE / "journal" / "20250101T000000000000Z-00000000.jsonl.torn"
    torn.write_text(f'{{"event":"call","id":"{two.record.id}","prompt":"OTTER-SECR')
    ig.forget(two)

    assert not half.exists()
    assert torn.read_text().strip() == ""


def test_the_torn_line_of_a_rerun_is_its_own(gateway: Gateway) -> None:
    """It names its parent, and is not of it."""
    first = ig.generate("an otter", base_url=gateway.url)
    second = ig.rerun(first)
    (segment,) = STORE.glob("journal/*.jsonl")
    torn = segment.with_name(f"{segment.name}.torn")
    torn.write_text(f'{{"event":"call","id":"{second.record.id}","parent_id":"{first.record.id}","prompt":"OTT')
    ig.forget(first)
    assert "OTT" in torn.read_text()
    ig.forget(second)
    assert torn.read_text().strip() == ""


def test_a_picture_that_another_kernel_is_given_meanwhile_stays(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes for the same prompt, between the look and the deletion."""
    first = ig.generate("an otter", base_url=gateway.url)
    take_away, came = erase._taken_away, list[ig.Result]()

    def late(path: Path) -> bytes | None:
        if path.name == first[0].path.name and not came:
            came.append(ig.generate("an otter", base_url=gateway.url))
        return take_away(path)

    monkeypatch.setattr(erase, "_taken_away", late)
    ig.forget(first)

    assert came[0][0].bytes
    assert ig.verify().is_sound


KEPT_OF_A_CALL = {"event", "id", "at", "n", "params", "provider", "base_url", "request_hash", "prompt", "model"}
KEPT_OF_A_PICTURE = {"event", "id", "index", "path", "sha256", "bytes", "format", "width", "height"}
KEPT_OF_AN_END = {"event", "id", "at", "status", "latency_s", "attempts", "error_class", "error_code", "request_id"}


def test_a_tombstone_holds_what_is_listed_here_and_nothing_else(gateway: Gateway) -> None:
    """Of a call with everything that can be said of one: none of it is a word of the prompt."""
    one = json.loads(answer(picture()))["data"][0] | {"revised_prompt": "an OTTER"}
    data = {"data": [one, {"error": {"message": "no OTTER", "code": "moderation_blocked"}}]}
    gateway.rule = lambda _: Said(json.dumps(data).encode())
    words = "--user OTTER --tag OTTER --note OTTER --param OTTER=1 --omit OTTER"
    cell = f"--base-url {gateway.url} -m gpt-image-1 -n 2 {words}"
    asked = replace(parse_cell(cell, "an {{OTTER}}", {"OTTER": "OTTER"}), images=(of_value(picture("red"), "OTTER"),))
    with pytest.raises(errors.Refused):
        api.run(api.job(asked))
    (segment,) = STORE.glob("journal/*.jsonl")
    assert segment.read_bytes().count(b"OTTER") > 10
    ig.forget(ig.history().id[0])
    stone = json.loads(segment.read_text().splitlines()[-1])

    assert b"OTTER" not in segment.read_bytes()
    assert set(stone["call"]) <= KEPT_OF_A_CALL
    assert (stone["call"]["prompt"], stone["call"]["params"], stone["call"]["request_hash"]) == ("", {}, "")
    assert all(set(each) <= KEPT_OF_A_PICTURE and each["path"] == "" for each in stone["images"])
    assert set(stone["end"]) <= KEPT_OF_AN_END | {"usage", "cost_usd", "cost_source"}


def test_a_damaged_field_of_a_line_takes_no_other_with_it(two: ig.Result) -> None:
    """Bytes that are no UTF-8 where the fields stand: the history is shown, without those."""
    (segment,) = STORE.glob("journal/*.jsonl")
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b'"user":"OTTER-SECRET"', b'"user":"OTTER-SECRE\xff"'))

    assert ig.history().id.tolist() == [two.record.id] * 2
    assert not ig.verify().is_sound


def test_one_picture_of_several_is_not_forgotten_alone(two: ig.Result) -> None:
    """Who names one picture does not mean the others; a call with one picture is named by it."""
    with pytest.raises(errors.OptionError, match="as a whole"):
        ig.forget(two[0])
    assert two[0].bytes
    assert "is forgotten" in repr(ig.forget(two.record))


@pytest.mark.parametrize("path", ["../weights", "images/x", ".x", "a b", "x" * 65, ""])
def test_a_call_with_a_name_that_is_none_is_passed_over(two: ig.Result, path: str) -> None:
    """Files are named after calls: a journal of somebody else must not lead forgetting out of the store."""
    (segment,) = STORE.glob("journal/*.jsonl")
    segment.write_text(segment.read_text().replace(two.record.id, path))

    assert len(ig.history()) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Links need a permission there")
def test_forgetting_follows_no_link_out_of_the_store(two: ig.Result, tmp_path: Path) -> None:
    """Neither of a file nor of a folder: what lies elsewhere is not of the store."""
    elsewhere = tmp_path / "elsewhere"
    (STORE / "images").rename(elsewhere)
    (STORE / "images").symlink_to(elsewhere)
    ig.forget(two)

    assert len(list(elsewhere.iterdir())) == 2
    assert row().prompt is None


def test_a_picture_that_was_kept_before_a_crash_is_forgotten_with_its_words(two: ig.Result) -> None:
    """No line names it, and the prompt stands in its name; that of another prompt stays."""
    images = STORE / "images"
    (images / "otter-secret-0123456789abcdef.png").write_bytes(picture())
    (images / "another-0123456789abcdef.png").write_bytes(picture())
    ig.forget(two)

    assert [path.name for path in images.iterdir()] == ["another-0123456789abcdef.png"]


def test_forgetting_goes_on_where_a_picture_cannot_be_a_file(two: ig.Result) -> None:
    """A folder in its place: the words are removed all the same."""
    two[0].path.unlink()
    two[0].path.mkdir()
    ig.forget(two)

    assert b"OTTER-SECRET" not in b"".join(path.read_bytes() for path in STORE.glob("journal/*"))


def test_a_mark_counts_after_those_of_a_computer_whose_clock_is_ahead(two: ig.Result) -> None:
    """It is later in the journal of this store, whatever the clocks say."""
    ig.rate(two, 5)
    (segment,) = STORE.glob("journal/*.jsonl")
    lines = segment.read_text().splitlines(keepends=True)
    rating = json.loads(lines[-1]) | {"at": "2999-12-31T23:59:59.999999Z"}
    segment.write_text("".join([*lines[:-1], json.dumps(rating), "\n"]))
    ig.rate(two, 1)

    assert row().rating == 1


def test_bytes_that_were_altered_are_not_handed_out(two: ig.Result, tmp_path: Path) -> None:
    """What is saved and looked at is what was received, or an error; a link or a pipe is no picture."""
    two[0].path.write_bytes(b"altered")
    asking: list[Callable[[], object]] = [
        lambda: two[0].bytes,
        lambda: two.save(tmp_path / "out"),
        lambda: two[0].pil,
        lambda: ig.generate("x", provider="sketch", image=two[0]),
    ]
    for ask in asking:
        with pytest.raises((errors.RecordDamaged, errors.ReferenceUnreadable)):
            ask()
    assert "<img" not in ig.history().iloc[:1]._repr_html_()  # type: ignore[operator]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="There are no named pipes")
def test_a_pipe_in_the_place_of_a_picture_hangs_nothing(two: ig.Result) -> None:
    """It may never end."""
    for each in two:
        each.path.unlink()
        os.mkfifo(each.path)
    for ask in (lambda: ig.replay(two), lambda: ig.compare(two[0], two[1])):
        with pytest.raises(errors.ImageGenError):
            ask()
    assert ig.history()._repr_html_()
    assert not ig.verify().is_sound


def test_control_characters_of_a_record_reach_no_terminal(gateway: Gateway) -> None:
    """A journal of somebody else's must not clear the screen."""
    gateway.rule = lambda _: Said(complaint("no", code="moderation_blocked"), 400)
    with pytest.raises(errors.Refused):
        ig.generate("an otter", base_url=gateway.url)
    (segment,) = STORE.glob("journal/*.jsonl")
    segment.write_text(segment.read_text().replace('"HTTP 400: no', '"\\u001b[2J\\u009b1mHTTP 400: no'))
    with pytest.raises(errors.Refused) as told:
        ig.generate("an otter", base_url=gateway.url, mode="replay")

    assert not re.search(r"[\x1b\x9b]", "".join([*told.value.lines(), repr(ig.replay(ig.history().id[0]))]))


def test_what_asked_a_forgotten_call_again_is_named(gateway: Gateway) -> None:
    """It has words of its own, which stay until it is forgotten itself."""
    first = ig.generate("an otter", base_url=gateway.url)
    second = ig.rerun(first)

    assert second.record.id in repr(ig.forget(first))
    assert row(1).prompt == "an otter"


def test_a_forgotten_call_cannot_be_shown_marked_or_asked_again(two: ig.Result, gateway: Gateway) -> None:
    """It says that it is forgotten; a replay has no record of it."""
    ig.forget(two)
    asking: list[Callable[[], object]] = [lambda: ig.rate(two, 4), lambda: ig.rerun(two)]
    for ask in asking:
        with pytest.raises(errors.OptionError, match="forgotten"):
            ask()
    assert "is forgotten" in repr(ig.replay(two))
    with pytest.raises(errors.NotRecorded):
        ig.generate("OTTER-SECRET", base_url=gateway.url, n=2, user="OTTER-SECRET", mode="replay")


def test_a_running_call_is_not_forgotten(gateway: Gateway) -> None:
    """Its lines are still being written."""
    gateway.rule = lambda _: Hang()
    rest: dict[str, Any] = dict.fromkeys(
        ("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")
    )
    asked = from_call(
        "an otter", Where(base_url=gateway.url), tags=(), omit=(), force=False, quiet=True, fields={}, **rest
    )
    job = api.job(asked)
    job.start()
    gateway.wait_for_request()
    try:
        with pytest.raises(errors.OptionError, match="is running"):
            ig.forget(ig.history().id[0])
    finally:
        job.cancel()


def test_what_is_recorded_is_that_of_this_notebook(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first; where a notebook cannot know its name, all of the store."""
    for name, prompt in (("other.ipynb", "an otter"), ("this.ipynb", "a seal"), ("this.ipynb", "a walrus")):
        monkeypatch.setenv("JPY_SESSION_NAME", name)
        ig.generate(prompt, base_url=gateway.url)
    assert [record.prompt for record in archive.recorded(photograph())] == ["a seal", "a walrus"]
    monkeypatch.delenv("JPY_SESSION_NAME")

    assert [record.prompt for record in archive.recorded(photograph())] == ["an otter", "a seal", "a walrus"]
