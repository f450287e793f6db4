"""A key is found where a person keeps it, and asked for only where someone can answer."""

from __future__ import annotations

import getpass
import io
import sys
import threading
import warnings
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError

from jupyter_imagegen import keychain
from jupyter_imagegen.errors import SettingsError
from jupyter_imagegen.keychain import ask, find, forget, is_at_hand
from jupyter_imagegen.keys import Secret

NAME = "OPENAI_API_KEY"
ORIGIN = "https://api.openai.com:443"
KEY = "canary-5f1c9e77d0"


@pytest.fixture(autouse=True)
def empty_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was typed yet, and no keyring of this machine is asked."""
    monkeypatch.setattr(keychain, "_typed", {})
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)


def shown(secret: Secret | None) -> tuple[str, str] | None:
    """The key and where it came from."""
    return None if secret is None else (secret.reveal(), secret.source)


# --- stand-ins for what is not installed here


class ColabError(Exception):
    """As google.colab.errors.Error."""


class SecretNotFoundError(ColabError):
    """There is no such secret."""


class NotebookAccessError(Exception):
    """It is not shared with this notebook; not one of Colab's own base."""


class TimeoutException(ColabError):
    """Nobody answered."""


class MessageError(ColabError):
    """The page answered with an error; the module of secrets has no name for it."""


class KeyringError(Exception):
    """As keyring.errors.KeyringError."""


class NoKeyringError(KeyringError, RuntimeError):
    """No keyring on this machine."""


def answering(answer: object) -> Callable[..., Any]:
    """A function that gives this, or raises it."""

    def get(*_: object) -> object:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return get


def module(name: str, **content: object) -> Any:
    """A module with this in it."""
    made = ModuleType(name)
    vars(made).update(content)
    return made


def colab(monkeypatch: pytest.MonkeyPatch, answer: object, **content: object) -> None:
    """Run in a Colab whose panel of secrets gives this answer."""
    kinds = {kind.__name__: kind for kind in (SecretNotFoundError, NotebookAccessError, TimeoutException)}
    errors = module("google.colab.errors", Error=ColabError)
    userdata = module("google.colab.userdata", **{"get": answering(answer), "errors": errors, **kinds, **content})
    monkeypatch.setitem(sys.modules, "google", module("google"))
    monkeypatch.setitem(sys.modules, "google.colab", module("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)


def keyring(monkeypatch: pytest.MonkeyPatch, get: Callable[[str, str], object]) -> None:
    """Install a keyring that answers by this function of service and user name."""
    errors = module("keyring.errors", KeyringError=KeyringError, NoKeyringError=NoKeyringError)
    monkeypatch.setitem(sys.modules, "keyring", module("keyring", get_password=get, errors=errors))
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def terminal(monkeypatch: pytest.MonkeyPatch, answer: object = KEY) -> list[str]:
    """Run in a terminal where this is typed; the prompts that were shown."""
    prompts: list[str] = []

    def typed(prompt: str) -> object:
        prompts.append(prompt)
        return answering(answer)()

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(keychain, "running_shell", lambda: None)
    monkeypatch.setattr(getpass, "getpass", typed)
    return prompts


def kernel(monkeypatch: pytest.MonkeyPatch, answer: object = KEY, **content: object) -> list[str]:
    """Run in a kernel in which this is typed; the prompts that were shown."""
    prompts = terminal(monkeypatch, answer)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))
    monkeypatch.setattr(keychain, "running_shell", lambda: SimpleNamespace(kernel=SimpleNamespace(**content)))
    return prompts


# --- where a key is found


def test_a_key_in_the_environment_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set for this process goes before everything that is kept elsewhere."""
    terminal(monkeypatch, "typed-key")
    ask(NAME, ORIGIN)
    colab(monkeypatch, "colab-key")
    keyring(monkeypatch, lambda *_: "keyring-key")

    assert shown(find(NAME, {NAME: KEY})) == (KEY, NAME)
    assert shown(find(NAME, {})) == ("typed-key", f"{NAME} typed this session")
    monkeypatch.setattr(keychain, "_typed", {})
    assert shown(find(NAME, {})) == ("colab-key", f"{NAME} in Colab's secrets")
    monkeypatch.delitem(sys.modules, "google.colab")
    assert shown(find(NAME, {})) == ("keyring-key", f"{NAME} in the keyring")
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert find(NAME, {}) is None


@pytest.mark.parametrize("value", [f" {KEY}\n", f"{KEY}\r\n", f"\t{KEY} "])
def test_blanks_around_a_key_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """`cat` and the clipboard leave line ends, wherever a key is kept."""
    assert shown(find(NAME, {NAME: value})) == (KEY, NAME)
    keyring(monkeypatch, lambda *_: value)
    assert shown(find(NAME, {})) == (KEY, f"{NAME} in the keyring")
    colab(monkeypatch, value)
    assert shown(find(NAME, {})) == (KEY, f"{NAME} in Colab's secrets")
    terminal(monkeypatch, value)
    assert shown(ask(NAME, ORIGIN)) == (KEY, f"{NAME} typed this session")


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_an_empty_value_sets_nothing(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The next place is asked."""
    colab(monkeypatch, value)
    keyring(monkeypatch, lambda *_: KEY)

    assert shown(find(NAME, {NAME: value})) == (KEY, f"{NAME} in the keyring")


@pytest.mark.parametrize("value", ["sk-ключ-123456", "sk-one\nsk-two", "sk-\x00abcdef", "“sk-abcdef”"])
def test_what_cannot_be_a_key_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Wherever it is kept, and without repeating it; what was typed so is not remembered."""
    keyring(monkeypatch, lambda *_: value)
    terminal(monkeypatch, value)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: find(NAME, {NAME: value}),
        lambda: find(NAME, {}),
        lambda: ask(NAME, ORIGIN),
    )
    for attempt in attempts:
        with pytest.raises(SettingsError, match="characters that no key has") as caught:
            attempt()
        assert value not in str(caught.value.lines())
        assert NAME in caught.value.message
    keyring(monkeypatch, lambda *_: None)
    assert find(NAME, {}) is None


@pytest.mark.parametrize(
    "answer",
    [
        SecretNotFoundError(NAME),
        NotebookAccessError(NAME),
        TimeoutException(NAME),
        MessageError("no panel here"),
        None,
        7,
    ],
)
def test_colab_without_the_secret_has_no_key(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Not made, not shared with this notebook, or nobody there: the next place is asked."""
    colab(monkeypatch, answer)

    assert find(NAME, {}) is None


def test_an_older_colab_lacks_some_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it has are understood."""
    colab(monkeypatch, NotebookAccessError(NAME), TimeoutException=None, SecretNotFoundError=None, errors=None)

    assert find(NAME, {}) is None


def test_an_error_of_colab_that_is_none_of_its_own_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake is not taken for a missing secret."""
    colab(monkeypatch, ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        find(NAME, {})


def test_colab_may_hold_its_secrets_as_an_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `from google.colab import userdata`; a Colab without that module has no secrets."""
    userdata = module("userdata", get=answering(KEY))
    monkeypatch.setitem(sys.modules, "google.colab", module("google.colab", userdata=userdata))
    assert shown(find(NAME, {})) == (KEY, f"{NAME} in Colab's secrets")

    monkeypatch.setitem(sys.modules, "google.colab", module("google.colab"))
    assert find(NAME, {}) is None


def test_the_keyring_is_asked_by_service_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """`keyring set jupyter-imagegen OPENAI_API_KEY` is what a person types once."""
    kept = {("jupyter-imagegen", NAME): KEY}
    keyring(monkeypatch, lambda service, user: kept.get((service, user)))

    assert shown(find(NAME, {})) == (KEY, f"{NAME} in the keyring")
    assert find("XAI_API_KEY", {}) is None


@pytest.mark.parametrize(
    "error", [NoKeyringError("none"), KeyringError("locked"), RuntimeError("no backend"), OSError("no bus")]
)
def test_a_keyring_that_does_not_work_has_no_key(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Servers have none, and some are locked."""
    keyring(monkeypatch, answering(error))

    assert find(NAME, {}) is None


def test_an_interrupt_ends_the_wait_for_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog of the system that nobody sees does not hold a notebook."""
    keyring(monkeypatch, answering(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        find(NAME, {})


def test_where_the_environment_has_the_key_nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No dialog opens for a key that is there."""
    colab(monkeypatch, AssertionError("asked"))
    keyring(monkeypatch, answering(AssertionError("asked")))

    assert shown(find(NAME, {NAME: KEY})) == (KEY, NAME)


# --- what is typed


@pytest.mark.parametrize("place", [terminal, lambda patch: kernel(patch, _allow_stdin=True)])
def test_a_typed_key_is_remembered_until_it_is_rejected(
    monkeypatch: pytest.MonkeyPatch, place: Callable[[pytest.MonkeyPatch], list[str]]
) -> None:
    """It is asked for once, with the name of the variable and the place it goes to."""
    prompts = place(monkeypatch)
    key = ask(NAME, ORIGIN)

    assert prompts == ["OPENAI_API_KEY for https://api.openai.com:443 (not shown, not stored): "]
    assert key is not None
    assert find(NAME, {}) is key
    assert find("XAI_API_KEY", {}) is None
    assert KEY not in f"{vars(keychain)}"
    forget(key)
    assert find(NAME, {}) is None


def test_a_key_that_was_not_typed_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rejected elsewhere does not take the typed key with it, even where they read the same."""
    terminal(monkeypatch)
    key = ask(NAME, ORIGIN)
    forget(Secret(KEY, NAME))

    assert find(NAME, {}) is key


@pytest.mark.parametrize("answer", ["", "  ", EOFError(), StdinNotImplementedError()])
def test_no_answer_is_no_key(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Enter, Ctrl-D and a frontend that has no field for it."""
    kernel(monkeypatch, answer, _allow_stdin=True)

    assert ask(NAME, ORIGIN) is None
    assert find(NAME, {}) is None


def test_an_interrupt_at_the_prompt_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run All stops there."""
    terminal(monkeypatch, KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        ask(NAME, ORIGIN)


@pytest.mark.parametrize("content", [{"_allow_stdin": False}, {}])
def test_a_kernel_without_input_is_not_asked(monkeypatch: pytest.MonkeyPatch, content: dict[str, bool]) -> None:
    """nbclient, papermill and nbconvert would wait for ever."""
    prompts = kernel(monkeypatch, **content)

    assert ask(NAME, ORIGIN) is None
    assert prompts == []


def test_a_kernel_outside_a_cell_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback of a widget has the standard getpass, which waits at the terminal that Jupyter runs in."""
    prompts = kernel(monkeypatch, _allow_stdin=True)
    monkeypatch.setattr(getpass.getpass, "__module__", "getpass")

    assert ask(NAME, ORIGIN) is None
    assert prompts == []


def test_a_terminal_shell_is_asked_at_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython without a kernel."""
    terminal(monkeypatch)
    monkeypatch.setattr(keychain, "running_shell", SimpleNamespace)

    assert shown(ask(NAME, ORIGIN)) == (KEY, f"{NAME} typed this session")


def closed() -> io.StringIO:
    """A stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stream", "value"), [("stdin", None), ("stderr", None), ("stdin", io.StringIO(KEY)), ("stdin", closed())]
)
def test_a_process_without_a_terminal_is_not_asked(monkeypatch: pytest.MonkeyPatch, stream: str, value: object) -> None:
    """A service, a pipe, a window without a console."""
    prompts = terminal(monkeypatch)
    monkeypatch.setattr(sys, stream, value)

    assert ask(NAME, ORIGIN) is None
    assert prompts == []


def test_a_thread_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two prompts at once cannot be told apart, and an interrupt does not reach a thread."""
    prompts = terminal(monkeypatch)
    answers: list[Secret | None] = []
    thread = threading.Thread(target=lambda: answers.append(ask(NAME, ORIGIN)))
    thread.start()
    thread.join()

    assert answers == [None]
    assert prompts == []


def test_a_key_is_not_typed_where_it_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a terminal cannot hide the letters, getpass warns and would go on."""
    terminal(monkeypatch)

    def visible(_prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return KEY

    monkeypatch.setattr(getpass, "getpass", visible)

    assert ask(NAME, ORIGIN) is None


def test_a_key_is_at_hand_where_nobody_has_to_be_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, or typed this session; a keyring could show a dialog while somebody types a prompt."""
    monkeypatch.setattr(keychain, "_in_keyring", lambda _: pytest.fail("the keyring is asked"))
    monkeypatch.setattr(keychain, "_in_colab", lambda _: pytest.fail("Colab is asked"))
    assert not is_at_hand(NAME, {})
    assert not is_at_hand(NAME, {NAME: " \n", "OTHER_API_KEY": KEY})
    assert is_at_hand(NAME, {NAME: KEY})
    monkeypatch.setitem(keychain._typed, NAME, Secret(KEY, "typed"))

    assert is_at_hand(NAME, {})
    assert not is_at_hand("OTHER_API_KEY", {})


def test_what_was_typed_can_be_looked_for_in_other_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was typed this session may look like any word, and be typed once more where it is seen."""
    monkeypatch.setattr(keychain, "_typed", {})
    assert keychain.typed() == ()
    monkeypatch.setitem(keychain._typed, NAME, Secret(KEY, "typed"))

    assert [shown(secret) for secret in keychain.typed()] == [(KEY, "typed")]
