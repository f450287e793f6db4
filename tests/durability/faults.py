"""File operations that are counted, and of which one can fail: all that `os` and `io` do below a folder.

Counted by hand against what strace shows of a call, none is missing but those that `io` makes by itself when it has
opened a file (fstat, lseek, ioctl).
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_BY_PATH: Final = ("mkdir", "unlink", "rmdir", "stat", "lstat", "listdir", "scandir", "statvfs", "access", "chmod")
_BY_DESCRIPTOR: Final = ("fsync", "fstat", "ftruncate")  # lseek asks no disk: it cannot fail of one
_TO_ANOTHER: Final = ("replace", "rename", "link")


@dataclass(frozen=True)
class Fault:
    """What goes wrong: as which error, whether the operation has happened all the same, and whether it stays so."""

    code: int
    is_done_all_the_same: bool = False
    is_lasting: bool = False

    def __str__(self) -> str:
        once = "once, and done all the same" if self.is_done_all_the_same else "once"
        return f"{errno.errorcode[self.code]} {'from then on' if self.is_lasting else once}"


class Watch:
    """Counts what is done below a folder, from any thread, and lets operations of it fail.

    `put` sets the attributes of modules: setattr, or that of a patch.
    """

    def __init__(self, put: Callable[[Any, str, Any], None], root: Path) -> None:
        self.seen: list[str] = []
        self._fault: Fault | None = None
        self._at = 0
        self._root = str(root)
        self._files: dict[int, str] = {}
        self._real = {name: getattr(os, name) for name in ("open", "close", "write")}
        for name in (*_BY_PATH, *_TO_ANOTHER):
            if hasattr(os, name):
                put(os, name, self._by_path(name, getattr(os, name)))
        for name in _BY_DESCRIPTOR:
            put(os, name, self._by_descriptor(name, getattr(os, name)))
        put(os, "open", self._open)
        put(os, "close", self._close)
        put(os, "write", self._write)
        put(io, "open", self._file(io.open))
        if fcntl is not None:
            put(fcntl, "fcntl", self._by_descriptor("fcntl", fcntl.fcntl))

    def begin(self, at: int, fault: Fault) -> None:
        """Count anew; the operation of this number, from 0, fails."""
        self.seen.clear()
        self._at, self._fault = at, fault

    def end(self) -> str:
        """Let nothing fail any more; the operation that did, or nothing where there were not so many."""
        self._fault = None
        return self.seen[self._at] if len(self.seen) > self._at else ""

    def note(self, what: str) -> OSError | None:
        """Count an operation; the error that it is to have."""
        place = len(self.seen)
        self.seen.append(what)
        if self._fault is None or place < self._at or (place > self._at and not self._fault.is_lasting):
            return None
        return OSError(self._fault.code, os.strerror(self._fault.code), what)

    @property
    def is_done_all_the_same(self) -> bool:
        """Whether what fails has happened nevertheless."""
        return self._fault is not None and self._fault.is_done_all_the_same

    def let_go(self, descriptor: int) -> None:
        """Count it no longer."""
        self._files.pop(descriptor, None)

    def _is_ours(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._root)

    def do(self, what: str, act: Callable[[], Any], undo: Callable[[Any], object] = lambda _: None) -> Any:
        """Do it, unless it fails; what happened all the same and gave something to hold is let go."""
        error = self.note(what)
        if error is None:
            return act()
        if self.is_done_all_the_same:
            undo(act())
        raise error

    def _by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def done(path: Any, *rest: Any, **more: Any) -> Any:
            if not self._is_ours(path):
                return real(path, *rest, **more)
            return self.do(f"{name} {path}", lambda: real(path, *rest, **more))

        return done

    def _by_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def done(descriptor: Any, *rest: Any) -> Any:
            if descriptor not in self._files:
                return real(descriptor, *rest)
            return self.do(f"{name} {self._files[descriptor]}", lambda: real(descriptor, *rest))

        return done

    def _open(self, path: Any, *rest: Any, **more: Any) -> Any:
        opened = self._real["open"]
        if not self._is_ours(path):
            return opened(path, *rest, **more)
        made = self.do(f"open {path}", lambda: opened(path, *rest, **more), self._real["close"])
        self._files[made] = str(path)
        return made

    def _close(self, descriptor: int) -> None:
        name = self._files.pop(descriptor, None)
        self._real["close"](descriptor)  # It is closed also where that fails.
        error = None if name is None else self.note(f"close {name}")
        if error is not None:
            raise error

    def _write(self, descriptor: int, data: Any) -> Any:
        name, written = self._files.get(descriptor), self._real["write"]
        if name is None:
            return written(descriptor, data)
        error = self.note(f"write {name}")
        if error is None:
            return written(descriptor, data)
        written(descriptor, data if self.is_done_all_the_same else bytes(data)[: len(data) // 2])
        raise error

    def _file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, *rest: Any, **more: Any) -> Any:
            if not self._is_ours(path):
                return real(path, *rest, **more)
            file = self.do(f"open {path}", lambda: real(path, *rest, **more), lambda file: file.close())
            self._files[file.fileno()] = str(path)
            return _File(file, str(path), self)

        return opened


class _File:
    """A file of `io`, whose operations are counted."""

    def __init__(self, file: Any, name: str, watch: Watch) -> None:
        self._file, self._name, self._watch = file, name, watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Its descriptor."""
        number: int = self._file.fileno()
        return number

    def close(self) -> None:
        """Close it, also where that fails."""
        if self._file.closed:
            return
        self._watch.let_go(self._file.fileno())
        self._file.close()
        error = self._watch.note(f"close {self._name}")
        if error is not None:
            raise error

    def write(self, data: bytes) -> int:
        """Write; half of it, where it fails."""
        error = self._watch.note(f"write {self._name}")
        if error is not None and not self._watch.is_done_all_the_same:
            data = data[: len(data) // 2]
        written: int = self._file.write(data)
        if error is not None:
            raise error
        return written

    def flush(self) -> None:
        """Hand it to the system."""
        self._watch.do(f"flush {self._name}", self._file.flush)

    def seek(self, at: int) -> int:
        """Read from there on; that asks no disk."""
        place: int = self._file.seek(at)
        return place

    def read(self, *size: int) -> Any:
        """Read."""
        return self._watch.do(f"read {self._name}", lambda: self._file.read(*size))
