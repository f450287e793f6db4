"""The stop button, Ctrl-C's kind: the connection is closed first, the call is recorded, the cell fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from support.gateway import Asked, Gateway, Hang, Said
from support.kernels import Kernel
from support.pictures import answer, picture

# Called in a cell; each is a way to be inside a paid request when the button is pressed.
WAYS = {
    "magic": "%%imagegen --base-url {url}\nan otter",
    "timed": "%%time\n%%imagegen --base-url {url}\nan otter",
    "function": "def paint():\n    ig.generate('an otter', base_url='{url}')\npaint()",
    "await": "await ig.agenerate('an otter', base_url='{url}')",
    "task": "import asyncio\nawait asyncio.create_task(ig.agenerate('an otter', base_url='{url}'))",
    "fan-out": "%%imagegen --base-url {url} -m dall-e-3 -n 3\nan otter",
}
NESTED = {
    "run": "import asyncio\nasyncio.run(ig.agenerate('an otter', base_url='{url}'))",
    "run_until_complete": (
        "import asyncio\nasyncio.get_event_loop().run_until_complete(ig.agenerate('an otter', base_url='{url}'))"
    ),
}


def rows(kernel: Kernel) -> list[str]:
    """The status of every call."""
    statuses: list[str] = kernel.value("ig.history().status.tolist()")
    return statuses


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_closes_the_connection_and_records_cancelled(kernel: Kernel, gateway: Gateway, way: str) -> None:
    """The server sees the client go before the cell's reply; the cell is KeyboardInterrupt; the next cell runs."""
    gateway.rule = lambda _: Hang()
    sent = kernel.send(WAYS[way].format(url=gateway.url))
    calls = 3 if way == "fan-out" else 1
    for _ in range(calls):
        gateway.wait_for_request()
    kernel.interrupt()
    done = kernel.finish(sent)
    # A task of the user's own is cancelled, as asyncio has it.
    assert (done.status, done.ename) == ("error", "CancelledError" if way == "task" else "KeyboardInterrupt")
    assert gateway.hung_up.is_set()
    assert rows(kernel) == ["cancelled"] * calls
    assert kernel.value("ig.history().error.iloc[0]").endswith("It may have been charged.")
    gateway.rule = lambda _: Said(answer(picture()))
    assert kernel.run(WAYS["magic"].format(url=gateway.url)).status == "ok"
    assert kernel.run(WAYS["await"].format(url=gateway.url)).status == "ok"
    assert len(gateway.posts) == calls + 2


@pytest.mark.parametrize("way", NESTED)
def test_an_interrupt_inside_a_nested_loop_leaves_no_request_behind(kernel: Kernel, gateway: Gateway, way: str) -> None:
    """Under nested_loops the awaiting task is left behind by the interrupt; the guard closes its connection."""
    kernel.run("%config ImageGen.nested_loops = True")
    gateway.rule = lambda _: Hang()
    sent = kernel.send(NESTED[way].format(url=gateway.url))
    gateway.wait_for_request()
    kernel.interrupt()
    assert kernel.finish(sent).ename == "KeyboardInterrupt"
    assert gateway.hung_up.wait(10)
    assert kernel.run("%%imagegen -p sketch -s 64x64\nthe kernel is alive").status == "ok"
    assert rows(kernel) == ["cancelled", "ok"]


def test_the_interrupt_of_a_cell_says_what_became_of_its_calls(kernel: Kernel, gateway: Gateway) -> None:
    """Instead of the frames of this package: the call's id, and that it may have been charged."""
    gateway.rule = lambda _: Hang()
    sent = kernel.send(WAYS["magic"].format(url=gateway.url))
    gateway.wait_for_request()
    kernel.interrupt()
    done = kernel.finish(sent)
    assert len(done.traceback) == 2
    assert "may have been charged" in done.traceback[1]


def test_three_interrupts_at_once_leave_one_record(kernel: Kernel, gateway: Gateway) -> None:
    """An impatient person gets the same as a patient one."""
    gateway.rule = lambda _: Hang()
    sent = kernel.send(WAYS["magic"].format(url=gateway.url))
    gateway.wait_for_request()
    for _ in range(3):
        kernel.interrupt()
    done = kernel.finish_unless_lost(sent)
    assert done is None or done.ename == "KeyboardInterrupt"
    assert gateway.hung_up.is_set()
    assert kernel.run("1").status == "ok"
    assert rows(kernel) == ["cancelled"]
    assert len(gateway.posts) == 1


def test_pictures_that_came_before_the_interrupt_are_shown(kernel: Kernel, gateway: Gateway) -> None:
    """Of three calls one was answered: its picture is shown and kept, the others are cancelled."""

    def rule(asked: Asked) -> Said | Hang:
        return Said(answer(picture())) if asked.json["seed"] == 1 else Hang()

    gateway.rule = rule
    sent = kernel.send(f"%%imagegen --base-url {gateway.url} -m dall-e-3 -n 3 --seed 1 --force --into r\nan otter")
    for _ in range(3):
        gateway.wait_for_request()
    while len(list(kernel.folder.glob("imagegen/images/*.png"))) < 1:
        time.sleep(0.01)
    kernel.interrupt()
    done = kernel.finish(sent)
    assert done.ename == "KeyboardInterrupt"
    assert done.with_mime("image/")
    assert sorted(rows(kernel)) == ["cancelled", "cancelled", "ok"]
    assert kernel.value("len(r)") == 1


def test_cells_queued_behind_an_interrupt_do_not_run(kernel: Kernel, gateway: Gateway) -> None:
    """Run All stops."""
    gateway.rule = lambda _: Hang()
    first = kernel.send(WAYS["magic"].format(url=gateway.url))
    second = kernel.send("after = 1")
    gateway.wait_for_request()
    kernel.interrupt()
    assert kernel.finish(first).ename == "KeyboardInterrupt"
    assert kernel.finish_aborted(second) == "aborted"


def test_interrupts_at_random_moments_leave_nothing_open_doubled_or_unrecorded(
    start_kernel: Callable[..., Kernel], gateway: Gateway
) -> None:
    """Twelve cells, each stopped somewhere between its start and its answer: as many ends as calls, one POST each."""
    kernel = start_kernel()
    chance = random.Random(20261121)  # noqa: S311  (moments, not secrets)

    def rule(_: Asked) -> Said:
        time.sleep(0.25)  # the answer takes this long; the interrupts fall on both sides of it
        return Said(answer(picture()))

    gateway.rule = rule
    for _ in range(12):
        sent = kernel.send(WAYS["magic"].format(url=gateway.url))
        # ipykernel itself loses a cell that is interrupted within its first or last milliseconds.
        time.sleep(chance.uniform(0.03, 0.2))
        kernel.interrupt()
        done = kernel.finish_unless_lost(sent)
        assert done is None or done.ename in ("KeyboardInterrupt", "")
    found = rows(kernel)
    assert set(found) <= {"cancelled", "ok"}
    keys = [asked.headers["idempotency-key"] for asked in gateway.posts]
    assert len(keys) == len(set(keys))
    assert set(keys) <= set(kernel.value("ig.history().id.tolist()"))


ENDS_ONCE_IT_HAS_ARRIVED = """
import asyncio, pathlib
async with asyncio.timeout(None) as limit:
    async def end():
        while not pathlib.Path("arrived").exists():
            await asyncio.sleep(0.01)
        limit.reschedule(asyncio.get_running_loop().time())
    ending = asyncio.ensure_future(end())
    await ig.agenerate("an otter", base_url="{url}")
"""
"""A deadline of the user's own that is over when the server has the request, however fast the machine is."""


def test_a_timeout_of_the_users_own_stays_a_timeout(kernel: Kernel, gateway: Gateway) -> None:
    """asyncio.timeout round an await closes the connection and raises TimeoutError, not KeyboardInterrupt."""

    def arrive(_: Asked) -> Hang:
        (kernel.folder / "arrived").touch()
        return Hang()

    gateway.rule = arrive
    assert kernel.run(ENDS_ONCE_IT_HAS_ARRIVED.format(url=gateway.url)).ename == "TimeoutError"
    assert gateway.hung_up.wait(30)
    assert rows(kernel) == ["cancelled"]
