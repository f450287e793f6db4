"""The table of options: the one place where an option is declared."""

from __future__ import annotations

import pytest

from jupyter_imagegen.errors import KeyInCell, OptionError
from jupyter_imagegen.switches import BY_FLAG, SWITCHES, Switch, is_key_name, json_text, read_value, shown


def test_every_option_is_declared_once() -> None:
    """No long and no short name stands for two options."""
    flags = [f"--{row.name}" for row in SWITCHES] + [f"-{row.short}" for row in SWITCHES if row.short]

    assert len(flags) == len(set(flags))
    assert set(BY_FLAG) == set(flags)


@pytest.mark.parametrize("row", SWITCHES, ids=lambda row: row.name)
def test_every_option_says_what_it_means(row: Switch) -> None:
    """Help is one sentence without a full stop, and the spelling shows a value where one follows."""
    assert row.help
    assert not row.help.endswith(".")
    assert row.spelling.endswith(row.metavar or row.name)
    assert row.takes_value == bool(row.metavar)


@pytest.mark.parametrize("name", ["api-key", "key", "token", "auth", "authorization", "password"])
def test_no_option_takes_a_key(name: str) -> None:
    """There is no option for a key, and every name that looks like one is known to be looked for."""
    assert f"--{name}" not in BY_FLAG
    assert is_key_name(f"--{name}")


@pytest.mark.parametrize("name", ["API_KEY", "x-api-key", "openai_api_key", "access-token", "apikey", "-k"])
def test_a_key_is_recognised_in_every_spelling(name: str) -> None:
    """Case, dashes and underscores make no difference."""
    assert is_key_name(name)


@pytest.mark.parametrize("row", SWITCHES, ids=lambda row: row.name)
def test_no_option_of_the_table_is_taken_for_a_key(row: Switch) -> None:
    """The names that are refused are not names that are used."""
    assert not is_key_name(f"--{row.name}")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("n", "1", 1),
        ("n", "+3", 3),
        ("seed", "-1", -1),
        ("seed", "0", 0),
        ("seed", "9" * 18, 10**18 - 1),
        ("timeout", "0.5", 0.5),
        ("timeout", "1e3", 1000.0),
        ("into", "größe", "größe"),
        ("inline", "none", "none"),
        ("omit", "response-format", "response_format"),
        ("param", "a=1", ("a", "1")),
        ("param", "a=vivid", ("a", '"vivid"')),
        ("param", 'a="vivid"', ("a", '"vivid"')),
        ("param", "a=null", ("a", "null")),
        ("param", "a=true", ("a", "true")),
        ("param", "a= [1, 2] ", ("a", "[1,2]")),
        ("param", "a=b=c", ("a", '"b=c"')),
        ("param", "a=1e5", ("a", "100000.0")),
        ("param", "ns.key-2=x", ("ns.key-2", '"x"')),
        ("model", "any/model:at all", "any/model:at all"),
    ],
)
def test_a_value_is_read_as_its_option_means_it(name: str, text: str, expected: object) -> None:
    """Numbers are numbers, a KEY=JSON is canonical JSON, and everything else is free-form."""
    assert read_value(BY_FLAG[f"--{name}"], text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("n", text) for text in ("0", "-1", "1.5", "", "one", "1_000", " 1", "9" * 19)),
        *(("seed", text) for text in ("", "1.0", "0x10", "9" * 30, "--1")),
        *(("timeout", text) for text in ("0", "-1", "nan", "inf", "", "soon")),
        *(("into", text) for text in ("1a", "a.b", "class", "", "a b")),
        *(("inline", text) for text in ("FULL", "", "big")),
        *(("param", text) for text in ("a", "=1", "1a=1", "a=", "a=[1", 'a="x', "a=1e999", "a=True", "a b=1")),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, text: str) -> None:
    """The error names the option and says what it takes."""
    with pytest.raises(OptionError, match=f"--{name} (takes|needs) "):
        read_value(BY_FLAG[f"--{name}"], text)


@pytest.mark.parametrize("row", [row for row in SWITCHES if row.takes_value], ids=lambda row: row.name)
def test_no_option_takes_a_key_as_its_value(row: Switch) -> None:
    """A value with the shape of a key is refused whatever it is given to, and is not repeated."""
    with pytest.raises(KeyInCell) as caught:
        read_value(row, "sk-abcdefghij0123456789xyz")

    assert "0123456789" not in caught.value.message


@pytest.mark.parametrize("constant", ["NaN", "Infinity"])
def test_constants_that_are_no_json_are_words(constant: str) -> None:
    """Python's json reads NaN as a number; no server does, so it is a word like any other."""
    assert read_value(BY_FLAG["--param"], f"a={constant}") == ("a", f'"{constant}"')


@pytest.mark.parametrize(("value", "text"), [({"b": "é"}, '{"b":"é"}'), ([1, 2], "[1,2]"), (None, "null")])
def test_json_text_has_no_blanks_and_no_escapes(value: object, text: str) -> None:
    """Values are kept as short, readable JSON."""
    assert json_text(value) == text


@pytest.mark.parametrize("value", [float("nan"), {"a": {1}}, "\ud800", object()])
def test_json_text_refuses_what_json_cannot_hold(value: object) -> None:
    """What would fail in the middle of sending fails here."""
    with pytest.raises((TypeError, ValueError)):
        json_text(value)


def test_what_is_shown_fits_a_line() -> None:
    """A message quotes at most forty letters of what was typed, and no key."""
    assert shown("a" * 100) == repr("a" * 39 + "…")
    assert shown("it is sk-abcdefghij0123456789") == "'it is ***'"
