"""The embedded endpoint: speaks the OpenAI images protocol and paints deterministic pictures.

`app` is an ASGI application, so it runs under any ASGI server (`python -m jupyter_imagegen.sketch` starts
one) and inside a process without any. It imports nothing from the rest of the package: it is an independent
witness of the protocol. Pillow is imported with the first picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asgi import Endpoint, app

__all__ = ["Endpoint", "app"]


def __getattr__(name: str) -> object:
    """Import the endpoint when it is first asked for."""
    if name in __all__:
        from . import asgi  # noqa: PLC0415  importing the package is cheap

        return getattr(asgi, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
