"""Bookmarks that are deleted: into the trash, out of it, gone for ever; and what is not there for others."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from db.bookmarks import BookmarkFilter
from db.unit import Database, Unit
from kit.errors import BadInput, Conflict, ErrorCode, NotFound
from kit.ids import new_id
from services import bookmarks
from tests.make import Maker
from tests.services.test_bookmarks import URL, last_event, tags_of, update
from tests.snapshot import changed_tables, snapshot


async def test_deleting_moves_to_the_trash_and_restoring_brings_back(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    one, two = await make.bookmark(ada, {"tags": ["a"]}), await make.bookmark(ada)
    stranger = new_id()
    async with database.unit() as unit:
        done, missing = await bookmarks.delete(unit, ada, [one.id, stranger, two.id], permanently=False)
    assert done == sorted([one.id, two.id])
    assert [(item.index, item.reason.code) for item in missing] == [(1, ErrorCode.NOT_FOUND)]
    assert await last_event(database) == {"change": "DELETED", "ids": [str(one.id), str(two.id)]}
    assert await bookmarks.count(database, ada, BookmarkFilter()) == 0
    assert await bookmarks.count(database, ada, BookmarkFilter(in_trash=True)) == 2
    assert await bookmarks.by_url(database, ada, one.url) is None
    before = await snapshot(database)
    async with database.unit() as unit:
        assert await bookmarks.delete(unit, ada, [one.id], permanently=False) == ([one.id], [])
    assert changed_tables(before, await snapshot(database)) == set()
    async with database.unit() as unit:
        found, missing = await bookmarks.restore(unit, ada, [stranger, one.id])
    assert [(row.id, row.deleted_at, row.version) for row in found] == [(one.id, None, 3)]
    assert [item.index for item in missing] == [0]
    assert await tags_of(database, ada, one.id) == ["a"]
    assert await last_event(database) == {"change": "RESTORED", "ids": [str(one.id)]}


async def test_deleting_for_ever_removes_links_and_nothing_else(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    place = await make.collection(ada)
    kept = await make.bookmark(ada, {"tags": ["a"], "collection_ids": [place.id]})
    gone = await make.bookmark(ada, {"tags": ["a"], "collection_ids": [place.id]})
    async with database.unit() as unit:
        assert await bookmarks.delete(unit, ada, [gone.id], permanently=True) == ([gone.id], [])
    after = await snapshot(database)
    assert [row["id"] for row in after["bookmarks"]] == [kept.id]
    assert [row["bookmark_id"] for row in after["bookmark_tags"]] == [kept.id]
    assert [row["bookmark_id"] for row in after["bookmark_collections"]] == [kept.id]
    assert len(after["tags"]) == len(after["collections"]) == 1
    assert await last_event(database) == {"change": "PURGED", "ids": [str(gone.id)]}


async def test_emptying_the_trash_leaves_the_living_and_the_others(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    kept, gone, theirs = await make.bookmark(ada), await make.trashed(ada), await make.trashed(bob)
    async with database.unit() as unit:
        assert await bookmarks.empty_trash(unit, ada) == 1
    assert {row["id"] for row in (await snapshot(database))["bookmarks"]} == {kept.id, theirs.id}
    assert await last_event(database) == {"change": "PURGED", "ids": [str(gone.id)]}
    async with database.unit() as unit:
        assert await bookmarks.empty_trash(unit, ada) == 0


async def test_what_lay_in_the_trash_for_long_goes_and_its_owners_are_told(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    old = [await make.trashed(ada, {"url": f"https://{name}.example/"}) for name in "ab"]
    his = await make.trashed(bob)
    await database.execute("UPDATE bookmarks SET deleted_at = now() - interval '31 days'")
    young = await make.trashed(ada, {"url": "https://young.example/"})
    kept = await make.bookmark(ada, {"url": "https://kept.example/"})
    async with database.unit() as unit:
        assert await bookmarks.purge_old(unit, older_than_days=30, limit=10) == 3
    left = {row["id"] for row in await database.fetch("SELECT id FROM bookmarks")}
    assert left == {young.id, kept.id}
    told = await database.fetch("SELECT owner_id, payload FROM events WHERE payload->>'change' = 'PURGED'")
    assert {row["owner_id"]: row["payload"]["ids"] for row in told} == {
        ada.id: sorted(str(row.id) for row in old),
        bob.id: [str(his.id)],
    }
    async with database.unit() as unit:
        assert await bookmarks.purge_old(unit, older_than_days=30, limit=10) == 0


async def test_a_purge_of_many_names_none(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await database.execute(
        """
        INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain, deleted_at)
        SELECT gen_random_uuid(), $1, 'u', 'u', decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 'd', now()
        FROM generate_series(1, 2500) AS n
        """,
        ada.id,
    )
    async with database.unit() as unit:
        assert await bookmarks.empty_trash(unit, ada) == 2_500
    assert await last_event(database) == {"change": "PURGED", "ids": [], "resync": True}


async def test_what_lies_in_the_trash_is_not_edited(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.trashed(ada)
    before = await snapshot(database)
    with pytest.raises(Conflict, match="lies in the trash; restore it first"):
        await update(database, ada, row.id, {"title": "x", "tags": ["new"]})
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_strangers_bookmarks_do_not_exist(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    theirs, mine = await make.bookmark(bob, {"url": URL}), await make.bookmark(ada)
    place = await make.collection(bob)
    before = await snapshot(database)
    assert await bookmarks.get(database, ada, theirs.id) is None
    assert await bookmarks.by_url(database, ada, URL) is None
    for attempt, field in (
        (update(database, ada, theirs.id, {"title": "x", "tags": ["new"]}), ("input", "id")),
        (update(database, ada, mine.id, {"collection_ids": [place.id]}), ("input", "collectionIds", "0")),
    ):
        with pytest.raises(NotFound) as refused:
            await attempt
        assert refused.value.field == field
    many: list[Callable[[Unit], Awaitable[Any]]] = [
        lambda unit: bookmarks.delete(unit, ada, [theirs.id], permanently=True),
        lambda unit: bookmarks.delete(unit, ada, [theirs.id], permanently=False),
        lambda unit: bookmarks.restore(unit, ada, [theirs.id]),
    ]
    for act in many:
        async with database.unit() as unit:
            done, missing = await act(unit)
        assert (done, [item.index for item in missing]) == ([], [0])
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_list_of_ids_is_bounded(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    async with database.unit() as unit:
        for keys in ([], [new_id()] * 1_001):
            with pytest.raises(BadInput, match=r"Between 1 and 1,000 ids are expected"):
                await bookmarks.delete(unit, ada, keys, permanently=False)
