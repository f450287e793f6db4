"""What a cell with the panel leaves in the notebook, and what becomes of it when the cell is run again."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from ipywidgets.widgets.widget import _instances
from support.gateway import Gateway, Hang, Said
from support.pictures import answer, picture
from widgets.hands import PATH, Hands, until

import jupyter_imagegen as ig
from jupyter_imagegen import errors, preview
from jupyter_imagegen.settings import ImageGen, photograph

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def outputs(shell: Any) -> list[dict[str, Any]]:
    """What a front end is sent, as it comes, from any thread."""
    publisher: Any = CapturingDisplayPublisher
    shell.display_pub = publisher()
    kept: list[dict[str, Any]] = shell.display_pub.outputs
    return kept


@pytest.fixture
def displayed(served: Gateway, outputs: list[dict[str, Any]]) -> Hands:
    """A panel that is the value of a cell."""
    assert (outputs, served.asked) == ([], [])
    hands = Hands(ig.panel())
    hands.shown._ipython_display_()
    hands.page_opens()
    return hands


def kinds(outputs: list[dict[str, Any]]) -> list[set[str]]:
    """The formats of each output."""
    return [set(each["data"]) for each in outputs]


def place(output: dict[str, Any]) -> str:
    """The display that it is shown in."""
    return str(output["transient"]["display_id"])


# --- what stays in the notebook


def test_the_panel_is_one_line_where_there_are_no_widgets(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """A saved notebook, a terminal, a page without a kernel."""
    assert displayed.tiles == []
    assert kinds(outputs[:1]) == [{VIEW, "text/plain"}]
    assert outputs[0]["data"]["text/plain"] == repr(displayed.shown)
    assert "\n" not in repr(displayed.shown)
    assert outputs[0]["data"][VIEW]["model_id"] == displayed.panel.widget.model_id


def test_a_panel_without_pictures_keeps_two_empty_places(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """They are filled in later, and stand below the panel."""
    assert displayed.tiles == []
    assert kinds(outputs[1:]) == [{"text/plain"}, {"text/plain", "text/html"}]
    assert [each["data"]["text/plain"] for each in outputs[1:]] == ["", ""]
    assert len({place(each) for each in outputs}) == 3


def test_the_last_pictures_are_ordinary_outputs_below_it(served: Gateway, outputs: list[dict[str, Any]]) -> None:
    """What was made before, at most four, the newest last, with a caption for each."""
    made = []
    for colour in ("red", "gold", "blue", "teal", "pink"):
        served.rule = lambda _, colour=colour: Said(answer(picture(colour)))  # type: ignore[misc]
        made.append(ig.generate(f"a {colour} otter")[0])
    Hands(ig.panel()).shown._ipython_display_()
    sheet = preview.grid(tuple((f"[{number}]", each.path) for number, each in enumerate(made[1:])))
    assert sheet is not None

    assert kinds(outputs) == [{VIEW, "text/plain"}, {"image/jpeg", "text/plain"}, {"text/plain", "text/html"}]
    assert base64.b64decode(outputs[1]["data"]["image/jpeg"]) == sheet.data
    names = [line.rpartition("/")[2] for line in outputs[2]["data"]["text/plain"].splitlines()]
    assert names == [each.path.name for each in made[1:]]


def test_a_job_updates_the_outputs_in_place(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """The picture and its caption, where the empty ones stood; that is what is saved."""
    displayed.generate().ends()
    displayed.settle()
    (drawn, caption) = outputs[3:]

    assert [each["update"] for each in (drawn, caption)] == [True, True]
    assert [place(each) for each in (drawn, caption)] == [place(each) for each in outputs[1:3]]
    assert set(drawn["data"]) == {"image/jpeg", "text/plain"}
    assert drawn["data"]["text/plain"] == "an otter"
    assert drawn["metadata"]["image/jpeg"]["alt"] == "an otter"
    assert "64×48 png" in caption["data"]["text/plain"]


def test_what_did_not_change_is_not_sent_again(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """A look at the store is no reason to."""
    displayed.generate().ends()
    displayed.settle()
    before = len(outputs)
    displayed.refresh()

    assert len(outputs) == before


def test_without_inline_pictures_there_is_none_in_the_notebook(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """The caption is."""
    ImageGen.instance().inline = "none"
    displayed.generate().ends()
    displayed.settle()

    assert not [kind for each in kinds(outputs) for kind in each if kind.startswith("image/")]
    assert "64×48 png" in outputs[-1]["data"]["text/plain"]


def test_a_panel_that_is_not_shown_updates_nothing(
    served: Gateway, open_panel: Callable[[], Hands], outputs: list[dict[str, Any]]
) -> None:
    """It has no place in a cell."""
    open_panel().generate().ends()

    assert outputs == []
    assert len(served.posts) == 1


# --- a cell that is run again


@pytest.fixture
def cell(shell: Any, served: Gateway) -> Callable[..., Hands]:
    """Run a cell with a panel in it, under its id."""
    assert served.asked == []
    shell.run_line_magic("load_ext", "jupyter_imagegen")

    def run(cell_id: str = "c1") -> Hands:
        shell.run_cell(
            "import jupyter_imagegen as ig; panel = ig.panel()", cell_id=cell_id, store_history=True
        ).raise_error()
        hands = Hands(shell.user_ns["panel"])
        hands.page_opens()
        return hands

    return run


def workers() -> int:
    """How many panels have a thread."""
    return sum(thread.name == "imagegen-panel" for thread in threading.enumerate())


def test_a_cell_that_is_run_again_closes_what_it_showed(cell: Callable[..., Hands]) -> None:
    """Every widget of it and its thread: however often it is run, there is one panel."""
    first = cell()
    first.generate().ends()
    widgets = first.widgets
    second = cell()
    gone = {id(each) for each in widgets} - {id(each) for each in second.widgets}
    until(lambda: workers() == 1, "the end of the first worker")
    before = len(_instances)
    cell()
    until(lambda: workers() == 1, "the end of the second worker")

    assert all(each.comm is None for each in widgets if id(each) in gone)
    assert len(_instances) == before


def test_another_cell_has_a_panel_of_its_own(cell: Callable[..., Hands]) -> None:
    """Both live."""
    first, second = cell("c1"), cell("c2")

    assert all(each.comm is not None for each in (*first.widgets, *second.widgets))


def test_two_panels_of_one_cell_live_until_it_is_run_again(cell: Callable[..., Hands], shell: Any) -> None:
    """A cell may show more than one; all of them are closed then."""
    cell()
    shell.run_cell("pair = ig.panel(), ig.panel()", cell_id="c1", store_history=True).raise_error()
    pair = [Hands(panel) for panel in shell.user_ns["pair"]]
    assert all(each.comm is not None for hands in pair for each in hands.widgets)
    cell()

    until(lambda: workers() == 1, "the end of their workers")

    assert [hands.panel.widget.comm for hands in pair] == [None, None]


def test_a_panel_that_cannot_be_filled_leaves_nothing(served: Gateway, tmp_path: Path) -> None:
    """Neither widgets nor a thread."""
    lab = tmp_path / "imagegen.toml"
    lab.write_text(f'[providers.lab]\nbase_url = "{served.url}"\n')
    made = ig.generate("an otter", provider="lab", model="m")
    lab.unlink()
    before = len(_instances)
    with pytest.raises(ig.ImageGenError, match="no provider 'lab'"):
        ig.panel(made)

    assert len(_instances) == before
    until(lambda: workers() == 0, "the end of its worker")


def test_jobs_under_way_go_on_in_the_panel_that_is_shown_next(cell: Callable[..., Hands], served: Gateway) -> None:
    """Their rows move, and each can be cancelled there, and removed; one that waited is still sent."""
    served.rule = lambda _: Hang()
    first = cell()
    row = first.generate()
    served.wait_for_request()
    second = cell()
    assert first.rows == []
    assert [each.head.rpartition(" · ")[2] for each in second.rows] == ["an otter"]
    assert all(each.comm is not None for each in second.widgets)
    second.rows[0].press("Cancel")
    second.rows[0].ends()
    assert served.hung_up.wait(30)
    assert row.lines == second.rows[0].lines
    second.rows[0].press("Remove")

    assert second.rows == []
    assert ig.history().status.tolist() == ["cancelled"]


def test_a_job_that_ends_in_the_next_panel_is_in_its_gallery(cell: Callable[..., Hands], served: Gateway) -> None:
    """It looks at the jobs that it took over."""
    free = threading.Event()

    def rule(_: object) -> Said:
        free.wait(60)
        return Said(answer(picture()))

    served.rule = rule
    cell().generate()
    second = cell()
    free.set()
    second.rows[0].ends()
    second.settle()

    assert len(second.tiles) == 1


def test_what_a_cell_makes_comes_into_the_gallery(cell: Callable[..., Hands], shell: Any, served: Gateway) -> None:
    """And what it says of it, when the cell has ended; a cell that makes nothing is no reason to read the store."""
    hands = cell()
    shell.run_cell("made = ig.generate('a seal')").raise_error()
    hands.settle()
    assert [button.tooltip for _, button in hands.tiles] == ["Open: a seal"]
    shell.run_cell("ig.rate(made, 4)").raise_error()
    hands.settle()

    assert [button.description for _, button in hands.tiles] == ["★★★★ a seal"]
    assert len(served.posts) == 1


# --- what it costs those who do not use it


def test_the_name_of_the_panel_loads_no_widgets() -> None:
    """Only the first panel does."""
    code = (
        "import json, sys; import jupyter_imagegen as ig; ig.panel; "
        "print(json.dumps([name for name in ('ipywidgets', 'PIL', 'pandas', 'httpx2') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []


def test_a_panel_in_a_script_is_a_line_of_text(served: Gateway) -> None:
    """It can be made and used there; nothing is shown."""
    hands = Hands(ig.panel())
    hands.field(PATH).value = ""
    hands.type(prompt="an otter")
    hands.press("Generate")
    hands.rows[0].ends()

    assert repr(hands.shown).startswith("The panel of jupyter-imagegen.")
    assert photograph().store.is_dir()
    assert len(served.posts) == 1


def test_what_is_forgotten_is_gone_from_the_panel(displayed: Hands, outputs: list[dict[str, Any]]) -> None:
    """From the row of its job, from the picture that is open, and from what stays in the notebook."""
    displayed.generate().ends()
    displayed.settle()
    displayed.open(0)
    assert displayed.sees(displayed.part("jig-view"))
    assert outputs[-2]["data"]["text/plain"] == "an otter"
    ig.forget(str(ig.history().id.iloc[0]))
    displayed.refresh()

    assert displayed.rows == []
    assert displayed.tiles == []
    assert not displayed.sees(displayed.part("jig-view"))
    assert displayed.large == ""
    assert [each["data"]["text/plain"] for each in outputs[-2:]] == ["", ""]
    assert not [kind for kind in kinds(outputs)[-2] if kind.startswith("image/")]


def test_a_panel_that_is_closed_hears_of_no_more_cells(cell: Callable[..., Hands], shell: Any) -> None:
    """Nor is it kept alive by them."""
    heard = len(shell.events.callbacks["post_run_cell"])
    hands = cell()
    assert len(shell.events.callbacks["post_run_cell"]) == heard + 1
    hands.shown.close()

    assert len(shell.events.callbacks["post_run_cell"]) == heard


def test_a_cell_is_known_by_the_kernels_request_too(
    served: Gateway, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extension need not be loaded."""
    asked = {"metadata": {"cellId": "c1"}}
    monkeypatch.setattr(shell, "kernel", SimpleNamespace(get_parent=lambda: asked), raising=False)
    panels = []
    for _ in range(2):
        shell.run_cell("import jupyter_imagegen as ig; panel = ig.panel()", store_history=True).raise_error()
        panels.append(shell.user_ns["panel"])
    until(lambda: panels[0]._board.widget.comm is None, "the end of the first panel")

    assert panels[1]._board.widget.comm is not None
    assert served.asked == []


def test_a_store_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    """Neither widgets nor a thread: it is an error of the cell."""
    (tmp_path / "imagegen").mkdir()
    (tmp_path / "imagegen" / "journal").write_text("no folder")
    before = len(_instances)
    with pytest.raises(errors.StoreError):
        ig.panel()

    assert len(_instances) == before
    until(lambda: workers() == 0, "the end of its worker")
