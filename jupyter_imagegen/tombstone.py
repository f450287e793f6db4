"""What stays of a forgotten call: when it was made, of whom, how it ended and what it cost. No word of it. Pure."""

from __future__ import annotations

import msgspec

from .journal import NOTHING, Called, Ended, Kept

_EMPTY = msgspec.Raw(b"{}")


def bare_call(call: Called) -> Called:
    """The call without what was asked; its hash goes too, as it would confirm a guess."""
    return msgspec.structs.replace(
        call,
        prompt="",
        params=_EMPTY,
        request_hash="",
        template=None,
        variables=NOTHING,
        asked=NOTHING,
        defaults=(),
        omit=(),
        inputs=(),
        tags=(),
        note=None,
    )


def bare_picture(kept: Kept) -> Kept:
    """The picture without its file, whose name begins like the prompt; its digest can tell whether a copy is it."""
    return msgspec.structs.replace(kept, path="", revised_prompt=None)


def bare_end(end: Ended) -> Ended:
    """The end without its sentences, which can quote the prompt."""
    return msgspec.structs.replace(end, error=None, hint=None)
