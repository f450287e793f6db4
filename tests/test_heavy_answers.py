"""Pictures of megabytes leave the answer while it arrives: what is kept, shown and left is as of small ones."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support.clock import DEADLINE_S
from support.gateway import Answer, Gateway, Parts, Said
from support.pictures import answer, noise, picture
from test_streams import completed, partial

import jupyter_imagegen as ig
from jupyter_imagegen import api, arrival, divert, errors, spill
from jupyter_imagegen.bridge import wait
from jupyter_imagegen.options import Options
from jupyter_imagegen.settings import Where

HEAVY, OTHER = noise(3_000_000), noise(1_500_001)


def ask(gateway: Gateway, said: Answer, **given: Any) -> ig.Result:
    """What comes of a call that is answered like this."""
    gateway.rule = lambda _: said
    return ig.generate("a cat", base_url=gateway.url, model="any", quiet=True, **given)


def left(store: Path) -> list[str]:
    """The files of the store that are no journal."""
    return sorted(path.relative_to(store).parts[0] for path in store.rglob("*") if path.is_file())


def spilled(patch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the pictures that arrive in files."""
    sizes: list[int] = []
    content = spill.Spill.content

    async def noted(self: spill.Spill) -> Any:
        sizes.append(self._size)
        return await content(self)

    patch.setattr(spill.Spill, "content", noted)
    return sizes


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"], ids=["base64", "data URI"])
def test_heavy_pictures_are_kept_byte_for_byte(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str
) -> None:
    """They never are in memory as a whole, and nothing is left behind but them and their lines."""
    sizes = spilled(monkeypatch)
    data = [{"b64_json": prefix + base64.b64encode(each).decode()} for each in (HEAVY, OTHER)]
    result = ask(gateway, Said(json.dumps({"data": data, "usage": {"total_tokens": 7}}).encode()), n=2)

    assert [each.bytes for each in result] == [HEAVY, OTHER]
    assert sizes == [len(HEAVY), len(OTHER)]
    assert result.record.usage == {"total_tokens": 7}
    assert left(tmp_path / "imagegen") == ["images", "images", "journal"]


def test_the_final_picture_of_a_stream_is_kept_and_its_previews_are_not(gateway: Gateway, tmp_path: Path) -> None:
    """A preview may be as heavy as the picture itself."""
    result = ask(gateway, Parts((partial(OTHER), completed(HEAVY))), partial_images=1)

    assert [each.bytes for each in result] == [HEAVY]
    assert left(tmp_path / "imagegen") == ["images", "journal"]


def test_an_answer_that_is_cut_in_a_picture_is_kept_as_it_came(gateway: Gateway, tmp_path: Path) -> None:
    """What was taken out of it is put back; the picture before is kept."""
    body = answer(OTHER, HEAVY)[:-1_000_000]
    with pytest.raises(errors.AnswerUnreadable, match="The answer is kept in"):
        ask(gateway, Parts((body,)), n=2)

    assert next((tmp_path / "imagegen" / "unread").iterdir()).read_bytes() == body
    assert left(tmp_path / "imagegen") == ["images", "journal", "unread"]


def test_a_picture_that_is_spelt_otherwise_near_its_end_is_read_all_the_same(gateway: Gateway, tmp_path: Path) -> None:
    """What was decoded so far is taken back, and the reader that knows all spellings has the whole."""
    text = base64.b64encode(HEAVY).decode()
    body = json.dumps({"data": [{"b64_json": f"{text[:-100]}\n{text[-100:]}"}]}).encode()
    result = ask(gateway, Said(body))

    assert [each.bytes for each in result] == [HEAVY]
    assert left(tmp_path / "imagegen") == ["images", "journal"]


def test_a_chat_that_says_one_picture_twice_has_one(gateway: Gateway) -> None:
    """As its text and as its attachment."""
    uri = f"data:image/png;base64,{base64.b64encode(HEAVY).decode()}"
    message = {"content": uri, "images": [{"type": "image_url", "image_url": {"url": uri}}]}
    result = ask(gateway, Said(json.dumps({"choices": [{"message": message}]}).encode()))

    assert [each.bytes for each in result] == [HEAVY]


def test_a_disk_that_takes_no_more_leaves_the_picture_in_memory(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It arrives whole, so that it can be kept elsewhere."""
    append = spill._File._append

    def full(self: spill._File, data: bytes) -> None:
        if self._size:
            raise OSError(28, "No space left on device")
        append(self, data)

    monkeypatch.setattr(spill._File, "_append", full)
    result = ask(gateway, Said(answer(HEAVY)))

    assert [each.bytes for each in result] == [HEAVY]
    assert left(tmp_path / "imagegen") == ["images", "journal"]


def test_an_interrupt_in_a_heavy_picture_leaves_the_answer_and_nothing_else(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What came was paid for."""
    body, taken = answer(HEAVY)[:-1_000], threading.Event()
    take = arrival.Arrival.take
    came = [0]

    async def seen(self: arrival.Arrival, part: bytes) -> bytes:
        rest = await take(self, part)
        came[0] += len(part)
        if came[0] == len(body):
            taken.set()
        return rest

    def stop() -> None:
        if taken.is_set():
            raise KeyboardInterrupt

    monkeypatch.setattr(arrival.Arrival, "take", seen)
    gateway.rule = lambda _: Parts((body,), end="hang")
    job = api.job(Options(prompt="a cat", where=Where(base_url=gateway.url, model="any")))
    with pytest.raises(KeyboardInterrupt):
        wait(job, stop)

    record = ig.history().iloc[-1]
    assert record["status"] == "cancelled"
    assert next((tmp_path / "imagegen" / "unread").iterdir()).read_bytes() == body
    assert left(tmp_path / "imagegen") == ["journal", "unread"]


@pytest.mark.parametrize("how", ["interrupt", "deadline"])
def test_what_comes_while_a_slow_disk_is_waited_for_is_not_lost(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    """An interrupt or a deadline that lands in the wait: all that had come is kept, as pictures or as it came."""
    has_come, through, body, left_over = threading.Event(), threading.Event(), answer(OTHER), [len(answer(OTHER))]
    append, feed = spill._File.append, divert.Diversion.feed

    def slow(self: spill._File, blocks: Any) -> None:
        assert through.wait(30)
        append(self, blocks)

    def fed(self: divert.Diversion[spill.Spill], part: bytes) -> bytes:
        left_over[0] -= len(part)
        if not left_over[0]:
            has_come.set()
            threading.Timer(0.3, through.set).start()
            (gateway.stalled if how == "deadline" else int)()
        return feed(self, part)

    def stop() -> None:
        if has_come.is_set() and how == "interrupt":
            raise KeyboardInterrupt

    monkeypatch.setattr(spill._File, "append", slow)
    monkeypatch.setattr(divert.Diversion, "feed", fed)
    gateway.rule = lambda _: Said(body)
    where = Where(base_url=gateway.url, model="any")
    job = api.job(Options(prompt="a cat", where=where, timeout_s=DEADLINE_S))
    with pytest.raises(KeyboardInterrupt) if how == "interrupt" else nullcontext():
        wait(job, stop)

    kept = [path.read_bytes() for path in (tmp_path / "imagegen" / "images").iterdir()]
    unread = [path.read_bytes() for path in tmp_path.glob("imagegen/unread/*")]
    assert kept == [OTHER] or unread == [body]
    assert ig.history().iloc[-1]["status"] in ("ok", "cancelled")


def test_forgetting_removes_what_a_crash_left_of_the_call(gateway: Gateway, tmp_path: Path) -> None:
    """A second name of its picture, and previews."""
    result = ask(gateway, Said(answer(HEAVY)))
    left_behind = tmp_path / "imagegen" / "images" / f".arriving-{result.record.id}.00112233.part"
    left_behind.hardlink_to(result[0].path)
    ig.forget(result.record.id)

    assert left(tmp_path / "imagegen") == ["journal"]


@pytest.mark.parametrize("size", [1_500, 3_072, 4_096, 6_000])
def test_a_chat_that_streams_a_picture_in_pieces_is_read(gateway: Gateway, size: int) -> None:
    """Wherever the pieces end."""
    text = f"data:image/png;base64,{base64.b64encode(noise(20_000)).decode()}"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    chunks = [{"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": p}}]} for p in pieces]
    parts = tuple(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)

    assert [each.bytes for each in ask(gateway, Parts((*parts, b"data: [DONE]\n\n")))] == [noise(20_000)]


def test_a_temporary_file_that_is_swept_away_is_no_loss(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By whoever removes dot files, or moves the store."""
    sync = spill._File.sync

    def swept(self: spill._File) -> None:
        sync(self)
        self._path.unlink()

    monkeypatch.setattr(spill._File, "sync", swept)
    result = ask(gateway, Said(answer(HEAVY)))

    assert [each.bytes for each in result] == [HEAVY]
    assert left(tmp_path / "imagegen") == ["images", "journal"]


def test_what_is_said_of_a_picture_is_kept_as_it_was_said(gateway: Gateway) -> None:
    """Also when it is a picture itself."""
    said = base64.b64encode(noise(2_000)).decode()
    data = {"b64_json": base64.b64encode(OTHER).decode(), "revised_prompt": said}
    result = ask(gateway, Said(json.dumps({"data": [data]}).encode()))

    assert result.record.images[0].revised_prompt == said


def test_a_photograph_with_a_long_profile_has_its_size(gateway: Gateway) -> None:
    """Its frame header can stand behind a megabyte of other segments."""
    plain = picture(name="JPEG")
    profile = (b"\xff\xe2" + (65_535).to_bytes(2, "big") + bytes(65_533)) * 20
    result = ask(gateway, Said(answer(plain[:2] + profile + plain[2:])))

    assert (result[0].width, result[0].height) == (64, 48)


def test_the_same_heavy_picture_again_is_one_file(gateway: Gateway, tmp_path: Path) -> None:
    """The one that is there is left as it is."""
    first, second = ask(gateway, Said(answer(HEAVY))), ask(gateway, Said(answer(HEAVY)))

    assert first[0].path == second[0].path
    assert left(tmp_path / "imagegen") == ["images", "journal"]


def test_a_heavy_picture_that_was_altered_on_the_disk_is_replaced(gateway: Gateway) -> None:
    """What is listed again is what came."""
    path = ask(gateway, Said(answer(HEAVY)))[0].path
    path.write_bytes(OTHER)

    assert ask(gateway, Said(answer(HEAVY)))[0].path == path
    assert path.read_bytes() == HEAVY


def test_without_links_a_heavy_picture_is_kept_all_the_same(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Some file systems have none; then an answer that must be kept is put together from what was kept."""

    def none(_: Path, __: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", none)
    body = answer(HEAVY).replace(b"}]", b'}, {"b64_json": "bm8gcGljdHVyZQ=="}]')
    with pytest.raises(errors.AnswerUnreadable) as told:
        ask(gateway, Said(body), n=2)

    assert isinstance(told.value.result, ig.Result)
    assert [each.bytes for each in told.value.result] == [HEAVY]
    assert next((tmp_path / "imagegen" / "unread").iterdir()).read_bytes() == body
    assert left(tmp_path / "imagegen") == ["images", "journal", "unread"]
