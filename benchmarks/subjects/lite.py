"""litellm, as its documentation shows it: image_generation with an address, then base64.b64decode of each picture."""

from __future__ import annotations

import base64

import litellm

from .serving import Figures, serve
from .stopwatch import growth, typical


def _generate(url: str, pictures: int = 1) -> list[bytes]:
    answer = litellm.image_generation(
        model="openai/any", prompt="otter", size="1024x1024", n=pictures, api_base=url, api_key="none", max_retries=0
    )
    return [base64.b64decode(picture.b64_json) for picture in answer.data]


def call(url: str, pictures: int, times: int) -> Figures:
    """Request -> bytes in memory, over a connection that was opened before if it keeps one."""
    _generate(url, pictures)
    return typical(lambda: _generate(url, pictures), times)


def memory(small: str, url: str, pictures: int, pictures_bytes: int) -> Figures:
    """The growth of one call after a small one."""
    _generate(small)
    return growth(lambda: _generate(url, pictures), pictures_bytes)


if __name__ == "__main__":
    serve(call=call, memory=memory)
