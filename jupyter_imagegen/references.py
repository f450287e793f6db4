"""Reference pictures: what `--image` or `--mask` was given -> the exact bytes that are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePath
from stat import S_ISDIR, S_ISREG
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from .errors import ReferenceUnreadable, StoreError
from .image import Image, sniff
from .keys import scrub
from .nearest import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

LARGEST: Final = 64 * 2**20
"""Bytes of a file that is read; no provider takes more than 50 MB (OpenAI API reference, images/edit, 2026-11)."""

_KNOWN: Final = "Known are PNG, JPEG, WebP, GIF, AVIF, BMP, TIFF and SVG: convert it to one of them."
_MOST_NEIGHBOURS: Final = 2000

_MIMES: Final = MappingProxyType({"svg": "image/svg+xml"})
_NAME: Final = re.compile(r"(\w+)(?:\[(-?[0-9]{1,9})\])?")
_RECORD: Final = re.compile(r"([0-9]{8}T[0-9]{12}Z-[0-9a-f]{8})(?:\[(-?[0-9]{1,9})\])?")

# Pillow's modes that a PNG holds as they are, and what some of the others become without loss; the rest become RGB.
_PNG_MODES: Final = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B")
_NEAREST_MODES: Final = MappingProxyType(
    {"PA": "RGBA", "RGBa": "RGBA", "La": "LA", "I;16L": "I;16", "I;16N": "I;16"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One picture to work from, and its name as it was given: of a file, a variable or a record."""

    image: Image
    name: str

    @property
    def mime(self) -> str:
        """The media type that its bytes have."""
        return _MIMES.get(self.image.format, f"image/{self.image.format}")

    @property
    def data_uri(self) -> str:
        """As the text that a JSON body carries: `data:image/png;base64,…`."""
        import pybase64  # noqa: PLC0415  (the options are read by %load_ext, which needs none of it)

        return f"data:{self.mime};base64,{pybase64.b64encode(self.image.data).decode()}"


def of_name(text: str, namespace: Mapping[str, object]) -> Reference | str:
    """The picture in the variable of this name, or in `name[0]`; the text itself where there is no such variable.

    A variable that holds a text or a path gives that text: like any other, it names a file or a record, which is
    looked up later. Raises ReferenceUnreadable for a variable that holds no picture.
    """
    found = _NAME.fullmatch(text)
    if found is None or found[1] not in namespace:
        return text
    value = namespace[found[1]]
    if found[2] is not None:
        value = _element(value, int(found[2]), text)
    return str(value) if isinstance(value, str | PurePath) else of_value(value, text)


def of_value(value: object, name: str) -> Reference:
    """The picture in a Python value: its bytes where it has them, else a PNG of exactly its pixels.

    Taken are bytes, a Picture or a Result of one, a PIL image, an array (height × width, with 3 or 4 channels last;
    uint8, bool, or floats from 0 to 1), a Matplotlib figure and IPython's Image. Raises ReferenceUnreadable.
    """
    for read in _READERS:
        data = read(value, name)
        if data is not None:
            return _reference(data, name)
    kind = type(value)
    message = f"{name} is of the type {kind.__module__}.{kind.__qualname__}, which holds no picture."
    raise ReferenceUnreadable(message.replace("builtins.", ""))


def of_file(path: Path) -> Reference:
    """The picture in a file of at most 64 MiB, byte for byte; `~` is the home folder. Raises ReferenceUnreadable."""
    try:
        data = _read(path)
    except FileNotFoundError:
        message = f"There is no file {_shown(path)}.{_neighbours(path)}"
        raise ReferenceUnreadable(message) from None
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; a `~` of nobody
        why = (error.strerror if isinstance(error, OSError) else "") or str(error).rstrip(".")
        if isinstance(error, ValueError):
            why = "no file has such a name"
        message = f"Cannot read {_shown(path)}: {why}."
        raise ReferenceUnreadable(message) from None
    # Only the name: the journal travels, and the folders of this machine are nobody's business.
    return _reference(data, _shown(path.name))


def is_record(text: str) -> bool:
    """Whether this is the id of a call, or one of its pictures: `20261121T041500123456Z-9f3a2c1b[0]`."""
    return _RECORD.fullmatch(text) is not None


def split_record(text: str) -> tuple[str, int | None]:
    """The id of a call, and the place of the picture where one is given. Raises ReferenceUnreadable."""
    found = _RECORD.fullmatch(text)
    if found is None:
        message = f"{text} is not the id of a call."
        raise ReferenceUnreadable(message)
    return found[1], None if found[2] is None else int(found[2])


def _reference(data: bytes, name: str) -> Reference:
    image = sniff(data)
    if image is not None:
        return Reference(image=image, name=name)
    if not data:
        message = f"{name} is empty."
        raise ReferenceUnreadable(message)
    message = f"{name} is no picture that is known here ({len(data)} bytes)."
    raise ReferenceUnreadable(message, _KNOWN)


# --- files


def _read(path: Path) -> bytes:
    """The bytes of a file. Raises OSError, ValueError, RuntimeError and ReferenceUnreadable."""
    whole = path.expanduser()
    mode = whole.stat().st_mode
    if S_ISDIR(mode):
        message = f"{_shown(path)} is a folder."
        raise ReferenceUnreadable(message, "Name one file in it; --image may be given several times.")
    if not S_ISREG(mode):
        message = f"{_shown(path)} is no file but a device or a pipe."
        raise ReferenceUnreadable(message)
    with whole.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        message = f"{_shown(path)} has more than {LARGEST // 2**20} MiB."
        raise ReferenceUnreadable(message, "Make a smaller copy of it: no provider takes as much.")
    return data


def _shown(path: Path | str) -> str:
    """A path as text that can be written down: half characters, which file names may hold, become `?`."""
    return scrub(str(path).encode("utf-8", "replace").decode(), None)


def _neighbours(path: Path) -> str:
    try:
        others = islice(path.expanduser().parent.iterdir(), _MOST_NEIGHBOURS)
        return did_you_mean(path.name, [other.name for other in others])
    except OSError:  # no such folder either
        return ""


# --- values


def _element(value: Any, place: int, name: str) -> object:  # noqa: ANN401  (whatever a notebook holds)
    try:
        return value[place]
    except (LookupError, TypeError):
        message = f"There is no {name}: {type(value).__name__} has nothing at [{place}]."
        raise ReferenceUnreadable(message) from None


def _of_bytes(value: object, _name: str) -> bytes | None:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None


def _of_picture(value: Any, _name: str) -> bytes | None:  # noqa: ANN401  (whatever a notebook holds)
    """The exact bytes of a Picture of this package, known by what it has, as its module stands later in the line."""
    if not _is_picture(value):
        return None
    try:
        return bytes(value.bytes)
    except StoreError as error:
        raise ReferenceUnreadable(error.message) from None


def _is_picture(value: object) -> bool:
    return isinstance(getattr(value, "sha256", None), str) and "bytes" in dir(value)


def _of_result(value: object, name: str) -> bytes | None:
    """The bytes of the one picture of a Result."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not (len(value) == 0 or _is_picture(value[0])):
        return None
    if len(value) == 1:
        return _of_picture(value[0], name)
    message = f"{name} holds {len(value) or 'no'} pictures, where one is needed."
    raise ReferenceUnreadable(message, f"Pick one: {name}[0] to {name}[{len(value) - 1}]." if value else "")


def _of_pillow(value: Any, name: str) -> bytes | None:  # noqa: ANN401  (whatever a notebook holds)
    is_one = isinstance(value, _pillow().Image)
    # Whole numbers of 32 bits and floats say nothing about black and white: they are read by the rules of arrays.
    return _as_png(value, name) if is_one and value.mode not in ("I", "F") else None


def _of_figure(value: Any, _name: str) -> bytes | None:  # noqa: ANN401  (whatever a notebook holds)
    """A figure as it is saved; asked of the type, so that the module pyplot is none."""
    if not hasattr(type(value), "savefig"):
        return None
    buffer = BytesIO()
    value.savefig(buffer, format="png")
    return buffer.getvalue()


def _of_display(value: object, _name: str) -> bytes | None:
    data = getattr(value, "data", None)
    return data if isinstance(data, bytes) else None


def _of_array(value: object, name: str) -> bytes | None:
    if not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
        return None
    import numpy as np  # noqa: PLC0415  (only where someone has an array)

    try:
        pixels = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # a tensor on another device, or one with a gradient
        message = f"{name} gives no array: {error}"
        raise ReferenceUnreadable(message) from None
    _refuse_shape(pixels.shape, name)
    return _as_png(_pillow().fromarray(_as_bytes(pixels, name)), name)


def _refuse_shape(shape: tuple[int, ...], name: str) -> None:
    if 0 not in shape and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        return
    message = f"{name} has the shape {' × '.join(map(str, shape)) or 'of a single number'}, which is no picture's."
    hint = "A picture is height × width, or height × width × 3 (RGB) or 4 (RGBA)."
    if len(shape) == 3 and shape[0] in (3, 4) and shape[2] > 4:
        hint += f" numpy.moveaxis({name}, 0, -1) puts the channels last."
    raise ReferenceUnreadable(message, hint)


def _as_bytes(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """The same levels from 0 to 255; what they mean is never guessed from how large they are."""
    if pixels.dtype == "uint8":
        return pixels
    if pixels.dtype == "bool":
        return pixels.astype("uint8") * 255
    if pixels.dtype.kind != "f":
        message = f"{name} holds numbers of the type {pixels.dtype}."
        raise ReferenceUnreadable(message, "Give uint8 (0 to 255), bool, or floats from 0 to 1.")
    lowest, highest = pixels.min(), pixels.max()
    if not (lowest >= 0 and highest <= 1):  # NaN is neither
        message = f"{name} holds floats from {lowest:g} to {highest:g}."
        raise ReferenceUnreadable(message, "Floats are read from 0 (black) to 1 (white): scale them first.")
    return (pixels.astype("float64") * 255).round().astype("uint8")


_READERS: Final[tuple[Callable[[Any, str], bytes | None], ...]] = (
    _of_bytes,
    _of_picture,
    _of_result,
    _of_pillow,
    _of_figure,
    _of_display,
    _of_array,
)


def _pillow() -> Any:  # noqa: ANN401  (a module)
    """Pillow, loaded with the first reference that is no bytes."""
    from PIL import Image as Pillow  # noqa: PLC0415

    return Pillow


def _as_png(picture: PillowImage, name: str) -> bytes:
    """Exactly these pixels as PNG; of a moving picture the frame that it stands at."""
    buffer = BytesIO()
    try:
        if picture.mode in _PNG_MODES:
            picture.save(buffer, "PNG")
        else:
            # A profile of the colours before the conversion does not fit those after it.
            picture.convert(_NEAREST_MODES.get(picture.mode, "RGB")).save(buffer, "PNG", icc_profile=None)
    except (OSError, SyntaxError, ValueError) as error:  # closed, cut, empty
        message = f"{name} cannot be written as PNG: {error}."
        raise ReferenceUnreadable(message) from None
    return buffer.getvalue()
