"""A process that is asked on stdin and answers on stdout, a line of JSON each. Needs nothing but Python."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TextIO

Figures = dict[str, float]
"""What a task measured: seconds where the name ends in `_s`, bytes where it ends in `_B`, else a number."""

Task = Callable[..., Figures]


def serve(**tasks: Task) -> None:
    """Carry out what is asked for, until stdin is closed."""
    with _answers() as answers:
        for line in sys.stdin:
            answers.write(json.dumps(_answer(tasks, json.loads(line))) + "\n")
            answers.flush()


def _answers() -> TextIO:
    """What is stdout now; libraries that print do so to stderr from here on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _answer(tasks: Mapping[str, Task], asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"figures": tasks[asked["task"]](**asked["arguments"])}
    except Exception:  # noqa: BLE001  (told to the driver, which says which row failed)
        return {"error": traceback.format_exc()}
