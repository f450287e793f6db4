"""Starting and stopping the endpoint, and what importing it costs."""

from __future__ import annotations

import runpy
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

COMMAND = [sys.executable, "-m", "jupyter_imagegen.sketch"]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
def test_it_prints_one_line_serves_and_ends_with_ctrl_c() -> None:
    """The line is the base URL, and connections are accepted when it is there."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert httpx2.get(f"{line}/models", trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        rest, log = process.communicate(timeout=30)
    assert line.startswith("http://127.0.0.1:")
    assert line.endswith("/v1")
    assert (rest, log, process.returncode) == ("", "", 0)


def test_a_port_that_is_taken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["--port", port]) == 1
    assert f"port {port}" in capsys.readouterr().err


def test_without_uvicorn_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run([]) == 1
    assert 'pip install ".[serve]"' in capsys.readouterr().err


def run(arguments: list[str]) -> int:
    """Call the command in this process."""
    return int(runpy.run_module("jupyter_imagegen.sketch.__main__")["main"](arguments))


def imported(code: str) -> set[str]:
    """The modules that a process has after some code."""
    script = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_it_brings_no_pillow() -> None:
    """Neither the package nor the application paints before it is asked to."""
    assert "PIL" not in imported("from jupyter_imagegen.sketch import app")
    assert "jupyter_imagegen.sketch.asgi" not in imported("import jupyter_imagegen.sketch")


def test_it_needs_nothing_of_the_package_and_nothing_but_pillow() -> None:
    """An independent witness: it shares no code with what it is a test of."""
    modules = imported("import jupyter_imagegen.sketch.studio, jupyter_imagegen.sketch.__main__")
    without = imported("import jupyter_imagegen")
    ours = {name for name in modules - without if name.startswith("jupyter_imagegen")}
    assert all(name.startswith("jupyter_imagegen.sketch") for name in ours)
    foreign = {name.partition(".")[0] for name in modules - without} - sys.stdlib_module_names
    assert foreign <= {"PIL", "jupyter_imagegen"}
    assert "PIL" in foreign


def test_only_what_is_exported_can_be_had() -> None:
    """The door is lazy but not open."""
    from jupyter_imagegen import sketch

    assert callable(sketch.app)
    with pytest.raises(AttributeError, match="no attribute 'paint_me'"):
        _ = sketch.paint_me
