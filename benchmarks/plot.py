"""results.json -> a plot: `python -m benchmarks.plot JSON SVG`, in an environment that has matplotlib."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt


def main(results: Path, plot: Path) -> None:
    """Draw each goal's ratio as a multiple of the goal, and each growth beside it."""
    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 8})
    found = json.loads(results.read_text())
    goals = [goal for row in found["rows"] for goal in row["goals"] if goal["at_most"]]
    widths = [2] + [1] * len(found["growth"])
    size = (5 * sum(widths), 2 + 0.25 * max(8, len(goals)))
    figure, axes = plt.subplots(1, len(widths), figsize=size, width_ratios=widths, squeeze=False, layout="constrained")
    _draw_goals(axes[0][0], goals)
    for place, growth in enumerate(found["growth"], start=1):
        _draw_growth(axes[0][place], growth)
    figure.savefig(plot, metadata={"Date": None})


def _draw_goals(axes: Any, goals: list[dict[str, Any]]) -> None:  # noqa: ANN401  (matplotlib is not here to say)
    for place, goal in enumerate(reversed(goals)):
        low, median, high = (goal["measured"][name] / goal["at_most"] for name in ("low", "median", "high"))
        colour = "tab:red" if goal["verdict"].startswith("FAILS") else "tab:green"
        axes.errorbar(median, place, xerr=[[median - low], [high - median]], fmt="o", color=colour, capsize=2)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(goals)), [goal["what"] for goal in reversed(goals)])
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("measured ÷ goal: median and quartiles; left of the line, the goal holds")


def _draw_growth(axes: Any, growth: dict[str, Any]) -> None:  # noqa: ANN401
    sizes = [step["size"] for step in growth["steps"]]
    for place, name in enumerate(growth["headings"]):
        axes.plot(sizes, [step["cost_of_one_s"][place] for step in growth["steps"]], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel=growth["name"], ylabel="seconds for one")
    axes.set_title("\n".join(textwrap.wrap(growth["what"], 50)))
    axes.legend()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
