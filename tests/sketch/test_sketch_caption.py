"""The words in a picture."""

from __future__ import annotations

import pytest

from jupyter_imagegen.sketch import caption


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text, 100%", "plain text, 100%"),
        ("café — naïve", "cafe - naive"),
        ("水獭", "U+6C34 U+736D"),
        ("さくら", "sakura"),
        ("Привет", "Privet"),
        ("Ξένος", "Xenos"),
        ("한국", "hangug"),
        ("a 🦦 swims", "a [otter] swims"),
        ("你好,世界!", "U+4F60 U+597D , U+4E16 U+754C !"),
        ("a\u200bb\ud800c", "abc"),
    ],
)
def test_what_the_font_has_not_is_spelled(text: str, written: str) -> None:
    """No row of empty boxes: sounds, names or codes instead."""
    assert caption.spelled(text) == written


def test_a_spelled_text_can_be_drawn_whole() -> None:
    """Everything that comes out has a glyph."""
    written = caption.spelled("".join(map(chr, range(0x20, 0x3000))))
    assert all(letter.isspace() or caption._drawable(letter) for letter in written)


def test_a_long_text_shrinks_and_ends_in_an_ellipsis() -> None:
    """It never has more lines than fit."""
    short, long = (caption.fitted("word " * words, 400, 30, 12) for words in (3, 300))
    assert (len(short.lines), short.size) == (1, 30)
    assert (len(long.lines), long.size) == (caption.LINES, 12)
    assert long.lines[-1].endswith("…")


def test_a_word_wider_than_the_line_is_broken() -> None:
    """And nothing of it is lost."""
    fitted = caption.fitted("x" * 90, 300, 20, 12)
    assert len(fitted.lines) > 1
    assert "".join(fitted.lines) == "x" * 90
