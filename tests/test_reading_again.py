"""A store that is read again and again says what it says when it is read for the first time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen import reading, records
from jupyter_imagegen.journal import (
    NOTHING,
    AnyLine,
    Called,
    Ended,
    Forgotten,
    Kept,
    Noted,
    Opened,
    Rated,
    Shown,
    Tagged,
    read_segment,
    segments,
)
from jupyter_imagegen.process import Process, this_process
from jupyter_imagegen.records import Record, fold, read

HERE: Final = this_process()


def opened(session: str, process: Process = HERE) -> Opened:
    """The first line of a segment."""
    return Opened(
        journal=1,
        at="t",
        version="1",
        python="3",
        host=process.host,
        pid=process.pid,
        process_started=process.started,
        session=session,
    )


def called(name: str, **given: Any) -> Called:
    """A call."""
    fixed: dict[str, Any] = {
        "id": name,
        "at": "2026-11-21T04:15:00.123456Z",
        "n": 1,
        "params": msgspec.Raw(b'{"n":1}'),
        "provider": "p",
        "base_url": "u",
        "request_hash": "r1:0",
        "prompt": f"a cat {name}",
    }
    return Called(**{**fixed, **given})


def kept(name: str, index: int = 0, sha256: str = "0") -> Kept:
    """A picture."""
    return Kept(id=name, index=index, path=f"images/{index}.png", sha256=sha256, bytes=3, format="png")


def ended(name: str, status: str = "ok") -> Ended:
    """An end."""
    usage = msgspec.Raw(b'{"total_tokens":3}')
    return Ended(id=name, at="t", status=status, latency_s=1.5, attempts=1, usage=usage)


def data_of(*lines: AnyLine) -> bytes:
    """The lines as a file holds them."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The folder of the segments."""
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal"


def afresh(store: Path) -> tuple[Record, ...]:
    """What the lines of a store say, read line by line and folded at once."""
    return fold((read_segment(path) for path in segments(store)), lambda process: process == HERE)


def add(path: Path, data: bytes) -> None:
    """Append to a segment, as its writer does."""
    with path.open("ab") as file:
        file.write(data)


# --- the rule


NAMES: Final = st.sampled_from(["a", "b", "c"])
MOMENTS: Final = st.sampled_from(["t1", "t2", "t3"])
PROCESSES: Final = st.sampled_from([HERE, Process("elsewhere", 1, None)])
LINES: Final = st.one_of(
    st.builds(opened, st.sampled_from(["s-1", "s-2"]), PROCESSES),
    st.builds(called, NAMES, n=st.integers(1, 2)),
    st.builds(kept, NAMES, st.integers(0, 2), st.sampled_from(["0", "1"])),
    st.builds(ended, NAMES, st.sampled_from(["ok", "failed"])),
    st.builds(Rated, id=NAMES, at=MOMENTS, index=st.none() | st.integers(0, 1), rating=st.none() | st.integers(1, 5)),
    st.builds(Tagged, id=NAMES, at=MOMENTS, word=st.sampled_from(["x", "y"])),
    st.builds(Noted, id=NAMES, at=MOMENTS, note=st.sampled_from(["n", None])),
    st.builds(Shown, id=NAMES, at=MOMENTS),
    NAMES.map(lambda name: Forgotten(id=name, at="t", session="s-1", call=called(name, prompt=""), end=ended(name))),
)
ODD: Final = st.sampled_from(
    [
        b"\n",
        b"   \n",
        b'{"event":"call","id":"a"',
        b'{"event":"later","id":"a"}\n',
        b'{"event":"done","id":"../a","at":"t","status":"ok","latency_s":1,"attempts":1}\n',
        data_of(kept("a")).replace(b"images/", b"../"),
        data_of(ended("a")).rstrip(b"\n") + data_of(ended("b")),
        data_of(ended("a")).replace(b",", b",\n", 1),
        b"\xff\x00\n",
    ]
)
WRITTEN: Final = st.lists(LINES.map(data_of) | LINES.map(data_of) | ODD, min_size=1, max_size=12).map(b"".join)


@dataclass(frozen=True)
class Doing:
    """Something that happens to a segment: `data` is appended or put in its place, or it is changed at `place`."""

    what: str
    name: str
    data: bytes
    place: int

    def do(self, folder: Path) -> None:
        """Let it happen."""
        path = folder / self.name
        was = path.read_bytes() if path.exists() else b""
        blanks = b" " * len(was[self.place : self.place + 40])
        match self.what:
            case "append":
                add(path, self.data)
            case "replace":
                (folder / "new").write_bytes(self.data)
                (folder / "new").replace(path)
            case "write":
                path.write_bytes(self.data)
            case "blank":
                path.write_bytes(was[: self.place] + blanks + was[self.place + 40 :])
            case "cut":
                path.write_bytes(was[: self.place])
            case "remove":
                path.unlink(missing_ok=True)


DOINGS: Final = st.builds(
    Doing,
    what=st.sampled_from(["append", "append", "append", "append", "replace", "write", "blank", "cut", "remove"]),
    name=st.sampled_from(["1.jsonl", "2.jsonl", "3.jsonl"]),
    data=WRITTEN,
    place=st.integers(0, 300),
)


@held
@given(st.lists(DOINGS, min_size=1, max_size=12), st.integers(40, 400))
def test_what_is_read_again_is_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, history: list[Doing], length: int
) -> None:
    """Whatever happened to the segments meanwhile, and wherever the passages end in which they are read."""
    folder = tmp_path_factory.mktemp("store") / "journal"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading, "_LENGTH", length)
        for doing in history:
            doing.do(folder)
            assert read(folder.parent) == afresh(folder.parent)


# --- its parts


def test_while_nothing_changes_it_is_the_same_tuple(tmp_path: Path, journal: Path) -> None:
    """So whoever made something of it knows at once that it still holds."""
    (journal / "1.jsonl").write_bytes(data_of(opened("s"), called("a"), ended("a")))

    assert read(tmp_path) is read(tmp_path)


def test_what_did_not_change_is_the_same_record(tmp_path: Path, journal: Path) -> None:
    """One more call makes one more record."""
    path = journal / "1.jsonl"
    path.write_bytes(data_of(opened("s"), called("a"), ended("a"), called("b"), ended("b")))
    before = read(tmp_path)
    add(path, data_of(called("c"), ended("c")))
    now = read(tmp_path)

    assert [record.id for record in now] == ["a", "b", "c"]
    assert all(was is is_now for was, is_now in zip(before, now, strict=False))


def test_what_is_said_later_in_another_segment_is_read(tmp_path: Path, journal: Path) -> None:
    """A rating, an end and a picture may be in that of another session."""
    (journal / "1.jsonl").write_bytes(data_of(opened("s-1"), called("a"), kept("a", 1)))
    (journal / "2.jsonl").write_bytes(data_of(opened("s-2"), called("b"), ended("b")))
    read(tmp_path)
    add(journal / "2.jsonl", data_of(Rated(id="a", at="t", rating=4), kept("a"), ended("a")))
    (first, second) = read(tmp_path)

    assert (first.rating, first.status, first.session) == (4, "ok", "s-1")
    assert [image.index for image in first.images] == [0, 1]
    assert second.id == "b"


def test_a_call_stops_running_when_its_process_is_gone(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is written then: it is asked each time."""
    (journal / "1.jsonl").write_bytes(data_of(opened("s"), called("a")))
    (running,) = read(tmp_path)
    monkeypatch.setattr(records, "is_alive", lambda _: False)
    (lost,) = read(tmp_path)

    assert (running.status, lost.status) == ("running", "unknown")


def test_who_may_be_at_a_call_is_who_began_it_last(tmp_path: Path, journal: Path) -> None:
    """A segment that lost its first line names nobody, and neither does another computer's."""
    (journal / "1.jsonl").write_bytes(data_of(opened("s"), called("a"), called("b")))
    (journal / "2.jsonl").write_bytes(data_of(called("a")))
    before = read(tmp_path)
    lines = data_of(opened("s", Process("elsewhere", 1, None)), called("a"), called("b"))
    (journal / "new").write_bytes(lines)
    (journal / "new").replace(journal / "1.jsonl")

    assert [record.status for record in before] == ["unknown", "running"]
    assert [record.status for record in read(tmp_path)] == ["unknown", "unknown"]


@pytest.mark.parametrize("length", [40, 10_000])
def test_a_segment_that_was_overwritten_at_once_is_read_again(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """As long as before, and within one tick of the clock by which files are dated."""
    path = journal / "1.jsonl"
    path.write_bytes(data_of(opened("s"), called("a"), ended("a", "ok")))
    stamp = replace(reading._stamp_of(path), is_settled=False)
    monkeypatch.setattr(reading, "_stamp_of", lambda _: stamp)
    monkeypatch.setattr(reading, "_LENGTH", length)
    first = read(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"ok"', b'"no"'))

    assert [record.status for record in (*first, *read(tmp_path))] == ["ok", "no"]


def test_a_segment_that_rests_is_not_read_again(tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is: a look at its date is enough."""
    path = journal / "1.jsonl"
    path.write_bytes(data_of(opened("s"), called("a"), ended("a")))
    os.utime(path, (1, 1))
    first = read(tmp_path)
    monkeypatch.setattr(reading, "_passages", None)

    assert read(tmp_path) is first


def test_a_torn_line_is_read_when_it_is_whole(tmp_path: Path, journal: Path) -> None:
    """Another kernel may be in the middle of it."""
    path, line = journal / "1.jsonl", data_of(called("b"))
    path.write_bytes(data_of(opened("s"), called("a")) + line[:30])
    before = read(tmp_path)
    add(path, line[30:])

    assert [len(before), len(read(tmp_path))] == [1, 2]


def test_a_file_of_another_hand_is_read_line_by_line(tmp_path: Path, journal: Path) -> None:
    """A line with two values is no line, nor is half of one; and as many of the one as of the other hide nothing."""
    data = data_of(opened("s"), called("a"), called("b"))
    (journal / "1.jsonl").write_bytes(data + b"{}{}\n" + data_of(ended("a")).replace(b",", b",\n", 1) + b"\n")

    assert read(tmp_path) == afresh(tmp_path)


def test_what_a_record_keeps_is_its_own(tmp_path: Path, journal: Path) -> None:
    """The bytes that were read are let go: what stands as it is in a line would hold them all."""
    call = called("a", variables=msgspec.Raw(b'{"x":"1"}'), asked=msgspec.Raw(b'{"n":1}'))
    (journal / "1.jsonl").write_bytes(data_of(opened("s"), call, ended("a"), called("b")))
    first, second = read(tmp_path)

    assert first.end is not None
    assert (first.params, first.variables, first.asked, first.usage) == (
        {"n": 1},
        {"x": "1"},
        {"n": 1},
        {"total_tokens": 3},
    )
    assert second.call.variables is NOTHING
    assert all(len(memoryview(raw).obj) == len(bytes(raw)) for raw in (first.call.params, first.end.usage))  # type: ignore[arg-type]


def test_a_few_stores_are_remembered(tmp_path: Path) -> None:
    """Whoever goes through many does not keep them all."""
    stores = [tmp_path / str(number) for number in range(10)]
    for store in stores:
        (store / "journal").mkdir(parents=True)
        (store / "journal" / "1.jsonl").write_bytes(data_of(opened("s"), called("a")))
        read(store)

    assert set(stores[-4:]) <= records._stores.keys()
    assert not set(stores[:-4]) & records._stores.keys()


def test_a_store_that_went_and_came_back_is_read_anew(tmp_path: Path, journal: Path) -> None:
    """Nothing is remembered of what is not there."""
    path = journal / "1.jsonl"
    path.write_bytes(data_of(opened("s"), called("a")))
    assert len(read(tmp_path)) == 1
    path.unlink()
    assert read(tmp_path) == ()
    path.write_bytes(data_of(opened("s"), called("b")))

    assert [record.id for record in read(tmp_path)] == ["b"]


def test_threads_may_read_while_it_grows(tmp_path: Path, journal: Path) -> None:
    """The cell, the panel and the HTTP loop read at once: each sees a history that there was, and the last one all."""
    path = journal / "1.jsonl"
    path.write_bytes(data_of(opened("s")))

    def seen() -> Iterator[int]:
        for _ in range(100):
            yield len(read(tmp_path))

    with ThreadPoolExecutor(3) as pool:
        lengths = [pool.submit(lambda: list(seen())) for _ in range(3)]
        for number in range(100):
            add(path, data_of(called(f"a{number:03}"), ended(f"a{number:03}")))
        assert all(max(each.result()) <= 100 for each in lengths)

    assert read(tmp_path) == afresh(tmp_path)
