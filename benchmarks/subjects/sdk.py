"""The official SDK, used as its documentation shows: the answer, then base64.b64decode of each picture."""

from __future__ import annotations

import asyncio
import base64
import time

from openai import AsyncOpenAI, OpenAI
from openai.types import ImageGenCompletedEvent, ImagesResponse

from .serving import Figures, serve
from .stopwatch import after_final, growth, many, many_at_once, timed, typical, typical_async


def _client(url: str) -> OpenAI:
    return OpenAI(base_url=url, api_key="none", max_retries=0)


def _aclient(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url, api_key="none", max_retries=0)


def _decoded(answer: ImagesResponse) -> list[bytes]:
    return [base64.b64decode(picture.b64_json or "") for picture in answer.data or ()]


def _generate(client: OpenAI, pictures: int = 1) -> list[bytes]:
    return _decoded(client.images.generate(model="any", prompt="otter", size="1024x1024", n=pictures))


async def _agenerate(client: AsyncOpenAI, pictures: int = 1) -> list[bytes]:
    return _decoded(await client.images.generate(model="any", prompt="otter", size="1024x1024", n=pictures))


def call(url: str, pictures: int, times: int) -> Figures:
    """Request -> bytes in memory, over a connection that was opened before."""
    with _client(url) as client:
        _generate(client, pictures)
        return typical(lambda: _generate(client, pictures), times)


def call_async(url: str, pictures: int, times: int) -> Figures:
    """The same, awaited."""

    async def measured() -> Figures:
        async with _aclient(url) as client:
            await _agenerate(client, pictures)
            return await typical_async(lambda: _agenerate(client, pictures), times)

    return asyncio.run(measured())


def memory(small: str, url: str, pictures: int, pictures_bytes: int) -> Figures:
    """The growth of one call after a small one."""
    with _client(small) as client:
        _generate(client)
    with _client(url) as client:
        return growth(lambda: _generate(client, pictures), pictures_bytes)


def calls(url: str, calls: int, at_once: int, latency_s: float) -> Figures:
    """Many calls together, over one client."""

    async def all_of_them() -> None:
        async with _aclient(url) as client:
            await many_at_once(lambda: _agenerate(client), calls, at_once)

    measured = timed(lambda: asyncio.run(all_of_them()))
    return many(measured, calls=calls, at_once=at_once, latency_s=latency_s)


def stream(url: str, times: int) -> Figures:
    """Final event sent -> bytes in memory."""
    with _client(url) as client:
        return after_final(url, lambda: _streamed(client), times)


def _streamed(client: OpenAI) -> int:
    events = client.images.generate(model="any", prompt="otter", size="1024x1024", stream=True, partial_images=3)
    for event in events:
        picture = base64.b64decode(event.b64_json)
        if isinstance(event, ImageGenCompletedEvent):
            assert picture  # noqa: S101  (a stream that ends without one is no figure)
    return time.monotonic_ns()


if __name__ == "__main__":
    serve(call=call, call_async=call_async, memory=memory, calls=calls, stream=stream)
