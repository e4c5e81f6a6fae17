"""What an account may have, when the settings or an administrator say so."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from db import quotas as rows
from db.quotas import QuotaRow
from db.unit import Database
from kit.errors import Conflict
from kit.settings import BookmarkWorkflow, Settings
from services import bookmarks, quotas
from services.bookmarks import DuplicatePolicy
from services.permissions import Viewer
from services.quotas import Bounds, Quota
from tests.make import Maker

SETTINGS = Settings(new_bookmark_workflow=BookmarkWorkflow.NONE, max_storage_bytes_per_user=1_000)
UPLOAD = """
    INSERT INTO uploads (id, owner_id, file_name, size_bytes, sha256, detected_format, expires_at)
    VALUES (gen_random_uuid(), $1, 'f', $2, sha256(''), 'netscape-html', now() + $3 * interval '1 hour')
"""


async def bound(database: Database, user_id: UUID, quota: QuotaRow) -> None:
    async with database.unit() as unit:
        await rows.set_quota(unit, user_id, quota)


async def save(database: Database, viewer: Viewer, number: int) -> bool:
    given: bookmarks.BookmarkChanges = {"url": f"https://example.org/{number}"}
    try:
        async with database.unit() as unit:
            await bookmarks.create(unit, viewer, given, on_duplicate=DuplicatePolicy.ERROR, settings=SETTINGS)
    except Conflict as error:
        return not error.message.startswith("This account may have at most 3 bookmarks")
    return True


async def test_an_account_has_its_own_bounds_where_it_was_given_some(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    await bound(database, ada.id, QuotaRow(max_bookmarks=3, max_running_imports=0))
    assert await quotas.bounds_of(database, SETTINGS, ada.id) == Bounds(3, 1_000, 0)
    assert await quotas.bounds_of(database, SETTINGS, bob.id) == Bounds(1_000_000, 1_000, 4)
    await bound(database, ada.id, QuotaRow(max_storage_bytes=5))
    assert await quotas.bounds_of(database, SETTINGS, ada.id) == Bounds(1_000_000, 5, 4)


async def test_of_many_at_once_only_so_many_are_saved(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    await bound(database, ada.id, QuotaRow(max_bookmarks=3))
    saved = await asyncio.gather(*(save(database, ada, number) for number in range(8)))
    assert sorted(saved) == [False] * 5 + [True] * 3
    assert await database.fetchval("SELECT count(*) FROM bookmarks WHERE owner_id = $1", ada.id) == 3
    assert all([await save(database, bob, number) for number in range(4)])


async def test_storage_is_files_that_wait_and_pictures(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    shown = await make.bookmark(ada)
    await database.execute(UPLOAD, ada.id, 600, 1)
    await database.execute(UPLOAD, ada.id, 5_000, -1)
    await database.execute(UPLOAD, bob.id, 900, 1)
    await database.execute(
        "INSERT INTO screenshots (bookmark_id, owner_id, png, width, height, sha256)"
        " VALUES ($1, $2, decode(repeat('00', 300), 'hex'), 1, 1, sha256(''))",
        shown.id,
        ada.id,
    )
    seen = await quotas.quotas_of(database, SETTINGS, ada.id)
    assert (seen.bookmarks, seen.storage_bytes, seen.running_imports) == (
        Quota(1, 1_000_000),
        Quota(900, 1_000),
        Quota(0, 4),
    )
    async with database.unit() as unit:
        await quotas.check_storage(unit, SETTINGS, ada.id, 100)
        with pytest.raises(Conflict, match=r"may take up 1,000 bytes\. 900 are in use, and this has 101"):
            await quotas.check_storage(unit, SETTINGS, ada.id, 101)
    assert not await quotas.is_full(database, SETTINGS, ada.id)
    assert await quotas.is_full(database, replace(SETTINGS, max_storage_bytes_per_user=900), ada.id)


async def test_two_files_at_once_do_not_both_take_the_last_room(database: Database, make: Maker) -> None:
    ada = await make.viewer()

    async def upload() -> bool:
        try:
            async with database.unit() as unit:
                await quotas.check_storage(unit, SETTINGS, ada.id, 600)
                await unit.execute(UPLOAD, ada.id, 600, 1)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(upload() for _ in range(4)))) == [False, False, False, True]
