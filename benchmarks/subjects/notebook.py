"""What a person waits for in a notebook: cells in real kernels, timed by the kernel itself."""

from __future__ import annotations

import json
import os
import queue
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbformat.v4 import new_code_cell, new_notebook, output_from_msg

from .serving import Figures, serve

_TIMEOUT_S: Final = 120.0
_STORE: Final = Path(os.environ["IMAGEGEN_STORE"])
_LOAD: Final = "%load_ext jupyter_imagegen"
_PROMPT: Final = "a lighthouse on a cliff, the evening before the storm"

# From before the cell's first line until after its output is displayed.
_STOPWATCH: Final = """
import json, time
_began, _took = time.perf_counter(), None
def _begin(info):
    global _began
    _began = time.perf_counter()
def _end(result):
    global _took
    _took = time.perf_counter() - _began
get_ipython().events.register("pre_run_cell", _begin)
get_ipython().events.register("post_run_cell", _end)
"""

_WATCH_LOADING: Final = """
import json, sys, time
_before = set(sys.modules)
"""

_HEAVY: Final = ("httpx2", "pandas", "ipywidgets", "PIL", "numpy", "msgspec")

_FIRST_CALL: Final = """
import base64, openai
client = openai.OpenAI(base_url={url!r}, api_key="none", max_retries=0)
answer = client.images.generate(model="sketch", prompt={prompt!r}, size="1024x1024")
picture = base64.b64decode(answer.data[0].b64_json)
"""


class Kernel:
    """A kernel of an interpreter, in a folder of its own."""

    def __init__(self, python: str, folder: Path) -> None:
        self._manager = KernelManager()
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        self._manager._kernel_spec = KernelSpec(argv=argv, display_name="measured", language="python")  # noqa: SLF001  (this interpreter, whatever is installed)
        self._manager.start_kernel(cwd=str(folder))
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=_TIMEOUT_S)

    def close(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run(self, code: str) -> list[Any]:
        """Run a cell, and give what a notebook would save below it. Raises RuntimeError for one that fails."""
        asked = self._client.execute(code)
        shown = _Shown()
        while True:
            message = self._next(asked)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return shown.outputs
            if kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            shown.take(message)

    def value(self, expression: str) -> Any:  # noqa: ANN401  (any JSON)
        """The JSON value of an expression."""
        outputs = self.run(f"print(json.dumps({expression}))")
        return json.loads("".join(output["text"] for output in outputs))

    def took_s(self, code: str) -> float:
        """How long a cell takes, by the kernel's own clock."""
        self.run(code)
        return float(self.value("_took"))

    def _next(self, asked: str) -> dict[str, Any]:
        until = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < until:
            try:
                message: dict[str, Any] = self._client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == asked:
                return message
        raise RuntimeError("the kernel did not finish the cell")


class _Shown:
    """The outputs below a cell, each in the place where its display id first stood."""

    def __init__(self) -> None:
        self.outputs: list[Any] = []
        self._by_id: dict[str, Any] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Add what a message shows, or put it in the place of what it updates."""
        kind, content = message["msg_type"], message["content"]
        name = content.get("transient", {}).get("display_id")
        if kind == "update_display_data" and name in self._by_id:
            self._by_id[name]["data"] = content["data"]
        elif kind in ("display_data", "execute_result", "stream"):
            self.outputs.append(output_from_msg(message))
            if name:
                self._by_id[name] = self.outputs[-1]


@contextmanager
def _kernel(python: str = sys.executable, folder: Path | None = None) -> Iterator[Kernel]:
    kernel = Kernel(python, folder or Path(mkdtemp(dir=_STORE.parent)))
    try:
        yield kernel
    finally:
        kernel.close()


def load_extension() -> Figures:
    """`%load_ext` in a kernel that runs, and how many of the heavy libraries that loads."""
    with _kernel() as kernel:
        kernel.run(_WATCH_LOADING + _STOPWATCH)
        wall_s = kernel.took_s(_LOAD)
        heavy = kernel.value(f"[name for name in {_HEAVY!r} if name in set(sys.modules) - _before]")
        return {"wall_s": wall_s, "heavy": len(heavy)}


def import_sdk(python: str) -> Figures:
    """`import openai` in a kernel that runs."""
    with _kernel(python) as kernel:
        kernel.run(_STOPWATCH)
        return {"wall_s": kernel.took_s("import openai")}


def first_cell() -> Figures:
    """The first `%%imagegen` of a kernel: imports, a picture painted, kept and shown."""
    with _kernel() as kernel:
        kernel.run(_LOAD)
        kernel.run(_STOPWATCH)
        return {"wall_s": kernel.took_s(f"%%imagegen -p sketch --size 1024x1024\n{_PROMPT}")}


def first_call(python: str, url: str) -> Figures:
    """The import of the SDK and its first call, of the same picture from a server that has painted it before."""
    with _kernel(python) as kernel:
        kernel.run(_STOPWATCH)
        return {"wall_s": kernel.took_s(_FIRST_CALL.format(url=url, prompt=_PROMPT))}


def replays() -> Figures:
    """A cell that paints, and its replay: in the same kernel, and in a later one. Another cell ran before in each."""
    folder = Path(mkdtemp(dir=_STORE.parent))
    cells = [f"%%imagegen -p sketch --size 1024x1024{{}}\n{_PROMPT}, {turn}" for turn in ("warm", "measured")]
    with _kernel(folder=folder) as kernel:
        live_s = _second(kernel, [cell.format("") for cell in cells])
        same_s = _second(kernel, [cell.format(" --mode replay") for cell in cells])
    with _kernel(folder=folder) as kernel:
        later_s = _second(kernel, [cell.format(" --mode replay") for cell in cells])
    return {"live_s": live_s, "same_s": same_s, "later_s": later_s}


def _second(kernel: Kernel, cells: list[str]) -> float:
    kernel.run(_LOAD)
    kernel.run(_STOPWATCH)
    return [kernel.took_s(cell) for cell in cells][-1]


def weight(url: str) -> Figures:
    """The bytes that a notebook saves below a cell of one picture, and those of the picture itself in base64."""
    with _kernel() as kernel:
        kernel.run(_LOAD)
        outputs = kernel.run(f"%%imagegen --base-url {url} -m any --size 1024x1024\n{_PROMPT}")
        kernel.run("import json")
        path = kernel.value("str(_[0].path)")
    inline = len(b64encode(Path(path).read_bytes()))
    return {"saved_B": _saved(outputs) - _saved([]), "inline_B": inline}


def _saved(outputs: list[Any]) -> int:
    return len(nbformat.writes(new_notebook(cells=[new_code_cell(outputs=outputs)])).encode())


if __name__ == "__main__":
    serve(
        load_extension=load_extension,
        import_sdk=import_sdk,
        first_cell=first_cell,
        first_call=first_call,
        replays=replays,
        weight=weight,
    )
