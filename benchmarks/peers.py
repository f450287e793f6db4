"""The environments of those that we are compared with: made at first need, kept in .cache, no part of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".cache" / "benchmarks"
_LISTS: Final = Path(__file__).with_name("peers")
_INSTALLED: Final = "installed.txt"


class PeersMissing(Exception):
    """The packages of a peer cannot be had."""


def interpreter(peer: str) -> Path:
    """The interpreter of a peer's environment: openai or litellm. Raises PeersMissing."""
    wanted = (_LISTS / f"{peer}.txt").read_text()
    folder = CACHE / peer
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    marker = folder / _INSTALLED
    if not marker.exists() or marker.read_text() != wanted:
        _install(peer, folder, python)
        marker.write_text(wanted)
    return python


def _install(peer: str, folder: Path, python: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    listed = str(_LISTS / f"{peer}.txt")
    _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "--requirements", listed)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"{' '.join(command[:3])} failed: {getattr(error, 'stderr', None) or error}"
        raise PeersMissing(message) from None
