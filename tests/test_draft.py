"""What stands in a form <-> Options."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.canary import CANARIES, SHAPED, trace
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.draft import Draft, asked, drafted, narrowed, whom
from jupyter_imagegen.edge import plain_errors
from jupyter_imagegen.errors import ImageGenError, KeyInCell, OptionError, PromptError
from jupyter_imagegen.options import Options, from_call, parse_cell
from jupyter_imagegen.references import of_value
from jupyter_imagegen.settings import MODES, Where
from jupyter_imagegen.switches import SWITCHES

OPTIONS = [row.field for row in SWITCHES if row.is_field and not row.off]
ELSEWHERE = "https://elsewhere.example/v1"
UPLOAD = of_value(picture("teal"), "upload.png")

TYPED = st.text(st.sampled_from("{}$=,;'\"\\ \n\t-.x7te[]:") | st.characters(codec="utf-8"), max_size=12)
ANY_TEXT = st.text(st.sampled_from('{}$=,"\n x7[]:') | st.characters(), max_size=12)
NAMES = st.sampled_from([*OPTIONS, "resolution", "ns.key-2", "timeout", "a b", "größe", "{{x}}", ""]) | TYPED
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TYPED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TYPED, inner, max_size=3),
    max_leaves=6,
)
WORDS = TYPED.filter(bool)


def said(draft: Draft) -> dict[str, Any]:
    """The body fields that a form asks for, decoded."""
    return {name: json.loads(value) for name, value in asked(draft).fields}


def form(**filled: Any) -> Draft:
    """A form with a prompt in it."""
    return Draft(prompt="a cat", **filled)


def in_order(options: Options) -> Options:
    """The options with their fields in alphabetical order, which says nothing in a body."""
    return replace(options, fields=tuple(sorted(options.fields)))


# --- there and back


@st.composite
def calls(draw: st.DrawFn) -> Options:
    """Whatever a call from Python can ask for."""
    optional = st.none() | WORDS
    try:
        return from_call(
            draw(TYPED),
            Where(provider=draw(optional), base_url=draw(optional), model=draw(optional)),
            n=draw(st.none() | st.integers(1, 1000)),
            timeout=draw(st.none() | st.floats(0, exclude_min=True, allow_infinity=False)),
            mode=draw(st.none() | st.sampled_from(MODES)),
            tags=draw(st.lists(WORDS, max_size=3)),
            note=draw(optional),
            inline=None,
            save=draw(optional),
            omit=draw(st.lists(WORDS, max_size=3)),
            image=draw(st.none() | st.lists(WORDS | st.just(picture("plum")), max_size=2)),
            mask=draw(optional),
            max_cost=draw(st.none() | st.floats(0, allow_infinity=False)),
            force=draw(st.booleans()),
            quiet=False,
            fields=draw(st.dictionaries(NAMES, JSON, max_size=4)),
        )
    except OptionError:  # a text that no option takes
        return draw(st.nothing())


@held
@given(calls())
def test_a_form_made_of_options_asks_for_the_same(options: Options) -> None:
    """Braces, quotes, odd names and numbers included; but blanks around whom it asks are a slip of the finger there."""
    asks = options.where
    names = [(name or "").strip() or None for name in (asks.provider, asks.base_url, asks.model)]
    trimmed = replace(options, where=Where(provider=names[0], base_url=names[1], model=names[2]))

    assert in_order(asked(drafted(options))) == in_order(trimmed)


@held
@given(st.dictionaries(st.sampled_from(OPTIONS) | NAMES, JSON, min_size=1, max_size=4))
@example({"style": "{{x}}"})
@example({"made_up": "{{{x}}}", "other": {"a": "{{x}}"}})
@example({"seed": 7.0, "size": "1x1", "guidance_scale": 7})
@example({"watermark": "true", "stream": True, "partial_images": "2"})
@example({"resolution": "1", "a b": "true", "negative_prompt": " "})
def test_a_field_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    """A whole number stays whole, a text a text, and only what an option would read otherwise is a line of params."""
    try:
        options = from_call_of(values)
    except OptionError:
        assume(False)  # noqa: FBT003  (hypothesis' own signature)
    draft = drafted(options)

    assert in_order(asked(draft)) == in_order(options)
    assert {name for name, _ in draft.fields} | {
        line.partition("=")[0] for line in draft.params.split("\n") if line
    } == {name for name, _ in options.fields}


def from_call_of(values: dict[str, Any]) -> Options:
    """A call with these fields and nothing else."""
    names = ("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")
    return from_call(
        "a cat", Where(), fields=values, tags=(), omit=(), force=False, quiet=False, **dict.fromkeys(names)
    )


@held
@given(
    draft=st.builds(
        Draft,
        prompt=ANY_TEXT.filter(bool) | st.just("a cat"),
        provider=ANY_TEXT,
        base_url=ANY_TEXT,
        model=ANY_TEXT,
        n=ANY_TEXT | st.just("2"),
        fields=st.lists(st.tuples(st.sampled_from(OPTIONS) | ANY_TEXT, ANY_TEXT), max_size=3).map(tuple),
        images=st.lists(ANY_TEXT, max_size=2).map(tuple),
        mask=st.none() | ANY_TEXT,
        params=ANY_TEXT,
        omit=ANY_TEXT,
        tags=ANY_TEXT,
        note=ANY_TEXT,
        timeout=ANY_TEXT | st.just("1"),
        mode=ANY_TEXT | st.sampled_from(MODES),
        max_cost=ANY_TEXT | st.just("1"),
        save=ANY_TEXT,
    ),
    kept=st.sets(st.sampled_from(Draft.__slots__), max_size=3),
)
def test_any_texts_are_options_or_an_error_of_ours(draft: Draft, kept: set[str]) -> None:
    """A form never fails in a way of its own; alone, or together with others, each text is read or refused."""
    some = replace(Draft(prompt="a cat"), **{name: getattr(draft, name) for name in kept})
    for each in (draft, some):
        found = outcome(each)
        if isinstance(found, Options):
            assert in_order(asked(drafted(found))) == in_order(found)
        else:
            assert found.message.isprintable(), found.message


def outcome(draft: Draft) -> Options | ImageGenError:
    """The options of a form, or what was wrong with it."""
    try:
        with plain_errors():
            return asked(draft)
    except ImageGenError as error:
        return error


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "tables"])
@pytest.mark.parametrize("place", ["params", "fields"])
def test_json_without_end_is_an_error_like_any_other(text: str, place: str) -> None:
    """However deep it is nested."""
    draft = form(params=f"x={text}") if place == "params" else form(fields=(("x", text),))

    with pytest.raises(OptionError):
        asked(draft)


# --- what a text asks for


def test_a_filled_form_asks_for_all_of_it() -> None:
    """Each place of the form has its place in the options."""
    draft = Draft(
        prompt="a cat",
        provider="P",
        base_url="https://h/v1",
        model="M",
        n=" 2 ",
        fields=(("size", "1024x1024"), ("seed", "7"), ("watermark", "false"), ("resolution", "2k"), ("style", "")),
        images=("a.png", UPLOAD, ""),
        mask=UPLOAD,
        params='guidance=3.5\n\n  style="vivid"  \r\n',
        omit="response-format, user",
        tags='study, "a, b",  "5"" disk" ,x',
        note="a note",
        timeout="1.5",
        mode="cache",
        max_cost="$0.50",
        save="figures/",
        force=True,
    )

    assert asked(draft) == Options(
        prompt="a cat",
        where=Where(provider="P", base_url="https://h/v1", model="M"),
        n=2,
        fields=(
            ("size", '"1024x1024"'),
            ("seed", "7"),
            ("watermark", "false"),
            ("resolution", '"2k"'),
            ("guidance", "3.5"),
            ("style", '"vivid"'),
        ),
        images=("a.png", UPLOAD),
        mask=UPLOAD,
        omit=("response_format", "user"),
        max_cost_usd=0.5,
        force=True,
        timeout_s=1.5,
        mode="cache",
        tags=("study", "a, b", '5" disk', "x"),
        note="a note",
        save="figures/",
    )


def test_an_empty_form_asks_for_its_prompt_alone() -> None:
    """What is not filled in is not sent."""
    blank = form(n=" ", timeout="\n", fields=(("size", ""), ("seed", " ")), tags=" , ", omit=" ,", params="\n \n")

    assert asked(blank) == Options(prompt="a cat")


def test_a_form_without_a_prompt_is_refused() -> None:
    """As a cell without one is."""
    with pytest.raises(PromptError) as caught:
        asked(Draft(prompt=" \n"))

    assert caught.value.lines() == ("PromptError: There is no prompt.", "Type one first.")


def test_a_prompt_is_sent_as_it_was_typed() -> None:
    """A form has no variables."""
    assert asked(Draft(prompt="a {{cat}}\n")).prompt == "a {{cat}}\n"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "7", 7),
        ("seed", " +7 ", 7),
        ("guidance_scale", "7", 7.0),
        ("size", "1024", "1024"),
        ("user", "true", "true"),
        ("negative_prompt", '"quoted"', '"quoted"'),
        ("stream", "true", True),
        ("resolution", "1k", "1k"),
        ("aspect_ratio", "16:9", "16:9"),
        ("layers", "4", 4),
        ("made_up", '"4"', "4"),
        ("made_up", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_a_field_is_read_as_its_option_or_as_json(name: str, text: str, value: object) -> None:
    """An option knows whether it is a number; of any other field the text says it, as --param has it."""
    found = said(form(fields=((name, text),)))[name]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("filled", "message"),
    [
        ({"n": "0"}, "--n takes a whole number from 1 to 1000, not '0'."),
        ({"timeout": "soon"}, "--timeout takes a number of seconds above 0, not 'soon'."),
        ({"mode": "fast"}, "--mode takes live or cache or replay, not 'fast'."),
        ({"max_cost": "-1"}, "--max-cost takes an amount of US dollars, for example 0.50, not '-1'."),
        ({"fields": (("seed", "1.5"),)}, "--seed takes a whole number, not '1.5'."),
        ({"fields": (("watermark", "yes"),)}, "--watermark takes true or false, not 'yes'."),
        ({"fields": (("resolution", "[1"),)}, "resolution takes JSON or a word, not '[1'."),
        ({"fields": (("tiled", "True"),)}, "tiled takes JSON or a word, not 'True'."),
        ({"fields": (("a\nb", "[1"),)}, "'a\\nb' takes JSON or a word, not '[1'."),
        ({"fields": (("a", '"\\ud800"'),)}, "a takes JSON or a word, not '\"\\\\ud800\"'."),
        (
            {"fields": (("\ud800", "1"),)},
            "The name of the field '\\ud800' holds half a character, which cannot be sent.",
        ),
        ({"fields": (("n", "2"),)}, "n is not a field of the body: it is -n, or the argument n."),
        ({"fields": (("seed", "1"), ("seed", "1"))}, "The field seed is given twice."),
        ({"fields": (("seed", "1"),), "params": "seed=1"}, "The field seed is given twice."),
        ({"params": "x=1\nx=2"}, "The field x is given twice."),
        ({"params": "x"}, "--param takes KEY=JSON, for example guidance=3.5 or style='\"vivid\"', not 'x'."),
        ({"model": "$model"}, "--model takes no variable: '$model' would be sent and recorded as it is typed."),
        ({"tags": 'a, "b'}, "The quotes in tags do not fit: '\"b'."),
        ({"tags": '"a"b'}, "The quotes in tags do not fit: '\"a\"b'."),
        ({"omit": '"a"b'}, "The quotes in omit do not fit: '\"a\"b'."),
    ],
)
def test_an_error_names_what_was_filled_in(filled: dict[str, Any], message: str) -> None:
    """In the words of the option; a field without one is called as the form calls it."""
    with pytest.raises(OptionError) as caught:
        asked(form(**filled))

    assert caught.value.message == message


def test_an_empty_field_is_not_given_twice() -> None:
    """What stands in params counts where nothing stands in the field itself."""
    assert said(form(fields=(("seed", ""),), params="seed=1")) == {"seed": 1}


# --- what options fill in


def test_options_fill_a_form_as_a_person_would() -> None:
    """Numbers without needless zeros, words without needless quotes, and nothing for what was not asked."""
    options = parse_cell(
        "-m M -n 2 --size 1x1 --seed 7 --no-watermark --param guidance=3.5 --param layout='[1]' --timeout 900 "
        "--max-cost 0.5 --tag study --tag 'a, b' --omit user --omit style --into x --quiet --dry-run --inline none",
        "a {{c}}",
        {"c": "cat"},
    )

    assert drafted(options) == Draft(
        prompt="a cat",
        model="M",
        n="2",
        fields=(("size", "1x1"), ("seed", "7"), ("watermark", "false"), ("guidance", "3.5"), ("layout", "[1]")),
        omit="user style",
        tags='study, "a, b"',
        timeout="900",
        max_cost="0.5",
    )


def test_what_an_option_would_read_otherwise_is_a_line_of_params() -> None:
    """A seed that is no whole number, or a size that an option would take for a variable."""
    options = from_call_of({"seed": 7.0, "size": "{{w}}x1", "guidance_scale": 7, "style": "vivid"})

    assert drafted(options).fields == (("style", "vivid"),)
    assert drafted(options).params == 'seed=7.0\nsize="\\u007b{w}}x1"\nguidance_scale=7'


def test_a_null_is_not_sent() -> None:
    """As in a call from Python: in the API it counts as not given."""
    assert said(form(params="style=null\nx=1")) == {"x": 1}


# --- a form with other fields


@held
@given(
    typed=st.lists(st.tuples(st.sampled_from(OPTIONS) | NAMES, TYPED | st.sampled_from(["7", "true"])), max_size=3),
    names=st.sets(st.sampled_from(OPTIONS)),
    params=st.sampled_from(["", " \n", "guidance=3.5"]),
)
def test_a_form_with_other_fields_asks_for_the_same(typed: Any, names: set[str], params: str) -> None:
    """What the model of another form has no field for is not lost, and an error stays the error that it was."""
    draft = form(fields=tuple(typed), params=params)
    before, after = outcome(draft), outcome(narrowed(draft, names))

    if isinstance(before, Options) and isinstance(after, Options):
        assert in_order(after) == in_order(before)
    else:
        assert isinstance(before, ImageGenError)
        assert isinstance(after, ImageGenError)


def test_only_what_a_form_does_not_show_becomes_a_line() -> None:
    """As JSON, so that the line says exactly what the field said; what cannot be read stays, and is said."""
    draft = form(
        fields=(("size", "1x1"), ("guidance_scale", "7"), ("user", "1"), ("seed", "x"), ("style", "")), params="a=1"
    )

    assert narrowed(draft, ("size",)) == replace(
        draft, fields=(("size", "1x1"), ("seed", "x"), ("style", "")), params='a=1\nguidance_scale=7.0\nuser="1"'
    )
    assert narrowed(draft, [name for name, _ in draft.fields]) == draft


def test_an_address_that_a_record_named_stays_recorded_until_another_one_is_typed() -> None:
    """A form that somebody else's record filled takes no key to that record's address."""
    recorded = replace(asked(form()), where=Where(base_url="https://elsewhere.example/v1", is_recorded=True))
    draft = drafted(recorded)

    assert asked(draft).where == recorded.where
    assert not asked(replace(draft, base_url="https://mine.example/v1")).where.is_recorded


@pytest.mark.parametrize("blank", [" ", "\n", "\t \u00a0"])
def test_blanks_around_an_address_do_not_make_a_recorded_one_typed(blank: str) -> None:
    """Nor those in the record itself: whoever made it would be given the key."""
    draft = form(base_url=ELSEWHERE, recorded_url=ELSEWHERE)
    for each in (
        replace(draft, base_url=f"{blank}{ELSEWHERE}{blank}"),
        replace(draft, recorded_url=f"{ELSEWHERE}{blank}", base_url=f"{ELSEWHERE}{blank}"),
    ):
        assert whom(each) == asked(each).where == Where(base_url=ELSEWHERE, is_recorded=True)


def test_an_address_that_is_not_there_is_not_recorded() -> None:
    """A form without one asks whom is set, with its key."""
    assert whom(form(base_url=" ", model=" m ")) == Where(model="m")
    assert not whom(form(recorded_url=ELSEWHERE)).is_recorded


# --- keys

PLACES = [name for name in Draft.__slots__ if name not in ("fields", "images", "force", "recorded_url")]


@pytest.mark.parametrize("place", [*PLACES, "images", "name", "value", "value of an option", "param", "param name"])
def test_a_key_is_refused_wherever_it_is_typed(place: str) -> None:
    """What looks like one is never sent, kept or repeated."""
    with pytest.raises(ImageGenError) as caught:
        asked(with_key(place, SHAPED))

    assert not trace(SHAPED, "\n".join(caught.value.lines()))
    assert isinstance(caught.value, KeyInCell)


@pytest.mark.parametrize("place", [*PLACES, "images", "name", "value", "value of an option", "param", "param name"])
@pytest.mark.parametrize("around", ["{}", "[{}", "{{{{{}}}}}", '"{}', "{}\n"])
@pytest.mark.parametrize("kind", CANARIES)
def test_no_error_repeats_a_key(monkeypatch: pytest.MonkeyPatch, kind: str, around: str, place: str) -> None:
    """Also one that only the environment knows, in a text that cannot be read."""
    key = CANARIES[kind]
    monkeypatch.setenv("MINE_API_KEY", key)

    found = outcome(with_key(place, around.format(key)))

    if not isinstance(found, Options):
        assert not trace(key, f"{found!r} {found.lines()} {found.__notes__}")


def with_key(place: str, key: str) -> Draft:
    """A form with a key in one place."""
    odd: dict[str, dict[str, Any]] = {
        "images": {"images": (key,)},
        "name": {"fields": ((key, "["),)},
        "value": {"fields": (("made_up", key),)},
        "value of an option": {"fields": (("seed", key),)},
        "param": {"params": f"made_up={key}"},
        "param name": {"params": f"{key}=["},
    }
    return replace(form(), **odd.get(place, {place: key}))
