"""Serve the endpoint: `python -m jupyter_imagegen.sketch`.

Prints one line, the base URL, once connections are accepted. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .asgi import Endpoint
from .exchange import Receive, Scope, Send

if TYPE_CHECKING:
    import uvicorn


class _Stoppable(Endpoint):
    """The endpoint, ended without a traceback when the server stops while it paints.

    Only here, where nothing above awaits it: elsewhere a cancellation must be heard.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        with contextlib.suppress(asyncio.CancelledError):
            await super().__call__(scope, receive, send)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; the exit status is 0, or 1 if it could not be served."""
    options = _parser().parse_args(arguments)
    try:
        import uvicorn  # noqa: PLC0415  an optional extra
    except ImportError:
        print(  # noqa: T201
            'To serve the endpoint, install uvicorn: pip install ".[serve]"', file=sys.stderr
        )
        return 1
    try:
        listening = _listening(options.host, options.port)
    except OSError as error:
        print(f"Cannot listen on {options.host} port {options.port}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    config = uvicorn.Config(_Stoppable(delay=options.delay), log_level="warning", timeout_graceful_shutdown=2)
    with listening, contextlib.suppress(KeyboardInterrupt):
        _announcing(config, _base_url(options.host, listening)).run([listening])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jupyter_imagegen.sketch",
        description="Serve an endpoint that speaks the OpenAI images protocol and paints its own pictures.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, picks a free one")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="time to take for each picture")
    return parser


def _listening(host: str, port: int) -> socket.socket:
    """A socket that is bound and listens, so that whoever reads the URL can connect at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _base_url(host: str, listening: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}/v1"


def _announcing(config: uvicorn.Config, base_url: str) -> uvicorn.Server:
    """A server that prints its URL when it has started."""
    import uvicorn  # noqa: PLC0415  an optional extra

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(base_url, flush=True)  # noqa: T201

    return Announcing(config)


if __name__ == "__main__":
    sys.exit(main())
