"""live, cache and replay: what is asked again, what is shown from records, and that a replay never connects."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.gateway import Asked, Cut, Gateway, Said
from support.pictures import answer, complaint, picture

import jupyter_imagegen as ig
from jupyter_imagegen import errors, steps
from jupyter_imagegen.settings import ImageGen

STORE = Path("imagegen")


@pytest.fixture(autouse=True)
def another_picture_each_time(gateway: Gateway) -> None:
    """A server without a seed: no answer is like the one before."""
    widths = count(64)

    def paint(asked: Asked) -> Said:
        return Said(answer(*(picture(size=(next(widths), 48)) for _ in range(number(asked)))))

    gateway.rule = paint


def number(asked: Asked) -> int:
    """How many pictures a JSON body asks for; a form asks for one here."""
    return asked.json.get("n", 1) if asked.headers["content-type"] == "application/json" else 1


@pytest.fixture
def new_session(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What a new kernel is, for the journal and for the counting."""

    def begin() -> None:
        from jupyter_imagegen.bridge import http_loop

        http_loop().sessions.clear()
        monkeypatch.setattr(steps, "_places", {})

    return begin


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket can be connected, and no name looked up."""

    def refuse(*asked: Any, **_: Any) -> None:
        pytest.fail(f"a replay connects to {asked[1:]}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def shown(gateway: Gateway, **given: Any) -> list[str]:
    """The digests of what one call gives."""
    return [each.sha256 for each in ig.generate("an otter", base_url=gateway.url, **given)]


def test_a_replay_gives_the_same_bytes_without_a_connection(
    gateway: Gateway, new_session: Callable[[], None], request: pytest.FixtureRequest
) -> None:
    """Three askings for the same gave three pictures; they come again in their order, from another session, offline."""
    live = [shown(gateway), shown(gateway), shown(gateway, n=2), shown(gateway)]
    gateway.close_listening()
    new_session()
    before = {path: path.read_bytes() for path in STORE.rglob("*") if path.is_file()}
    request.getfixturevalue("no_network")

    assert [shown(gateway, mode="replay", **given) for given in ({}, {}, {"n": 2}, {})] == live
    assert {path: path.read_bytes() for path in STORE.rglob("*") if path.is_file()} == before


def test_what_is_not_recorded_is_an_error_in_a_replay(gateway: Gateway) -> None:
    """Nothing is sent; the message says what the nearest record has otherwise."""
    shown(gateway, size="64x48")
    with pytest.raises(errors.NotRecorded, match="no record of this prompt"):
        ig.generate("a whale", base_url=gateway.url, mode="replay")
    with pytest.raises(errors.NotRecorded, match="size: 64x48 → 1024x1024; quality: nothing → high"):
        shown(gateway, size="1024x1024", quality="high", mode="replay")
    assert len(gateway.posts) == 1


def test_a_replay_that_asks_more_often_than_is_recorded_is_an_error(gateway: Gateway) -> None:
    """Where there are no cells, each asking is another one."""
    shown(gateway)
    shown(gateway, mode="replay")
    with pytest.raises(errors.NotRecorded, match="records of this request, but not once more"):
        shown(gateway, mode="replay")


def test_a_shown_record_says_that_it_is_one(gateway: Gateway) -> None:
    """And from when; a picture that was made now does not."""
    live = ig.generate("an otter", base_url=gateway.url)
    told = ig.generate("an otter", base_url=gateway.url, mode="replay")

    assert f"recorded {live.record.call.at[:16].replace('T', ' ')} UTC and shown again; nothing was sent" in repr(told)
    assert "shown again" not in repr(live)
    assert told.record.id == live.record.id


def test_a_replay_needs_no_key_and_no_setting_of_the_machine_that_recorded(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, new_session: Callable[[], None]
) -> None:
    """The author had a key, an address and a model in the environment; the reviewer has none of them, or others."""
    for name, value in {"BASE_URL": gateway.url, "MODEL": "gpt-image-1", "API_KEY": "sk-of-the-author"}.items():
        monkeypatch.setenv(f"IMAGEGEN_{name}", value)
    live = ig.generate("an otter", size="1024x1024")
    for name in ("BASE_URL", "MODEL", "API_KEY"):
        monkeypatch.delenv(f"IMAGEGEN_{name}")
    new_session()

    assert ig.generate("an otter", size="1024x1024", mode="replay")[0].bytes == live[0].bytes
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-reviewer")
    new_session()
    assert ig.generate("an otter", size="1024x1024", mode="replay")[0].bytes == live[0].bytes


def test_a_server_on_another_port_is_the_same_in_a_replay_and_another_in_a_cache(
    gateway: Gateway, new_session: Callable[[], None]
) -> None:
    """A cache saves calls to an address; a replay tells what was recorded, wherever that was."""
    live = shown(gateway)
    new_session()
    elsewhere = "http://127.0.0.1:9/v1"

    assert [each.sha256 for each in ig.generate("an otter", base_url=elsewhere, mode="replay")] == live
    with pytest.raises(errors.NotSent):
        ig.generate("an otter", base_url=elsewhere, mode="cache")


def test_two_addresses_that_were_asked_for_the_same_are_told_apart_in_a_replay(gateway: Gateway) -> None:
    """Each notebook cell names its own."""
    other = Gateway()
    other.rule = lambda _: Said(answer(picture(size=(10, 10))))
    first, second = shown(gateway), shown(other)
    other.close()

    assert shown(other, mode="replay") == second
    assert shown(gateway, mode="replay") == first


def test_a_provider_that_a_notebook_names_is_not_mistaken_for_another(gateway: Gateway) -> None:
    """The same request to sketch is not the one to the gateway."""
    shown(gateway)
    with pytest.raises(errors.NotRecorded, match="provider: custom → sketch"):
        ig.generate("an otter", provider="sketch", mode="replay")


def test_a_refusal_is_replayed_as_a_refusal(gateway: Gateway) -> None:
    """A notebook that caught it catches it again."""
    gateway.rule = lambda _: Said(complaint("No otters.", code="moderation_blocked"), 400)
    with pytest.raises(errors.Refused) as live:
        shown(gateway)
    gateway.close_listening()
    with pytest.raises(errors.Refused) as told:
        shown(gateway, mode="replay")

    assert (told.value.message, told.value.code) == (live.value.message, live.value.code)
    assert "shown again" in told.value.hint


def test_an_accident_is_not_what_a_replay_tells(gateway: Gateway) -> None:
    """A connection that was cut says nothing of the request: the asking that went well is what counts."""
    rule, gateway.rule = gateway.rule, lambda _: Cut()
    with pytest.raises(errors.ConnectionCut):
        shown(gateway)
    with pytest.raises(errors.NotRecorded, match="is unknown"):
        shown(gateway, mode="replay")
    gateway.rule = rule
    live = shown(gateway)

    assert shown(gateway, mode="replay") == live


def test_pictures_of_a_call_that_also_failed_come_with_its_error(gateway: Gateway) -> None:
    """As they did when it was recorded."""
    data = {
        "data": [json.loads(answer(picture()))["data"][0], {"error": {"message": "no", "code": "moderation_blocked"}}]
    }
    gateway.rule = lambda _: Said(json.dumps(data).encode())
    with pytest.raises(errors.Refused) as live:
        shown(gateway, n=2)
    with pytest.raises(errors.Refused) as told:
        shown(gateway, n=2, mode="replay")

    assert isinstance(live.value.result, ig.Result)
    assert isinstance(told.value.result, ig.Result)
    assert [each.sha256 for each in told.value.result] == [each.sha256 for each in live.value.result] != []


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!")])
def test_a_picture_that_is_gone_or_altered_is_not_replayed(gateway: Gateway, harm: Callable[[Path], object]) -> None:
    """It would not be what was made then; a cache asks anew."""
    live = ig.generate("an otter", base_url=gateway.url)
    harm(live[0].path)
    with pytest.raises(errors.RecordDamaged, match=live.record.id):
        shown(gateway, mode="replay")

    assert shown(gateway, mode="cache") != [live[0].sha256]
    assert len(gateway.posts) == 2


def test_a_cache_asks_once_and_then_shows(gateway: Gateway, new_session: Callable[[], None]) -> None:
    """In the next session too, and the one after it; a loop of three is three pictures each time."""
    first = [shown(gateway, mode="cache") for _ in range(3)]
    new_session()
    second = [shown(gateway, mode="cache") for _ in range(4)]
    new_session()
    third = [shown(gateway, mode="cache") for _ in range(4)]

    assert second[:3] == first
    assert third == second
    assert len({digest for (digest,) in third}) == 4
    assert len(gateway.posts) == 4


def test_a_cache_asks_for_what_is_missing_of_a_fan_out(gateway: Gateway, new_session: Callable[[], None]) -> None:
    """Two of three calls are recorded: one is made."""
    given: dict[str, Any] = {"model": "dall-e-3", "size": "1024x1024"}
    two = shown(gateway, n=2, **given)
    new_session()
    three = ig.generate("an otter", base_url=gateway.url, n=3, mode="cache", **given)

    assert [each.sha256 for each in three][:2] == two
    assert len(gateway.posts) == 3
    assert "shown again" in repr(three)


def test_a_loop_in_a_cache_after_one_live_call_gets_as_many_pictures_as_it_has_rounds(
    gateway: Gateway, new_session: Callable[[], None]
) -> None:
    """What was shown in a round is not what the next one gets."""
    live = shown(gateway)
    rounds = [shown(gateway, mode="cache") for _ in range(3)]
    assert rounds[0] == live
    assert len({digest for (digest,) in rounds}) == 3
    new_session()

    assert [shown(gateway, mode="cache") for _ in range(4)] == [live, *rounds]


def test_an_asking_that_was_not_admitted_takes_no_place(gateway: Gateway) -> None:
    """Too dear, damaged, or with a mistake in it: nothing was shown, and the next one is the first."""
    live = ig.generate("an otter", base_url=gateway.url)
    data = live[0].bytes
    live[0].path.write_bytes(b"altered")
    for given in ({"mode": "replay"}, {"mode": "cache", "max_cost": 0.0}):
        with pytest.raises(ig.ImageGenError):
            ig.generate("an otter", base_url=gateway.url, **given)
    live[0].path.write_bytes(data)

    assert shown(gateway, mode="replay") == shown(gateway, mode="cache") == [live[0].sha256]
    assert len(gateway.posts) == 1


def test_sessions_are_compared_whatever_address_they_asked(gateway: Gateway, new_session: Callable[[], None]) -> None:
    """The newest one that has two is an older one, at another port."""
    first = [shown(gateway), shown(gateway)]
    new_session()
    other = Gateway()
    other.rule = gateway.rule
    last = shown(other)
    other.close()
    new_session()

    def told() -> list[str]:
        return [each.sha256 for each in ig.generate("an otter", base_url="http://127.0.0.1:9", mode="replay")]

    assert [told(), told()] == [last, first[1]]


def test_the_pictures_of_an_ask_stand_in_its_own_order(gateway: Gateway, new_session: Callable[[], None]) -> None:
    """Also where one of them was made now, and another one was the third of an earlier ask."""
    given: dict[str, Any] = {"model": "dall-e-3", "size": "1024x1024", "force": True}
    three = ig.generate("an otter", base_url=gateway.url, n=3, seed=5, **given)
    new_session()
    two = ig.generate("an otter", base_url=gateway.url, n=2, seed=7, mode="cache", **given)

    assert two[0].sha256 == three[2].sha256
    assert [each.record.asked["seed"] for each in two] == [7, 8]
    assert "1 of 2 calls is recorded" in repr(two)


def test_an_accident_beside_a_picture_does_not_hide_a_whole_record(gateway: Gateway) -> None:
    """It is told only where there is nothing better."""
    rule = gateway.rule
    whole = shown(gateway, n=2)
    data = {"data": [*json.loads(answer(picture("red")))["data"], {"url": "/gone.png"}]}
    gateway.rule = lambda asked: Said(json.dumps(data).encode()) if asked.method == "POST" else Said(b"", 404)
    with pytest.raises(errors.DownloadFailed):
        shown(gateway, n=2)
    gateway.rule = rule

    assert shown(gateway, n=2, mode="replay") == whole


def test_a_mistake_is_the_same_mistake_in_a_replay(gateway: Gateway) -> None:
    """And not a missing record."""
    shown(gateway)
    with pytest.raises(errors.OptionError, match="no picture is given"):
        shown(gateway, mask=picture(mode="RGBA"), mode="replay")


def test_a_cache_does_not_take_too_few_pictures_for_all(gateway: Gateway) -> None:
    """One of four came then: four are asked for again."""
    rule, gateway.rule = gateway.rule, lambda _: Said(answer(picture()))
    assert len(shown(gateway, n=4)) == 1
    gateway.rule = rule

    assert len(shown(gateway, n=4, mode="cache")) == 4


def test_a_cache_does_not_take_a_refusal_for_a_result(gateway: Gateway) -> None:
    """Moderation may think otherwise the next time, and a refusal costs nothing."""
    rule, gateway.rule = gateway.rule, lambda _: Said(complaint("No.", code="moderation_blocked"), 400)
    with pytest.raises(errors.Refused):
        shown(gateway)
    gateway.rule = rule

    assert len(shown(gateway, mode="cache")) == 1


def test_the_history_has_one_row_for_a_record_however_often_it_is_shown(gateway: Gateway) -> None:
    """Showing is no call."""
    for mode in ("live", "cache", "replay"):
        shown(gateway, mode=mode)

    assert len(ig.history()) == 1


@pytest.mark.parametrize("mode", ["cache", "replay"])
def test_timeit_may_repeat_what_costs_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Under timeit only what would be sent is refused."""
    live = shown(gateway)
    monkeypatch.setattr("jupyter_imagegen.cells.is_timed", lambda: True)

    assert shown(gateway, mode=mode) == live
    with pytest.raises(errors.TimedRun):
        shown(gateway, mode="live")


def test_a_reference_picture_is_part_of_what_is_replayed(gateway: Gateway, tmp_path: Path) -> None:
    """By its bytes, not by its name."""
    (tmp_path / "a.png").write_bytes(picture(size=(8, 8)))
    live = shown(gateway, image="a.png", model="gpt-image-1")
    shutil.move("a.png", "b.png")

    assert shown(gateway, image="b.png", model="gpt-image-1", mode="replay") == live
    with pytest.raises(errors.NotRecorded, match="image: sha256:"):
        shown(gateway, image=picture(size=(9, 9)), model="gpt-image-1", mode="replay")


def test_a_copied_store_is_replayed_like_the_first(gateway: Gateway, tmp_path: Path) -> None:
    """An author hands it over as a folder."""
    live = shown(gateway)
    shutil.copytree(STORE, tmp_path / "elsewhere" / "imagegen")
    shutil.rmtree(STORE)
    ImageGen.instance().store = str(tmp_path / "elsewhere" / "imagegen")

    assert shown(gateway, mode="replay") == live


def test_the_mode_is_an_option_before_it_is_a_setting_and_a_setting_before_the_environment(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that order; live where nothing is said."""
    shown(gateway)
    monkeypatch.setenv("IMAGEGEN_MODE", "replay")
    shown(gateway)
    assert len(gateway.posts) == 1
    ImageGen.instance().mode = "live"
    shown(gateway)
    assert len(gateway.posts) == 2
    shown(gateway, mode="cache")
    assert len(gateway.posts) == 2


def test_a_mode_that_is_none_is_an_error(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the finger must not send anything."""
    monkeypatch.setenv("IMAGEGEN_MODE", "reply")
    with pytest.raises(errors.SettingsError, match="'reply'"):
        shown(gateway)
    with pytest.raises(errors.OptionError, match="live or cache or replay"):
        shown(gateway, mode="offline")
    assert gateway.posts == []


def test_a_request_that_a_model_refuses_by_now_is_replayed_all_the_same(gateway: Gateway) -> None:
    """It was forced when it was recorded, or the catalogue knew less."""
    given: dict[str, Any] = {"model": "gpt-image-1", "size": "7x7"}
    live = shown(gateway, force=True, **given)

    assert shown(gateway, mode="replay", **given) == live


def test_a_picture_that_was_replayed_is_saved_where_it_is_wanted(gateway: Gateway) -> None:
    """A reviewer gets the figures too."""
    live = ig.generate("an otter", base_url=gateway.url)
    ig.generate("an otter", base_url=gateway.url, mode="replay", save="figures/otter.png")

    assert Path("figures/otter.png").read_bytes() == live[0].bytes
