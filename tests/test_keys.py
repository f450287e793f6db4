"""A key never prints, and texts that may echo one are scrubbed."""

from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.keys import SHOWN, Secret, looks_like_key, scrub, scrub_bytes

KEY = "canary-5f1c9e77d0"


def test_a_key_shows_as_nothing() -> None:
    """Neither repr, str, format nor a log line holds it; the variable that it came from is said."""
    secret = Secret(KEY, "OPENAI_API_KEY")
    said = f"{secret!r} {secret} {secret:>40} {[secret]}"
    said += logging.LogRecord("n", 10, "p", 1, "%s %r", (secret, secret), None).getMessage()

    assert KEY not in said
    assert "OPENAI_API_KEY" in repr(secret)


def test_a_key_is_never_pickled_or_copied() -> None:
    """What leaves the process leaves without it."""
    secret = Secret(KEY, "X")

    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)


def test_a_key_is_revealed_on_request() -> None:
    """For the one header that carries it."""
    assert Secret(KEY, "X").reveal() == KEY


@held
@given(st.text(), st.text("abcdef0123456789-_", min_size=8), st.text())
def test_the_key_that_was_used_is_scrubbed(before: str, key: str, after: str) -> None:
    """Wherever a server echoes it, whatever its shape."""
    text = f"{before}{key}{after}{key}"

    assert key not in scrub(text, Secret(key, "X"))
    assert key.encode() not in scrub_bytes(text.encode(), Secret(key, "X"))


@pytest.mark.parametrize(
    "echoed",
    [
        "sk-proj-abc1234567890abcdefghij",
        "sk-pr********************wxyz",
        "sk-ant-api03-AAAA",
        "xai-abcdefgh",
        "hf_abcdefgh",
        "ghp_abcdefgh",
        "Bearer abcdefgh.ijk+l/m==",
        "bearer  abcdefgh",
    ],
)
def test_what_has_the_shape_of_a_key_is_scrubbed(echoed: str) -> None:
    """Also one that is not ours, or only a part of it."""
    said = scrub(f"Incorrect API key provided: {echoed}, try again", None)

    assert echoed.rsplit(maxsplit=1)[-1] not in said
    assert SHOWN in said
    assert said.endswith(", try again")


@pytest.mark.parametrize("text", ["", "a risk-averse otter", "task-42", "a desk-lamp", "the bearer of news", "hf_x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    """A message is not mutilated by the scrubbing."""
    assert scrub(text, Secret(KEY, "X")) == text


@held
@given(st.binary())
def test_bytes_without_the_key_stay_as_they_are(data: bytes) -> None:
    """An answer that is kept is the answer that came."""
    assume(KEY.encode() not in data)

    assert scrub_bytes(data, Secret(KEY, "X")) == data
    assert scrub_bytes(data, None) == data


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abc1234567890abcdefghij",
        "sk-" + "a1" * 20,
        "xai-" + "b2" * 20,
        "hf_" + "c3" * 12,
        "https://h/sk-" + "a1" * 20,
    ],
)
def test_a_whole_key_is_recognised(text: str) -> None:
    """A word that was typed and is one must not be kept."""
    assert looks_like_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn",
        "sk-a-very-long-word-without-any-digits",
        "task-20261121-otter-at-dusk-17",
        "",
        "gpt-image-2.6-flare",
        "sk-1",
    ],
)
def test_a_word_that_a_person_writes_is_no_key(text: str) -> None:
    """Tags, notes and models are not refused by mistake."""
    assert not looks_like_key(text)
