"""What may leave this machine of a record: no folder of it, nobody's name, no password in an address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
PERSONAL: Final = frozenset({"user", "safety_identifier"})
"""Fields of a request that name a person."""

_ADDRESS: Final = r"https?://[^\s'\"<>,;]*|\b(?-i:GET|POST) /\S*"
"""What has slashes and is no path of a machine: an address, and what was asked of one."""

_ROOT: Final = (
    r"(?:file:)?(?:\\{2,4}[?.]\\{1,2}(?:[a-z]:[\\/]+)?|[\\/]*[a-z]:[\\/]+|\\?/[\\/]*|\\{2,}|\\(?=[^\s\\/\"'<>|]+\\)"
    r"|\.{2,}[\\/]+|~[a-z_][\w.-]*[\\/]+)"
    r"(?=[^\s\\/'\"`<>|]|'\w)"
)
"""What a path begins with that is not below some folder: on Linux, macOS and Windows, there on a server as well."""

_ENDING: Final = r"\.(?:png|jpe?g|webp|gif|svg|avif|bmp|tiff?|bin|part|jsonl?|ipynb|toml|md|txt|py|html?|csv|zip|tar)"
_FOLDER: Final = rf"(?:(?!\s)(?:(?!{_ENDING}[.,;)]?\s)(?!:[\s\\/])[^\\/*?\"<>|\r\n]){{1,255}}(?<![\s'\"`(\[{{])[\\/]+)"
"""A folder in a path, with what divides it from the next: it may have blanks, and they would end a path too early."""

_NO_NAME: Final = r"\\/\s'\"`:;,<>|()\[\]{}"
"""What ends the name of a file in a sentence; in quotes, these do."""

_PATH: Final = re.compile(
    rf"(?i)(?:{_ADDRESS}"
    rf"|(?P<quote>['\"`])(?P<quoted>{_ROOT}(?:(?!(?P=quote)(?!\w))[^\r\n])+)(?=(?P=quote))"
    rf"|(?:(?<![a-z0-9_\u00c0-\u024f.~/\\<…])|(?<=\w\.\.\.))(?P<bare>{_ROOT}{_FOLDER}*(?:[^{_NO_NAME}]*[^{_NO_NAME}.!?])?))"
)
_FILE: Final = re.compile(r"[^.]\.[A-Za-z0-9]{1,8}$")


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


def fields(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request without those that name a person."""
    return {name: value for name, value in asked.items() if name not in PERSONAL}


def sentence(text: str, store: Path) -> str:
    """What was said of a call, without folders of this machine or another one.

    Paths below the folder that holds the store are relative to it. Of any other path that begins at a root the file
    name stays (`…/x.png`), or nothing where it ends in a name without an ending, which may be a person's.
    """
    for folder in dict.fromkeys((str(store.parent), store.parent.as_posix())):
        if folder != store.parent.anchor:
            text = re.sub(rf"(?<![\w./\\-]){re.escape(folder)}(?:[\\/]|(?![\w-]|\.\w))", _below, text)
    return _PATH.sub(_shortened, text)


def _below(found: re.Match[str]) -> str:
    return "" if found[0].endswith(("/", "\\")) else "."


def _shortened(found: re.Match[str]) -> str:
    path = found["quoted"] or found["bare"]
    if path is None:
        return found[0]
    *folders, name = re.split(r"[\\/]+", path)
    is_file = _FILE.search(name) is not None and folders[-1].lower() not in ("home", "users")
    return f"{found['quote'] or ''}…{f'/{name}' if is_file else ''}"
