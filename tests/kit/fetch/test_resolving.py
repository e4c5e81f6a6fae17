"""Looking names up: bounded, and never in the way of others."""

import asyncio
import socket
import threading
from collections.abc import Sequence

import pytest

from kit.fetch import resolving
from kit.fetch.resolving import SystemResolver
from tests.kit.fetch.outside import settled


class Slow:
    """A name server that answers names under `slow.test` when it is told to, and all others at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[str] = []
        self.at_once = 0

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host.endswith("slow.test"):
            self.at_once += 1
            assert self.go.wait(30)
            self.at_once -= 1
        return ["192.0.2.1"]


async def test_the_system_is_asked() -> None:
    resolve = SystemResolver()
    assert set(await resolve("localhost")) <= {"127.0.0.1", "::1"}
    with pytest.raises(socket.gaierror):
        await resolve("nowhere.invalid")
    resolve.close()


async def test_a_slow_domain_holds_up_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "LOOKUP_SECONDS", 0.3)
    slow = Slow()
    resolve = SystemResolver(lookup=slow)
    waiting = [asyncio.create_task(resolve(f"{number}.slow.test")) for number in range(10)]
    await settled(lambda: slow.at_once == 4)
    assert await resolve("quick.example") == ["192.0.2.1"]
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in done] == [TimeoutError] * 10
    assert slow.at_once == 4  # what has begun goes on, what waited was never begun
    with pytest.raises(TimeoutError):
        await resolve("more.slow.test")
    slow.go.set()
    await settled(lambda: slow.at_once == 0)
    assert await resolve("again.slow.test") == ["192.0.2.1"]
    assert len(slow.asked) == 6
    resolve.close()


async def test_all_threads_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "LOOKUP_SECONDS", 0.3)
    monkeypatch.setattr(resolving, "MAX_THREADS", 8)
    slow = Slow()
    resolve = SystemResolver(lookup=slow)
    waiting = [asyncio.create_task(resolve(f"a.{number}slow.test")) for number in range(20)]
    await settled(lambda: slow.at_once == 8)
    with pytest.raises(TimeoutError):
        await resolve("quick.example")
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(slow.asked) == 8
    slow.go.set()
    await settled(lambda: slow.at_once == 0)
    assert await resolve("quick.example") == ["192.0.2.1"]
    resolve.close()


async def test_cancelling_a_lookup_gives_its_place_back_when_it_ends() -> None:
    slow = Slow()
    resolve = SystemResolver(lookup=slow)
    task = asyncio.create_task(resolve("a.slow.test"))
    await settled(lambda: slow.at_once == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    slow.go.set()
    assert await resolve("b.slow.test") == ["192.0.2.1"]
    resolve.close()
