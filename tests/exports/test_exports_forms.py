"""The table of forms: which one a path means, and which pictures a study has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.made import kept, record
from support.pictures import picture

from jupyter_imagegen.catalogue import load
from jupyter_imagegen.errors import OptionError
from jupyter_imagegen.exports import FORMS, form_of
from jupyter_imagegen.exports.study import Study, title_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cats.zip", "crate"),
        ("CATS.ZIP", "crate"),
        ("cats", "crate"),
        ("out/cats-crate", "crate"),
        ("cats-1.0-crate", "crate"),
        ("cats.crate", "crate"),
        ("cats.html", "html"),
        ("cats.htm", "html"),
        ("cats.csv", "csv"),
        ("cats.parquet", "parquet"),
        ("cats.md", "methods"),
        ("cats.txt", "methods"),
        ("cats.tar", "webdataset"),
    ],
)
def test_the_ending_of_a_path_means_a_form(path: str, name: str) -> None:
    """Whatever its letters' case; a path without an ending is a folder, and so a crate."""
    assert form_of(Path(path), None).name == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cats", "dataset"),
        ("cats.v2", "dataset"),
        ("cats.v2", "crate"),
        ("cats.zip", "crate"),
        ("cats.tar", "webdataset"),
    ],
)
def test_a_name_means_a_form(path: str, name: str) -> None:
    """Where the path can be one of its own."""
    assert form_of(Path(path), name).name == name


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("cats.docx", None, "cats.docx means no form"),
        ("cats.zip", "zip", "no form of export 'zip'"),
        ("cats", "datset", "Did you mean 'dataset'"),
        ("cats.zip", "csv", "cannot be a csv"),
        ("cats", "csv", "cannot be a csv"),
        ("cats.tar", "dataset", "cannot be a dataset"),
        ("cats.html", "crate", "cannot be a crate"),
    ],
)
def test_what_means_no_form_is_an_error_that_lists_them(path: str, name: str | None, said: str) -> None:
    """Every form with its endings, so that the next try is right."""
    with pytest.raises(OptionError, match=said) as caught:
        form_of(Path(path), name)

    assert all(form.name in caught.value.hint for form in FORMS)
    assert ".parquet" in caught.value.hint


def test_no_ending_means_two_forms() -> None:
    """A form that shares its file with another tells by the path which one is wanted."""
    endings = [suffix for form in FORMS for suffix in form.suffixes]

    assert len(endings) == len(set(endings))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_has_a_writer(form: object) -> None:
    """The file that the table names is there, with its one function."""
    assert callable(form.writer.write)  # type: ignore[attr-defined]


def test_a_study_shows_the_pictures_that_are_picked(tmp_path: Path) -> None:
    """All where nothing was picked, none of a forgotten call; what came of a call stays what it is."""
    first, second = kept(tmp_path, picture("teal"), 0), kept(tmp_path, picture("red"), 1)
    calls = (record(first, second), record(first, is_forgotten=True))
    study = Study(
        records=calls,
        store=tmp_path,
        title="Cats",
        notebook=None,
        made_at=datetime(2026, 11, 21, tzinfo=UTC),
        catalogue=load(),
        embed=(),
    )

    assert [found.kept for found in study.pictures()] == [first, second]
    assert study.selection() == ""
    picked = replace(study, picked=frozenset({("call-1", 1)}))
    assert [found.kept for found in picked.pictures()] == [second]
    assert [found.kept for found in picked.pictures_of(calls[0])] == [second]
    assert [found.kept for found in picked.came(calls[0])] == [first, second]
    assert picked.selection() == "1 of these pictures is shown here."


@pytest.mark.parametrize(
    ("notebooks", "named", "title"),
    [
        (("a.ipynb", "a.ipynb"), "a.ipynb", "a.ipynb"),
        (("a.ipynb", "a.ipynb"), None, "a.ipynb"),
        (("a.ipynb", "b.ipynb"), None, "Pictures"),
        ((None,), None, "Pictures"),
        ((None,), "session 20261121T041500123456Z-9f3a2c1b", "session 20261121T041500123456Z-9f3a2c1b"),
        ((), "a.ipynb", "a.ipynb"),
        ((), None, "Pictures"),
        (("/home/alice/a.ipynb",), None, "a.ipynb"),
        ((), "C:\\Users\\alice\\a.ipynb", "a.ipynb"),
    ],
)
def test_a_title_is_the_name_of_the_one_notebook(
    notebooks: tuple[str | None, ...], named: str | None, title: str
) -> None:
    """Of one elsewhere the file name alone, and never that of a folder."""
    assert title_of([record(call={"notebook": each}) for each in notebooks], named) == title
