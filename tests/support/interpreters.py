"""The interpreters whose kernels are tested: this one, and one with an older ipykernel in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OLDER: Final = ("ipykernel==6.30.1", "ipython<9")


def older_interpreter() -> str:
    """The interpreter with the older ipykernel; its environment is made at first need and kept in .cache.

    Raises CalledProcessError when the packages cannot be had.
    """
    folder = ROOT / ".cache" / "ipykernel-6.30"
    wanted = [*OLDER, *_dependencies()]
    marker = folder / "installed.txt"
    python = folder / "bin" / "python"
    if not marker.exists() or marker.read_text() != "\n".join(wanted):
        uv = os.environ.get("UV") or shutil.which("uv") or "uv"
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--python", str(python), *wanted)
        marker.write_text("\n".join(wanted))
    return str(python)


def _dependencies() -> list[str]:
    declared: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return declared


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
