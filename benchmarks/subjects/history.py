"""The history of a long store as a dataframe, and the same rows read from SQLite by pandas."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

import jupyter_imagegen as ig

from .serving import Figures, serve
from .stopwatch import timed


def make(store: str, calls: int, in_segment: int) -> Figures:
    """Write a store. Measures nothing."""
    from .long_history import write  # noqa: PLC0415  (the measured processes do without it)

    write(Path(store), calls, in_segment)
    return {}


def make_table(store: str, database: str) -> Figures:
    """Write what a store holds into a database. Measures nothing."""
    from .long_history import write_table  # noqa: PLC0415

    with _as_found(Path(store)):
        write_table(ig.history(notebook=None), Path(database))
    return {}


def looks(store: str, url: str) -> Figures:
    """The first look of this process, a second one when nothing has changed, and one after one more call."""
    with _as_found(Path(store)):
        first = timed(lambda: ig.history(notebook=None))["wall_s"]
        again = timed(lambda: ig.history(notebook=None))["wall_s"]
        ig.generate("one more", base_url=url, model="any", size="1024x1024", quiet=True)
        after = timed(lambda: ig.history(notebook=None))["wall_s"]
    return {"first_s": first, "again_s": again, "after_s": after}


def read_sql(database: str) -> Figures:
    """Every column of every row."""
    with closing(sqlite3.connect(database)) as connection:
        return timed(lambda: pd.read_sql("SELECT * FROM history", connection))


@contextmanager
def _as_found(store: Path) -> Iterator[None]:
    """The same segments in another folder, where nothing that an earlier look may have left lies beside them."""
    folder = Path(mkdtemp(prefix="look-", dir=store.parent))
    (folder / "journal").mkdir()
    for segment in (store / "journal").iterdir():
        os.link(segment, folder / "journal" / segment.name)
    os.environ["IMAGEGEN_STORE"] = str(folder)
    yield


if __name__ == "__main__":
    serve(make=make, make_table=make_table, looks=looks, read_sql=read_sql)
