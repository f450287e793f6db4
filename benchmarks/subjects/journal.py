"""One line of the journal, durable, and the same bytes written to a file that is opened in the same way, and synced."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Final

import msgspec

from jupyter_imagegen.journal import Called, Opened, Segment, new_id, now

from .serving import Figures, serve

_STORE: Final = Path(os.environ["IMAGEGEN_STORE"])
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND


def lines(times: int) -> Figures:
    """The medians of so many turns, a line and a plain write in each."""
    segment, file = Segment(_STORE, _opened()), os.open(_STORE.parent / f"{new_id()}.plain", _FLAGS)
    segment.append(_called())
    turns = [(_appended(segment), _written(file)) for _ in range(times)]
    segment.close()
    os.close(file)
    return {"line_s": _median(turns, 0), "fsync_s": _median(turns, 1)}


def _median(turns: list[tuple[float, float]], place: int) -> float:
    return statistics.median(turn[place] for turn in turns)


def _appended(segment: Segment) -> float:
    line = _called()
    began = time.perf_counter()
    segment.append(line)
    return time.perf_counter() - began


def _written(file: int) -> float:
    data = msgspec.json.encode(_called()) + b"\n"
    began = time.perf_counter()
    os.write(file, data)
    os.fsync(file)
    return time.perf_counter() - began


def _opened() -> Opened:
    about = {"version": "0.1.0", "python": "3", "host": "here", "session": new_id()}
    return Opened(journal=1, at=now(), pid=os.getpid(), process_started=None, **about)


def _called() -> Called:
    """A line as long as those of most calls."""
    return Called(
        id=new_id(),
        at=now(),
        n=1,
        params=msgspec.Raw(b'{"model":"gpt-image-2","n":1,"quality":"high","size":"1024x1024"}'),
        provider="openai",
        base_url="https://api.openai.com/v1",
        request_hash=f"r1:{0:064x}",
        prompt="A sea otter asleep on its back among kelp, one paw on a flat stone, morning light from the left",
        model="gpt-image-2",
        notebook="study.ipynb",
        cell_id="9f3a2c1b",
        execution_count=12,
    )


if __name__ == "__main__":
    serve(lines=lines)
