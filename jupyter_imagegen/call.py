"""One call: its line before the POST, its pictures as they come, its end. It runs on the HTTP loop.

The order of writes is the promise: the `call` line before anything is sent, each picture's file before its line,
`done` last.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from . import __version__, keychain
from .answer import Answer, Delivered, Task, read, usage_of
from .arrival import Arrival, See
from .ask import Ask
from .blobs import Spilled, keep_input
from .client import Client
from .disk import Disk, to_its_end
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
from .image import Image
from .journal import Ended
from .keeping import Keeping, picture_in
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

    def __init__(self, ask: Ask, request: ImageRequest, client: Client, disk: Disk, see: See) -> None:
        self._request = request
        self._endpoint = ask.endpoint
        self._client = client
        self._disk = disk
        self._called = called(ask, request)
        self._order = Order(
            request=request, endpoint=ask.endpoint, key=ask.key, call_id=self._called.id, timeout_s=ask.timeout_s
        )
        self._attempts = Attempts()
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._keeping = Keeping(disk, self._called, ask.key)
        self._reply: Reply | None = None
        self._usage: str | None = None
        self._made = 0
        self._is_listed = False
        self._is_cancelled = False
        self._cut_short = ""
        self._cut: CallError | None = None
        self._arrival = Arrival(
            ask,
            self._order,
            disk.files,
            lambda place, found: self._keeping.keep_early(request.first_index + place, found),
            lambda place, data: see(request.first_index + place, data),
        )

    async def run(self) -> Finished:
        """Make the call. Raises StoreError when a line cannot be written; every other error is in what it returns.

        When it is cancelled, the connection is closed and the end is written before it returns.
        """
        try:
            await to_its_end(self._begin())
        except asyncio.CancelledError:
            self._is_cancelled = True
            return await self._finished_with(None)
        try:
            return await self._finished_with(await self._deliver())
        except Exception as defect:
            # Not foreseen: the call must not stay open in the journal, and the exception must not stay here.
            await self._ended_by(defect)
            raise
        finally:
            with suppress(asyncio.CancelledError):  # it is over already
                await to_its_end(self._arrival.discard())

    async def _ended_by(self, defect: Exception) -> None:
        try:
            await to_its_end(self._keep_what_was_paid())
        finally:
            message = f"{type(defect).__name__} in this package. {OutcomeUnknown.default_hint}"
            await to_its_end(self._disk.append(self._ended(OutcomeUnknown(message))))

    async def _finished_with(self, error: ImageGenError | None) -> Finished:
        end = self._ended(error)
        images = tuple(sorted(self._keeping.kept, key=lambda kept: kept.index))
        record = Record(
            call=self._called,
            images=images,
            end=end,
            version=__version__,
            session=self._disk.session,
            is_running=False,
        )
        try:
            with suppress(asyncio.CancelledError):  # it is over already
                if self._is_listed:
                    await to_its_end(self._disk.append(end))
        except StoreError as unwritten:
            return Finished(record=record, error=error or unwritten)
        return Finished(record=record, error=None if self._is_cancelled else error)

    async def _begin(self) -> None:
        """Keep what is sent, and write the line. Raises StoreError: nothing was sent then."""
        try:
            for role, reference in self._request.references:
                await self._disk.carry_out(keep_input, self._disk.store, reference.image, words(role, reference))
        except StoreError as error:
            raise _unsent(error) from None
        try:
            await self._disk.append(self._called)
        except StoreError as error:
            unsent = _unsent(error)
        else:
            self._is_listed = True
            return
        # The line may be there all the same: without an end it would seem to be running, and later to be charged for.
        with suppress(StoreError):
            await self._disk.append(self._called, self._ended(unsent))
        raise unsent

    async def _deliver(self) -> ImageGenError | None:
        """Post, and keep every picture that comes; the error that came between, if one did."""
        try:
            await self._post_and_keep()
        except asyncio.CancelledError:
            self._is_cancelled = True
            await _one_turn()
            with suppress(asyncio.CancelledError):  # as it is already
                await self._keep_what_was_paid()
        except ImageGenError as error:
            return cleaned(self._course(), error)
        return None

    async def _post_and_keep(self) -> None:
        try:
            await self._post_then_keep()
        finally:
            await self._keeping.early_kept()

    async def _post_then_keep(self) -> None:
        self._reply = reply = await self._answered()
        if not reply.is_success:
            raise explain(reply, self._endpoint.model)
        try:
            answer = await self._finished(self._arrival.answer(reply))
            self._usage = answer.usage
            self._made = sum(picture.fault is None for picture in answer.pictures)
            await self._keep_all(answer)
        except StoreError as error:
            raise await self._with_the_answer_kept(self._reply, NotKept(error.message)) from None
        except _PAID as error:
            self._usage = self._usage or usage_of(self._reply)
            raise await self._with_the_answer_kept(self._reply, error) from None
        missing = self._cut or answer.fault
        if missing is not None and len(self._keeping.kept) < self._request.n:
            raise await self._with_the_answer_kept(self._reply, missing)

    async def _answered(self) -> Reply:
        """The reply; of one that was cut after it had begun, what came, where that can be read all the same.

        Raises what cut it, with what came kept.
        """
        try:
            return await self._client.post(self._order, self._attempts, self._arrival)
        except StoreError as error:
            # A text that is no picture after all had been diverted, and could not be put back.
            self._reply, fault = self._attempts.partial, NotKept(error.message)
            raise fault if self._reply is None else await self._with_the_answer_kept(self._reply, fault) from None
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
                raise await self._with_the_answer_kept(partial, error) from None
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
        await self._keeping.early_kept()
        # Of a chat's pictures, each is compared with those that are kept already.
        gate = asyncio.Semaphore(1 if answer.is_chat else _DOWNLOADS_AT_ONCE)
        places = {kept.index for kept in self._keeping.kept}
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
            if not (answer.is_chat and self._is_kept(image)):
                await self._keeping.keep(place, delivered, image)

    def _is_kept(self, image: Image | Spilled) -> bool:
        return any(kept.sha256 == image.sha256 for kept in self._keeping.kept)

    async def _image(self, delivered: Delivered) -> Image | Spilled:
        """The picture that was delivered. Raises its fault, DownloadFailed or AnswerUnreadable."""
        if delivered.fault is not None:
            raise delivered.fault
        if delivered.data is not None:
            return picture_in(delivered.data)
        return picture_in(await self._client.download(delivered.url, self._order, self._seconds_left))

    async def _with_the_answer_kept(self, reply: Reply, error: CallError) -> CallError:
        hint = f"{error.hint} {await self._keeping.answer_kept(reply)}".strip()
        return type(error)(error.message, hint, code=error.code, request_id=error.request_id or reply.request_id)

    async def _keep_what_was_paid(self) -> None:
        """Of an answer that had come when the call was cut short, keep the whole where pictures of it are missing."""
        reply = self._reply or self._attempts.partial
        if reply is not None and reply.is_success and reply.body and len(self._keeping.kept) < self._request.n:
            self._cut_short = self._keeping.where_answer_is or await self._keeping.answer_kept(reply)

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
            kept=tuple(self._keeping.kept),
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
