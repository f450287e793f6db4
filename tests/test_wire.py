"""One request over one connection, against servers that say their bytes as they are, with TLS and without."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.gateway import Gateway

import jupyter_imagegen as ig
from jupyter_imagegen import bridge, errors
from jupyter_imagegen.wire import Asked, Limits, Peer, Wire, connected, why

Serve = Callable[[Callable[[socket.socket], None]], Peer]

PATIENT = Limits(connect=30, write=30, read=30)
POST = Asked(method="POST", target=b"/", headers=[(b"Host", b"x"), (b"Content-Length", b"2")], content=b"{}")
SIZE = 64 * 2**20
"""More than any system keeps for a reader that does not come."""
LARGE = replace(POST, headers=[(b"Host", b"x"), (b"Content-Length", b"%d" % SIZE)], content=bytes(SIZE))
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that does this with the one connection that comes."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(act: Callable[[socket.socket], None]) -> Peer:
        def run() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(30)
                act(connection)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return Peer(host="127.0.0.1", port=listening.getsockname()[1], tls=None, name="127.0.0.1")

    yield start
    for thread in threads:
        thread.join(30)
    listening.close()


def after_the_request(*parts: bytes) -> Callable[[socket.socket], None]:
    """Read what was sent, say this, and close."""

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)

    return act


async def body(peer: Peer, asked: Asked = POST, limits: Limits = PATIENT) -> tuple[int, bytes]:
    """The status and the body of one answer, read to its end."""
    wire = await connected(peer, limits)
    try:
        answer = await wire.ask(asked)
        return answer.status, b"".join([part async for part in answer.parts()])
    finally:
        wire.close()


@pytest.mark.parametrize(
    "said",
    [
        (WHOLE,),
        tuple(bytes([byte]) for byte in WHOLE),
        (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", WHOLE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"),
        (b"HTTP/1.0 200 OK\r\n\r\no", b"k"),
    ],
    ids=["whole", "byte by byte", "after heads that say nothing", "in chunks", "until the end"],
)
def test_an_answer_is_read_however_it_is_framed(serve: Serve, said: tuple[bytes, ...]) -> None:
    """Its length is said, or that of each chunk, or its end is that of the connection."""
    assert asyncio.run(body(serve(after_the_request(*said)))) == (200, b"ok")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "Server disconnected without sending a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "without sending complete message body"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "too long"),
    ],
)
def test_what_is_no_answer_is_an_error_of_the_connection(serve: Serve, said: bytes, words: str) -> None:
    """One that ends too early, and what is no HTTP."""
    with pytest.raises(OSError, match=words):
        asyncio.run(body(serve(after_the_request(said))))


def test_an_answer_before_the_request_is_all_sent_counts(serve: Serve) -> None:
    """A server that refuses a large body does not read it first."""
    refused = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    read = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(refused)
        read.wait(30)

    assert asyncio.run(body(serve(act), LARGE)) == (413, b"no")
    read.set()


def test_what_came_before_a_connection_broke_is_read_first(serve: Serve) -> None:
    """Both are there before anyone reads: the bytes first, then the error."""

    async def ask(peer: Peer) -> bytes:
        wire = await connected(peer, PATIENT)
        wire.data_received(b"paid for")
        wire.connection_lost(ConnectionResetError("reset"))
        came = await wire.read()
        with pytest.raises(ConnectionResetError, match="reset"):
            await wire.read()
        wire.close()
        return came

    assert asyncio.run(ask(serve(lambda _: None))) == b"paid for"


def test_no_more_is_taken_from_the_system_than_is_read(serve: Serve) -> None:
    """A server faster than its reader has to wait: memory stays flat whatever it sends."""
    sent = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        connection.sendall(bytes(SIZE))
        sent.set()

    async def ask(peer: Peer) -> int:
        wire = await connected(peer, PATIENT)
        answer = await wire.ask(POST)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not sent.is_set()
        count = sum([len(part) async for part in answer.parts()])
        wire.close()
        return count

    assert asyncio.run(ask(serve(act))) == SIZE
    assert sent.wait(30)


@pytest.mark.parametrize(
    ("asked", "limits"), [(POST, replace(PATIENT, read=0.01)), (LARGE, replace(PATIENT, write=0.01))]
)
def test_a_server_that_stands_still_is_given_up(serve: Serve, asked: Asked, limits: Limits) -> None:
    """After so many seconds in which it says nothing, or reads nothing."""
    over = threading.Event()

    def act(_: socket.socket) -> None:
        over.wait(30)

    with pytest.raises(TimeoutError, match=r"nothing came or went for 0\.01 s"):
        asyncio.run(body(serve(act), asked, limits))
    over.set()


def test_closing_is_heard_at_once(serve: Serve) -> None:
    """The server sees the end of a connection whose answer was not waited for."""
    gone = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        if connection.recv(1) == b"":
            gone.set()

    async def leave(peer: Peer) -> None:
        wire = await connected(peer, PATIENT)
        asking = asyncio.create_task(wire.ask(POST))
        await asyncio.sleep(0)
        asking.cancel()
        wire.close()
        await asyncio.sleep(0)

    asyncio.run(leave(serve(act)))
    assert gone.wait(30)


@pytest.mark.parametrize("headers", [[(b"Host", b"x"), (b"X", b"a\r\nb")], []])
def test_what_is_no_request_is_not_sent(headers: list[tuple[bytes, bytes]]) -> None:
    """A header with a line break in it would be two."""
    wire = Wire(PATIENT)
    with pytest.raises(ValueError, match=r"Illegal header|Host"):
        asyncio.run(wire.ask(replace(POST, headers=headers)))


def test_a_refused_connection_is_said_in_words() -> None:
    """Without a number, and without the address, which stands before it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        peer = Peer(host="127.0.0.1", port=free.getsockname()[1], tls=None, name="x")
    with pytest.raises(ConnectionRefusedError) as caught:
        asyncio.run(connected(peer, PATIENT))
    assert "refused" in why(caught.value)
    assert "127.0.0.1" not in why(caught.value)


@pytest.mark.usefixtures("only_loopback")
def test_a_name_with_several_addresses_is_tried_at_each(serve: Serve) -> None:
    """`localhost` may be ::1 first, where nobody listens."""
    assert asyncio.run(body(replace(serve(after_the_request(WHOLE)), host="localhost"))) == (200, b"ok")


# --- TLS, through the public door


@dataclass(frozen=True)
class Certified:
    """A certificate of its own authority, for localhost, and its key."""

    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Made by openssl, where there is one."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certified")
    made = Certified(folder / "certificate.pem", folder / "key.pem")
    named = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    kind = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    files = ("-keyout", str(made.key), "-out", str(made.certificate))
    subprocess.run(["openssl", *kind, *named, *files], check=True, capture_output=True)
    return made


@pytest.fixture
def secure(gateway: Gateway, certified: Certified) -> Gateway:
    """A gateway behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.certificate, certified.key)
    server = gateway._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return gateway


@pytest.fixture
def own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop whose connections are made with the environment of this test."""
    monkeypatch.setattr(bridge, "_loops", [])


@pytest.mark.usefixtures("own_connections")
def test_a_picture_comes_over_tls(secure: Gateway, certified: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a server whose certificate is good by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    port = secure.origin.rpartition(":")[2]
    assert len(ig.generate("an otter", base_url=f"https://localhost:{port}/v1")) == 1


@pytest.mark.usefixtures("own_connections")
@pytest.mark.parametrize(("host", "is_trusted"), [("127.0.0.1", True), ("localhost", False)])
def test_nothing_is_sent_where_the_certificate_is_not_good(
    secure: Gateway, certified: Certified, monkeypatch: pytest.MonkeyPatch, host: str, *, is_trusted: bool
) -> None:
    """One for another name, and one that nobody vouches for: the key stays here, and nothing was charged."""
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    monkeypatch.setattr("jupyter_imagegen.client._pause", at_once)
    port = secure.origin.rpartition(":")[2]
    with pytest.raises(errors.NotSent, match="certificate verify failed"):
        ig.generate("an otter", base_url=f"https://{host}:{port}/v1")
    assert secure.asked == []


async def at_once(_: object) -> None:
    """Do not wait between attempts."""


@pytest.mark.usefixtures("own_connections")
def test_a_proxy_of_the_environment_is_used(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the whole address of a host that this machine does not know."""
    monkeypatch.setenv("HTTP_PROXY", gateway.origin)
    assert len(ig.generate("an otter", base_url="http://nowhere.invalid/v1")) == 1
    assert [asked.path for asked in gateway.posts] == ["http://nowhere.invalid/v1/images/generations"]
