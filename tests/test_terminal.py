"""Terminal IPython and plain scripts: the same calls, the same records, Ctrl-C that closes the connection."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from support.gateway import Gateway, Hang
from support.interpreters import ROOT


class Terminal:
    """IPython at a simple prompt."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
        arguments = ["-m", "IPython", "--simple-prompt", "--colors=NoColor", "--no-banner", "--no-confirm-exit"]
        self._child = pexpect.spawn(
            sys.executable, arguments, cwd=str(folder), env=environment, timeout=60, encoding="utf-8"
        )
        self._child.expect(r"In \[1\]: ")
        self.run("%load_ext jupyter_imagegen")
        self.run("import jupyter_imagegen as ig")

    def send(self, text: str) -> None:
        """Type a line."""
        self._child.sendline(text)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._child.sendintr()

    def prompt(self) -> str:
        """What was printed until the next prompt."""
        self._child.expect(r"In \[\d+\]: ")
        return str(self._child.before)

    def run(self, text: str) -> str:
        """Type a line and read what it prints."""
        self.send(text)
        return self.prompt()

    def close(self) -> None:
        """End it."""
        self._child.close(force=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """One terminal IPython with the extension loaded."""
    found = Terminal(tmp_path)
    yield found
    found.close()


def script(folder: Path, code: str) -> subprocess.Popen[str]:
    """A plain Python script, running."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def statuses(folder: Path) -> list[str]:
    """The status of every call in this folder's store."""
    (segment,) = folder.glob("imagegen/journal/*.jsonl")
    lines = [json.loads(line) for line in segment.read_text().splitlines()]
    return [line["status"] for line in lines if line["event"] == "done"]


def test_a_terminal_shows_text_where_a_notebook_shows_a_picture(terminal: Terminal, gateway: Gateway) -> None:
    """The prompt as alt text, and the caption with the path."""
    shown = terminal.run(f"%imagegen --base-url {gateway.url} -m m an otter")
    assert "an otter" in shown
    assert "imagegen/images/an-otter-" in shown
    assert "<IPython" not in shown


def test_a_terminal_generates_by_await(terminal: Terminal, gateway: Gateway, tmp_path: Path) -> None:
    """Top-level await works there too."""
    terminal.run(f"r = await ig.agenerate('an otter', base_url='{gateway.url}')")
    assert "1" in terminal.run("len(r)")
    assert statuses(tmp_path) == ["ok"]


@pytest.mark.parametrize(
    "call", ["%imagegen --base-url {url} an otter", "await ig.agenerate('an otter', base_url='{url}')"]
)
def test_ctrl_c_in_a_terminal_closes_the_connection(
    terminal: Terminal, gateway: Gateway, tmp_path: Path, call: str
) -> None:
    """KeyboardInterrupt, the connection closed, the call recorded as cancelled; the terminal goes on."""
    gateway.rule = lambda _: Hang()
    terminal.send(call.format(url=gateway.url))
    gateway.wait_for_request()
    terminal.interrupt()
    assert "KeyboardInterrupt" in terminal.prompt()
    assert gateway.hung_up.wait(10)
    assert "2" in terminal.run("1 + 1")
    assert statuses(tmp_path) == ["cancelled"]


@pytest.mark.parametrize(
    "call",
    [
        "r = ig.generate('an otter', base_url={url!r})",
        "import asyncio; r = asyncio.run(ig.agenerate('an otter', base_url={url!r}))",
        "import threading; rs = []\n"  # noqa: ISC004
        "t = threading.Thread(target=lambda: rs.append(ig.generate('x', base_url={url!r})))\n"
        "t.start(); t.join(); r = rs[0]",
    ],
)
def test_a_script_generates_and_leaves_no_warning(gateway: Gateway, tmp_path: Path, call: str) -> None:
    """Blocking, in its own loop, in a thread: the picture is there, and the script ends cleanly."""
    code = f"import jupyter_imagegen as ig\n{call.format(url=gateway.url)}\nprint(r[0].width, r[0].pil.size)"
    out, err = script(tmp_path, code).communicate(timeout=60)
    assert (out.strip(), err) == ("64 (64, 48)", "")
    assert statuses(tmp_path) == ["ok"]


def test_a_script_that_is_interrupted_records_it(gateway: Gateway, tmp_path: Path) -> None:
    """SIGINT ends it by KeyboardInterrupt, after the record, and the traceback says what became of the call."""
    gateway.rule = lambda _: Hang()
    running = script(tmp_path, f"import jupyter_imagegen as ig\nig.generate('an otter', base_url={gateway.url!r})")
    gateway.wait_for_request()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert err.strip().endswith("It may have been charged.")
    assert gateway.hung_up.wait(10)
    assert statuses(tmp_path) == ["cancelled"]


def test_a_forked_child_has_a_loop_and_a_segment_of_its_own(gateway: Gateway, tmp_path: Path) -> None:
    """The thread of the parent is not in the child, and two processes never write to one segment."""
    code = (
        "import os, jupyter_imagegen as ig\n"
        f"ig.generate('parent', base_url={gateway.url!r})\n"
        "child = os.fork()\n"
        f"if child == 0:\n    ig.generate('child', base_url={gateway.url!r})\n    os._exit(0)\n"
        "print(os.waitpid(child, 0)[1])"
    )
    out, err = script(tmp_path, code).communicate(timeout=60)
    assert (out.strip(), err) == ("0", "")
    assert len(list(tmp_path.glob("imagegen/journal/*.jsonl"))) == 2
