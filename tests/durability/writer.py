"""Writers of a store, forked off a process that has loaded everything, and killed at its owner's word.

It is run as a script: orders come as lines of JSON on its input; on its output come, as lines of JSON, what the
store has acknowledged to each writer, at once, and which writers are gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import PIL.Image
from durability.faults import Watch
from durability.telling import acknowledge

import jupyter_imagegen as ig
from jupyter_imagegen import api, blobs, client, journal, session, sketch

LOADED = (PIL.Image, httpx2, api, client, session, sketch)
"""What the first call would load: a writer that is forked has it already."""


def say(**said: Any) -> None:
    """One line with its moment, in one write, so that those of several writers do not mix."""
    os.write(1, json.dumps({"at": time.monotonic_ns(), "by": os.getpid(), **said}).encode() + b"\n")


class Doomed(Watch):
    """Kills its own process, before the operation of this number that it does below a folder; never for 0."""

    def __init__(self, root: Path, die_at: int) -> None:
        self._die_at = die_at
        super().__init__(setattr, root)

    def note(self, what: str) -> None:
        """Count an operation, or end here."""
        super().note(what)
        if len(self.seen) == self._die_at:
            say(what="dying", operation=what)
            os.kill(os.getpid(), signal.SIGKILL)


def forget(which: str) -> None:
    """Break the store on purpose: nothing is made durable, or no name is, or files are written in their place."""
    if which == "everything":
        os.fsync = done  # type: ignore[assignment]
    if which == "renaming":
        blobs.write = write_in_place
    if which == "names":
        blobs.sync_folder = done  # type: ignore[assignment]
        journal.sync_folder = done  # type: ignore[attr-defined, assignment]


def done(_: object) -> None:
    """Say that it is done, and do nothing."""


def write_in_place(path: Path, data: bytes) -> None:
    """As a download is written by someone who does not think of the end: piece by piece, under its last name."""
    blobs.make_folder(path.parent)
    with path.open("wb") as file:
        for begin in range(0, len(data), 32):
            file.write(data[begin : begin + 32])
            file.flush()


async def ask(name: str, url: str | None, tiles: Callable[[int], dict[str, Any]]) -> None:
    """Ask for pictures, one call after the other, until the store can take no more."""
    for turn in range(10_000):
        asked = tiles(turn)
        asked |= {"base_url": url, "model": "any"} if url else {"provider": "sketch"}
        found = await ig.agenerate(f"{name} {turn}", size="64x64", quiet=True, **asked)
        pictures = [picture.sha256 for picture in found]
        say(what="result", id=found.record.id, pictures=pictures)


def one(turn: int) -> dict[str, Any]:
    """One picture: the same for every writer, so that two keep the same file."""
    return {"seed": turn}


def two(_: int) -> dict[str, Any]:
    """Two pictures of one call."""
    return {"n": 2}


def edit(turn: int) -> dict[str, Any]:
    """A picture after another one, which is kept first."""
    return {"image": np.full((8, 8, 3), turn % 256, dtype=np.uint8)}


async def work(url: str | None) -> None:
    """Several calls at a time; the first that fails says why."""
    try:
        await asyncio.gather(ask("same", url, one), ask("two", url, two), ask("edit", url, edit))
    except ig.ImageGenError as error:
        say(what="stopped", error=type(error).__name__, message=error.message)


def write(order: dict[str, Any]) -> None:
    """What a writer does until it is killed."""
    os.environ["IMAGEGEN_STORE"] = order["store"]
    forget(order["forget"])
    Doomed(Path(order["store"]).parent, order["die_at"])
    acknowledge(say, setattr)
    asyncio.run(work(order["url"]))
    while True:
        signal.pause()


def fork(order: dict[str, Any]) -> int:
    """Another writer; the number of its process."""
    number = os.fork()
    if number:
        return number
    try:
        write(order)
    except BaseException as error:
        say(what="stopped", error=type(error).__name__, message=str(error))
        raise
    finally:
        os._exit(1)


def main() -> None:
    """Start and kill writers as it is ordered; without an owner, kill them all."""
    living: set[int] = set()
    for text in iter(sys.stdin.readline, ""):
        order = json.loads(text)
        if "kill" in order:
            gone = living & set(order["kill"])
            end(gone)
            living -= gone
            say(what="gone", gone=sorted(gone))
        else:
            living.add(number := fork(order))
            say(what="started", by=number)
    end(living)


def end(writers: set[int]) -> None:
    """Kill, and wait until the system has closed what they had open."""
    for number in writers:
        os.kill(number, signal.SIGKILL)
    for number in writers:
        os.waitpid(number, 0)


if __name__ == "__main__":
    main()
