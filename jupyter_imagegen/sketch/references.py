"""Open pictures that were sent: bytes -> upright pictures and the hole of a mask, or a refusal."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from .fields import LARGEST_SIDE, MOST_PIXELS, SMALLEST_SIDE
from .refusal import Refused, wrong_image
from .uploads import Upload, Uploads

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""What is read; of a moving picture, the first frame."""

MOST_PIXELS_SENT = 36_000_000
"""Pixels of a picture that was sent."""


def opened(uploads: Uploads) -> tuple[tuple[Image.Image, ...], Image.Image | None]:
    """The pictures, RGBA and upright, and the hole: 255 where the alpha of the mask is 0."""
    pictures = tuple(_opened(upload, FORMATS) for upload in uploads.images)
    hole = None if uploads.mask is None else _hole(uploads.mask, pictures[0].size)
    return tuple(map(_limited, pictures)), hole


def natural_size(picture: Image.Image) -> tuple[int, int]:
    """The size of an edit that names none: that of the first picture, brought within what can be painted."""
    share = min(1.0, LARGEST_SIDE / max(picture.size), (MOST_PIXELS / (picture.width * picture.height)) ** 0.5)
    width, height = (min(LARGEST_SIDE, max(SMALLEST_SIDE, int(side * share))) for side in picture.size)
    return width, height


def _hole(mask: Upload, size: tuple[int, int]) -> Image.Image:
    opened = _opened(mask, ("PNG",))
    if opened.size != size:
        sizes = "it is {}x{}, the image is {}x{}".format(*opened.size, *size)
        raise wrong_image(mask.param, "invalid_image", f"Invalid mask: it must have the size of the image; {sizes}.")
    if not _has_alpha(mask.data):
        raise wrong_image(
            mask.param, "invalid_image_mode", "Invalid mask: it has no alpha channel to say what is open."
        )
    alpha = opened.getchannel("A")
    return alpha.point([255, *([0] * 255)])


def _has_alpha(data: bytes) -> bool:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return picture.has_transparency_data


def _opened(upload: Upload, formats: tuple[str, ...]) -> Image.Image:
    try:
        with Image.open(io.BytesIO(upload.data), formats=formats) as picture:
            _refuse_too_many_pixels(picture, upload)
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(upload) from error
    except UnidentifiedImageError as error:
        listed = ", ".join(name.lower() for name in formats)
        raise wrong_image(upload.param, "invalid_image_format", f"Invalid image file: not one of {listed}.") from error
    except Exception as error:  # damaged pictures make Pillow's readers raise almost anything
        raise wrong_image(upload.param, "image_parse_error", f"Invalid image file: {error}.") from error


def _refuse_too_many_pixels(picture: Image.Image, upload: Upload) -> None:
    """Look at the header only: unpacking is what costs."""
    if picture.width * picture.height > MOST_PIXELS_SENT:
        raise _too_large(upload)


def _too_large(upload: Upload) -> Refused:
    message = f"Invalid image file: more than {MOST_PIXELS_SENT} pixels."
    return wrong_image(upload.param, "image_too_large", message)


def _limited(picture: Image.Image) -> Image.Image:
    """A picture no larger than one that can be painted; more would only take memory."""
    if picture.width * picture.height <= MOST_PIXELS:
        return picture
    return picture.resize(natural_size(picture), Image.Resampling.BOX)
