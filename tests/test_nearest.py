"""The one sentence that every "there is no such name" ends with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.nearest import did_you_mean

NAMES = ("--size", "--style", "--seed", "--quality", "--quiet", "-s")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("--szie", " Did you mean '--size'?"),
        ("--qu", " Did you mean '--quality' or '--quiet'?"),
        ("--qual", " Did you mean '--quality'?"),
        ("--something-else", ""),
        ("", ""),
        ("--", ""),
    ],
)
def test_the_sentence_names_what_is_near(typed: str, expected: str) -> None:
    """What is abbreviated comes first, then what looks alike; nothing is said where nothing is near."""
    assert did_you_mean(typed, NAMES).startswith(expected[:-1])
    assert bool(did_you_mean(typed, NAMES)) == bool(expected)


def test_without_names_nothing_is_said() -> None:
    """An empty namespace has no near name."""
    assert did_you_mean("artist", ()) == ""


@held
@given(st.text(), st.lists(st.text("ab", min_size=3), unique=True))
def test_at_most_three_names_are_said(typed: str, names: list[str]) -> None:
    """A hint is short and one sentence, however many names there are."""
    said = did_you_mean(typed, iter(names))

    assert said == "" or (said.startswith(" Did you mean ") and said.endswith("?"))
    assert said.count("'") <= 6
