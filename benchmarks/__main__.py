"""The comparison: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import machine, tables
from .comparison import growths, rows
from .peers import CACHE, ROOT, PeersMissing, interpreter
from .report import HEADINGS, as_json, grown, lines
from .rounds import Bench, Measured, Rounds, bench
from .rows import FULL, TINY, Growth, Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write it down. The exit status is 1 where something could not be measured."""
    asked = _asked(arguments)
    # Whoever ends it ends the servers and the subjects too, and removes the stores.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scale = TINY if asked.tiny else FULL
    wanted = [row for row in rows(scale) if _is_wanted(row.name, asked.only)]
    grow = [growth for growth in growths(scale) if _is_wanted(growth.name, asked.only)]
    try:
        with bench(_tell) as opened:
            measured = [_shown(opened.measure(row, _rounds(row, asked))) for row in wanted]
            steps = {growth: _climbed(opened, growth, asked) for growth in grow}
    except PeersMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _write(asked, measured, steps)
    return int(any(one.problem for one in (*measured, *(one for each in steps.values() for one in each))))


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What is wanted; exits with a sentence where that cannot be."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.only if name not in _names()]:
        parser.error(f"nothing is called {' or '.join(unknown)}: there is {', '.join(_names())}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error(f"at least one round is measured, and not {asked.rounds}")
    return asked


def _into(asked: argparse.Namespace) -> Path:
    """A part of the rows, and the smallest sizes, do not take the place of the whole."""
    name = "tiny" if asked.tiny else "some" if asked.only else "results"
    return Path(asked.into or CACHE / name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", default=(), help=f"of {', '.join(_names())}")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every row, after one that does not count")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: whether it runs, not how fast")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where results are written")
    return parser


def _names() -> list[str]:
    return [*(row.name for row in rows(FULL)), *(growth.name for growth in growths(FULL))]


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or name in only


def _rounds(row: Row, asked: argparse.Namespace) -> Rounds:
    """Of the smallest sizes, nothing is warmed: that they run is what is looked at."""
    return Rounds(asked.rounds or 1, warming=0) if asked.tiny else Rounds(asked.rounds or row.rounds)


def _climbed(opened: Bench, growth: Growth, asked: argparse.Namespace) -> tuple[Measured, ...]:
    return tuple(_shown(opened.measure(row, _rounds(row, asked))) for _, row in growth.steps)


def _shown(measured: Measured) -> Measured:
    """Tell at once what was found: the whole takes a while."""
    _tell(measured.problem or "  measured")
    for what, ours, _, ratio, goal, holds in lines(measured):
        _tell(f"  {what}: {ratio or ours}, goal {goal}: {holds}")
    return measured


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _write(asked: argparse.Namespace, measured: list[Measured], steps: dict[Growth, tuple[Measured, ...]]) -> None:
    """Print the tables, and put them into a folder with the figures and the plot."""
    into = _into(asked)
    found = [[HEADINGS, *(line for one in measured for line in lines(one))]] if measured else []
    found += [list(grown(growth, each)) for growth, each in steps.items()]
    sys.stdout.write("\n" + "\n".join(map(tables.plain, found)))
    into.mkdir(parents=True, exist_ok=True)
    (into / "results.md").write_text("\n".join(map(tables.markdown, found)))
    results = into / "results.json"
    about = {**machine.about(), "sizes": "the smallest: whether it runs, not how fast" if asked.tiny else "all"}
    results.write_text(json.dumps({"about": about, **as_json(measured, steps)}, indent=1))
    plot = [str(interpreter("openai")), "-m", "benchmarks.plot", str(results), str(into / "results.svg")]
    subprocess.run(plot, check=True, cwd=ROOT)
    if asked.tiny:
        sys.stdout.write("\nThese are the smallest sizes: that it runs is what counts. Goals are for the full ones.\n")
    sys.stdout.write(f"\nWritten to {into}: results.md, results.json, results.svg\n")


if __name__ == "__main__":
    sys.exit(main())
