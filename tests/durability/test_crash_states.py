"""Power cuts on paper: every state that one could leave, at each moment of a call, on the least of file systems."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from durability.crash_states import Disk, Killed, Recorder, lay_out
from durability.nursery import Acknowledged
from durability.promise import broken, lost
from durability.telling import acknowledge
from support.gateway import Asked, Gateway, Said
from support.made import kept
from support.pictures import answer, noise, picture
from test_streams import completed

import jupyter_imagegen as ig
from jupyter_imagegen import blobs, journal, spill

OPENED = journal.Opened(journal=journal.FORMAT, at="t", version="1", python="3", host="h", pid=1, process_started=None)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there, folders cannot be synced, and need not be")

PICTURES = (picture("red"), picture("blue"))
ANSWER = answer(*PICTURES)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recorder:
    """What is done in the folder `disk`, and what the store acknowledges."""
    (tmp_path / "disk").mkdir()
    made = Recorder(monkeypatch, tmp_path / "disk")
    monkeypatch.setattr(blobs, "fcntl", None)  # The usual sync stands for that of macOS.
    acknowledge(made.tell, monkeypatch.setattr)
    return made


def wrongs(recorder: Recorder, folder: Path, since: int = 0) -> Iterator[str]:
    """What is not as promised in some state that a power cut could leave, at some moment from this one on."""
    disk, acknowledged, seen = Disk(), Acknowledged(), set()
    for moment, what in enumerate(recorder.log):
        if isinstance(what, dict):
            acknowledged.hear(what)
        else:
            what(disk)
        for tree in disk.root.left() if moment >= since else ():
            if (tree, len(acknowledged)) not in seen:
                seen.add((tree, len(acknowledged)))
                lay_out(tree, folder)
                store = folder / "notebook" / "imagegen"
                yield from (f"{moment}: {wrong}" for wrong in (*lost(store, acknowledged), *broken(store)))
                shutil.rmtree(folder)


def call(
    gateway: Gateway,
    recorder: Recorder,
    patch: pytest.MonkeyPatch,
    store: Path,
    body: bytes = ANSWER,
) -> None:
    """Make one call of two pictures; that it was sent is noted as well."""

    def sent(asked: Asked) -> Said:
        recorder.tell(what="sent", id=asked.headers["idempotency-key"])
        return Said(body)

    gateway.rule = sent
    patch.setenv("IMAGEGEN_STORE", str(store))
    ig.generate("an otter", n=2, base_url=gateway.url, model="any", quiet=True)


def test_no_state_that_a_power_cut_could_leave_breaks_a_promise(
    gateway: Gateway, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is acknowledged is there, what is listed is whole, and what was sent is listed, at every moment."""
    call(gateway, recorder, monkeypatch, tmp_path / "disk" / "notebook" / "imagegen")
    found = list(wrongs(recorder, tmp_path / "left"))
    told = [said for said in recorder.log if isinstance(said, dict)]
    sent = next(place for place, said in enumerate(told) if said["what"] == "sent")

    assert not found, found[:5]
    assert any(f'"event":"call","id":"{told[sent]["id"]}"' in said.get("line", "") for said in told[:sent])
    assert len(told) == 7, "a call line, the sending, two files, two image lines, an end"


def late(sync: Callable[[spill._File], None]) -> Callable[[spill._File], None]:
    """A sync that begins so late that whoever does not wait for it comes first."""

    def synced(self: spill._File) -> None:
        time.sleep(0.3)
        sync(self)

    return synced


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_pictures_that_arrive_in_files_break_no_promise(
    gateway: Gateway, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_stream: bool
) -> None:
    """What is written under a temporary name while it arrives is durable before it has its own."""
    monkeypatch.setattr(spill, "IN_MEMORY", 1_200)
    monkeypatch.setattr(spill, "BLOCK", 2_000)
    monkeypatch.setattr(spill._File, "sync", late(spill._File.sync))
    store, heavy = tmp_path / "disk" / "notebook" / "imagegen", (noise(1_300), noise(2_100))
    events = b"".join(completed(each) for each in heavy)
    call(gateway, recorder, monkeypatch, store, events if is_stream else answer(*heavy))
    found = list(wrongs(recorder, tmp_path / "left"))

    assert not found, found[:5]
    assert not list(store.rglob(".*.part"))


@pytest.mark.parametrize(
    "forgotten",
    [(blobs, "sync_file"), (blobs, "sync_folder"), (journal, "sync_file"), (journal, "sync_folder")],
    ids=str,
)
def test_each_sync_is_needed(
    gateway: Gateway, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, forgotten: tuple[object, str]
) -> None:
    """The control: without any of them some state breaks a promise, so that the test above can fail."""
    monkeypatch.setattr(*forgotten, lambda _: None)
    call(gateway, recorder, monkeypatch, tmp_path / "disk" / "notebook" / "imagegen")

    assert next(wrongs(recorder, tmp_path / "left"), "")


def test_what_a_killed_writer_began_is_no_trap_for_the_next(tmp_path: Path, recorder: Recorder) -> None:
    """A picture or a folder that is there may not be safe yet: who finds it sees to that before it is listed."""
    for kill_at in range(1, 100):
        store = tmp_path / "disk" / "notebook" / "imagegen"
        recorder.log.clear()
        blobs._SETTLED.clear()
        recorder.kill_at = kill_at
        try:
            keep(store)
        except Killed:
            since, recorder.kill_at = len(recorder.log), 0
            blobs._SETTLED.clear()  # the next writer is another process
            keep(store)
        found = list(wrongs(recorder, tmp_path / "left", since))
        shutil.rmtree(store.parent)
        if recorder.kill_at:
            break
        assert not found, (kill_at, found[:5])
    assert 10 < kill_at < 50


def keep(store: Path) -> None:
    """Keep a picture and list it."""
    segment = journal.Segment(store, OPENED)
    try:
        segment.append(kept(store, PICTURES[0]))
    finally:
        segment.close()
