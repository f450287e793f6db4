"""Widgets that are heard while a cell runs, where front end and kernel can do that."""

from __future__ import annotations

from typing import Any, Final

from ..shell import running_shell

Widget = Any
"""A widget of ipywidgets, which has no annotations."""


_used: Final[list[str]] = []
"""The one subshell through which widgets are heard."""


def heard_at_once(widget: Widget) -> Widget:
    """The same widget; what a page says to it need not wait for the main shell.

    JupyterLab and Notebook send the messages of all widgets through one subshell, which is free while a cell runs, and
    keeps their order. ipykernel 7.4 hands some of them to the main shell all the same, which waits for the cell and
    knows nothing of what overtakes it. That is a private name there: without it, everything waits for the cell, in
    order. So does what comes through a second subshell, of another page or, by a setting, of another widget.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda _, subshell: subshell if _is_the_one(subshell) else None  # noqa: SLF001
    return widget


def _is_the_one(subshell: str | None) -> bool:
    """Whether the kernel has this subshell, and no other one is used: what is sent to one that is gone is lost."""
    thread = getattr(getattr(running_shell(), "kernel", None), "shell_channel_thread", None)
    there = thread.manager.list_subshell() if thread is not None else ()
    if subshell is None or subshell not in there:
        return False
    if not _used or _used[0] not in there:
        _used[:] = [subshell]
    return _used[0] == subshell
