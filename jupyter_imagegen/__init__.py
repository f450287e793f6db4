"""Generate images from notebook cells against any OpenAI-compatible endpoint, and keep a history of each.

    %load_ext jupyter_imagegen

gives `%%imagegen`; `generate`, `agenerate` and `history` do the same from Python. Everything is loaded when it is
first used, so that loading the extension costs a few milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import agenerate, generate, history
    from .errors import ImageGenError
    from .records import Record
    from .result import Picture, Result

__version__ = "0.1.0"

__all__ = ["ImageGenError", "Picture", "Record", "Result", "agenerate", "generate", "history"]

_HOMES = {
    "ImageGenError": "errors",
    "Picture": "result",
    "Record": "records",
    "Result": "result",
    "agenerate": "api",
    "generate": "api",
    "history": "api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (each name has its own type)
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "load_ipython_extension", "unload_ipython_extension"])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics, their completion and the settings to a shell."""
    from .extension import load  # noqa: PLC0415

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take them away again."""
    from .extension import unload  # noqa: PLC0415

    unload(shell)
