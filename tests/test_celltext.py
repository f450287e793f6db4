"""Options as the cell that asks for them: as a person would write it, and nothing more than that."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from support.made import record
from support.pictures import picture
from support.properties import held

import jupyter_imagegen as ig
from jupyter_imagegen import api
from jupyter_imagegen.again import asked_by
from jupyter_imagegen.celltext import as_cell
from jupyter_imagegen.errors import ImageGenError, OptionError
from jupyter_imagegen.options import Options, from_call, parse_cell
from jupyter_imagegen.questions import keep_question_marks
from jupyter_imagegen.settings import Where, photograph
from jupyter_imagegen.switches import SWITCHES

KEY: Final = "sk-proj-abc1234567890abcdefghij"
RECORD: Final = "20261121T041500123456Z-9f3a2c1b[0]"
_GIVEN: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("n", "timeout", "mode", "note", "inline", "save", "image", "mask", "max_cost")),
    "tags": (),
    "omit": (),
    "force": False,
    "quiet": False,
}


def asked(prompt: str = "an otter", fields: dict[str, object] | None = None, **rest: Any) -> Options:
    """The options of a call from Python; None of them names a key, whatever they are."""
    where = Where(**{name: rest.pop(name, None) for name in ("provider", "base_url", "model")})
    return from_call(prompt, where, fields=fields or {}, **{**_GIVEN, **rest})


def meant(options: Options) -> Options:
    """What of them a cell repeats: the prompt that was sent, not where it came from."""
    fields = tuple(sorted(options.fields))
    where = replace(options.where, is_recorded=False)
    return replace(options, template=None, variables=(), parent_id=None, fields=fields, where=where)


# --- running what was written


def prepared(text: str) -> ast.Module:
    """The Python that IPython makes of a cell, with what the extension adds to it."""
    make: Any = TransformerManager  # not every version of it has annotations
    manager = make()
    manager.cleanup_transforms.append(keep_question_marks)
    code: str = manager.transform_cell(text)
    return ast.parse(code)


def only_call(module: ast.Module) -> ast.Call:
    """The one call that a cell makes; all that it is given is literal."""
    *before, last = module.body
    assert [ast.unparse(line) for line in before] in ([], ["import jupyter_imagegen as ig"])
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    called = "ig.generate" if before else "get_ipython().run_cell_magic"
    assert ast.unparse(last.value.func) == called
    for each in (*last.value.args, *(argument.value for argument in last.value.keywords)):
        ast.literal_eval(each)
    return last.value


def ran(text: str) -> Options:
    """The options that a cell gives when it is run; it may make one call of the magic or of generate, and no more."""
    module = prepared(text)
    call = only_call(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "job", lambda options: options)
        patch.setattr(api, "run", lambda options: options)
        names: dict[str, Any] = {"get_ipython": _Shell}
        exec(compile(ast.Module(module.body[:-1], []), "cell", "exec"), names)  # noqa: S102  (what is under test)
        found: Options = eval(compile(ast.Expression(call), "cell", "eval"), names)  # noqa: S307
    return found


class _Shell:
    """As much of a shell as a cell magic needs; every name that a prompt could mean is a variable of it."""

    def run_cell_magic(self, name: str, line: str, body: str) -> Options:
        assert name == "imagegen"
        return parse_cell(line, body, dict.fromkeys(("x", "a", "otter", "name"), "replaced"))


# --- as a person would write it

READABLE: Final = [
    (asked(), "%%imagegen\nan otter"),
    (asked("an otter,\n\nasleep?"), "%%imagegen\nan otter,\n\nasleep?"),
    (
        asked(provider="openai", model="gpt-image-2", n=4, fields={"quality": "high", "size": "1536x1024"}),
        "%%imagegen -p openai -m gpt-image-2 -n 4 -s 1536x1024 -q high\nan otter",
    ),
    (
        asked(base_url="http://localhost:8080/v1", fields={"seed": 7, "output_format": "jpeg", "guidance_scale": 3.5}),
        "%%imagegen --base-url http://localhost:8080/v1 --output-format jpeg --seed 7 --guidance-scale 3.5\nan otter",
    ),
    (asked(fields={"watermark": False, "stream": True}), "%%imagegen --no-watermark --stream\nan otter"),
    (
        asked(fields={"negative_prompt": 'a dog\'s "tail"'}),
        "import jupyter_imagegen as ig\n\nig.generate('an otter', negative_prompt='a dog\\'s \"tail\"')",
    ),
    (asked(fields={"negative_prompt": "it's wet"}), '%%imagegen --negative-prompt "it\'s wet"\nan otter'),
    (asked(note="it's"), "%%imagegen --note it's\nan otter"),
    (asked(fields={"negative_prompt": 'the "word"'}), "%%imagegen --negative-prompt 'the \"word\"'\nan otter"),
    (
        asked(fields={"input_fidelity": "high", "steps": 30}),
        "%%imagegen --param input_fidelity=high --param steps=30\nan otter",
    ),
    (
        asked(fields={"seed": 1.5, "size": 512, "user": "7"}),
        "%%imagegen --param size=512 --user 7 --param seed=1.5\nan otter",
    ),
    (asked(fields={"version": "7"}), "%%imagegen --param version='\"7\"'\nan otter"),
    (asked(fields={"area": [1, {"a": "b c"}]}), '%%imagegen --param area=\'[1,{"a":"b c"}]\'\nan otter'),
    (
        asked(image=["my otter.png", RECORD], mask="masks/hat.png"),
        f'%%imagegen --image "my otter.png" --image {RECORD} --mask masks/hat.png\nan otter',
    ),
    (
        asked(tags=["study", "figure 1"], note="for the title page", omit=["response_format"]),
        '%%imagegen --omit response_format --tag study --tag "figure 1" --note "for the title page"\nan otter',
    ),
    (
        asked(timeout=900, mode="cache", save="C:\\pictures\\{n}.png", max_cost=0.5, force=True),
        "%%imagegen --timeout 900 --mode cache --save C:\\pictures\\{n}.png --max-cost 0.5 --force\nan otter",
    ),
    (asked("an {{animal}}"), "%%imagegen --raw\nan {{animal}}"),
    (asked("a {brace} for $5"), "%%imagegen\na {brace} for $5"),
    (asked(tags=["--seed"], note="-"), '%%imagegen --tag "--seed" --note -\nan otter'),
    (asked("\nan otter"), "import jupyter_imagegen as ig\n\nig.generate('\\nan otter')"),
    (
        asked(image="otter", mask="masks[0]"),
        "import jupyter_imagegen as ig\n\nig.generate('an otter', image='otter', mask='masks[0]')",
    ),
    (asked(" \nan otter", max_cost=0), "import jupyter_imagegen as ig\n\nig.generate(' \\nan otter', max_cost=0.0)"),
    (
        asked(tags=["two\nlines"], image="otter", fields={"a.b": 1, "watermark": False}, n=2, timeout=0.5),
        """import jupyter_imagegen as ig

ig.generate(
    'an otter',
    n=2,
    image='otter',
    timeout=0.5,
    tags=['two\\nlines'],
    watermark=False,
    **{'a.b': 1},
)""",
    ),
]


@pytest.mark.parametrize(("options", "text"), READABLE, ids=[text.splitlines()[-1][:40] for _, text in READABLE])
def test_a_cell_reads_as_a_person_would_write_it(options: Options, text: str) -> None:
    """Short flags, quotes only where they are needed, and Python only for what a line cannot say."""
    assert as_cell(options) == text
    assert meant(ran(text)) == meant(options)


def test_what_a_line_said_is_said_again() -> None:
    """Also what only the magic has."""
    line = "-n 2 -s 64x64 --into best --inline none --dry-run --quiet"

    assert as_cell(parse_cell(line, "an otter", {})) == (
        "%%imagegen -n 2 -s 64x64 --into best --inline none --quiet --dry-run\nan otter"
    )


def test_a_template_is_written_as_it_was_sent() -> None:
    """Its variables may have other values by now; what a value held is not looked at again."""
    options = parse_cell("", "an {{animal}} in {{place}}", {"animal": "otter", "place": "{{animal}}"})

    assert as_cell(options) == "%%imagegen --raw\nan otter in {{animal}}"


def test_every_option_of_the_table_can_be_written() -> None:
    """One that is added to it is written by its own name, not as Python or as --param."""
    words = {
        "n": "2",
        "mode": "live",
        "inline": "none",
        "max-cost": "1",
        "timeout": "5",
        "into": "best",
        "param": "a=1",
    }
    for row in SWITCHES:
        value = "7" if row.is_field else words.get(row.name, "x.png")
        line = f"--{row.name} {value if row.takes_value else ''}".strip()
        prompt = "an {{otter}}" if row.name == "raw" else "an otter"
        first, below = as_cell(parse_cell(line, prompt, {})).split("\n")
        assert below == prompt
        assert first in {f"%%imagegen {line}", f"%%imagegen -{row.short} {value}"}


# --- the same


_TEXT: Final = st.text(
    st.sampled_from("{}$%\\'\"?!`~@#&|<>=- \t\n\r\x00\x85\u2028\u202e\u200dax") | st.characters(codec="utf-8"),
    min_size=1,
)
_PROMPT: Final = _TEXT | st.lists(
    st.sampled_from(
        [
            "{{x}}",
            ">>> a",
            "... a",
            "...: a",
            "In [1]: a",
            "%%imagegen?",
            "!ls",
            "a?",
            "  ",
            "\t",
            "",
            '"""',
            "a\\",
            "otter",
        ]
    )
    | _TEXT,
    min_size=1,
).map("\n".join)
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
_NAMES: Final = st.sampled_from(
    [row.field for row in SWITCHES if row.is_field]
    + ["steps", "class", "a.b", "a-b", "aﬁ", "fields", "where", "", "a b", "{{x}}"]
)
_NAMED: Final = st.none() | _TEXT | st.sampled_from(["openai", "-p", "--seed", "http://a/v1", "it's", "a=\"b'"])
_PLACE: Final = _TEXT | st.sampled_from(["otter", "otter[0]", "otter.png", "a b.png", RECORD, "C:\\a b\\", "~/a"])
_AMOUNT: Final = st.none() | st.floats(0, 1e30, exclude_min=True)


@held
@given(
    prompt=_PROMPT,
    provider=_NAMED,
    base_url=_NAMED,
    model=_NAMED,
    n=st.none() | st.integers(1, 1000),
    fields=st.dictionaries(_NAMES, _JSON, max_size=3),
    image=st.lists(_PLACE, max_size=2),
    mask=st.none() | _PLACE,
    omit=st.lists(_TEXT, max_size=2),
    tags=st.lists(_TEXT, max_size=2),
    note=_NAMED,
    save=_NAMED,
    timeout=_AMOUNT,
    max_cost=_AMOUNT,
    mode=st.sampled_from([None, "live", "cache", "replay"]),
    inline=st.sampled_from([None, "preview", "full", "none"]),
    force=st.booleans(),
    quiet=st.booleans(),
)
def test_a_cell_gives_what_a_call_asked_for(**drawn: Any) -> None:
    """Whatever a call can ask for, one of the two forms says it, and nothing in it is more than a literal."""
    try:
        options = asked(**drawn)
    except ImageGenError:
        assume(False)  # noqa: FBT003  (hypothesis' own signature)

    assert meant(ran(as_cell(options))) == meant(options)


@held
@given(prompt=_PROMPT)
@example("an otter\n \nasleep")
@example("an otter\n>>> asleep")
@example("In [1]: an otter\n   ...: asleep")
@example("{{x}}")
@example("an otter\\\n")
def test_a_prompt_is_the_same_in_either_form(prompt: str) -> None:
    """Blanks, prompts of other shells, questions and continued lines are left as they were."""
    assume(prompt.strip())

    assert ran(as_cell(asked(prompt))).prompt == prompt


@held
@given(value=_JSON, name=_NAMES)
@example(value=7, name="guidance_scale")
@example(value="true", name="watermark")
@example(value="", name="size")
@example(value=[], name="style")
@example(value="='", name="style")
@example(value=10**30, name="seed")
def test_a_value_keeps_its_type(name: str, value: object) -> None:
    """7 is not 7.0, and a text that looks like a number or true stays a text."""
    assume(value is not None)
    options = asked(fields={name: value})

    (found,) = ran(as_cell(options)).fields
    assert found == options.fields[0]


@held
@given(
    line=st.lists(
        st.sampled_from(
            [
                "-n 3",
                "-p openai",
                "--size 7",
                "--no-stream",
                "--watermark",
                "-i otter.png",
                "-i ?",
                "--mask m.png",
                "--raw",
            ]
        )
        | st.builds(
            "--param {}={}".format, st.sampled_from(["a", "a.b", "image", "mode", "seed"]), _JSON.map(json.dumps)
        )
        | st.builds(
            "{} '{}'".format, st.sampled_from(["--tag", "--note", "-m", "--save", "-q", "--param a=7 -s"]), _TEXT
        ),
        max_size=4,
    ).map(" ".join),
    body=_PROMPT,
)
def test_a_cell_gives_what_a_cell_asked_for(line: str, body: str) -> None:
    """What the magic was given is written once more, also what only the magic takes."""
    try:
        options = parse_cell(line, body, {"x": "one"})
    except ImageGenError:
        assume(False)  # noqa: FBT003
    try:
        text = as_cell(options)
    except OptionError:
        # A null, and a field that is called as an argument is, can be said by the magic alone.
        assert {name for name, value in options.fields} & {"image", "mode"} or ("null" in dict(options.fields).values())
        return

    assert meant(ran(text)) == meant(options)


# --- what cannot be said


def test_a_picture_that_is_only_in_memory_cannot_be_named() -> None:
    """What to do about it is said."""
    for given_as in ({"image": picture()}, {"image": "a.png", "mask": picture()}):
        with pytest.raises(OptionError, match="neither a file nor a record") as caught:
            as_cell(asked(**given_as))
        assert caught.value.hint == "Generate first: then its record names a file."


@pytest.mark.parametrize(
    "options",
    [
        replace(asked("\nan otter"), dry_run=True),
        replace(asked("\nan otter"), into="best"),
        replace(asked("\nan otter"), fields=(("image", '"https://example.org/a.png"'),)),
        replace(asked(), n=0),
        replace(asked(), mode="dead"),
        replace(asked(), tags=("",)),
        replace(asked(), prompt=" "),
        replace(asked(), omit=("a-b",)),
    ],
    ids=["dry run", "into", "a field that generate takes for its own", "n", "mode", "tag", "prompt", "omit"],
)
def test_what_neither_form_says_is_an_error(options: Options) -> None:
    """A cell that gives something else would be worse than none."""
    with pytest.raises(OptionError, match="No cell asks for exactly this"):
        as_cell(options)


@pytest.mark.parametrize("name", [name for name in signature(ig.generate).parameters if name != "fields"])
def test_a_field_is_never_written_as_an_argument(name: str) -> None:
    """What a body holds under the name of an argument is a field in a magic, and in Python an error."""
    options = replace(asked("\nan otter"), fields=((name, "1"),))

    with pytest.raises(OptionError, match="No cell asks for exactly this"):
        as_cell(options)


def test_a_key_is_never_written() -> None:
    """A record of somebody else may hold anything."""
    for options in (
        replace(asked(), prompt=KEY),
        replace(asked(), tags=(KEY,)),
        replace(asked(), where=Where(model=KEY)),
        replace(asked(), fields=(("user", f'"{KEY}"'),)),
        replace(asked(), fields=((KEY, "1"),)),
        replace(asked(), fields=(("api_key", '"hunter2"'),)),
    ):
        with pytest.raises(OptionError) as caught:
            as_cell(options)
        assert KEY not in f"{caught.value}{caught.value.hint}"


# --- what others wrote

HOSTILE: Final = [
    '"""',
    "'''",
    "a' --base-url http://evil.example/v1 --tag 'b",
    'a" --base-url http://evil.example/v1 --tag "b',
    "a\n%%bash\nrm -rf /",
    "!ls",
    "%run evil.py",
    "a?",
    "%%imagegen?",
    "a\\",
    "a\\\n!ls",
    r"\N{BULLET}",
    "\\x27); import os",
    "');import os;('",
    "')\nimport os",
    "{{x}}",
    "{x}",
    "$x",
    "a\x00b",
    "a\u2028!ls",
    "a\u2029%run evil.py",
    "a\x85!ls",
    "a\x0b!ls",
    "a\x0c!ls",
    "a\x1c!ls",
    "a\r!ls",
    "a\r\n!ls",
    "a\u202e!sl",
    "In [1]: !ls\n   ...: !ls",
    ">>> !ls",
    "    !ls\n!ls",
    "\ufeffa",
    "# a",
    "<script>alert(1)</script>",
    "--",
    "-m",
    "--seed=3",
]


def everywhere(text: str) -> list[Options]:
    """Options that hold this text in one place each."""
    return [
        replace(asked(), prompt=text),
        replace(asked(), prompt=f"an otter\n{text}"),
        replace(asked(), where=Where(model=text)),
        replace(asked(), where=Where(provider=text, base_url=text)),
        replace(asked(), tags=(text, "b")),
        replace(asked(), note=text),
        replace(asked(), images=(text,), mask=text),
        replace(asked(), omit=(text,)),
        replace(asked(), mode=text),
        replace(asked(), fields=(("size", json.dumps(text, ensure_ascii=False)),)),
        replace(asked(), fields=(("steps", json.dumps({text: [text]}, ensure_ascii=False)),)),
        replace(asked(), fields=((text, "1"),)),
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_record_of_somebody_else_is_never_more_than_text(text: str) -> None:
    """One call with literals that give the same, or an error: in a prompt, a name, a tag, a path and a field."""
    written = 0
    for options in everywhere(text):
        try:
            cell = as_cell(options)
        except OptionError:
            continue
        written += 1
        assert meant(ran(cell)) == meant(options)

    assert written >= 5


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_every_letter_of_a_cell_is_seen(text: str) -> None:
    """No control character, and nothing that turns the direction of writing, stands in a cell as itself."""
    for options in everywhere(text):
        try:
            cell = as_cell(options)
        except OptionError:
            continue
        hidden = {letter for letter in cell if unicodedata.category(letter) in ("Cc", "Zl", "Zp")}
        assert hidden <= {"\n"}
        assert not {unicodedata.bidirectional(letter) for letter in cell} & {"LRE", "RLE", "LRO", "RLO", "LRI", "RLI"}


@pytest.mark.parametrize(
    "params",
    [
        '{"n": "4; import os"}',
        '{"n": true}',
        '{"n": 2.0}',
        '{"n": 0}',
        '{"n": ["4"]}',
        '{"prompt": "another"}',
        '{"image": "https://example.org/a.png"}',
        '{"image": {"a": 1}, "tags": "a", "timeout": 5, "mode": "live"}',
        '{"a\\nb": 1}',
        '{"a=\\"b": 1, "": 2}',
        "{\"__import__('os')\": 1}",
        '{"a": null}',
        '{"a": "\\ud800"}',
        '{"a": 1e999}',
        '{"a": ' + "[" * 200 + "]" * 200 + "}",
        "[]",
        "{",
    ],
    ids=lambda params: params[:40],
)
def test_whatever_stands_in_a_journal_is_no_more_than_text(params: str) -> None:
    """Its lines may be of another hand: they give one call with literals, or an error of this package."""
    found = record(call={"params": msgspec.Raw(params.encode()), "tags": ("a", "'b"), "note": '"'})
    options = asked_by(found, photograph())
    try:
        cell = as_cell(options)
    except OptionError:
        assert params.startswith(('{"n"', '{"prompt"'))
        return

    assert meant(ran(cell)) == meant(options)


def test_whom_a_cell_asks_stands_first() -> None:
    """A name of any length cannot push the address out of sight."""
    options = asked(provider="openai", base_url="https://evil.example/v1", model="m" + " " * 2000 + "x", tags=["a"])
    long = replace(options, prompt="\n" + "a" * 2000)

    assert as_cell(options).startswith("%%imagegen -p openai --base-url https://evil.example/v1 -m ")
    assert "    provider='openai',\n    base_url='https://evil.example/v1',\n    model=" in as_cell(long)


def test_a_real_shell_runs_both_forms(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extension loaded, as a person pastes them; a variable of the notebook changes nothing."""
    given_to: list[Options] = []

    def stop(options: Options) -> None:
        given_to.append(options)
        raise Stop("stopped")

    monkeypatch.setattr(api, "job", stop)
    shell.run_line_magic("load_ext", "jupyter_imagegen")
    shell.user_ns.update(x="replaced", otter=picture(), ig=None)
    wanted = [asked("why {{x}}?", note="why?"), asked("\n!ls?", image="otter"), asked("a\n%%imagegen?\n!ls")]
    for options in wanted:
        assert isinstance(shell.run_cell(as_cell(options)).error_in_exec, Stop)
    shell.run_line_magic("unload_ext", "jupyter_imagegen")

    assert [meant(options) for options in given_to] == [meant(options) for options in wanted]
    assert shell.user_ns["ig"] is ig
    assert not Path("imagegen").exists()


class Stop(Exception):
    """What ends a call before it is made; none of the tree of errors, which another test goes through."""
