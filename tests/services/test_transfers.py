"""All bookmarks of an account go to another: by path, without doubles, once, whatever ends in between."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from db import transfers as rows
from db.imports.chunks import count_held
from db.quotas import QuotaRow, set_quota
from db.unit import Database
from kit.errors import BadInput, Conflict, Forbidden, NotFound
from kit.ids import new_id
from kit.settings import Settings
from services import agents, tags, transfers
from services.admin import Acting
from services.bookmarks import BookmarkChanges
from services.permissions import Role, Viewer
from services.transfers import Outlook
from tasks.maintenance import jobs
from tasks.transfers import HANDLER
from tests.instep import assert_in_step
from tests.make import Maker
from tests.working import worker_on

LIBRARY = """
SELECT b.url, b.title, b.notes, b.deleted_at IS NOT NULL AS trashed,
    ARRAY(SELECT t.path FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id AND t.owner_id = b.owner_id
        WHERE l.bookmark_id = b.id AND l.owner_id = b.owner_id ORDER BY t.path_key) AS tags,
    ARRAY(SELECT coalesce(up.name || '/', '') || c.name FROM bookmark_collections l
        JOIN collections c ON c.id = l.collection_id AND c.owner_id = b.owner_id
        LEFT JOIN collections up ON up.id = c.parent_id
        WHERE l.bookmark_id = b.id AND l.owner_id = b.owner_id ORDER BY 1) AS folders
FROM bookmarks b WHERE b.owner_id = $1 ORDER BY b.url
"""
NAMING = """
SELECT DISTINCT c.relname::text AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'bookmark_id' AND NOT a.attisdropped
"""
LINKS = {"bookmark_tags", "bookmark_collections"}


@dataclass
class World:
    """An administrator, and two people with libraries that overlap."""

    database: Database
    settings: Settings
    root: Viewer
    ada: Viewer
    bob: Viewer

    async def start(
        self,
        *,
        who: Viewer | None = None,
        from_id: UUID | None = None,
        to_id: UUID | None = None,
        dry_run: bool = False,
        key: str | None = None,
    ) -> Outlook:
        """Ask for a transfer from Ada to Bob, unless said otherwise."""
        viewer = who or self.root
        async with self.database.unit() as unit:
            return await transfers.start(
                unit,
                Acting(viewer),
                viewer,
                self.settings,
                from_id=from_id or self.ada.id,
                to_id=to_id or self.bob.id,
                dry_run=dry_run,
                idempotency_key=key,
            )

    async def run(self) -> None:
        """Let a worker do what there is to do."""
        async with worker_on(self.database, self.settings, {HANDLER.kind: HANDLER}) as worker:
            await worker.until_idle()
        await assert_in_step(self.database)

    async def library(self, viewer: Viewer) -> list[tuple[Any, ...]]:
        """Return what an account has."""
        return [tuple(row) for row in await self.database.fetch(LIBRARY, viewer.id)]

    async def ends(self) -> list[tuple[Any, ...]]:
        """Return what the audit log says of the ends of transfers."""
        found = await self.database.fetch(
            "SELECT actor, subject_id, succeeded, details FROM audit_entries WHERE action = 'TRANSFER_ENDED'"
        )
        names = ("from", "to", "status", "moved", "merged", "skipped")
        return [(*list(row)[:3], *(row["details"][name] for name in names)) for row in found]


@pytest_asyncio.fixture(loop_scope="session")
async def world(database: Database, settings: Settings, make: Maker) -> World:
    quick = replace(settings, task_retry_seconds=0.01, task_retry_max_seconds=0.02)
    root, ada, bob = [
        await make.user(f"{name}@example.org", role=role)
        for name, role in (("root", Role.ADMIN), ("ada", Role.USER), ("bob", Role.USER))
    ]
    made = World(database, quick, Viewer(root.id, Role.ADMIN), Viewer(ada.id), Viewer(bob.id))
    await furnish(made, make)
    return made


async def furnish(world: World, make: Maker) -> None:
    ada, bob = world.ada, world.bob
    shelf = await make.collection(ada)
    inner = await make.collection(ada, "Inner", parent=shelf)
    theirs = await make.collection(bob)
    a1: BookmarkChanges = {"url": "https://a.example/1", "title": "Ada 1", "tags": ["Dev/Python", "py"]}
    await make.bookmark(ada, {**a1, "collection_ids": [inner.id]})
    await make.bookmark(ada, {"url": "https://a.example/2", "title": "Ada 2"})
    await make.trashed(ada, {"url": "https://a.example/3", "title": "Ada 3", "tags": ["gone"]})
    both: BookmarkChanges = {"url": "https://both.example/1", "title": "Ada", "notes": "Ada's", "tags": ["more"]}
    await make.bookmark(ada, {**both, "collection_ids": [shelf.id]})
    await make.trashed(ada, {"url": "https://both.example/2", "notes": "thrown away"})
    await make.bookmark(ada, {"url": "https://both.example/3", "notes": "back"})
    await make.bookmark(bob, {"url": "https://both.example/1", "title": "Bob", "collection_ids": [theirs.id]})
    await make.bookmark(bob, {"url": "https://both.example/2", "title": "Bob 2"})
    await make.trashed(bob, {"url": "https://both.example/3", "title": "Bob 3", "notes": "Bob's"})
    await make.bookmark(bob, {"url": "https://b.example/1", "title": "Bob's own", "tags": ["dev/python"]})
    async with world.database.unit() as unit:  # what Ada calls py is one of Bob's other names for dev/python
        tag = (await tags.ensure(unit, bob.id, ["dev/python"]))["dev/python"]
        await unit.execute(
            "INSERT INTO tag_aliases (owner_id, alias_key, alias, tag_id) VALUES ($1, 'py', 'py', $2)", bob.id, tag.id
        )


EXPECTED = [
    ("https://a.example/1", "Ada 1", None, False, ["dev/python"], ["Reading/Inner"]),
    ("https://a.example/2", "Ada 2", None, False, [], []),
    ("https://a.example/3", "Ada 3", None, True, ["gone"], []),
    ("https://b.example/1", "Bob's own", None, False, ["dev/python"], []),
    ("https://both.example/1", "Bob", "Ada's", False, ["more"], ["Reading"]),
    ("https://both.example/2", "Bob 2", None, False, [], []),
    ("https://both.example/3", "Bob 3", "Bob's", False, [], []),
]
ENDED = ("root@example.org", "ada@example.org", "bob@example.org", "COMPLETED", 3, 2, 1)


async def hang_on(database: Database, owner_id: UUID, key: UUID) -> None:
    """Give a bookmark a row in every table that follows it or is dropped."""
    await database.execute(
        "INSERT INTO link_health (bookmark_id, owner_id, url_digest, status, verdict, checked_at, next_check_at)"
        " VALUES ($1, $2, sha256(''), 'OK', 'ALIVE', now(), now())",
        key,
        owner_id,
    )
    await database.execute(
        "INSERT INTO link_checks (id, bookmark_id, owner_id, checked_at, status, verdict, content_state, duration_ms)"
        " VALUES ($3, $1, $2, now(), 'OK', 'ALIVE', 'UNKNOWN', 1)",
        key,
        owner_id,
        new_id(),
    )
    await database.execute(
        "INSERT INTO pages (bookmark_id, owner_id, url, content_type) VALUES ($1, $2, 'u', 'text/html')", key, owner_id
    )
    await database.execute(
        "INSERT INTO screenshots (bookmark_id, owner_id, png, width, height, sha256)"
        " VALUES ($1, $2, '', 1, 1, sha256(''))",
        key,
        owner_id,
    )
    await database.execute(
        "INSERT INTO embedding_spaces (id, name, model, dimensions) VALUES (77, 'of transfers', 'm', 3)"
    )
    await database.execute(
        "INSERT INTO embeddings (bookmark_id, space_id, owner_id, vector, digest)"
        " VALUES ($1, 77, $2, '[1,2,3]'::halfvec, decode(repeat('00', 16), 'hex'))",
        key,
        owner_id,
    )
    await database.execute(
        "INSERT INTO suggestions (id, owner_id, bookmark_id, kind, key, name, confidence, reason, source)"
        " VALUES ($3, $2, $1, 'TAG', 'k', 'k', 0.5, 'r', 'PROVIDER')",
        key,
        owner_id,
        new_id(),
    )


async def test_all_that_hangs_on_a_bookmark_goes_with_it(world: World) -> None:
    database = world.database
    named = {row["name"] for row in await database.fetch(NAMING)}
    assert named == {*rows.FOLLOWING, *rows.DROPPED, *rows.LEFT, *LINKS}, "say what a transfer does with a new table"
    key = await database.fetchval("SELECT id FROM bookmarks WHERE url = 'https://a.example/1'")
    await hang_on(database, world.ada.id, key)

    assert (await world.start()).twins == 3
    await world.run()

    assert await database.fetchval("SELECT owner_id FROM bookmarks WHERE id = $1", key) == world.bob.id
    for table in rows.FOLLOWING:
        owners = await database.fetch(f"SELECT owner_id FROM {table} WHERE bookmark_id = $1", key)
        assert [row["owner_id"] for row in owners] == [world.bob.id], table
    for table in ("bookmarks", *rows.FOLLOWING, *rows.DROPPED, *LINKS):
        assert not await database.fetchval(f"SELECT count(*) FROM {table} WHERE owner_id = $1", world.ada.id), table


@pytest.mark.parametrize("size", [1, 2, 500])
async def test_two_libraries_become_one(world: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("services.transfers.moving.CHUNK_ROWS", size)
    before = await world.library(world.bob)
    told = await world.start(dry_run=True)
    assert (told.bookmarks, told.twins, told.task) == (6, 3, None)
    assert await world.library(world.bob) == before
    assert await world.database.fetchval("SELECT count(*) FROM audit_entries") == 0

    started = await world.start()
    assert (started.bookmarks, started.twins) == (6, 3)
    await world.run()

    assert await world.library(world.bob) == EXPECTED
    assert await world.library(world.ada) == []
    (ended,) = await world.ends()
    assert (ended[0], ended[1], ended[2]) == ("root@example.org", world.ada.id, True)
    assert ended[3:] == ENDED[1:]
    assert started.task is not None
    task = await agents.get(world.database, world.root, started.task.id)
    assert (task.row.status, task.row.progress, task.row.current_step) == ("COMPLETED", 1.0, "6 of 6 bookmarks")
    assert await count_held(world.database, world.bob.id) == 7


async def changes(database: Database, owner_id: UUID) -> list[tuple[str, int]]:
    found = await database.fetch(
        "SELECT payload FROM events WHERE owner_id = $1 AND topic = 'bookmark.changed' ORDER BY seq", owner_id
    )
    return [(row["payload"]["change"], len(row["payload"]["ids"])) for row in found]


async def test_both_accounts_are_told(world: World) -> None:
    had = [len(await changes(world.database, one.id)) for one in (world.ada, world.bob)]
    await world.start()
    await world.run()
    assert (await changes(world.database, world.ada.id))[had[0] :] == [("PURGED", 6)]
    assert (await changes(world.database, world.bob.id))[had[1] :] == [("CREATED", 3), ("UPDATED", 1), ("RESTORED", 1)]


async def test_a_crash_between_two_pieces_loses_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.transfers.moving.CHUNK_ROWS", 2)
    plain, calls = rows.advance, 0

    async def crashing(*args: Any, **counts: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in {2, 4}:
            raise RuntimeError("between two lines")
        return await plain(*args, **counts)

    monkeypatch.setattr(rows, "advance", crashing)
    await world.start()
    await world.run()
    assert calls > 4
    assert await world.library(world.bob) == EXPECTED
    assert await world.library(world.ada) == []
    assert [ended[3:] for ended in await world.ends()] == [ENDED[1:]]


async def test_cancelled_it_stops_and_another_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.transfers.moving.CHUNK_ROWS", 2)
    plain = rows.advance

    async def cancelling(unit: Any, *args: Any, **counts: Any) -> Any:
        row = await plain(unit, *args, **counts)
        if row.moved + row.merged + row.skipped == 4:
            async with world.database.unit() as another:
                await agents.cancel(another, await agents.get(another, world.root, row.task_id))
        return row

    monkeypatch.setattr(rows, "advance", cancelling)
    first = await world.start()
    await world.run()
    assert len(await world.library(world.ada)) == 4, "the piece that was under way is undone"
    assert await world.ends() == []
    (job,) = [job for job in jobs(world.settings) if job.name == "tell-stopped-transfers"]
    for told in (1, 0):
        async with world.database.unit() as unit:
            assert await job.run(unit) == told
    ((_, _, succeeded, _, _, status, moved, merged, skipped),) = await world.ends()
    assert (succeeded, status, moved + merged + skipped) == (False, "CANCELLED", 2)

    monkeypatch.setattr(rows, "advance", plain)
    second = await world.start()
    assert second.task is not None
    assert first.task is not None
    assert second.task.id != first.task.id
    await world.run()
    assert await world.library(world.bob) == EXPECTED
    assert await world.library(world.ada) == []


async def test_what_starts_nothing(world: World, make: Maker) -> None:
    database, before = world.database, [await world.library(one) for one in (world.ada, world.bob)]
    with pytest.raises(BadInput) as same:
        await world.start(to_id=world.ada.id)
    assert same.value.field == ("input", "toUserId")
    with pytest.raises(NotFound) as nobody:
        await world.start(from_id=new_id())
    assert nobody.value.field == ("input", "fromUserId")
    going = await make.user()
    await database.execute("UPDATE users SET deleted_at = now(), disabled_at = now() WHERE id = $1", going.id)
    with pytest.raises(NotFound):
        await world.start(to_id=going.id)
    async with database.unit() as unit:
        await set_quota(unit, world.bob.id, QuotaRow(max_bookmarks=6))
    assert (await world.start(dry_run=True)).bookmarks == 6
    with pytest.raises(Conflict, match="It has 4, which leaves room for 2, and 3 more are to come") as full:
        await world.start()
    assert full.value.field == ("input", "toUserId")
    for who in (world.bob, Viewer(world.bob.id, Role.ADMIN)):  # the second was one when the request began
        with pytest.raises(Forbidden):
            await world.start(who=who, dry_run=True)
    assert [await world.library(one) for one in (world.ada, world.bob)] == before
    assert (
        await database.fetchval("SELECT (SELECT count(*) FROM a2a_tasks) + (SELECT count(*) FROM audit_entries)") == 0
    )


async def test_one_at_a_time_and_once_for_a_key(world: World, make: Maker) -> None:
    third = await make.user()
    first = await world.start(key="k")
    again = await world.start(key="k")
    assert first.task is not None
    assert again.task is not None
    assert again.task.id == first.task.id
    for from_id, to_id in ((None, None), (world.bob.id, third.id), (None, third.id), (third.id, None)):
        with pytest.raises(Conflict, match="goes on"):
            await world.start(from_id=from_id, to_id=to_id)
    await world.database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", world.ada.id)
    await world.run()
    assert await world.library(world.bob) == EXPECTED
    assert (await world.start()).bookmarks == 0
    await world.run()
    assert [ended[3:] for ended in await world.ends()] == [ENDED[1:], (*ENDED[1:4], 0, 0, 0)]


async def test_a_full_account_keeps_what_came_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.transfers.moving.CHUNK_ROWS", 1)
    started = await world.start()
    async with world.database.unit() as unit:
        await set_quota(unit, world.bob.id, QuotaRow(max_bookmarks=5))
    await world.run()
    assert started.task is not None
    task = (await agents.get(world.database, world.root, started.task.id)).row
    assert task.status == "FAILED"
    assert task.error is not None
    assert "It has 5, which leaves room for 0" in task.error
    row = await rows.by_task(world.database, task.id)
    assert row is not None
    assert len(await world.library(world.ada)) == 6 - row.moved - row.merged - row.skipped
    assert await count_held(world.database, world.bob.id) == 4 + row.moved == 5
