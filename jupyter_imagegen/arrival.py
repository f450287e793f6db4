"""An answer while it arrives: its pictures leave the body as they come, those of a stream are kept, previews shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from .answer import Answer, Delivered, Glimpse, Reading, read
from .ask import Ask
from .blobs import ARRIVING, IMAGES, Spilled
from .divert import Diversion
from .events import Beginning
from .order import Order
from .reply import Reply
from .spill import Spill

Keep = Callable[[int, Delivered], None]
"""Keeps a finished picture, by its place in the answer."""

See = Callable[[int, bytes], None]
"""Is shown a preview of the picture at a place in the ask."""


class Arrival:
    """What has come of one answer; the client hands it each part."""

    def __init__(self, ask: Ask, order: Order, threads: Executor, keep: Keep, see: See) -> None:
        self._diverted: list[bytes | Spilled] = []
        self._fed = b""
        self._wanted = order.request.n
        self._name = f"{ARRIVING}-{order.call_id}"
        self._folder = ask.store / IMAGES
        self._keep = keep
        self._see = see
        self._beginning = Beginning()
        self._spills: list[Spill] = []
        self._threads = threads
        self._diversion = Diversion(self._begun)
        begun = Reply(status=200, headers=(), body=b"", base_url=ask.endpoint.base_url, key=ask.key, nonce=self.nonce)
        self._reading = Reading(begun)

    @property
    def diverted(self) -> tuple[bytes | Spilled, ...]:
        """The pictures that left the body, in the order of their marks."""
        return tuple(self._diverted)

    @property
    def nonce(self) -> str:
        """That of the marks in the body."""
        return self._diversion.nonce

    async def take(self, part: bytes) -> bytes:
        """Keep and show what these bytes complete; what of them stays in the body. Raises StoreError."""
        if self._beginning.look(part) not in ("json", "events"):
            self._fed += part
            return self._handed_on()
        self._fed += self._diversion.feed(part)
        await self._settle()
        return self._handed_on()

    async def close(self) -> bytes:
        """The last bytes of the body, once no more come; also what a cancelled `take` left. Raises StoreError."""
        await self._settle()
        self._fed += self._diversion.close()
        return self._handed_on()

    def is_over(self) -> bool:
        """Whether a stream has said its end."""
        return self._reading.is_over

    def is_enough(self) -> bool:
        """Whether a stream has brought as many pictures as were asked for, or an error: more may still come."""
        return self._reading.is_stream and (self._reading.received >= self._wanted or self._reading.has_failed)

    def received(self) -> int:
        """How many pictures a stream has brought, those that failed included."""
        return self._reading.received

    def answer(self, reply: Reply) -> Answer:
        """The whole answer, which is not read twice where it was a stream. Raises as `answer.read` does."""
        return self._reading.finish() if self._reading.is_stream else read(reply)

    async def discard(self) -> None:
        """Remove the temporary files: what is kept has another name by now."""
        for spill in self._spills:
            await spill.discard()

    def _begun(self) -> Spill:
        is_preview = self._beginning.kind == "events"
        self._spills.append(Spill(self._folder / self._name, self._threads, is_preview=is_preview))
        return self._spills[-1]

    async def _settle(self) -> None:
        """Wait for the pictures that are whole, and for the disk where it is slower than the answer."""
        for spill in self._diversion.ended[len(self._diverted) :]:
            self._diverted.append(await spill.content())
        if self._diversion.into is not None:
            await self._diversion.into.settle()

    def _handed_on(self) -> bytes:
        """What was fed and not handed on yet, looked at: in a wait between the two a call may be cancelled."""
        part, self._fed = self._fed, b""
        self._look(part)
        return part

    def _look(self, part: bytes) -> None:
        place = self._reading.received
        for found in self._reading.feed(part, self.diverted):
            match found:
                case Glimpse():
                    self._show(place, found.data)
                case Delivered():
                    self._keep(place, found)
                    if self._wanted > 1 and found.data is not None:
                        # The others are still being painted: it is seen among them until all are there.
                        self._show(place, found.data)
                    place += 1

    def _show(self, place: int, content: bytes | Spilled) -> None:
        if isinstance(content, bytes):
            self._see(place, content)
            return
        with suppress(OSError):  # a preview less
            self._see(place, content.path.read_bytes())
