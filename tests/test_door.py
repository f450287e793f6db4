"""`import jupyter_imagegen as ig`: the names that people use."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import version

import pytest

import jupyter_imagegen as ig


def test_the_list_of_names_is_sorted_and_without_repeats() -> None:
    """__all__ is read by people as well."""
    assert list(ig.__all__) == sorted(set(ig.__all__))


@pytest.mark.parametrize("name", ["agenerate", "generate", "history", "ImageGenError", "Result"])
def test_what_the_documentation_uses_is_in_the_list(name: str) -> None:
    """The Python interface of DESIGN.md that this version has."""
    assert name in ig.__all__


@pytest.mark.parametrize("name", ig.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    """Each is loaded when it is first used, is public under its own name, and has a docstring."""
    value = getattr(ig, name)

    assert value.__name__ == name
    assert inspect.getdoc(value)


@pytest.mark.parametrize("name", ig.__all__)
def test_a_name_is_looked_up_once(name: str) -> None:
    """The second use finds the same object, without the loader."""
    assert getattr(ig, name) is getattr(ig, name)
    assert name in vars(ig)


def test_dir_lists_the_door_and_nothing_else() -> None:
    """Tab after `ig.` offers what can be used, before anything is loaded."""
    code = "import jupyter_imagegen as ig; print(*dir(ig))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert said == sorted([*ig.__all__, "__version__", "load_ipython_extension", "unload_ipython_extension"])


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`hasattr` and `from … import …` work as with any module."""
    with pytest.raises(AttributeError, match="module 'jupyter_imagegen' has no attribute 'paint'"):
        getattr(ig, "paint")  # noqa: B009  (mypy knows that it is not there)


def test_the_version_is_that_of_the_distribution() -> None:
    """One number in two places is one number."""
    assert ig.__version__ == version("jupyter-imagegen")


def test_the_two_ways_to_generate_take_the_same_arguments() -> None:
    """`agenerate` is generate for a coroutine, and nothing else."""
    assert inspect.signature(ig.generate) == inspect.signature(ig.agenerate)


def test_no_argument_takes_a_key() -> None:
    """There is no place for a key in a notebook."""
    assert not [name for name in inspect.signature(ig.generate).parameters if "key" in name or "token" in name]
