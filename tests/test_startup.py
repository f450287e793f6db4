"""What `%load_ext jupyter_imagegen` costs and leaves, in a real shell of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

import pytest

HEAVY: Final = ("httpx2", "pandas", "ipywidgets", "PIL", "numpy", "msgspec", "pybase64", "nest_asyncio2")

_SHELL: Final = """
import json, sys
from traitlets.config import Config
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
before = set(sys.modules)

def run(line):
    result = shell.run_cell(line)
    result.raise_error()
    return result.result

def complete(text):
    with provisionalcompleter():
        return [text[:found.start] + found.text for found in shell.Completer.completions(text, len(text))]

def all_hooks():
    callbacks = shell.events.callbacks
    return callbacks["pre_run_cell"], callbacks["post_run_cell"], shell.input_transformers_cleanup

def magics():
    found = shell.magics_manager.magics
    return sorted(name for kind in found for name in found[kind] if name.startswith("imagegen"))
"""


def shell(code: str) -> Any:
    """What the code, run beside a fresh shell, prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SHELL + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_loading_brings_no_heavy_library() -> None:
    """Loading costs a few milliseconds: HTTP, dataframes, widgets and pictures come with their first use."""
    loaded = shell(
        f"""
        run("%load_ext jupyter_imagegen")
        print(json.dumps([name for name in {HEAVY!r} if name in set(sys.modules) - before]))
        """
    )

    assert loaded == []


def test_loading_brings_only_what_waits_for_a_first_use() -> None:
    """The magics, the hooks and the settings; the options, the errors, the catalogue and the rest come when asked."""
    loaded = shell(
        """
        run("%load_ext jupyter_imagegen")
        names = [name.partition(".")[2] for name in set(sys.modules) - before if name.startswith("jupyter_imagegen.")]
        print(json.dumps(names))
        """
    )
    waiting = {"bridge", "cells", "edge", "extension", "magic", "place", "questions", "shell", "sight", "tab", "traits"}

    assert set(loaded) <= waiting


@pytest.mark.parametrize("question", ["imagegen", "%imagegen", "%%imagegen"])
def test_help_lists_every_option(question: str) -> None:
    """The table of options is read when help is asked for, and no sooner."""
    spellings, said = shell(
        f"""
        run("%load_ext jupyter_imagegen")
        is_read = "jupyter_imagegen.switches" in sys.modules
        said = shell.object_inspect_mime({question!r})["text/plain"]
        from jupyter_imagegen.switches import SWITCHES
        print(json.dumps([[] if is_read else [row.spelling for row in SWITCHES], said]))
        """
    )

    assert spellings
    assert [spelling for spelling in spellings if spelling not in said] == []


@pytest.mark.parametrize(
    "line", ["%imagegen?", "%config ImageGen", "%imagegen --dry-run -p sketch a cat", "import jupyter_imagegen as ig"]
)
def test_looking_brings_no_heavy_library(line: str) -> None:
    """Help, settings and a dry run need nothing of what a call needs."""
    loaded = shell(
        f"""
        run("%load_ext jupyter_imagegen")
        run({line!r})
        print()
        print(json.dumps([name for name in ("httpx2", "pandas", "ipywidgets", "PIL", "numpy") if name in sys.modules]))
        """
    )

    assert loaded == []


def test_loading_adds_the_magics() -> None:
    """Line and cell, and the history."""
    assert shell('run("%load_ext jupyter_imagegen"); print(json.dumps(magics()))') == [
        "imagegen",
        "imagegen",
        "imagegen_history",
        "imagegen_models",
        "imagegen_panel",
    ]


def test_loading_adds_the_settings() -> None:
    """%config ImageGen.inline works, and a value that cannot be meant is refused."""
    said = shell(
        """
        run("%load_ext jupyter_imagegen")
        run('%config ImageGen.inline = "full"')
        shell.run_cell('%config ImageGen.inline = "big"')
        from jupyter_imagegen.settings import ImageGen
        print()
        print(json.dumps(ImageGen.instance().inline))
        """
    )

    assert said == "full"


def test_loading_adds_completion() -> None:
    """Tab after the magic offers its options, and the catalogue's values."""
    said = shell(
        """
        run("%load_ext jupyter_imagegen")
        lines = ("%imagegen --qual", "otter = %imagegen -m gpt-image-2 --quality h", "%imagegen --quality=h")
        print(json.dumps([complete(line) for line in lines]))
        """
    )

    assert said == [
        ["%imagegen --quality"],
        ["otter = %imagegen -m gpt-image-2 --quality high"],
        ["%imagegen --quality=hd", "%imagegen --quality=high"],
    ]


@pytest.mark.parametrize("again", ["%load_ext jupyter_imagegen", "%reload_ext jupyter_imagegen"])
def test_loading_twice_is_harmless(again: str) -> None:
    """One matcher, one entry in %config, one of each hook, one thread, whichever way it is loaded again."""
    said = shell(
        f"""
        import threading
        run("%load_ext jupyter_imagegen")
        run({again!r})
        from jupyter_imagegen import load_ipython_extension
        load_ipython_extension(shell)
        print()
        print(json.dumps([
            sum(type(each).__name__ == "ImageGen" for each in shell.configurables),
            [sum("imagegen" in each.__module__ for each in hooks) for hooks in all_hooks()],
            sum(thread.name == "imagegen-http" for thread in threading.enumerate()),
            complete("%imagegen --qual"),
            magics(),
        ]))
        """
    )

    assert said == [
        1,
        [1, 1, 1],
        1,
        ["%imagegen --quality"],
        ["imagegen", "imagegen", "imagegen_history", "imagegen_models", "imagegen_panel"],
    ]


def test_unloading_takes_everything_away() -> None:
    """No magic, no completion, no setting and no hook is left; unloading twice is harmless."""
    said = shell(
        """
        from jupyter_imagegen import unload_ipython_extension
        run("%load_ext jupyter_imagegen")
        run("%unload_ext jupyter_imagegen")
        unload_ipython_extension(shell)
        print()
        print(json.dumps([
            magics(),
            complete("%imagegen --qual"),
            sum(type(each).__name__ == "ImageGen" for each in shell.configurables),
            [sum("imagegen" in each.__module__ for each in hooks) for hooks in all_hooks()],
        ]))
        """
    )

    assert said == [[], [], 0, [0, 0, 0]]


def test_it_can_be_loaded_again_after_it_was_unloaded() -> None:
    """Everything is there again, once."""
    said = shell(
        """
        for line in ("%load_ext", "%unload_ext", "%load_ext"):
            run(f"{line} jupyter_imagegen")
        print()
        print(json.dumps([magics(), complete("%imagegen --qual")]))
        """
    )

    assert said == [
        ["imagegen", "imagegen", "imagegen_history", "imagegen_models", "imagegen_panel"],
        ["%imagegen --quality"],
    ]


def test_loading_writes_nothing(tmp_path: Path) -> None:
    """A folder for pictures is made by the first picture."""
    shell('run("%load_ext jupyter_imagegen"); print("[]")')

    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]


def test_settings_of_the_configuration_file_are_used() -> None:
    """c.ImageGen.… counts from the first call, as with any other part of IPython."""
    said = shell(
        """
        shell.config.ImageGen.provider = "zenlayer"
        run("%load_ext jupyter_imagegen")
        from jupyter_imagegen.settings import photograph
        print(json.dumps(photograph().traits.provider))
        """
    )

    assert said == "zenlayer"
