"""On what, and with which versions, something was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from .peers import CACHE, ROOT, interpreter

_OURS: Final = (
    *("jupyter-imagegen", "httpx2", "ipykernel", "ipython", "msgspec", "numpy"),
    *("pandas", "pillow", "pybase64"),
)
_THEIRS: Final = {"openai": ("openai", "httpx2", "ipykernel"), "litellm": ("litellm", "openai", "httpx", "aiohttp")}
_ASK: Final = "import json, sys; from importlib.metadata import version; "


def about() -> dict[str, Any]:
    """What a reader of figures wants to know: the machine, the file system, the moment, the versions."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "system": platform.platform(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "file_system": _file_system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _OURS},
        "peers": {peer: _versions(peer, names) for peer, names in _THEIRS.items()},
    }


def _versions(peer: str, names: tuple[str, ...]) -> dict[str, str]:
    ask = f"{_ASK}print(json.dumps({{name: version(name) for name in {names!r}}}))"
    found: dict[str, str] = json.loads(_said(str(interpreter(peer)), "-c", ask) or "{}")
    return found


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _file_system() -> str:
    """The kind of that on which the stores are."""
    return _said("stat", "--file-system", "--format=%T", str(CACHE)) or "unknown"


def _said(*command: str) -> str:
    """What a command says; nothing where it cannot."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
