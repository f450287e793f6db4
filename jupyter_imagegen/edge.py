"""How errors leave this package: without its frames, whose values %xmode Verbose would print, and without a key."""

from __future__ import annotations

import os
import traceback
from types import TracebackType


class plain_errors:  # noqa: N801  (a context manager, read as words)
    """Let an ImageGenError go on by itself: what it came from and the frames in between stay here.

    They would show the environment and the options, also where someone raises another error from this one. It is no
    generator, because contextlib gives an exception its old traceback back.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        from .errors import ImageGenError  # noqa: PLC0415  (loaded by the first error)

        if isinstance(error, ImageGenError):
            error.reword(without_keys)
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None) from None


def forget_values(error: BaseException) -> None:
    """Take the values out of all frames that an exception and those before it hold; the lines stay."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def without_keys(text: str) -> str:
    """The text without any key that the environment holds."""
    from .keys import held, scrub  # noqa: PLC0415  (loaded by the first error)

    for key in held(os.environ):
        text = scrub(text, key)
    return text
