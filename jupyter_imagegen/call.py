"""One call: its line before the POST, its pictures as they come, its end. It runs on the HTTP loop.

The order of writes is the promise: the `call` line before anything is sent, each picture's file before its line,
`done` last.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from . import __version__, keychain
from .answer import Answer, Delivered, Task, read, usage_of
from .arrival import Arrival, See
from .ask import Ask
from .blobs import is_gone, keep_image, keep_input, keep_unread, nearby
from .client import Client
from .ending import Course, cleaned, ended
from .entry import called, words
from .errors import (
    AnswerUnreadable,
    CallError,
    ConnectionCut,
    DeadlinePassed,
    DownloadFailed,
    ImageGenError,
    KeyRejected,
    NoPicture,
    NotKept,
    OutcomeUnknown,
    RateLimited,
    ServerFailed,
    StoreError,
    TaskUnfinished,
)
from .image import Image, sniff
from .journal import Ended, Kept, Segment
from .keys import scrub
from .order import Attempts, Order
from .records import Record
from .rejection import explain
from .reply import Reply
from .request import ImageRequest

_DOWNLOADS_AT_ONCE: Final = 8
_POLL_S: Final = 2.0
_PAID: Final = (OutcomeUnknown, DownloadFailed, NoPicture)
"""Errors of an answer that was paid for: it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A call that is over: its record, and the error that it ended with."""

    record: Record
    error: ImageGenError | None


class Call:
    """One call while it is under way: the only thing of this stage that changes."""

    def __init__(self, ask: Ask, request: ImageRequest, client: Client, segment: Segment, see: See) -> None:
        self._request = request
        self._endpoint = ask.endpoint
        self._store = ask.store
        self._client = client
        self._segment = segment
        self._called = called(ask, request)
        self._order = Order(
            request=request, endpoint=ask.endpoint, key=ask.key, call_id=self._called.id, timeout_s=ask.timeout_s
        )
        self._attempts = Attempts()
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._kept: list[Kept] = []
        self._reply: Reply | None = None
        self._usage: str | None = None
        self._made = 0
        self._is_cancelled = False
        self._cut_short = ""
        self._cut: CallError | None = None
        self._arrival = Arrival(
            request,
            ask.endpoint,
            ask.key,
            self._keep_early,
            lambda place, data: see(request.first_index + place, data),
        )

    async def run(self) -> Finished:
        """Make the call. Raises StoreError when a line cannot be written; every other error is in what it returns.

        When it is cancelled, the connection is closed and the end is written before it returns.
        """
        self._begin()
        try:
            error = await self._deliver()
        except Exception as defect:
            # Not foreseen: the call must not stay open in the journal, and the exception must not stay here.
            self._keep_what_was_paid()
            message = f"{type(defect).__name__} in this package. {OutcomeUnknown.default_hint}"
            self._segment.append(self._ended(OutcomeUnknown(message)))
            raise
        end = self._ended(error)
        images = tuple(sorted(self._kept, key=lambda kept: kept.index))
        record = Record(
            call=self._called,
            images=images,
            end=end,
            version=__version__,
            session=self._segment.session,
            is_running=False,
        )
        try:
            self._segment.append(end)
        except StoreError as unwritten:
            return Finished(record=record, error=error or unwritten)
        return Finished(record=record, error=None if self._is_cancelled else error)

    def _begin(self) -> None:
        """Keep what is sent, and write the line. Raises StoreError: nothing was sent then."""
        try:
            for role, reference in self._request.references:
                keep_input(self._store, reference.image, words(role, reference))
        except StoreError as error:
            raise _unsent(error) from None
        try:
            self._segment.append(self._called)
        except StoreError as error:
            unsent = _unsent(error)
        else:
            return
        # The line may be there all the same: without an end it would seem to be running, and later to be charged for.
        with suppress(StoreError):
            self._segment.append(self._called, self._ended(unsent))
        raise unsent

    async def _deliver(self) -> ImageGenError | None:
        """Post, and keep every picture that comes; the error that came between, if one did."""
        try:
            await self._post_and_keep()
        except asyncio.CancelledError:
            self._is_cancelled = True
            await _one_turn()
            self._keep_what_was_paid()
        except ImageGenError as error:
            return cleaned(self._course(), error)
        return None

    async def _post_and_keep(self) -> None:
        self._reply = reply = await self._answered()
        if not reply.is_success:
            raise explain(reply, self._endpoint.model)
        try:
            answer = await self._finished(self._arrival.answer(reply))
            self._usage = answer.usage
            self._made = sum(picture.fault is None for picture in answer.pictures)
            await self._keep_all(answer)
        except StoreError as error:
            raise self._with_the_answer_kept(self._reply, NotKept(error.message)) from None
        except _PAID as error:
            self._usage = self._usage or usage_of(self._reply)
            raise self._with_the_answer_kept(self._reply, error) from None
        missing = self._cut or answer.fault
        if missing is not None and len(self._kept) < self._request.n:
            raise self._with_the_answer_kept(self._reply, missing)

    async def _answered(self) -> Reply:
        """The reply; of one that was cut after it had begun, what came, where that can be read all the same.

        Raises what cut it, with what came kept.
        """
        try:
            return await self._client.post(self._order, self._attempts, self._arrival)
        except (ConnectionCut, DeadlinePassed) as error:
            partial = self._attempts.partial
            self._reply = partial
            if partial is None or not partial.body or partial.status >= 500:
                raise
            if not partial.is_success:
                return partial  # it said no before it was cut: what it says counts
            try:
                self._arrival.answer(partial)
            except CallError:
                raise self._with_the_answer_kept(partial, error) from None
            self._cut = error
            return partial

    async def _finished(self, answer: Answer) -> Answer:
        """The answer with its pictures; where the server only took the order, what it says once it is done.

        Raises TaskUnfinished, and what a task ends with.
        """
        if not answer.tasks:
            return answer
        gate = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        ended = await asyncio.gather(*(self._ended_task(task, gate) for task in answer.tasks), return_exceptions=True)
        defects = [each for each in ended if isinstance(each, BaseException) and not isinstance(each, CallError)]
        faults = [each for each in ended if isinstance(each, CallError)]
        for fault in (*defects, *(faults if len(faults) == len(ended) else ())):
            raise fault
        answers = [Answer(pictures=(Delivered(fault=each),)) if isinstance(each, CallError) else each for each in ended]
        found = [each for each in answers if isinstance(each, Answer)]
        usage = next((each.usage for each in found if each.usage), None)
        return Answer(pictures=tuple(picture for each in found for picture in each.pictures), usage=usage)

    async def _ended_task(self, task: Task, gate: asyncio.Semaphore) -> Answer:
        while True:
            if not task.path or self._seconds_left <= _POLL_S:
                raise _unfinished(task, self._order, "")
            await asyncio.sleep(_POLL_S)
            async with gate:
                answer = await self._polled(task)
            if not answer.tasks:
                return answer

    async def _polled(self, task: Task) -> Answer:
        """What the server says of a task now. Raises TaskUnfinished where it says nothing of it."""
        try:
            reply = await self._client.poll(task.path, self._order, self._seconds_left)
        except DownloadFailed:
            raise _unfinished(task, self._order, "the server could not be asked.") from None
        if 300 <= reply.status < 400:
            raise _unfinished(task, self._order, "the server points elsewhere.")
        if not reply.is_success:
            raise _unfinished(task, self._order, explain(reply, self._endpoint.model).message)
        try:
            answer = read(reply)
        except (AnswerUnreadable, RateLimited, ServerFailed) as error:
            raise _unfinished(task, self._order, error.message) from None
        except NoPicture as error:
            if task.id in error.message:
                self._reply = reply
                raise
            raise _unfinished(task, self._order, error.message) from None
        self._reply = reply
        return answer

    @property
    def _seconds_left(self) -> float:
        return self._order.timeout_s - (self._clock() - self._began)

    async def _keep_all(self, answer: Answer) -> None:
        """Keep each picture as soon as it is there. Raises the first fault, once every other picture is kept."""
        gate = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        places = {kept.index for kept in self._kept}
        missing = [each for each in enumerate(answer.pictures, self._request.first_index) if each[0] not in places]
        bringing = [self._bring(place, delivered, gate, answer) for place, delivered in missing]
        found = await asyncio.gather(*bringing, return_exceptions=True)
        faults = [fault for fault in found if fault is not None]
        # One behind which there may be a paid picture goes first: its answer is kept.
        for fault in (*(fault for fault in faults if isinstance(fault, _PAID)), *faults):
            raise fault

    async def _bring(self, place: int, delivered: Delivered, gate: asyncio.Semaphore, answer: Answer) -> None:
        async with gate:
            image = await self._image(delivered)
            await asyncio.sleep(0)  # a turn for an interrupt, between any two of ten thousand pictures
        if not (answer.is_chat and any(kept.sha256 == image.sha256 for kept in self._kept)):
            self._keep(place, delivered, image)

    async def _image(self, delivered: Delivered) -> Image:
        """The picture that was delivered. Raises its fault, DownloadFailed or AnswerUnreadable."""
        if delivered.fault is not None:
            raise delivered.fault
        data = delivered.data
        if data is None:
            data = await self._client.download(delivered.url, self._order, self._seconds_left)
        image = sniff(data)
        if image is None:
            message = f"The answer's picture is in no format that is known here ({len(data)} bytes)."
            raise AnswerUnreadable(message)
        return image

    def _keep_early(self, place: int, delivered: Delivered) -> None:
        """Keep a picture of a stream that is not over yet; what cannot be kept now is tried again at its end."""
        image = sniff(delivered.data) if delivered.data is not None and delivered.fault is None else None
        if image is not None:
            with suppress(StoreError):
                self._keep(self._request.first_index + place, delivered, image)

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
        # Where the file was there already, another kernel may have forgotten its own call of it until the line was.
        if is_gone(self._store / kept.path):
            keep_image(self._store, image, self._called.prompt)
        self._kept.append(kept)

    def _with_the_answer_kept(self, reply: Reply, error: CallError) -> CallError:
        hint = f"{error.hint} {self._where_kept(reply)}".strip()
        return type(error)(error.message, hint, code=error.code, request_id=error.request_id or reply.request_id)

    def _keep_what_was_paid(self) -> None:
        """Of an answer that had come when the call was cut short, keep the whole where pictures of it are missing."""
        reply = self._reply or self._attempts.partial
        if reply is not None and reply.is_success and reply.body and len(self._kept) < self._request.n:
            self._cut_short = self._where_kept(reply)

    def _where_kept(self, reply: Reply) -> str:
        try:
            return f"The answer is kept in {nearby(keep_unread(self._store, self._called.id, reply.told))}."
        except StoreError as error:
            problem = error.message
        with suppress(StoreError, OSError):
            elsewhere = Path(mkdtemp(prefix="imagegen-"))  # nobody else may read it or have made it before
            return f"The answer is kept in {nearby(keep_unread(elsewhere, self._called.id, reply.told))}."
        return f"The answer could not be kept either: {problem}"

    def _ended(self, error: ImageGenError | None) -> Ended:
        if isinstance(error, KeyRejected) and self._order.key is not None:
            keychain.forget(self._order.key)
        return ended(self._course(), error)

    def _course(self) -> Course:
        return Course(
            order=self._order,
            attempts=self._attempts,
            reply=self._reply,
            usage=self._usage,
            made=self._made,
            kept=tuple(self._kept),
            is_cancelled=self._is_cancelled,
            cut_short=self._cut_short,
            latency_s=self._clock() - self._began,
        )


def _unfinished(task: Task, order: Order, why: str) -> TaskUnfinished:
    name, path = scrub(task.id, order.key), scrub(task.path, order.key)
    message = f"The server took the order as task {name}, and its picture did not come{f': {why}' if why else '.'}"
    whom = f"GET {order.endpoint.base_url}{path}" if path else "Its provider"
    hint = f"It may have been charged, so it was not sent again. {whom} says what became of it."
    return TaskUnfinished(message, hint)


def _unsent(error: StoreError) -> StoreError:
    return StoreError(error.message, f"Nothing was sent. {error.hint}")


async def _one_turn() -> None:
    """One turn of the loop, so that the transport has closed the connection before the record says so."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
