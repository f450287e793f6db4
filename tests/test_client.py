"""What one POST does, seen from the server: how often it is sent, what it carries, what its end is called."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.clock import DEADLINE_S
from support.gateway import Answer, Asked, Cut, Drip, Gateway, Hang, Said
from support.pictures import answer, complaint, picture

import jupyter_imagegen as ig
from jupyter_imagegen import client as client_module
from jupyter_imagegen import errors
from jupyter_imagegen.keys import Secret
from jupyter_imagegen.retry import Wait


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between attempts are noted instead of slept through."""
    waited: list[float] = []

    async def pause(wait: Wait) -> None:
        waited.append(wait.seconds)

    monkeypatch.setattr(client_module, "_pause", pause)
    return waited


def last() -> dict[Any, Any]:
    """The last row of the history."""
    return ig.history().iloc[-1].to_dict()


@pytest.mark.parametrize(
    ("said", "error", "status"),
    [
        (Said(b"", 500), errors.ServerFailed, "unknown"),
        (Said(b"<html>", 502), errors.ServerFailed, "unknown"),
        (Said(b"", 503), errors.ServerFailed, "unknown"),
        (Said(b"<html>", 524), errors.ServerFailed, "unknown"),
        (Said(b"", 408), errors.ServerFailed, "unknown"),
        (Cut(), errors.ConnectionCut, "unknown"),
        (Said(answer(picture())[:-40]), errors.AnswerUnreadable, "unknown"),
        (Said(b"<html></html>"), errors.AnswerUnreadable, "unknown"),
        (Said(b'{"created": 1, "data": []}'), errors.NoPicture, "failed"),
        (Said(complaint("no", code="x")), errors.Rejected, "failed"),
        (Said(complaint("bad", code="invalid_value"), 400), errors.Rejected, "failed"),
        (Said(complaint("no", code="moderation_blocked"), 400), errors.Refused, "refused"),
        (Said(complaint("key"), 401), errors.KeyRejected, "failed"),
        (Said(complaint("credit"), 402), errors.OutOfCredit, "failed"),
        (Said(complaint("verify"), 403), errors.AccessDenied, "failed"),
        (Said(complaint("gone", code="model_not_found"), 404), errors.ModelNotFound, "failed"),
        (Said(complaint("credit", code="insufficient_quota"), 429), errors.OutOfCredit, "failed"),
        (Said(b"", 302, {"location": "https://elsewhere.invalid/"}), errors.Redirected, "failed"),
        (Said(b"", 307, {"location": "https://elsewhere.invalid/"}), errors.Redirected, "failed"),
    ],
)
def test_one_call_is_one_post_whatever_the_answer(
    gateway: Gateway, said: Said | Cut, error: type[errors.CallError], status: str
) -> None:
    """The server sees one POST; the error has its class, the record its status."""
    gateway.rule = lambda _: said
    with pytest.raises(error):
        ig.generate("an otter", base_url=gateway.url)
    assert len(gateway.posts) == 1
    assert (last()["status"], last()["attempts"]) == (status, 1)


def test_an_outcome_that_is_unknown_says_that_it_may_have_been_charged(gateway: Gateway) -> None:
    """The person decides whether to ask again."""
    gateway.rule = lambda _: Cut()
    with pytest.raises(errors.OutcomeUnknown) as caught:
        ig.generate("an otter", base_url=gateway.url)
    assert "may have been charged" in caught.value.hint


def test_no_connection_is_tried_three_times_and_costs_nothing(no_pauses: list[float]) -> None:
    """Nothing listens: three attempts, and an error that says that nothing was charged."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(errors.NotSent, match="No connection"):
        ig.generate("an otter", base_url=url)
    assert (last()["status"], last()["attempts"], no_pauses) == ("failed", 3, [0.5, 1.0])


def test_a_rate_limit_is_waited_out(gateway: Gateway, no_pauses: list[float]) -> None:
    """429 was rejected before any work: it is sent again after the wait that the server asks for."""
    answers = iter([Said(complaint("slow down"), 429, {"retry-after": "7"}), Said(answer(picture()))])
    gateway.rule = lambda _: next(answers)
    assert len(ig.generate("an otter", base_url=gateway.url)) == 1
    assert no_pauses == [7.0]
    assert last()["attempts"] == 2
    assert len({asked.headers["idempotency-key"] for asked in gateway.posts}) == 1


def test_a_rate_limit_that_stays_is_an_error(gateway: Gateway, no_pauses: list[float]) -> None:
    """Three waits at most."""
    gateway.rule = lambda _: Said(complaint("slow down"), 429)
    with pytest.raises(errors.RateLimited):
        ig.generate("an otter", base_url=gateway.url)
    assert (len(gateway.posts), no_pauses) == (4, [1.0, 2.0, 4.0])


def test_an_overloaded_server_that_names_a_time_is_asked_once_more(gateway: Gateway, no_pauses: list[float]) -> None:
    """503 with Retry-After: one more attempt, then unknown."""
    gateway.rule = lambda _: Said(b"", 503, {"retry-after": "2"})
    with pytest.raises(errors.ServerFailed):
        ig.generate("an otter", base_url=gateway.url)
    assert (len(gateway.posts), no_pauses) == (2, [2.0])


@pytest.mark.usefixtures("stalls_are_long")
@pytest.mark.parametrize("stall", [Hang(), Drip()])
def test_the_deadline_is_total(gateway: Gateway, stall: Hang | Drip) -> None:
    """A server that is silent, and one that drips a byte now and then: both end at the timeout, connection closed."""
    gateway.rule = lambda _: stall
    with pytest.raises(errors.DeadlinePassed, match="within 100 s"):
        ig.generate("an otter", base_url=gateway.url, timeout=DEADLINE_S)
    assert gateway.hung_up.wait(10)
    assert last()["status"] == "unknown"


def test_a_redirect_carries_neither_key_nor_body_elsewhere(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The POST is not sent on, not even to the same host."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", "key-of-the-gateway")
    gateway.rule = lambda _: Said(b"", 307, {"location": f"{gateway.origin}/elsewhere"})
    with pytest.raises(errors.Redirected, match="/elsewhere"):
        ig.generate("an otter", base_url=gateway.url)
    assert len(gateway.asked) == 1


def test_the_key_goes_into_one_header_and_nowhere_else(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sent as a bearer token; in no file of the store."""
    monkeypatch.setenv("IMAGEGEN_BASE_URL", gateway.url)
    monkeypatch.setenv("IMAGEGEN_API_KEY", "canary-0123456789")
    ig.generate("an otter")
    assert gateway.asked[0].headers["authorization"] == "Bearer canary-0123456789"
    assert b"canary" not in gateway.asked[0].body
    assert all(b"canary" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_a_server_that_echoes_the_key_does_not_bring_it_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, no_pauses: list[float]
) -> None:
    """Not in the message, the hint, the request id, the journal, nor an answer that is kept."""
    assert no_pauses == []
    key = "canary-0123456789"
    monkeypatch.setenv("IMAGEGEN_API_KEY", key)
    gateway.rule = lambda asked: Said(
        complaint(f"no such key {key} ({asked.headers['authorization']})", code=key, param=key),
        status,
        {"x-request-id": key},
    )
    with pytest.raises(errors.CallError) as caught:
        ig.generate("an otter", base_url=gateway.url)
    shown = "".join([str(caught.value), *caught.value.lines(), *caught.value.__notes__, repr(caught.value)])
    assert key not in shown
    assert all(key.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_an_answer_that_cannot_be_read_is_kept(gateway: Gateway, tmp_path: Path) -> None:
    """It was paid for: the body is in unread/ under the call's id, and the error says where."""
    gateway.rule = lambda _: Said(b"not json at all")
    with pytest.raises(errors.AnswerUnreadable) as caught:
        ig.generate("an otter", base_url=gateway.url)
    kept = tmp_path / "imagegen" / "unread" / f"{last()['id']}.bin"
    assert kept.read_bytes() == b"not json at all"
    assert f"imagegen/unread/{last()['id']}.bin" in caught.value.hint


def test_a_url_is_fetched_without_the_key(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes behind it are kept; the key went only to the API."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", "canary-0123456789")
    sent = picture("red", name="JPEG")

    def rule(asked: Asked) -> Said:
        return Said(sent) if asked.method == "GET" else Said(b'{"data": [{"url": "/files/a.png"}]}')

    gateway.rule = rule
    assert ig.generate("an otter", base_url=gateway.url)[0].bytes == sent
    fetched = gateway.asked[-1]
    assert (fetched.method, fetched.path) == ("GET", "/files/a.png")
    assert "authorization" not in fetched.headers


def test_a_download_is_repeated_and_the_post_is_not(gateway: Gateway, no_pauses: list[float]) -> None:
    """Two failures of the download, then the picture: one POST, three GETs."""
    answers: Iterator[Answer] = iter([Said(b"", 503), Cut(), Said(picture())])
    gateway.rule = lambda asked: next(answers) if asked.method == "GET" else Said(b'{"data": [{"url": "/a.png"}]}')
    assert len(ig.generate("an otter", base_url=gateway.url)) == 1
    assert [asked.method for asked in gateway.asked] == ["POST", "GET", "GET", "GET"]
    assert len(no_pauses) == 2


def test_a_download_that_fails_keeps_the_answer(gateway: Gateway, tmp_path: Path) -> None:
    """The picture was made: its URL is in unread/, and nothing is posted again."""
    gateway.rule = lambda asked: Said(b"", 404) if asked.method == "GET" else Said(b'{"data": [{"url": "/a.png"}]}')
    with pytest.raises(errors.DownloadFailed, match="HTTP 404") as caught:
        ig.generate("an otter", base_url=gateway.url)
    assert "imagegen/unread/" in caught.value.hint
    assert list((tmp_path / "imagegen" / "unread").iterdir())
    assert len(gateway.posts) == 1


def test_one_bad_picture_leaves_its_neighbours(gateway: Gateway) -> None:
    """Of four items two are pictures: both are kept, the error says what was wrong with the first other one."""
    good = json.loads(answer(picture("red"), picture("blue")))["data"]
    items = [good[0], {"b64_json": "!!!"}, {"error": {"message": "no", "code": "moderation_blocked"}}, good[1]]
    gateway.rule = lambda _: Said(json.dumps({"data": items}).encode())
    with pytest.raises(errors.AnswerUnreadable, match="base64") as caught:
        ig.generate("an otter", base_url=gateway.url, n=4)
    assert isinstance(caught.value.result, ig.Result)
    assert [found.index for found in caught.value.result] == [0, 3]
    assert ig.history().status.tolist() == ["ok", "ok"]


def test_an_answer_of_refusals_only_is_a_refusal(gateway: Gateway) -> None:
    """The error of an item is read like the error of an answer."""
    gateway.rule = lambda _: Said(b'{"data": [{"error": {"message": "no", "code": "moderation_blocked"}}]}')
    with pytest.raises(errors.Refused):
        ig.generate("an otter", base_url=gateway.url)
    assert last()["status"] == "refused"


@pytest.mark.usefixtures("stalls_are_long")
def test_downloads_stop_at_the_deadline_of_the_call(gateway: Gateway) -> None:
    """The time of the downloads is part of the whole; the answer with their addresses is kept."""
    gateway.rule = lambda asked: Drip() if asked.method == "GET" else Said(b'{"data": [{"url": "/a"}, {"url": "/b"}]}')
    with pytest.raises(errors.DownloadFailed, match="no end within") as caught:
        ig.generate("an otter", base_url=gateway.url, timeout=DEADLINE_S)
    assert "imagegen/unread/" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/a.png", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"]
)
def test_a_url_into_a_private_network_is_not_fetched(gateway: Gateway, url: str) -> None:
    """A server may not make this machine ask inside its own network."""
    gateway.rule = lambda _: Said(f'{{"data": [{{"url": "{url}"}}]}}'.encode())
    with pytest.raises(errors.DownloadFailed):
        ig.generate("an otter", base_url=gateway.url)
    assert len(gateway.asked) == 1


def kept_unread(folder: Path) -> bytes:
    """The one answer in unread/."""
    (path,) = (folder / "imagegen" / "unread").iterdir()
    return path.read_bytes()


def test_a_compressed_answer_beyond_the_cap_stays_packed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A small answer can unpack to anything: it is kept as it came."""
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 2**20)
    bomb = gzip.compress(b" " * 2**24)
    gateway.rule = lambda _: Said(bomb, 200, {"content-encoding": "gzip"})
    with pytest.raises(errors.AnswerUnreadable):
        ig.generate("an otter", base_url=gateway.url)
    assert kept_unread(tmp_path) == bomb


def test_an_answer_beyond_the_cap_is_given_up(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes over the wire is counted too."""
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 2**20)
    gateway.rule = lambda _: Said(b" " * 2**21)
    with pytest.raises(errors.ConnectionCut, match="more than 1 MiB"):
        ig.generate("an otter", base_url=gateway.url)


@pytest.mark.parametrize(
    "said",
    [
        Said(gzip.compress(answer(picture())), 200, {"content-encoding": "gzip"}),
        Said(gzip.compress(answer(picture()))[:-8] + b"\0" * 8, 200, {"content-encoding": "gzip"}),
        Said(answer(picture()), 200, {"content-encoding": "gzip"}),
        Said(answer(picture()), 200, {"content-length": str(len(answer(picture())) + 10)}),
        Said(b"\xef\xbb\xbf\n\n" + answer(picture()) + b"\0"),
        Said(answer(picture(), cost=float("nan"))),
    ],
    ids=["gzip", "wrong checksum", "no gzip at all", "cut short of its length", "odd bytes round it", "NaN"],
)
def test_an_answer_whose_wrapping_is_wrong_is_read_all_the_same(gateway: Gateway, said: Said) -> None:
    """The whole JSON came: the picture that was paid for is kept."""
    gateway.rule = lambda _: said
    assert ig.generate("an otter", base_url=gateway.url)[0].bytes == picture()
    assert (len(gateway.posts), last()["status"]) == (1, "ok")


def test_what_came_of_an_answer_that_was_cut_is_kept(gateway: Gateway, tmp_path: Path) -> None:
    """Half a picture was paid for as well: it is in unread/, and the error is what cut it."""
    half = answer(picture())[:-60]
    gateway.rule = lambda _: Said(half, 200, {"content-length": "100000"})
    with pytest.raises(errors.ConnectionCut) as caught:
        ig.generate("an otter", base_url=gateway.url)
    assert kept_unread(tmp_path) == half
    assert "imagegen/unread/" in caught.value.hint
    assert last()["status"] == "unknown"


def test_a_picture_that_cannot_be_written_leaves_its_answer(gateway: Gateway, tmp_path: Path) -> None:
    """The folder of pictures became a file: the answer is kept, and the error says that it was probably charged."""
    folder = tmp_path / "imagegen" / "images"

    def rule(_: Asked) -> Said:
        folder.rmdir()
        folder.write_text("a file")
        return Said(answer(picture()))

    gateway.rule = rule
    with pytest.raises(errors.NotKept, match="images") as caught:
        ig.generate("an otter", base_url=gateway.url)
    assert kept_unread(tmp_path) == answer(picture())
    assert "charged" in caught.value.hint
    assert last()["status"] == "unknown"


def test_a_download_that_is_cancelled_leaves_the_address(gateway: Gateway, tmp_path: Path) -> None:
    """The picture was made: its URL is in unread/, and the record says where."""
    gateway.rule = lambda asked: Hang() if asked.method == "GET" else Said(b'{"data": [{"url": "/a.png"}]}')

    async def main() -> None:
        task = asyncio.create_task(ig.agenerate("an otter", base_url=gateway.url))
        for _ in range(2):
            await asyncio.to_thread(gateway.wait_for_request)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert b"/a.png" in kept_unread(tmp_path)
    assert (last()["status"], "imagegen/unread/" in last()["error"]) == ("cancelled", True)


def test_a_redirect_of_a_download_is_followed(gateway: Gateway) -> None:
    """Storage behind a gateway often points on to itself."""

    def rule(asked: Asked) -> Said:
        match asked.path:
            case "/a.png":
                return Said(b"", 302, {"location": "/b.png"})
            case "/b.png":
                return Said(picture())
        return Said(b'{"data": [{"url": "/a.png"}]}')

    gateway.rule = rule
    assert ig.generate("an otter", base_url=gateway.url)[0].bytes == picture()


@pytest.mark.parametrize("key", ["1", "x", "none", "EMPTY"])
def test_a_key_that_is_a_word_does_not_cut_the_journal(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Servers at home are given such keys; the record stays whole."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", key)
    gateway.rule = lambda _: Said(answer(picture(), usage={"total_tokens": 121, "x": "none"}))
    ig.generate("an otter", base_url=gateway.url)
    assert (last()["status"], last()["usage"]) == ("ok", {"total_tokens": 121, "x": "none"})


def test_a_key_across_the_end_of_a_long_message_is_not_shown_in_part(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key is taken out before the message is shortened."""
    key = "zl7Qx9canary0123456789abcdefghLsA"
    monkeypatch.setenv("IMAGEGEN_API_KEY", key)
    for before in range(270, 300, 3):
        gateway.rule = lambda _, before=before: Said(complaint("y" * before + key), 400)  # type: ignore[misc]
        with pytest.raises(errors.Rejected) as caught:
            ig.generate("an otter", base_url=gateway.url)
        assert "zl7Qx9" not in str(caught.value)
    assert all(b"zl7Qx9" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_the_key_in_a_prompt_or_a_note_is_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key in use has no shape by which it is known, and is compared."""
    monkeypatch.setenv("IMAGEGEN_API_KEY", "0123456789abcdef")
    with pytest.raises(errors.KeyInCell):
        ig.generate("an otter", base_url=gateway.url, note="0123456789abcdef")
    with pytest.raises(errors.KeyInCell):
        ig.generate("an otter", base_url=gateway.url, user="x 0123456789abcdef")
    with pytest.raises(errors.KeyInCell):
        ig.generate("draw 0123456789abcdef", base_url=gateway.url)
    assert gateway.asked == []


def test_a_rate_limit_beyond_the_deadline_is_a_rate_limit(gateway: Gateway) -> None:
    """Nothing was made: it does not say that it may have been charged."""
    gateway.rule = lambda _: Said(complaint("slow down"), 429, {"retry-after": "30"})
    with pytest.raises(errors.RateLimited):
        ig.generate("an otter", base_url=gateway.url, timeout=1)
    assert (last()["status"], len(gateway.posts)) == ("failed", 1)


def test_an_overloaded_server_that_then_vanishes_leaves_it_unknown(no_pauses: list[float]) -> None:
    """503 may have been work: a refused connection after it does not make it free."""
    server = Gateway()
    server.rule = lambda _: Said(b"", 503, {"retry-after": "1"})
    url = server.url
    server.close_after_next()
    with pytest.raises(errors.OutcomeUnknown):
        ig.generate("an otter", base_url=url)
    assert last()["status"] == "unknown"
    assert no_pauses[0] == 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTPS_PROXY", "ftp://x"), ("SSL_CERT_FILE", "/nowhere")],
)
def test_a_proxy_that_cannot_be_is_a_sentence(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """And the embedded endpoint needs no network at all."""
    from jupyter_imagegen import bridge

    monkeypatch.setenv(name, value)
    monkeypatch.setattr(bridge, "_loops", [])
    assert len(ig.generate("an otter", provider="sketch", size="64x64")) == 1
    with pytest.raises(errors.SettingsError, match="proxy or certificates"):
        ig.generate("an otter", base_url=gateway.url)
    assert gateway.asked == []


def test_a_store_that_is_renamed_during_a_call_loses_no_record(gateway: Gateway, tmp_path: Path) -> None:
    """The new segment has the call as well as its end."""

    def rule(_: Asked) -> Said:
        (tmp_path / "imagegen").rename(tmp_path / "elsewhere")
        return Said(answer(picture()))

    gateway.rule = rule
    ig.generate("an otter", base_url=gateway.url)
    assert (last()["prompt"], last()["status"]) == ("an otter", "ok")


def test_a_cookie_of_a_gateway_is_not_sent_back(gateway: Gateway) -> None:
    """Two calls have nothing in common but the person who made them."""
    gateway.rule = lambda _: Said(answer(picture()), 200, {"set-cookie": "who=me; Path=/"})
    for _ in range(2):
        ig.generate("an otter", base_url=gateway.url)
    assert "cookie" not in gateway.asked[1].headers


@pytest.mark.parametrize(
    "url", ["http://a..b/x.png", f"http://{'a' * 64}.invalid/x", "http://127.0.0.1:99999/x.png", "http://[::1/x"]
)
def test_a_url_that_cannot_be_is_a_failed_download(gateway: Gateway, tmp_path: Path, url: str) -> None:
    """Nothing but our own errors comes out, and the answer is kept."""
    gateway.rule = lambda _: Said(json.dumps({"data": [{"url": url}]}).encode())
    with pytest.raises((errors.DownloadFailed, errors.AnswerUnreadable)):
        ig.generate("an otter", base_url=gateway.url)
    assert json.loads(kept_unread(tmp_path))["data"][0]["url"] == url


def test_bytes_are_kept_exactly_as_they_came(gateway: Gateway) -> None:
    """Also those after the end of the picture, and a C2PA chunk that Pillow would drop."""
    odd = picture() + b"trailing bytes"
    gateway.rule = lambda _: Said(answer(odd))
    result = ig.generate("an otter", base_url=gateway.url)
    assert result[0].bytes == odd
    assert last()["bytes"] == len(odd)


def test_the_same_picture_of_two_prompts_is_two_files(gateway: Gateway, tmp_path: Path) -> None:
    """A file's name begins with its own prompt; the same prompt and bytes are one file."""
    for prompt in ("an otter", "an otter", "a heron"):
        ig.generate(prompt, base_url=gateway.url)
    names = sorted(path.name for path in (tmp_path / "imagegen" / "images").iterdir())
    assert [name.rsplit("-", 1)[0] for name in names] == ["a-heron", "an-otter"]


def test_calls_that_had_not_begun_are_not_begun_after_a_failure(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one call at a time, the first refusal spares the other two."""
    from jupyter_imagegen import session

    monkeypatch.setattr(session, "AT_ONCE", 1)
    gateway.rule = lambda _: Said(complaint("no", code="moderation_blocked"), 400)
    with pytest.raises(errors.Refused):
        ig.generate("an otter", base_url=gateway.url, model="dall-e-3", n=3)
    assert len(gateway.posts) == 1


def test_pictures_beside_a_failed_call_are_in_the_error(gateway: Gateway) -> None:
    """Two of three calls succeed: their pictures are kept, and the error carries them."""
    together = threading.Barrier(3, timeout=20)

    def rule(asked: Asked) -> Said:
        together.wait()
        return Said(b"", 500) if asked.json["seed"] == 2 else Said(answer(picture()))

    gateway.rule = rule
    with pytest.raises(errors.ServerFailed) as caught:
        ig.generate("an otter", base_url=gateway.url, model="dall-e-3", n=3, seed=1, force=True)
    result = caught.value.result
    assert isinstance(result, ig.Result)
    assert [picture.index for picture in result] == [0, 2]
    assert sorted(ig.history().status) == ["ok", "ok", "unknown"]


def test_a_hundred_calls_at_once_come_back_each_with_its_own(gateway: Gateway) -> None:
    """Concurrency does not mix answers."""
    gateway.rule = lambda asked: Said(answer(picture(size=(int(asked.json["prompt"]), 8))))

    async def main() -> list[int | None]:
        calls: list[Awaitable[ig.Result]] = [ig.agenerate(str(n), base_url=gateway.url) for n in range(1, 101)]
        return [result[0].width for result in await asyncio.gather(*calls)]

    assert asyncio.run(main()) == list(range(1, 101))


def test_cancelling_a_coroutine_closes_its_connection(gateway: Gateway) -> None:
    """Asyncio's own cancellation is an interrupt like any other."""
    gateway.rule = lambda _: Hang()

    async def main() -> None:
        task = asyncio.create_task(ig.agenerate("an otter", base_url=gateway.url))
        await asyncio.to_thread(gateway.wait_for_request)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert gateway.hung_up.wait(10)
    assert last()["status"] == "cancelled"


_LATE: Final = """
import sys, threading, time
import jupyter_imagegen as ig

def call():
    threading.main_thread().join()
    for prompt in ("an otter", "an owl"):
        print(ig.generate(prompt, base_url=sys.argv[1], model="any", quiet=True).record.status)

threading.Thread(target=call).start()
"""


def test_a_call_of_a_thread_that_outlives_the_main_one_is_kept(gateway: Gateway, tmp_path: Path) -> None:
    """The program goes on until it is over, and so does everything that the call needs."""
    command = [sys.executable, "-c", _LATE, gateway.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.split(), done.stderr) == (["ok", "ok"], "")
    assert len(list((tmp_path / "imagegen" / "images").iterdir())) == 2


@pytest.mark.parametrize("show", [repr, str, lambda secret: f"{secret}", lambda secret: f"{secret:>40}"])
def test_a_secret_shows_nothing(show: Callable[[Secret], str]) -> None:
    """Whatever prints it."""
    assert "canary" not in show(Secret("canary", "X_API_KEY"))


def test_a_refusal_does_not_hide_a_picture_that_could_not_be_fetched(gateway: Gateway, tmp_path: Path) -> None:
    """It was probably charged: its address is kept, and its error goes before the refusal."""
    blocked = {"error": {"message": "no", "code": "moderation_blocked"}}
    body = json.dumps({"data": [blocked, {"url": "/gone.png"}]}).encode()
    gateway.rule = lambda asked: Said(body) if asked.method == "POST" else Said(b"", 404)

    with pytest.raises(errors.DownloadFailed):
        ig.generate("an otter", base_url=gateway.url, n=2)

    assert b"/gone.png" in kept_unread(tmp_path)
    assert ig.spent().may_have_been_charged == 1


def test_pictures_that_were_made_are_paid_for_although_one_was_not_fetched(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The price is that of what the server made, not of what arrived here."""
    monkeypatch.setenv("OPENAI_BASE_URL", gateway.url)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-mine")
    body = json.dumps({"data": [{"url": "/there.png"}, {"url": "/gone.png"}]}).encode()
    files = {"/there.png": Said(picture())}
    gateway.rule = lambda asked: Said(body) if asked.method == "POST" else files.get(asked.path, Said(b"", 404))

    with pytest.raises(errors.DownloadFailed):
        ig.generate("an otter", provider="openai", model="gpt-image-1", size="1024x1024", quality="low", n=2)

    assert ig.history()["cost_usd"].sum() == pytest.approx(0.022)


@pytest.mark.parametrize("after", ["3", "3.1"])
def test_a_rate_limit_that_ends_with_the_deadline_is_a_rate_limit(gateway: Gateway, after: str) -> None:
    """A wait is drawn out by chance, and must not end in another error by chance."""
    gateway.rule = lambda _: Said(complaint("slow down"), 429, {"retry-after": after})

    with pytest.raises(errors.RateLimited):
        ig.generate("an otter", base_url=gateway.url, timeout=3.2)


def test_a_refusal_that_was_cut_is_still_a_refusal(gateway: Gateway) -> None:
    """The server had said no: nothing may have been charged, whatever became of the connection."""
    said = complaint("no such size", code="invalid_value", param="size")
    gateway.rule = lambda _: Said(said, 400, {"content-length": str(len(said) + 100)})

    with pytest.raises(errors.SizeRejected, match="no such size"):
        ig.generate("an otter", base_url=gateway.url)


def test_no_more_is_read_of_a_refusal_than_it_can_say(gateway: Gateway) -> None:
    """Megabytes of it would hold up every other call."""
    gateway.rule = lambda _: Said(b'{"error":{"message":"no"}}' + b" " * 2**25, 400)

    with pytest.raises(errors.Rejected, match="no"):
        ig.generate("an otter", base_url=gateway.url)
    assert gateway.hung_up.wait(30)


def test_nothing_is_asked_for_that_cannot_be_unpacked(gateway: Gateway) -> None:
    """Bodies are read raw: brotli and zstd would be no picture."""
    gateway.rule = lambda asked: Said(b'{"data":[{"url":"/a.png"}]}' if asked.method == "POST" else picture())

    ig.generate("an otter", base_url=gateway.url, quiet=True)

    assert [asked.headers["accept-encoding"] for asked in gateway.asked] == ["identity", "gzip, deflate"]


def test_a_web_page_is_a_web_page_whatever_stands_in_it(gateway: Gateway) -> None:
    """Its addresses are no pictures; its title says whose page it is."""
    page = b'<html><head><title>Welcome to New API</title><script>{"url":"https://example.org/"}</script></head></html>'
    gateway.rule = lambda _: Said(page)

    with pytest.raises(errors.AnswerUnreadable, match='"Welcome to New API"') as caught:
        ig.generate("an otter", base_url=gateway.url)

    assert "base URL" in caught.value.hint
    assert [asked.method for asked in gateway.asked] == ["POST"]
