"""Everything that this package raises on purpose, as one tree."""

from __future__ import annotations

import pickle
import re
import traceback
from collections.abc import Iterator

import pytest

from jupyter_imagegen import errors
from jupyter_imagegen.errors import CallError, ImageGenError, OutcomeUnknown, Refused, Rejected

STATUSES = {"ok", "refused", "failed", "cancelled", "unknown", "running"}


def below(kind: type[ImageGenError]) -> Iterator[type[ImageGenError]]:
    """A class and all below it."""
    yield kind
    for each in kind.__subclasses__():
        yield from below(each)


KINDS = tuple(below(ImageGenError))
CALLS = tuple(kind for kind in KINDS if issubclass(kind, CallError))


def test_the_tree_that_is_drawn_is_the_tree() -> None:
    """The drawing at the top of the file names every error under its parent."""
    drawn: list[tuple[str, str]] = []
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([│ ]*[├└]── |(?=ImageGenError$))([A-Z]\w+)", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn.append((found[2], path[depth - 1] if depth else "Exception"))

    assert sorted(drawn) == sorted((kind.__name__, kind.__bases__[0].__name__) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_it_is(kind: type[ImageGenError]) -> None:
    """A docstring of one sentence, and a status that the history knows."""
    assert (kind.__doc__ or "").endswith(".")
    assert kind.status in STATUSES


@pytest.mark.parametrize("kind", CALLS)
def test_each_failed_call_has_a_code(kind: type[CallError]) -> None:
    """error_code in the history is never empty for a call that failed."""
    assert kind("m").code == kind.default_code != ""


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *((kind, "unknown") for kind in below(OutcomeUnknown)),
        *((kind, "refused") for kind in below(Refused)),
        *((kind, "failed") for kind in below(Rejected) if kind is not Refused),
    ],
)
def test_what_may_have_been_charged_is_unknown(kind: type[ImageGenError], status: str) -> None:
    """The status of a record follows from the kind of its error."""
    assert kind.status == status


@pytest.mark.parametrize("kind", [kind for kind in CALLS if kind not in (CallError, Refused)])
def test_each_failed_call_says_what_it_cost(kind: type[CallError]) -> None:
    """Where nothing better is known, the hint still says whether it may have been charged; a refusal depends."""
    made_nothing = issubclass(kind, Rejected)

    assert kind.default_hint.startswith("Nothing was made.") is made_nothing
    assert "charged" in kind.default_hint or made_nothing


@pytest.mark.parametrize("kind", KINDS)
def test_a_hint_is_two_sentences_at_most(kind: type[ImageGenError]) -> None:
    """A hint is read in a notebook, below an error."""
    assert len(re.findall(r"\.(?= [A-Z]|$)", kind.default_hint)) <= 2
    assert kind.default_hint.isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hint_of_a_kind_sends_nobody_to_a_cell(kind: type[ImageGenError]) -> None:
    """The same error is read in a row of the panel, where there is no cell to run again."""
    assert "run the cell" not in kind.default_hint.casefold()


def test_a_notebook_shows_message_hint_and_request_id() -> None:
    """Two or three lines: what, what to do, and under which id the provider finds it."""
    error = Refused("No otters.", code="c", request_id="req_1")

    assert error._render_traceback_() == [
        "Refused: No otters.",
        "Change the prompt. The same prompt is not sent again by itself.",
        "Request id: req_1",
    ]


def test_a_script_shows_them_too() -> None:
    """Where Python prints the traceback, hint and request id stand below it."""
    said = "".join(traceback.format_exception_only(Rejected("No.", "Do this.", request_id="req_1")))

    assert said == "jupyter_imagegen.errors.Rejected: No.\nDo this.\nRequest id: req_1\n"


def test_a_hint_that_is_given_goes_before_the_kinds_own() -> None:
    """The general hint stands where nothing better is known."""
    assert Refused("m", "Better.").hint == "Better."
    assert Refused("m").hint == Refused.default_hint
    assert ImageGenError("m").lines() == ("ImageGenError: m",)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_a_process_border(kind: type[ImageGenError]) -> None:
    """Nbclient, papermill and multiprocessing pickle errors: message, hint, code and request id arrive once."""
    sent = kind("m", "h", code="c", request_id="r") if issubclass(kind, CallError) else kind("m", "h")
    arrived = pickle.loads(pickle.dumps(sent))  # noqa: S301  (our own bytes)

    assert type(arrived) is kind
    assert (arrived.lines(), arrived.__notes__) == (sent.lines(), sent.__notes__)
    assert getattr(arrived, "code", None) == getattr(sent, "code", None)


def test_an_error_before_anything_was_sent_has_no_result() -> None:
    """`error.result` is there to be asked in any case."""
    assert ImageGenError("m").result is None
