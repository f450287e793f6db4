"""The pictures that a page shows, as pixels: what the browser decoded, not what it was given."""

from __future__ import annotations

import base64
import time
from io import BytesIO
from typing import Final

from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator

TIMEOUT_S: Final = 30.0

# Of 255, in the mean of the worst channel. A preview is smaller than its picture, and lossy.
NEAR: Final = 6.0
_COMPARED: Final = (64, 64)

_PAINT: Final = """async (image) => {
  try { await image.decode(); } catch { return null; }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


def pixels(image: Locator) -> Image.Image | None:
    """The picture of an <img> in its own size; None while it has none, or one that cannot be decoded."""
    painted = image.evaluate(_PAINT)
    return opened(base64.b64decode(painted)) if painted else None


def opened(data: bytes) -> Image.Image:
    """A picture, decoded."""
    return Image.open(BytesIO(data)).convert("RGBA")


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are apart, whatever their sizes: 0 for the same, 255 for black and white."""
    small = [each.convert("RGB").resize(_COMPARED, Image.Resampling.BOX) for each in (one, other)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


def wait_until_shown(image: Locator, data: bytes) -> Image.Image:
    """Wait until an <img> shows this picture, or a small copy of it; returns what it shows.

    Raises AssertionError, with the distance, when it does not within half a minute.
    """
    wanted, until = opened(data), time.monotonic() + TIMEOUT_S
    while True:
        shown = pixels(image)
        apart = distance(shown, wanted) if shown else None
        if shown and apart is not None and apart <= NEAR:
            return shown
        assert time.monotonic() < until, f"the page does not show the picture; it is {apart} from what it shows"
        image.page.wait_for_timeout(50)
