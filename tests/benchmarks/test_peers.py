"""The servers of a comparison start, answer the same question with the same rows, and stop."""

import sys
from pathlib import Path
from typing import Any

import pytest

from app.seeding import fill
from benchmarks.harness import Findings
from benchmarks.lab import Library
from benchmarks.peers import lineup
from benchmarks.peers.servers import CannotStartError, Server, running
from benchmarks.stage import Stage, sign_in, started
from db.unit import Database
from kit.ids import new_id
from services.permissions import Viewer
from tests.make import Maker

BOOKMARKS = 120


@pytest.fixture
async def stage(database: Database, make: Maker, tmp_path: Path) -> Stage:
    """An account with more bookmarks than a page, signed in."""
    user = await make.user()
    await fill(database, user.id, BOOKMARKS)
    library = Library(database.dsn, database, Viewer(id=user.id), BOOKMARKS)
    return Stage(library, await sign_in(library), tmp_path, postgres_pid=1)


async def test_graphmark_the_stock_server_and_the_floor_list_what_the_tables_hold(stage: Stage) -> None:
    findings = Findings("test")
    servers = [stage.graphmark(), lineup.stock_strawberry(), lineup.floor()]
    async with started(stage, servers, findings) as up:
        assert not findings.rows
        expected = await stage.expected()
        assert len(expected) == lineup.PAGE
        for one in up.values():
            assert await one.listed() == expected, one.server.name
        small = up[lineup.GRAPHMARK].server.small
        assert small is not None
        viewer: Any = await up[lineup.GRAPHMARK].ask(small)
        assert viewer["data"]["viewer"]["id"]


async def test_a_server_that_does_not_start_is_named_with_its_reason(stage: Stage) -> None:
    broken = Server(name="broken", command=lambda: [sys.executable, "-c", "raise SystemExit('no heart')"], health="/")
    absent = Server(name="absent", command=lambda: ["/does/not/exist"], health="/")
    findings = Findings("test")
    async with started(stage, [broken, absent], findings) as up:
        assert not up
    assert [(row.what, row.note) for row in findings.rows] == [
        ("broken", "not measured: it ended with 1: no heart"),
        ("absent", "not measured: [Errno 2] No such file or directory: '/does/not/exist'"),
    ]


async def test_a_refusal_is_no_list(stage: Stage) -> None:
    bare = lineup.litestar_route()
    wrong = Server(
        name=bare.name, command=bare.command, health=bare.health, listing=lineup.floor().listing, read=lambda row: row
    )
    async with running(wrong, dsn=stage.library.dsn, owner=new_id(), folder=stage.folder) as one:
        with pytest.raises(CannotStartError, match="it answers 404"):
            await one.listed()
