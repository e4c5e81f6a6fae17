"""What waits on one connection is bounded, in messages and in bytes, and what was dropped is told."""

import asyncio
from typing import Any

import pytest

from app.graphql import outbox as module
from app.graphql.outbox import Outbox, Parcel

EXCUSE = Parcel("excuse", 1)


class Transport:
    """Takes a message at once while it is open, else with the next opening."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.open = asyncio.Event()

    async def send(self, message: Any) -> None:
        await self.open.wait()
        self.sent.append(message)


class Follower:
    """Somebody whose parcels may be dropped."""

    async def excuse(self) -> Parcel | None:
        return EXCUSE


@pytest.mark.parametrize(
    ("max_messages", "max_bytes", "size", "waiting"),
    [(3, 1_000, 1, 3), (1_000, 25, 10, 3), (1_000, 29, 10, 3), (1_000, 30, 10, 4)],
    ids=["messages", "bytes", "nearly one more", "one more"],
)
async def test_what_waits_is_bounded(
    monkeypatch: pytest.MonkeyPatch, max_messages: int, max_bytes: int, size: int, waiting: int
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_BYTES", max_bytes)
    transport, slow, other = Transport(), Follower(), Follower()
    outbox = Outbox(transport.send, max_messages=max_messages, on_trouble=pytest.fail)
    assert outbox.offer(other, Parcel("under way", size))
    assert outbox.offer(other, Parcel("kept", size))
    taken = 1
    while outbox.offer(slow, Parcel("dropped", size)):
        taken += 1
    assert taken == waiting
    outbox.post(Parcel("must arrive", size))
    transport.open.set()
    await outbox.drained()
    assert transport.sent == ["under way", "excuse", "kept", "must arrive"]


async def test_while_the_transport_takes_everything_nothing_waits_and_nobody_writes() -> None:
    transport = Transport()
    transport.open.set()
    outbox = Outbox(transport.send, max_messages=1, on_trouble=pytest.fail)
    tasks = asyncio.all_tasks()
    for number in range(5):
        assert outbox.offer(Follower(), Parcel(number, module.MAX_WAITING_BYTES))
        assert transport.sent == list(range(number + 1))
    assert asyncio.all_tasks() == tasks


async def test_an_excuse_that_fails_is_trouble_and_no_silence() -> None:
    class Broken(Follower):
        async def excuse(self) -> Parcel | None:
            raise ZeroDivisionError

    transport, told = Transport(), list[str]()
    outbox = Outbox(transport.send, max_messages=1, on_trouble=told.append)
    slow = Broken()
    assert [outbox.offer(slow, Parcel(number, 1)) for number in range(3)] == [True, True, False]
    transport.open.set()
    await outbox.drained()
    assert told == ["Internal error"]
    outbox.finish(Parcel("last", 1), drop=True)
    assert transport.sent == [0, "last"]
