"""Checks that nobody asked for: of what is due, for those who want them, once."""

from datetime import timedelta

from db.bookmarks import BookmarkRow
from db.unit import Database
from kit.clock import utcnow
from kit.settings import Settings
from services.permissions import Viewer
from services.validation.observing import digest_of
from services.validation.rechecks import start_due
from services.validation.recording import Finding, record
from services.validation.schedule import intervals_of
from services.validation.states import LinkStatus, Observation
from tests.make import Maker


async def checked(database: Database, row: BookmarkRow, *, days_ago: float) -> None:
    """Let the link of a bookmark have been found so many days ago."""
    moment = utcnow() - timedelta(days=days_ago)
    finding = Finding(seen=Observation(LinkStatus.OK, moment), checked_at=moment, chance=0.0)
    async with database.unit() as unit:
        await record(
            unit, row.owner_id, row.id, digest_of(row.url), finding, intervals=intervals_of(Settings()), keep=9
        )


async def start(database: Database, limit: int = 100) -> int:
    """Start what is due."""
    async with database.unit() as unit:
        started, after = await start_due(unit, after=None, limit=limit)
    assert after is None
    return started


async def items(database: Database, viewer: Viewer) -> list[tuple[str, int, object]]:
    """The bookmarks that were made work of, with the workflow and priority of their task."""
    return [
        (row["workflow"], row["priority"], row["bookmark_id"])
        for row in await database.fetch(
            """
            SELECT t.workflow, t.priority, i.bookmark_id FROM a2a_task_items i JOIN a2a_tasks t ON t.id = i.task_id
            WHERE t.owner_id = $1 ORDER BY t.created_at, i.position
            """,
            viewer.id,
        )
    ]


async def test_what_is_due_and_what_was_never_checked(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    due, fresh, new, _ = [await make.bookmark(viewer) for _ in range(3)] + [await make.trashed(viewer)]
    await checked(database, due, days_ago=8)
    await checked(database, fresh, days_ago=6)
    assert await start(database) == 2
    assert await items(database, viewer) == [("VALIDATION_ONLY", -10, due.id), ("VALIDATION_ONLY", -10, new.id)]
    assert await start(database) == 0  # that work is not done yet
    await database.execute("UPDATE a2a_tasks SET status = 'COMPLETED'")
    assert await start(database) == 1  # the due one was put off by a day, lest it is started again and again


async def test_each_account_by_itself_and_only_who_wants_it(database: Database, make: Maker) -> None:
    one, other, unwilling, disabled = [await make.viewer() for _ in range(4)]
    for viewer in (one, other, unwilling, disabled):
        for _ in range(3):
            await make.bookmark(viewer)
    await database.execute("INSERT INTO agent_settings (owner_id, recheck_links) VALUES ($1, false)", unwilling.id)
    await database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", disabled.id)
    assert await start(database, limit=2) == 4
    assert [len(await items(database, viewer)) for viewer in (one, other, unwilling, disabled)] == [2, 2, 0, 0]
