"""The lines of all segments become records: one for each call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_imagegen.journal import FORMAT, AnyLine, Called, Ended, Kept, Opened, Segment
from jupyter_imagegen.process import Process, this_process
from jupyter_imagegen.records import Record, fold, read


def opened(process: Process | None = None) -> Opened:
    """The first line of a segment of this process, or of another."""
    writer = process or this_process()
    return Opened(
        journal=FORMAT,
        at="t",
        version="0.0.1",
        python="3",
        host=writer.host,
        pid=writer.pid,
        process_started=writer.started,
        session="s-1",
    )


def called(name: str, **given: Any) -> Called:
    """A call."""
    fixed: dict[str, Any] = {
        "id": name,
        "at": "t",
        "n": 2,
        "params": msgspec.Raw(b'{"n":2,"size":"1x1"}'),
        "provider": "p",
        "base_url": "u",
        "request_hash": "r1:0",
        "prompt": "a cat",
        "model": "m",
    }
    return Called(**{**fixed, **given})


def kept(name: str, index: int = 0) -> Kept:
    """A picture."""
    return Kept(id=name, index=index, path=f"images/{index}.png", sha256="0", bytes=3, format="png")


def ended(name: str, status: str = "ok", **given: Any) -> Ended:
    """An end."""
    return Ended(id=name, at="t", status=status, latency_s=1.5, attempts=1, **given)


def one(*lines: AnyLine, alive: Callable[[Process], bool] = lambda _: False) -> Record:
    """The only record of these lines."""
    (record,) = fold([lines], alive)
    return record


@pytest.mark.parametrize("status", ["ok", "refused", "failed", "cancelled", "unknown"])
def test_a_call_that_ended_has_the_status_of_its_end(status: str) -> None:
    """What was written last is what happened."""
    record = one(opened(), called("a"), ended("a", status, error="why"))

    assert (record.status, record.error) == (status, "why")


def test_a_call_without_an_end_is_unknown() -> None:
    """A crash during a call: it may have been charged, and the record says so."""
    record = one(opened(), called("a"), kept("a"))

    assert record.status == "unknown"
    assert "may have been charged" in (record.error or "")
    assert len(record.images) == 1


def test_a_call_whose_kernel_lives_is_running() -> None:
    """Only a process that certainly lives may still be at a call."""
    record = one(opened(), called("a"), alive=lambda process: process == this_process())

    assert (record.status, record.error) == ("running", None)


def test_a_call_that_ended_is_not_running_while_another_is() -> None:
    """One segment may hold both."""
    found = fold([[opened(), called("a"), called("b"), ended("a")]], lambda _: True)

    assert {record.id: record.status for record in found} == {"a": "ok", "b": "running"}


def test_a_segment_that_lost_its_first_line_is_not_running() -> None:
    """Without the line that says who writes, nobody is known to be at the call."""
    record = one(called("a"), alive=lambda _: True)

    assert (record.status, record.version) == ("unknown", None)


def test_a_call_may_begin_in_one_segment_and_end_in_another() -> None:
    """Where a line could not be written the next one opens another segment, and the call is still one call."""
    first: list[AnyLine] = [opened(), called("a"), called("b")]
    second: list[AnyLine] = [opened(), kept("a"), ended("a"), kept("b"), ended("b")]
    found = list(fold([first, second], lambda _: True))

    assert [(record.status, len(record.images)) for record in found] == [("ok", 1), ("ok", 1)]


def test_each_line_belongs_to_its_call() -> None:
    """Calls of one session overlap: lines are told apart by the id, and pictures put in the order of the ask."""
    lines: list[AnyLine] = [
        opened(),
        called("a"),
        called("b"),
        kept("b", 1),
        kept("a"),
        ended("b"),
        kept("b"),
        ended("a", "failed"),
    ]
    found = {record.id: record for record in fold([lines], lambda _: False)}

    assert [image.index for image in found["b"].images] == [0, 1]
    assert (found["a"].status, found["b"].status) == ("failed", "ok")


@pytest.mark.parametrize("line", [kept("other"), ended("other")])
def test_a_line_without_its_call_makes_no_record(line: AnyLine) -> None:
    """A record is a call; what is left of one that was lost is none."""
    assert list(fold([[opened(), line]], lambda _: False)) == []


def test_whether_a_kernel_lives_is_asked_once_and_only_where_it_matters() -> None:
    """A long history with one crash costs one look at the process table."""
    asked: list[Process] = []

    def alive(process: Process) -> bool:
        asked.append(process)
        return False

    calls = [line for name in "abc" for line in (called(name), ended(name))]
    list(fold([[opened(), *calls], [opened(), called("x"), called("y")]], alive))

    assert asked == [this_process()]


def test_a_record_tells_what_its_lines_tell() -> None:
    """Prompt, model, provider, params, variables, usage and version are those of the lines."""
    call = called("a", template="a {{x}}", variables=msgspec.Raw(b'{"x":"cat"}'))
    record = one(opened(), call, ended("a", usage=msgspec.Raw(b'{"total_tokens":3}')))

    assert (record.prompt, record.model, record.provider, record.version) == ("a cat", "m", "p", "0.0.1")
    assert record.params == {"n": 2, "size": "1x1"}
    assert record.variables == {"x": "cat"}
    assert record.usage == {"total_tokens": 3}
    assert repr(record) == "Record(a, ok, p m, 0 of 2)"


def test_what_was_not_said_is_none() -> None:
    """No variables and no usage are None, not empty."""
    record = one(opened(), called("a"), ended("a"))

    assert (record.variables, record.usage, record.error) == (None, None, None)


def test_all_segments_are_one_history(tmp_path: Path) -> None:
    """Two kernels at once: the calls of both, oldest first."""
    for names in (("1", "4"), ("2", "3")):
        segment = Segment(tmp_path, opened())
        for name in names:
            segment.append(called(name), ended(name))
        segment.close()

    assert [record.id for record in read(tmp_path)] == ["1", "2", "3", "4"]


def test_a_record_survives_the_kernel(tmp_path: Path) -> None:
    """What is read back from disk is what was written, also params that were read from a buffer."""
    segment = Segment(tmp_path, opened(Process("another-host", 1, "0")))
    segment.append(called("a"), kept("a"), ended("a"), called("b"))
    segment.close()
    first, second = read(tmp_path)

    assert (first.call, first.images, first.end) == (called("a"), (kept("a"),), ended("a"))
    assert second.status == "unknown"


def test_a_store_that_is_not_there_has_no_records(tmp_path: Path) -> None:
    """The history before the first call is empty."""
    assert read(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2**64},
        {"n": -1},
        {"at": "yesterday"},
        {"params": [1]},
        {"execution_count": 2**70},
        {"variables": 5},
    ],
)
def test_a_line_that_another_hand_wrote_does_not_hide_the_others(tmp_path: Path, change: dict[str, object]) -> None:
    """The history is read without it, or with what can be read of it."""
    from jupyter_imagegen.frame import frame

    line = json.loads(msgspec.json.encode(called("odd"))) | change
    (tmp_path / "journal").mkdir()
    whole = b"\n".join(msgspec.json.encode(each) for each in (called("a"), ended("a")))
    (tmp_path / "journal" / "1.jsonl").write_bytes(json.dumps(line).encode() + b"\n" + whole)
    (tmp_path / "journal" / "folder.jsonl").mkdir()
    found = frame(read(tmp_path), tmp_path)
    assert found.set_index("id").loc["a", "status"] == "ok"
    assert found._repr_html_() is not None


@pytest.mark.parametrize(
    "path",
    ["../a.png", "/etc/passwd", "images/../../a.png", "images/..", "images/a/b.png", "C:\\a.png", "images\\a", "a\n"],
)
def test_a_line_that_names_a_file_outside_of_the_store_is_passed_over(path: str, tmp_path: Path) -> None:
    """A journal may come from anybody: what it says is no reason to open, copy or delete a file of the reader's."""
    folder = tmp_path / "journal"
    folder.mkdir()
    line = {"event": "image", "id": "a", "index": 0, "path": path, "sha256": "0", "bytes": 1, "format": "png"}
    call = msgspec.json.encode(called("a"))
    (folder / "x.jsonl").write_bytes(call + b"\n" + json.dumps(line).encode() + b"\n")
    (record,) = read(tmp_path)

    assert record.images == ()
