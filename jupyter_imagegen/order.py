"""Order: one paid call as it is handed to the client, its headers, and who looks at its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from . import __version__
from .blobs import Spilled
from .endpoint import Endpoint
from .keys import Secret
from .reply import Reply
from .request import ImageRequest


class Taker(Protocol):
    """Whoever looks at an answer while it arrives."""

    async def take(self, part: bytes) -> bytes:
        """The next bytes of a success; what of them is to be collected. Raises StoreError."""

    async def close(self) -> bytes:
        """The last bytes that are to be collected, once no more come. Raises StoreError."""

    @property
    def nonce(self) -> str:
        """That of the marks which stand for what is not collected."""

    @property
    def diverted(self) -> tuple[bytes | Spilled, ...]:
        """What is not collected."""

    def is_over(self) -> bool:
        """Whether the answer has said its end: what else comes is not waited for."""

    def is_enough(self) -> bool:
        """Whether everything that was asked for is there, or an error, although the answer may go on."""

    def received(self) -> int:
        """How many pictures are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One paid call as it is handed over: what to post, where, with which key, and for how long to wait."""

    request: ImageRequest
    endpoint: Endpoint
    key: Secret | None
    call_id: str
    timeout_s: float


@dataclass(slots=True)
class Attempts:
    """How often one call was posted, and whether its last POST had begun to leave this machine."""

    made: int = 0
    has_left: bool = False
    is_doubtful: bool = False
    """Whether an attempt before was answered in a way that does not rule out that it was worked on."""
    is_waiting: bool = False
    """Whether it was answered that it has to wait."""
    partial: Reply | None = None
    """What had come of an answer when its connection was cut or given up."""


def key_header(order: Order) -> dict[str, str]:
    """The header that carries the key, under the name that the provider reads."""
    name = order.endpoint.provider.key_header
    if order.key is None:
        return {}
    return {name: f"Bearer {order.key.reveal()}" if name == "Authorization" else order.key.reveal()}


def headers(order: Order) -> dict[str, str]:
    """The headers of the POST."""
    return {
        "Accept": "application/json, text/event-stream" if order.request.is_stream else "application/json",
        # A stream that is packed comes in lumps, and may come unasked. Pictures do not pack anyway.
        "Accept-Encoding": "identity",
        "Content-Type": order.request.content_type,
        "User-Agent": f"jupyter-imagegen/{__version__}",
        # One for each call and the same for each of its attempts: a gateway that knows it can tell them apart
        # from a second order. x-litellm-num-retries keeps a LiteLLM proxy from sending one call three times.
        "Idempotency-Key": order.call_id,
        "x-litellm-num-retries": "0",
        **key_header(order),
    }
