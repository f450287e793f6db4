"""`kill -9`: two writers of one store are killed again and again, each at any moment, and what is there afterwards."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from durability.nursery import Acknowledged, Nursery, Said
from durability.promise import broken, lost
from support.gateway import Asked, Cut, Gateway
from support.gateway import Said as Answered
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen.records import read

KILLS: Final = 80
AT_MOST: Final = 20
"""Acknowledgements that are waited for before a writer is killed, at most."""

LAST_OPERATION: Final = 400
"""The file operation before which a writer kills itself, at the latest."""

PICTURES: Final = tuple(picture(f"hsl({turn * 5}, 80%, 50%)") for turn in range(72))


class Killer:
    """Two writers of a store: as soon as one is killed, another one begins.

    They are killed from outside, after a number of acknowledgements, or by themselves, before a file operation of
    some number: one falls between the steps of the store by chance, the other at each.
    """

    def __init__(self, writers: Nursery, store: Path, url: str, forget: str) -> None:
        self.acknowledged = Acknowledged()
        self.kills = Counter[str]()
        self._dying: list[int] = []
        self._writers, self._store, self._url, self._forget = writers, store, url, forget
        self._heard = writers.heard()
        self._living: list[int] = []
        self._drawn = random.Random(20261121)  # noqa: S311  (it draws moments, no secrets)

    def fill(self) -> None:
        """Start writers until there are two."""
        while len(self._living) < 2:
            die_at = self._drawn.randint(1, LAST_OPERATION)
            self._writers.start(self._store, url=self._url, forget=self._forget, die_at=die_at)
            self._living.append(self._hear("started")["by"])

    def kill(self) -> None:
        """Kill one of them after so many acknowledgements as are drawn, unless one has killed itself by then."""
        for _ in range(self._drawn.randint(1, AT_MOST)):
            if self._dying:
                break
            self._hear("line", "file", "result", "dying")
        self.kills["from inside" if self._dying else "from outside"] += 1
        victim = self._dying.pop() if self._dying else self._drawn.choice(self._living)
        self._living.remove(victim)
        self._writers.kill(victim)
        self._hear("gone")
        self._dying = [number for number in self._dying if number in self._living]

    def kill_all(self) -> None:
        """Kill both."""
        self._writers.kill(*self._living)
        self._hear("gone")

    def _hear(self, *what: str) -> Said:
        for said in self._heard:
            assert said["what"] != "stopped", said
            self.acknowledged.hear(said)
            self._dying += [said["by"]] if said["what"] == "dying" else []
            if said["what"] in what:
                return said
        raise AssertionError("unreachable")


@pytest.fixture
def paid(gateway: Gateway) -> Gateway:
    """A gateway that gives what is asked for, each time something else."""
    turns = count()

    def rule(asked: Asked) -> Answered | Cut:
        turn = next(turns)
        if len(asked.body) < int(asked.headers["content-length"]):
            return Cut()  # Who sent it was killed in the midst of it.
        n = json.loads(asked.body).get("n", 1) if asked.headers["content-type"] == "application/json" else 1
        return Answered(answer(*(PICTURES[(turn + place) % len(PICTURES)] for place in range(n))))

    gateway.rule = rule
    return gateway


def kill_often(killer: Killer, store: Path) -> list[str]:
    """Kill again and again, until something is not as it was promised: that."""
    for _ in range(KILLS):
        killer.fill()
        killer.kill()
        if wrong := list(broken(store)):
            return wrong
    killer.kill_all()
    return list(lost(store, killer.acknowledged))


def test_no_kill_takes_back_what_was_acknowledged(
    writers: Nursery, paid: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line, picture and Result that anyone was told of is there; what was under way is unknown, and listed."""
    store = tmp_path / "notebook" / "imagegen"
    killer = Killer(writers, store, paid.url, forget="nothing")

    assert kill_often(killer, store) == []
    assert min(killer.kills["from inside"], killer.kills["from outside"]) > KILLS // 10
    monkeypatch.setenv("IMAGEGEN_STORE", str(store))
    records = read(store)
    assert {record.id for record in records} >= {asked.headers["idempotency-key"] for asked in paid.posts}
    assert {record.status for record in records} == {"ok", "unknown"}
    assert set(ig.history(notebook=None)["id"]) == {record.id for record in records}


def test_a_store_that_writes_files_in_their_place_is_found_out(writers: Nursery, paid: Gateway, tmp_path: Path) -> None:
    """The control: some writer is killed in the middle of a picture, so that the test above can fail."""
    store = tmp_path / "notebook" / "imagegen"

    assert kill_often(Killer(writers, store, paid.url, forget="renaming"), store)
