"""RO-Crate: the pictures of a study, and every call as machine-readable provenance, in a folder or a zip.

The crate follows RO-Crate 1.1 and the Process Run Crate profile. It is laid out like a store, with a page to look at.
"""

from __future__ import annotations

import hashlib
import platform
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from .. import __version__
from ..errors import SettingsError
from . import beside
from .beside import Put
from .copies import Copy, copied
from .keyless import holds_key
from .provenance import CONTEXT, PACKAGE, Entity, Parts, entities, is_file, root
from .segment import PATH, segment
from .sheet import html
from .study import EXTRA, Study

_METADATA: Final = "ro-crate-metadata.json"
_PREVIEW: Final = "ro-crate-preview.html"
_LIBRARIES: Final = ("httpx2", "msgspec", "pandas", "pillow", "rocrate")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip: the same study gives the same bytes."""


def write(study: Study, target: Path) -> Path:
    """Write the crate, as a zip where the path ends in `.zip`, else as a folder, and return the path.

    A zip that is there is replaced, a folder only where it is a crate of this package in which nothing was changed.
    Raises StoreError, and SettingsError where the library `rocrate` is not installed.
    """
    library = _library()
    with _zipped(target) if target.suffix.lower() == ".zip" else beside.folder(target, "crate") as put:
        parts = _put_parts(study, put)
        put(_PREVIEW, html(study).encode())
        put(_METADATA, _metadata(library, root(parts), entities(parts)))
    return target


def _put_parts(study: Study, put: Put) -> Parts:
    copies = copied(study, put)
    return Parts(
        study=study,
        copies=copies,
        notebook=_notebook(study, put),
        segment=_put_file(PATH, segment(study, copies), put),
        made_with=((PACKAGE, __version__), ("python", platform.python_version()), *_versions()),
    )


def _notebook(study: Study, put: Put) -> Copy | None:
    """The notebook as it is on the disk; None where there is none, or it cannot be read.

    Its outputs show every call that it made. So it is left out where only some are wanted, or one was forgotten, and
    also where a key is in it, which the copy without a file remarks.
    """
    is_of_all = study.picked is None and not any(record.is_forgotten for record in study.records)
    if study.notebook is None or not is_of_all:
        return None
    try:
        data = study.notebook.read_bytes()
    except OSError:
        return None
    # A folder of its own: whatever its name is, it is that of no other file here.
    path = f"notebook/{_UNUSUAL.sub('_', study.notebook.name)}"
    if holds_key(data):
        return Copy(path=path, sha256="", size=0, remark=_HAS_KEY)
    return _put_file(path, data, put)


_HAS_KEY: Final = "The notebook file was left out: it holds a key, or what looks like one."
_UNUSUAL: Final = re.compile(r"[^\w .()+-]|^[. ]+|[. ]+$")
"""What the name of a file on some system may not have."""


def _put_file(path: str, data: bytes, put: Put) -> Copy:
    put(path, data)
    return Copy(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data), remark="")


def _versions() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # A library that was put on the path by hand has no version.
            continue


def _library() -> Any:  # noqa: ANN401  (the library has no annotations)
    try:
        from rocrate import model, rocrate  # noqa: PLC0415  (an extra, which reads megabytes of vocabulary)
    except ImportError:
        message = "An RO-Crate needs the library rocrate, which is not installed."
        raise SettingsError(message, EXTRA) from None
    return rocrate.ROCrate, model


def _metadata(library: Any, whole: Entity, parts: tuple[Entity, ...]) -> bytes:  # noqa: ANN401  (as above)
    """The JSON-LD of the crate, put together by the library of the standard."""
    make, model = library
    crate = make(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    for name, value in whole.items():
        crate.root_dataset[name] = value
    preview = {"@type": "CreativeWork", "about": {"@id": "./"}, "name": "Contact sheet", "encodingFormat": "text/html"}
    crate.add(model.ContextEntity(crate, _PREVIEW, preview))
    for entity in parts:
        properties = {name: value for name, value in entity.items() if name != "@id"}
        if is_file(entity):
            crate.add_file(None, unquote(entity["@id"]), properties=properties)
        else:
            crate.add(model.ContextEntity(crate, entity["@id"], properties))
    return b"".join(chunk for _, chunk in crate.metadata.stream())


@contextmanager
def _zipped(target: Path) -> Iterator[Put]:
    with beside.stream(target) as file, zipfile.ZipFile(file, "w") as archive:

        def put(path: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on Windows
            archive.writestr(entry, data)

        yield put
