"""The garbage collector, held off while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_off() -> Iterator[None]:
    """Hold off the garbage collector, which looks through all there is again and again while there is more and more.

    Within another one it does nothing. Where threads do so at once, the first to begin ends it for all.
    """
    was_on = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_on:
            gc.enable()
