"""The forms that an export can have: one file for each, with a `write` function, and the table of them.

A form is given a Study and writes it to one path, whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from ..errors import OptionError
from ..nearest import did_you_mean
from .prose import listed
from .study import Study


class Writer(Protocol):
    """What the file of a form has."""

    def write(self, study: Study, target: Path) -> Path:
        """Write the study to this path and return it. Raises StoreError; nothing is left there then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form: the endings of a path that mean it, and the file here that writes it.

    A form that is a folder is written to any path whose ending means nothing else. `has_pictures` is said of forms that
    hold copies of the pictures' files, `has_license` of those that have a place for what the person says of it.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    help: str
    is_folder: bool = False
    has_pictures: bool = False
    has_license: bool = True

    @property
    def writer(self) -> Writer:
        """The file that writes it, loaded now."""
        return cast("Writer", import_module(f".{self.module}", __name__))


_CRATE: Final = Form(
    name="crate",
    suffixes=(".zip", ".crate", "-crate"),
    module="crate",
    help="An RO-Crate: the pictures, and every call as machine-readable provenance, in a zip or a folder.",
    is_folder=True,
    has_pictures=True,
)

FORMS: Final = (
    _CRATE,
    Form(
        name="html",
        suffixes=(".html", ".htm"),
        module="sheet",
        help="A contact sheet: one HTML file to look at and to print.",
    ),
    Form(
        name="csv",
        suffixes=(".csv",),
        module="table",
        help="The history as a table for spreadsheets.",
        has_license=False,
    ),
    Form(name="parquet", suffixes=(".parquet",), module="table", help="The history as a table that keeps its types."),
    Form(
        name="methods",
        suffixes=(".md", ".txt"),
        module="methods",
        help="A paragraph for the methods section, in Markdown.",
    ),
    Form(
        name="dataset",
        suffixes=(),
        module="dataset",
        help="A folder of pictures and captions that Hugging Face datasets load.",
        is_folder=True,
        has_pictures=True,
    ),
    Form(
        name="webdataset",
        suffixes=(".tar",),
        module="dataset",
        help="The same pictures and captions in one tar file, as WebDataset reads it.",
        has_pictures=True,
    ),
)
"""Every form. No ending means two of them, so that a form can tell by its path what is wanted of it."""


def form_of(path: Path, name: str | None) -> Form:
    """The form with this name, or else the one that the path's ending means; a path without one is a crate.

    Raises OptionError, with all forms, for a name or an ending that means none, and where the two contradict.
    """
    if name is not None:
        return _fitting(_named(name), path)
    form = _CRATE if not path.suffix else _meant(path)
    if form is None:
        message = f"The ending of {path.name} means no form of export."
        raise OptionError(message, _hint())
    return form


def refuse_unsaid(form: Form, embed: tuple[str, ...], license: str | None) -> None:  # noqa: A002  (what it is)
    """Refuse what this form could only leave unsaid: words in copies that it does not hold, a license without a place.

    Raises OptionError.
    """
    if embed and not form.has_pictures:
        message = f"The form {form.name} holds no files of pictures into which embed could write."
        raise OptionError(message, f"embed is for {_names(form for form in FORMS if form.has_pictures)}.")
    if license and not form.has_license:
        message = f"The form {form.name} has no place for a license."
        raise OptionError(message, f"license is for {_names(form for form in FORMS if form.has_license)}.")


def _names(forms: Iterable[Form]) -> str:
    return listed([form.name for form in forms])


def _named(name: str) -> Form:
    for form in FORMS:
        if form.name == name:
            return form
    message = f"There is no form of export {name!r}.{did_you_mean(name, tuple(form.name for form in FORMS))}"
    raise OptionError(message, _hint())


def _fitting(form: Form, path: Path) -> Form:
    """The form itself, where the path can be one of its own."""
    meant = _meant(path)
    if meant is form or (meant is None and form.is_folder):
        return form
    message = f"{path.name} cannot be a {form.name}: its ending does not mean one."
    raise OptionError(message, _hint())


def _meant(path: Path) -> Form | None:
    """The form that the ending of a path means, where it means one."""
    ending = path.name.lower()
    return next((form for form in FORMS if form.suffixes and ending.endswith(form.suffixes)), None)


def _hint() -> str:
    return f"There are: {', '.join(_said(form) for form in FORMS)}."


def _said(form: Form) -> str:
    endings = (*form.suffixes, *(("a folder",) if form.is_folder else ()))
    return f"{form.name} ({', '.join(endings)})"
