"""Where a key comes from: the environment, what was typed this session, Colab's secrets, the system's keyring."""

from __future__ import annotations

import getpass
import sys
import threading
import warnings
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from .errors import SettingsError
from .keys import Secret
from .shell import running_shell

SERVICE: Final = "jupyter-imagegen"
"""The service under which the keyring holds keys; the user name there is the name of the variable."""

_typed: Final[dict[str, Secret]] = {}
"""What was typed into this process, by variable. It ends with the process."""


def find(variable: str, environ: Mapping[str, str]) -> Secret | None:
    """The key that is set under this name: in the environment, typed this session, in Colab's secrets, in the keyring.

    Each is asked only when those before it have none. Colab answers within ten seconds. The system's keyring may show
    a dialog of its own and answers when the person does; an interrupt ends the wait. Raises SettingsError for a value
    that cannot be a key.
    """
    return (
        _secret(environ.get(variable), variable)
        or _typed.get(variable)
        or _secret(_in_colab(variable), f"{variable} in Colab's secrets")
        or _secret(_in_keyring(variable), f"{variable} in the keyring")
    )


def is_at_hand(variable: str, environ: Mapping[str, str]) -> bool:
    """Whether a key is set in the environment or was typed; nobody else is asked, who might show a dialog."""
    return bool((environ.get(variable) or "").strip()) or variable in _typed


def typed() -> tuple[Secret, ...]:
    """The keys that were typed into this process."""
    return tuple(_typed.values())


def ask(variable: str, origin: str) -> Secret | None:
    """The key that a person types now, remembered until the process ends; None where nobody can answer.

    nbclient, papermill and nbconvert take no input, and a thread must not wait for it. Raises SettingsError for what
    cannot be a key; KeyboardInterrupt goes on.
    """
    if not _can_answer():
        return None
    key = _secret(_answer(f"{variable} for {origin} (not shown, not stored): "), f"{variable} typed this session")
    if key is not None:
        _typed[variable] = key
    return key


def forget(secret: Secret) -> None:
    """Ask again next time, where this key was typed: the server did not accept it."""
    for variable in [name for name, key in _typed.items() if key is secret]:
        del _typed[variable]


def _secret(value: str | None, source: str) -> Secret | None:
    text = (value or "").strip()
    if not text.isascii() or not text.isprintable():
        message = f"{source} holds characters that no key has."
        raise SettingsError(message, "Set it again; a line break or a quote may have been pasted with it.")
    return Secret(text, source) if text else None


def _in_colab(variable: str) -> str | None:
    """The value in the panel of secrets, where this notebook was given access to it."""
    userdata = _userdata()
    try:
        return None if userdata is None else _text(userdata.get(variable))
    except _colab_errors(userdata):
        return None


def _userdata() -> Any:  # noqa: ANN401  (a module that is only in Colab)
    """Colab's module of secrets; None elsewhere, and in a Colab that has none."""
    colab = sys.modules.get("google.colab")
    try:
        return colab and (getattr(colab, "userdata", None) or import_module("google.colab.userdata"))
    except ImportError:
        return None


def _colab_errors(userdata: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401  (a module that is only in Colab)
    """What `get` raises for a secret that is not there, not shared or not answered for.

    Source: google/colab/userdata.py and _message.py of googlecolab/colabtools; all but NotebookAccessError have the
    base `google.colab.errors.Error`, and older versions lack some of them.
    """
    named = ("SecretNotFoundError", "NotebookAccessError", "TimeoutException")
    found = [getattr(userdata, name, None) for name in named]
    base = getattr(getattr(userdata, "errors", None), "Error", None)
    return tuple(kind for kind in (*found, base) if isinstance(kind, type) and issubclass(kind, Exception))


def _in_keyring(variable: str) -> str | None:
    """The password in the system's keyring, where the package `keyring` is installed and finds one."""
    if not _has_keyring():
        return None
    try:
        import keyring.errors  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  (an extra, and slow)
    except ImportError:
        return None
    try:
        return _text(keyring.get_password(SERVICE, variable))
    except (keyring.errors.KeyringError, RuntimeError, OSError):  # no keyring here, a locked one, one that broke
        return None


def _has_keyring() -> bool:
    """Whether it may be installed; that it is not is looked for once, on all of sys.path."""
    return "keyring" in sys.modules or _is_installed("keyring")


@cache
def _is_installed(name: str) -> bool:
    return find_spec(name) is not None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _can_answer() -> bool:
    if threading.current_thread() is not threading.main_thread():
        return False
    kernel = getattr(running_shell(), "kernel", None)
    if kernel is None:
        return _is_terminal()
    # A kernel lends getpass to a cell while it runs, and takes it back before the callback of a widget: the one of
    # the standard library would then wait at the terminal from which Jupyter was started.
    return bool(getattr(kernel, "_allow_stdin", False)) and getpass.getpass.__module__ != getpass.__name__


def _is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None
    except ValueError:  # closed
        return False


def _answer(prompt: str) -> str | None:
    try:
        with warnings.catch_warnings():
            # Where the letters would be shown, getpass only warns.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt)
    except (EOFError, NotImplementedError, getpass.GetPassWarning):  # IPython's StdinNotImplementedError is the second
        return None
