"""The pictures with their prompts as a dataset: a folder as Hugging Face's `imagefolder` loads it, or a WebDataset tar.

A picture is left out that a reader of such a dataset could not decode, or that is no longer what was received; each is
listed with the reason. Calls without a picture are counted in the text, which is that of the methods.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from ..errors import StoreError
from ..preview import FORMATS, decoded
from ..records import Record
from ..result import Picture
from . import beside, portable
from .beside import Put
from .copies import suffix_of
from .embed import embed, facts_of
from .methods import text
from .originals import original
from .prose import code, count, said, table
from .study import Study

_KEY: Final = re.compile(r"[0-9A-Za-z-]{1,80}")

_LINE_ENDS: Final = re.compile("[\x85\u2028\u2029]")

_SPLIT: Final = "train"
_METADATA: Final = "metadata.jsonl"
_README: Final = "README.md"
_MARK: Final = (
    "# Made by jupyter-imagegen; exporting to this folder again replaces it, where nothing in it was changed."
)
_HEAD: Final = """---
{mark}
pretty_name: {title}
task_categories:
- text-to-image
size_categories:
- {size}
configs:
- config_name: default
  data_files:
  - split: {split}
    path: {split}/*
---

"""
_LARGEST: Final = 2**63 - 1
"""The largest whole number that a column can hold."""

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_COLUMNS: Final = (
    ("prompt", "as it was sent"),
    ("model", "the model that was asked for"),
    ("provider", "who was asked; `custom` for an address that was typed"),
    ("revised_prompt", "the prompt as the endpoint rewrote it, where it says so"),
    ("seed", "where one was sent"),
    ("params", "what was sent beside the prompt, as JSON; no field that names a person"),
    ("width", "pixels"),
    ("height", "pixels"),
    ("format", "what the bytes are"),
    ("sha256", "of the picture as it was received"),
    ("tags", "a list of words"),
    ("rating", "from 1 to 5"),
    ("note", "a sentence"),
    ("started_at", "UTC, just before the call was sent"),
    ("call_id", "the call; ids sort by time"),
    ("image_index", "place among the pictures of the ask, from 0"),
    ("parent_id", "the call that this one asked again"),
)
_OF_COPY: Final = ("copy_sha256", "of the file here, into which words were written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture of the dataset: its name without suffix, its bytes, and what a program is told of it, as JSON."""

    key: str
    suffix: str
    data: bytes = field(repr=False)
    prompt: str
    facts: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A picture that is not in the dataset, and why."""

    picture: str
    reason: str


def write(study: Study, target: Path) -> Path:
    """Write a tar to a path that ends in .tar, else a folder, and return the path.

    A folder that is there has to be empty, or an earlier dataset in which nothing was changed. Raises StoreError, also
    where there is no picture.
    """
    if target.suffix.lower() == ".tar":
        with beside.stream(target) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _fill_tar(study, partial(_add, tar, int(study.made_at.timestamp())))
    else:
        with beside.folder(target, "dataset") as put:
            _fill_folder(study, put)
    return target


def _fill_tar(study: Study, put: Put) -> None:
    left_out, number = [], 0
    for found in samples(study):
        if isinstance(found, LeftOut):
            left_out.append(found)
            continue
        number += 1
        put(f"{found.key}.{found.suffix}", found.data)
        put(f"{found.key}.json", _encoded(found.facts))
        put(f"{found.key}.txt", _encoded(found.prompt))
    _refuse_nothing(number, left_out)
    # Readers take every file with a dot in its name for a part of a sample, and pass over this one.
    put("README", _encoded(_card(study, number, left_out)))


def _fill_folder(study: Study, put: Put) -> None:
    left_out, rows = [], []
    for found in samples(study):
        if isinstance(found, LeftOut):
            left_out.append(found)
            continue
        name = f"{found.key}.{found.suffix}"
        put(f"{_SPLIT}/{name}", found.data)
        rows.append(_as_json({"file_name": name, **json.loads(found.facts)}))
    _refuse_nothing(len(rows), left_out)
    put(f"{_SPLIT}/{_METADATA}", _encoded("".join(f"{row}\n" for row in rows)))
    put(_README, _encoded(_head(study, len(rows)) + _card(study, len(rows), left_out)))


def _add(tar: tarfile.TarFile, at: int, path: str, data: bytes) -> None:
    """One file of a tar, which says nothing of who made it; times are whole seconds."""
    about = tarfile.TarInfo(path)
    about.size, about.mtime = len(data), at
    tar.addfile(about, BytesIO(data))


def _refuse_nothing(number: int, left_out: list[LeftOut]) -> None:
    if not number:
        message = f"There is no picture for a dataset{f': {len(left_out)} would be left out' if left_out else ''}."
        raise StoreError(message, "Nothing was exported. The other forms take calls without pictures too.")


# --- one sample for each picture


def samples(study: Study) -> Iterator[Sample | LeftOut]:
    """Every picture that is shown, call by call, as a sample or as one that is left out; a forgotten call has none."""
    for place, record in enumerate(study.records):
        if not record.is_forgotten:
            name = record.id if _KEY.fullmatch(record.id) else f"call-{place}"
            for picture in study.pictures_of(record):
                yield _sample(study, picture, f"{name}-{picture.index}")


def _sample(study: Study, picture: Picture, key: str) -> Sample | LeftOut:
    found = original(picture)
    if found.remark:
        return LeftOut(key, found.remark)
    if picture.format.upper() not in FORMATS:
        return LeftOut(key, f"Not every reader decodes {picture.format}.")
    if decoded(found.data) is None:
        return LeftOut(key, "It cannot be decoded: it is cut, damaged or too large.")
    data, facts = found.data, _facts(picture)
    if study.embed:
        data = embed(data, picture.format, facts_of(picture, study.catalogue), study.embed)
        facts[_OF_COPY[0]] = hashlib.sha256(data).hexdigest()
    return Sample(
        key=key,
        suffix=suffix_of(picture.format),
        data=data,
        prompt=picture.record.prompt,
        facts=_as_json(facts),
    )


def _facts(picture: Picture) -> dict[str, Any]:
    """Every column of one picture, also where it is null: a table has the same ones in each row."""
    record, index = picture.record, picture.index
    return {
        "prompt": record.prompt,
        "model": record.model,
        "provider": record.provider,
        "revised_prompt": picture.revised_prompt,
        "seed": _seed(record),
        "params": _as_json(portable.fields(record.params)),
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "sha256": picture.sha256,
        "tags": list(record.tags_of(index)),
        "rating": record.rating_of(index),
        "note": record.note_of(index),
        "started_at": record.call.at,
        "call_id": record.id,
        "image_index": index,
        "parent_id": record.parent_id,
    }


def _seed(record: Record) -> int | None:
    """A seed that a column of whole numbers can hold; any other one is in the parameters alone."""
    seed = record.asked.get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) and abs(seed) <= _LARGEST else None


def _as_json(value: object) -> str:
    """JSON on one line, also for readers that take other letters than the line feed for the end of a line."""
    whole = json.dumps(value, ensure_ascii=False)
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)


def _encoded(words: str) -> bytes:
    return words.encode("utf-8", "replace")


# --- the card


def _head(study: Study, number: int) -> str:
    """The YAML at the beginning of a card; a text in JSON is one in YAML too."""
    size = next((name for most, name in _SIZES if number < most), "n>1M")
    title = _as_json(portable.clean(study.title))
    return _HEAD.format(mark=_MARK, title=title, size=size, split=_SPLIT)


def _card(study: Study, number: int, left_out: list[LeftOut]) -> str:
    columns = (*_COLUMNS, *((_OF_COPY,) if study.embed else ()))
    parts = [text(study), "## Columns", f"The dataset has {count(number, 'picture')}, and of each:"]
    parts.append(table(("column", "meaning"), ((code(name), meaning) for name, meaning in columns)))
    if left_out:
        rows = ((code(each.picture), said(each.reason)) for each in left_out)
        parts += ["## Left out", table(("picture", "why"), rows)]
    if study.license:
        parts += ["## License", said(study.license)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
