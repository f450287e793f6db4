"""The catalogue with a person's own rows laid over it: `imagegen.toml`, beside the notebook and in Jupyter's folder."""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path
from typing import Final

from .catalogue import Catalogue, load, over
from .errors import SettingsError
from .settings import Settings

NAME: Final = "imagegen.toml"

_over = lru_cache(maxsize=16)(over)
"""A file is read for each call, and taken apart only when it says something else."""


def rows(settings: Settings) -> Catalogue:
    """All rows that hold here. Raises SettingsError for a file that cannot be read or meant.

    The person's own file is trusted with keys. The one beside the notebook is not: it may have come with it.
    """
    person, project = _file(settings.person), _file(settings.project)
    found = load()
    if (text := _text(person)) is not None:
        found = _over(found, text, str(person), is_trusted=True)
    if project != person and (text := _text(project)) is not None:
        found = _over(found, text, str(project), is_trusted=False)
    return found


def _file(folder: Path) -> Path:
    try:
        return folder.expanduser() / NAME
    except RuntimeError:  # a home directory that does not exist: there is no such file either
        return folder / NAME


def _text(path: Path) -> str | None:
    """The text of a file, None where there is none."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise SettingsError(message) from None
    # A folder; or a pipe, which would be waited for without end.
    message = f"{path} cannot be read: it is no file."
    raise SettingsError(message)
