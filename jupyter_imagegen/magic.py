"""%%imagegen, %imagegen and %imagegen_history: read the line, hand it over, show what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from .edge import plain_errors

if TYPE_CHECKING:
    from .frame import History
    from .listing import Models
    from .options import Options
    from .plan import Plan
    from .result import Result
    from .widgets.shown import Panel


@magics_class
class ImageGenMagics(Magics):
    """The magics of jupyter-imagegen."""

    @no_var_expand
    @line_cell_magic
    def imagegen(self, line: str, cell: str | None = None) -> Result | Plan | None:
        """Generate pictures from a prompt and show them; `%%imagegen?` says how."""
        from .options import parse_cell, parse_line  # noqa: PLC0415  (loaded by the first call)

        with plain_errors():
            options = parse_line(line, self._names) if cell is None else parse_cell(line, cell, self._names)
            return self._carry_out(options)

    @line_magic
    def imagegen_history(self, line: str) -> History:
        """Show the history of this notebook; with --all, of every notebook that shares the store."""
        from .archive import Here, history  # noqa: PLC0415  (loaded by the first look)
        from .errors import OptionError  # noqa: PLC0415
        from .switches import shown  # noqa: PLC0415

        if line.strip() not in ("", "--all"):
            message = f"%imagegen_history takes --all or nothing, not {shown(line.strip())}."
            raise OptionError(message, "%imagegen_history? says more.")
        return history(notebook=None if line.strip() else Here.NOTEBOOK)

    @line_magic
    def imagegen_models(self, line: str) -> Models:
        """Show the models that the catalogue knows; with the name of a provider, those there."""
        from . import config  # noqa: PLC0415  (loaded by the first look)
        from .listing import models  # noqa: PLC0415
        from .settings import photograph  # noqa: PLC0415

        with plain_errors():
            return models(config.rows(photograph()), line.strip() or None)

    @line_magic
    def imagegen_panel(self, line: str) -> Panel:
        """Show the panel; with the id of a call, its form begins with the settings of that call."""
        from .widgets import panel  # noqa: PLC0415  (ipywidgets is loaded by the first panel)

        return panel(line.strip() or None)

    @property
    def _names(self) -> dict[str, Any]:
        assert self.shell is not None  # noqa: S101  (for the type checker; magics live in a shell)
        names: dict[str, Any] = self.shell.user_ns
        return names

    def _carry_out(self, options: Options) -> Result | Plan | None:
        from . import api  # noqa: PLC0415  (loaded by the first call)
        from .errors import ImageGenError  # noqa: PLC0415
        from .prepare import plan  # noqa: PLC0415
        from .result import Result  # noqa: PLC0415

        if options.dry_run:
            return plan(options)
        job = api.job(options)
        try:
            result = api.run(job)
        except KeyboardInterrupt as error:
            self._bind(options, api.arrived(job))
            shorten(error)
            raise
        except ImageGenError as error:
            if isinstance(error.result, Result) and error.result:
                self._bind(options, error.result)
                if not options.quiet:
                    error.result.show()
            raise
        self._bind(options, result)
        return result

    def _bind(self, options: Options, result: Result) -> None:
        """Bind what came to the variable of --into, also when more was asked for; there it is shown when looked at."""
        if options.into is not None and result:
            self._names[options.into] = replace(result, is_quiet=False)


def shorten(error: KeyboardInterrupt) -> None:
    """Let an interrupt say what became of the calls, instead of where in this package it landed."""
    lines = list(getattr(error, "__notes__", ()))  # none where a second interrupt came before they were written
    error._render_traceback_ = lambda: ["KeyboardInterrupt: cancelled.", *lines]  # type: ignore[attr-defined]


def help_text() -> str:
    """What `%%imagegen?` shows: every option of the table."""
    from .switches import SWITCHES  # noqa: PLC0415  (loaded by the first look)

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
%imagegen_models lists the models that are known, %imagegen_history what was made.

Examples:

    %%imagegen -m gpt-image-2 --size 1536x1024 --quality high -n 4
    A cute baby sea otter in the style of {{{{artist}}}}

    %%imagegen --image otter.png --mask hat.png
    The otter wears a red hat

    otter = %imagegen -p sketch --seed 7 a sea otter at dusk
"""

# IPython asks for help by this name where an object has it; so the table of options is not read before that.
ImageGenMagics.imagegen.getdoc = help_text  # type: ignore[union-attr]
