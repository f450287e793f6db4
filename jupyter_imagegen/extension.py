"""What `%load_ext jupyter_imagegen` adds to a shell: magics, completion, settings, the guard, the HTTP thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import cells, tab
from .bridge import http_loop
from .magic import ImageGenMagics
from .questions import keep_question_marks
from .traits import ImageGen

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Add everything, once."""
    settings = ImageGen.instance(parent=shell)
    settings.parent = shell
    settings.update_config(shell.config)  # where the Python door was used before, the config file was not read yet
    if settings not in _configurables(shell):
        _configurables(shell).append(settings)
        cells.watch(shell)
        shell.input_transformers_cleanup.append(keep_question_marks)
    shell.register_magics(ImageGenMagics)
    tab.install(shell)
    # Started here, so that no cell can be interrupted in the middle of starting it.
    http_loop()


def unload(shell: InteractiveShell) -> None:
    """Take everything away; calls that are under way go on."""
    settings = ImageGen.instance()
    if settings in _configurables(shell):
        _configurables(shell).remove(settings)
        cells.unwatch(shell)
        shell.input_transformers_cleanup.remove(keep_question_marks)
    tab.remove(shell)
    lines = ("imagegen", "imagegen_history", "imagegen_models", "imagegen_panel")
    for kind, names in {"line": lines, "cell": ("imagegen",)}.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)


def _configurables(shell: InteractiveShell) -> list[Any]:
    """What `%config` lists; IPython's annotation of it knows only shells."""
    return shell.configurables
