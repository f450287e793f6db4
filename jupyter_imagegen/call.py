"""One call: its line before the POST, its pictures as they come, its end. It runs on the HTTP loop.

The order of writes is the promise: the `call` line before anything is sent, each picture's file before its line,
`done` last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from . import __version__
from .answer import Delivered, read
from .blobs import keep_image, keep_unread
from .client import Attempts, Client, Order
from .endpoint import Endpoint
from .errors import AnswerUnreadable, CallError, DownloadFailed, ImageGenError, NoPicture, OutcomeUnknown
from .image import Image, sniff
from .journal import NOTHING, Called, Ended, Kept, Segment, new_id, now
from .keys import Secret, scrub, scrub_bytes
from .options import Options
from .place import Place
from .records import Record
from .rejection import explain
from .reply import Reply
from .request import ImageRequest


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
class Finished:
    """A call that is over: its record, and the error that it ended with."""

    record: Record
    error: ImageGenError | None


class Call:
    """One call while it is under way: the only thing of this stage that changes."""

    def __init__(self, ask: Ask, request: ImageRequest, client: Client, segment: Segment) -> None:
        self._request = request
        self._store = ask.store
        self._client = client
        self._segment = segment
        self._called = _called(ask, request)
        self._order = Order(
            request=request, endpoint=ask.endpoint, key=ask.key, call_id=self._called.id, timeout_s=ask.timeout_s
        )
        self._attempts = Attempts()
        self._began = time.monotonic()
        self._kept: list[Kept] = []
        self._reply: Reply | None = None
        self._usage: str | None = None
        self._is_cancelled = False

    async def run(self) -> Finished:
        """Make the call. Raises StoreError when a line cannot be written; every other error is in what it returns.

        When it is cancelled, the connection is closed and the end is written before it returns.
        """
        self._segment.append(self._called)
        try:
            error = await self._deliver()
        except Exception as defect:
            # Not foreseen: the call must not stay open in the journal, and the exception must not stay here.
            message = f"{type(defect).__name__} in this package. {OutcomeUnknown.default_hint}"
            self._segment.append(self._ended(OutcomeUnknown(message)))
            raise
        ended = self._ended(error)
        self._segment.append(ended)
        images = tuple(sorted(self._kept, key=lambda kept: kept.index))
        record = Record(call=self._called, images=images, end=ended, version=__version__, is_running=False)
        return Finished(record=record, error=None if self._is_cancelled else error)

    async def _deliver(self) -> ImageGenError | None:
        """Post, and keep every picture that comes; the error that came between, if one did."""
        try:
            await self._post_and_keep()
        except asyncio.CancelledError:
            self._is_cancelled = True
            await _one_turn()
        except ImageGenError as error:
            return _without_key(error, self._order.key)
        return None

    async def _post_and_keep(self) -> None:
        self._reply = reply = await self._client.post(self._order, self._attempts)
        if not 200 <= reply.status < 300:
            raise explain(reply)
        try:
            answer = read(reply)
            self._usage = answer.usage
            await self._keep_all(answer.pictures)
        except (AnswerUnreadable, DownloadFailed, NoPicture) as error:
            raise self._with_the_answer_kept(reply, error) from None

    async def _keep_all(self, pictures: tuple[Delivered, ...]) -> None:
        """Keep each picture as soon as it is there. Raises the first fault, once every other picture is kept."""
        bringing = [self._bring(place, picture) for place, picture in enumerate(pictures, self._request.first_index)]
        faults = [fault for fault in await asyncio.gather(*bringing) if fault is not None]
        if faults:
            raise faults[0]

    async def _bring(self, place: int, delivered: Delivered) -> CallError | None:
        try:
            self._keep(place, delivered, await self._image(delivered))
        except CallError as error:
            return error
        return None

    async def _image(self, delivered: Delivered) -> Image:
        """The picture that was delivered. Raises its fault, DownloadFailed or AnswerUnreadable."""
        if delivered.fault is not None:
            raise delivered.fault
        data = delivered.data
        if data is None:
            left_s = self._order.timeout_s - (time.monotonic() - self._began)
            data = await self._client.download(delivered.url, self._order, left_s)
        image = sniff(data)
        if image is None:
            message = f"The answer's picture is in no format that is known here ({len(data)} bytes)."
            raise AnswerUnreadable(message)
        return image

    def _keep(self, place: int, delivered: Delivered, image: Image) -> None:
        revised = delivered.revised_prompt
        kept = Kept(
            id=self._called.id,
            index=place,
            path=keep_image(self._store, image, self._called.prompt),
            sha256=image.sha256,
            bytes=len(image.data),
            format=image.format,
            width=image.width,
            height=image.height,
            revised_prompt=None if revised is None else scrub(revised, self._order.key),
        )
        self._segment.append(kept)
        self._kept.append(kept)

    def _with_the_answer_kept(self, reply: Reply, error: CallError) -> CallError:
        path = keep_unread(self._store, self._called.id, scrub_bytes(reply.body, self._order.key))
        hint = f"{error.hint} The answer is kept in {_near(path)}.".strip()
        return type(error)(error.message, hint, code=error.code, request_id=error.request_id or reply.request_id)

    def _ended(self, error: ImageGenError | None) -> Ended:
        key = self._order.key
        status, said = self._status(error)
        return Ended(
            id=self._called.id,
            at=now(),
            status=status,
            latency_s=round(time.monotonic() - self._began, 3),
            attempts=self._attempts.made,
            error_code=error.code if isinstance(error, CallError) else None,
            error=said or None,
            request_id=scrub(self._reply.request_id, key) or None if self._reply is not None else None,
            usage=msgspec.Raw(scrub(self._usage, key).encode()) if self._usage else NOTHING,
        )

    def _status(self, error: ImageGenError | None) -> tuple[str, str]:
        """How the call is recorded: a picture that was kept makes it ok, whatever came after."""
        if self._is_cancelled and not self._kept:
            return "cancelled", _cancelled_when(self._attempts)
        if error is None:
            return "ok", ""
        return "ok" if self._kept else error.status, error.message


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


async def _one_turn() -> None:
    """One turn of the loop, so that the transport has closed the connection before the record says so."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


def _near(path: Path) -> str:
    """The path from here, where it is below the current folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
