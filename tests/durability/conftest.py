"""Disks whose power can be cut, and writers that can be killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from durability.disk import Disk, NoDisk, disk
from durability.nursery import Nursery, nursery


@pytest.fixture
def power(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 48 MiB."""
    try:
        with disk(tmp_path, 48) as made:
            yield made
    except NoDisk as why:
        pytest.skip(f"no power to cut: {why}")


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Nursery]:
    """Writers that are gone after the test."""
    if not hasattr(os, "fork"):
        pytest.skip("writers are forked, and this system does not fork")
    folder = tmp_path / "temporary"
    folder.mkdir()
    with nursery(folder) as made:
        yield made
