"""What an export put into a folder: a small hidden file there, by which the next one knows what is its own to replace.

Hugging Face's `imagefolder` passes over hidden files, and an RO-Crate may hold files that it does not describe.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ..blobs import read_file

NAME: Final = ".jupyter-imagegen.json"


def digest(data: bytes) -> str:
    """The sha256 of a file, in hex."""
    return hashlib.sha256(data).hexdigest()


def encoded(form: str, digests: Mapping[str, str]) -> bytes:
    """The manifest of a folder of this form, with the sha256 of each file by its path; the same for the same files."""
    whole = {"made_by": "jupyter-imagegen", "form": form, "sha256": digests}
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()


def foreign(folder: Path, form: str) -> str | None:
    """The first thing in a folder that no export of this form put there as it is now; None where all is its own.

    It is a path, with `/`, or `.` for a folder without a manifest of this form. Raises OSError.
    """
    digests = _listed(folder, form)
    if digests is None:
        return "."
    return next((path for path in sorted(_paths(folder)) if not _is_as_it_was(folder, path, digests)), None)


def _listed(folder: Path, form: str) -> dict[str, str] | None:
    """The digests of a manifest; None where there is no such file, or it is not one of this form."""
    try:
        whole = json.loads((folder / NAME).read_bytes())
        is_of_form = whole["form"] == form
        digests = {_plain(path): str(value) for path, value in whole["sha256"].items()}
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return digests if is_of_form else None


def _paths(folder: Path) -> Iterator[str]:
    """Every file below a folder but the manifest, and every link, also one to a folder: no export makes one."""
    for at, folders, files in os.walk(folder, onerror=_raised):
        here = Path(at)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*links, *files):
            path = (here / name).relative_to(folder).as_posix()
            if path != NAME:
                yield path


def _raised(error: OSError) -> None:
    """A folder that cannot be looked into may hold anything."""
    raise error


def _is_as_it_was(folder: Path, path: str, digests: Mapping[str, str]) -> bool:
    found = folder / path
    listed = digests.get(_plain(path))
    return listed is not None and not found.is_symlink() and digest(read_file(found)) == listed


def _plain(path: str) -> str:
    """The path as it is compared: macOS may spell a letter with its accent in another way than it was given."""
    return unicodedata.normalize("NFC", path)
