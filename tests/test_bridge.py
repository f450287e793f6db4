"""A job: started and cancelled from any thread, any number of times, in any order; its POST leaves at most once."""

from __future__ import annotations

import asyncio
import threading

import pytest
from support.gateway import Gateway, Hang, Said
from support.pictures import answer, picture

import jupyter_imagegen as ig
from jupyter_imagegen import api, bridge, errors
from jupyter_imagegen.bridge import Job, cancel_cell, http_loop, wait
from jupyter_imagegen.options import Options
from jupyter_imagegen.prepare import prepare
from jupyter_imagegen.settings import Where


def ask(gateway: Gateway) -> Job:
    """A job against the gateway, not started."""
    return api.job(Options(prompt="an otter", where=Where(base_url=gateway.url)))


def silence() -> None:
    """What a wait calls when there is nothing to say."""


def test_a_job_that_is_started_often_posts_once(gateway: Gateway) -> None:
    """Impatient clicks are one order."""
    job = ask(gateway)
    for _ in range(5):
        job.start()
    wait(job, silence)
    job.start()
    wait(job, silence)
    assert len(gateway.posts) == 1


def test_a_job_that_is_cancelled_before_it_starts_posts_nothing(gateway: Gateway) -> None:
    """Nothing was sent, so nothing is recorded either."""
    job = ask(gateway)
    job.cancel()
    job.start()
    wait(job, silence)
    assert job.is_cancelled
    assert gateway.asked == []
    assert len(ig.history()) == 0


def test_cancel_and_start_in_either_order_always_finish(gateway: Gateway) -> None:
    """A hundred races between two threads: every job finishes, and none posts twice."""
    gateway.rule = lambda _: Hang()
    for _ in range(100):
        job = ask(gateway)
        threads = [threading.Thread(target=act) for act in (job.start, job.cancel, job.cancel)]
        for thread in threads:
            thread.start()
        wait(job, silence)
        assert job.is_cancelled
    keys = [asked.headers["idempotency-key"] for asked in gateway.posts]
    assert len(keys) == len(set(keys))


def test_a_finished_job_cannot_be_cancelled_any_more(gateway: Gateway) -> None:
    """Its picture stays."""
    job = ask(gateway)
    wait(job, silence)
    job.cancel()
    wait(job, silence)
    assert not job.is_cancelled
    assert len(api.finish(job)) == 1


def test_an_exception_of_the_waiting_thread_cancels_the_job(gateway: Gateway) -> None:
    """Whatever ends the wait, an interrupt or a fault in a tick: the connection is closed before it goes on."""
    gateway.rule = lambda _: Hang()
    job = ask(gateway)

    def tick() -> None:
        if gateway.asked:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wait(job, tick)
    assert job.is_cancelled
    assert gateway.hung_up.wait(10)


def test_the_guard_cancels_the_jobs_of_one_cell_only(gateway: Gateway) -> None:
    """What another cell or a callback started goes on."""
    gateway.rule = lambda _: Hang()
    mine, other = (Job(prepare(Options(prompt="x", where=Where(base_url=gateway.url))), cell) for cell in (7, None))
    mine.start()
    other.start()
    for _ in range(2):
        gateway.wait_for_request()
    cancel_cell(7)
    wait(mine, silence)
    assert (mine.is_cancelled, other.is_finished) == (True, False)
    other.cancel()
    wait(other, silence)


def test_a_defect_of_ours_is_raised_and_not_swallowed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expected reaches the person who called."""
    from jupyter_imagegen import arrival

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(arrival, "read", broken)
    with pytest.raises(ZeroDivisionError):
        ig.generate("an otter", base_url=gateway.url)
    assert ig.history().status.tolist() == ["unknown"]


def test_no_job_is_left_on_the_loop(gateway: Gateway) -> None:
    """Finished jobs are forgotten, with their asks and keys."""
    ig.generate("an otter", base_url=gateway.url)
    with pytest.raises(errors.SettingsError):
        ig.generate("an otter", provider="nosuch")
    assert http_loop().jobs == {}


@pytest.fixture
def no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that looks up only now and then would not see the end of its job within this test."""
    monkeypatch.setattr(bridge, "_TICK_S", 1000.0)


@pytest.mark.usefixtures("no_tick")
def test_a_wait_ends_with_its_job(gateway: Gateway) -> None:
    """It is woken, whoever waits and however often, and not padded to the next look."""
    job = ask(gateway)
    others = [threading.Thread(target=wait, args=(job, silence)) for _ in range(3)]
    for other in others:
        other.start()
    wait(job, silence)
    for other in others:
        other.join()
    assert len(api.finish(job)) == 1


@pytest.mark.usefixtures("no_tick")
def test_a_coroutine_goes_on_when_its_call_is_over(gateway: Gateway) -> None:
    """In whatever loop, and each in its own."""

    async def several() -> list[int]:
        calls = (ig.agenerate(f"otter {i}", base_url=gateway.url) for i in range(5))
        return [len(result) for result in await asyncio.gather(*calls)]

    assert [asyncio.run(several()) for _ in range(2)] == [[1] * 5] * 2


@pytest.mark.usefixtures("no_tick")
def test_an_append_ends_when_it_is_written(gateway: Gateway) -> None:
    """A mark is on disk when the call that makes it returns."""
    result = ig.generate("an otter", base_url=gateway.url)
    ig.rate(result, 4)
    assert ig.history().rating.tolist() == [4]


def test_calls_that_begin_together_wake_the_thread_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time costs both threads a turn."""
    together: list[int] = []
    start_with = Job.start_with

    def seen(job: Job, others: list[Job]) -> None:
        together.append(1 + len(others))
        start_with(job, others)

    monkeypatch.setattr(Job, "start_with", seen)

    async def several() -> None:
        await asyncio.gather(*(ig.agenerate(f"otter {i}", base_url=gateway.url) for i in range(5)))

    asyncio.run(several())
    assert together == [5]
    assert len(gateway.posts) == 5


def test_a_loop_that_is_closed_under_a_call_disturbs_no_other(gateway: Gateway) -> None:
    """Its call goes on to its end, as nobody cancelled it, and later ones are heard."""
    reached, finishing = threading.Event(), threading.Event()

    def rule(_: object) -> Said:
        reached.set()
        finishing.wait(30)
        return Said(answer(picture()))

    gateway.rule = rule
    loop = asyncio.new_event_loop()
    job = ask(gateway)
    waiting = loop.create_task(bridge.wait_async(job))
    loop.call_soon(loop.stop)
    loop.run_forever()
    job.start()
    assert reached.wait(30)
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    finishing.set()
    wait(job, silence)
    assert len(api.finish(job)) == 1
    assert len(asyncio.run(ig.agenerate("another", base_url=gateway.url))) == 1


def test_what_an_interrupt_left_half_done_is_made_up_for(gateway: Gateway) -> None:
    """It landed between noting a job and having it started: the next beat starts it."""
    forgotten = ask(gateway)

    async def interrupted() -> None:
        waiting = bridge._waiting.setdefault(asyncio.get_running_loop(), bridge._Waiting())
        waiting._starting.append(forgotten)
        await ig.agenerate("an otter", base_url=gateway.url)

    asyncio.run(interrupted())
    wait(forgotten, silence)
    assert len(gateway.posts) == 2
