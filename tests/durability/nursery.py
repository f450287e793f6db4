"""The owner's side of the writers: starts and kills them, and hears what the store has acknowledged to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
_HANGING_S: Final = 240.0
"""After this long the writers are taken to hang, and the test fails instead of waiting on."""

Said = dict[str, Any]


@dataclass
class Acknowledged:
    """What the store has acknowledged: lines, files by their digests, and the pictures of calls that came back."""

    lines: list[bytes] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    results: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, said: Said) -> bool:
        """Note what was said, if it is an acknowledgement; whether it was one."""
        match said:
            case {"what": "line", "line": line}:
                self.lines.append(line.encode())
            case {"what": "file", "path": path, "sha256": digest}:
                self.files[path] = digest
            case {"what": "result", "id": name, "pictures": pictures}:
                self.results[name] = pictures
            case _:
                return False
        return True

    def __len__(self) -> int:
        return len(self.lines) + len(self.files) + len(self.results)


class Nursery:
    """The writers."""

    def __init__(self, temporary: Path) -> None:
        given = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
            "TMPDIR": str(temporary),
            "no_proxy": "*",  # Else macOS is asked, whose libraries break in a forked process.
        }
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("writer.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=given,
            start_new_session=True,
        )
        self._watch = threading.Timer(_HANGING_S, os.killpg, (self._process.pid, signal.SIGKILL))
        self._watch.start()

    def start(self, store: Path, *, forget: str, url: str | None = None, die_at: int = 0) -> None:
        """One more writer, at an address or the embedded endpoint; the `started` that is heard names it.

        `forget` says what the store is not to do: everything or names (to sync them), renaming, or nothing. With
        `die_at`, the writer kills itself before its file operation of this number; `dying` is heard then.
        """
        self._order(store=str(store), url=url, forget=forget, die_at=die_at)

    def kill(self, *writers: int) -> None:
        """Kill writers as `kill -9` does; `gone` is heard when they are gone."""
        self._order(kill=writers)

    def heard(self) -> Iterator[Said]:
        """What is said, as it comes. Raises EOFError when the nursery has ended."""
        assert self._process.stdout is not None
        while text := self._process.stdout.readline():
            said: Said = json.loads(text)
            yield said
        raise EOFError("the writers have ended")

    def close(self) -> None:
        """End them all, and wait for it."""
        self._watch.cancel()
        self._process.communicate()

    def _order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def nursery(temporary: Path) -> Iterator[Nursery]:
    """Writers that are gone when this is over."""
    made = Nursery(temporary)
    try:
        yield made
    finally:
        made.close()
