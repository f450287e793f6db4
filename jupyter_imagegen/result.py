"""Result: the pictures of one ask, in their order, each with its file and its record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from .blobs import cannot, nearby, read_file, write
from .errors import OptionError, RecordDamaged, StoreError
from .journal import Kept
from .records import Record

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_NUMBER: Final = "{n}"
# A file name that ends like this is meant as a file; anything else is a folder.
_FILE_SUFFIX: Final = re.compile(r"(?i)\.(png|jpe?g|webp|gif|svg|avif|bmp|tiff?)$")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file in the store, what the bytes say about themselves, and the record of its call."""

    record: Record
    kept: Kept
    store: Path

    @property
    def path(self) -> Path:
        """The file with the exact bytes that were received."""
        return self.store / self.kept.path

    @property
    def bytes(self) -> bytes:
        """The exact bytes that were received.

        Raises StoreError when the file is gone or no file, RecordDamaged when it is not what was received.
        """
        try:
            data = read_file(self.path)
        except OSError as error:
            raise cannot("read", self.path, error) from None
        if hashlib.sha256(data).hexdigest() != self.sha256:
            message = f"{self.path.name} is not what was received: its bytes were altered."
            raise RecordDamaged(message)
        return data

    @property
    def pil(self) -> PillowImage:
        """As a Pillow image. Raises StoreError for one that is not decoded here (SVG, a bomb, a cut file)."""
        from .preview import decoded  # noqa: PLC0415  (Pillow is loaded when a picture is first looked at)

        picture = decoded(self.bytes)
        if picture is None:
            message = f"{self.path.name} cannot be decoded here: a format that is not decoded, too large, or cut."
            raise StoreError(message, "The exact bytes are in its `bytes` and in the file at its `path`.")
        return picture

    @property
    def index(self) -> int:
        """Its place among the pictures of its ask, from 0; the history calls it image_index."""
        return self.kept.index

    @property
    def sha256(self) -> str:
        """The sha256 of the bytes, in hex."""
        return self.kept.sha256

    @property
    def format(self) -> str:
        """png, jpeg, webp, gif or svg: what the bytes are, whatever was asked."""
        return self.kept.format

    @property
    def width(self) -> int | None:
        """Pixels; None where the header does not say."""
        return self.kept.width

    @property
    def height(self) -> int | None:
        """Pixels; None where the header does not say."""
        return self.kept.height

    @property
    def revised_prompt(self) -> str | None:
        """The prompt as the model rewrote it, where it says so."""
        return self.kept.revised_prompt

    def save(self, path: str | Path) -> Path:
        """Write the exact bytes to a file, or into a folder under their own name. Raises StoreError."""
        (written,) = _save((self,), path)
        return written

    def __repr__(self) -> str:
        return f"Picture({self.width}x{self.height} {self.format}, {self.path})"

    def _ipython_display_(self) -> None:
        from .display import show  # noqa: PLC0415  (nothing of the notebook is needed in a script)

        show(Result(pictures=(self,), records=(self.record,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Sequence[Picture]):
    """The pictures of one ask; `records` has one record for each call that was made."""

    pictures: tuple[Picture, ...]
    records: tuple[Record, ...]
    inline: str = "preview"
    is_quiet: bool = False
    notes: tuple[str, ...] = ()
    """What is said below the captions: who chose the endpoint, and what of it was recorded before."""

    @property
    def record(self) -> Record:
        """The record of the first call."""
        return self.records[0]

    def save(self, path: str | Path) -> tuple[Path, ...]:
        """Write the exact bytes of all pictures.

        `path` is a folder (the pictures keep their names), a pattern with {n} (their place, from 0), or a file name,
        which several pictures number. Files that are there are replaced. Raises StoreError and OptionError.
        """
        return _save(self.pictures, path)

    def show(self) -> None:
        """Show the pictures, also those of a call that was quiet."""
        from .display import show  # noqa: PLC0415  (nothing of the notebook is needed in a script)

        show(self)

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Picture, ...]: ...
    def __getitem__(self, index: int | slice) -> Picture | tuple[Picture, ...]:
        return self.pictures[index]

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def __repr__(self) -> str:
        from .display import caption_lines  # noqa: PLC0415  (nothing of the notebook is needed in a script)

        return "\n".join(caption_lines(self)) or "Result(no pictures)"

    def _ipython_display_(self, **_: Any) -> None:  # noqa: ANN401  (IPython's own protocol)
        if not self.is_quiet:
            self.show()


def result_of(records: tuple[Record, ...], store: Path) -> Result:
    """The pictures of these records, in the order of the records, and of each in that of its call."""
    pictures = tuple(Picture(record, kept, store) for record in records for kept in record.images)
    return Result(pictures=pictures, records=records)


def folder_of(path: str | Path) -> Path:
    """The folder that a `save` path will write to (for a pattern, that of its first picture)."""
    first = Path(str(path).replace(_NUMBER, "0")).expanduser()
    return first.parent if _is_file(path) else first


def _is_file(path: str | Path) -> bool:
    return _NUMBER in str(path) or _FILE_SUFFIX.search(str(path)) is not None


def _save(pictures: tuple[Picture, ...], path: str | Path) -> tuple[Path, ...]:
    targets = tuple(
        _target(Path(path).expanduser(), picture, place, len(pictures)) for place, picture in enumerate(pictures)
    )
    if len({*zip(targets, (picture.sha256 for picture in pictures), strict=True)}) > len(set(targets)):
        message = f"{path} would write two pictures to one file."
        raise OptionError(message)
    for picture, target in zip(pictures, targets, strict=True):
        _write(target, picture)
    return targets


def _write(target: Path, picture: Picture) -> None:
    data = picture.bytes
    try:
        write(target, data)
    except StoreError as error:
        raise StoreError(error.message, f"The picture itself is safe: {nearby(picture.path)}.") from None


def _target(path: Path, picture: Picture, place: int, count: int) -> Path:
    if _NUMBER in str(path):
        return Path(str(path).replace(_NUMBER, str(place)))
    if not _is_file(path):
        return path / picture.path.name
    return path if count == 1 else path.with_name(f"{path.stem}-{place}{path.suffix}")
