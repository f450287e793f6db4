"""In a real kernel, with %xmode Verbose and logs at DEBUG, a key is in no message, no file and no notebook."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.canary import AWKWARD, CANARIES, SHAPED, trace
from support.gateway import Answer, Gateway, Hang, Parts, Said
from support.interpreters import ROOT
from support.kernels import Done, Kernel
from support.pictures import complaint, picture

# A person's own functions hold the key in their variables, as functions that call HTTP libraries do.
PREPARE = """
%xmode Verbose
import json, logging, os, sys, traceback
import jupyter_imagegen as ig

logging.basicConfig(level=logging.DEBUG, handlers=[logging.StreamHandler(), logging.FileHandler("debug.log")])

def paint(url, **asked):
    api_key = os.environ["IMAGEGEN_API_KEY"]
    headers = {"Authorization": f"Bearer {api_key}"}
    return ig.generate("an otter", base_url=url, **asked)

def paint_or_say_so(url):
    api_key = os.environ["IMAGEGEN_API_KEY"]
    try:
        ig.generate("an otter", base_url=url)
    except ig.ImageGenError as error:
        raise RuntimeError("the sweep has failed") from error

def take(name):
    os.environ["IMAGEGEN_API_KEY"] = os.environ["OPENAI_API_KEY"] = json.loads(os.environ["CANARIES"])[name]
    globals().pop("secret", None)
"""

# What a debugger or an error tracker makes of the last error and of its cause: the frames of this package and below it,
# with their variables. Those above it are the person's own.
LAST = """
def ours(trace_back):
    while trace_back is not None and not trace_back.tb_frame.f_globals["__name__"].startswith("jupyter_imagegen"):
        trace_back = trace_back.tb_next
    return trace_back

for error in filter(None, (sys.last_value, sys.last_value.__cause__, sys.last_value.__context__)):
    frames = traceback.TracebackException(type(error), error, ours(error.__traceback__), capture_locals=True)
    print("".join(frames.format(chain=False)), repr(error), vars(error))
"""


def said(key: str, status: int) -> Said:
    """A complaint that quotes the key in its words, its headers and its id."""
    echoed = complaint(f"Not with Authorization: Bearer {key}", code=key)
    return Said(echoed, status, {"x-request-id": key, "set-cookie": f"key={key}"})


def streamed(key: str) -> Parts:
    """A stream with an error that quotes it."""
    return Parts((b"data: %s\n\n" % json.dumps({"type": "error", "error": {"message": f"Bad {key}"}}).encode(),))


def revised(key: str) -> Said:
    """A picture, and the key in all that is said beside it."""
    item = {"b64_json": base64.b64encode(picture()).decode(), "revised_prompt": f"an otter with {key}"}
    return Said(json.dumps({"data": [item], "usage": {"for": key}}).encode(), 200, {"x-request-id": key})


CELLS: Final[Mapping[str, tuple[str, Callable[[str], Answer], str]]] = {
    "a cell": ("%%imagegen --base-url {url}\nan otter", lambda key: said(key, 401), "KeyRejected"),
    "a function": ("paint('{url}')", lambda key: said(key, 403), "AccessDenied"),
    "an error of the user's own": ("paint_or_say_so('{url}')", lambda key: said(key, 500), "RuntimeError"),
    "an await": ("await ig.agenerate('an otter', base_url='{url}')", streamed, "Rejected"),
    "an answer that is kept": (
        "paint('{url}')",
        lambda key: Said(b'{"key": %s, "data": [{"b64_' % json.dumps(key).encode()),
        "AnswerUnreadable",
    ),
    "a picture and its history": (
        "r = %imagegen --base-url {url} an otter\ndisplay(r, r[0].record, ig.history())\nig.history().to_dict()",
        revised,
        "",
    ),
    "a deadline": ("%%imagegen --base-url {url} --timeout 5\nan otter", lambda _: Hang(), "DeadlinePassed"),
    "another origin": ("%%imagegen -p openai --base-url {url}\nan otter", lambda _: Hang(), "KeyMisdirected"),
    "an interrupt": ("paint('{url}')", lambda _: Hang(), "KeyboardInterrupt"),
    "a variable": (
        "secret = os.environ['IMAGEGEN_API_KEY']\n%imagegen --base-url {url} an otter with {{{{secret}}}}",
        lambda _: Hang(),
        "KeyInCell",
    ),
}
"""By where it fails: the cell, what the server says, and the error."""

TYPED: Final = ("a variable",)
"""Of these the key is in the frames of the cell itself, where it was typed."""


def run(kernel: Kernel, gateway: Gateway, code: str, *, is_interrupted: bool) -> Done:
    """Run a cell, and press the stop button once its request has arrived."""
    asked = len(gateway.asked)
    sent = kernel.send(code)
    if is_interrupted:
        while len(gateway.asked) == asked:
            gateway.wait_for_request()
        kernel.interrupt()
    return kernel.finish(sent)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    return ((str(path.relative_to(folder)), path.read_bytes()) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def prepared(start_kernel: Callable[..., Kernel]) -> Kernel:
    """A kernel that has the canaries in its environment."""
    kernel = start_kernel(CANARIES=json.dumps(dict(CANARIES)))
    assert kernel.run(PREPARE).status == "ok"
    return kernel


def test_no_message_of_a_kernel_holds_the_key(prepared: Kernel, gateway: Gateway, tmp_path: Path) -> None:
    """Ten ways to fail with each of the canaries: outputs, errors, logs, the last error and every file."""
    leaks: list[str] = []
    for canary, key in CANARIES.items():
        assert prepared.run(f"take({canary!r})").status == "ok"
        for name, (code, says, error) in CELLS.items():
            gateway.rule = lambda _, says=says, key=key: says(key)  # type: ignore[misc]
            done = run(prepared, gateway, code.format(url=gateway.url), is_interrupted=name == "an interrupt")
            assert done.ename == error, (name, done)
            last = prepared.run(LAST).text if error and name not in TYPED else ""
            texts = (json.dumps(done.all_messages, default=str), repr(done), last)
            leaks += [f"{name}, {canary}: {found}" for text in texts if (found := trace(key, text))]
        leaks += [f"{name}: {found}" for name, data in files(tmp_path) if (found := trace(key, data))]
    assert not leaks, "\n".join(leaks)
    assert "jupyter_imagegen.transport" in (tmp_path / "debug.log").read_text(), "nothing was logged"


def test_the_search_sees_the_messages_of_a_kernel(prepared: Kernel, tmp_path: Path) -> None:
    """A key that a cell prints, shows, raises, logs or writes is in what was searched."""
    prepared.run("take('awkward')\nsecret = os.environ['IMAGEGEN_API_KEY']")
    for code in ("print(secret)", "display({'text/html': secret}, raw=True)", "secret", "raise ValueError(secret)"):
        assert trace(AWKWARD, json.dumps(prepared.run(code).all_messages, default=str)), code
    assert prepared.run("logging.debug(secret)").status == "ok"
    assert [name for name, data in files(tmp_path) if trace(AWKWARD, data)] == ["debug.log"]


def test_no_notebook_that_was_run_holds_the_key(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nbclient writes, and what it raises: a picture with a revised prompt, and then a key that is refused."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("IMAGEGEN_API_KEY", SHAPED)
    cells = ("%load_ext jupyter_imagegen", PREPARE, f"paint('{gateway.url}')", f"paint('{gateway.url}')")
    form: Any = nbformat.v4
    notebook = form.new_notebook(cells=[form.new_code_cell(text) for text in cells])
    answers = iter((revised(SHAPED), said(SHAPED, 401)))
    gateway.rule = lambda _: next(answers)
    with pytest.raises(CellExecutionError, match="KeyRejected") as caught:
        NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (tmp_path / "run.ipynb").write_text(form.writes(notebook))
    assert "image/jpeg" in (tmp_path / "run.ipynb").read_text()
    assert not trace(SHAPED, str(caught.value))
    assert not [name for name, data in files(tmp_path) if trace(SHAPED, data)]
