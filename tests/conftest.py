"""Fixtures of the whole suite: a clean environment, a folder of one's own, a gateway, a kernel."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support.clock import leap_at_stalls
from support.gateway import Gateway
from support.interpreters import ROOT
from support.kernels import Kernel
from traitlets.config import Config

_OURS = ("IMAGEGEN_", "OPENAI_", "ZENLAYER_", "QUICKROUTER_", "SKETCH_", "JPY_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, provider or proxy of the person who runs the tests, and a folder of its own for each test."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / ".jupyter"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine is a failure of the test that makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            message = f"a test connects to {address}"
            raise AssertionError(message)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    """Settings that one test makes are gone in the next."""
    from jupyter_imagegen.settings import ImageGen

    ImageGen.clear_instance()
    yield
    ImageGen.clear_instance()


@pytest.fixture(autouse=True)
def closed_journals() -> Iterator[None]:
    """Each test has a store of its own, and no more segments are open than there can be open files."""
    yield
    bridge = sys.modules.get("jupyter_imagegen.bridge")
    for loop in bridge._loops if bridge is not None else ():
        for session in list(loop.sessions.values()):
            session._disk.close()


@pytest.fixture
def shell() -> Iterator[Any]:
    """A real shell in this process, whose displays can be captured."""
    hook, excepthook = sys.displayhook, sys.excepthook
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook = hook, excepthook


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway on loopback."""
    server = Gateway()
    yield server
    server.close()


@pytest.fixture
def stalls_are_long(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server falls silent, more than `DEADLINE_S` pass at once."""
    leap_at_stalls(gateway, monkeypatch)


@pytest.fixture
def python() -> str:
    """The interpreter of the kernels; tests/kernel has one more."""
    return sys.executable


@pytest.fixture
def start_kernel(tmp_path: Path, python: str) -> Iterator[Callable[..., Kernel]]:
    """Start kernels in this test's folder, each with the extension loaded."""
    kernels: list[Kernel] = []

    def start(**environment: str) -> Kernel:
        given = {**os.environ, "PYTHONPATH": str(ROOT), "PYDEVD_DISABLE_FILE_VALIDATION": "1", **environment}
        kernel = Kernel(tmp_path, given, python)
        kernels.append(kernel)
        done = kernel.run("%load_ext jupyter_imagegen\nimport jupyter_imagegen as ig")
        assert done.status == "ok", done
        return kernel

    yield start
    for kernel in kernels:
        kernel.shutdown()


@pytest.fixture
def kernel(start_kernel: Callable[..., Kernel]) -> Kernel:
    """One kernel with the extension loaded."""
    return start_kernel()
