"""What a session writes is written off the HTTP loop, in order, together, and to its end."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_imagegen import journal
from jupyter_imagegen.disk import Disk, to_its_end
from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.journal import FORMAT, Opened, Tagged

OPENED = Opened(journal=FORMAT, at="t", version="1", python="3", host="h", pid=1, process_started=None, session="s")


class Slow:
    """A disk whose syncs wait until they are let through, or fail."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.begun = threading.Event()
        self.through = threading.Event()
        self.fault: OSError | None = None
        patch.setattr(journal, "sync_file", self._sync)

    def _sync(self, _: int) -> None:
        self.syncs += 1
        self.begun.set()
        assert self.through.wait(30)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Such a disk."""
    return Slow(monkeypatch)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """The threads of a session, ended after the test."""
    made = Disk(tmp_path, OPENED)
    yield made
    made.close()


def line(word: str) -> Tagged:
    """A line that is told from others."""
    return Tagged(id="call-1", at="t", word=word)


def words(store: Path) -> list[str]:
    """The words of all lines, in the order in which they were written."""
    texts = [text for path in journal.segments(store) for text in path.read_bytes().splitlines()]
    return [found["word"] for text in texts if (found := msgspec.json.decode(text))["event"] == "tag"]


async def begun(slow: Slow) -> None:
    """Wait until the thread is in a sync, while the loop goes on."""
    assert await asyncio.to_thread(slow.begun.wait, 30)


def test_lines_that_come_while_one_is_written_are_written_with_one_sync(disk: Disk, slow: Slow, tmp_path: Path) -> None:
    """However many calls end together, the disk is waited for once; the loop is not kept up."""

    async def many() -> None:
        first = asyncio.ensure_future(disk.append(line("first")))
        await begun(slow)
        others = [asyncio.ensure_future(disk.append(line(f"{n} a"), line(f"{n} b"))) for n in range(50)]
        await asyncio.sleep(0)
        slow.through.set()
        await asyncio.gather(first, *others)

    asyncio.run(many())

    assert words(tmp_path) == ["first", *(f"{n} {letter}" for n in range(50) for letter in "ab")]
    assert slow.syncs == 3, "the head of the segment, the first line, and all the others"


def test_a_line_whose_writer_is_cancelled_is_written(disk: Disk, slow: Slow, tmp_path: Path) -> None:
    """An interrupt may come at any moment, and what began to be written is on the disk before it goes on."""

    async def interrupted() -> None:
        task = asyncio.ensure_future(to_its_end(disk.append(line("kept"))))
        await begun(slow)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        slow.through.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())

    assert words(tmp_path) == ["kept"]


def test_a_fault_is_told_to_everyone_whose_lines_it_met(disk: Disk, slow: Slow, tmp_path: Path) -> None:
    """None of them is taken for durable; what comes later is written to another segment."""
    slow.fault = OSError(28, os.strerror(28))

    async def failing() -> list[object]:
        first = asyncio.ensure_future(disk.append(line("first")))
        await begun(slow)
        others = [asyncio.ensure_future(disk.append(line(f"{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        slow.through.set()
        found: list[object] = await asyncio.gather(first, *others, return_exceptions=True)
        slow.fault = None
        await disk.append(line("later"))
        return found

    assert all(isinstance(each, StoreError) for each in asyncio.run(failing()))
    assert words(tmp_path)[-1] == "later"
    assert len(journal.segments(tmp_path)) > 1


def test_work_with_files_gives_what_it_gives(disk: Disk, tmp_path: Path) -> None:
    """Or raises what it raises."""

    async def both() -> tuple[bool, object]:
        found = await asyncio.gather(
            disk.carry_out(tmp_path.is_dir), disk.carry_out((tmp_path / "none").read_bytes), return_exceptions=True
        )
        return bool(found[0]), found[1]

    is_there, error = asyncio.run(both())
    assert is_there
    assert isinstance(error, FileNotFoundError)


def test_what_is_cancelled_says_only_that_it_was() -> None:
    """Its own fault is not told as well: nobody waits for it."""

    async def fault() -> None:
        await asyncio.sleep(0)
        raise ValueError

    async def cancelled() -> None:
        task = asyncio.ensure_future(to_its_end(fault()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
