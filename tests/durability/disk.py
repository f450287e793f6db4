"""A small ext4 disk of its own, whose power can be cut: what is not on it by then is gone."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SHUTDOWN: Final = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
_WITHOUT_THE_LOG: Final = struct.pack("I", 2)
"""EXT4_GOING_FLAGS_NOLOGFLUSH: not even what the file system has noted is written out any more."""
_TOOLS: Final = ("mkfs.ext4", "losetup", "mount", "umount")


class NoDisk(Exception):
    """Why this machine does not allow a disk of one's own."""


class Disk:
    """The disk: mounted at `folder` while it has power."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self._device = _run("losetup", "--show", "-f", str(image)).strip()

    def mount(self, options: str = "rw") -> None:
        """Give it power; after a cut, the file system repairs itself here."""
        _run("mount", "-t", "ext4", "-o", options, self._device, str(self.folder))

    def cut(self) -> None:
        """Cut its power. Every write from now on is an error."""
        import fcntl

        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_THE_LOG)
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Take it out. Nobody may have a file open on it."""
        _run("umount", str(self.folder))

    def close(self) -> None:
        """Leave no mount and no device behind, whatever happened."""
        for command in (("umount", "-l", str(self.folder)), ("losetup", "-d", self._device)):
            subprocess.run(command, check=False, capture_output=True)


@contextmanager
def disk(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """A disk of this size, mounted below a folder. Raises NoDisk where that is not allowed."""
    _refuse()
    image = _fast(folder) / f"{os.getpid()}-{folder.name}.ext4"
    with image.open("wb") as file:
        file.truncate(mebibytes * 2**20)
    try:
        made = _made(image, folder / "disk")
        try:
            made.mount()
            yield made
        finally:
            made.close()
    finally:
        image.unlink()


def _made(image: Path, folder: Path) -> Disk:
    try:
        return Disk(image, folder)
    except subprocess.CalledProcessError as error:
        message = f"no loop device: {error.stderr.strip()}"
        raise NoDisk(message) from None


def _refuse() -> None:
    if sys.platform != "linux" or os.geteuid():
        raise NoDisk("a file system of its own needs root on Linux")
    missing = [tool for tool in _TOOLS if not shutil.which(tool)]
    if missing:
        message = f"this machine has no {missing[0]}"
        raise NoDisk(message)


def _fast(folder: Path) -> Path:
    """Where the image lies: in memory, if there is room, or every fsync waits for the disk below it as well."""
    memory = Path("/dev/shm")  # noqa: S108  (its name has the number of this process)
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**28
    return memory if is_roomy else folder


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
