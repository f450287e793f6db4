"""What stays of a forgotten call: when it was made, of whom, how it ended and what it cost. No word of it. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from .journal import NOTHING, Called, Ended, Kept

_EMPTY = msgspec.Raw(b"{}")
_NAME: Final = re.compile(r"[\w.:-]{1,100}")
"""What an identifier looks like: no blanks, so no sentence."""


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
    """The end without its sentences, which can quote the prompt, as whatever else a server said in words can."""
    name = end.request_id if end.request_id is not None and _NAME.fullmatch(end.request_id) else None
    return msgspec.structs.replace(end, error=None, hint=None, request_id=name, usage=_numbers(end.usage))


def _numbers(usage: msgspec.Raw) -> msgspec.Raw:
    """The counts of tokens, and nothing else that a server put beside them."""
    try:
        counted = _counts(msgspec.json.decode(usage)) if usage else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        counted = None
    return msgspec.Raw(msgspec.json.encode(counted)) if counted else NOTHING


def _counts(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        found = {name: _counts(each) for name, each in value.items() if _NAME.fullmatch(name)}
        return {name: each for name, each in found.items() if each is not None}
    return value if isinstance(value, int | float) else None
