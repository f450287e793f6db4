"""Real power cuts: two writers on an ext4 disk that is cut off at any moment, and what is there afterwards."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, field
from typing import Final

import pytest
from durability.disk import Disk
from durability.nursery import Acknowledged, Nursery
from durability.promise import broken, lost

CUTS: Final = 100
WRITERS: Final = 2
AT_MOST: Final = 40
"""Acknowledgements that are waited for before a cut, at most."""


@dataclass
class Afterwards:
    """What some cuts have shown."""

    cuts: int = 0
    acknowledged: int = 0
    wrong: list[str] = field(default_factory=list)


def cut_often(power: Disk, writers: Nursery, forget: str) -> Afterwards:
    """Cut the power again and again, until something is not as it was promised.

    A seeded generator says after how many acknowledgements; no clock does.
    """
    drawn, seen = random.Random(20261121), Afterwards()  # noqa: S311  (it draws moments, no secrets)
    while seen.cuts < CUTS and not seen.wrong:
        store = power.folder / f"notebook-{seen.cuts}" / "imagegen"
        for _ in range(WRITERS):
            writers.start(store, forget=forget)
        acknowledged = cut_after(drawn.randint(1, AT_MOST), power, writers)
        power.unmount()
        power.mount()
        seen.cuts += 1
        seen.acknowledged += len(acknowledged)
        seen.wrong += [*lost(store, acknowledged), *broken(store)]
        shutil.rmtree(store.parent, ignore_errors=True)  # Where nothing was synced there is no folder.
    return seen


def cut_after(count: int, power: Disk, writers: Nursery) -> Acknowledged:
    """Cut the power as soon as the store has acknowledged so much; all that it had acknowledged by then.

    What it acknowledges later does not count: with real power there is no later. Two writers can share a transaction
    of the file system's log, and where that is broken off for the one, the other is told that it is through.
    """
    acknowledged, living, heard = Acknowledged(), list[int](), writers.heard()
    while len(acknowledged) < count or len(living) < WRITERS:
        said = next(heard)
        assert said["what"] != "stopped", said
        acknowledged.hear(said)
        living += [said["by"]] if said["what"] == "started" else []
    moment = time.monotonic_ns()
    power.cut()
    writers.kill(*living)
    while (said := next(heard))["what"] != "gone":
        if said["at"] < moment:
            acknowledged.hear(said)
    return acknowledged


def test_no_power_cut_takes_back_what_was_acknowledged(power: Disk, writers: Nursery) -> None:
    """Every line, picture and Result that anyone was told of is there afterwards, and nothing is half there."""
    seen = cut_often(power, writers, forget="nothing")

    assert seen.wrong == []
    assert seen.cuts == CUTS
    assert seen.acknowledged > CUTS


@pytest.mark.parametrize("forget", ["everything", "names"])
def test_a_store_that_does_not_sync_loses_what_it_acknowledged(power: Disk, writers: Nursery, forget: str) -> None:
    """The control: these cuts do take what is not on the disk, so that the test above can fail."""
    assert cut_often(power, writers, forget).wrong
