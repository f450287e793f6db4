"""Real Jupyter servers on loopback, each in folders of its own: JupyterLab, with Voilà in it, and Notebook 7."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Literal

from support.interpreters import ROOT

TIMEOUT_S: Final = 60.0

# Two processes: one that serves both mixes up the files that both have, and restores the layout of one in the other.
App = Literal["lab", "notebook"]

_SERVING: Final = Path(__file__).with_name("serving.py")

# What a process needs to run at all. Nothing else is handed on: no key, provider or proxy of the person who tests.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")

_OPTIONS: Final = (
    "--allow-root",
    "--no-browser",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--ServerApp.terminals_enabled=False",
    # The other one asks a package index what there is.
    "--LabApp.extension_manager=readonly",
    "--LabApp.expose_app_in_browser=True",
    "--JupyterNotebookApp.expose_app_in_browser=True",
)

# Notebook's extension needs what Voilà lacks, and says so as an error. Voilà wants both lists or none.
_VOILA: Final = {"extension_allowlist": [], "extension_denylist": ["@jupyter-notebook/lab-extension"]}

# Everything that would ask another host, or lie over the page that is tested.
_SETTINGS: Final = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it listens, whom it lets in, the folder that it shows, and that of its own files."""

    port: int
    token: str = field(repr=False)
    root: Path
    home: Path

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def path(self, file: Path) -> str:
        """How the server names a file."""
        return file.relative_to(self.root).as_posix()

    def kernels(self) -> list[str]:
        """The kernels that run."""
        return [kernel["id"] for kernel in self._ask("GET", "/api/kernels")]

    def forget(self) -> None:
        """End every kernel, and forget every setting that was changed."""
        for kernel in self.kernels():
            self._ask("DELETE", f"/api/kernels/{kernel}")
        for file in (self.home / "config" / "lab" / "user-settings").rglob("*.jupyterlab-settings"):
            file.unlink()

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return "started" in self._ask("GET", "/api/status")
        except OSError:
            return False

    def _ask(self, method: str, path: str) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, headers={"Authorization": f"token {self.token}"})
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {said!r}"
            return json.loads(said or "null")
        finally:
            connection.close()


@contextmanager
def serving(app: App, root: Path, home: Path) -> Iterator[Server]:
    """A server that shows `root` and keeps its own files in `home`; it and its kernels are gone afterwards.

    Raises AssertionError, with what it said, when it does not answer within a minute.
    """
    token = secrets.token_hex(16)
    _configure(home / "config", token)
    log = home / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, str(_SERVING), app, *_OPTIONS, f"--ServerApp.root_dir={root}"],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=_environment(home),
            cwd=root,
        )
    with process:
        try:
            yield _wait_until_ready(process, token, root, home)
        finally:
            _end(process)


def _configure(config: Path, token: str) -> None:
    """What the server reads when it starts. The token is in a file, where no list of processes shows it."""
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(_SETTINGS))
    given = {"IdentityProvider": {"token": token}, "VoilaConfiguration": _VOILA}
    (config / "jupyter_server_config.json").write_text(json.dumps(given))


def _environment(home: Path) -> dict[str, str]:
    """The environment of the server, and of its kernels."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(home),
        "USERPROFILE": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYTHONPATH": str(ROOT),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _wait_until_ready(process: subprocess.Popen[bytes], token: str, root: Path, home: Path) -> Server:
    until = time.monotonic() + TIMEOUT_S
    while process.poll() is None and time.monotonic() < until:
        for told in (home / "runtime").glob("jpserver-*.json"):
            server = Server(_port(told), token, root, home)
            if server.port and server.is_ready():
                return server
        time.sleep(0.05)
    problem = f"the Jupyter server does not answer:\n{(home / 'server.log').read_text('utf-8', 'replace')}"
    raise AssertionError(problem)


def _port(told: Path) -> int:
    """The port in the file where a server says how it is reached; 0 while the file is being written."""
    try:
        return int(json.loads(told.read_bytes())["port"])
    except ValueError:
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it end its kernels and itself; kill what does not. A kernel whose server is gone ends by itself."""
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
