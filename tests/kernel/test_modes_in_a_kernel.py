"""Records in a real kernel: cells that are run again, settings, a network that is cut, restarts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from support.gateway import Asked, Gateway, Said
from support.kernels import Kernel
from support.pictures import answer, picture

CUT = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(refuse)
"""
"""From here on, nothing in this process can connect or look up a name."""


@pytest.fixture(autouse=True)
def another_picture_each_time(gateway: Gateway) -> None:
    """A server without a seed."""
    sizes = count(40)

    def paint(_: Asked) -> Said:
        return Said(answer(picture(size=(next(sizes), 40))))

    gateway.rule = paint


def width(kernel: Kernel, gateway: Gateway, cell_id: str, options: str = "") -> int:
    """Run a cell with this id, and tell which picture it shows."""
    code = f"%%imagegen --base-url {gateway.url} --into r {options}\nan otter"
    done = kernel.finish(kernel.send(code, cell_id))
    assert done.status == "ok", done
    return int(kernel.value("r[0].width"))


def test_a_cell_that_is_run_again_shows_its_own_record_again(kernel: Kernel, gateway: Gateway) -> None:
    """Two cells with the same prompt, each run twice in a cache: two calls, and each cell keeps its picture."""
    kernel.run("%config ImageGen.mode = 'cache'")
    first = [width(kernel, gateway, cell) for cell in ("A", "B")]

    assert [width(kernel, gateway, cell) for cell in ("B", "A", "A", "B")] == [first[1], first[0], first[0], first[1]]
    assert len(gateway.posts) == 2


def test_a_notebook_that_was_worked_on_is_replayed_as_it_stands(kernel: Kernel, gateway: Gateway) -> None:
    """Of a cell that was run several times, the last run counts: it is what the notebook shows."""
    ran = [(cell, width(kernel, gateway, cell)) for cell in ("A", "B", "A", "C", "B")]
    stands = dict(ran)
    kernel.restart()
    kernel.run("%load_ext jupyter_imagegen\nimport jupyter_imagegen as ig\n%config ImageGen.mode = 'replay'")
    gateway.close_listening()

    assert [width(kernel, gateway, cell) for cell in ("A", "B", "C")] == [stands[cell] for cell in "ABC"]


def test_a_replay_in_a_kernel_connects_to_nothing(start_kernel: Callable[..., Kernel], gateway: Gateway) -> None:
    """Not even where the server is there and a key is set."""
    live = width(start_kernel(), gateway, "A")
    asked = len(gateway.asked)
    kernel = start_kernel(IMAGEGEN_MODE="replay", IMAGEGEN_API_KEY="key-of-a-reviewer")
    kernel.run(CUT)

    assert width(kernel, gateway, "A") == live
    assert kernel.run(f"%%imagegen --base-url {gateway.url}\na whale").ename == "NotRecorded"
    assert kernel.run(f"%%imagegen --mode live --base-url {gateway.url}\na whale").ename != ""
    assert len(gateway.asked) == asked


def test_a_session_whose_notebook_is_not_known_has_a_name(kernel: Kernel, gateway: Gateway) -> None:
    """The column names the session; the history of such a notebook is that of the store, also after a restart."""
    width(kernel, gateway, "A")
    kernel.restart()
    kernel.run("%load_ext jupyter_imagegen\nimport jupyter_imagegen as ig")
    width(kernel, gateway, "A")
    first, second = kernel.value("ig.history().notebook.tolist()")

    assert first != second
    assert first.startswith("session 20")
    assert kernel.value(f"len(ig.history({first!r}))") == 1


def test_the_id_of_a_cell_is_recorded_where_the_front_end_sends_one(kernel: Kernel, gateway: Gateway) -> None:
    """JupyterLab does, nbclient does not."""
    width(kernel, gateway, "6f1a-cell")
    width(kernel, gateway, "")

    assert kernel.value("ig.history().cell_id.fillna('').tolist()") == ["6f1a-cell", ""]


def test_the_cell_is_known_without_the_extension_too(start_kernel: Callable[..., Kernel], gateway: Gateway) -> None:
    """Who only imports the package: a cell that was run again counts by its last run all the same."""
    kernel = start_kernel()
    kernel.run("%unload_ext jupyter_imagegen")
    code = f"r = ig.generate('an otter', base_url='{gateway.url}')"
    for cell in ("A", "B", "A"):
        assert kernel.finish(kernel.send(code, cell)).status == "ok"

    assert kernel.value("ig.history().cell_id.tolist()") == ["A", "B", "A"]
    assert kernel.value("ig.history().execution_count.notna().all().item()") is True


def test_a_cell_is_recorded_without_the_folders_of_this_machine(kernel: Kernel, gateway: Gateway) -> None:
    """VS Code names it by an address with the path of the notebook in it."""
    width(kernel, gateway, "vscode-notebook-cell:/home/alice/secret/study.ipynb#W0sZmlsZQ%3D%3D")

    assert kernel.value("ig.history().cell_id.tolist()") == ["W0sZmlsZQ%3D%3D"]


def test_a_renamed_notebook_finds_its_history_by_its_old_name(
    start_kernel: Callable[..., Kernel], gateway: Gateway
) -> None:
    """The new name has no calls yet, and the empty table says where they are."""
    folder = start_kernel().folder
    old = start_kernel(JPY_SESSION_NAME=str(folder / "old.ipynb"))
    live = width(old, gateway, "A")
    new = start_kernel(JPY_SESSION_NAME=str(folder / "new.ipynb"))

    assert new.value("len(ig.history())") == 0
    assert "ig.history(notebook=None)" in new.run("print(repr(ig.history()))").text
    assert new.value("ig.history('old.ipynb').prompt.tolist()") == ["an otter"]
    assert width(new, gateway, "A", "--mode replay") == live
