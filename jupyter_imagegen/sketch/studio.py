"""From a valid request to bytes: the one road from the protocol to the brush, and the first to import Pillow.

Everything here takes time and runs in a thread; nothing here knows of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import paint, retouch
from .answer import Terms
from .picture import Picture, compose, seed_of
from .references import natural_size, opened
from .uploads import Uploads
from .wire import Asked

DEFAULT_SIZE = (1024, 1024)


@dataclass(frozen=True, slots=True)
class Commission:
    """What is to be painted: the request, the size that it comes to, and for an edit what was sent."""

    asked: Asked
    size: tuple[int, int]
    sitting: retouch.Sitting | None = None

    def picture(self, index: int) -> Picture:
        """The picture at a place in the answer."""
        asked = self.asked
        return compose(
            prompt=asked.prompt,
            negative=asked.negative_prompt,
            seed=seed_of(asked.prompt) if asked.seed is None else asked.seed,
            index=index,
            size=self.size,
            quality=asked.quality,
            background=asked.background,
            style=asked.style,
        )

    def terms(self) -> Terms:
        """What the answer says about the request."""
        sent = self.sitting.references if self.sitting else ()
        patches = sum(-(-picture.width // 32) * -(-picture.height // 32) for picture in sent)
        return Terms(self.asked, self.size, patches)


def commission(asked: Asked, uploads: Uploads | None) -> Commission:
    """Take a request on; Refused if a picture that was sent cannot be used."""
    if uploads is None:
        return Commission(asked, asked.size or DEFAULT_SIZE)
    references, hole = opened(uploads)
    size = asked.size or natural_size(references[0])
    return Commission(asked, size, retouch.Sitting(references, hole, asked.input_fidelity))


def finished(work: Commission, index: int) -> bytes:
    """Paint and encode one picture."""
    return _painted(work, index, 1.0)


def preview(work: Commission, index: int, stage: int) -> bytes:
    """Paint and encode one picture as it is seen at a stage before it is finished; 0 is the first."""
    return _painted(work, index, paint.sharpness(stage, work.asked.partial_images))


def _painted(work: Commission, index: int, share: float) -> bytes:
    picture = work.picture(index)
    if work.sitting is not None:
        image = retouch.edit(picture, work.sitting, share)
    else:
        image = paint.paint(picture) if share >= 1 else paint.scene(picture, share)
    return paint.encode(image, work.asked.output_format, work.asked.output_compression)


def from_address(picture: Picture, output_format: str, compression: int) -> bytes:
    """Paint and encode the picture that an address carries."""
    return paint.encode(paint.paint(picture), output_format, compression)
