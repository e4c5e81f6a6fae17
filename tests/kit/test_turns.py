"""Turns: a share for each key, in order, and nothing remembered."""

import asyncio

from kit.turns import Turns


async def test_a_key_has_its_share_and_others_do_not_wait_for_it() -> None:
    turns, running, order = Turns(2), asyncio.Event(), list[str]()
    gate = asyncio.Event()

    async def work(key: str, name: str) -> None:
        async with turns.taken(key):
            order.append(name)
            if len(order) == 3:
                running.set()
            await gate.wait()

    tasks = [asyncio.create_task(work("greedy", f"greedy {number}")) for number in range(4)]
    tasks.append(asyncio.create_task(work("other", "other")))
    async with asyncio.timeout(5):
        await running.wait()
    assert order == ["greedy 0", "greedy 1", "other"]
    gate.set()
    await asyncio.gather(*tasks)
    assert order[3:] == ["greedy 2", "greedy 3"]


async def test_a_key_is_forgotten_when_its_work_ends_or_fails() -> None:
    turns = Turns(1)

    async def fail() -> None:
        async with turns.taken("key"):
            raise ValueError

    (outcome,) = await asyncio.gather(fail(), return_exceptions=True)
    assert isinstance(outcome, ValueError)
    del outcome
    async with turns.taken("key"):
        assert len(turns) == 1
    assert len(turns) == 0
