"""One line of text: words, options with their values, and the prompt that is left."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.errors import KeyInCell, OptionError
from jupyter_imagegen.line import read_line, words

KEY = "sk-proj-abc1234567890abcdefghij"

# Words as shlex and we agree on them: quotes stand only at the start of a word and around all of it.
_LETTERS = st.characters(codec="utf-8", exclude_characters="'\"\\")
_BARE = st.text(_LETTERS.filter(lambda letter: not letter.isspace()), min_size=1)
_INSIDE = st.text(_LETTERS)
_WORD = st.one_of(_BARE, _INSIDE.map("'{}'".format), _INSIDE.map('"{}"'.format))


def values(line: str) -> dict[str, Any]:
    """The options of a line by name."""
    return {row.name: value for row, value in read_line(line).values}


@held
@given(st.lists(_WORD), st.sampled_from([" ", "  ", "\t"]))
def test_words_agree_with_shlex_where_quotes_stand_at_word_starts(parts: list[str], blank: str) -> None:
    """A line without backslashes and inner quotes is split as a shell splits it."""
    line = blank.join(parts)

    assert [word.text for word in words(line)] == shlex.split(line)


@held
@given(st.lists(_BARE | st.sampled_from(["a'b", "C:\\x", "it's", '5"']), min_size=1))
def test_a_word_says_where_it_stands(parts: list[str]) -> None:
    """A bare word is the piece of the line between its start and its end."""
    line = " ".join(part for part in parts if part[0] not in "'\"" and "=" not in part)

    assert [line[word.start : word.end] for word in words(line)] == line.split()


@held
@given(st.text())
@example("'")
@example("--param x='")
def test_any_line_is_read_or_refused(line: str) -> None:
    """Whatever is typed gives options and a prompt, or an OptionError, and nothing else."""
    try:
        typed = read_line(line)
    except OptionError:
        return

    assert typed.prompt is None or typed.prompt in line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a cat's hat", "a cat's hat"),
        ("  a   cat  ", "a   cat"),
        ('"a cat" ', "a cat"),
        ("'a cat'", "a cat"),
        ('a "big" cat', 'a "big" cat'),
        ('"big" cat', '"big" cat'),
        ("a cat -m x", "a cat"),
        ("-m x a cat", "a cat"),
        ("-- -m is a letter", "-m is a letter"),
        ('"-m" is a letter', '"-m" is a letter'),
        ("a cat -- sleeping -- soundly", "a cat -- sleeping -- soundly"),
        ("a 5-legged - odd - cat", "a 5-legged - odd - cat"),
        ("a cat at -5 degrees", "a cat at -5 degrees"),
        (r"C:\new\table", r"C:\new\table"),
        ("ein Kätzchen 🐱 猫", "ein Kätzchen 🐱 猫"),
        ("50% of {a}, $x & {{b}}?", "50% of {a}, $x & {{b}}?"),
        ("", None),
        ("-m x", None),
    ],
)
def test_the_prompt_is_what_belongs_to_no_option_as_it_was_typed(line: str, expected: str | None) -> None:
    """Loose words keep their blanks, quotes, apostrophes and dashes; quotes around the whole go."""
    assert read_line(line).prompt == expected


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ('--size "1024x1024"', "size", "1024x1024"),
        ("--size '1024x1024'", "size", "1024x1024"),
        ("--size=1024x1024", "size", "1024x1024"),
        ('--size="1024x1024"', "size", "1024x1024"),
        ("-s 1024x1024", "size", "1024x1024"),
        ("-s=1024x1024", "size", "1024x1024"),
        ("--seed -1", "seed", -1),
        ("--seed=-1", "seed", -1),
        ("-n 4", "n", 4),
        ("--n 4", "n", 4),
        (r"--save C:\new\table", "save", r"C:\new\table"),
        (r'--save "C:\my pictures\x"', "save", r"C:\my pictures\x"),
        ('--note "it\'s"', "note", "it's"),
        ("--note '--quiet'", "note", "--quiet"),
        ("--note=--quiet", "note", "--quiet"),
        ("--negative-prompt -blurry", "negative-prompt", "-blurry"),
        ("--note 'größer als 猫'", "note", "größer als 猫"),
        ("--user a=b", "user", "a=b"),
        ("--param style='\"vivid\"'", "param", ("style", '"vivid"')),
        ("--param style=\"'x'\"", "param", ("style", "\"'x'\"")),
        ("--param 'a={\"b\": [1, 2]}'", "param", ("a", '{"b":[1,2]}')),
        ("--quiet", "quiet", True),
    ],
)
def test_a_value_follows_its_option(line: str, name: str, expected: object) -> None:
    """Both kinds of quotes work, `=` works, and a backslash is a letter."""
    assert values(line) == {name: expected}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--szie 1", "There is no option --szie. Did you mean '--size'"),
        ("--qual high", "Did you mean '--quality'"),
        ("--Size 1", "Did you mean '--size'"),
        ("--output_format png", "Did you mean '--output-format'"),
        ("-size 1", "Did you mean '--size'"),
        ("-n4", "For a value write -n 4."),
        ("-mgpt-image-2", "For a value write -m gpt-image-2."),
        ("-n 1 -n 2", "--n is given twice"),
        ("-n 1 --n 1", "--n is given twice"),
        ("--quiet --quiet", "--quiet is given twice"),
        ("--quiet=1", "--quiet takes no value"),
        ("--size", "--size needs a value: -s, --size WxH"),
        ("--size --quiet", "--size needs a value"),
        ("--size -n=2", "--size needs a value"),
        ("--note 'a", "The quote ' before 'a' is not closed"),
        ('a "cat', 'The quote " before'),
        ("a cat -n 2 in a hat", "in two pieces"),
        ("-n two", "--n takes a whole number from 1 to 1000, not 'two'"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_nearest_name(line: str, said: str) -> None:
    """Misspelt, abbreviated, repeated and incomplete options are errors that say what was meant or missing."""
    with pytest.raises(OptionError) as caught:
        read_line(line)

    assert said in caught.value.message


def test_a_word_that_is_an_option_already_is_not_offered_as_a_value() -> None:
    """-size is a misspelt --size, not -s with the value ize."""
    with pytest.raises(OptionError) as caught:
        read_line("-size 3")

    assert "For a value" not in caught.value.message


def test_options_that_repeat_keep_their_order() -> None:
    """--param, --omit and --tag may be given as often as needed."""
    typed = read_line("--tag b --tag a --omit n --omit size")

    assert [value for _, value in typed.values] == ["b", "a", "n", "size"]


@pytest.mark.parametrize(
    "line",
    [
        f"--api-key={KEY}",
        f"--api-key {KEY}",
        f"--api_key {KEY}",
        f"--key {KEY}",
        f"-k {KEY}",
        f"--openai-api-key={KEY}",
        f"--token {KEY}",
        f"--{KEY}",
        f"--user {KEY}",
        f"--model={KEY}",
        f"--base-url https://host/{KEY}",
        f"--param authorization={KEY}",
        f"--param api_key={KEY}",
        "--param api_key=1f00ba4",
        "--param x-api-key=-1",
    ],
)
def test_a_key_on_the_line_is_refused_and_never_repeated(line: str) -> None:
    """There is no option for a key, under any name, and the refusal does not hold it."""
    with pytest.raises(KeyInCell) as caught:
        read_line(line)

    assert KEY[3:] not in "\n".join(caught.value.lines())
    assert "1f00ba4" not in caught.value.message
    assert "environment" in caught.value.hint


@pytest.mark.parametrize("line", [f'--api-key "{KEY}', f"--into {KEY}'", f"'{KEY}", f"--{KEY[:12]}"])
def test_no_error_repeats_a_key(line: str) -> None:
    """Also an error about something else leaves out what looks like a key."""
    with pytest.raises(OptionError) as caught:
        read_line(line)

    assert KEY[8:12] not in "\n".join(caught.value.lines())


@pytest.mark.parametrize("line", ["--seed $s", "--tag {s}", "--note '{{ s }}'", "--save {{s}}.png", "--base-url $U"])
def test_an_option_takes_no_variable(line: str) -> None:
    """People of other magics try it: it is said, and not sent as it is typed."""
    with pytest.raises(OptionError, match="takes no variable") as caught:
        read_line(line)
    assert "ig.generate" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["--save otter-{n}.png", "--note 'for $5'", "--negative-prompt 'a {b} c'", "--save {n}"]
)
def test_what_is_no_variable_stays(line: str) -> None:
    """The pattern of --save, money, and braces in a text."""
    assert read_line(line).values
