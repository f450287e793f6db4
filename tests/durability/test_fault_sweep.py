"""Every file operation of a call fails: the N-th, for every N, and what is there afterwards."""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Final

import pytest
from durability.faults import Fault, Watch
from durability.promise import broken
from support.gateway import Gateway, Said
from support.pictures import answer, noise, picture

import jupyter_imagegen as ig
from jupyter_imagegen import blobs, bridge, errors, spill
from jupyter_imagegen.records import read

PICTURES: Final = (picture("red"), picture("blue"))
HEAVY: Final = (noise(3_000), noise(5_000))
"""Pictures that grow in a file while they arrive, with the bounds of `in_files`."""


@dataclass(frozen=True)
class Tried:
    """One call of which an operation failed; what it raised, and what was wrong then."""

    operation: str
    raised: str
    wrong: tuple[str, ...]


class Bench:
    """Calls at a gateway, each attempt with a store of its own; one that is used has a call in it already."""

    def __init__(
        self, root: Path, gateway: Gateway, patch: pytest.MonkeyPatch, pictures: tuple[bytes, ...], *, is_used: bool
    ) -> None:
        self._pictures = pictures
        gateway.rule = lambda _: Said(answer(*pictures))
        self.asked: dict[str, Any] = {"prompt": "an otter", "n": 2}
        self._gateway, self._root, self._patch, self._is_used = gateway, root, patch, is_used
        self._stores = count()

    def swept(self, watch: Watch, fault: Fault) -> list[Tried]:
        """Let each operation of a call fail in turn, until there is none of so high a number."""
        self.tried(watch, 10_000, fault)  # What is loaded and opened only once is no part of it.
        return list(takewhile(lambda tried: tried.operation, (self.tried(watch, at, fault) for at in count())))

    def tried(self, watch: Watch, at: int, fault: Fault) -> Tried:
        """Make a call of which this operation fails, and then one of which none does."""
        store = self._root / f"{next(self._stores)}" / "imagegen"
        self._patch.setenv("IMAGEGEN_STORE", str(store))
        if self._is_used:
            self._call()
        self._gateway.asked.clear()
        for known in (blobs._tried_out, blobs._SETTLED):
            known.clear()  # as in a process that has not come here before
        watch.begin(at, fault)
        error = self._call()
        operation = watch.end()
        sent = [asked.headers["idempotency-key"] for asked in self._gateway.posts]
        left = [] if operation.startswith("unlink") or fault.is_lasting else store.rglob(".*.part")
        wrong = (
            *_wrongs(store, error, sent, self._pictures),
            *_wrongs_later(store, self._call(), sent),
            *map(str, left),
        )
        bridge.http_loop().sessions.pop(store)._disk.close()
        return Tried(operation, type(error).__name__, wrong)

    def _call(self) -> ig.ImageGenError | OSError | None:
        """Ask for two pictures in one call; what was raised."""
        try:
            ig.generate(**self.asked, base_url=self._gateway.url, model="any", quiet=True)
        except (ig.ImageGenError, OSError) as error:
            return error
        return None


def _wrongs(store: Path, error: Exception | None, sent: list[str], pictures: tuple[bytes, ...]) -> Iterator[str]:
    """What must not be after the call, each as a sentence."""
    yield from broken(store)
    told = "\n".join(error.lines()) if isinstance(error, ig.ImageGenError) else ""
    if error is not None and not told:
        yield f"{error!r} is none of ours"
    has_all = _has_all(store, pictures)
    if error is None and not has_all:
        yield "it succeeds, and pictures are missing"
    if len(sent) > 1:
        yield f"{len(sent)} POSTs"
    if isinstance(error, errors.StoreError) and bool(sent) == ("Nothing was sent" in told):
        yield f"it does not say truly whether something was sent: {told}"
    if sent and not (has_all or _is_kept(told, pictures)):
        yield f"pictures that came are lost: {told}"
    if sent and not (has_all or "charged" in told):
        yield f"that it was charged is not said: {told}"


def _wrongs_later(store: Path, error: Exception | None, sent: list[str]) -> Iterator[str]:
    """What must not be after the next call."""
    yield from broken(store)
    if error is not None:
        yield f"the next call fails: {error!r}"
    records = {record.id: record for record in read(store)}
    yield from (f"{record} is not over" for record in records.values() if record.status == "running")
    yield from (f"{name} was sent, and is not listed" for name in sent if name not in records)
    for name, record in records.items():
        said = f"{record.error} {record.end}"
        if name in sent and record.status != "ok" and "charged" not in said:
            yield f"the history does not say that it may have been charged: {record} {said}"
        if name in sent and record.status == "ok" and len(record.images) < 2 and "charged" not in said:
            yield f"the history does not say that a picture is missing: {record} {said}"


def _has_all(store: Path, pictures: tuple[bytes, ...]) -> bool:
    listed = [[(store / kept.path).read_bytes() for kept in record.images] for record in read(store)]
    return bool(listed) and listed[-1] == list(pictures)


def _is_kept(told: str, pictures: tuple[bytes, ...]) -> bool:
    """Whether the error says truly where the answer is, or that it is nowhere."""
    found = re.search(r"The answer is kept in (.+?\.bin)\.", told)
    return Path(found[1]).read_bytes() == answer(*pictures) if found else "The answer could not be kept either" in told


def in_files(patch: pytest.MonkeyPatch) -> None:
    """Let pictures of a few kilobytes grow in files, in several blocks."""
    patch.setattr(spill, "IN_MEMORY", 1_200)
    patch.setattr(spill, "BLOCK", 1_200)


@pytest.fixture(params=["new", "used", "heavy"])
def bench(request: pytest.FixtureRequest, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """Stores that are new, stores that are used already, and pictures that arrive in files."""
    if request.param == "heavy":
        in_files(monkeypatch)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return Bench(
        tmp_path / "stores",
        gateway,
        monkeypatch,
        HEAVY if request.param == "heavy" else PICTURES,
        is_used=request.param != "new",
    )


CODES: Final = (errno.ENOSPC, errno.EIO, errno.EACCES)
FAULTS: Final = (
    *(Fault(code) for code in CODES),
    Fault(errno.EIO, is_done_all_the_same=True),
    Fault(errno.ENOSPC, is_lasting=True),
    Fault(errno.EACCES, is_lasting=True),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_of_any_operation_on_the_store_loses_nothing_and_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault
) -> None:
    """It is an error of ours or a success, one POST at most and no half record; and the next call works."""
    swept = bench.swept(Watch(monkeypatch.setattr, tmp_path / "stores"), fault)

    assert [tried for tried in swept if tried.wrong] == []
    assert {tried.raised for tried in swept} >= {"StoreError", "NotKept"}
    assert len(swept) > 40


def test_a_fault_of_a_call_with_a_reference_picture_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The picture is kept before the call is listed: where it cannot be, nothing is sent and nothing listed."""
    bench.asked |= {"image": PICTURES[0]}
    swept = bench.swept(Watch(monkeypatch.setattr, tmp_path / "stores"), Fault(errno.EIO))

    assert [tried for tried in swept if tried.wrong] == []
    assert any("/inputs/" in tried.operation for tried in swept)


@pytest.mark.parametrize("fault", [Fault(errno.ENOSPC, is_lasting=True), Fault(errno.EIO)], ids=str)
def test_a_fault_of_any_operation_anywhere_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault
) -> None:
    """Of the settings, and of the folder for temporary files too, where an answer goes that the store does not take."""
    swept = bench.swept(Watch(monkeypatch.setattr, tmp_path), fault)

    assert [tried for tried in swept if tried.wrong] == []
    assert {tried.raised for tried in swept} >= {"SettingsError", "StoreError", "NotKept"}
