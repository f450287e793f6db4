"""A prompt on a line may be a question, although IPython takes a line that ends in `?` as a call for help. Pure."""

from __future__ import annotations

import re
from typing import Final

_ENDS_IN_QUESTION: Final = re.compile(r"(?P<before>\s*(?:[^\W\d]\w*\s*=\s*)?)%imagegen\s+(?P<line>\S.*\?)\s*")


def keep_question_marks(lines: list[str]) -> list[str]:
    """Hand over `%imagegen is it a cat?` as it is typed: IPython takes any line that ends in `?` as a call for help.

    A cell with triple quotes is left alone, since such a line could be text in it.
    """
    if (lines and lines[0].startswith("%%")) or any(quotes in line for line in lines for quotes in ('"""', "'''")):
        return lines
    return [_as_call(found) if (found := _ENDS_IN_QUESTION.fullmatch(line)) else line for line in lines]


def _as_call(found: re.Match[str]) -> str:
    return f"{found['before']}get_ipython().run_line_magic('imagegen', {found['line']!r})\n"
