"""The text of a cell, or the arguments of a call, as Options."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.errors import KeyInCell, OptionError, PromptError
from jupyter_imagegen.options import Options, from_call, parse_cell, parse_line, variables_in
from jupyter_imagegen.settings import Where

KEY = "sk-proj-abc1234567890abcdefghij"
_AWKWARD = st.text(st.sampled_from("{}$%\\'\"?!`~@#&|<> \nax") | st.characters(codec="utf-8"))
_NAME = re.compile(r"\{\{\s*[^\W\d]\w*\s*\}\}")


def call(
    prompt: str = "a cat", where: Where | None = None, fields: dict[str, object] | None = None, **given: Any
) -> Options:
    """from_call with everything that is not given left out."""
    names = ("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")
    left_out = {**dict.fromkeys(names), "tags": (), "omit": (), "force": False, "quiet": False}
    return from_call(prompt, where or Where(), fields=fields or {}, **{**left_out, **given})


def fields(options: Options) -> dict[str, Any]:
    """The body fields, decoded."""
    return {name: json.loads(value) for name, value in options.fields}


@held
@given(_AWKWARD)
def test_a_prompt_in_a_cell_passes_unchanged(prompt: str) -> None:
    """Braces, dollars, percents, backslashes and quotes stay as they were typed; only blank lines at the edges go."""
    assume(prompt.strip())
    assume(not _NAME.search(prompt))

    assert parse_cell("", prompt, {"a": "replaced", "x": "replaced"}).prompt == prompt.strip("\n").rstrip()


@held
@given(_AWKWARD)
def test_a_prompt_of_a_call_passes_unchanged(prompt: str) -> None:
    """From Python nothing is replaced at all, {{name}} included."""
    assume(prompt.strip())

    assert call(f"{{{{a}}}} {prompt}").prompt == f"{{{{a}}}} {prompt}"


@held
@given(st.text(), st.text())
def test_a_value_is_put_in_once_and_not_looked_at_again(first: str, second: str) -> None:
    """A value that holds {{other}} stays as it is, so no value can pull in another variable."""
    names = {"first": f"{{{{second}}}}{first}", "second": second}

    assert parse_cell("", "<{{first}}|{{ second }}>", names).prompt == f"<{{{{second}}}}{first}|{second}>"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("by {{artist}}", "by Klee"),
        ("by {{ artist }}", "by Klee"),
        ("by {{\tartist}}", "by Klee"),
        ("{{artist}} and {{artist}}", "Klee and Klee"),
        ("{{{artist}}}", "{Klee}"),
        ("{{count}} cats", "3 cats"),
        ("{{größe}}", "groß"),
        ("{{µ}}", "Greek"),
        ("{{a.b}}", "{{a.b}}"),
        ("{{a[0]}}", "{{a[0]}}"),
        ("{{a()}}", "{{a()}}"),
        ("{{1}}", "{{1}}"),
        ("{{}}", "{{}}"),
        ("{artist}", "{artist}"),
        ("{{artist", "{{artist"),
        ("$artist %artist ?artist", "$artist %artist ?artist"),
    ],
)
def test_only_a_name_in_two_braces_is_replaced(template: str, expected: str) -> None:
    """{{name}} takes the str() of a variable; nothing is evaluated and all other braces stay."""
    # Python keeps a name that was typed with the micro sign under the Greek letter.
    names = {"artist": "Klee", "count": 3, "größe": "groß", "μ": "Greek", "a": ["x"]}

    assert parse_cell("", template, names).prompt == expected


def test_the_variables_of_a_prompt_are_named_once_each() -> None:
    """In their order; blanks inside the braces are no part of a name."""
    assert variables_in("{{b}} {{ größe }} {{b}} {{1}} {c}") == ("b", "größe")


def test_template_values_and_rendered_prompt_are_all_kept() -> None:
    """What was typed, what stood in it and what is sent are three things, and each is recorded."""
    options = parse_cell("", "{{b}} {{a}} {{b}}", {"a": 1, "b": "x"})

    assert (options.template, options.variables, options.prompt) == (
        "{{b}} {{a}} {{b}}",
        (("b", "x"), ("a", "1")),
        "x 1 x",
    )


def test_an_undefined_name_is_refused_with_names_that_are_near() -> None:
    """A misspelt variable costs nothing: it is an error that names the near ones."""
    with pytest.raises(PromptError, match="Did you mean 'artist'") as caught:
        parse_cell("", "by {{artits}}", {"artist": "Klee", "other": 1})

    assert "--raw" in caught.value.hint


def test_raw_leaves_the_braces_as_they_are() -> None:
    """--raw sends {{name}} as it was typed, defined or not."""
    options = parse_cell("--raw", "{{artist}} {{undefined}}", {"artist": "Klee"})

    assert options.prompt == "{{artist}} {{undefined}}"
    assert options.variables == ()


@pytest.mark.parametrize("body", ["", "   ", "\n\n\t\n"])
def test_a_cell_without_a_prompt_is_refused(body: str) -> None:
    """Nothing is sent for a prompt that is only blank."""
    with pytest.raises(PromptError, match="There is no prompt"):
        parse_cell("", body, {})


def test_a_prompt_whose_variables_are_all_empty_is_refused() -> None:
    """What would be sent counts, not what was typed."""
    with pytest.raises(PromptError, match="There is no prompt"):
        parse_cell("", "{{nothing}}", {"nothing": "  "})


def test_half_a_character_is_refused_before_anything_is_sent() -> None:
    """A lone surrogate, as file names can hold one, fits in no request."""
    with pytest.raises(PromptError, match="Letter 3 of the prompt"):
        parse_cell("", "a {{file}}", {"file": "\udce9"})


def test_a_line_gives_options_and_prompt_together() -> None:
    """%imagegen takes its prompt from the line, with variables."""
    options = parse_line("-m dall-e-3 --size 512x512 a cat's {{thing}}", {"thing": "hat"})

    assert options.prompt == "a cat's hat"
    assert options.where == Where(model="dall-e-3")
    assert fields(options) == {"size": "512x512"}


def test_words_on_the_line_of_a_cell_are_refused() -> None:
    """The prompt of %%imagegen stands below; loose words on its line are a mistake."""
    with pytest.raises(OptionError, match="'a cat' is not an option"):
        parse_cell("-n 2 a cat", "a dog", {})


def test_each_option_has_its_place() -> None:
    """Every option of the table that is not a field lands in the Options under its own name."""
    options = parse_cell(
        "-m M -p P --base-url U -n 2 --omit output-format --timeout 1.5 --mode cache --into r --tag a --tag b --note x "
        "--inline none --save d --dry-run --quiet",
        "a cat",
        {},
    )

    assert options == Options(
        prompt="a cat",
        template="a cat",
        where=Where(provider="P", base_url="U", model="M"),
        n=2,
        omit=("output_format",),
        timeout_s=1.5,
        mode="cache",
        into="r",
        tags=("a", "b"),
        note="x",
        inline="none",
        save="d",
        dry_run=True,
        quiet=True,
    )


def test_fields_are_spelt_as_the_api_spells_them() -> None:
    """Dashes on the line are underscores in the body, and numbers are numbers."""
    options = parse_cell("--output-format webp --output-compression 50 --seed -1 --param guidance=3.5", "a", {})

    assert fields(options) == {"output_format": "webp", "output_compression": 50, "seed": -1, "guidance": 3.5}


@pytest.mark.parametrize("line", ["--size a --param size=b", "--param x=1 --param x=2", "--seed 1 --param seed=1"])
def test_a_field_that_is_given_twice_is_refused(line: str) -> None:
    """No order of options decides between two values of one field."""
    with pytest.raises(OptionError, match="is given twice"):
        parse_cell(line, "a", {})


@pytest.mark.parametrize("name", ["prompt", "model", "n", "max_cost", "force", "dry_run"])
def test_a_field_that_has_its_own_place_is_refused(name: str) -> None:
    """A name that would do nothing in the body, or cost money for nothing, is an error that says where it belongs."""
    with pytest.raises(OptionError, match=f"{name} is not a field of the body"):
        parse_cell(f"--param {name}=1", "a", {})
    with pytest.raises(OptionError, match=f"{name} is not a field of the body"):
        call(fields={name: 1})


def test_unknown_keywords_go_to_the_body_as_they_are() -> None:
    """What the endpoint may know and we do not is passed on; None is not sent."""
    options = call(fields={"size": "1x1", "made_up": {"b": [1, None]}, "style": None, "watermark": False})

    assert fields(options) == {"size": "1x1", "made_up": {"b": [1, None]}, "watermark": False}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", {1, 2}, "\ud800"])
def test_a_value_that_json_cannot_hold_is_refused(value: object) -> None:
    """It is refused by its name and kind, before anything is sent."""
    with pytest.raises(OptionError, match=r"style is a .*, which JSON cannot hold"):
        call(fields={"style": value})


@pytest.mark.parametrize("given", [{"api_key": "x"}, {"authorization": "x"}, {"user": KEY}, {"extra": {"a": KEY}}])
def test_a_key_in_a_call_is_refused_and_never_repeated(given: dict[str, object]) -> None:
    """A key as a keyword would go into the request and its record."""
    with pytest.raises(KeyInCell) as caught:
        call(fields=given)

    assert KEY not in "\n".join(caught.value.lines())


@pytest.mark.parametrize(
    "given",
    [
        {"where": Where(model=KEY)},
        {"where": Where(provider=KEY)},
        {"where": Where(base_url=f"https://h/{KEY}")},
        {"note": KEY},
        {"tags": (KEY,)},
        {"omit": (KEY,)},
        {"save": Path(KEY)},
    ],
    ids=lambda given: next(iter(given)),
)
def test_no_argument_takes_a_key(given: dict[str, Any]) -> None:
    """What is refused on the line is refused in a call: all of these are recorded."""
    with pytest.raises(KeyInCell) as caught:
        call(**given)

    assert KEY not in "\n".join(caught.value.lines())


def test_a_key_on_the_line_of_a_cell_is_not_repeated() -> None:
    """Words that are no option are shown without what looks like a key."""
    with pytest.raises(OptionError) as caught:
        parse_cell(KEY, "a cat", {})

    assert KEY not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 0), ("n", 1.5), ("n", True), ("timeout", 0), ("timeout", float("nan")), ("inline", "big")],
)
def test_an_argument_is_read_as_its_option_is(name: str, value: Any) -> None:
    """There is one validation: what the option refuses, the keyword refuses in the same words."""
    with pytest.raises(OptionError) as from_python:
        call(**{name: value})
    with pytest.raises(OptionError) as from_cell:
        parse_cell(f"--{name} {value}", "a", {})

    assert from_python.value.message == from_cell.value.message


def test_one_word_is_one_tag() -> None:
    """A text where a list was expected is one entry, not its letters."""
    options = call(tags="keep", omit="n")

    assert (options.tags, options.omit) == (("keep",), ("n",))


def test_a_path_object_may_say_where_to_save() -> None:
    """Save takes a Path as well as a text."""
    assert call(save=Path("a") / "b").save == str(Path("a") / "b")
