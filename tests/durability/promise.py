"""What a store promises: nothing that it acknowledged is lost, and it never says what is not so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from jupyter_imagegen.records import Record, read

from .nursery import Acknowledged


def lost(store: Path, acknowledged: Acknowledged) -> Iterator[str]:
    """What was acknowledged, and is not there, or not as it was."""
    there = frozenset(line for path in store.glob("journal/*.jsonl") for line in path.read_bytes().split(b"\n"))
    yield from (f"the line {line.decode()[:90]}" for line in acknowledged.lines if line not in there)
    yield from (f"the file {path}" for path, name in acknowledged.files.items() if digest(store / path) != name)
    records = {record.id: record for record in read(store)}
    for name, pictures in acknowledged.results.items():
        record = records.get(name)
        if record is None or record.status != "ok" or [kept.sha256 for kept in record.images] != pictures:
            yield f"the result of {name}"


def broken(store: Path) -> Iterator[str]:
    """What a store says that is not so: each is a sentence."""
    for record in read(store):
        yield from _broken(record, store)
    for path in (*store.glob("images/*"), *store.glob("inputs/*")):
        if path.suffix != ".part" and digest(path)[:16] != path.stem.rpartition("-")[2]:
            yield f"{path.name} is not what its name says"


def _broken(record: Record, store: Path) -> Iterator[str]:
    for kept in record.images:
        if digest(store / kept.path) != kept.sha256:
            yield f"{kept.path} is listed, and not whole"
    if record.status == "ok" and not record.images:
        yield f"{record} is ok, and has no picture"


def digest(path: Path) -> str:
    """The sha256 of a file, in hex; nothing for one that is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
