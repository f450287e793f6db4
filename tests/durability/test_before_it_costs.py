"""A store that cannot take a picture is an error before anything is sent: real folders and file systems that cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from durability.disk import Disk
from support.gateway import Gateway

import jupyter_imagegen as ig
from jupyter_imagegen import bridge
from jupyter_imagegen.errors import StoreError

Refused = Callable[[Path], str]


@pytest.fixture
def refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Asks for a picture that is to be kept in a store; what was said, and nothing was sent."""

    def ask(store: Path) -> str:
        monkeypatch.setenv("IMAGEGEN_STORE", str(store))
        with pytest.raises(StoreError) as caught:
            ig.generate("an otter", base_url=gateway.url, model="any", quiet=True)
        assert gateway.posts == []
        assert "Nothing was sent." in caught.value.hint
        assert not any(path.is_file() and path.suffix == ".part" for path in store.rglob("*"))
        return caught.value.message

    return ask


@pytest.fixture
def tiny(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Path]]:
    """A file system in memory, as small as is said."""
    request.getfixturevalue("power")  # Where that is skipped, this cannot be mounted either.
    folder = tmp_path / "tiny"
    folder.mkdir()

    def mount(options: str) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        return folder

    yield mount
    for session in bridge.http_loop().sessions.values():
        session._disk.close()
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("place", ["imagegen", "imagegen/images", "imagegen/journal"])
def test_a_file_where_a_folder_should_be_is_refused(refused: Refused, tmp_path: Path, place: str) -> None:
    """Of the store, of the pictures or of the journal."""
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("")

    assert "Cannot write in" in refused(tmp_path / "imagegen")


@pytest.mark.parametrize("name", ["images", "journal"])
def test_a_folder_that_may_not_be_written_to_is_refused(
    refused: Refused, request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    """Either of the two, while the other one may be. For root, it is one that even root may not write to."""
    if sys.platform == "win32":
        pytest.skip("there, a folder is shut by a list of rights")
    is_root = os.geteuid() == 0
    store = (request.getfixturevalue("power").folder if is_root else tmp_path) / "imagegen"
    (store / name).mkdir(parents=True)
    shut, open_again = (("chattr", "+i"), ("chattr", "-i")) if is_root else (("chmod", "555"), ("chmod", "755"))
    subprocess.run([*shut, str(store / name)], check=True)

    assert "Cannot write in" in refused(store)
    subprocess.run([*open_again, str(store / name)], check=True)


def test_a_file_system_that_is_read_only_is_refused(refused: Refused, power: Disk) -> None:
    """Root has every right there, and still cannot write."""
    (power.folder / "imagegen" / "images").mkdir(parents=True)
    (power.folder / "imagegen" / "journal").mkdir()
    power.mount("remount,ro")

    assert refused(power.folder / "imagegen").endswith("Read-only file system.")


def test_a_disk_that_is_nearly_full_is_refused(refused: Refused, power: Disk) -> None:
    """The line of the call would still fit, and the picture that is paid for would not."""
    with (power.folder / "other").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(power.folder).free - 4 * 2**20)

    assert "MiB left, and this may need 8." in refused(power.folder / "imagegen")


def test_a_disk_that_is_quite_full_is_refused(refused: Refused, tiny: Callable[[str], Path]) -> None:
    """Not even an empty file can be made in it."""
    assert "No space left" in refused(tiny("size=64m,nr_inodes=4") / "imagegen")


def test_a_small_disk_is_refused(refused: Refused, tiny: Callable[[str], Path]) -> None:
    """The store can be made in it, and a picture would not fit."""
    assert "has 0 MiB left" in refused(tiny("size=512k") / "imagegen")


def test_a_disk_with_room_for_what_is_asked_is_used(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tiny: Callable[[str], Path]
) -> None:
    """One picture, and not two."""
    monkeypatch.setenv("IMAGEGEN_STORE", str(tiny("size=15m") / "imagegen"))

    assert len(ig.generate("an otter", base_url=gateway.url, model="any", quiet=True)) == 1
    with pytest.raises(StoreError, match="14 MiB left, and this may need 16"):
        ig.generate("an otter", n=2, base_url=gateway.url, model="any", quiet=True)
