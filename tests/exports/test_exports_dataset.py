"""The pictures as a dataset: its own readers load it, and it says what is not in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from PIL import Image
from support.pictures import picture
from support.studies import EVIL, MADE_AT, call, forgotten, study

from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.exports import dataset
from jupyter_imagegen.exports.study import Study
from jupyter_imagegen.records import Record

SVG: Final = b"<svg xmlns='http://www.w3.org/2000/svg'></svg>"

# In a process of its own each: these readers warn, log and keep threads.
LOAD_FOLDER: Final = """
import json, sys, datasets
found = datasets.load_dataset(sys.argv[1], **json.loads(sys.argv[2]), cache_dir="cache")
rows = [{**row, "image": row["image"].size} for row in found["train"]]
print(json.dumps({"splits": list(found), "rows": rows}))
"""
LOAD_TAR: Final = """
import json, sys, webdataset
rows = [
    {key: value if isinstance(value, (str, dict)) else value.size for key, value in sample.items() if key[0] != "_"}
    | {"key": sample["__key__"]}
    for sample in webdataset.WebDataset(sys.argv[1], shardshuffle=False).decode("pil")
]
print(json.dumps(rows))
"""


def loaded(folder: Path, program: str, *arguments: str) -> Any:
    """What a reader says of a dataset, without a network and with its caches in this folder."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the pictures are."""
    return tmp_path / "imagegen"


def full(store: Path) -> Study:
    """Two pictures of one call, one of another, a refusal, and a forgotten call."""
    first = call(
        1, store, picture("red"), picture("blue", (30, 20)), prompt='a "cat",\nzwei Käfer 🌲',
        tags=("a", "b"), note="n",
        fields={"size": "64x48", "seed": 7}, picture={"revised_prompt": "better"},
    )  # fmt: skip
    same = call(2, store, picture("red"), prompt="again", fields={"seed": 2**70}, parent_id=first.id)
    refused = call(3, store, status="refused", error="No.")
    return study(store, first, same, refused, forgotten(call(4, store, picture("green"), prompt="a secret")))


def metadata(folder: Path) -> list[dict[str, Any]]:
    """The rows of a folder."""
    return [json.loads(line) for line in (folder / "train" / "metadata.jsonl").read_text("utf-8").splitlines()]


def members(path: Path) -> dict[str, bytes]:
    """The files of a tar."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["imagefolder", "repository"])
def test_a_folder_is_loaded_by_hugging_face(tmp_path: Path, store: Path, how: str) -> None:
    """As an image folder and as a repository with a card; every picture with its prompt, model and digest."""
    whole = full(store)
    made = dataset.write(whole, tmp_path / "otters")
    arguments = ("imagefolder", json.dumps({"data_dir": str(made)})) if how == "imagefolder" else (str(made), "{}")
    found = loaded(tmp_path, LOAD_FOLDER, *arguments)
    rows = found["rows"]

    assert found["splits"] == ["train"]
    assert [row["image"] for row in rows] == [[64, 48], [30, 20], [64, 48]]
    assert [row["prompt"] for row in rows] == ['a "cat",\nzwei Käfer 🌲'] * 2 + ["again"]
    assert [row["sha256"] for row in rows] == [kept.sha256 for record in whole.records[:2] for kept in record.images]
    assert rows[1].items() >= {"model": "m", "tags": ["a", "b"], "note": "n", "seed": 7, "image_index": 1}.items()
    assert rows[1]["revised_prompt"] == "better"
    assert rows[2].items() >= {"seed": None, "parent_id": whole.records[0].id, "tags": []}.items()
    assert json.loads(rows[2]["params"]) == {"seed": 2**70}


def test_a_tar_is_read_by_webdataset(tmp_path: Path, store: Path) -> None:
    """Each sample has the picture, its facts and its prompt; what is beside them is passed over."""
    whole = full(store)
    made = dataset.write(whole, tmp_path / "otters.tar")
    rows = loaded(tmp_path, LOAD_TAR, made.name)

    assert [row["png"] for row in rows] == [[64, 48], [30, 20], [64, 48]]
    assert [row["txt"] for row in rows] == ['a "cat",\nzwei Käfer 🌲'] * 2 + ["again"]
    assert [row["key"] for row in rows] == [f"{whole.records[place].id}-{n}" for place, n in ((0, 0), (0, 1), (1, 0))]
    assert rows[0]["json"].items() >= {"model": "m", "seed": 7, "prompt": rows[0]["txt"]}.items()


def test_a_tar_is_loaded_by_hugging_face_too(tmp_path: Path, store: Path) -> None:
    """It has a reader of its own for such tars, which is stricter about what is in them."""
    made = dataset.write(full(store), tmp_path / "otters.tar")
    program = LOAD_FOLDER.replace('row["image"]', 'row["png"]').replace(
        '{**row, "image"', '{"txt": row["txt"], "image"'
    )
    found = loaded(tmp_path, program, "webdataset", json.dumps({"data_files": {"train": str(made)}}))

    assert [row["image"] for row in found["rows"]] == [[64, 48], [30, 20], [64, 48]]
    assert found["rows"][2]["txt"] == "again"


def test_the_bytes_are_those_that_were_received(tmp_path: Path, store: Path) -> None:
    """In both forms, under a name of their own also where two pictures are the same."""
    whole = full(store)
    folder = dataset.write(whole, tmp_path / "otters")
    tar = members(dataset.write(whole, tmp_path / "otters.tar"))
    rows = metadata(folder)

    assert len({row["file_name"] for row in rows}) == 3
    for row in rows:
        data = (folder / "train" / row["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert tar[row["file_name"]] == data


@pytest.mark.parametrize("form", ["dataset", "tar"])
def test_what_a_reader_cannot_decode_is_left_out_and_said(tmp_path: Path, store: Path, form: str) -> None:
    """A drawing, a cut picture, one that is gone and one that was altered: each with its reason in the text."""
    noise = BytesIO()
    Image.effect_noise((64, 64), 90).save(noise, "PNG")
    kinds = (picture("red"), SVG, noise.getvalue()[:-900], picture("blue"), picture("green"))
    records = [call(place, store, data) for place, data in enumerate(kinds)]
    (store / records[3].images[0].path).unlink()
    (store / records[4].images[0].path).write_bytes(picture("pink"))
    made = dataset.write(study(store, *records), tmp_path / f"otters.{form}")
    if form == "tar":
        pictures = [name for name in members(made) if name.endswith("png")]
        text = members(made)["README"].decode()
    else:
        pictures = [row["file_name"] for row in metadata(made)]
        text = (made / "README.md").read_text("utf-8")

    assert pictures == [f"{records[0].id}-0.png"]
    assert "The dataset has 1 picture, and" in text
    for record, reason in zip(records[1:], ("svg", "cannot be decoded", "is not there", "was altered"), strict=True):
        assert re.search(rf"\| `{record.id}-0` \| [^|]*{reason}[^|]* \|", text)


@pytest.mark.parametrize("name", ["JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_every_raster_format_can_be_in_it(tmp_path: Path, store: Path, name: str) -> None:
    """Under the suffix that readers know it by."""
    made = dataset.write(study(store, call(1, store, picture("red", name=name))), tmp_path / "otters.tar")
    suffix = {"JPEG": "jpg", "TIFF": "tif"}.get(name, name.lower())
    (row,) = loaded(tmp_path, LOAD_TAR, made.name)

    assert row[suffix] == [64, 48]


def test_words_are_written_into_copies_where_that_was_asked(tmp_path: Path, store: Path) -> None:
    """The row has the digest of the original and that of the copy, whose pixels are the same."""
    whole = replace(full(store), embed=("iptc", "parameters"))
    made = dataset.write(whole, tmp_path / "otters")
    for row in metadata(made):
        path = made / "train" / row["file_name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["copy_sha256"] != row["sha256"]
        with Image.open(path) as copy:
            assert row["prompt"].partition("\n")[0] in copy.text["parameters"]  # type: ignore[attr-defined]

    assert "`copy_sha256`" in (made / "README.md").read_text("utf-8")
    assert (store / whole.records[0].images[0].path).read_bytes() == picture("red")


def test_a_card_has_the_methods_and_the_columns(tmp_path: Path, store: Path) -> None:
    """So that whoever gets the folder knows what was done, refusals included, and under which licence."""
    whole = replace(full(store), license="CC-BY-4.0")
    made = dataset.write(whole, tmp_path / "otters")
    text = (made / "README.md").read_text("utf-8")
    columns = {name for row in metadata(made) for name in row} - {"file_name"}

    assert text.startswith("---\n# Made by jupyter-imagegen")
    assert "1 was refused by moderation" in text
    assert set(re.findall(r"^\| `(\w+)` \| [a-zA-Z]", text.partition("## Columns")[2], re.MULTILINE)) == columns
    assert text.endswith("## License\n\nCC-BY-4.0\n")
    assert "## License" not in (dataset.write(full(store), tmp_path / "b") / "README.md").read_text("utf-8")


def test_a_forgotten_call_is_only_counted(tmp_path: Path, store: Path) -> None:
    """No word and no picture of it, also where its file is still there."""
    gone = msgspec.structs.replace(call(1, store, picture("green"), prompt="a secret"), is_forgotten=True)
    made = dataset.write(study(store, gone, call(2, store, picture("red"))), tmp_path / "otters")

    assert [row["call_id"][-1] for row in metadata(made)] == ["2"]
    assert not [path for path in made.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


@pytest.mark.parametrize("evil", EVIL)
def test_any_title_and_prompt_is_loaded(tmp_path: Path, store: Path, evil: str) -> None:
    """Neither YAML nor JSON nor the name of a file is broken by what somebody wrote."""
    records = [call(n, store, picture(colour), prompt=evil, note=evil) for n, colour in enumerate(("red", "blue"))]
    odd = msgspec.structs.replace(records[1], call=msgspec.structs.replace(records[1].call, id=evil))
    made = dataset.write(study(store, records[0], odd, title=evil, license=evil), tmp_path / "otters")
    head = (made / "README.md").read_text("utf-8").removeprefix("---\n").partition("\n---\n")[0]
    tar = members(dataset.write(study(store, records[0], odd), tmp_path / "otters.tar"))

    assert [row["prompt"] for row in metadata(made)] == [evil, evil]
    assert [row["file_name"] for row in metadata(made)] == [f"{records[0].id}-0.png", "call-1-0.png"]
    assert tar["call-1-0.txt"].decode() == evil
    assert msgspec.yaml.decode(head)["pretty_name"] == re.sub(r"[\x00\x1b\x7f\x85]", "\ufffd", evil)


def test_the_same_study_gives_the_same_tar(tmp_path: Path, store: Path) -> None:
    """Byte for byte: order, times and owners are those of the study, not of this machine."""
    whole = full(store)
    first = dataset.write(whole, tmp_path / "a.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as tar:
        owners = {(each.mtime, each.uid, each.gid, each.uname, each.gname, each.mode) for each in tar}

    assert dataset.write(whole, tmp_path / "b.tar").read_bytes() == first
    assert owners == {(MADE_AT.timestamp(), 0, 0, "", "", 0o644)}


def test_a_dataset_says_nothing_of_this_machine(tmp_path: Path, store: Path) -> None:
    """No folder of it, and no password of an address."""
    made = call(1, store, picture(), provider="custom", base_url="https://me:pw@host.example/v1?key=1")
    files = members(dataset.write(study(store, made), tmp_path / "otters.tar"))

    for word in (str(tmp_path), "me:pw", "key=1"):
        assert not [name for name, data in files.items() if word in name or word.encode() in data]


# --- whole or absent


def test_an_earlier_dataset_is_replaced(tmp_path: Path, store: Path) -> None:
    """A notebook is run again and again: what is there afterwards is the new one alone."""
    dataset.write(full(store), tmp_path / "otters")
    made = dataset.write(study(store, call(9, store, picture("pink"))), tmp_path / "otters")

    assert len(list((made / "train").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path != store) == ["otters"]


@pytest.mark.parametrize("own", ["notes.txt", "train/mine.txt", "train/mine.png", "README.md", "train/metadata.jsonl"])
def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, store: Path, own: str) -> None:
    """Also one that is a dataset with something added to it, or whose captions somebody corrected."""
    target = dataset.write(full(store), tmp_path / "otters")
    with (target / own).open("a", encoding="utf-8") as file:
        file.write("mine")
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}

    with pytest.raises(StoreError, match=re.escape(f"is there already, and {own} in it")) as caught:
        dataset.write(study(store, call(9, store, picture("pink"))), target)

    assert "Nothing was exported" in caught.value.hint
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir() if path != store) == ["otters"]


def test_an_empty_folder_is_filled(tmp_path: Path, store: Path) -> None:
    """It is nobody's."""
    (tmp_path / "otters").mkdir()

    assert len(metadata(dataset.write(full(store), tmp_path / "otters"))) == 3


@pytest.mark.parametrize("name", ["otters", "otters.tar"])
def test_a_study_without_a_picture_is_no_dataset(tmp_path: Path, store: Path, name: str) -> None:
    """It is said before anything is there."""
    drawn: tuple[Record, ...] = (call(1, store, SVG), call(2, store, status="failed"))

    with pytest.raises(StoreError, match="no picture for a dataset: 1 would be left out"):
        dataset.write(study(store, *drawn), tmp_path / name)
    with pytest.raises(StoreError, match="no picture for a dataset"):
        dataset.write(study(store), tmp_path / name)

    assert [path for path in tmp_path.iterdir() if path != store] == []


@pytest.mark.parametrize("name", ["otters", "otters.tar"])
def test_what_is_interrupted_leaves_nothing(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The old one stays as it is, whole."""
    target = dataset.write(full(store), tmp_path / name)
    before = {path: path.read_bytes() for path in (target, *target.rglob("*")) if path.is_file()}

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataset.write(study(store, call(9, store, picture("pink"))), target)

    assert {path: path.read_bytes() for path in (target, *target.rglob("*")) if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir() if path != store) == [name]


@pytest.mark.parametrize("name", ["otters", "otters.tar"])
def test_a_place_that_cannot_be_written_is_a_store_error(tmp_path: Path, store: Path, name: str) -> None:
    """A file stands where a folder should be."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="Cannot write"):
        dataset.write(full(store), tmp_path / "file" / name)


def test_who_asked_is_in_no_dataset(tmp_path: Path, store: Path) -> None:
    """Neither in the parameters nor in the text."""
    whole = study(store, call(1, store, picture(), fields={"user": "alice", "seed": 3, "safety_identifier": "alice"}))
    made = dataset.write(whole, tmp_path / "otters")

    assert [json.loads(row["params"]) for row in metadata(made)] == [{"seed": 3}]
    assert not [path for path in made.rglob("*.*") if b"alice" in path.read_bytes()]
