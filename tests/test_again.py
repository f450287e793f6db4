"""Asking a call again: what is the same, what is said of what is not, and where a key may go."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Asked, Gateway, Said
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen import api, errors, prepare
from jupyter_imagegen.again import again
from jupyter_imagegen.options import parse_cell
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
    kept.unlink()
    if harm == "altered":
        kept.write_bytes(picture("blue"))
    elif harm != "gone":
        kept.symlink_to(tmp_path / "private.png")
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
