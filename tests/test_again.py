"""Asking a call again: what is the same, what is said of what is not, and where a key may go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from support.gateway import Asked, Gateway, Said
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen import api, errors, prepare
from jupyter_imagegen.again import again, asked_by
from jupyter_imagegen.celltext import as_cell
from jupyter_imagegen.options import parse_cell
from jupyter_imagegen.records import read
from jupyter_imagegen.settings import photograph

COLOURS = ("teal", "gold", "navy", "plum", "pink")


@pytest.fixture(autouse=True)
def another_colour_each_time(gateway: Gateway) -> None:
    """A server without a seed."""
    numbers = count()
    gateway.rule = lambda _: Said(answer(picture(COLOURS[next(numbers) % len(COLOURS)])))


def bodies(gateway: Gateway) -> list[dict[str, Any]]:
    """What was posted."""
    return [asked.json for asked in gateway.posts]


def do_harm(kept: Path, harm: str, private: Path) -> None:
    """What a hand or a store of somebody else may do to a picture that was sent."""
    kept.unlink()
    if harm == "altered":
        kept.write_bytes(picture("blue"))
    elif harm != "gone":
        kept.symlink_to(private)


def test_a_rerun_asks_for_the_same_and_names_its_parent(gateway: Gateway) -> None:
    """The same body and hash; the history links them; both pictures are compared."""
    first = ig.generate("an otter", base_url=gateway.url, model="gpt-image-1", size="1024x1024", user="me")
    second = ig.rerun(first.record.id)

    assert bodies(gateway)[0] == bodies(gateway)[1]
    assert ig.history().parent_id.isna().tolist() == [True, False]
    assert ig.history().parent_id[1] == first.record.id
    assert ig.history().request_hash.nunique() == 1
    assert f"({first.record.id} asked again, as it was)" in repr(second)
    assert "(other pixels: mean difference" in repr(second)


def test_changes_are_made_and_shown(gateway: Gateway) -> None:
    """A field that is changed, one that is new, one that is taken away, another prompt."""
    first = ig.generate("an otter", base_url=gateway.url, size="64x48", user="me")
    said = repr(ig.rerun(first, prompt="a seal", size="32x32", quality="low", user=None))

    assert bodies(gateway)[1] == {"prompt": "a seal", "size": "32x32", "quality": "low"}
    for line in ("prompt: an otter → a seal", "size: 64x48 → 32x32", "quality: nothing → low", "user: me → nothing"):
        assert f"({line})" in said


def test_the_same_bytes_are_said_to_be_the_same() -> None:
    """The embedded endpoint with a seed paints the same again."""
    first = ig.generate("an otter", provider="sketch", seed=7, size="64x64")

    assert "(the same bytes)" in repr(ig.rerun(first.record))
    assert "seed: 7 → 8" in repr(ig.rerun(first[0], seed=8))


def test_reference_pictures_are_sent_again_from_the_store(gateway: Gateway, tmp_path: Path) -> None:
    """Also where the file that they came from is gone."""
    (tmp_path / "a.png").write_bytes(picture("red"))
    given: dict[str, Any] = {"base_url": gateway.url, "model": "gpt-image-1"}
    first = ig.generate("an otter", image="a.png", mask=picture("blue", mode="RGBA"), **given)
    (tmp_path / "a.png").unlink()
    ig.rerun(first)

    assert [each.sha256 for each in first.record.call.inputs] == [
        each.sha256 for each in ig.replay(ig.history().id[1]).record.call.inputs
    ]
    assert gateway.posts[0].body.count(picture("red")) == gateway.posts[1].body.count(picture("red")) == 1
    assert ig.history().request_hash.nunique() == 1


def test_what_the_catalogue_adds_is_not_taken_for_what_was_asked() -> None:
    """The same hash again, and what was left out stays left out."""
    first = ig.generate("an otter", provider="sketch", model="sketch", size="64x64", omit=["response_format"])
    second = ig.rerun(first)

    assert second.record.call.request_hash == first.record.call.request_hash
    assert second.record.call.omit == ("response_format",)


def test_a_template_and_its_values_stay_where_the_prompt_is_the_same(gateway: Gateway) -> None:
    """They say where the prompt came from; those of another prompt would lie."""
    made = parse_cell(f"--base-url {gateway.url}", "an {{animal}}", {"animal": "otter"})
    record = api.run(api.job(made)).record

    assert again(record, {}, photograph()).template == "an {{animal}}"
    assert again(record, {}, photograph()).variables == (("animal", "otter"),)
    assert again(record, {"prompt": "a seal"}, photograph()).template is None


def test_a_rerun_is_recorded_apart_and_replayed_as_what_it_was(gateway: Gateway) -> None:
    """In a replay the first asking is the first record, and the rerun is the rerun's."""
    first = ig.generate("an otter", base_url=gateway.url)
    second = ig.rerun(first)
    gateway.close_listening()

    assert ig.rerun(first, mode="replay")[0].sha256 == second[0].sha256
    assert ig.generate("an otter", base_url=gateway.url, mode="replay")[0].sha256 == first[0].sha256


def test_a_rerun_in_a_cache_never_shows_its_own_parent(gateway: Gateway) -> None:
    """Comparing a record with itself would prove nothing."""
    first = ig.generate("an otter", base_url=gateway.url)

    assert ig.rerun(first, mode="cache")[0].sha256 != first[0].sha256
    assert len(gateway.posts) == 2


def test_another_provider_can_be_asked_the_same(gateway: Gateway) -> None:
    """The model goes along; the difference is said."""
    first = ig.generate("an otter", base_url=gateway.url, size="64x64")
    said = repr(ig.rerun(first, provider="sketch"))

    assert "provider: custom → sketch" in said


def test_no_key_goes_to_an_address_that_only_a_record_names(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store may be somebody else's: not even a keyring is asked. Who types the address sends the key there."""
    first = ig.generate("an otter", base_url=gateway.url)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-this-person")
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "_find", lambda *_, **__: pytest.fail("a key is looked for"))
        ig.rerun(first)
    assert "authorization" not in gateway.posts[1].headers

    ig.rerun(first, base_url=gateway.url)
    assert gateway.posts[2].headers["authorization"] == "Bearer key-of-this-person"
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url + "/")
    ig.rerun(first)
    assert gateway.posts[3].headers["authorization"] == "Bearer key-of-this-person"


def test_a_provider_that_has_another_address_here_is_not_asked_by_itself(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went to a gateway of one's own is not sent to somebody else, nor the other way round."""
    with monkeypatch.context() as patch:
        patch.setenv("SKETCH_BASE_URL", gateway.url)
        first = ig.generate("an otter", provider="sketch", size="64x64")
    with pytest.raises(errors.KeyMisdirected, match="which is not its address here"):
        ig.rerun(first)
    assert ig.rerun(first, mode="cache", base_url=gateway.url)
    monkeypatch.setenv("SKETCH_BASE_URL", gateway.url)
    ig.rerun(first)
    assert len(gateway.posts) == 3


@pytest.mark.parametrize("harm", ["gone", "altered", "a link to another picture"])
def test_a_reference_picture_that_is_not_what_was_sent_is_not_sent(gateway: Gateway, tmp_path: Path, harm: str) -> None:
    """A link in a store of somebody else may lead to any picture of this person."""
    first = ig.generate("an otter", base_url=gateway.url, model="gpt-image-1", image=picture("red"))
    (kept,) = Path("imagegen/inputs").iterdir()
    (tmp_path / "private.png").write_bytes(picture("blue"))
    do_harm(kept, harm, tmp_path / "private.png")
    with pytest.raises(errors.RecordDamaged, match="which was sent then"):
        ig.rerun(first)
    assert len(gateway.posts) == 1


def test_none_takes_anything_away(gateway: Gateway) -> None:
    """Also what is no field."""
    first = ig.generate("an otter", base_url=gateway.url, model="m", n=2, size="64x48", tags=["a"])
    ig.rerun(first, model=None, n=None, size=None, tags=None, omit=None, force=None, quiet=None)

    assert bodies(gateway)[1] == {"prompt": "an otter"}


def test_an_old_picture_that_is_gone_takes_nothing_from_the_new_one(gateway: Gateway) -> None:
    """It was paid for: it is returned, and that there is nothing to compare is said."""
    first = ig.generate("an otter", base_url=gateway.url)
    first[0].path.unlink()
    second = ig.rerun(first)

    assert second[0].bytes
    assert "(the picture of then is gone or altered, so nothing is compared)" in repr(second)


def test_a_refused_rerun_is_linked_too(gateway: Gateway) -> None:
    """The error is raised, and the record names its parent."""
    first = ig.generate("an otter", base_url=gateway.url)

    def refuse(_: Asked) -> Said:
        return Said(json.dumps({"error": {"message": "no", "code": "moderation_blocked"}}).encode(), 400)

    gateway.rule = refuse
    with pytest.raises(errors.Refused):
        ig.rerun(first)
    assert ig.history().parent_id[1] == first.record.id


def test_one_call_of_several_is_asked_again_by_itself(gateway: Gateway) -> None:
    """Its own record is named; the Result of several names none."""
    several = ig.generate("an otter", base_url=gateway.url, model="dall-e-3", n=2, size="1024x1024")
    with pytest.raises(errors.OptionError, match="of 2 calls"):
        ig.rerun(several)
    ig.rerun(several[1])

    assert ig.history().parent_id[2] == several.records[1].id


# --- as a cell


@pytest.fixture
def notebook(shell: Any) -> Iterator[Any]:
    """A shell with the extension loaded."""
    shell.run_line_magic("load_ext", "jupyter_imagegen")
    yield shell
    shell.run_line_magic("unload_ext", "jupyter_imagegen")


def cells_of(result: ig.Result) -> list[str]:
    """The cell of each of its calls."""
    return [as_cell(asked_by(record, photograph())) for record in result.records]


def run(notebook: Any, cell: str) -> ig.Result:
    """What a cell gives that is pasted into a notebook."""
    done = notebook.run_cell(cell)
    assert done.success, cell
    assert isinstance(done.result, ig.Result)
    return done.result


def sent(asked: Asked) -> tuple[str, str, bytes]:
    """A request as it went over the wire: its path, its content type with the boundary, and every byte of its body."""
    return asked.path, asked.headers["content-type"], asked.body


ASKED: Final[Mapping[str, dict[str, Any]]] = {
    "nothing": {},
    "fields": {"size": "64x48", "quality": "low", "output_format": "jpeg", "output_compression": 80, "user": "it's me"},
    "other fields": {"steps": 30, "guidance_scale": 7, "cfg": 7.0, "lora": [{"name": "a b", "on": True}], "style": ""},
    "no fields": {"model": "gpt-image-1", "omit": ["user", "response_format"], "user": "me"},
    "a number": {"n": 3, "model": "any"},
    "several calls": {"n": 3, "model": "doubao-seedream-3-0-t2i-250415", "size": "1024x1024", "seed": 7},
    "previews": {"partial_images": 2, "model": "gpt-image-1"},
    "no stream": {"stream": False},
    "quotes": {"negative_prompt": 'a dog\'s "tail", \n wet'},
    "a family of its own": {"model": "doubao-seedream-4-0-250828", "size": "2K", "watermark": False, "n": 2},
    "a path": {"model": "gpt-image-1", "image": "my otter.png", "mask": "mask.png", "size": "1024x1024"},
    "several pictures": {"model": "gpt-image-1", "image": ["my otter.png", picture("red"), picture("navy")], "n": 2},
    "a picture in JSON": {"model": "grok-imagine-image-2.0", "image": picture("red")},
    "a picture that the server fetches": {"image_url": "https://example.org/a.png"},
}


@pytest.mark.parametrize("given", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("prompt", ["an otter", '\n"""\\an {{otter}}\n  asleep?\u2028!ls '], ids=["plain", "awkward"])
def test_the_cell_of_a_record_sends_the_same_bytes(
    gateway: Gateway, notebook: Any, tmp_path: Path, prompt: str, given: dict[str, Any]
) -> None:
    """Each call of an ask by itself, to the last byte, and with the same hash; forms with their file names too."""
    (tmp_path / "my otter.png").write_bytes(picture("red"))
    (tmp_path / "mask.png").write_bytes(picture("blue", mode="RGBA"))
    first = ig.generate(prompt, base_url=gateway.url, quiet=True, **given)
    for path in tmp_path.glob("*.png"):
        path.unlink()

    again_ = [run(notebook, cell) for cell in cells_of(first)]
    was, now = gateway.posts[: len(again_)], gateway.posts[len(again_) :]

    assert sorted(map(sent, now)) == sorted(map(sent, was))
    assert [each.record.call.request_hash for each in again_] == [each.call.request_hash for each in first.records]


def test_a_picture_that_a_record_made_is_sent_again(gateway: Gateway, notebook: Any, tmp_path: Path) -> None:
    """By the id of its call, then by the file that was kept of what was sent; the form names it as before."""
    made = ig.generate("an otter", base_url=gateway.url, model="any", quiet=True)
    line = f"--base-url {gateway.url} -m gpt-image-1 -i {made.record.id}[0] --mask {made.record.id}"
    first = run(notebook, f"%%imagegen {line}\nwith a hat")
    (cell,) = cells_of(first)
    run(notebook, cell)

    kept = f"imagegen/{first.record.call.inputs[0].path}"
    assert (tmp_path / kept).is_file()
    assert f" --image {kept} --mask imagegen/inputs/mask-" in cell
    assert sent(gateway.posts[1]) == sent(gateway.posts[2])


def test_a_picture_of_a_store_elsewhere_has_its_whole_path(
    gateway: Gateway, notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the cell works from any folder."""
    (tmp_path / "below").mkdir()
    first = ig.generate("an otter", base_url=gateway.url, model="gpt-image-1", image=picture("red"), quiet=True)
    monkeypatch.chdir(tmp_path / "below")
    (cell,) = cells_of(first)
    run(notebook, cell)

    assert str(tmp_path / "imagegen" / first.record.call.inputs[0].path) in cell
    assert sent(gateway.posts[0]) == sent(gateway.posts[1])


def test_the_cell_of_a_template_asks_for_what_was_sent(gateway: Gateway, notebook: Any) -> None:
    """Whatever its variables hold by now; the template itself stays in the options."""
    notebook.user_ns.update(animal="otter, {{size}}", size=3)
    first = run(notebook, f"%%imagegen --base-url {gateway.url} --tag a\nan {{{{animal}}}}")
    notebook.user_ns.update(animal="seal")
    (cell,) = cells_of(first)
    run(notebook, cell)

    assert cell == f"%%imagegen --base-url {gateway.url} --tag a --raw\nan otter, {{{{size}}}}"
    assert sent(gateway.posts[0]) == sent(gateway.posts[1])
    assert asked_by(first.record, photograph()).template == "an {{animal}}"


def test_the_words_of_the_call_are_those_that_it_was_made_with(gateway: Gateway) -> None:
    """What was said of it afterwards was said of its pictures; and it is no child of that call."""
    first = ig.generate("an otter", base_url=gateway.url, tags=["study"], note="the first", quiet=True)
    ig.tag(first, "good")
    ig.note(first, "the best")
    options = asked_by(ig.rerun(first).record, photograph())
    marked = asked_by(ig.replay(first.record.id).record, photograph())

    assert (marked.tags, marked.note, marked.parent_id) == (("study",), "the first", None)
    assert (options.tags, options.note, options.parent_id) == ((), None, None)


# --- whom the cell asks


@dataclass(frozen=True)
class Road:
    """What was set when the call was made, whom it named, what is set when its cell is run, and what that says.

    `URL` stands for the address of the gateway.
    """

    said: str
    given: dict[str, str] = field(default_factory=dict)
    then: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)


BOTH: Final = {"IMAGEGEN_PROVIDER": "sketch", "IMAGEGEN_BASE_URL": "URL"}
ROADS: Final[Mapping[str, Road]] = {
    "an address": Road("--base-url URL", given={"base_url": "URL"}),
    "an address that is set here": Road("--base-url URL", given={"base_url": "URL"}, now={"IMAGEGEN_BASE_URL": "URL"}),
    "an address that is another one here": Road(
        "--base-url URL", then={"IMAGEGEN_BASE_URL": "URL"}, now={"IMAGEGEN_BASE_URL": "http://127.0.0.1:9/v1"}
    ),
    "a provider": Road("-p sketch", given={"provider": "sketch"}, now={"IMAGEGEN_BASE_URL": "URL"}),
    "the provider that nobody chose": Road("-p sketch"),
    "a provider with an address that is set here": Road(
        "-p sketch", given={"provider": "sketch"}, then={"SKETCH_BASE_URL": "URL"}, now={"SKETCH_BASE_URL": "URL"}
    ),
    "a provider that has another address here": Road(
        "-p sketch --base-url URL", given={"provider": "sketch"}, then={"SKETCH_BASE_URL": "URL"}
    ),
    "a provider and an address that are both set here": Road("-p sketch --base-url URL", then=BOTH, now=BOTH),
}


@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
def test_a_cell_names_whom_was_asked(gateway: Gateway, notebook: Any, road: Road) -> None:
    """The provider by name, its address only where the name leads elsewhere; no setting sends the cell elsewhere."""
    with surroundings(road.then, gateway):
        given: dict[str, Any] = {name: text.replace("URL", gateway.url) for name, text in road.given.items()}
        first = ig.generate("an otter", quiet=True, size="64x64", **given)
    with surroundings(road.now, gateway):
        (cell,) = cells_of(first)
        second = run(notebook, cell)

    whom, _, _ = cell.partition(" -s ")
    assert whom.partition(" -m ")[0] == f"%%imagegen {road.said}".replace("URL", gateway.url)
    assert second.record.call.base_url == first.record.call.base_url
    assert second.record.call.request_hash == first.record.call.request_hash


@contextmanager
def surroundings(variables: Mapping[str, str], gateway: Gateway) -> Iterator[None]:
    """These environment variables are set meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value.replace("URL", gateway.url))
        yield


def test_options_of_a_record_carry_no_key_to_an_address_that_only_it_names(
    gateway: Gateway, notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for an address alone nor for a provider at another address; a person who runs the cell types it."""
    first = ig.generate("an otter", base_url=gateway.url, quiet=True)
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", gateway.url)
        patch.setenv("OPENAI_API_KEY", "key-of-somebody-else")
        second = ig.generate("an otter", provider="openai", model="gpt-image-1", quiet=True)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-this-person")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-person-too")
    for record in (first.record, second.record):
        api.run(api.job(asked_by(record, photograph())))
    assert ["authorization" in asked.headers for asked in gateway.posts] == [False, True, False, False]

    run(notebook, *cells_of(first))
    assert gateway.posts[4].headers["authorization"] == "Bearer key-of-this-person"
    done = notebook.run_cell(*cells_of(second))
    assert isinstance(done.error_in_exec, errors.KeyMisdirected)
    assert len(gateway.posts) == 5


def test_the_key_goes_where_this_person_set_it(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does when the call is asked again."""
    first = ig.generate("an otter", base_url=gateway.url, quiet=True)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-this-person")
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    api.run(api.job(asked_by(first.record, photograph())))
    ig.rerun(first)

    assert [asked.headers.get("authorization") for asked in gateway.posts[1:]] == ["Bearer key-of-this-person"] * 2


def test_a_provider_that_nobody_knows_here_is_named_all_the_same(gateway: Gateway) -> None:
    """The store may have come without its imagegen.toml."""
    rows = Path("imagegen.toml")
    rows.write_text(f'[providers.mine]\nbase_url = "{gateway.url}"\n', "utf-8")
    first = ig.generate("an otter", provider="mine", quiet=True)
    assert cells_of(first) == ["%%imagegen -p mine\nan otter"]
    rows.unlink()

    assert cells_of(first) == [f"%%imagegen -p mine --base-url {gateway.url}\nan otter"]


def test_a_forgotten_call_has_no_cell(gateway: Gateway) -> None:
    """Nothing of what it asked for is left."""
    first = ig.generate("an otter", base_url=gateway.url, quiet=True)
    ig.forget(first.record.id)
    (record,) = read(photograph().store)

    with pytest.raises(errors.OptionError, match="was forgotten"):
        asked_by(record, photograph())


@pytest.mark.parametrize("harm", ["gone", "altered", "a link to another picture"])
def test_a_picture_that_is_not_what_was_sent_is_not_named(gateway: Gateway, tmp_path: Path, harm: str) -> None:
    """A person who runs the cell means to send what was sent."""
    first = ig.generate("an otter", base_url=gateway.url, model="gpt-image-1", image=picture("red"), quiet=True)
    (kept,) = Path("imagegen/inputs").iterdir()
    (tmp_path / "private.png").write_bytes(picture("blue"))
    do_harm(kept, harm, tmp_path / "private.png")

    with pytest.raises(errors.RecordDamaged, match="which was sent then"):
        asked_by(first.record, photograph())
