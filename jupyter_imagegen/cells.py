"""Which notebook and cell are running, and the guard over what an interrupted cell leaves behind.

Identity is optional and never a key: a front end may send none, and nothing is asked over the network.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from .bridge import cancel_cell
from .place import Place

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

_numbers: Final = itertools.count(1)


@dataclass(slots=True)
class _Running:
    """The outermost cell that is being run."""

    number: int | None = None
    cell_id: str | None = None


_running: Final = _Running()


def watch(shell: InteractiveShell) -> None:
    """Follow the shell's cells."""
    shell.events.register("pre_run_cell", _pre_run_cell)
    shell.events.register("post_run_cell", _post_run_cell)


def unwatch(shell: InteractiveShell) -> None:
    """No longer follow the shell's cells."""
    shell.events.unregister("pre_run_cell", _pre_run_cell)
    shell.events.unregister("post_run_cell", _post_run_cell)
    _running.number = _running.cell_id = None  # the end of this cell is not heard of any more


def current() -> int | None:
    """The number of the cell whose code is calling; None in a callback, a thread and outside a kernel.

    ipykernel 7.4 runs widget callbacks on the main thread in the middle of a cell that awaits: only a frame of
    run_code on the stack says that the cell itself is calling.
    """
    return _running.number if _is_in_cell(sys._getframe()) else None  # noqa: SLF001


def is_interrupted() -> bool:
    """Whether the cell whose code is calling was cancelled by the stop button, and not by its own asyncio.timeout.

    ipykernel turns an interrupt of an awaiting cell into a plain cancellation, and says so only in a future that its
    SIGINT handler closes over. Where that is not found, False: the cancellation goes on as what it is.
    """
    if current() is None:
        return False
    handler = signal.getsignal(signal.SIGINT)
    held = (variable.cell_contents for variable in getattr(handler, "__closure__", None) or ())
    return any(isinstance(value, asyncio.Future) and value.done() for value in held)


def place(shell: InteractiveShell | None, named: str | None, store: Path) -> Place:
    """The notebook (setting, VS Code, Jupyter session), the cell and its number; each None where it is not known."""
    notebook = named or _notebook(shell, store)
    if shell is None or not _is_in_cell(sys._getframe()):  # noqa: SLF001
        return Place(notebook=notebook)
    cell_id = _running.cell_id if _running.number is not None else _asked_by(shell)
    return Place(notebook=notebook, cell_id=_without_path(cell_id), execution_count=_execution_count(shell))


def _asked_by(shell: InteractiveShell) -> str | None:
    """The id of the cell where nobody follows the cells, as the extension is not loaded: the kernel has its request."""
    request: Any = getattr(getattr(shell, "kernel", None), "get_parent", dict)()
    found = request.get("metadata", {}).get("cellId") if isinstance(request, dict) else None
    return found if isinstance(found, str) else None


def _without_path(cell_id: str | None) -> str | None:
    """VS Code names a cell by an address with the folders of this machine in it: what follows `#` is the cell."""
    return cell_id.rpartition("#")[2] or None if cell_id is not None and re.search(r"[/\\]", cell_id) else cell_id


def _execution_count(shell: InteractiveShell) -> int:
    """The number in `In [n]`. IPython 9 raises shell.execution_count before the cell runs, IPython 8 after it."""
    typed = shell.history_manager.input_hist_parsed if shell.history_manager is not None else ()
    return len(typed) - 1 if typed else shell.execution_count


def _notebook(shell: InteractiveShell | None, store: Path) -> str | None:
    names = {} if shell is None else shell.user_ns
    found = names.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(found, str) or not found:
        return None
    # Relative to the folder beside which the store lies, so that a folder that is copied keeps its history.
    # A name that is no UTF-8 is recorded as far as it is: it must not keep a call from being made.
    path, beside = Path(found.encode("utf-8", "replace").decode()), store.parent
    return path.relative_to(beside).as_posix() if path.is_relative_to(beside) else path.as_posix()


def _pre_run_cell(info: ExecutionInfo) -> None:
    if not _is_in_cell(sys._getframe()):  # noqa: SLF001
        _running.number = next(_numbers)
        _running.cell_id = info.cell_id


def _post_run_cell(result: ExecutionResult | None) -> None:
    """The last guard: IPython and nested loops can leave an awaited call running when they raise KeyboardInterrupt."""
    if _is_in_cell(sys._getframe()):  # noqa: SLF001
        return
    number, _running.number = _running.number, None
    error: Any = getattr(result, "error_in_exec", None)
    if number is not None and isinstance(error, KeyboardInterrupt):
        cancel_cell(number)


def _is_in_cell(frame: FrameType | None) -> bool:
    run_code = _run_code()
    while frame is not None:
        if frame.f_code is run_code:
            return True
        frame = frame.f_back
    return False


def _run_code() -> CodeType | None:
    module = sys.modules.get("IPython.core.interactiveshell")
    return None if module is None else module.InteractiveShell.run_code.__code__


def is_timed() -> bool:
    """Whether timeit is on the stack: what costs would run as many times as it likes."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__") == "timeit" or frame.f_code.co_filename == "<magic-timeit>":
            return True
        frame = frame.f_back
    return False
