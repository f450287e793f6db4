"""The processes of the subjects and of the servers: started, asked one at a time, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from .peers import ROOT, interpreter
from .rows import Argument, Subject

_PATIENCE_S: Final = 900.0
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE")


class SubjectFailed(Exception):
    """A subject could not do what it was asked for."""


class Worker:
    """The process of one subject."""

    def __init__(self, subject: Subject, scratch: Path) -> None:
        python = python_of(subject.environment)
        self._name = subject.name
        self._process = subprocess.Popen(
            [str(python), "-m", f"benchmarks.subjects.{subject.module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment(scratch),
            text=True,
        )

    def ask(self, task: str, arguments: Mapping[str, Argument]) -> dict[str, float]:
        """The figures of one task. Raises SubjectFailed."""
        assert self._process.stdin is not None  # noqa: S101  (for the type checker: pipes were asked for)
        assert self._process.stdout is not None  # noqa: S101
        patience = threading.Timer(_PATIENCE_S, self._process.kill)
        patience.start()
        try:
            self._process.stdin.write(json.dumps({"task": task, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
            answered = self._process.stdout.readline()
        except OSError as error:
            message = f"{self._name}: {error}"
            raise SubjectFailed(message) from None
        finally:
            patience.cancel()
        return self._figures(answered)

    def _figures(self, answered: str) -> dict[str, float]:
        told: dict[str, Any] = json.loads(answered) if answered else {"error": "its process ended"}
        if "error" in told:
            message = f"{self._name}: {told['error']}"
            raise SubjectFailed(message)
        figures: dict[str, float] = told["figures"]
        return figures

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def python_of(name: str) -> Path:
    """The interpreter of an environment: that of this process for ours. Raises PeersMissing."""
    return Path(sys.executable) if name == "ours" else interpreter(name)


def environment(scratch: Path) -> dict[str, str]:
    """No key, proxy or setting of the person who measures; a store and folders of settings of its own."""
    own = Path(mkdtemp(dir=scratch))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "IMAGEGEN_STORE": str(own / "imagegen"),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_CONFIG_DIR": str(own / "jupyter"),
        # Else it asks the network for a list of prices when it is imported.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def serving(*module: str) -> Iterator[str]:
    """A server of this environment; it tells its address in its first line."""
    with subprocess.Popen([sys.executable, "-m", *module], stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101  (for the type checker: a pipe was asked for)
            yield process.stdout.readline().strip()
        finally:
            process.kill()
