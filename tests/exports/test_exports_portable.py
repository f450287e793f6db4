"""What every export shares: what leaves this machine, whose bytes are taken, and texts that stay texts."""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held
from support.studies import call, study

from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.exports import beside, manifest, portable, prose
from jupyter_imagegen.exports.beside import Put
from jupyter_imagegen.exports.originals import is_below, original


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("http://gpu7.internal:8080/v1", "http://gpu7.internal:8080/v1"),
        ("https://me:p%40w@host/v1?key=1#x", "https://host/v1"),
        ("https://me@you@host/v1", "https://host/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://[broken/v1", ""),
        ("", ""),
    ],
)
def test_an_address_has_no_password(url: str, address: str) -> None:
    """The host stays, as it says where the pictures are from."""
    assert portable.address(url) == address


@pytest.mark.parametrize(
    ("recorded", "name"),
    [
        ("study.ipynb", "study.ipynb"),
        ("deep/study.ipynb", "deep/study.ipynb"),
        ("session 20261121T041500123456Z-9f3a2c1b", "session 20261121T041500123456Z-9f3a2c1b"),
        ("/home/alice/study.ipynb", "study.ipynb"),
        ("C:\\Users\\alice\\study.ipynb", "study.ipynb"),
        ("C:study.ipynb", "study.ipynb"),
        ("\\\\server\\alice\\study.ipynb", "study.ipynb"),
        ("../alice/study.ipynb", "study.ipynb"),
        ("..\\alice\\study.ipynb", "study.ipynb"),
        ("what..ever.ipynb", "what..ever.ipynb"),
    ],
)
def test_a_notebook_elsewhere_is_its_file_name(recorded: str, name: str) -> None:
    """Below the folder of the store it keeps its path, which is the same for everybody."""
    assert portable.notebook(recorded) == name


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Cannot write {store}/images/x.png: no.", "Cannot write imagegen/images/x.png: no."),
        ("It is in {store}.", "It is in imagegen."),
        ("See /home/alice/x and '/Users/bob', C:\\Users\\eve\\y, c:/users/eve: no.", "See … and '…', …, …: no."),
        ("Kept in /tmp/imagegen/x.bin and D:\\data\\y.bin.", "Kept in …/x.bin and …/y.bin."),
        ("Cannot make {parent}: no.", "Cannot make .: no."),
        ("Beside {parent}-old/x and {parent}: no.", "Beside … and .: no."),
        ("See /root/x.png and the root.", "See …/x.png and the root."),
        ("HTTP 404: https://host/home/page (POST /v1/images).", "HTTP 404: https://host/home/page (POST /v1/images)."),
        ("No image/png and/or </script> in ./x.png, 1/2.", "No image/png and/or </script> in ./x.png, 1/2."),
        ("/export/home/alice/x.png and /nfs/users/alice/y.png", "…/x.png and …/y.png"),
        ("/gpfs/alice/x.png, /cluster/work/alice/y.png", "…/x.png, …/y.png"),
        ("At \\\\fileserver01\\share\\alice, \\\\?\\C:\\alice\\x.png.", "At …, …/x.png."),
        ("C:\\Users\\Alice Smith\\pics\\x.png: no", "…/x.png: no"),
        ("/Users/Alice O'Brien/x.png. See docs/a.md.", "…/x.png. See docs/a.md."),
        ("'C:\\\\Users\\\\Alice Smith\\\\My cat.png' or \"b/c\"", "'…/My cat.png' or \"b/c\""),
        ("file:///home/alice/x.png, ../../alice/x.png, ~alice/x.png", "…/x.png, …/x.png, …/x.png"),
        ("in /home/alice.smith", "in …"),
        ("Loading.../home/alice/x.png, by '/' or `/` or \\n", "Loading...…/x.png, by '/' or `/` or \\n"),
        ("写入/home/alice/x.png 失败", "写入…/x.png 失败"),
    ],
)
def test_a_sentence_names_no_folder_of_a_person(said: str, shown: str) -> None:
    """Paths below the folder of the store are relative to it; addresses stay as they are."""
    store = Path("/srv/alice/study/imagegen").absolute()

    assert portable.sentence(said.format(store=store, parent=store.parent), store) == shown


ROOTS = ("/", "C:\\", "d:/", "\\\\", "\\\\?\\C:\\", "file:///", "../", "~alice/")
FOLDERS = st.sampled_from(("O'Neil", "My Files", "Smith, Kim; 2")) | st.text(
    st.sampled_from("aZ9é图-_.,;() "), min_size=1, max_size=12
).filter(lambda name: name == name.strip())
"""How the names of folders begin: blanks are only within, and an apostrophe between letters."""


@held
@given(
    root=st.sampled_from(ROOTS),
    before=st.lists(FOLDERS, max_size=4),
    after=st.lists(FOLDERS, max_size=3),
    around=st.sampled_from(("Cannot read {}: no.", "'{}'", 'No "{}".', "({})", "path={}, and", "{}")),
)
def test_no_folder_of_a_path_from_a_root_is_said(root: str, before: list[str], after: list[str], around: str) -> None:
    """Whatever the root and its folders are called, also with blanks; the name of the file stays."""
    slash = "\\" if "\\" in root else "/"
    path = root + slash.join((*(f"{name}x" for name in before), "KIM", *(f"{name}x" for name in after), "pic.png"))
    said = portable.sentence(around.format(path), Path("/srv/study/imagegen").absolute())

    assert said == around.format("…/pic.png")


@held
@given(path=st.text(st.sampled_from("ab/.-_~%+:"), max_size=20), scheme=st.sampled_from(("http", "https", "HTTPS")))
def test_an_address_in_a_sentence_stays(path: str, scheme: str) -> None:
    """It is no path of a machine, however much it looks like one."""
    said = f"See {scheme}://host.example/{path} for more"

    assert portable.sentence(said, Path("/srv/study/imagegen").absolute()) == said


@held
@given(text=st.text(st.sampled_from("ab/\\:.'\"~ \n…?"), max_size=60))
def test_a_sentence_that_was_told_once_is_told_alike_again(text: str) -> None:
    """A crate that is exported from a crate says the same."""
    store = Path("/srv/study/imagegen").absolute()
    once = portable.sentence(text, store)

    assert portable.sentence(once, store) == once


@pytest.mark.parametrize("path", ["images/a.png", "a", "images/deep/a..b.png"])
def test_a_path_of_the_store_is_below_it(path: str) -> None:
    """As the store writes it."""
    assert is_below(path)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a", "a/../../b", "./a", "a//b", "C:/a", "C:a", "a\\..\\..\\b", "a\0", "a/"]
)
def test_a_path_that_may_lead_elsewhere_is_not(path: str) -> None:
    """On any system, whatever this one is."""
    assert not is_below(path)


@held
@given(path=st.text(st.sampled_from("ab./\\:\0C"), max_size=12))
def test_no_path_that_is_below_the_store_leaves_it(path: str) -> None:
    """Whatever another hand wrote."""
    store = Path("/store").absolute()

    assert not is_below(path) or ((store / path).is_relative_to(store) and ".." not in Path(path).parts)


def test_the_bytes_of_a_picture_are_those_of_its_digest(tmp_path: Path) -> None:
    """One that was altered or removed has none, and says why."""
    (made,) = study(tmp_path, call(1, tmp_path, picture())).pictures()

    assert original(made).data == picture()
    assert original(made).remark == ""
    made.path.write_bytes(picture("red"))
    assert (original(made).data, original(made).remark[:35]) == (b"", "The file of this picture was altere")
    made.path.unlink()
    assert original(made).remark == "The file of this picture is not there."


@pytest.mark.parametrize(
    ("parts", "whole"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_people_list_them(parts: list[str], whole: str) -> None:
    """None, one, two and more."""
    assert prose.listed(parts) == whole


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a cat", "`a cat`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        ("a ``` b", "````a ``` b````"),
        ("a\n\n b", "`a b`"),
        ("", "(empty)"),
        ("\n", "(empty)"),
    ],
)
def test_a_code_span_ends_where_its_text_ends(text: str, code: str) -> None:
    """Its fence is longer than any in it."""
    assert prose.code(text) == code


@pytest.mark.parametrize("text", ["0.1.0", "OpenAI API reference, images/create (read)", "2026-11-20", "naïve"])
def test_a_text_without_markup_is_left_alone(text: str) -> None:
    """It reads better than a code span."""
    assert prose.said(text) == text


@pytest.mark.parametrize("text", ["a_b_", "*a*", "https://x.example", "www.x.example", "<b>", "$x$", "a | b", "`"])
def test_a_text_with_markup_is_a_code_span(text: str) -> None:
    """In which nothing is read."""
    assert prose.said(text) == prose.code(text)


def test_a_bar_does_not_end_a_cell() -> None:
    """Tables have no escape that all of their readers know."""
    assert prose.table(("a",), [("x | y",)]) == "| a |\n| --- |\n| x ¦ y |"


def fill_the_disk(put: Put) -> None:
    """One file is written, and there is no room for another."""
    put("a", b"two")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_stream_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """An error in the midst of it leaves what was there before, and nothing beside it."""
    target = tmp_path / "new" / "x.tar"
    with beside.stream(target) as file:
        file.write(b"one")
        assert not target.exists()
    with pytest.raises(StoreError, match="Cannot write"), beside.stream(target) as file:
        fill_the_disk(lambda _, data: file.writelines([data]))

    assert target.read_bytes() == b"one"
    assert [path.name for path in target.parent.iterdir()] == ["x.tar"]


def test_a_file_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a half of it, nor a temporary one beside what was there."""
    target = beside.write(tmp_path / "a.md", b"one")
    monkeypatch.setattr(beside, "sync_file", interrupted)

    with pytest.raises(KeyboardInterrupt):
        beside.write(target, b"two")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.md", b"one")]


def interrupted(*_: object) -> None:
    """The person presses the stop button."""
    raise KeyboardInterrupt


def exported(target: Path, **files: bytes) -> Path:
    """A folder that an export of the form `x` made, of these files."""
    with beside.folder(target, "x") as put:
        for name, data in files.items():
            put(name, data)
    return target


def there(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, manifests aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != manifest.NAME)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """One of ours is replaced in one step; an error in the midst leaves the old one."""
    target = tmp_path / "export"
    with beside.folder(target, "x") as put:
        put("deep/a", b"one")
        assert not target.exists()
    with pytest.raises(StoreError, match="Cannot write"), beside.folder(target, "x") as put:
        fill_the_disk(put)

    assert there(tmp_path) == {"export/deep/a": b"one"}

    exported(target, b=b"three")

    assert there(tmp_path) == {"export/b": b"three"}
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "Permission denied"), KeyboardInterrupt()])
@pytest.mark.parametrize("when", ["moved aside", "put in its place"])
def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, error: BaseException
) -> None:
    """It is moved aside and comes back, also where the person interrupts between the two steps."""
    target, rename = exported(tmp_path / "export", a=b"one"), Path.rename

    def refused(self: Path, to: Path) -> Path:
        if to == target and (self / "b").exists() and when == "put in its place":
            raise error
        moved = rename(self, to)
        if self == target and when == "moved aside":
            raise error
        return moved

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises((StoreError, KeyboardInterrupt)):
        exported(target, b=b"two")

    assert there(tmp_path) == {"export/a": b"one"}
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_an_interrupt_after_the_change_leaves_the_new_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half of the old one stays beside it."""
    target, remove = exported(tmp_path / "export", a=b"one"), shutil.rmtree
    asked: list[Path] = []

    def stopped(folder: Path, *, ignore_errors: bool) -> None:
        asked.append(folder)
        if len(asked) == 1:
            raise KeyboardInterrupt
        remove(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        exported(target, b=b"two")

    assert there(tmp_path) == {"export/b": b"two"}
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old folder is whole under a hidden name, which only the error can tell."""
    target, rename = exported(tmp_path / "export", a=b"one"), Path.rename

    def once(self: Path, to: Path) -> Path:
        if self != target:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(StoreError, match="could not be put back: Permission denied") as caught:
        exported(target, b=b"two")

    (old,) = tmp_path.iterdir()
    assert str(old) in caught.value.message
    assert there(old) == {"a": b"one"}


@pytest.mark.parametrize("change", [lambda _: None, lambda folder: (folder / "notes.txt").write_bytes(b"mine")])
def test_a_folder_that_somebody_makes_at_that_moment_costs_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    """Theirs stays where it is, and the old one is whole beside it: no file of either is removed."""
    target, rename = exported(tmp_path / "export", a=b"one"), Path.rename

    def raced(self: Path, to: Path) -> Path:
        if self == target:
            change(target)
            before.update(there(target))
        moved = rename(self, to)
        if self == target:
            target.mkdir()
            (target / "theirs").write_bytes(b"new")
        return moved

    before: dict[str, bytes] = {}
    monkeypatch.setattr(Path, "rename", raced)
    with pytest.raises(StoreError, match="could not be put back"):
        exported(target, b=b"two")

    assert there(target) == {"theirs": b"new"}
    (old,) = (path for path in tmp_path.iterdir() if path != target)
    assert there(old) == before


def add(folder: Path) -> None:
    """Put a file of one's own into a folder."""
    (folder / "notes.txt").write_bytes(b"mine")


def correct(folder: Path) -> None:
    """Change a file of the export by hand."""
    (folder / "a").write_bytes(b"corrected")


def link(folder: Path) -> None:
    """Put a link to another folder there."""
    (folder / "more").symlink_to(folder.parent, target_is_directory=True)


def unname(folder: Path) -> None:
    """Take the manifest away."""
    (folder / manifest.NAME).unlink()


def claim(folder: Path) -> None:
    """Write a manifest that is none."""
    (folder / manifest.NAME).write_bytes(b'{"form": "x", "sha256": []}')


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets only administrators make links")
CHANGES = (add, correct, pytest.param(link, marks=needs_links), unname, claim)


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_in_which_something_is_a_persons_own_is_left_alone(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Added or changed: it is said what, and nothing is written."""
    target = exported(tmp_path / "export", a=b"one")
    change(target)
    before = sorted((path.name, path.is_file() and path.read_bytes()) for path in target.iterdir())

    with pytest.raises(StoreError, match="is there already") as caught:
        exported(target, a=b"two")

    assert "Nothing was exported" in caught.value.hint
    assert sorted((path.name, path.is_file() and path.read_bytes()) for path in target.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_put_there_during_an_export_is_left_alone(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """The folder is looked at again when it was moved aside, and comes back as it is."""
    target, before = exported(tmp_path / "export", a=b"one"), set[str]()

    def meanwhile() -> None:
        with beside.folder(target, "x") as put:
            put("a", b"two")
            change(target)
            before.update(path.name for path in target.iterdir())

    with pytest.raises(StoreError, match="is there already"):
        meanwhile()

    assert {path.name for path in target.iterdir()} == before
    assert (target / "a").read_bytes() in (b"one", b"corrected")
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_an_export_is_replaced_by_one_of_its_own_form_alone(tmp_path: Path) -> None:
    """A crate is no dataset. A file that a person took away is no loss."""
    target = exported(tmp_path / "export", a=b"one", b=b"two")
    with pytest.raises(StoreError, match="no export of this kind"), beside.folder(target, "y"):
        pass
    (target / "b").unlink()

    assert there(exported(target, c=b"three")) == {"c": b"three"}


def test_the_same_files_give_the_same_manifest(tmp_path: Path) -> None:
    """In whatever order they came; a letter with an accent is the same in either spelling."""
    one = exported(tmp_path / "one", a=b"1", b=b"2")
    two = exported(tmp_path / "two", b=b"2", a=b"1")
    with beside.folder(accent := tmp_path / "three", "x") as put:
        put("e\u0301", b"3")
    (accent / "e\u0301").rename(accent / "\u00e9")

    assert (one / manifest.NAME).read_bytes() == (two / manifest.NAME).read_bytes()
    assert there(exported(accent, a=b"1")) == {"a": b"1"}


@needs_links
def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    real = exported(tmp_path / "real", a=b"one")
    (tmp_path / "link").symlink_to(real, target_is_directory=True)

    exported(tmp_path / "link", b=b"two")

    assert (tmp_path / "link").is_symlink()
    assert there(real) == {"b": b"two"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_file_is_never_replaced_by_a_folder(tmp_path: Path) -> None:
    """It is not an export of this kind."""
    (tmp_path / "export").write_bytes(b"mine")

    with pytest.raises(StoreError, match="is there already"), beside.folder(tmp_path / "export", "x"):
        pass

    assert (tmp_path / "export").read_bytes() == b"mine"
