"""The append-only log: what is written is durable, and what is torn is passed over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.journal import (
    FORMAT,
    NOTHING,
    AnyLine,
    Called,
    Ended,
    Kept,
    Opened,
    Segment,
    new_id,
    now,
    read_segment,
    segments,
)
from jupyter_imagegen.records import fold


def opened(**given: Any) -> Opened:
    """The first line of a segment."""
    fixed = {"journal": FORMAT, "at": "t", "version": "1", "python": "3", "host": "h", "pid": 1, "process_started": "s"}
    return Opened(**{**fixed, **given})


def called(name: str = "a", **given: Any) -> Called:
    """A call."""
    fixed: dict[str, Any] = {
        "id": name,
        "at": "t",
        "n": 1,
        "params": msgspec.Raw(b'{"n":1}'),
        "provider": "p",
        "base_url": "u",
        "request_hash": "r1:0",
        "prompt": "a cat {ü} 猫\n",
    }
    return Called(**{**fixed, **given})


def kept(name: str = "a", index: int = 0) -> Kept:
    """A picture."""
    return Kept(id=name, index=index, path="images/x.png", sha256="0", bytes=3, format="png")


def ended(name: str = "a", status: str = "ok") -> Ended:
    """An end."""
    return Ended(id=name, at="t", status=status, latency_s=1.5, attempts=1)


LINES: tuple[AnyLine, ...] = (called("a"), kept("a"), ended("a"), called("b"), kept("b"), kept("b", 1), ended("b"))


def bytes_of(*lines: AnyLine) -> bytes:
    """The lines as a file holds them."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every kind of line comes out as it went in, after the line that says who writes."""
    segment = Segment(tmp_path, opened())
    segment.append(*LINES)
    segment.close()
    (path,) = segments(tmp_path)

    assert list(read_segment(path)) == [opened(), *LINES]


def test_each_line_is_one_json_object_that_names_its_event(tmp_path: Path) -> None:
    """The journal is readable without us: UTF-8, one object per line, nothing that was not said."""
    segment = Segment(tmp_path, opened())
    segment.append(called(note="x"), ended())
    segment.close()
    (path,) = segments(tmp_path)
    lines = [json.loads(text) for text in path.read_text("utf-8").splitlines()]

    assert [line["event"] for line in lines] == ["session", "call", "done"]
    assert lines[1]["params"] == {"n": 1}
    assert "variables" not in lines[1]
    assert lines[1]["note"] == "x"
    assert "猫" in path.read_text("utf-8")


def test_a_session_that_asks_nothing_writes_nothing(tmp_path: Path) -> None:
    """The file is made with the first line."""
    Segment(tmp_path / "store", opened()).close()

    assert not (tmp_path / "store").exists()


def test_two_sessions_write_two_files(tmp_path: Path) -> None:
    """A segment has one writer, so no lock is ever needed."""
    for host in ("one", "two"):
        segment = Segment(tmp_path, opened(host=host))
        segment.append(called())
        segment.close()

    assert len(segments(tmp_path)) == 2


def test_a_line_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each append ends with an fsync of everything that it wrote."""
    sizes: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    segment = Segment(tmp_path, opened())
    segment.append(called())
    segment.append(ended())
    (path,) = segments(tmp_path)
    segment.close()

    assert sizes[-1] == path.stat().st_size
    assert len(sizes) >= 4


def test_a_store_that_is_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    """What is written to a removed file would be lost: the next line opens another segment."""
    segment = Segment(tmp_path, opened())
    segment.append(called("a"))
    (path,) = segments(tmp_path)
    path.unlink()
    segment.append(called("b"))
    segment.close()
    (again,) = segments(tmp_path)

    # The first call is under way: its end will stand here, so it is written again.
    assert list(read_segment(again)) == [opened(), called("a"), called("b")]


def test_after_a_line_that_failed_another_segment_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk tears the last line of one segment, and the next line begins another."""
    segment = Segment(tmp_path, opened())
    segment.append(called("a"))
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, data: write(fd, data[:7]) and _full())
        with pytest.raises(StoreError, match="No space left"):
            segment.append(kept("a"))
    segment.append(ended("a"))
    segment.close()
    lines = [list(read_segment(path)) for path in segments(tmp_path)]

    assert lines == [[opened(), called("a")], [opened(), called("a"), ended("a")]]


def _full() -> int:
    raise OSError(28, "No space left on device")


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take fewer bytes than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:5]))
    segment = Segment(tmp_path, opened())
    segment.append(called())
    segment.close()
    (path,) = segments(tmp_path)

    assert list(read_segment(path)) == [opened(), called()]


def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The error names the folder and the system's reason."""
    (tmp_path / "file").write_text("")
    segment = Segment(tmp_path / "file", opened())

    with pytest.raises(StoreError, match="Cannot write the journal in"):
        segment.append(called())


@held
@given(st.integers(0, len(bytes_of(opened(), *LINES))))
def test_a_segment_cut_at_any_byte_loses_at_most_the_torn_line(tmp_path: Path, length: int) -> None:
    """A crash or a power cut leaves a prefix: every whole line counts, the torn one is passed over."""
    whole = bytes_of(opened(), *LINES)
    path = tmp_path / "cut.jsonl"
    path.write_bytes(whole[:length])
    lines = list(read_segment(path))

    assert lines == [opened(), *LINES][: len(lines)]
    assert len(lines) >= whole[:length].count(b"\n")
    assert all(record.call in LINES for record in fold([lines], lambda _: False))


@held
@given(st.binary() | st.lists(st.binary(max_size=40)).map(b"\n".join))
def test_any_bytes_are_a_segment(tmp_path: Path, data: bytes) -> None:
    """What a disk hands back may be anything; reading it does not fail."""
    path = tmp_path / "any.jsonl"
    path.write_bytes(bytes_of(opened(), called()) + data + b"\n" + bytes_of(ended()))

    lines = list(read_segment(path))
    assert all(line in lines for line in (opened(), called(), ended()))


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"rating","id":"a","rating":4}',
        b'{"event":"call","id":"a"}',
        b'{"id":"a"}',
        b"[]",
        b"null",
        b"\x00\x00\x00",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event":"call","params":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_line_that_is_not_understood_is_passed_over(tmp_path: Path, line: bytes) -> None:
    """An event of a later version, a broken line and zeros of a torn block hide no other line."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(bytes_of(opened(), called()) + line + b"\n" + bytes_of(ended()))

    assert list(read_segment(path)) == [opened(), called(), ended()]


def test_a_field_of_a_later_version_is_passed_over(tmp_path: Path) -> None:
    """A store that a newer version writes to is still read."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(bytes_of(ended()).replace(b"{", b'{"new":{"a":[1]},', 1))

    assert list(read_segment(path)) == [ended()]


def test_segments_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Names begin with the time; what is no segment is left alone."""
    folder = tmp_path / "journal"
    folder.mkdir()
    for name in ("b.jsonl", "a.jsonl", "notes.txt", ".c.jsonl.part"):
        (folder / name).write_text("")

    assert [path.name for path in segments(tmp_path)] == ["a.jsonl", "b.jsonl"]


def test_no_store_has_no_segments(tmp_path: Path) -> None:
    """A history before the first call is empty, not an error."""
    assert segments(tmp_path / "nowhere") == []


def test_a_store_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A file where the folder should be is a StoreError."""
    (tmp_path / "journal").write_text("")

    with pytest.raises(StoreError, match="Cannot read"):
        segments(tmp_path)
    with pytest.raises(StoreError, match="Cannot read"):
        list(read_segment(tmp_path / "gone.jsonl"))


def test_ids_sort_by_time_and_are_never_chosen_twice() -> None:
    """The time to the microsecond, then chance: usable as a file name anywhere."""
    ids = [new_id() for _ in range(200)]

    assert len(set(ids)) == 200
    assert [name.partition("-")[0] for name in ids] == sorted(name.partition("-")[0] for name in ids)
    assert all(name.replace("-", "").isalnum() for name in ids)


def test_times_are_utc() -> None:
    """The journal's times carry their zone."""
    assert now().endswith("Z")


def test_a_value_that_is_not_there_is_left_out() -> None:
    """Lines hold what was said, not what might have been."""
    assert b"usage" not in msgspec.json.encode(Ended(**{**msgspec.structs.asdict(ended()), "usage": NOTHING}))


def test_an_end_that_could_not_be_written_is_written_with_the_next_line(tmp_path: Path) -> None:
    """Its call would seem to be running for as long as the kernel lives."""
    segment = Segment(tmp_path, opened())
    segment.append(called("a"))
    folder = tmp_path / "journal"
    folder.rename(tmp_path / "away")
    folder.write_text("a file in its place")
    with pytest.raises(StoreError):
        segment.append(ended("a"))
    folder.unlink()
    (tmp_path / "away").rename(folder)

    segment.append(called("b"))
    segment.close()

    records = {
        record.id: record.status for record in fold((read_segment(path) for path in segments(tmp_path)), lambda _: True)
    }
    assert records == {"a": "ok", "b": "running"}
