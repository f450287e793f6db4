"""One request to the embedded endpoint, in this process: its application runs as a task, its answer comes in parts."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Exchange:
    """One request to the embedded endpoint: what it receives, and a queue of what it sends."""

    body: bytes
    messages: asyncio.Queue[MutableMapping[str, Any]] = field(default_factory=lambda: asyncio.Queue(maxsize=1))
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    is_received: bool = False

    @classmethod
    def begin(cls, scope: MutableMapping[str, Any], body: bytes) -> Exchange:
        """Start the endpoint on one request."""
        from .sketch import app  # noqa: PLC0415  (the painter is loaded when it is first asked)

        exchange = cls(body)
        exchange.task = asyncio.create_task(app(scope, exchange.receive, exchange.send))
        return exchange

    async def receive(self) -> MutableMapping[str, Any]:
        """The request, once; then, when nobody listens any more, that it is over."""
        if self.is_received:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self.is_received = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """One part of the answer; it waits until the part before is taken."""
        await self.messages.put(message)

    async def next_message(self) -> MutableMapping[str, Any]:
        """What the endpoint sends next. Raises what the endpoint raised, when it ended without sending."""
        assert self.task is not None  # noqa: S101  (for the type checker; the transport sets it first)
        coming = asyncio.ensure_future(self.messages.get())
        try:
            await asyncio.wait((coming, self.task), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            self.task.result()
            raise RuntimeError("the embedded endpoint ended without an answer")  # noqa: TRY301
        except BaseException:
            await self.close()
            raise
        finally:
            coming.cancel()

    async def close(self) -> None:
        """Tell the endpoint that nobody listens, and end it."""
        self.gone.set()
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait((self.task,))
