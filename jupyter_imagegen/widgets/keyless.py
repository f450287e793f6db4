"""What of the panel holds a key, which a saved notebook would keep."""

from __future__ import annotations

import os

from .. import keychain
from ..endpoint import normalised
from ..errors import KeyInCell, SettingsError
from ..keys import held, looks_like_key
from ..prepare import refuse_keys
from ..switches import is_key_name


def holds_key(text: str) -> bool:
    """Whether a text holds what looks like a key, or a key of the environment, which may look like anything."""
    try:
        refuse_keys((text,), (*held(os.environ), *keychain.typed()))
    except KeyInCell:
        return True
    return looks_like_key(text)


def refuse_key(text: str) -> None:
    """Raise KeyInCell for a text that holds a key."""
    if holds_key(text):
        message = "What was typed looks like a key."
        raise KeyInCell(message)


def names_key(params: str) -> bool:
    """Whether one of these lines of KEY=JSON is a field for a key."""
    return any(is_key_name(line.partition("=")[0].strip()) for line in params.splitlines())


def holds_password(address: str) -> bool:
    """Whether more stands in an address than an address: a user, a password or a query."""
    try:
        normalised(address)
    except KeyInCell:
        return True
    except SettingsError:
        return "@" in address
    return False
