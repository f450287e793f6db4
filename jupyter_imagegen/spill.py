"""A picture that grows while it arrives: in memory while it is small, else in the store under a temporary name.

It is hashed and written by a thread, block by block, so that the HTTP loop only decodes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Final

from .blobs import Spilled, cannot, make_folder, new_temporary, sync_file
from .image import Looks, looks

IN_MEMORY: Final = 512 * 1024
"""Bytes up to which a picture needs no file: a thousand small ones at once would need a thousand open files."""

BLOCK: Final = 512 * 1024
"""Bytes that are handed to the thread together."""

_MOST_WAITING: Final = 4
"""Blocks beyond which the answer waits for the disk: memory stays flat where that is slow."""

# O_BINARY, where it exists (Windows), keeps line ends as they are written.
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Spill:
    """One picture on its way into a file; one that may be a preview is not made durable before someone asks.

    `path` is that of the file without what makes its name the only one. On the loop's own thread only.
    """

    def __init__(self, path: Path, threads: Executor, *, is_preview: bool) -> None:
        self._path = path
        self._threads = threads
        self._is_preview = is_preview
        self._block = bytearray()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._file: _File | None = None
        self._job: Future[None] | None = None
        self._syncing: Future[None] | None = None

    def write(self, data: bytes) -> None:
        """Take more of it."""
        self._block += data
        self._size += len(data)

    async def settle(self) -> None:
        """Hand over what has come, once it is a block, and wait where the disk is slower than the answer."""
        if self._size > IN_MEMORY and len(self._block) >= BLOCK:
            self._hand_over()
        if len(self._waiting) > _MOST_WAITING:
            await self._written()

    async def content(self) -> bytes | Spilled:
        """The picture, once it is whole: its bytes, or its file. Raises StoreError."""
        if self._size <= IN_MEMORY:
            data, self._block = bytes(self._block), bytearray()
            return data
        if self._block:
            self._hand_over()
        await self._written()
        found = self._opened().content(self.durable)
        if isinstance(found, Spilled) and not self._is_preview:
            self._begin_to_sync()  # while the rest of the answer arrives
        return found

    def undo(self) -> bytes:
        """Give back everything that was taken, and leave nothing behind. Raises StoreError."""
        if self._job is not None:
            self._job.result()
        before = self._file.taken_back() if self._file is not None else b""
        return before + b"".join((*self._waiting, self._block))

    async def discard(self) -> None:
        """Leave nothing behind: what is kept has another name by now."""
        self._waiting.clear()
        if jobs := [asyncio.wrap_future(job) for job in (self._job, self._syncing) if job is not None]:
            await asyncio.wait(jobs)
        if self._file is not None:
            self._file.remove()

    async def durable(self) -> None:
        """Wait until the whole file is on the disk. Raises StoreError."""
        await asyncio.wrap_future(self._begin_to_sync())

    def _hand_over(self) -> None:
        self._waiting.append(bytes(self._block))
        self._block.clear()
        if self._job is None or self._job.done():
            self._write()

    def _write(self) -> None:
        self._job = self._threads.submit(self._opened().append, self._waiting)

    async def _written(self) -> None:
        """Wait until nothing waits. The thread may end at the moment at which more comes: then another begins."""
        while self._job is not None and not (self._job.done() and not self._waiting):
            if self._job.done():
                self._write()
            await asyncio.wait((asyncio.wrap_future(self._job),))

    def _begin_to_sync(self) -> Future[None]:
        self._syncing = self._syncing or self._threads.submit(self._opened().sync)
        return self._syncing

    def _opened(self) -> _File:
        self._file = self._file or _File(new_temporary(self._path.parent, self._path.name))
        return self._file


class _File:
    """The growing file, and the digest of what is in it; one thread at a time. It is made with its first bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._digest = hashlib.sha256()
        self._size = 0
        self._head = b""
        """The first block, in which its header is."""
        self._rest: list[bytes] = []
        """What the disk did not take, and all that came behind it."""

    def append(self, waiting: deque[bytes]) -> None:
        """Take all that waits; what cannot be written stays in memory, and all that comes behind it."""
        while waiting:
            self._take(waiting.popleft())

    def _take(self, data: bytes) -> None:
        if not self._rest:
            with suppress(OSError):
                self._append(data)
                return
        self._rest.append(data)

    def content(self, durable: Callable[[], Awaitable[None]]) -> bytes | Spilled:
        """The picture. Raises StoreError where neither the file nor what was in it is left."""
        if self._rest:
            return self.taken_back()
        seen = looks(self._head) or Looks("unknown", None, None)
        if seen.format == "jpeg" and seen.width is None:
            seen = looks(self.again()) or seen  # its size can stand behind a megabyte of other things
        return Spilled(
            path=self._path,
            format=seen.format,
            width=seen.width,
            height=seen.height,
            sha256=self._digest.hexdigest(),
            size=self._size,
            durable=durable,
            again=self.again,
        )

    def sync(self) -> None:
        """Wait until what was written is on the disk. Raises StoreError."""
        try:
            if self._descriptor is not None:
                sync_file(self._descriptor)
        except OSError as error:
            raise cannot("write", self._path, error) from None

    def taken_back(self) -> bytes:
        """Everything that was taken; the file is removed. Raises StoreError."""
        try:
            return self.again() + b"".join(self._rest)
        finally:
            self.remove()

    def remove(self) -> None:
        """Leave nothing behind."""
        self._close()
        with suppress(OSError):
            self._path.unlink()

    def _append(self, data: bytes) -> None:
        if self._descriptor is None:
            make_folder(self._path.parent)
            self._descriptor = os.open(self._path, _FLAGS, 0o666)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._digest.update(data)
        self._head = self._head or data
        self._size += len(data)

    def again(self) -> bytes:
        """What the disk took. It is read from the open file, which may have no name any more. Raises StoreError."""
        if self._descriptor is None:
            return b""
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            with open(self._descriptor, "rb", closefd=False) as file:
                return file.read(self._size)
        except OSError as error:
            raise cannot("read", self._path, error) from None

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
