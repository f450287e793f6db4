"""Every test here runs on the newest ipykernel and on 6.30, each in a real kernel of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.interpreters import older_interpreter


@pytest.fixture(scope="session")
def older() -> str:
    """The interpreter with ipykernel 6.30."""
    try:
        return older_interpreter()
    except (subprocess.CalledProcessError, OSError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"ipykernel 6.30 cannot be installed into .cache (it needs uv and a package index): {error}")


@pytest.fixture(params=["newest", "6.30"])
def python(request: pytest.FixtureRequest) -> str:
    """The interpreter that the kernels of this test run on."""
    return sys.executable if request.param == "newest" else str(request.getfixturevalue("older"))
