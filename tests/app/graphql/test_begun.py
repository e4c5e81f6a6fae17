"""An awaitable whose first step was taken by hand ends as if it had been awaited from its beginning."""

import asyncio
from collections.abc import Awaitable

import pytest

from app.graphql.begun import Begun


def begun(awaitable: Awaitable[str]) -> Begun[str]:
    """Take the first step of something that has to wait."""
    steps = awaitable.__await__()
    return Begun(steps, next(steps))


class Work:
    """Waits for two futures, and notes how that went."""

    def __init__(self) -> None:
        self.first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.second: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.noted: list[str] = []

    async def run(self) -> str:
        try:
            return await self.first + await self.second
        except BaseException as error:
            self.noted.append(type(error).__name__)
            raise
        finally:
            self.noted.append("left")


async def test_it_gives_what_the_awaitable_gives() -> None:
    work = Work()
    task = asyncio.create_task(_awaited(begun(work.run())))
    await asyncio.sleep(0)
    work.first.set_result("a")
    await asyncio.sleep(0)
    work.second.set_result("b")
    assert await task == "ab"
    assert work.noted == ["left"]


async def test_it_gives_what_came_before_anybody_waited() -> None:
    work = Work()
    rest = begun(work.run())
    work.first.set_result("a")
    work.second.set_result("b")
    assert await rest == "ab"


async def test_it_raises_what_the_awaitable_raises() -> None:
    work = Work()
    rest = begun(work.run())
    work.first.set_exception(ValueError("mine"))
    with pytest.raises(ValueError, match="mine"):
        await rest
    assert work.noted == ["ValueError", "left"]


@pytest.mark.parametrize("is_second", [False, True])
async def test_a_cancellation_reaches_the_awaitable_at_once(*, is_second: bool) -> None:
    work = Work()
    task = asyncio.create_task(_awaited(begun(work.run())))
    await asyncio.sleep(0)
    if is_second:
        work.first.set_result("a")
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.noted == ["CancelledError", "left"]


async def _awaited(rest: Begun[str]) -> str:
    return await rest
