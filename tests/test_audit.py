"""The audit: what is missing, altered, orphaned or torn is named, and only what is safe is repaired."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.gateway import Gateway, Hang, Said
from support.interpreters import ROOT
from support.kernels import Kernel
from support.pictures import answer, picture
from support.properties import held

import jupyter_imagegen as ig
from jupyter_imagegen import errors
from jupyter_imagegen.audit import Finding, Report, audit, mend, repair
from jupyter_imagegen.blobs import ABANDONED_S, write
from jupyter_imagegen.process import Process, this_process

NOTEBOOK: Final = "otters.ipynb"

# Every kind of line: calls of several kinds, one that was refused, marks, a showing and a tombstone.
SESSION: Final = """
import jupyter_imagegen as ig

given = dict(provider="sketch", size="64x64", quiet=True)
two = ig.generate("an otter", n=2, seed=7, tags=["study"], note="the first", **given)
ig.rate(two.record.id, 4)
ig.tag(two[1], "keep")
ig.untag(two.record.id, "study")
ig.note(two[0], "the better one")
ig.generate("with a hat", image=two[0], **given)
ig.generate("slowly", partial_images=1, **given)
ig.generate("an otter", n=2, seed=7, mode="cache", **given)
ig.forget(ig.generate("not this", **given).record.id)
try:
    ig.generate("an otter [refuse]", **given)
except ig.ImageGenError:
    pass
"""

BLIND: Final[dict[str, frozenset[str]]] = {
    "session": frozenset({"at", "version", "python", "host", "pid", "process_started", "session"}),
    "call": frozenset(
        {
            *("at", "n", "provider", "base_url", "template", "variables", "notebook", "cell_id", "execution_count"),
            *("parent_id", "omit", "inputs.role", "inputs.name", "tags", "note", "params.stream"),
            "params.partial_images",
        }
    ),
    "image": frozenset({"index", "revised_prompt"}),
    "done": frozenset(
        {
            *("at", "status", "latency_s", "attempts", "error_class", "error_code", "error", "hint", "request_id"),
            *("usage", "cost_usd", "cost_source"),
        }
    ),
    "shown": frozenset({"at", "notebook", "cell_id", "execution_count"}),
    "rating": frozenset({"at", "index", "rating"}),
    "tag": frozenset({"at", "index", "word"}),
    "untag": frozenset({"at", "index", "word"}),
    "note": frozenset({"at", "index", "note"}),
    "forget": frozenset({"at", "session", "version"}),
}
"""What is in the journal alone, so that nothing says whether it was changed; `n` of a call where none was asked for."""


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets only administrators make links")


class Tags(HTMLParser):
    """The names of the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.add(tag)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that a process left which is gone by now, with its notebook beside it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / NOTEBOOK).write_text("{}")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAGEGEN_", "JPY_"))}
    given = {**kept, "PYTHONPATH": str(ROOT), "JPY_SESSION_NAME": str(folder / NOTEBOOK)}
    subprocess.run([sys.executable, "-c", SESSION], cwd=folder, env=given, check=True)
    return folder / "imagegen"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / "imagegen"


def segment(store: Path) -> Path:
    """The only segment of a store."""
    (path,) = (store / "journal").glob("*.jsonl")
    return path


def events(store: Path, event: str) -> list[dict[str, Any]]:
    """The lines of one kind in the only segment."""
    lines = [json.loads(text) for text in segment(store).read_bytes().split(b"\n") if text.strip()]
    return [line for line in lines if line["event"] == event]


def replace(path: Path, old: bytes, new: bytes) -> None:
    """Change the first place where these bytes stand."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def append(path: Path, data: bytes) -> None:
    """Write more at the end."""
    path.write_bytes(path.read_bytes() + data)


def line(**fields: Any) -> bytes:
    """One more line of a segment."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def age(path: Path) -> None:
    """Make a file as old as one of which nobody is the writer any more."""
    then = time.time() - ABANDONED_S - 60
    os.utime(path, (then, then))


def found(store: Path, *, count: int = 1) -> tuple[Finding, ...]:
    """What an audit finds, and that it is so much."""
    findings = audit(store).findings
    assert len(findings) == count, findings
    return findings


def kinds(store: Path) -> list[str]:
    """The kinds of what an audit finds."""
    return [finding.kind for finding in audit(store).findings]


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its bytes and its time."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_store_that_nobody_touched_is_sound(store: Path) -> None:
    """Every line and file of a session is as it says; nothing is even worth a remark."""
    report = audit(store)

    files = [path for folder in ("images", "inputs") for path in (store / folder).iterdir()]
    assert (report.is_sound, report.findings, report.mended) == (True, (), ())
    assert (report.pictures, report.bytes) == (len(files), sum(path.stat().st_size for path in files))
    assert (report.pictures, report.calls) == (5, 5)
    assert report.lines == sum(bool(text.strip()) for text in segment(store).read_bytes().split(b"\n"))
    assert repr(report).startswith("imagegen: sound. Checked: 5 pictures")


def test_a_session_leaves_every_kind_of_line(made: Path) -> None:
    """So that what is found in this store is found of every kind."""
    lines = [json.loads(text) for text in segment(made).read_bytes().split(b"\n") if text.strip()]

    assert {line["event"] for line in lines} == set(BLIND)


def test_an_audit_changes_nothing(store: Path) -> None:
    """Neither a byte nor a time, also where there is something to repair."""
    next((store / "images").iterdir()).unlink()
    append(segment(store), b'{"event":"do')
    before = tree(store)

    assert not audit(store).is_sound
    assert tree(store) == before


def test_a_store_that_is_not_there_is_sound(tmp_path: Path) -> None:
    """Before the first call there is nothing that could be damaged, and none is made."""
    report = audit(tmp_path / "nowhere")

    assert (report.is_sound, report.findings, report.calls) == (True, (), 0)
    assert mend(report).mended == ()
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_was_copied_is_sound(store: Path, tmp_path: Path) -> None:
    """It can be copied and moved as a whole; that the notebook was not copied with it is a remark."""
    shutil.copytree(store, tmp_path / "elsewhere" / "pictures")

    report = audit(tmp_path / "elsewhere" / "pictures")
    assert report.is_sound
    assert [finding.kind for finding in report.findings] == ["renamed"]


def test_the_door_names_what_is_wrong_and_repairs_when_asked(store: Path) -> None:
    """`ig.verify()` is the audit of the folder beside the notebook."""
    kept = store / events(store, "image")[0]["path"]
    kept.rename(kept.with_name("other.png"))

    assert [finding.kind for finding in ig.verify().findings] == ["missing", "orphaned"]
    assert [finding.kind for finding in ig.verify(repair=True).findings] == ["orphaned"]
    assert kept.is_file()


def test_a_picture_that_is_gone_is_missing(store: Path) -> None:
    """Named with its file and its call; nothing can be done about it."""
    kept = events(store, "image")[0]
    (store / kept["path"]).unlink()

    (finding,) = found(store)
    assert (finding.kind, finding.path, finding.call) == ("missing", kept["path"], kept["id"])
    assert (finding.is_damage, finding.repair, finding.sha256) == (True, "", kept["sha256"])


def test_a_folder_in_the_place_of_a_picture_is_none(store: Path) -> None:
    """Only a file can be a picture."""
    kept = store / events(store, "image")[0]["path"]
    kept.unlink()
    kept.mkdir()

    assert kinds(store) == ["missing"]


def test_a_missing_picture_is_put_back_where_a_file_has_its_bytes(store: Path) -> None:
    """A file that was renamed by hand; it stays where it is, too."""
    kept = store / events(store, "image")[0]["path"]
    data = kept.read_bytes()
    kept.rename(kept.with_name("mine.png"))
    report = audit(store)

    assert [(each.kind, each.copy) for each in report.findings] == [("missing", "images/mine.png"), ("orphaned", "")]
    after = mend(report)
    assert (kept.read_bytes(), kept.with_name("mine.png").read_bytes()) == (data, data)
    assert after.mended == (f"images/{kept.name} was put back from images/mine.png.",)
    assert after.is_sound
    assert mend(after).mended == ()


def test_a_file_that_was_changed_meanwhile_is_not_put_back(store: Path) -> None:
    """Between the report and its repair anything can happen: the bytes that are written are hashed once more."""
    kept = store / events(store, "image")[0]["path"]
    kept.rename(kept.with_name("mine.png"))
    report = audit(store)
    append(kept.with_name("mine.png"), b"more")

    assert mend(report).mended == ()
    assert not kept.exists()


def test_a_file_that_came_back_meanwhile_is_left_alone(store: Path) -> None:
    """Another kernel, or a person, was faster."""
    kept = store / events(store, "image")[0]["path"]
    shutil.copy(kept, kept.with_name("mine.png"))
    kept.unlink()
    report = audit(store)
    kept.write_bytes(b"something else")

    assert mend(report).mended == ()
    assert kept.read_bytes() == b"something else"


@needs_links
def test_a_link_to_where_nothing_is_is_left_alone(store: Path) -> None:
    """Whoever put a link in the place of a picture keeps it elsewhere."""
    kept = store / events(store, "image")[0]["path"]
    kept.rename(kept.with_name("mine.png"))
    kept.symlink_to("away.png")
    report = audit(store)

    assert report.findings[0].kind == "missing"
    assert mend(report).mended == ()
    assert kept.is_symlink()


@pytest.mark.parametrize("folder", ["images", "inputs"])
def test_a_flipped_byte_of_a_picture_is_found(store: Path, folder: str) -> None:
    """The digest that is found is named; a reference picture is looked at like any other."""
    path = next((store / folder).iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    (finding,) = found(store)
    assert (finding.kind, finding.path) == ("altered", f"{folder}/{path.name}")
    assert hashlib.sha256(data).hexdigest() in finding.says
    assert mend(audit(store)).mended == ()


def test_every_byte_of_a_large_picture_is_hashed(gateway: Gateway, tmp_path: Path) -> None:
    """It is read in pieces, to its end."""
    gateway.rule = lambda _: Said(answer(picture() + bytes(3 * 2**20)))
    path = ig.generate("an otter", base_url=gateway.url)[0].path
    assert audit(tmp_path / "imagegen").findings == ()

    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert kinds(tmp_path / "imagegen") == ["altered"]


def test_a_reference_picture_that_is_gone_is_missing(store: Path) -> None:
    """It was sent, and the request cannot be made again without it. The same bytes elsewhere are not put back."""
    next((store / "inputs").iterdir()).unlink()

    (finding,) = found(store)
    assert (finding.kind, finding.repair) == ("missing", "")
    assert "reference picture" in finding.says


@pytest.mark.parametrize(
    ("old", "new", "kind", "phrase"),
    [
        (b'"prompt":"an otter"', b'"prompt":"an utter"', "altered", "request hash"),
        (b'"size":"64x64"', b'"size":"65x64"', "altered", "request hash"),
        (b'"request_hash":"r1:', b'"request_hash":"r1:0', "altered", "request hash"),
        (b'"request_hash":"r1:', b'"request_hash":"r2:', "unknown", "r2"),
        (b'"model":"sketch","notebook"', b'"model":"skotch","notebook"', "altered", "request hash"),
        (b'"n":2,"params"', b'"n":3,"params"', "altered", "request hash"),
        (b'"width":64', b'"width":65', "altered", "65×64, not 64×64"),
        (b'"height":64', b'"height":1', "altered", "64×1, not 64×64"),
        (b'"format":"png"', b'"format":"gif"', "altered", "gif, not png"),
        (b'"role":"image"', b'"rule":"image"', "damaged", "whole `call` line"),
        (b'"journal":1', b'"journal":2', "unknown", "format is 2"),
        (b'"event":"session"', b'"event":"sassion"', "unknown", "sassion"),
        (b'"event":"rating"', b'"event":"liking"', "unknown", "liking"),
        (b'"rating":4', b'"rating":9', "damaged", "whole `rating` line"),
        (b'"note":"the first"', b'"nota":"the first"', "unknown", "nota"),
        (b'{"event":"done"', b'{"event":done', "damaged", "no JSON"),
        (b'{"event":"shown"', b'{"evint":"shown"', "damaged", "no event"),
        (b'"usage":{"input', b'"usage":{"\xff\xfeput', "damaged", "no JSON"),
    ],
)
def test_a_line_that_was_changed_is_found(store: Path, old: bytes, new: bytes, kind: str, phrase: str) -> None:
    """The words of a call by its hash, what is said of a picture by its bytes, and every line by its form."""
    replace(segment(store), old, new)

    said = [(finding.kind, finding.says) for finding in audit(store).findings]
    assert any(each == kind and phrase in says for each, says in said), said


@pytest.mark.parametrize("name", ["bytes", "sha256"])
def test_a_digest_or_a_length_that_was_changed_is_found(store: Path, name: str) -> None:
    """The line and the file no longer fit."""
    value = json.dumps(events(store, "image")[0][name]).encode()
    changed = value[:-2] + (b"00" if name == "bytes" else b'0"' if value[-2:] != b'0"' else b'1"')
    replace(segment(store), b'"%s":%s' % (name.encode(), value), b'"%s":%s' % (name.encode(), changed))

    assert kinds(store) == ["altered"]


@pytest.mark.parametrize("path", ["../otters.ipynb", "/etc/passwd", "journal/x", "images/..", "images/a/b", "C:x", ""])
def test_nothing_outside_of_the_store_is_read_because_a_line_names_it(store: Path, path: str) -> None:
    """A journal may come from anybody: what it says is no reason to open a file."""
    kept = events(store, "image")[0]
    replace(segment(store), json.dumps(kept["path"]).encode(), json.dumps(path).encode())

    findings = found(store, count=2)
    assert [finding.kind for finding in findings] == ["damaged" if path else "altered", "orphaned"]
    assert findings[0].path.startswith("journal/")
    assert ("is no whole `image` line" if path else "no place in the store") in findings[0].says


def test_what_several_calls_say_of_one_file_is_said_once(store: Path) -> None:
    """The same picture of the same prompt is one file."""
    kept = events(store, "image")[0]
    for other in events(store, "call")[1:3]:
        append(segment(store), line(**{**kept, "id": other["id"], "index": 5}))
    (store / kept["path"]).unlink()

    assert [finding.call for finding in found(store)] == [kept["id"]]


@pytest.mark.parametrize("folder", ["images", "inputs"])
def test_a_file_that_no_line_names_is_orphaned(store: Path, folder: str) -> None:
    """A copy that was made by hand, or what a crash left between a file and its line. It is not removed."""
    (store / folder / "mine.png").write_bytes(picture())
    (store / folder / ".DS_Store").write_bytes(b"of a file manager")

    (finding,) = found(store)
    assert (finding.kind, finding.path, finding.is_damage) == ("orphaned", f"{folder}/mine.png", False)
    assert audit(store).is_sound
    assert mend(audit(store)).findings == audit(store).findings


def test_a_picture_whose_line_is_lost_is_orphaned(store: Path) -> None:
    """It is still there, and so it can be found."""
    kept = events(store, "image")[0]
    replace(segment(store), line(**kept), b"")

    (finding,) = found(store)
    assert (finding.kind, finding.path) == ("orphaned", kept["path"])


def test_a_temporary_file_is_removed_an_hour_later(store: Path) -> None:
    """One that is younger may be a picture that is being written: it is not even found."""
    young, old = (store / "images" / f".an-otter.{name}.part" for name in ("0123abcd", "89abcdef"))
    for path in (young, old):
        path.write_bytes(b"half a pict")
    age(old)
    report = audit(store)

    assert [(each.kind, each.path) for each in report.findings] == [("unfinished", f"images/{old.name}")]
    after = mend(report)
    assert (report.is_sound, after.findings, after.mended) == (True, (), (f"images/{old.name} was removed.",))
    assert (young.exists(), old.exists()) == (True, False)
    assert mend(report).mended == ()


def test_a_temporary_file_that_is_a_picture_is_kept(store: Path) -> None:
    """A crash can come after its last byte and before its name: it may be all that there is of what was paid for."""
    left = store / "images" / ".an-otter.89abcdef.part"
    left.write_bytes(picture("plum"))
    age(left)
    after = mend(audit(store))

    (kept,) = (store / "images").glob("recovered-*.png")
    assert kept.read_bytes() == picture("plum")
    assert not left.exists()
    assert [(each.kind, each.path) for each in after.findings] == [("orphaned", f"images/{kept.name}")]


def test_a_temporary_answer_is_never_removed(store: Path) -> None:
    """It was paid for."""
    (store / "unread").mkdir(exist_ok=True)
    left = store / "unread" / ".a.bin.89abcdef.part"
    left.write_bytes(b"half an answer")
    age(left)
    mend(audit(store))

    assert left.read_bytes() == b"half an answer"


def test_an_end_that_does_not_go_with_the_pictures_is_found(store: Path) -> None:
    """Ok without a picture, and a picture under another status: a line was changed, or is gone."""
    replace(segment(store), b'"status":"ok"', b'"status":"refused"')
    assert "altered" in kinds(store)


@needs_links
def test_nothing_is_removed_where_a_link_leads_out_of_the_store(store: Path, tmp_path: Path) -> None:
    """What lies elsewhere may be of another store."""
    elsewhere = tmp_path / "elsewhere"
    (store / "images").rename(elsewhere)
    (store / "images").symlink_to(elsewhere)
    left = elsewhere / ".an-otter.89abcdef.part"
    left.write_bytes(b"half a pict")
    age(left)

    assert kinds(store) == ["unfinished"]
    assert mend(audit(store)).mended == ()
    assert left.exists()


def test_a_torn_last_line_is_moved_aside(store: Path) -> None:
    """A crash, or a full disk: its bytes are kept beside the segment, and every whole line stays."""
    path = segment(store)
    whole = path.read_bytes()
    append(path, b'{"event":"done","id":"x')
    age(path)
    report = audit(store)

    assert [(each.kind, each.is_damage) for each in report.findings] == [("torn", True)]
    after = mend(report)
    assert path.read_bytes() == whole
    assert path.with_name(f"{path.name}.torn").read_bytes() == b'{"event":"done","id":"x'
    assert (after.findings, len(after.mended)) == ((), 1)
    assert mend(after).mended == mend(report).mended == ()


def test_a_torn_line_is_moved_once_though_a_crash_came_between(store: Path) -> None:
    """It was copied, and the segment was not yet cut; then again another end is torn."""
    path, aside = segment(store), segment(store).with_suffix(".jsonl.torn")
    for tail, there in ((b'{"ev', b'{"ev'), (b'{"at', b'{"ev{"at')):
        append(path, tail)
        age(path)
        if tail == there:
            aside.write_bytes(tail)
        mend(audit(store))
        assert aside.read_bytes() == there
    assert audit(store).findings == ()


def test_a_torn_line_stays_for_an_hour(store: Path) -> None:
    """Its writer may live, on another computer of the same name; to write a line takes seconds."""
    append(segment(store), b'{"event":"do')
    before = tree(store)
    after = mend(audit(store))

    assert ([finding.kind for finding in after.findings], after.mended) == (["torn"], ())
    assert tree(store) == before


def test_a_torn_line_of_nobody_stays(store: Path) -> None:
    """Where the first line is lost, nobody knows whether its writer lives."""
    path = segment(store)
    path.write_bytes(b'{"event":"sess')
    age(path)
    torn = next(finding for finding in audit(store).findings if finding.kind == "torn")

    assert torn.repair == ""
    assert mend(audit(store)).mended == ()
    assert path.read_bytes() == b'{"event":"sess'


@pytest.mark.parametrize("said", [None, {"event": "later", "id": "x"}])
def test_a_whole_last_line_is_never_cut(store: Path, said: dict[str, str] | None) -> None:
    """Without its line break it can be read all the same; of a later version too."""
    path = segment(store)
    append(path, b"" if said is None else line(**said))
    path.write_bytes(path.read_bytes()[:-1])
    age(path)
    before = path.read_bytes()

    assert "unclosed" in kinds(store)
    assert audit(store).is_sound
    assert mend(audit(store)).mended == ()
    assert path.read_bytes() == before


def test_a_segment_that_does_not_say_who_writes_it_is_damaged(store: Path) -> None:
    """Its first line is gone as a whole."""
    replace(segment(store), line(**events(store, "session")[0]), b"")

    (finding,) = found(store)
    assert (finding.kind, finding.says) == ("damaged", "It does not begin with a `session` line.")


def test_a_blank_line_is_nothing(store: Path) -> None:
    """That is how a forgotten call is overwritten."""
    append(segment(store), b"          \n\n  \n")

    assert audit(store).findings == ()


def test_a_field_without_a_value_is_nothing(store: Path) -> None:
    """Another program may write what is not there as null."""
    call = events(store, "call")[1]
    replace(segment(store), line(**call), line(**call, parent_id=None, tags=[], later=None))

    assert audit(store).findings == ()


@pytest.mark.parametrize("event", ["image", "done", "rating", "tag", "untag", "note", "shown"])
def test_a_line_whose_call_is_not_there_is_loose(store: Path, event: str) -> None:
    """The record that it was of is lost."""
    append(segment(store), line(**{**events(store, event)[0], "id": "nobody"}))

    (finding,) = found(store)
    assert (finding.kind, finding.call, finding.is_damage) == ("loose", "nobody", True)
    assert f"({event})" in finding.says


def test_each_call_of_which_lines_are_left_is_named(store: Path) -> None:
    """Though the same is said of each."""
    for call in ("somebody", "nobody"):
        append(segment(store), line(**{**events(store, "done")[0], "id": call}))

    assert [finding.call for finding in found(store, count=2)] == ["nobody", "somebody"]


def test_a_call_may_stand_in_two_segments_and_must_be_the_same(store: Path) -> None:
    """What is under way is written again into a new segment."""
    opened, call = events(store, "session")[0], events(store, "call")[0]
    (store / "journal" / "zz.jsonl").write_bytes(line(**opened) + line(**call))
    assert audit(store).findings == ()

    replace(store / "journal" / "zz.jsonl", b'"note":"the first"', b'"note":"the last"')
    (finding,) = found(store)
    assert (finding.kind, finding.path) == ("doubled", "journal/zz.jsonl")


def test_two_pictures_in_one_place_are_found(store: Path) -> None:
    """The history would show only one of them."""
    replace(segment(store), b'"index":1', b'"index":0')

    (finding,) = found(store, count=1)
    assert finding.kind == "doubled"


def test_a_notebook_that_was_renamed_is_remarked(store: Path) -> None:
    """Its calls are still found under its old name."""
    (store.parent / NOTEBOOK).rename(store.parent / "seals.ipynb")

    (finding,) = found(store)
    assert (finding.kind, finding.is_damage) == ("renamed", False)
    assert f"ig.history({NOTEBOOK!r})" in finding.says


@pytest.mark.parametrize("name", ["a study", "/home/somebody/otters.ipynb", "C:/otters.ipynb"])
def test_a_name_that_is_of_no_notebook_beside_the_store_is_not_looked_for(store: Path, name: str) -> None:
    """One that was given in the settings, or a path on another computer."""
    path = segment(store)
    path.write_bytes(path.read_bytes().replace(NOTEBOOK.encode(), name.encode()))

    assert audit(store).findings == ()


def test_a_call_without_an_end_is_remarked(store: Path) -> None:
    """Its writer is gone: nobody knows what became of it, and it may have been charged."""
    replace(segment(store), line(**events(store, "done")[0]), b"")

    (finding,) = found(store)
    assert (finding.kind, finding.call) == ("open", events(store, "call")[0]["id"])
    assert "may have been charged" in finding.says
    assert audit(store).is_sound


def test_a_call_stays_open_though_a_living_kernel_speaks_of_it(store: Path) -> None:
    """Only the process that made the call can be at it."""
    call = events(store, "call")[0]["id"]
    replace(segment(store), line(**events(store, "done")[0]), b"")
    ig.rate(call, 5)

    assert [(finding.kind, finding.call) for finding in found(store)] == [("open", call)]


def test_an_answer_that_could_not_be_read_is_remarked(gateway: Gateway, tmp_path: Path) -> None:
    """It was paid for, and it is kept."""
    gateway.rule = lambda _: Said(b'{"data":[{"b64_json":"AAAA"}]}')
    with pytest.raises(errors.AnswerUnreadable):
        ig.generate("an otter", base_url=gateway.url)
    (kept,) = (tmp_path / "imagegen" / "unread").iterdir()

    (finding,) = found(tmp_path / "imagegen")
    assert (finding.kind, finding.path, finding.call) == ("unread", f"unread/{kept.name}", kept.stem)


def restored(store: Path, *names: str) -> str:
    """Forget the first call, and put back what a backup had in these folders; its id."""
    call = events(store, "call")[0]["id"]
    before = {name: data for name, (data, _) in tree(store).items() if name.startswith(names)}
    ig.forget(call)
    for name, data in before.items():
        (store / name).write_bytes(data)
    return str(call)


def test_words_of_a_forgotten_call_are_found(store: Path) -> None:
    """A segment that was restored from a backup brings them back; forgetting once more removes them."""
    name = segment(store).name
    call = restored(store, "journal/")

    (finding,) = found(store)
    assert (finding.kind, finding.path, finding.call) == ("unforgotten", f"journal/{name}", call)
    assert (finding.is_damage, finding.repair) == (True, "")
    assert f"ig.forget({call!r})" in finding.says
    ig.forget(call)
    assert audit(store).findings == ()


def test_pictures_of_a_forgotten_call_are_found(store: Path) -> None:
    """By their digests, which the tombstone keeps; under any name."""
    kept = [each for each in events(store, "image") if each["id"] == events(store, "call")[0]["id"]]
    call = restored(store, "images/")
    (store / kept[0]["path"]).rename(store / "images" / "mine.png")

    findings = found(store, count=2)
    assert {(finding.kind, finding.call) for finding in findings} == {("unforgotten", call)}
    assert {finding.path for finding in findings} == {"images/mine.png", kept[1]["path"]}


def test_pictures_of_a_forgotten_call_that_its_lines_name_are_found(store: Path) -> None:
    """Everything was restored from a backup, the answer that could not be read as well."""
    (store / "unread").mkdir()
    (store / "unread" / f"{events(store, 'call')[0]['id']}.bin").write_bytes(b"an answer")
    call = restored(store, "images/", "journal/", "unread/")

    findings = found(store, count=4)
    assert {(finding.kind, finding.call) for finding in findings} == {("unforgotten", call)}
    assert sum(finding.path.startswith("images/") for finding in findings) == 2
    assert [finding.path for finding in findings if finding.path.startswith("unread/")] == [f"unread/{call}.bin"]


def test_a_picture_that_another_call_has_too_may_stay(store: Path) -> None:
    """Of a forgotten call and of one that is not: the file is named, and nothing is to be removed."""
    first = events(store, "image")[0]
    other = {**first, "id": events(store, "call")[1]["id"], "index": 5}
    append(segment(store), line(**other))
    restored(store, "journal/")

    assert {finding.path.partition("/")[0] for finding in found(store)} == {"journal"}


@pytest.mark.parametrize("where", ["line", "aside"])
def test_scraps_of_a_forgotten_call_are_found(store: Path, where: str) -> None:
    """A line of it that was cut begins with its id and may hold its prompt."""
    path = segment(store)
    call = events(store, "call")[0]["id"]
    ig.forget(call)
    scrap = f'{{"event":"call","id":"{call}","prompt":"an ot'.encode()
    if where == "line":
        append(path, scrap + b"\n")
    else:
        path.with_name(f"{path.name}.torn").write_bytes(scrap)

    assert ("unforgotten", call) in {(finding.kind, finding.call) for finding in audit(store).findings}


@pytest.mark.parametrize("part", ["call", "end"])
def test_a_tombstone_that_speaks_of_another_call_is_altered(store: Path, part: str) -> None:
    """What it keeps of the call would be told of the wrong one."""
    stone = events(store, "forget")[0]
    changed = {**stone, part: {**stone[part], "id": "another"}}
    replace(segment(store), line(**stone), line(**changed))

    assert kinds(store) == ["altered"]


@pytest.mark.parametrize("folder", ["images", "inputs", "journal", "unread"])
def test_a_folder_that_cannot_be_read_is_a_finding(store: Path, folder: str) -> None:
    """There is something else in its place: the rest is looked at all the same."""
    shutil.rmtree(store / folder, ignore_errors=True)
    (store / folder).write_bytes(b"no folder")

    (finding,) = [finding for finding in audit(store).findings if finding.kind == "unreadable"]
    assert (finding.path, finding.is_damage) == (folder, True)


@pytest.mark.parametrize("folder", ["images", "journal"])
def test_a_file_that_cannot_be_read_is_a_finding(store: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner is another person: nobody knows whether it is sound."""
    shut = next((store / folder).iterdir())
    opened = Path.open

    def guarded(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == shut:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    def read(self: Path) -> bytes:
        with guarded(self, "rb") as file:
            return bytes(file.read())

    monkeypatch.setattr(Path, "open", guarded)
    monkeypatch.setattr(Path, "read_bytes", read)  # it calls another `open` on some Pythons
    report = audit(store)

    assert ("unreadable", f"{folder}/{shut.name}") in {(each.kind, each.path) for each in report.findings}
    assert not report.is_sound
    assert "missing" not in {each.kind for each in report.findings}


def test_a_repair_that_the_system_refuses_is_an_error_of_the_store(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be written to: in words, and not as an OSError."""
    left = store / "images" / ".an-otter.89abcdef.part"
    left.write_bytes(b"half a pict")
    age(left)

    def refused(self: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(errors.StoreError, match="Permission denied"):
        mend(audit(store))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_is_not_waited_for(store: Path) -> None:
    """Opening one would wait for a writer for ever."""
    kept = store / events(store, "image")[0]["path"]
    kept.unlink()
    os.mkfifo(kept)

    assert kinds(store) == ["missing"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_name_with_control_characters_shows_as_escapes(store: Path) -> None:
    """It could colour, hide or turn around what stands beside it."""
    (store / "images" / "a\x1b[31m\u202egnp.png").write_bytes(picture())
    report = audit(store)

    assert report.findings[0].path == "images/a\x1b[31m\u202egnp.png"
    for shown in (repr(report), report._repr_html_()):
        assert "images/a\\x1b[31m\\u202egnp.png" in shown
        assert all(line.isprintable() for line in shown.splitlines())


def test_a_name_is_text_and_never_markup(tmp_path: Path) -> None:
    """A store may come from anybody, with names that are no UTF-8 as well."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&\udcff"
    finding = Finding(kind="orphaned", path=evil, call=evil, says=evil, repair=evil)
    report = Report(store=tmp_path / "<b>", findings=(finding,), mended=(evil,))

    assert Tags(report._repr_html_()).found == {"p", "br", "table", "thead", "tbody", "tr", "th", "td"}
    assert "&lt;script&gt;" in report._repr_html_()
    assert report._repr_html_().count("mathjax_ignore tex2jax_ignore") == 2  # the table and what stands below it
    (report._repr_html_() + repr(report)).encode()


def test_a_long_report_is_cut_and_says_how_much_there_is(store: Path) -> None:
    """One line for each finding, damage first; all of them are in `findings`."""
    for number in range(40):
        (store / "images" / f"{number}.png").write_bytes(b"x")
    next((store / "inputs").iterdir()).unlink()
    report = audit(store)

    lines = repr(report).splitlines()
    assert lines[0].startswith("imagegen: 1 fault found, 40 remarks. Checked: ")
    assert lines[1].startswith("missing      inputs/image-")
    assert (len(lines), lines[-1]) == (32, "and 11 more: see .findings")
    assert report._repr_html_().count("<tr>") == 31
    assert "and 11 more" in report._repr_html_()
    assert len(report.findings) == 41


def test_the_header_of_a_jpeg_is_found_behind_long_metadata(gateway: Gateway, tmp_path: Path) -> None:
    """Colour profiles and the like can take more than the first few thousand bytes."""
    buffer = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(buffer, "JPEG", comment=b"long " * 12_000)
    gateway.rule = lambda _: Said(answer(buffer.getvalue()))
    ig.generate("an otter", base_url=gateway.url)

    assert audit(tmp_path / "imagegen").findings == ()
    replace(segment(tmp_path / "imagegen"), b'"width":40', b'"width":41')
    assert kinds(tmp_path / "imagegen") == ["altered"]


PROVIDERS: Final = ("openai", "quickrouter", "ark", "together", "xai", "zenlayer", "azure", "sdcpp", "litellm")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_hash_of_every_kind_of_call_is_found_again(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """Whatever is asked of whom: the line of a call has all that its request hash was taken over."""
    gateway.rule = lambda _: Said(answer(picture(), picture("red")))
    name = provider.upper()
    monkeypatch.setenv(f"{name}_API_KEY", "test-key-123456")
    monkeypatch.setenv(f"{name}_BASE_URL", gateway.url)
    kept = picture("blue")
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"n": 2, "seed": 5},
        {"n": 2, "seed": -1, "size": "64×64"},
        {"size": "1024x1024", "response_format": "url", "stream": False},
        {"image": kept},
        {"image": [kept, picture("red")], "n": 2},
        {"omit": ["response_format", "n", "size"], "n": 2, "size": "1x1"},
        {"omit": ["prompt"]},
        {"omit": ["model"], "stream": True},
        {"partial_images": 2},
        {"sequential_image_generation": "auto", "n": 4},
        {"big": 2**70, "small": 1e-7, "minus": -0.0, "text": "ü 猫 \u2028 😀", "list": [1, {"b": None, "a": True}]},
    )
    for fields in asked:
        ig.generate('a ü 猫 otter\n"quoted"', provider=provider, model="a-model", force=True, quiet=True, **fields)

    report = audit(tmp_path / "imagegen")
    assert (report.findings, report.calls) == ((), len(gateway.posts))


def dead_and_alive(start_kernel: Callable[..., Kernel], gateway: Gateway) -> tuple[str, str]:
    """Two kernels in the middle of a call each, of which one was killed; their ids, the dead one's first."""
    gateway.rule = lambda _: Hang()
    ids = []
    for _ in range(2):
        kernel = start_kernel(JPY_SESSION_NAME="")
        kernel.send(f"ig.generate('an otter', base_url={gateway.url!r})")
        gateway.wait_for_request()
        ids.append(gateway.posts[-1].headers["idempotency-key"])
        if len(ids) == 1:
            kernel.kill()
            kernel._manager.provisioner.process.wait(30)  # type: ignore[union-attr]
    return ids[0], ids[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows gives no way to tell whether a process lives")
def test_what_a_living_kernel_is_at_is_no_finding(
    start_kernel: Callable[..., Kernel], gateway: Gateway, tmp_path: Path
) -> None:
    """Its call is not open, its last line is being written, and the picture that came may not be listed yet."""
    dead, alive = dead_and_alive(start_kernel, gateway)
    store = tmp_path / "imagegen"
    segments = {
        call: path for path in (store / "journal").iterdir() for call in (dead, alive) if call in path.read_text()
    }
    before = {path: path.read_bytes() for path in segments.values()}
    (store / "images").mkdir(exist_ok=True)
    (store / "images" / "coming.png").write_bytes(picture())
    (store / "images" / "older.png").write_bytes(picture("red"))
    age(store / "images" / "older.png")
    for path in segments.values():
        append(path, b'{"event":"do')
        age(path)
    report = audit(store)

    assert [(each.kind, each.path, each.call) for each in report.findings] == [
        ("torn", f"journal/{segments[dead].name}", ""),
        ("orphaned", "images/older.png", ""),
        ("open", "", dead),
    ]
    assert len(mend(report).mended) == 1
    assert segments[dead].read_bytes() == before[segments[dead]]
    assert segments[alive].read_bytes() == before[segments[alive]] + b'{"event":"do'


def writer(store: Path, process: Process) -> bytes:
    """The first line of a segment of another process."""
    names = {"host": process.host, "pid": process.pid, "process_started": process.started}
    return line(**{**events(store, "session")[0], **names})


@pytest.mark.parametrize(
    "change",
    [
        lambda _, data: data + b'ne"}\n',
        lambda _, data: data + b'ne"}',
        lambda store, data: writer(store, this_process()) + data.partition(b"\n")[2],
        lambda _, data: data.partition(b"\n")[2],
    ],
    ids=["it was ended", "it is whole", "its writer lives", "its writer is unknown"],
)
def test_a_torn_line_is_looked_at_once_more_before_it_is_moved(
    store: Path, change: Callable[[Path, bytes], bytes]
) -> None:
    """The report can be old: what is there now decides."""
    path = segment(store)
    whole = path.read_bytes()
    append(path, b'{"event":"do')
    age(path)
    report = audit(store)
    path.write_bytes(whole)
    path.write_bytes(change(store, whole + b'{"event":"do'))
    age(path)
    before = path.read_bytes()

    assert mend(report).mended == ()
    assert path.read_bytes() == before


def test_a_segment_that_grows_meanwhile_is_not_cut(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the copy of the torn end and the cut somebody writes: nothing of that is lost."""
    path = segment(store)
    append(path, b'{"event":"do')
    age(path)
    whole = path.read_bytes()

    def slow(aside: Path, data: bytes) -> None:
        write(aside, data)
        append(path, b'ne"}\n')

    monkeypatch.setattr(repair, "write", slow)
    assert mend(audit(store)).mended == ()
    assert path.read_bytes() == whole + b'ne"}\n'


@needs_links
def test_a_segment_that_lies_elsewhere_is_not_cut(store: Path, tmp_path: Path) -> None:
    """A link in the store leads to a file of somebody else."""
    path, elsewhere = segment(store), tmp_path / "elsewhere.jsonl"
    append(path, b'{"event":"do')
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    age(elsewhere)
    before = elsewhere.read_bytes()

    assert kinds(store) == ["torn"]
    assert mend(audit(store)).mended == ()
    assert elsewhere.read_bytes() == before


Lines = list[dict[str, Any]] | None


def parsed(data: bytes) -> Lines:
    """The lines of a segment, blank ones left out; None where one is no JSON object."""
    try:
        lines = [json.loads(text) for text in data.split(b"\n") if text.strip()]
    except ValueError:
        return None
    return lines if all(isinstance(line, dict) for line in lines) else None


def changed(old: Any, new: Any, name: str = "") -> Iterator[str]:
    """The names of the fields that are not the same, those inside of others with a point."""
    if isinstance(old, dict) and isinstance(new, dict):
        for field in {*old, *new}:
            yield from changed(old.get(field), new.get(field), f"{name}.{field}" if name else field)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for pair in zip(old, new, strict=True):
            yield from changed(*pair, name)
    elif old != new:
        yield name


def is_blind(line: dict[str, Any], name: str) -> bool:
    """Whether nothing but this field of a line says what stands in it."""
    event, top = line["event"], name.partition(".")[0]
    if event == "forget" and top in ("call", "images", "end"):
        # Of a forgotten call nothing is left that this could be held against, but the id.
        return not name.endswith(".id")
    if event == "call" and top == "params" and "asked" in line:
        # The hash is of what was asked, and this is how the provider was told.
        return True
    return name in BLIND[event] or (top in BLIND[event] and top in ("usage", "tags", "omit"))


def is_silent(old: bytes, new: bytes) -> bool:
    """Whether this change of a segment can be known to nobody: of such fields alone, or whole lines off its end."""
    before, after = parsed(old), parsed(new)
    if before is None or not after or new.rpartition(b"\n")[2].strip():
        return False
    pairs = zip(before, after, strict=False)
    return len(after) <= len(before) and all(is_blind(was, name) for was, now in pairs for name in changed(was, now))


@dataclass(frozen=True, slots=True)
class Harm:
    """One byte more, less or other, or everything from there cut off; `byte` is the one that comes."""

    way: str
    place: int
    byte: int

    def done_to(self, data: bytes) -> bytes:
        """The bytes of a file after it."""
        at, new = self.place % len(data), bytes([self.byte])
        ways = {"other": new + data[at + 1 :], "more": new + data[at:], "less": data[at + 1 :], "cut": b""}
        return data[:at] + ways[self.way]


WAYS: Final = st.sampled_from(("other", "other", "more", "less", "cut"))
HARMS: Final = st.builds(Harm, WAYS, st.integers(0, 2**20), st.integers(0, 255))
FOLDERS: Final = st.sampled_from(("journal", "journal", "images", "inputs"))


@settings(held, max_examples=600)
@given(folder=FOLDERS, number=st.integers(0, 9), harm=HARMS)
def test_damage_anywhere_is_found_or_says_nothing(made: Path, folder: str, number: int, harm: Harm) -> None:
    """A byte of any file: the audit does not raise, and finds it, unless it stood where nothing can be known."""
    paths = sorted((made / folder).iterdir())
    path = paths[number % len(paths)]
    before = path.read_bytes()
    after = harm.done_to(before)
    try:
        path.write_bytes(after)
        findings = audit(made).findings
    finally:
        path.write_bytes(before)

    assert findings or after == before or (folder == "journal" and is_silent(before, after))


def test_a_bit_of_any_byte_of_the_journal_is_found_or_says_nothing(store: Path) -> None:
    """The same, for the lowest bit of each byte that is no blank."""
    path = segment(store)
    before = path.read_bytes()
    unseen = 0
    for place in (place for place, byte in enumerate(before) if byte != ord(" ")):
        after = Harm("other", place, before[place] ^ 1).done_to(before)
        path.write_bytes(after)
        if not audit(store).findings:
            unseen += 1
            assert is_silent(before, after), before[max(0, place - 40) : place + 20]
    assert 0 < unseen < len(before) / 2
