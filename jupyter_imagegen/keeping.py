"""The pictures of one call on their way into the store, each file before its line; and answers that were not read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from .blobs import Spilled, is_gone, keep_image, keep_unread, nearby
from .delivery import Delivered
from .disk import Disk, to_its_end
from .errors import AnswerUnreadable, StoreError
from .image import Image, sniff
from .journal import Called, Kept
from .keys import Secret, cleaned, scrub
from .reply import Reply


class Keeping:
    """What is kept of one call."""

    def __init__(self, disk: Disk, called: Called, key: Secret | None) -> None:
        self.kept: list[Kept] = []
        self.where_answer_is = ""
        """A sentence, once the answer was kept; also for one whose waiting was cancelled meanwhile."""
        self._disk = disk
        self._called = called
        self._key = key
        self._early: list[asyncio.Task[None]] = []

    async def keep(self, index: int, delivered: Delivered, image: Image | Spilled) -> None:
        """Keep one picture, to its end also when this is cancelled. Raises StoreError."""
        await to_its_end(self._keep(index, delivered, image))

    def keep_early(self, index: int, delivered: Delivered) -> None:
        """Begin to keep a picture of a stream that is not over yet; what cannot be kept now is tried again later."""
        if delivered.data is None or delivered.fault is not None:
            return
        with suppress(AnswerUnreadable):
            keeping = self._keep(index, delivered, picture_in(delivered.data))
            self._early.append(asyncio.get_running_loop().create_task(keeping))

    async def early_kept(self) -> None:
        """Wait until each of these is kept, or could not be."""
        early, self._early = self._early, []
        if not early:
            return
        for fault in await to_its_end(asyncio.gather(*early, return_exceptions=True)):
            if isinstance(fault, BaseException) and not isinstance(fault, StoreError):
                raise fault

    async def answer_kept(self, reply: Reply) -> str:
        """Keep an answer as it came, without the key; a sentence that says where it is, or that it could not be."""
        return await to_its_end(self._told_where(reply))

    async def _told_where(self, reply: Reply) -> str:
        self.where_answer_is = await self._disk.carry_out(self._answer_kept, reply)
        return self.where_answer_is

    async def _keep(self, index: int, delivered: Delivered, image: Image | Spilled) -> None:
        store, revised = self._disk.store, delivered.revised_prompt
        path = await self._placed(image)
        kept = Kept(
            id=self._called.id,
            index=index,
            path=path,
            sha256=image.sha256,
            bytes=image.size,
            format=image.format,
            width=image.width,
            height=image.height,
            revised_prompt=None if revised is None else scrub(revised, self._key),
        )
        await self._disk.append(kept)
        # Where the file was there already, another kernel may have forgotten its own call of it until the line was.
        if is_gone(store / kept.path):
            await self._placed(image)
        self.kept.append(kept)

    async def _placed(self, image: Image | Spilled) -> str:
        """Put a picture into the store and give its path below it. Raises StoreError."""
        store, prompt = self._disk.store, self._called.prompt
        try:
            if isinstance(image, Spilled):
                await image.durable()
            return await self._disk.carry_out(keep_image, store, image, prompt)
        except StoreError:
            if not isinstance(image, Spilled) or not is_gone(image.path):
                raise
        # Someone moved the store or cleaned it meanwhile: the temporary file has no name, and can be read yet.
        return await self._disk.carry_out(keep_image, store, picture_in(image.again()), prompt)

    def _answer_kept(self, reply: Reply) -> str:
        store, call_id = self._disk.store, self._called.id
        try:
            body = cleaned(reply.whole(), self._key)
            return f"The answer is kept in {nearby(keep_unread(store, call_id, body))}."
        except StoreError as error:
            problem = error.message
        with suppress(StoreError, OSError):
            elsewhere = Path(mkdtemp(prefix="imagegen-"))  # nobody else may read it or have made it before
            return f"The answer is kept in {nearby(keep_unread(elsewhere, call_id, body))}."
        return f"The answer could not be kept either: {problem}"


def picture_in(data: bytes | Spilled) -> Image | Spilled:
    """The picture that these bytes are. Raises AnswerUnreadable."""
    if isinstance(data, Spilled):
        return data
    image = sniff(data)
    if image is None:
        message = f"The answer's picture is in no format that is known here ({len(data)} bytes)."
        raise AnswerUnreadable(message)
    return image
