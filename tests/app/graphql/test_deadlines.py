"""One timer for many deadlines: everybody is ended in time, nobody before."""

import asyncio

import pytest

from app.graphql.deadlines import Deadlines

SHORT = 0.05


async def late(deadlines: Deadlines) -> bool:
    """Wait for ever; tell whether the deadline ended it."""
    try:
        with deadlines.deadline() as deadline:
            await asyncio.Event().wait()
    except TimeoutError:
        return deadline.is_over
    return False


async def test_whoever_is_late_is_ended() -> None:
    deadlines = Deadlines(SHORT)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(late(deadlines) for _ in range(20))) == [True] * 20
        assert await late(deadlines)  # also when nobody ran for a while


async def test_one_that_begins_later_is_ended_later() -> None:
    deadlines, loop = Deadlines(SHORT), asyncio.get_running_loop()
    first = asyncio.create_task(late(deadlines))
    await asyncio.sleep(SHORT / 2)
    began = loop.time()
    assert await late(deadlines)
    assert loop.time() - began >= SHORT * 0.9
    assert first.done()


async def test_whoever_is_done_in_time_hears_nothing() -> None:
    deadlines = Deadlines(SHORT)
    with deadlines.deadline() as deadline:
        await asyncio.sleep(0)
    assert await late(deadlines)
    assert not deadline.is_over


async def test_what_the_block_raises_is_left_alone() -> None:
    deadlines = Deadlines(5)
    with pytest.raises(ValueError, match="mine"), deadlines.deadline():
        raise ValueError("mine")


async def test_a_cancellation_from_outside_stays_one() -> None:
    deadlines = Deadlines(5)
    task = asyncio.create_task(late(deadlines))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_and_late_stays_cancelled() -> None:
    deadlines = Deadlines(SHORT)

    async def stubborn() -> None:
        with deadlines.deadline():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(SHORT * 4)  # late now as well
                raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_another_event_loop_has_a_timer_of_its_own() -> None:
    deadlines = Deadlines(SHORT)

    async def brief() -> None:
        with deadlines.deadline():
            await asyncio.sleep(0)

    asyncio.run(brief())
    assert asyncio.run(asyncio.wait_for(late(deadlines), 5))
