"""An answer while it arrives: the pictures of a stream are kept as they come, its previews are shown."""

from __future__ import annotations

from collections.abc import Callable

from .answer import Answer, Delivered, Glimpse, Reading, read
from .endpoint import Endpoint
from .keys import Secret
from .reply import Reply
from .request import ImageRequest

Keep = Callable[[int, Delivered], None]
"""Keeps a finished picture, by its place in the answer."""

See = Callable[[int, bytes], None]
"""Is shown a preview of the picture at a place in the ask."""


class Arrival:
    """What has come of one answer; the client hands it each part."""

    def __init__(self, request: ImageRequest, endpoint: Endpoint, key: Secret | None, keep: Keep, see: See) -> None:
        self._wanted = request.n
        self._keep = keep
        self._see = see
        self._reading = Reading(endpoint.base_url, "", key)

    def take(self, part: bytes) -> None:
        """Keep and show what these bytes complete."""
        place = self._reading.received
        for found in self._reading.feed(part):
            match found:
                case Glimpse():
                    self._see(place, found.data)
                case Delivered():
                    self._keep(place, found)
                    if self._wanted > 1 and found.data is not None:
                        # The others are still being painted: it is seen among them until all are there.
                        self._see(place, found.data)
                    place += 1

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
