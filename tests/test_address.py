"""From where a picture may be fetched: never from inside a network that is not the API's own."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from support.gateway import Gateway, Said
from support.pictures import picture

import jupyter_imagegen as ig
from jupyter_imagegen import address, errors
from jupyter_imagegen.address import BY_NAME, looked_up
from jupyter_imagegen.catalogue import Model, Provider, load
from jupyter_imagegen.endpoint import Endpoint


def endpoint(base_url: str) -> Endpoint:
    """An endpoint at this address."""
    return Endpoint(provider=Provider(name="custom", base_url=base_url), base_url=base_url, model=Model(name="m"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A directory of names: host, and the answers that it gives one after the other."""
    book: dict[str, list[str]] = {}

    async def look(host: str, _: int | None) -> tuple[str, ...]:
        if host not in book:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        found = book[host]
        return tuple((found.pop(0) if len(found) > 1 else found[0]).split())

    monkeypatch.setattr(address, "_addresses", look)
    return book


def look(url: str, base_url: str = "https://api.example/v1") -> tuple[str, ...]:
    """The addresses that a URL may be fetched from."""
    return asyncio.run(looked_up(url, endpoint(base_url)))


INSIDE = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1"]
INSIDE += ["fe80::1", "fd00::1", "::ffff:10.0.0.1", "8.8.8.8 10.0.0.1"]


@pytest.mark.parametrize("found", INSIDE)
def test_a_name_that_leads_inside_is_refused(names: dict[str, list[str]], found: str) -> None:
    """Also where only one of its addresses does."""
    names |= {"cdn.example": [found], "api.example": ["8.8.4.4"]}

    with pytest.raises(errors.DownloadFailed, match="private network"):
        look("https://cdn.example/a.png")


def test_a_name_that_leads_outside_is_fetched_from_the_address_that_was_looked_at(
    names: dict[str, list[str]],
) -> None:
    """What the name says a moment later does not count."""
    names |= {"cdn.example": ["8.8.8.8 8.8.4.4"], "api.example": ["1.1.1.1"]}

    assert look("https://cdn.example/a.png") == ("8.8.8.8", "8.8.4.4")


def test_the_apis_own_host_may_be_inside(names: dict[str, list[str]]) -> None:
    """A server of one's own answers with its own addresses, under whatever name."""
    names |= {"box.lan": ["10.0.0.1"], "api.lan": ["10.0.0.1"], "other.lan": ["10.0.0.2"]}

    assert look("http://api.lan/a.png", "http://api.lan/v1") == BY_NAME
    assert look("http://box.lan/a.png", "http://api.lan/v1") == ("10.0.0.1",)
    with pytest.raises(errors.DownloadFailed):
        look("http://other.lan/a.png", "http://api.lan/v1")


@pytest.mark.parametrize("url", ["ftp://h/a.png", "file:///etc/passwd", "gopher://h", "https:///a.png", "javascript:1"])
def test_only_http_is_fetched(url: str) -> None:
    """Whatever else a server names is not followed."""
    with pytest.raises(errors.DownloadFailed, match="not an http"):
        look(url)


def test_the_embedded_endpoints_addresses_are_its_own() -> None:
    """Its host cannot exist, and nothing is looked up."""
    sketch = load().provider("sketch")
    own = Endpoint(provider=sketch, base_url=sketch.base_url, model=Model(name="sketch"))

    assert asyncio.run(looked_up("http://sketch.invalid/v1/files/a.png", own)) == BY_NAME


def test_a_name_that_changes_its_mind_does_not_lead_inside(
    gateway: Gateway, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is a public address, the next is this machine. The connection is to the first."""
    port = gateway.origin.rpartition(":")[2]
    names |= {"rebind.example": ["203.0.113.1", "127.0.0.1"], "127.0.0.1": ["10.9.9.9"]}
    wanted: list[Any] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, where: Any) -> None:
        wanted.append(where[0])
        if where[0] == "203.0.113.1":
            raise ConnectionRefusedError
        connect(self, where)

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr("jupyter_imagegen.client._pause", _at_once)
    monkeypatch.setattr("ipaddress.IPv4Address.is_global", property(lambda self: str(self) == "203.0.113.1"))
    url = f"http://rebind.example:{port}/secret.png"
    gateway.rule = lambda asked: Said(
        f'{{"data": [{{"url": "{url}"}}]}}'.encode() if asked.method == "POST" else picture()
    )

    with pytest.raises(errors.DownloadFailed):
        ig.generate("a cat", base_url=gateway.url, model="m")

    assert [asked.method for asked in gateway.asked] == ["POST"]
    assert "203.0.113.1" in wanted


async def _at_once(_: object) -> None:
    """Do not wait."""


@pytest.mark.parametrize("host", ["[fd00::1]", "10.0.0.1", "0x7f000001", "2130706433", "0x7f.0.0.1"])
def test_an_address_is_never_left_to_a_proxy(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A proxy looks up names; what is no name is looked at here, in whatever spelling."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    names |= {host.strip("[]"): ["10.0.0.1"], "api.example": ["8.8.8.8"]}

    with pytest.raises(errors.DownloadFailed, match="private network"):
        look(f"http://{host}/a.png", "http://api.example/v1")


def test_a_name_is_left_to_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be one that this machine does not even know."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    assert look("http://cdn.example/a.png") == BY_NAME
