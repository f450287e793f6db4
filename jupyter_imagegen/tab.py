"""Tab asks this package too; what it offers is loaded by the first Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell


def install(shell: InteractiveShell) -> None:
    """Have Tab offer options and their values."""
    if _matcher() not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(_matcher())


def remove(shell: InteractiveShell) -> None:
    """No longer ask this module."""
    if _matcher() in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(_matcher())


_made: list[Any] = []


def _matcher() -> Any:  # noqa: ANN401  (IPython's decorated matcher)
    if not _made:
        from IPython.core.completer import context_matcher  # noqa: PLC0415  (only in a shell)

        _made.append(context_matcher()(_match))
    return _made[0]


def _match(context: CompletionContext) -> SimpleMatcherResult:
    from .completion import matched  # noqa: PLC0415  (with the table of options: loaded by the first Tab)

    return matched(context)
