"""generate: one ask -> its calls, their pictures, their records. The one orchestrator; it runs on the HTTP loop.

The order of writes is the promise: a `call` line before the POST, each picture's file before its line, `done` last.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from . import __version__
from .answer import Delivered, read
from .blobs import keep_image, keep_unread
from .client import Attempts, Client, Order
from .endpoint import Endpoint
from .errors import AnswerUnreadable, CallError, DownloadFailed, ImageGenError, NoPicture
from .image import Image, sniff
from .journal import FORMAT, NOTHING, Called, Ended, Kept, Opened, Segment, new_id, now
from .keys import Secret, scrub, scrub_bytes
from .options import Options
from .place import Place
from .process import this_process
from .records import Record
from .rejection import explain
from .reply import Reply
from .request import ImageRequest

AT_ONCE: Final = 16
"""Calls of one ask that are under way together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Everything that is decided before anything is sent."""

    options: Options
    endpoint: Endpoint
    key: Secret | None
    requests: tuple[ImageRequest, ...]
    timeout_s: float
    store: Path
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The calls that were made, in the order of their pictures, and the first error among them."""

    records: tuple[Record, ...] = ()
    error: ImageGenError | None = None
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One finished call."""

    record: Record
    error: ImageGenError | None


class Session:
    """The journal segment of one store, and the calls that are written to it."""

    def __init__(self, store: Path, client: Client) -> None:
        self._store = store
        self._client = client
        self._segment = Segment(store, _opened())

    async def generate(self, ask: Ask) -> Outcome:
        """Make the calls of one ask, at most AT_ONCE together.

        Nothing is raised: errors are in the outcome, beside the pictures that arrived. When this is cancelled, every
        connection is closed and every record is written before it returns. After a first failure, calls that have
        not begun are not begun.
        """
        gate = asyncio.Semaphore(AT_ONCE)
        failed = asyncio.Event()
        tasks = [asyncio.create_task(self._gated(ask, request, gate, failed)) for request in ask.requests]
        is_cancelled = await _all_ended(tasks)
        ended = [task for task in tasks if not task.cancelled()]
        calls = [call for task in ended if task.exception() is None and (call := task.result()) is not None]
        errors = [call.error for call in calls if call.error is not None]
        errors += [error for task in ended if isinstance(error := task.exception(), ImageGenError)]
        for task in ended:
            _raise_defect(task.exception())
        return Outcome(
            records=tuple(call.record for call in calls),
            error=errors[0] if errors else None,
            is_cancelled=is_cancelled,
        )

    async def _gated(
        self, ask: Ask, request: ImageRequest, gate: asyncio.Semaphore, failed: asyncio.Event
    ) -> _Call | None:
        async with gate:
            if failed.is_set():
                return None
            try:
                call = await self._call(ask, request)
            except BaseException:
                failed.set()
                raise
            if call.error is not None or call.record.status != "ok":
                failed.set()
            return call

    async def _call(self, ask: Ask, request: ImageRequest) -> _Call:
        called = _called(ask, request)
        self._segment.append(called)
        work = _Work(called, request, ask)
        error = await self._deliver(work)
        ended = _ended(work, error)
        self._segment.append(ended)
        record = Record(call=called, images=tuple(work.kept), end=ended, version=__version__, is_running=False)
        return _Call(record=record, error=None if work.is_cancelled else error)

    async def _deliver(self, work: _Work) -> ImageGenError | None:
        """Post, and keep every picture that comes; the error that came between, if one did."""
        try:
            await self._post_and_keep(work)
        except asyncio.CancelledError:
            work.is_cancelled = True
            await _one_turn()
        except ImageGenError as error:
            return _without_key(error, work.order.key)
        return None

    async def _post_and_keep(self, work: _Work) -> None:
        work.reply = reply = await self._client.post(work.order, work.attempts)
        if not 200 <= reply.status < 300:
            raise explain(reply)
        try:
            answer = read(reply)
            work.usage = answer.usage
            for place, delivered in enumerate(answer.pictures, work.request.first_index):
                self._keep(work, place, delivered, await self._image(work, delivered))
        except (AnswerUnreadable, DownloadFailed, NoPicture) as error:
            raise self._with_the_answer_kept(work, reply, error) from None

    async def _image(self, work: _Work, delivered: Delivered) -> Image:
        """The picture that was delivered. Raises DownloadFailed, and AnswerUnreadable for bytes that are none."""
        data = delivered.data
        if data is None:
            data = await self._client.download(delivered.url, work.order)
        image = sniff(data)
        if image is None:
            message = f"The answer's picture is in no format that is known here ({len(data)} bytes)."
            raise AnswerUnreadable(message)
        return image

    def _keep(self, work: _Work, place: int, delivered: Delivered, image: Image) -> None:
        revised = delivered.revised_prompt
        kept = Kept(
            id=work.called.id,
            index=place,
            path=keep_image(self._store, image, work.called.prompt),
            sha256=image.sha256,
            bytes=len(image.data),
            format=image.format,
            width=image.width,
            height=image.height,
            revised_prompt=None if revised is None else scrub(revised, work.order.key),
        )
        self._segment.append(kept)
        work.kept.append(kept)

    def _with_the_answer_kept(self, work: _Work, reply: Reply, error: CallError) -> CallError:
        path = keep_unread(self._store, work.called.id, scrub_bytes(reply.body, work.order.key))
        hint = f"{error.hint} The answer is kept in {_near(path)}.".strip()
        return type(error)(error.message, hint, code=error.code, request_id=error.request_id or reply.request_id)


class _Work:
    """One call while it is under way: the only thing here that changes."""

    __slots__ = ("attempts", "began", "called", "is_cancelled", "kept", "order", "reply", "request", "usage")

    def __init__(self, called: Called, request: ImageRequest, ask: Ask) -> None:
        self.called = called
        self.request = request
        self.order = Order(
            request=request, endpoint=ask.endpoint, key=ask.key, call_id=called.id, timeout_s=ask.timeout_s
        )
        self.began = time.monotonic()
        self.attempts = Attempts()
        self.kept: list[Kept] = []
        self.reply: Reply | None = None
        self.usage: str | None = None
        self.is_cancelled = False


def _opened() -> Opened:
    process = this_process()
    return Opened(
        journal=FORMAT,
        at=now(),
        version=__version__,
        python=platform.python_version(),
        host=process.host,
        pid=process.pid,
        process_started=process.started,
    )


def _called(ask: Ask, request: ImageRequest) -> Called:
    options = ask.options
    return Called(
        id=new_id(),
        at=now(),
        n=request.n,
        params=msgspec.Raw(msgspec.json.encode(request.params)),
        provider=ask.endpoint.provider.name,
        base_url=ask.endpoint.base_url,
        request_hash=request.fingerprint,
        prompt=options.prompt,
        model=ask.endpoint.model.name or None,
        template=options.template,
        variables=msgspec.Raw(msgspec.json.encode(dict(options.variables))) if options.variables else NOTHING,
        notebook=ask.place.notebook,
        cell_id=ask.place.cell_id,
        execution_count=ask.place.execution_count,
        tags=options.tags,
        note=options.note,
    )


def _ended(work: _Work, error: ImageGenError | None) -> Ended:
    if work.is_cancelled and not work.kept:
        status, said = "cancelled", _cancelled_when(work.attempts)
    else:
        status = "ok" if work.kept or error is None else error.status
        said = error.message if error is not None else ""
    key = work.order.key
    return Ended(
        id=work.called.id,
        at=now(),
        status=status,
        latency_s=round(time.monotonic() - work.began, 3),
        attempts=work.attempts.made,
        error_code=error.code if isinstance(error, CallError) else None,
        error=said or None,
        request_id=scrub(work.reply.request_id, key) or None if work.reply is not None else None,
        usage=msgspec.Raw(scrub(work.usage, key).encode()) if work.usage else NOTHING,
    )


def _cancelled_when(attempts: Attempts) -> str:
    if attempts.left:
        return "Cancelled after the request had left. It may have been charged."
    return "Cancelled before anything was sent."


def _without_key(error: ImageGenError, key: Secret | None) -> ImageGenError:
    if not isinstance(error, CallError):
        return error
    clean: Callable[[str], str] = lambda text: scrub(text, key)  # noqa: E731
    return type(error)(
        clean(error.message), clean(error.hint), code=clean(error.code), request_id=clean(error.request_id)
    )


async def _all_ended(tasks: list[asyncio.Task[_Call | None]]) -> bool:
    """Wait for all of them; when this is cancelled, cancel them and wait all the same. Whether it was."""
    is_cancelled = False
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            is_cancelled = True
            for task in tasks:
                task.cancel()
    return is_cancelled


async def _one_turn() -> None:
    """One turn of the loop, so that the transport has closed the connection before the record says so."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


def _raise_defect(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, ImageGenError):
        raise error


def _near(path: Path) -> str:
    """The path from here, where it is below the current folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
