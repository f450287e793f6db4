"""Everything that a power cut may leave of what was written, by what the standards promise and no more.

Of a file, the bytes are safe once it was synced; of a folder, the names in it are. Until then each of them may be
there or not, in whatever order they were made. No file system is worse, and most are better.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import compress, product
from pathlib import Path
from typing import Any, Self

import pytest

Tree = bytes | tuple[tuple[str, "Tree"], ...]
"""What is left: the bytes of a file, or the names of a folder with what they stand for."""


class Killed(BaseException):
    """The writer is killed here, as by `kill -9`."""


@dataclass
class File:
    """The bytes of a file: those that are safe, and those that were written."""

    safe: bytes = b""
    written: bytes = b""

    def left(self) -> Iterator[Tree]:
        """What a power cut may leave of it."""
        middle = (len(self.safe) + len(self.written)) // 2
        yield from dict.fromkeys((self.safe, self.written[:middle], self.written))


@dataclass
class Folder:
    """The names in a folder: those that are safe, and the changes since."""

    safe: dict[str, File | Folder | None] = field(default_factory=dict)
    changes: list[dict[str, File | Folder | None]] = field(default_factory=list)

    def after(self, changes: Iterator[dict[str, File | Folder | None]]) -> dict[str, File | Folder]:
        """The names, if these of the changes were made."""
        found = dict(self.safe)
        for change in changes:
            found |= change
        return {name: node for name, node in found.items() if node is not None}

    def now(self) -> dict[str, File | Folder]:
        """The names as a program sees them."""
        return self.after(iter(self.changes))

    def left(self) -> Iterator[Tree]:
        """What a power cut may leave of it and below it."""
        for kept in product((False, True), repeat=len(self.changes)):
            names = self.after(compress(self.changes, kept))
            for below in product(*(list(node.left()) for node in names.values())):
                yield tuple(zip(names, below, strict=True))


class Disk:
    """What is on a disk, and what of it is safe, while operations are done to it one by one."""

    def __init__(self) -> None:
        self.root = Folder()
        self._files: dict[int, File] = {}

    def at(self, path: Path) -> Folder:
        """The folder there, below the root."""
        node: File | Folder = self.root
        for name in path.parts:
            assert isinstance(node, Folder)
            node = node.now()[name]
        assert isinstance(node, Folder)
        return node

    def change(self, path: Path, node: File | Folder | None) -> None:
        """Another thing has this name, or none."""
        self.at(path.parent).changes.append({path.name: node})

    def make_folder(self, path: Path) -> None:
        """A new folder."""
        self.change(path, Folder())

    def make_file(self, path: Path, number: int) -> None:
        """A new file."""
        self._files[number] = File()
        self.change(path, self._files[number])

    def write(self, number: int, data: bytes) -> None:
        """More bytes at the end of a file."""
        self._files[number].written += data

    def sync(self, number: int) -> None:
        """The bytes of a file are safe."""
        self._files[number].safe = self._files[number].written

    def sync_folder(self, path: Path) -> None:
        """The names in a folder are safe."""
        folder = self.at(path)
        folder.safe, folder.changes = dict(folder.now()), []

    def move(self, path: Path, to: Path) -> None:
        """A file has another name of the same folder, in one step."""
        folder = self.at(path.parent)
        folder.changes.append({to.name: folder.now()[path.name], path.name: None})

    def link(self, path: Path, to: Path) -> None:
        """A file has another name of the same folder too."""
        self.change(to, self.at(path.parent).now()[path.name])

    def remove(self, path: Path) -> None:
        """A file has no name any more."""
        self.change(path, None)


Operation = Callable[[Disk], None]


class Recorder:
    """Notes what is done below a folder, in order, and what is told meanwhile; it can kill the writer."""

    def __init__(self, patch: pytest.MonkeyPatch, root: Path) -> None:
        self.log: list[Operation | dict[str, Any]] = []
        self.kill_at = 0
        self._root = root
        self._count = 0
        self._open: dict[int, int | Path] = {}
        self._named: dict[Path, int] = {}
        self._real = {name: getattr(os, name) for name in ("open", "close", "write", "fsync", "mkdir", "unlink")}
        self._real |= {"replace": os.replace, "link": os.link, "io": io.open}
        for name in ("open", "close", "write", "fsync", "mkdir", "unlink", "replace", "link"):
            patch.setattr(os, name, getattr(self, f"_{name}" if name != "open" else "_opened"))
        patch.setattr(io, "open", self._file)

    def tell(self, **said: Any) -> None:
        """Note that this was told to someone."""
        self.log.append(said)

    def _note(self, operation: Operation) -> None:
        self.log.append(operation)
        if 0 < self.kill_at <= len(self.log):
            raise Killed

    def _below(self, path: Any) -> Path | None:
        whole = Path(path)
        return whole.relative_to(self._root) if whole.is_relative_to(self._root) else None

    def _opened(self, path: Any, flags: int, *rest: Any, **more: Any) -> int:
        below = self._below(path)
        number: int = self._real["open"](path, flags, *rest, **more)
        if below is not None:
            self._open[number] = self._named.get(below, below)
        if below is not None and flags & os.O_CREAT:
            self._make(below, number, lambda: self._close(number))
        return number

    def _make(self, below: Path, number: int, close: Callable[[], None]) -> None:
        self._count += 1
        count = self._open[number] = self._named[below] = self._count
        try:
            self._note(lambda disk: disk.make_file(below, count))
        except Killed:
            close()
            raise

    def _close(self, number: int) -> None:
        self._open.pop(number, None)
        self._real["close"](number)

    def _write(self, number: int, data: Any) -> int:
        written: int = self._real["write"](number, data)
        self.wrote(number, bytes(data[:written]))
        return written

    def wrote(self, number: int, data: bytes) -> None:
        """Note what was written to an open file."""
        file = self._open.get(number)
        if isinstance(file, int):
            self._note(lambda disk: disk.write(file, data))

    def _fsync(self, number: int) -> None:
        match self._open.get(number):
            case int(file):
                self._note(lambda disk: disk.sync(file))
            case Path() as folder:
                self._note(lambda disk: disk.sync_folder(folder))

    def _mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        below = self._below(path)
        self._real["mkdir"](path, *rest, **more)
        if below is not None:
            self._note(lambda disk: disk.make_folder(below))

    def _unlink(self, path: Any, *rest: Any, **more: Any) -> None:
        below = self._below(path)
        self._real["unlink"](path, *rest, **more)
        if below is not None:
            self._note(lambda disk: disk.remove(below))

    def _replace(self, path: Any, to: Any) -> None:
        below, target = self._below(path), self._below(to)
        self._real["replace"](path, to)
        if below is not None and target is not None:
            self._note(lambda disk: disk.move(below, target))

    def _link(self, path: Any, to: Any) -> None:
        below, target = self._below(path), self._below(to)
        self._real["link"](path, to)
        if below is not None and target is not None:
            self._note(lambda disk: disk.link(below, target))

    def _file(self, path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        below = self._below(path) if isinstance(path, str | Path) else None
        file = self._real["io"](path, mode, *rest, **more)
        if below is None or "x" not in mode:
            return file
        self._make(below, file.fileno(), file.close)
        return _File(file, self)


class _File:
    """A file of `io` that is written, and noted."""

    def __init__(self, file: Any, recorder: Recorder) -> None:
        self._file, self._recorder = file, recorder
        self.fileno, self.flush, self.close = file.fileno, file.flush, file.close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        """Write, and note it."""
        self._file.write(data)
        self._recorder.wrote(self._file.fileno(), data)


def lay_out(tree: Tree, folder: Path) -> None:
    """Make real what is left."""
    folder.mkdir()
    assert isinstance(tree, tuple)
    for name, below in tree:
        if isinstance(below, bytes):
            (folder / name).write_bytes(below)
        else:
            lay_out(below, folder / name)
