"""What runs notebooks by itself: nbclient, papermill and nbconvert keep the pictures and stop at an error."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import count
from pathlib import Path
from typing import Any

import nbconvert
import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.gateway import Asked, Gateway, Hang, Said
from support.interpreters import ROOT
from support.pictures import answer, complaint, picture

from jupyter_imagegen.records import read


@pytest.fixture(autouse=True)
def kernels_find_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels that are started here import this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def notebook(*cells: str) -> Any:
    """A notebook of code cells; one that begins with `parameters:` is papermill's."""
    made = nbformat.v4.new_notebook()
    for text in cells:
        cell = nbformat.v4.new_code_cell(text.removeprefix("parameters:"))
        if text.startswith("parameters:"):
            cell.metadata["tags"] = ["parameters"]
        made.cells.append(cell)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def mimes(cell: Any) -> set[str]:
    """The types of a cell's outputs."""
    return {mime for output in cell.outputs for mime in output.get("data", {})}


def test_nbclient_keeps_the_picture_in_the_notebook(gateway: Gateway, tmp_path: Path) -> None:
    """The executed notebook holds the preview and its caption."""
    made = notebook("%load_ext jupyter_imagegen", f"%%imagegen --base-url {gateway.url}\nan otter")
    NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert {"image/jpeg", "text/html", "text/plain"} <= mimes(made.cells[1])


def test_nbclient_stops_at_a_cell_that_failed(gateway: Gateway, tmp_path: Path) -> None:
    """The error is an output of the cell; the cells after it are not run."""
    gateway.rule = lambda _: Said(b"", 500)
    made = notebook("%load_ext jupyter_imagegen", f"%%imagegen --base-url {gateway.url}\nan otter", "after = 1")
    with pytest.raises(CellExecutionError, match="ServerFailed"):
        NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [output.output_type for output in made.cells[1].outputs] == ["error"]
    assert made.cells[2].execution_count is None
    assert len(gateway.posts) == 1


def test_nbclient_timeout_closes_the_connection(gateway: Gateway, tmp_path: Path) -> None:
    """With interrupt_on_timeout the cell is interrupted, and the server sees the client go."""
    gateway.rule = lambda _: Hang()
    made = notebook("%load_ext jupyter_imagegen", f"%%imagegen --base-url {gateway.url}\nan otter")
    client = NotebookClient(
        made, timeout=12, interrupt_on_timeout=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
        client.execute()
    assert gateway.hung_up.wait(10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # papermill's own
def test_papermill_passes_its_parameters_into_the_prompt(gateway: Gateway, tmp_path: Path) -> None:
    """A parameter is a variable like any other."""
    made = notebook(
        "parameters:animal = 'otter'",
        "%load_ext jupyter_imagegen",
        f"%%imagegen --base-url {gateway.url}\na {{{{animal}}}} at dusk",
    )
    nbformat.write(made, tmp_path / "in.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        {"animal": "heron"},
        cwd=str(tmp_path),
        progress_bar=False,
    )
    assert [asked.json["prompt"] for asked in gateway.posts] == ["a heron at dusk"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # papermill's own
def test_papermill_stops_at_a_cell_that_failed(gateway: Gateway, tmp_path: Path) -> None:
    """A failing generation fails the run."""
    gateway.rule = lambda _: Said(b"", 500)
    made = notebook("%load_ext jupyter_imagegen", f"%%imagegen --base-url {gateway.url}\nan otter", "after = 1")
    nbformat.write(made, tmp_path / "in.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="ServerFailed"):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), cwd=str(tmp_path), progress_bar=False
        )


STUDY = (
    "%load_ext jupyter_imagegen\nimport jupyter_imagegen as ig",
    "%%imagegen --base-url {url} --into first\nan otter",
    "again = ig.generate('an otter', base_url='{url}', quiet=True)",
    (
        "try:\n    ig.generate('a refused otter', base_url='{url}')\n"
        "except ig.ImageGenError as error:\n    print(type(error).__name__, error.message)"
    ),
    "print(first[0].sha256, again[0].sha256)",
)
"""The same request twice, to a server that never gives the same picture, and one that is refused."""


@pytest.fixture
def recorded(gateway: Gateway, tmp_path: Path) -> str:
    """A study that was run live, of which the notebook and the store are left, and no server; what it printed."""
    sizes = count(40)

    def paint(asked: Asked) -> Said:
        if "refused" in asked.json["prompt"]:
            return Said(complaint("No such otters.", code="moderation_blocked"), 400)
        return Said(answer(picture(size=(next(sizes), 40))))

    gateway.rule = paint
    made = notebook(*(cell.replace("{url}", gateway.url) for cell in STUDY))
    nbformat.write(made, tmp_path / "in.ipynb")
    NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    gateway.close_listening()
    return printed(made)


def printed(made: Any) -> str:
    """What the cells of a notebook printed."""
    return "".join(out.text for cell in made.cells for out in cell.get("outputs", ()) if out.output_type == "stream")


RUNNERS = {
    "nbconvert": ("nbconvert", "--to", "notebook", "--execute", "in.ipynb", "--output", "out.ipynb"),
    "jupyter execute": ("execute", "in.ipynb", "--output", "out.ipynb"),
    "papermill": ("papermill", "in.ipynb", "out.ipynb"),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_reviewer_runs_it_again_offline_and_byte_for_byte(runner: str, recorded: str, tmp_path: Path) -> None:
    """With IMAGEGEN_MODE alone, in a copy of the folder: the same pictures in the same order, and the same refusal."""
    there = tmp_path / "reviewer"
    shutil.copytree(tmp_path / "imagegen", there / "imagegen")
    shutil.copy(tmp_path / "in.ipynb", there)
    module = ["papermill"] if runner == "papermill" else ["jupyter", RUNNERS[runner][0]]
    command = [sys.executable, "-m", *module, *RUNNERS[runner][1:]]
    environment = {**os.environ, "IMAGEGEN_MODE": "replay"}
    done = subprocess.run(command, cwd=there, env=environment, check=False, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    assert printed(nbformat.read(there / "out.ipynb", as_version=4)) == recorded
    assert len(set(recorded.split()[-2:])) == 2
    assert recorded.startswith("Refused")


def test_a_replay_in_a_notebook_says_so_below_each_picture(recorded: str, tmp_path: Path) -> None:
    """Under nbclient, with the mode set in the notebook itself."""
    assert recorded
    made = nbformat.read(tmp_path / "in.ipynb", as_version=4)
    made.cells[0].source += "\n%config ImageGen.mode = 'replay'"
    NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()

    (caption,) = [out.data["text/plain"] for out in made.cells[1].outputs if "text/html" in out.get("data", {})]
    assert "shown again; nothing was sent" in caption
    assert printed(made) == recorded


def test_a_notebook_with_something_unrecorded_stops_there(recorded: str, tmp_path: Path) -> None:
    """A cell that was changed since fails, and does not go out to ask."""
    assert recorded
    made = nbformat.read(tmp_path / "in.ipynb", as_version=4)
    made.cells[1].source = made.cells[1].source.replace("an otter", "an otter, changed")
    made.cells[0].source += "\n%config ImageGen.mode = 'replay'"
    with pytest.raises(CellExecutionError, match="NotRecorded"):
        NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()


def test_the_quickstart_runs_and_its_page_holds_the_pictures(tmp_path: Path) -> None:
    """Nbconvert executes the notebook on the embedded endpoint and leaves a page with pictures and the history."""
    source = ROOT / "notebooks" / "quickstart.ipynb"
    (tmp_path / "quickstart.ipynb").write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--execute", "quickstart.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "quickstart.html").read_text()
    assert page.count('src="data:image/') >= 4
    assert "a coast in the fog" in page
    assert list((tmp_path / "imagegen" / "images").iterdir())


def test_the_notebook_of_the_panel_shows_its_pictures_where_no_widget_can_be_shown(tmp_path: Path) -> None:
    """Beside each panel stands one line of text, and below it the last pictures; the page made of it has them too."""
    made = nbformat.read(ROOT / "notebooks" / "panel.ipynb", as_version=4)
    NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    panels = [cell.outputs for cell in made.cells if "ig.panel(" in cell.source]

    assert [len(outputs) for outputs in panels] == [3, 3]
    for widget, shown, caption in panels:
        assert "application/vnd.jupyter.widget-view+json" in widget.data
        assert widget.data["text/plain"].startswith("The panel of jupyter-imagegen.")
        assert set(shown.data) & {"image/png", "image/jpeg"}
        assert "768×512 png" in caption.data["text/plain"]
    page, _ = nbconvert.HTMLExporter().from_notebook_node(made)
    assert page.count('src="data:image/') >= 2


CUT = "import sys\n" + inspect.cleandoc("""
    def refuse(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
            raise RuntimeError(f"{event} {arguments}")

    sys.addaudithook(refuse)
""")
"""From here on, nothing in this process can connect or look up a name."""


def test_the_study_runs_live_against_a_server_and_again_without_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With equal bytes, the same refusals, a paragraph for the methods section and a crate, both times."""
    made = nbformat.read(ROOT / "notebooks" / "reproducible-study.ipynb", as_version=4)
    again = copy.deepcopy(made)
    server, address = served()
    with monkeypatch.context() as patch:
        patch.setenv("SKETCH_BASE_URL", address)
        NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    server.terminate()
    server.communicate(timeout=30)
    live, records = crate(tmp_path), read(tmp_path / "imagegen")
    monkeypatch.setenv("IMAGEGEN_MODE", "replay")
    again.cells.insert(0, nbformat.v4.new_code_cell(CUT))
    NotebookClient(again, resources={"metadata": {"path": str(tmp_path)}}).execute()

    assert [record.call.base_url for record in records] == [address] * 8
    assert len(read(tmp_path / "imagegen")) == 8
    assert printed(again) == printed(made)
    assert printed(made).startswith("4 made, 2 refused")
    assert len(set(re.findall(r"[0-9a-f]{64}", printed(made)))) == 5
    assert crate(tmp_path) == live
    assert len(live) == 5
    assert "2 were refused by moderation" in (tmp_path / "study" / "methods.md").read_text()
    assert "shown again; nothing was sent" in json.dumps(again.cells)


def served() -> tuple[subprocess.Popen[str], str]:
    """The embedded endpoint as a server of its own, and its address."""
    command = [sys.executable, "-m", "jupyter_imagegen.sketch", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return server, f"{found[0]}/v1"
    raise AssertionError("the server said no address")


def crate(folder: Path) -> set[str]:
    """The digests of the pictures in the crate of the study."""
    with zipfile.ZipFile(folder / "study" / "reproducible-study.zip") as archive:
        names = [name for name in archive.namelist() if "/images/" in f"/{name}"]
        return {hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def test_committed_notebooks_hold_no_outputs() -> None:
    """What a notebook shows is made by running it, so that it cannot be out of date."""
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
