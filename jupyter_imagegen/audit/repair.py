"""mend: what is safe to do about a report. Each step can be broken off anywhere, and done again."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..blobs import ABANDONED_S, cannot, keep_image, sync_file, unfinished, write
from ..image import sniff
from ..journal import TORN
from ..process import is_alive
from .findings import Finding, Report
from .lines import is_whole, log_of
from .survey import audit

RECOVERED: Final = "recovered"
"""How the names of pictures begin that a crash had left unfinished."""


def mend(report: Report) -> Report:
    """Do what is safe of what a report found, and look again; what was done is in the `mended` of the new report.

    A missing picture is put back where another file has its bytes, temporary files that crashes left are removed
    unless they are pictures, and the torn end of a segment is moved aside. Everything is looked at once more before it
    is touched. Raises StoreError where the store cannot be written.
    """
    done = [_done(report.store, finding) for finding in report.findings if finding.repair]
    return replace(audit(report.store), mended=tuple(sentence for sentence in done if sentence))


def _done(store: Path, finding: Finding) -> str:
    """What was done about one finding, in a sentence; "" where it is not so any more."""
    step = {"missing": _put_back, "unfinished": _remove, "torn": _cut}[finding.kind]
    try:
        return step(store, finding)
    except OSError as error:
        raise cannot("repair", store / finding.path, error) from None


def _put_back(store: Path, finding: Finding) -> str:
    path = store / finding.path
    if os.path.lexists(path):  # Also a link to where nothing is: whoever made it knows of another place.
        return ""
    data = (store / finding.copy).read_bytes()
    if hashlib.sha256(data).hexdigest() != finding.sha256:
        return ""
    write(path, data)
    return f"{finding.path} was put back from {finding.copy}."


def _remove(store: Path, finding: Finding) -> str:
    path = store / finding.path
    if not _is_inside(store, path) or path not in unfinished(store):
        return ""
    # One that has another name as well was kept under that, and its writer did not come to removing this one.
    image = sniff(path.read_bytes()) if path.stat().st_nlink == 1 else None
    if image is not None:
        # It may be all that there is of a picture that was paid for: the crash can have come after its last byte.
        kept = keep_image(store, image, RECOVERED)
        path.unlink(missing_ok=True)
        return f"{finding.path} is a picture, or the beginning of one: it is {kept} now."
    path.unlink(missing_ok=True)
    return f"{finding.path} was removed."


def _cut(store: Path, finding: Finding) -> str:
    """Copy the torn end first: a crash between both steps leaves it in two places, and the next time finds it there."""
    path = store / finding.path
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    tail = data[end:]
    if not tail.strip() or is_whole(tail) or not _is_inside(store, path) or not _is_left(path, finding, data):
        return ""
    aside = path.with_name(path.name + TORN)
    _set_aside(aside, tail)
    return f"The torn end of {finding.path} was moved to {aside.name}." if _shorten(path, len(data), end) else ""


def _is_left(path: Path, finding: Finding, data: bytes) -> bool:
    """Whether its writer is known and gone, and nobody wrote for an hour.

    The time is for a writer that seems to be gone and lives: on another computer, or in a container with its own
    processes. A line is written in one go, and after one that failed a writer begins another segment.
    """
    log = log_of(finding.path, data, is_alive)
    return log.writer is not None and not log.lives and time.time() - path.stat().st_mtime > ABANDONED_S


def _set_aside(path: Path, tail: bytes) -> None:
    there = path.read_bytes() if path.exists() else b""
    if not there.endswith(tail):
        write(path, there + tail)


def _shorten(path: Path, length: int, end: int) -> bool:
    """Cut the file to this end, unless it no longer has the length that it had."""
    with path.open("rb+") as file:
        if os.fstat(file.fileno()).st_size != length:
            return False
        file.truncate(end)
        sync_file(file.fileno())
    return True


def _is_inside(store: Path, path: Path) -> bool:
    """Whether the file is in the store itself, and not where a link in it leads."""
    return path.resolve().is_relative_to(store.resolve())
