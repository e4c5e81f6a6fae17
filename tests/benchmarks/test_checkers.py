"""The checkers that are compared do the same: they ask every link once and find the same ones broken."""

import asyncio

import pytest

from benchmarks.checkers import HOST, PYTHON, broken_of, links_of
from benchmarks.checkers.python import CHECKERS, check
from benchmarks.checkers.web import Web


def test_the_table_lists_what_there_is() -> None:
    assert set(CHECKERS) == set(PYTHON)


@pytest.mark.parametrize("name", PYTHON)
async def test_every_checker_finds_the_same(name: str) -> None:
    asked: list[bytes] = []

    class Counting(Web):
        def data_received(self, data: bytes) -> None:
            asked.append(data.split(b" ", 2)[1])
            super().data_received(data)

    async with await asyncio.get_running_loop().create_server(Counting, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await check(name, links_of(port, 120), 20)
    assert (found.links, found.broken) == (120, broken_of(120)) == (120, 3)
    assert sorted(asked) == sorted(f"/links/{number}".encode() for number in range(120))
    assert 0.3 <= found.seconds < 30  # six rounds of 50 ms
    assert found.cpu_seconds > 0
