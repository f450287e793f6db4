"""Which notebook a call comes from: the setting, VS Code, the Jupyter session, else unknown; never an error."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_imagegen import cells


def shell(**names: object) -> Any:
    """A shell with these names in it."""
    return cast("Any", SimpleNamespace(user_ns=names))


def test_the_setting_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a person says is not looked for."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/elsewhere/a.ipynb")
    found = cells.place(shell(__vsc_ipynb_file__="/elsewhere/b.ipynb"), "mine", tmp_path / "imagegen")
    assert found.notebook == "mine"


def test_vs_code_says_it_before_the_jupyter_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """VS Code's own variable is the fresher one."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a.ipynb"))
    found = cells.place(shell(__vsc_ipynb_file__=str(tmp_path / "b.ipynb")), None, tmp_path / "imagegen")
    assert found.notebook == "b.ipynb"


def test_a_notebook_is_named_from_the_folder_that_holds_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that a folder that is copied to another place keeps its history."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "sub" / "a.ipynb"))
    assert cells.place(None, None, tmp_path / "imagegen").notebook == "sub/a.ipynb"


def test_a_notebook_elsewhere_keeps_its_whole_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the store is shared from another folder."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/elsewhere/a.ipynb")
    assert cells.place(None, None, tmp_path / "imagegen").notebook == "/elsewhere/a.ipynb"


@pytest.mark.parametrize("value", ["", None])
def test_an_unknown_notebook_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None) -> None:
    """Nbclient and papermill say nothing, and that is no error."""
    if value is not None:
        monkeypatch.setenv("JPY_SESSION_NAME", value)
    assert cells.place(shell(__vsc_ipynb_file__=3), None, tmp_path / "imagegen").notebook is None


def test_outside_a_cell_there_is_no_cell(tmp_path: Path) -> None:
    """A script and a callback have neither number nor id."""
    found = cells.place(None, None, tmp_path / "imagegen")
    assert (cells.current(), found.cell_id, found.execution_count) == (None, None, None)
