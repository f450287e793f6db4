"""The IPython shell that this runs in, if it runs in one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def running_shell() -> InteractiveShell | None:
    """The shell; None in a script, which has not even loaded IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython  # noqa: PLC0415  (only where IPython is loaded already)

    return get_ipython()
