"""The documents say what the code does: their examples run, their tables are the code's, their links lead somewhere.

How a fenced block is read:

* Its info string is a language, then nothing, `no-run (a reason)`, or for ipython `raises Name`.
* The `python` blocks of a file run in order in one namespace, in a process and a folder of their own.
* The `ipython` blocks of a file run in order in one kernel. An empty line ends a cell. `raises Name` says that the last
  cell of the block fails with that error.
* A `text` block directly below one that ran is what that one printed; `…` stands for anything.

No block reaches the network: a proxy that is not there is set for everything but loopback.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from msgspec import inspect
from support.interpreters import ROOT
from support.kernels import Done, Kernel

from jupyter_imagegen import catalogue, errors, journal, retry
from jupyter_imagegen.exports import FORMS
from jupyter_imagegen.frame import COLUMNS
from jupyter_imagegen.reply import Reply
from jupyter_imagegen.settings import ImageGen
from jupyter_imagegen.sketch import wire
from jupyter_imagegen.switches import SWITCHES

DOCS: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
PAGES: Final = (README, *sorted(DOCS.glob("*.md")))
PACKAGE: Final = ROOT / "jupyter_imagegen"
OFFLINE: Final = {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}

_FENCE: Final = re.compile(r"^```(?P<info>.*)\n(?P<code>(?:.*\n)*?)```$", re.MULTILINE)
_INFO: Final = re.compile(r"python|ipython|ipython raises \w+|(?:python|ipython) no-run \(.+\)|text|sh|json|toml")
_LINK: Final = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block: its info string, its text, the line of its fence, and what is said to be printed by it."""

    info: str
    code: str
    line: int
    printed: str | None

    @property
    def raises(self) -> str:
        """The error that its last cell ends with, or an empty text."""
        return self.info.partition("raises ")[2]

    @property
    def cells(self) -> list[str]:
        """Its cells: what stands between empty lines."""
        return [cell for cell in re.split(r"\n\s*\n", self.code.strip("\n")) if cell]


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(text))
    for place, match in enumerate(found):
        below = found[place + 1] if place + 1 < len(found) else None
        is_printed = below is not None and below["info"] == "text" and not text[match.end() : below.start()].strip()
        printed = below["code"] if below is not None and is_printed else None
        yield Block(match["info"], match["code"], text[: match.start()].count("\n") + 1, printed)


def runnable(page: Path, language: str) -> list[Block]:
    """The blocks of a page in a language, without those that are not to be run."""
    return [block for block in blocks(page) if re.fullmatch(rf"{language}( raises \w+)?", block.info)]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head; text in code marks loses the marks."""
    _, _, below = (DOCS / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert below, f"{page} has no heading {heading!r}"
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines is not None, f"{page} has no table under {heading!r}"
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[0].splitlines()[2:]]
    return [[re.sub(r"^`([^`]*)`$", r"\1", cell.strip()).replace("\\|", "|") for cell in row] for row in rows]


def agrees(said: str, printed: str) -> bool:
    """Whether a text that was printed is the one that a page shows; `…` stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in printed.strip().split("…"))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


# --- blocks


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    """A misspelt info string would keep a block from being run without anyone noticing."""
    assert [block.info for block in blocks(page) if not _INFO.fullmatch(block.info)] == []


RUNNER: Final = """
import contextlib, io, json, sys
namespace = {"__name__": "__main__"}
printed = []
for place, code in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, place, "exec"), namespace)
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if runnable(page, "python")], ids=[p.name for p in PAGES if runnable(p, "python")]
)
def test_python_blocks_run_and_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    """Each page's blocks, in order, as a script in an empty folder."""
    found = runnable(page, "python")
    # The empty lines before a block make the line numbers of a traceback those of the page.
    code = [(page.name, "\n" * block.line + block.code) for block in found]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(code),
        cwd=tmp_path,
        env={**os.environ, **OFFLINE, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for block, said in zip(found, json.loads(done.stdout), strict=True):
        assert block.printed is None or agrees(said, block.printed), f"{page.name}:{block.line} printed\n{said}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if runnable(page, "ipython")], ids=[p.name for p in PAGES if runnable(p, "ipython")]
)
def test_ipython_cells_run_and_print_what_is_shown(page: Path, start_kernel: Callable[..., Kernel]) -> None:
    """Each page's cells, in order, in one kernel; a cell that is said to fail fails with that error."""
    kernel = start_kernel(**OFFLINE)
    for block in runnable(page, "ipython"):
        done = [kernel.run(cell) for cell in block.cells]
        assert all(cell.status == "ok" for cell in done[:-1]), f"{page.name}:{block.line} {done}"
        assert done[-1].ename == block.raises, f"{page.name}:{block.line} {done[-1]}"
        said = "\n".join(part for cell in done for part in shown(cell))
        assert block.printed is None or agrees(said, block.printed), f"{page.name}:{block.line} printed\n{said}"


def shown(cell: Done) -> list[str]:
    """What a cell shows as plain text: its outputs, then its error."""
    return [part for part in (cell.text, *cell.traceback) if part]


# --- tables


def test_the_table_of_options_is_the_codes() -> None:
    """docs/options.md has one row for each row of switches.SWITCHES, in the same order and words."""
    rows = [[row.spelling, row.help, "yes" if row.repeats else ""] for row in SWITCHES]
    assert table("options.md", "## The options") == rows


def test_the_table_of_columns_is_the_dataframes() -> None:
    """docs/history.md lists every column with its type, in order."""
    assert [tuple(row[:2]) for row in table("history.md", "## Columns")] == list(COLUMNS)


def test_the_table_of_statuses_names_every_error_of_a_call() -> None:
    """Each error class that a call can end with stands beside the status that it is recorded with."""
    named = {row[0]: set(re.findall(r"\w+", row[2])) for row in table("history.md", "## Status")}
    expected: dict[str, set[str]] = {status: set() for status in ("ok", "refused", "failed", "cancelled", "running")}
    kinds: list[type[errors.ImageGenError]] = [*below(errors.CallError), errors.StoreError]
    for kind in kinds:
        expected.setdefault(kind.status, set()).add(kind.__name__)
    assert named == expected


def below(kind: type[errors.ImageGenError]) -> Iterator[type[errors.ImageGenError]]:
    """All subclasses of an error that the package defines."""
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def test_the_tables_of_the_journal_are_its_structs() -> None:
    """docs/files.md has a table for each event, with every field, its type and whether it is always there."""
    events = inspect.type_info(journal.AnyLine)
    assert isinstance(events, inspect.UnionType)
    for struct in events.types:
        assert isinstance(struct, inspect.StructType)
        is_null_left_out = struct.cls.__struct_config__.omit_defaults
        rows = [
            [field.encode_name, json_type(field.type, is_null_left_out=is_null_left_out), there(field)]
            for field in struct.fields
        ]
        assert [row[:3] for row in table("files.md", f"### `{struct.tag}`")] == rows


def there(field: inspect.Field) -> str:
    """Whether a line always has this field."""
    return "always" if field.required else "optional"


def json_type(kind: inspect.Type, *, is_null_left_out: bool) -> str:
    """The JSON type of a field, as the page says it; a raw value is an object wherever the journal has one."""
    match kind:
        case inspect.UnionType():
            first, *_ = (one for one in kind.types if not isinstance(one, inspect.NoneType))
            return json_type(first, is_null_left_out=True) + ("" if is_null_left_out else " or null")
        case inspect.VarTupleType():
            return f"array of {json_type(kind.item_type, is_null_left_out=True)}s"
        case _:
            return _JSON_TYPES[type(kind)]


_JSON_TYPES: Final[dict[type[inspect.Type], str]] = {
    inspect.StrType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.RawType: "object",
    inspect.StructType: "object",
}


def test_the_table_of_settings_is_the_traits() -> None:
    """docs/settings.md lists every trait with its default and its help."""
    traits = ImageGen.class_own_traits(config=True)
    rows = [[name, repr(trait.default_value), trait.help] for name, trait in traits.items()]
    assert sorted(row[:3] for row in table("settings.md", "## Settings")) == sorted(rows)


def test_the_table_of_variables_is_what_the_code_reads() -> None:
    """Every IMAGEGEN_… in the package's source is in the table, and nothing else is."""
    read = {name for path in PACKAGE.rglob("*.py") for name in re.findall(r"\bIMAGEGEN_[A-Z_]+\b", path.read_text())}
    assert {row[0] for row in table("settings.md", "## Environment")} == read


def test_the_table_of_providers_is_the_catalogues() -> None:
    """docs/providers.md lists every provider with its address, default model, key variable and dialect."""
    rows = [
        [
            row.name,
            row.base_url,
            row.default_model or "",
            row.key_variable if row.needs_key else "none needed",
            row.dialect or "",
        ]
        for row in catalogue.load().providers
    ]
    assert table("providers.md", "## Providers") == rows


def test_the_table_of_models_is_the_catalogues() -> None:
    """docs/providers.md lists every model with the provider whose own row it is, and how many pictures it makes."""
    rows = [
        [model.name, at or "any", "" if model.max_n is None else str(model.max_n)]
        for at, model in catalogue.load().rows
    ]
    assert table("providers.md", "## Models") == rows


def test_the_files_that_are_shown_can_be_read() -> None:
    """Each imagegen.toml of the pages is one that the catalogue takes."""
    found = [block.code for page in PAGES for block in blocks(page) if block.info == "toml"]
    assert found
    for text in found:
        catalogue.over(catalogue.load(), text, "imagegen.toml", is_trusted=True)


def test_the_table_of_forms_is_that_of_the_exports() -> None:
    """docs/reproducibility.md lists every form with its endings and its help."""
    rows = [[form.name, form.help] for form in FORMS]
    said = table("reproducibility.md", "## Handing it over")

    assert [[row[0], row[2]] for row in said] == rows
    for row, form in zip(said, FORMS, strict=True):
        folder = ["a folder"] if form.is_folder else []
        assert row[1].replace("`", "").split(", ") == [*form.suffixes, *folder]


def test_the_error_tree_is_the_one_of_the_code() -> None:
    """docs/running.md shows the tree of errors.py, and every class is in it, below its base."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    assert f"```text\n{tree}\n```" in (DOCS / "running.md").read_text(encoding="utf-8")
    drawn = [(len(match[1]) // 4, match[2]) for match in re.finditer(r"^([│├└─ ]*)(\w+)", tree, re.MULTILINE)]
    bases = {
        name: next((above for depth_above, above in reversed(drawn[:place]) if depth_above < depth), "Exception")
        for place, (depth, name) in enumerate(drawn)
    }
    classes: list[type[errors.ImageGenError]] = [errors.ImageGenError, *below(errors.ImageGenError)]
    assert bases == {kind.__name__: kind.__base__.__name__ for kind in classes if kind.__base__ is not None}


def test_the_table_of_sketch_fields_is_the_endpoints() -> None:
    """docs/sketch.md lists every field that the endpoint takes, and says which are for one path only."""
    rows = {row[0]: row[1] for row in table("sketch.md", "## Fields")}
    assert list(rows) == sorted({*wire.GENERATION_FIELDS, *wire.EDIT_FIELDS})
    assert {name for name, values in rows.items() if "edits only" in values} == {*wire.EDIT_FIELDS} - {
        *wire.GENERATION_FIELDS
    }
    assert {name for name, values in rows.items() if "generations only" in values} == {*wire.GENERATION_FIELDS} - {
        *wire.EDIT_FIELDS
    }


def test_the_codes_of_sketch_errors_are_in_its_source() -> None:
    """Each code that docs/sketch.md names is one that the endpoint can answer."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (PACKAGE / "sketch").glob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = {code for row in table("sketch.md", "## Errors") for code in re.findall(r"\w+", row[1])}
    assert named
    assert named <= texts


# --- what is sent again

_QUOTA: Final = b'{"error": {"message": "no credit", "code": "insufficient_quota"}}'
NOW: Final = 1_795_219_200.0


def waits(decide: Callable[[int], retry.Wait | retry.Stop]) -> list[float]:
    """The waits until the decision is to stop."""
    found: list[float] = []
    while isinstance(verdict := decide(len(found) + 1), retry.Wait):
        found.append(verdict.seconds)
    return found


def answered(*statuses: int, body: bytes = b"", **headers: str) -> list[list[float]]:
    """The waits after answers of these statuses."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    replies = [Reply(status=status, headers=pairs, body=body) for status in statuses]
    return [waits(partial(after, reply)) for reply in replies]


def after(reply: Reply, attempt: int) -> retry.Wait | retry.Stop:
    """The decision after an answer."""
    return retry.after_reply(reply, attempt, NOW)


CASES: Final[dict[str, Callable[[], list[list[float]]]]] = {
    "no connection (name, refused, TLS)": lambda: [waits(retry.after_no_connection)],
    "429": lambda: answered(429),
    "429 with `Retry-After: 7`": lambda: answered(429, retry_after="7"),
    "429 with `Retry-After: 121`": lambda: answered(429, retry_after="121"),
    "429 for a quota or credit": lambda: answered(429, body=_QUOTA),
    "503 or 529": lambda: answered(503, 529),
    "503 or 529 with `Retry-After: 7`": lambda: answered(503, 529, retry_after="7"),
    "503 or 529 with `x-should-retry: true`": lambda: answered(503, 529, x_should_retry="true"),
    "any answer with `x-should-retry: false`": lambda: answered(
        429, 500, 503, 529, x_should_retry="false", retry_after="7"
    ),
    "500, 502, 504, 408, 409": lambda: answered(500, 502, 504, 408, 409, retry_after="7"),
}


def test_the_table_of_what_is_sent_again_is_what_retry_decides() -> None:
    """Each row but the last is a case that retry.py is asked about: as many attempts, and these waits."""
    *rows, _rest = table("running.md", "## Paying once")
    assert [row[0] for row in rows] == list(CASES)
    for case, attempts, between in rows:
        found = CASES[case]()
        assert [len(one) + 1 for one in found] == [int(attempts)] * len(found), case
        assert [", ".join(f"{seconds:g} s" for seconds in one) for one in found] == [between] * len(found), case


# --- links, and the front page


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    """A relative target is a file of the repository, and an anchor one of its headings."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [match["target"] for match in _LINK.finditer(text) if "://" not in match["target"]]
    for target in targets:
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name} points to {target}"
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), f"{page.name} points to {target}"


def test_the_index_lists_every_page_once() -> None:
    """docs/index.md has one line for each other page."""
    listed = re.findall(r"^- \[.*?\]\((.*?)\)", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in DOCS.glob("*.md") if page.name != "index.md")


def command(heading: str) -> str:
    """The first sh block below a heading of the README."""
    _, _, below = README.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    found = re.search(r"^```sh\n(.*?)```$", below.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert found is not None, f"README.md has no sh block under {heading!r}"
    return found[1]


@pytest.mark.parametrize("heading", ["## Run it", "## Test it"])
def test_the_readme_has_one_line_to_run_and_one_to_test(heading: str) -> None:
    """The first block under the heading is a single command that can be copied."""
    assert command(heading).strip()
    assert command(heading).count("\n") == 1


def test_the_gate_runs_the_test_command_of_the_readme() -> None:
    """.ci/run takes its test command out of the README, so that what is written there is what is run."""
    gate = ROOT / ".ci" / "run"
    if gate.exists():
        taken = re.search(r"^(test_command=.*)$", gate.read_text(encoding="utf-8"), re.MULTILINE)
        assert taken is not None
        script = f'{taken[1]}\nprintf "%s\\n" "$test_command"'
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == command("## Test it")
