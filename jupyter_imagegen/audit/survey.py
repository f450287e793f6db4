"""audit: the whole of a store against its journal. It reads, and changes nothing."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from ..blobs import IMAGES, INPUTS, JOURNAL, UNREAD, cannot, unfinished
from ..errors import StoreError
from ..journal import TORN, Called, segments
from ..process import is_alive
from .calls import Lines, Named, by_call, faults, is_begun, is_forgotten, is_running, named, notebooks, tombs
from .files import Found, fault, is_place, listed, look, misplaced, unreadable
from .findings import Finding, Report, ordered
from .lines import Alive, Log, ids_in, log_of

_CLOCK_S: Final = 2
"""How far the time of a file can be behind the clock, at most: file systems of memory cards count even seconds."""

Files = Mapping[str, Found | None]
Problems = list[Finding]


def audit(store: Path) -> Report:
    """Hash every picture of a store, check every line of its journal, and report what is not as it should be.

    Nothing is written. What cannot be read is a finding, and a store that is not there is sound.
    """
    problems: Problems = []
    # Before the journal is read: a picture that comes later may have its line later.
    here = [path for folder in (IMAGES, INPUTS) for path in _listed(store, folder, problems)]
    logs = list(_logs(store, cache(is_alive), problems))
    calls = by_call(logs)
    forgotten = frozenset(call for call, lines in calls.items() if is_forgotten(lines))
    kept = tuple(each for call, lines in calls.items() if call not in forgotten for each in named(lines))
    left = tuple(each for call in sorted(forgotten) for each in named(calls[call]))
    files = _files(store, here, (*kept, *left))
    found = [each for each in files.values() if each is not None and not each.problem]
    findings = (
        *(each for log in logs for each in log.faults),
        *(each for call, lines in calls.items() for each in faults(call, lines)),
        *_of_named(kept, files),
        *_of_remains(left, {each.path for each in kept}, files),
        *_of_orphans(store, sorted({*here} - {each.path for each in (*kept, *left)}), calls, files),
        *_of_scraps(store, logs, forgotten, problems),
        *_of_unread(store, calls, forgotten, problems),
        *_of_temporaries(store),
        *_of_notebooks(store, calls),
    )
    return Report(
        store=store,
        pictures=len(found),
        bytes=sum(each.bytes for each in found),
        lines=sum(log.count for log in logs),
        calls=sum(is_begun(lines) for lines in calls.values()),
        findings=ordered((*problems, *findings)),
    )


def _listed(store: Path, folder: str, problems: Problems) -> list[str]:
    try:
        return listed(store, folder)
    except StoreError as error:
        problems.append(unreadable(folder, error))
        return []


def _logs(store: Path, alive: Alive, problems: Problems) -> Iterator[Log]:
    try:
        paths = segments(store)
    except StoreError as error:
        problems.append(unreadable(JOURNAL, error))
        return
    for path in paths:
        name = f"{JOURNAL}/{path.name}"
        try:
            yield log_of(name, bytes_of(path), alive)
        except StoreError as error:
            problems.append(unreadable(name, error))


def bytes_of(path: Path) -> bytes:
    """The whole file. Raises StoreError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot("read", path, error) from None


def _files(store: Path, here: Iterable[str], every: Iterable[Named]) -> Files:
    """Every file that is listed or named, by its path below the store; each is read once."""
    paths = (*here, *(each.path for each in every if is_place(each.path)))
    return {path: look(store, path) for path in dict.fromkeys(paths)}


def _of_named(kept: Iterable[Named], files: Files) -> Iterator[Finding]:
    pictures = {path: each for path, each in files.items() if each is not None and path.startswith(f"{IMAGES}/")}
    copies = {each.sha256: path for path, each in pictures.items() if not each.problem}
    for each in kept:
        if is_place(each.path):
            found = fault(each, files[each.path], copies.get(each.sha256, ""))
            if found is not None:
                yield found
        else:
            yield misplaced(each)


def _of_remains(left: Iterable[Named], kept: Container[str], files: Files) -> Iterator[Finding]:
    """The files that lines of forgotten calls still name, and that no other call names."""
    return (_remains(each.path, each.call) for each in left if each.path not in kept and files.get(each.path))


def _of_orphans(store: Path, orphans: Iterable[str], calls: Mapping[str, Lines], files: Files) -> Iterator[Finding]:
    """The files that no line names, but for what a running call may be about to list."""
    buried = {digest: call for call, lines in calls.items() for digest in tombs(lines)}
    since = min((_begun(lines) for lines in calls.values() if is_running(lines)), default=math.inf)
    for path in orphans:
        found = files[path]
        if found is None:  # It was removed meanwhile.
            continue
        if found.problem:
            yield Finding(kind="unreadable", path=path, call="", says=found.problem)
        elif found.sha256 in buried:
            says = "It is a picture of a forgotten call that no line names any more: remove it by hand."
            yield Finding(kind="unforgotten", path=path, call=buried[found.sha256], says=says)
        elif not _is_younger(store / path, since):
            yield Finding(kind="orphaned", path=path, call="", says="No line that can be read names it.")


def _begun(lines: Lines) -> float:
    """When a call began, in seconds of the clock of its files; long ago where its line does not say it."""
    times = [line.at for line, _ in lines if isinstance(line, Called)]
    try:
        return datetime.fromisoformat(times[0]).timestamp()
    except (ValueError, OverflowError, OSError):
        return -math.inf


def _is_younger(path: Path, time: float) -> bool:
    try:
        return path.stat().st_mtime >= time - _CLOCK_S
    except OSError:
        return True


def _remains(path: str, call: str) -> Finding:
    says = f"It is of a forgotten call; ig.forget({call!r}) removes it."
    return Finding(kind="unforgotten", path=path, call=call, says=says)


def _of_scraps(store: Path, logs: Iterable[Log], forgotten: Container[str], problems: Problems) -> Iterator[Finding]:
    """What is left of lines of forgotten calls where they cannot be read any more."""
    scraps = [(each.path, each.call) for log in logs for each in log.faults if each.call]
    for path in _listed(store, JOURNAL, problems):
        if path.endswith(TORN):
            try:
                scraps += [(path, call) for call in ids_in(bytes_of(store / path))]
            except StoreError as error:
                problems.append(unreadable(path, error))
    for path, call in scraps:
        if call in forgotten:
            says = "What is left of a line of a forgotten call is here: remove it by hand."
            yield Finding(kind="unforgotten", path=path, call=call, says=says)


def _of_unread(store: Path, calls: Container[str], forgotten: Container[str], problems: Problems) -> Iterator[Finding]:
    for path in _listed(store, UNREAD, problems):
        call = path.removeprefix(f"{UNREAD}/").removesuffix(".bin")
        if call in forgotten:
            yield _remains(path, call)
        else:
            says = "An answer that was paid for, and that could not be read whole, is kept here."
            yield Finding(kind="unread", path=path, call=call if call in calls else "", says=says)


def _of_temporaries(store: Path) -> Iterator[Finding]:
    with suppress(StoreError):  # A folder that cannot be read has been said.
        for path in unfinished(store):
            says = "A crash left it while a file was written; nothing names it."
            below = path.relative_to(store).as_posix()
            repair = "it is removed, or kept where it is a picture." if path.parent.name != UNREAD else ""
            yield Finding(kind="unfinished", path=below, call="", says=says, repair=repair)


def _of_notebooks(store: Path, calls: Mapping[str, Lines]) -> Iterator[Finding]:
    for name, count in notebooks(calls).items():
        if not _exists(store.absolute().parent / name):
            of = "1 call is" if count == 1 else f"{count} calls are"
            says = f"{of} of {name}, which is not beside the store (renamed, or elsewhere?): ig.history({name!r})"
            yield Finding(kind="renamed", path="", call="", says=says)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:  # It cannot be looked at: nobody says that it is gone.
        return True
    return True
