"""What may leave this machine of a record: no folder of it, nobody's name, no password in an address. Pure."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAME: Final = r"[^\\/\s'\":;,]+"
_HOME: Final = re.compile(rf"(?i)(?<![\w.~])(?:(?:[a-z]:)?[\\/]+(?:home|users)[\\/]+{_NAME}|/root(?=[/\s]|$))")
"""The folder of a person, on Linux, macOS and Windows."""

_ROOTS: Final = "tmp|var|private|mnt|media|opt|srv|data|run|usr|etc|volumes|workspaces?|scratch|content"
_FOLDERS: Final = re.compile(rf"(?i)(?<![\w.~/:])(?:/(?:{_ROOTS})/|[a-z]:[\\/])(?:{_NAME}[\\/])*")
"""Any other folder, with all that is above it; an address has other paths."""


def clean(text: str) -> str:
    """The text without characters that neither HTML nor XML nor YAML can hold: each becomes one that says so."""
    return _CONTROL.sub("\ufffd", text)


def address(url: str) -> str:
    """A base URL without user, password, query and fragment; nothing of one that cannot be taken apart."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def notebook(name: str) -> str:
    """The name of a notebook as it is recorded; of one in some other place on this machine, the file name alone."""
    is_absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\")
    if not is_absolute and ".." not in re.split(r"[\\/]", name):
        return name
    return PureWindowsPath(name).name  # which takes either slash


def sentence(text: str, store: Path) -> str:
    """What was said of a call, without folders of this machine; paths are relative to that which holds the store."""
    for folder in dict.fromkeys((str(store.parent), store.parent.as_posix())):
        if folder != store.parent.anchor:
            text = re.sub(rf"(?<![\w./\\-]){re.escape(folder)}(?:[\\/]|(?![\w-]|\.\w))", _below, text)
    return _FOLDERS.sub("…/", _HOME.sub("~", text))


def _below(found: re.Match[str]) -> str:
    return "" if found[0].endswith(("/", "\\")) else "."
