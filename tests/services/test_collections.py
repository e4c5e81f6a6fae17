"""Collections: a tree that stays one, whoever moves what at the same time, and whose bookmarks are never lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db import collections as rows_of
from db.bookmarks import BookmarkFilter, Home
from db.collections import CollectionFilter, CollectionRow
from db.shapes import related
from db.unit import Database, Unit
from kit.errors import BadInput, Conflict, ErrorCode, NotFound
from kit.ids import new_id
from services import bookmarks, collections
from services.collections import NewCollection
from services.permissions import Viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot


async def create(database: Database, viewer: Viewer, **given: Any) -> CollectionRow:
    async with database.unit() as unit:
        return await collections.create(unit, viewer, NewCollection(**given), idempotency_hours=24)


async def move(
    database: Database, viewer: Viewer, key: UUID, parent_id: UUID | None, position: int | None = None
) -> CollectionRow:
    async with database.unit() as unit:
        return await collections.move(unit, viewer, key, parent_id=parent_id, position=position)


async def tree(database: Database, parent: UUID | None = None) -> dict[str, Any]:
    """Return names nested in names, siblings in their order."""
    found = await database.fetch(
        "SELECT id, name FROM collections WHERE parent_id IS NOT DISTINCT FROM $1 ORDER BY position, id", parent
    )
    return {row["name"]: await tree(database, row["id"]) for row in found}


async def chain(database: Database, viewer: Viewer, length: int) -> list[UUID]:
    keys: list[UUID] = []
    for number in range(length):
        row = await create(database, viewer, name=str(number), parent_id=keys[-1] if keys else None)
        keys.append(row.id)
    return keys


async def last_event(database: Database) -> Any:
    return await database.fetchval("SELECT payload FROM events ORDER BY seq DESC LIMIT 1")


async def test_everything_given_is_kept(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await create(
        database, ada, name="  Über\tuns / Ω ", description=" d ", color="#ABCDEF", icon=" \U0001f4da ", position=9
    )
    assert (row.name, row.slug, row.description) == ("Über uns / Ω", "über-uns-ω", "d")
    assert (row.color, row.icon, row.position, row.parent_id) == ("#abcdef", "\U0001f4da", 0, None)
    assert (row.is_smart, row.query, row.owner_id) == (False, None, ada.id)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"name": ""}, "name", "A collection's name needs at least one visible character."),
        ({"name": " \u200b\n"}, "name", "A collection's name needs at least one visible character."),
        ({"name": "x" * 201}, "name", "A collection's name has at most 200 characters; this one has 201."),
        ({"name": "a\0"}, "name", "A collection's name contains a NUL character or half of a surrogate pair."),
        ({"name": "a", "color": "red"}, "color", "A colour is written like #1e90ff."),
        ({"name": "a", "icon": "x" * 65}, "icon", "An icon has at most 64 characters; this one has 65."),
        ({"name": "a", "description": "x" * 20_001}, "description", "A description has at most 20,000 characters"),
        ({"name": "a", "position": -1}, "position", "`position` counts from 0."),
    ],
)
async def test_bad_input_names_its_field(
    database: Database, make: Maker, given: dict[str, Any], field: str, says: str
) -> None:
    ada = await make.viewer()
    before = await snapshot(database)
    with pytest.raises(BadInput) as refused:
        await create(database, ada, **given)
    assert refused.value.message.startswith(says)
    assert refused.value.field == ("input", field)
    assert changed_tables(before, await snapshot(database)) == set()


async def test_siblings_keep_their_order(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    rows = {name: await make.collection(ada, name) for name in "abcd"}
    assert list(await tree(database)) == ["a", "b", "c", "d"]
    await create(database, ada, name="e", position=1)
    assert list(await tree(database)) == ["a", "e", "b", "c", "d"]
    await move(database, ada, rows["d"].id, None, 0)
    assert list(await tree(database)) == ["d", "a", "e", "b", "c"]
    await move(database, ada, rows["d"].id, None)
    assert list(await tree(database)) == ["a", "e", "b", "c", "d"]
    async with database.unit() as unit:
        await collections.reposition(unit, ada, rows["c"].id, position=100)
    assert list(await tree(database)) == ["a", "e", "b", "d", "c"]


async def test_moving_takes_everything_below_along(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    keys = await chain(database, ada, 3)
    home = await make.collection(ada, "home")
    before = await snapshot(database)
    row = await move(database, ada, keys[1], home.id)
    assert row.parent_id == home.id
    assert await tree(database) == {"0": {}, "home": {"1": {"2": {}}}}
    after = await snapshot(database)
    assert changed_tables(before, after) == {"collections"}
    changed = [new["id"] for old, new in zip(before["collections"], after["collections"], strict=True) if old != new]
    assert changed == [keys[1]]


@pytest.mark.parametrize("target", [0, 1, 3])
async def test_nothing_moves_below_itself(database: Database, make: Maker, target: int) -> None:
    ada = await make.viewer()
    keys = await chain(database, ada, 4)
    before = await snapshot(database)
    with pytest.raises(BadInput, match="cannot be moved into itself or a collection below it") as refused:
        await move(database, ada, keys[0], keys[target])
    assert refused.value.field == ("input", "parentId")
    assert changed_tables(before, await snapshot(database)) == set()


async def test_opposite_moves_at_once_never_make_a_circle(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    rows = [await make.collection(ada, str(number)) for number in range(4)]
    for _ in range(5):
        moves = [move(database, ada, rows[n].id, rows[(n + 1) % 4].id) for n in range(4)]
        done = await asyncio.gather(*moves, return_exceptions=True)
        assert sum(isinstance(one, BadInput) for one in done) == 1
        reached = await database.fetchval(
            """
            WITH RECURSIVE below AS (
                SELECT id FROM collections WHERE parent_id IS NULL
                UNION ALL SELECT c.id FROM collections c JOIN below ON c.parent_id = below.id
            ) SELECT count(*) FROM below
            """
        )
        assert reached == 4
        for row in rows:
            await move(database, ada, row.id, None)


async def test_the_tree_is_at_most_32_deep(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    keys = await chain(database, ada, 32)
    pair = await chain(database, ada, 2)
    before = await snapshot(database)
    with pytest.raises(BadInput, match="nested at most 32 deep"):
        await create(database, ada, name="x", parent_id=keys[31])
    with pytest.raises(BadInput, match="nested at most 32 deep"):
        await move(database, ada, pair[0], keys[30])
    assert changed_tables(before, await snapshot(database)) == set()
    await move(database, ada, pair[0], keys[29])


async def test_deleting_moves_the_children_up_in_their_order(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    _, gone, _ = [await make.collection(ada, name) for name in "abc"]
    for name in "xy":
        await make.collection(ada, name, parent=gone)
    inside = await make.bookmark(ada, {"collection_ids": [gone.id]})
    async with database.unit() as unit:
        assert await collections.delete(unit, ada, gone.id, with_children=False) == [gone.id]
    assert await tree(database) == {"a": {}, "x": {}, "y": {}, "c": {}}
    assert await last_event(database) == {"change": "UPDATED", "ids": [str(inside.id)]}
    after = await snapshot(database)
    assert [row["id"] for row in after["bookmarks"]] == [inside.id]
    assert after["bookmark_collections"] == []


async def test_deleting_with_children_keeps_the_bookmarks(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    top = await make.collection(ada, "top")
    low = await make.collection(ada, "low", parent=top)
    kept = await make.collection(ada, "kept")
    inside = await make.bookmark(ada, {"collection_ids": [low.id, kept.id]})
    async with database.unit() as unit:
        assert await collections.delete(unit, ada, top.id, with_children=True) == [top.id, low.id]
    assert await tree(database) == {"kept": {}}
    found = await related(database, rows_of.OF_BOOKMARK, ada.id, [inside.id], rows_of.WHOLE)
    assert [row.id for row in found[inside.id]] == [kept.id]


async def test_bookmarks_go_in_and_out(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    place = await make.collection(ada)
    one, two = await make.bookmark(ada), await make.bookmark(ada)
    stranger = new_id()
    async with database.unit() as unit:
        row, moved, missing = await collections.add_bookmarks(unit, ada, place.id, [two.id, stranger, one.id])
    assert (row, moved) == (place, [one.id, two.id])
    assert [(item.index, item.reason.code) for item in missing] == [(1, ErrorCode.NOT_FOUND)]
    assert await last_event(database) == {"change": "UPDATED", "ids": [str(one.id), str(two.id)]}
    assert await database.fetchval("SELECT version FROM bookmarks WHERE id = $1", one.id) == 2
    before = await snapshot(database)
    async with database.unit() as unit:
        assert (await collections.add_bookmarks(unit, ada, place.id, [one.id]))[1:] == ([], [])
    assert changed_tables(before, await snapshot(database)) == set()
    async with database.unit() as unit:
        assert (await collections.remove_bookmarks(unit, ada, place.id, [one.id]))[1:] == ([one.id], [])
    counts = await bookmarks.counts_under(database, ada, Home.COLLECTION, [place.id], BookmarkFilter())
    assert counts == {place.id: 1}


async def test_a_bookmark_lies_in_at_most_a_hundred(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    bookmark = await make.bookmark(ada)
    keys = [(await make.collection(ada, str(number))).id for number in range(101)]
    async with database.unit() as unit:
        await rows_of.add_links(unit, [bookmark.id], keys[:100])
    before = await snapshot(database)
    with pytest.raises(Conflict, match="at most 100 collections"):
        async with database.unit() as unit:
            await collections.add_bookmarks(unit, ada, keys[100], [bookmark.id])
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_repeated_request_makes_one(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    done = await asyncio.gather(*(create(database, ada, name="a", idempotency_key="k") for _ in range(4)))
    assert len({row.id for row in done}) == 1
    assert await collections.count(database, ada, CollectionFilter()) == 1
    with pytest.raises(Conflict, match="used for another request"):
        await create(database, ada, name="b", idempotency_key="k")


async def test_a_strangers_collections_do_not_exist(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    theirs, mine = await make.collection(bob), await make.collection(ada)
    bookmark, their_bookmark = await make.bookmark(ada), await make.bookmark(bob)
    before = await snapshot(database)
    assert await collections.get(database, ada, theirs.id) is None
    attempts: list[Callable[[Unit], Awaitable[object]]] = [
        lambda unit: collections.update(unit, ada, theirs.id, {"name": "x"}),
        lambda unit: collections.move(unit, ada, theirs.id, parent_id=None, position=None),
        lambda unit: collections.reposition(unit, ada, theirs.id, position=0),
        lambda unit: collections.move(unit, ada, mine.id, parent_id=theirs.id, position=None),
        lambda unit: collections.delete(unit, ada, theirs.id, with_children=True),
        lambda unit: collections.add_bookmarks(unit, ada, theirs.id, [bookmark.id]),
        lambda unit: collections.remove_bookmarks(unit, ada, theirs.id, [bookmark.id]),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound, match=r"^There is no such collection\.$"):
            async with database.unit() as unit:
                await attempt(unit)
    with pytest.raises(NotFound):
        await create(database, ada, name="x", parent_id=theirs.id)
    async with database.unit() as unit:
        _, moved, missing = await collections.add_bookmarks(unit, ada, mine.id, [their_bookmark.id])
    assert (moved, [item.index for item in missing]) == ([], [0])
    assert changed_tables(before, await snapshot(database)) == set()


async def test_adding_while_the_collection_is_deleted_is_one_or_the_other(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    for _ in range(5):
        place, bookmark = await make.collection(ada), await make.bookmark(ada)

        async def add(key: UUID = place.id, inside: UUID = bookmark.id) -> None:
            async with database.unit() as unit:
                await collections.add_bookmarks(unit, ada, key, [inside])

        async def delete(key: UUID = place.id) -> None:
            async with database.unit() as unit:
                await collections.delete(unit, ada, key, with_children=False)

        done = await asyncio.gather(add(), delete(), return_exceptions=True)
        assert done[1] is None
        assert done[0] is None or isinstance(done[0], NotFound)
        assert await database.fetchval("SELECT count(*) FROM bookmark_collections") == 0
