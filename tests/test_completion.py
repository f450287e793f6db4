"""Tab: option names, and from the catalogue their values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.catalogue import load
from jupyter_imagegen.completion import complete
from jupyter_imagegen.switches import SWITCHES

ROWS = load()
ALL = [f"--{row.name}" for row in SWITCHES]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ALL),
        ("--", ALL),
        ("--qu", ["--quality", "--quiet"]),
        ("--quality", ["--quality"]),
        ("--nothing", []),
        ("--quiet --qu", ["--quality"]),
        ("-q low --qu", ["--quiet"]),
        ("--tag a --ta", ["--tag"]),
        ("a cat", []),
        ("a cat --see", ["--seed"]),
        ("-m gpt-image-2 --quality ", ["auto", "low", "medium", "high"]),
        ("-m gpt-image-2 -q h", ["high"]),
        ("--model gpt-image-2 --quality=h", ["--quality=high"]),
        ("--model=dall-e-3 --quality ", ["standard", "hd"]),
        ("-m dall-e-3 --style ", ["vivid", "natural"]),
        ("-m dall-e-2 --style ", []),
        ("-p zenlayer -m gpt-image-2 --size ", ["1024x1024", "1536x1024", "1024x1536"]),
        ("--provider=zenlayer -m gpt-image-2 --quality ", ["low", "medium", "high"]),
        ("-m gpt-image-1-mini --background t", ["transparent"]),
        ("-m gpt-image-1 --output-format ", ["png", "jpeg", "webp"]),
        ("-m gpt-image-2 --moderation ", ["auto", "low"]),
        ("-m dall-e-3 --response-format ", ["url", "b64_json"]),
        ("-m no-such-model --size ", []),
        ("-p ", list(ROWS.names)),
        ("--provider zen", ["zenlayer"]),
        ("-m dall-e-", ["dall-e-2", "dall-e-3"]),
        ("--inline ", ["preview", "full", "none"]),
        ("--seed ", []),
        ("--note ", []),
        ("-m ", None),
    ],
)
def test_tab_offers_what_can_stand_there(line: str, expected: list[str] | None) -> None:
    """Options that are not given yet, or the values that the catalogue knows for the model and provider of the line."""
    found = complete(line, ROWS)

    if expected is None:
        assert "gpt-image-2" in found
        assert not [name for name in found if "*" in name]
    else:
        assert sorted(found) == sorted(expected)


def test_without_a_model_the_values_of_all_are_offered() -> None:
    """Each value once."""
    found = complete("--quality ", ROWS)

    assert {"hd", "high", "max"} <= set(found)
    assert len(found) == len(set(found))


@held
@given(st.text())
def test_any_line_has_completions_or_none(line: str) -> None:
    """Tab never fails, and offers only what continues the word that was begun."""
    begun = "" if not line or line[-1].isspace() else line.rsplit(maxsplit=1)[-1]

    assert all(text.startswith(begun) for text in complete(line, ROWS))


def test_no_option_for_a_key_is_offered() -> None:
    """Nothing here leads a key into a notebook."""
    assert not [text for text in complete("--", ROWS) if "key" in text or "token" in text]
