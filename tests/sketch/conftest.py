"""A really served endpoint, and clients of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx2
import openai
import pytest
from PIL import Image
from sketch.pictures import png_of


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The base URL of an endpoint in a process of its own, as people start it."""
    command = [sys.executable, "-m", "jupyter_imagegen.sketch", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="session")
def http(base_url: str) -> Iterator[httpx2.Client]:
    """A plain client of the endpoint; proxies of the machine are not for the loopback."""
    with httpx2.Client(base_url=base_url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def sdk(base_url: str) -> Iterator[openai.OpenAI]:
    """The official SDK, pointed at the endpoint."""
    transport = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=base_url, api_key="any", max_retries=0, http_client=transport) as client:
        yield client


@pytest.fixture
def red_png() -> bytes:
    """A red picture of 96 x 80 pixels."""
    return png_of(Image.new("RGB", (96, 80), (200, 30, 30)))


@pytest.fixture
def mask_png() -> bytes:
    """A mask for it that is open (alpha 0) on the left half."""
    mask = Image.new("RGBA", (96, 80), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 48, 80))
    return png_of(mask)
