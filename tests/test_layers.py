"""The shape of the code: one direction of imports, libraries in their places, files and functions that fit a screen."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import jupyter_imagegen

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "jupyter_imagegen"

# The line of stages, as the package's own docstring draws it.
ORDER: Final = (*re.findall(r"^    ([a-z]+)  ", jupyter_imagegen.__doc__ or "", re.MULTILINE), "__init__")

# Each library is imported here and nowhere else, at run time.
HOMES: Final = {
    "httpx2": {"client", "transport"},
    "h11": {"wire"},
    "pandas": {"frame"},
    "PIL": {"preview", "references", "sketch"},
    "IPython": {"completion", "display", "magic", "shell", "tab"},
    "msgspec": {
        *("answer", "audit", "catalogue", "delivery", "ending", "entry"),
        *("columns", "exports", "journal", "reading", "records", "told", "tombstone"),
    },
    "rocrate": {"exports"},
    "pyarrow": {"frame"},
    "pybase64": {"divert", "payload", "references"},
    "keyring": {"keychain"},
    "numpy": {"references"},
    "traitlets": {"traits"},
    "nest_asyncio2": {"traits"},
    "ipywidgets": {"widgets"},
    "uvicorn": {"sketch"},
}

_VAGUE: Final = frozenset(
    {"utils", "util", "helpers", "helper", "base", "core", "common", "misc", "manager", "managers"}
)
_LONGEST_FILE: Final = 400
_LONGEST_FUNCTION: Final = 60


@dataclass(frozen=True)
class Import:
    """One name that a file imports: the top module, the name below it in our own package, and for whom."""

    file: Path
    line: int
    library: str
    module: str
    is_for_types: bool


def stage(file: Path) -> str:
    """The stage that a file belongs to: its own name, or the folder of the package that it lies in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES: Final = tuple(sorted(PACKAGE.rglob("*.py")))
IDS: Final = tuple(file.relative_to(PACKAGE).as_posix() for file in FILES)
STAGES: Final = tuple(sorted({stage(file) for file in FILES}))


def imports(file: Path) -> Iterator[Import]:
    """Every import of a file, inside functions as well."""
    yield from _imports(file, ast.parse(file.read_text("utf-8")), is_for_types=False)


def _imports(file: Path, node: ast.AST, *, is_for_types: bool) -> Iterator[Import]:
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        is_for_types = True
    if isinstance(node, ast.Import):
        for name in node.names:
            top, _, below = name.name.partition(".")
            yield Import(file, node.lineno, top, below.partition(".")[0], is_for_types)
    if isinstance(node, ast.ImportFrom):
        for top, module in _from(file, node):
            yield Import(file, node.lineno, top, module, is_for_types)
    for child in ast.iter_child_nodes(node):
        yield from _imports(file, child, is_for_types=is_for_types)


def _from(file: Path, node: ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """`from .a import b` as (package, a); `from . import a, __version__` as (package, a), (package, __version__)."""
    if not node.level:
        top, _, below = (node.module or "").partition(".")
        yield top, below.partition(".")[0]
        return
    package = file.parent.relative_to(PACKAGE.parent).parts
    base = package[: len(package) - node.level + 1]
    named = (node.module or "").split(".") if node.module else []
    for name in node.names:
        whole = (*base, *named, *(() if named else (name.name,)))
        yield whole[0], whole[1] if len(whole) > 1 else "__init__"


def own(file: Path) -> set[tuple[str, bool]]:
    """The stages of our own that a file imports, without its own, and whether only for annotations."""
    return {
        (found.module, found.is_for_types)
        for found in imports(file)
        if found.library == PACKAGE.name and found.module not in (stage(file), "__version__")
    }


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_module_has_its_place_in_the_line() -> None:
    """A new module is put into ORDER, where a reader looks for it; one that went is taken out."""
    assert sorted(ORDER) == sorted(STAGES)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_module_imports_only_what_stands_before_it(file: Path) -> None:
    """At run time, inside functions as well, the direction is bottom-up; so there is no cycle."""
    at_run_time = {name for name, is_for_types in own(file) if not is_for_types}
    before = set(ORDER[: ORDER.index(stage(file))])

    assert at_run_time - before == set()


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_an_annotation_names_a_module_that_exists(file: Path) -> None:
    """What is imported for annotations only may stand later in the line, and must be one of its modules."""
    for_types = {name for name, is_for_types in own(file) if is_for_types}

    assert for_types <= set(ORDER)


@pytest.mark.parametrize("file", [file for file in FILES if stage(file) == "sketch"], ids=lambda file: file.name)
def test_sketch_imports_nothing_of_the_rest(file: Path) -> None:
    """The embedded endpoint is an independent witness of the protocol."""
    assert own(file) == set()


def test_sketch_is_imported_in_process_by_one_module_alone() -> None:
    """Everyone else meets it as an endpoint like any other."""
    importers = {stage(file) for file in FILES if any(name == "sketch" for name, _ in own(file))}

    assert importers == {"embedded"}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_place_alone(library: str) -> None:
    """Third-party libraries are quarantined: replacing one is a change of few files, and these are they."""
    importers = {
        stage(file) for file in FILES for found in imports(file) if found.library == library and not found.is_for_types
    }

    assert importers == HOMES[library]


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_every_library_is_known_and_declared(file: Path) -> None:
    """What is imported is the standard library, this package, or a declared dependency with a place in HOMES."""
    foreign = {found.library for found in imports(file)} - set(sys.stdlib_module_names) - {PACKAGE.name}
    known = {"PIL": "pillow", "nest_asyncio2": "nest-asyncio2", "IPython": "ipython"}

    assert {known.get(name, name) for name in foreign} <= declared()
    assert foreign <= set(HOMES)


def declared() -> set[str]:
    """The dependencies of pyproject.toml, extras included, without their versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    return {re.split(r"[<>=!~ \[;]", name)[0].lower() for name in wanted}


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_file_fits_one_reading(file: Path) -> None:
    """No file of the package has more than 400 lines."""
    assert len(file.read_text("utf-8").splitlines()) <= _LONGEST_FILE


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_function_fits_a_screen(file: Path) -> None:
    """No function has more than 60 lines, its docstring included."""
    long = [node.name for node in functions(file) if (node.end_lineno or 0) - node.lineno + 1 > _LONGEST_FUNCTION]

    assert long == []


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_module_is_named_after_what_is_in_it(file: Path) -> None:
    """No drawer for everything: each name says what belongs there."""
    assert not {part.removesuffix(".py") for part in file.relative_to(PACKAGE).parts} & _VAGUE


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_module_says_what_it_is_for(file: Path) -> None:
    """Each begins with a docstring."""
    assert ast.get_docstring(ast.parse(file.read_text("utf-8")))
