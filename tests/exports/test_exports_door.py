"""ig.export: one function for every form, over what is wanted of the history."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

import jupyter_imagegen as ig
from jupyter_imagegen import errors
from jupyter_imagegen.exports import FORMS, Form
from jupyter_imagegen.records import read
from jupyter_imagegen.settings import ImageGen

STORE = Path("imagegen")


@pytest.fixture(autouse=True)
def made() -> ig.Result:
    """Two pictures of one call, one of another, and a refusal."""
    ig.generate("an otter", provider="sketch", size="64x64")
    with pytest.raises(errors.Refused):
        ig.generate("an otter [refuse]", provider="sketch", size="64x64")
    return ig.generate("a lake", provider="sketch", size="64x64", n=2, seed=1)


def prompts(path: Path) -> list[str]:
    """The prompts in an exported table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["prompt"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_can_be_written_and_leaves_the_store_as_it_was(form: Form) -> None:
    """By its name; what it says is there."""
    before = {path: path.read_bytes() for path in STORE.rglob("*") if path.is_file()}
    written = ig.export(f"out/study{form.suffixes[0] if form.suffixes else ''}", format=form.name)

    assert written.exists()
    assert {path: path.read_bytes() for path in STORE.rglob("*") if path.is_file()} == before


def test_the_form_follows_the_ending() -> None:
    """A zip is a crate, a tar a WebDataset, and so on; an ending that means nothing lists the forms."""
    with zipfile.ZipFile(ig.export("a.zip")) as archive:
        assert any(name.endswith("ro-crate-metadata.json") for name in archive.namelist())
    with tarfile.open(ig.export("a.tar")) as archive:
        assert sum(name.endswith(".png") for name in archive.getnames()) == 3
    assert "<html" in ig.export("a.html").read_text()
    assert ig.export("a.md").read_text().startswith("# Image generation")
    with pytest.raises(errors.OptionError, match="no form of export"):
        ig.export("a.docx")


def test_rows_of_the_history_are_exported_alone() -> None:
    """A selection is those pictures, and a call is named by whatever names it."""
    table = ig.history()
    assert prompts(ig.export("all.csv")) == ["an otter", "an otter [refuse]", "a lake", "a lake"]
    assert prompts(ig.export("one.csv", only=table[table.image_index == 1])) == ["a lake"]
    assert prompts(ig.export("two.csv", only=[table.id[0]])) == ["an otter"]


def test_a_picture_alone_does_not_make_its_call_a_smaller_one(made: ig.Result) -> None:
    """The call asked for two pictures and got two: every form says so, and shows the one."""
    only = made[1]
    with ig.export("one.csv", only=only).open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["image_index"], row["n_requested"], row["n_received"], row["mismatch"]) == ("1", "2", "2", "")
    text = ig.export("one.md", only=only).read_text("utf-8")
    assert "It asked for 2 pictures, all of which came. 1 of these pictures is shown here." in text
    assert (made[0].sha256 in text, made[1].sha256 in text) == (False, True)
    assert ig.export("one.html", only=only).read_text("utf-8").count("<figure>") == 1
    copies = ig.export("one-dataset", format="dataset", only=only).rglob("*.png")
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in copies] == [made[1].sha256]
    crate = ig.export("one-crate", only=only)
    assert [path.name for path in (crate / "images").iterdir()] == [made[1].path.name]
    assert [len(record.images) for record in read(crate)] == [2]


def test_a_call_that_is_in_a_crate_in_part_is_not_replayed_as_a_whole(
    made: ig.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of it are missing there, and a smaller answer would be another one."""
    whole, part = ig.export("whole-crate"), ig.export("part-crate", only=made[1])
    asked: dict[str, Any] = {"provider": "sketch", "size": "64x64", "n": 2, "seed": 1, "mode": "replay"}

    monkeypatch.setenv("IMAGEGEN_STORE", str(whole.absolute()))
    assert [each.sha256 for each in ig.generate("a lake", **asked)] == [each.sha256 for each in made]
    monkeypatch.setenv("IMAGEGEN_STORE", str(part.absolute()))
    with pytest.raises(errors.RecordDamaged):
        ig.generate("a lake", **asked)


def test_a_selection_may_be_of_any_notebook(made: ig.Result) -> None:
    """Rows and names are looked up in the whole store, and none is dropped in silence."""
    ImageGen.instance().notebook = "second.ipynb"
    table = ig.history(notebook=None)

    assert prompts(ig.export("rows.csv", only=table[table.prompt == "an otter"])) == ["an otter"]
    assert prompts(ig.export("names.csv", only=[made])) == ["a lake", "a lake"]
    assert ig.export("rows.md", only=made).read_text().splitlines()[0] == "# Image generation in `Pictures`"


def test_one_name_is_like_a_list_of_one(made: ig.Result) -> None:
    """A Result, a Record, a Picture, or an id, with an index or without."""
    wholes = (made, made.record, made.record.id, [made.record.id], made.pictures)
    ones = (made[1], f"{made.record.id}[1]", [made[1]])

    assert [prompts(ig.export("a.csv", only=each)) for each in wholes] == [["a lake"] * 2] * len(wholes)
    assert [prompts(ig.export("a.csv", only=each)) for each in ones] == [["a lake"]] * len(ones)


def test_a_selection_that_names_nothing_is_an_error(made: ig.Result) -> None:
    """In a table as in a list; nothing is written."""
    table, gone = ig.history(), "20261121T041500123456Z-9f3a2c1b"

    for only in (table.assign(id=gone), gone, [made, gone], 7):
        with pytest.raises(errors.OptionError, match="no call"):
            ig.export("a.csv", only=only)  # type: ignore[arg-type]
    with pytest.raises(errors.OptionError, match="none with the index 9"):
        ig.export("a.csv", only=table.assign(image_index=9))
    assert not Path("a.csv").exists()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_form_says_what_it_is_given_or_refuses_it(form: Form) -> None:
    """Words for copies that it does not hold, and a license for which it has no place."""
    path = f"a{form.suffixes[0] if form.suffixes else ''}"
    if not form.has_pictures:
        with pytest.raises(errors.OptionError, match="holds no files of pictures") as caught:
            ig.export(path, format=form.name, embed="iptc")
        assert caught.value.hint == "embed is for crate, dataset and webdataset."
    if form.has_license:
        written = ig.export(path, format=form.name, license="CC-BY-4.0")
        files = [written] if written.is_file() else [each for each in written.rglob("*") if each.is_file()]
        assert written.suffix == ".zip" or any(b"CC-BY-4.0" in each.read_bytes() for each in files)
        return
    with pytest.raises(errors.OptionError, match="no place for a license"):
        ig.export(path, format=form.name, license="CC-BY-4.0")


def test_a_title_names_no_folder() -> None:
    """A notebook elsewhere is its file name; without one, there is a plain word."""
    assert ig.export("a.md").read_text().splitlines()[0] == "# Image generation in `Pictures`"
    ImageGen.instance().notebook = "/home/alice/far.ipynb"
    ig.generate("a seal", provider="sketch", size="64x64")
    assert "# Image generation in `far.ipynb`" in ig.export("a.md").read_text()


def test_a_crate_holds_the_notebook_where_all_of_it_is_meant() -> None:
    """Not with a selection, and not when a call was forgotten: the outputs still show both."""
    Path("n.ipynb").write_text('{"cells": ["a seal"]}')
    ImageGen.instance().notebook = "n.ipynb"
    seal = ig.generate("a seal", provider="sketch", size="64x64")

    assert (ig.export("whole") / "notebook" / "n.ipynb").is_file()
    assert not (ig.export("some", only=seal) / "notebook").exists()
    ig.forget(seal)
    assert not (ig.export("forgotten") / "notebook").exists()


def test_of_one_notebook_or_of_all() -> None:
    """As in the history."""
    ImageGen.instance().notebook = "second.ipynb"
    ig.generate("a seal", provider="sketch", size="64x64")

    assert prompts(ig.export("mine.csv")) == ["a seal"]
    assert len(prompts(ig.export("all.csv", notebook=None))) == 5


def test_copies_carry_words_only_where_they_are_asked_for(made: ig.Result) -> None:
    """The originals never do."""
    plain, spoken = ig.export("plain", format="dataset"), ig.export("spoken", format="dataset", embed="parameters")
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in plain.rglob("*.png")}

    assert {each.sha256 for each in made} <= digests
    assert all(b"parameters" in path.read_bytes() for path in spoken.rglob("*.png"))
    assert all(b"parameters" not in path.read_bytes() for path in STORE.rglob("*.png"))
    with pytest.raises(errors.OptionError, match="embed takes iptc and parameters"):
        ig.export("x", format="dataset", embed=["exif"])


def test_a_crate_says_under_which_license_it_is() -> None:
    """Where the person says so."""
    with zipfile.ZipFile(ig.export("a.zip", license="CC-BY-4.0")) as archive:
        name = next(name for name in archive.namelist() if name.endswith("ro-crate-metadata.json"))
        assert "CC-BY-4.0" in json.dumps(json.loads(archive.read(name)))


def test_an_export_of_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take the place of a good one: what there is is said, and nothing is written."""
    good = ig.export("good.csv").read_bytes()
    table = ig.history()
    ImageGen.instance().notebook = "empty.ipynb"

    with pytest.raises(errors.OptionError, match=r"None of empty\.ipynb; the store has 3 calls\."):
        ig.export("good.csv")
    with pytest.raises(errors.OptionError, match=r"None of typo\.ipynb; the store has 3 calls\."):
        ig.export("good.csv", notebook="typo.ipynb")
    empty: tuple[Any, ...] = ([], table[table.width > 1000])
    for only in empty:
        with pytest.raises(errors.OptionError, match=r"The selection is empty; the store has 3 calls\."):
            ig.export("good.csv", only=only)
    monkeypatch.setenv("IMAGEGEN_STORE", "another")
    with pytest.raises(errors.OptionError, match="The store has no calls"):
        ig.export("good.csv", notebook=None)

    assert Path("good.csv").read_bytes() == good


def test_a_notebook_that_was_mistyped_is_guessed() -> None:
    """As any other name is."""
    ImageGen.instance().notebook = "second.ipynb"
    ig.generate("a seal", provider="sketch", size="64x64")

    with pytest.raises(errors.OptionError, match=r"the store has 4 calls\. Did you mean .*second\.ipynb"):
        ig.export("a.csv", notebook="secnd.ipynb")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_no_export_goes_into_the_store_or_in_its_place(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor onto a folder that holds it: nothing is written, and the store stays as it is."""
    ig.export("kept", format="crate")
    monkeypatch.setenv("IMAGEGEN_STORE", "kept")
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    ending = form.suffixes[0] if form.suffixes else ""
    inside = [
        f"kept/images/x{ending}",
        f"kept/../kept/x{ending}",
        str(Path(f"kept/x{ending}").absolute()),
    ]
    others = {"kept": "is the store", ".": "holds the store", "..": "holds the store"} if form.is_folder else {}

    for path, where in (dict.fromkeys(inside, "is in the store") | others).items():
        with pytest.raises(errors.OptionError, match=f"{where}, .*kept, in which an export changes nothing"):
            ig.export(path, format=form.name, notebook=None)

    assert {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")} == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets only administrators make links")
def test_a_link_into_the_store_is_the_store() -> None:
    """By whatever way it is reached."""
    Path("elsewhere").symlink_to(STORE, target_is_directory=True)

    with pytest.raises(errors.OptionError, match="in the store"):
        ig.export("elsewhere/a.html")


def test_a_path_with_a_letter_that_ends_it_is_an_error_of_the_option() -> None:
    """With no trace of the system's own error."""
    with pytest.raises(errors.OptionError, match="is no path that can be written to"):
        ig.export("a\0.html")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes both for names of files.")
@pytest.mark.parametrize("path", ["~nobody-is-called-so/a.html", "a\ud800.html"])
def test_what_is_no_path_on_this_system_is_an_error_of_the_option(path: str) -> None:
    """Nobody's home, and half a letter."""
    with pytest.raises(errors.OptionError, match="is no path that can be written to"):
        ig.export(path)


@pytest.mark.parametrize("form", [form for form in FORMS if form.has_license], ids=lambda form: form.name)
def test_a_license_is_no_key(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that is set, nor what looks like one: nothing is written."""
    monkeypatch.setenv("GATEWAY_API_KEY", "correct-horse-battery")
    path = f"a{form.suffixes[0] if form.suffixes else ''}"

    for key in ("sk-proj-abcdefghij0123456789ABCDEF", "Ask correct-horse-battery."):
        with pytest.raises(errors.KeyInCell) as caught:
            ig.export(path, format=form.name, license=key)
        assert key not in str(caught.value)
    with pytest.raises(errors.OptionError, match="A license is a text"):
        ig.export(path, format=form.name, license=7)  # type: ignore[arg-type]
    assert not Path(path).exists()


@pytest.mark.parametrize("form", [form for form in FORMS if form.has_license], ids=lambda form: form.name)
def test_a_license_of_any_letters_can_be_written(form: Form) -> None:
    """Letters that no page can hold, and no terminal should, are replaced."""
    written = ig.export(f"a{form.suffixes[0] if form.suffixes else ''}", format=form.name, license="\x1b[31m \ud800")

    files = [written] if written.is_file() else [each for each in written.rglob("*") if each.is_file()]
    assert not any(b"\x1b[31m" in each.read_bytes() for each in files)


def test_an_export_that_cannot_be_written_is_an_error_of_the_store() -> None:
    """With the reason; nothing is left behind."""
    Path("file").write_text("in the way")
    with pytest.raises(errors.StoreError):
        ig.export("file/a.html")
    assert Path("file").read_text() == "in the way"
