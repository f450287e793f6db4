"""%%imagegen, %imagegen and %imagegen_history: read the line, hand it over, return what comes. No logic of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from .errors import OptionError
from .options import parse_cell, parse_line
from .switches import SWITCHES

if TYPE_CHECKING:
    from .bridge import Job
    from .frame import History
    from .options import Options
    from .plan import Plan
    from .result import Result


@magics_class
class ImageGenMagics(Magics):
    """The magics of jupyter-imagegen."""

    @no_var_expand
    @line_cell_magic
    def imagegen(self, line: str, cell: str | None = None) -> Result | Plan | None:
        """Generate pictures."""
        names = self._names
        options = parse_line(line, names) if cell is None else parse_cell(line, cell, names)
        return self._carry_out(options)

    @line_magic
    def imagegen_history(self, line: str) -> History:
        """Show the history of this notebook; with --all, of every notebook that shares the store."""
        from .api import Here, history  # noqa: PLC0415  (loaded by the first look)

        if line.strip() not in ("", "--all"):
            message = f"%imagegen_history takes --all or nothing, not {line.strip()!r}."
            raise OptionError(message)
        return history(notebook=None if line.strip() else Here.NOTEBOOK)

    @property
    def _names(self) -> dict[str, Any]:
        assert self.shell is not None  # noqa: S101  (for the type checker; magics live in a shell)
        names: dict[str, Any] = self.shell.user_ns
        return names

    def _carry_out(self, options: Options) -> Result | Plan | None:
        from . import api  # noqa: PLC0415  (the client is loaded by the first call)

        if options.dry_run:
            return api.plan(options)
        job = api.job(options)
        try:
            result = api.run(job)
        except BaseException as error:
            self._show_what_arrived(job, error)
            raise
        if options.into is not None:
            self._names[options.into] = result
        return result

    def _show_what_arrived(self, job: Job, error: BaseException) -> None:
        """Pictures that came before an interrupt or an error are paid for: they are shown before it goes on."""
        from .api import arrived  # noqa: PLC0415  (loaded by the first call)

        result = arrived(job)
        if job.ask.options.into is not None and result:
            self._names[job.ask.options.into] = result
        if result and not job.ask.options.quiet:
            result.show()
        if isinstance(error, KeyboardInterrupt):
            shorten(error, job)


def shorten(error: KeyboardInterrupt, job: Job) -> None:
    """Let an interrupt say what became of the calls, instead of where in this package it landed."""
    records = job.outcome.records if job.outcome is not None else ()
    lines = [f"{record.id}: {record.error or record.status}" for record in records] or ["Nothing had been sent."]
    error._render_traceback_ = lambda: ["KeyboardInterrupt: cancelled.", *lines]  # type: ignore[attr-defined]


_ENDS_IN_QUESTION = re.compile(r"(?P<before>\s*(?:[^\W\d]\w*\s*=\s*)?)%imagegen\s+(?P<line>\S.*\?)\s*")


def keep_question_marks(lines: list[str]) -> list[str]:
    """Hand over `%imagegen is it a cat?` as it is typed: IPython takes any line that ends in `?` as a call for help.

    A cell with triple quotes is left alone, since such a line could be text in it.
    """
    if (lines and lines[0].startswith("%%")) or any(quotes in line for line in lines for quotes in ('"""', "'''")):
        return lines
    return [_called(found) if (found := _ENDS_IN_QUESTION.fullmatch(line)) else line for line in lines]


def _called(found: re.Match[str]) -> str:
    return f"{found['before']}get_ipython().run_line_magic('imagegen', {found['line']!r})\n"


def help_text() -> str:
    """What `%%imagegen?` shows: every option of the table."""
    width = max(len(row.spelling) for row in SWITCHES)
    lines = [f"    {row.spelling:<{width}}  {row.help}{' (repeat)' if row.repeats else ''}" for row in SWITCHES]
    return _HELP.format(options="\n".join(lines))


_HELP = """Generate pictures from a prompt and show them; the Result is the cell's value.

    %%imagegen [options]
    The prompt, in as many lines as it needs.
    A {{{{name}}}} in it takes the value of that notebook variable; nothing else is replaced or evaluated.

    %imagegen [options] prompt

Options (both kinds of quotes work; names are not abbreviated):

{options}

There is no option for a key. Keys are environment variables: OPENAI_API_KEY for the provider openai, and so on;
IMAGEGEN_API_KEY for the endpoint of IMAGEGEN_BASE_URL or --base-url. Without any of them the embedded endpoint paints.

Examples:

    %%imagegen -m gpt-image-2 --size 1536x1024 --quality high -n 4
    A cute baby sea otter in the style of {{{{artist}}}}

    otter = %imagegen -p sketch --seed 7 a sea otter at dusk
"""

ImageGenMagics.imagegen.__doc__ = help_text()
