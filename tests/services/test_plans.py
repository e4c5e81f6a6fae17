"""No list of a large account reads a whole table, whatever its order, its filter, its page and its shape.

Two accounts of very different size share the tables, so that the planner's statistics fit neither. Every statement is
planned for the values at hand and for any values, because a prepared statement may end with either plan.

Two things are allowed. A filter that hardly anything meets is looked for along an index up to the end of the account.
And `totalCount` reads all that it counts, by whatever plan; it is asked only where it is selected.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from db import bookmarks, collections, events, imports, tags
from db.bookmarks import BookmarkFilter, BookmarkSort, Home, Slice
from db.collections import CollectionFilter, CollectionSort
from db.imports import chunks
from db.shapes import Identity, Member, Printed, Shape, Source, by_keys, related
from db.tags import TagFilter, TagSort
from tests.accounts import LARGE, SMALL, Account, large_and_small
from tests.explained import Explained, Plan

LIMIT = 51
BIG = {"bookmarks", "bookmark_tags", "bookmark_collections", "events", "import_rows"}
"""Tables that grow with the accounts; only these must never be read as a whole."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def accounts(server_dsn: str, worker_id: str) -> AsyncIterator[list[Account]]:
    """A large and a small account, made once for all these tests, which only read."""
    async with large_and_small(server_dsn, f"graphmark_plans_{worker_id}_{os.getpid()}") as made:
        yield made


def shown(kind: str, source: Source, *columns: str, relations: tuple[Member, ...] = ()) -> Printed:
    """Return a selection of an id, columns and relations."""
    values = source.values
    return Printed((Member("id", Identity(kind)), *(Member(name, values[name]) for name in columns), *relations))


TAG = shown("Tag", tags.SOURCE, "name", "path", "color")
PLACE = shown("Collection", collections.SOURCE, "name")
BOOKMARK = shown(
    "Bookmark",
    bookmarks.SOURCE,
    "url",
    "title",
    "added_at",
    relations=(Member("tags", tags.OF_BOOKMARK, TAG), Member("collections", collections.OF_BOOKMARK, PLACE)),
)
BOOKMARK_SHAPES: tuple[Shape[Any], ...] = (bookmarks.WHOLE, BOOKMARK)
NESTED = (Member("children", tags.CHILDREN, TAG), Member("parent", tags.PARENT, TAG))
TAG_SHAPES: tuple[Shape[Any], ...] = (tags.WHOLE, shown("Tag", tags.SOURCE, "path", relations=NESTED))
COUNT = bookmarks.count_under(Home.COLLECTION)
PLACES = shown(
    "Collection",
    collections.SOURCE,
    "name",
    relations=(
        Member("children", collections.CHILDREN, PLACE),
        Member("count", bookmarks.count_under(Home.COLLECTION)),
    ),
)
COUNTED = shown("Tag", tags.SOURCE, "name", relations=(Member("count", bookmarks.count_under(Home.TAG)),))
IMPORTS = shown("Import", imports.SOURCE, "status", "created")
POSITIONS = {
    BookmarkSort.ADDED_AT: "added_at",
    BookmarkSort.CREATED_AT: "created_at",
    BookmarkSort.UPDATED_AT: "updated_at",
    BookmarkSort.TITLE: "left(lower(title), 100)",
    BookmarkSort.DOMAIN: "domain",
    BookmarkSort.DELETED_AT: "deleted_at",
}
OF_LIVE = [sort for sort in BookmarkSort if sort is not BookmarkSort.DELETED_AT]


_FILTERS = [item.name for item in fields(BookmarkFilter) if item.default is None]


def assert_no_scan(plans: list[Plan]) -> None:
    """Assert that no large table was read as a whole."""
    assert plans
    for plan in plans:
        assert not plan.scanned() & BIG, str(plan)


async def middle(account: Account, sort: BookmarkSort, *, in_trash: bool = False) -> tuple[Any, UUID]:
    """Return the place of a bookmark in the middle of an order."""
    value = POSITIONS[sort]
    row = await account.connection.fetchrow(
        f"""
        SELECT {value}, id FROM bookmarks WHERE owner_id = $1 AND deleted_at IS {"NOT NULL" if in_trash else "NULL"}
        ORDER BY {value}, id LIMIT 1 OFFSET (SELECT count(*) / 40 FROM bookmarks WHERE owner_id = $1)
        """,
        account.id,
    )
    assert row is not None
    return row[0], row[1]


async def listed(account: Account, wanted: BookmarkFilter, sorts: Sequence[BookmarkSort]) -> list[Plan]:
    """Return the plans of first and deep pages in each of the orders, both ways, as rows and as printed."""
    explained = Explained(account.connection)
    for sort in sorts:
        place = await middle(account, sort, in_trash=wanted.in_trash)
        for descending, position, shape in (
            (True, None, bookmarks.WHOLE),
            (False, None, BOOKMARK),
            (True, place, BOOKMARK),
            (False, place, bookmarks.WHOLE),
        ):
            cut = Slice(sort, descending=descending, position=position, backward=False, limit=LIMIT)
            await bookmarks.page(explained, account.id, wanted, cut, shape)
    return explained.plans


async def test_a_scan_would_be_seen(accounts: list[Account]) -> None:
    explained = Explained(accounts[0].connection, is_answering=True)
    assert await explained.fetchval("SELECT count(summary) FROM bookmarks WHERE title <> $1", "none") == 0
    assert [plan.scanned() for plan in explained.plans] == [{"bookmarks"}] * 2
    assert [plan.read("bookmarks") for plan in explained.plans] == [LARGE + SMALL] * 2
    with pytest.raises(AssertionError):
        assert_no_scan(explained.plans)


async def test_every_order_is_read_in_the_order_of_an_index(accounts: list[Account]) -> None:
    for account in accounts:
        plans = await listed(account, BookmarkFilter(), OF_LIVE)
        plans += await listed(account, BookmarkFilter(in_trash=True), [BookmarkSort.DELETED_AT])
        assert_no_scan(plans)
        for plan in plans:
            assert plan.read("bookmarks") <= LIMIT, str(plan)


@pytest.mark.parametrize(
    ("wanted", "most"),
    [
        (BookmarkFilter(is_favorite=True), 20 * LIMIT),
        (BookmarkFilter(is_unread=True), 20 * LIMIT),
        (BookmarkFilter(is_archived=False), 20 * LIMIT),
        (BookmarkFilter(is_tagged=False), 20 * LIMIT),
        (BookmarkFilter(source="MANUAL"), 20 * LIMIT),
        (BookmarkFilter(domain="domain7"), LARGE // 100),
        (BookmarkFilter(domain="nowhere.example"), LARGE // 100),
        (BookmarkFilter(added_after=datetime(2021, 1, 1, tzinfo=UTC)), LARGE),
        (BookmarkFilter(in_trash=True), LARGE // 10),
        (BookmarkFilter(is_archived=True), LARGE),
        (BookmarkFilter(title_contains="beef"), LARGE),
    ],
    ids=lambda value: ",".join(name for name in _FILTERS if getattr(value, name, None) is not None) or None,
)
async def test_filters_of_bookmarks(accounts: list[Account], wanted: BookmarkFilter, most: int) -> None:
    for account in accounts:
        plans = await listed(account, wanted, OF_LIVE)
        assert_no_scan(plans)
        for plan in plans:
            assert plan.read("bookmarks") <= most, (plan.read("bookmarks"), str(plan))


@pytest.mark.parametrize("number", [1, 77])
@pytest.mark.parametrize("kind", ["collection", "branch", "tag", "tags"])
async def test_bookmarks_of_a_collection_or_a_tag(accounts: list[Account], kind: str, number: int) -> None:
    for account in accounts:
        key = await account.key("tag" if kind == "tags" else kind.replace("branch", "collection"), number)
        other = await account.key("tag", 3)
        wanted = {
            "collection": BookmarkFilter(collection_id=key),
            "branch": BookmarkFilter(collection_id=key, include_descendants=True),
            "tag": BookmarkFilter(any_tag_ids=(key, other)),
            "tags": BookmarkFilter(all_tag_ids=((key,), (other,))),
        }[kind]
        assert_no_scan(await listed(account, wanted, OF_LIVE))


@pytest.mark.parametrize("home", Home)
@pytest.mark.parametrize("shape", BOOKMARK_SHAPES, ids=["rows", "printed"])
async def test_pages_under_collections_and_tags(accounts: list[Account], home: Home, shape: Shape[Any]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        place = await middle(account, BookmarkSort.ADDED_AT)
        wanted = BookmarkFilter()
        for numbers in ([1], [3], [*range(1, 21)]):
            keys = [await account.key(home.value, number) for number in numbers]
            for position in (None, place):
                cut = Slice(BookmarkSort.ADDED_AT, descending=True, position=position, backward=False, limit=LIMIT)
                await bookmarks.pages_under(explained, account.id, home, keys, wanted=wanted, cut=cut, shape=shape)
            await bookmarks.counts_under(explained, account.id, home, keys, wanted)
        assert_no_scan(explained.plans)


async def test_tags_collections_and_imports(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        tag_place: dict[TagSort, Any] = {TagSort.PATH: "tag5", TagSort.CREATED_AT: datetime.now(UTC)}
        for sort in TagSort:
            for position in (None, (tag_place[sort], await account.key("tag", 5))):
                for shape in TAG_SHAPES:
                    for wanted in (TagFilter(), TagFilter(roots_only=True), TagFilter(path_contains="7")):
                        await tags.page(
                            *(explained, account.id, wanted),
                            sort=sort,
                            descending=False,
                            position=position,
                            limit=LIMIT,
                            shape=shape,
                        )
        for order in CollectionSort:
            for under in (CollectionFilter(), CollectionFilter(parent_id=await account.key("collection"))):
                await collections.page(
                    explained, account.id, under, sort=order, descending=True, position=None, limit=LIMIT, shape=PLACES
                )
        for statuses in (None, ["PENDING"]):
            for key in (None, await account.key("import", 9)):
                await imports.page(
                    explained, account.id, statuses=statuses, position=key, backward=False, limit=LIMIT, shape=IMPORTS
                )
        assert_no_scan(explained.plans)


async def test_objects_by_their_ids_and_what_belongs_to_them(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        marks = [await account.key("bookmark", number) for number in range(1, 101)]
        for keys in (marks[:1], marks):
            for shape in BOOKMARK_SHAPES:
                await by_keys(explained, bookmarks.SOURCE, account.id, keys, shape)
            await related(explained, tags.OF_BOOKMARK, account.id, keys, tags.WHOLE)
            await related(explained, collections.OF_BOOKMARK, account.id, keys, PLACE)
        await by_keys(explained, tags.SOURCE, account.id, [await account.key("tag")], COUNTED)
        await bookmarks.by_url_key(explained, account.id, b"0" * 16, BOOKMARK)
        assert_no_scan(explained.plans)
        for plan in explained.plans[: 2 * len(BOOKMARK_SHAPES)]:
            assert plan.read("bookmarks") == 1, str(plan)


async def test_events_after_a_cursor(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection, is_answering=True)
        for seq in (0, SMALL // 2, LARGE - 10):
            for topic, subject in (("bookmark.changed", None), ("import.progress", await account.key("import", 10))):
                await events.after(explained, account.id, topic, seq, subject_id=subject, limit=LIMIT)
                await events.page(explained, account.id, topic, seq, subject_id=subject, limit=LIMIT)
        await events.horizon(explained, account.id)
        assert_no_scan(explained.plans)
        for plan in explained.plans:
            assert plan.read("events") <= LARGE // 10, str(plan)


async def test_the_rows_of_an_import(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        for number in (1, 5):
            key = await account.key("import", number)
            for outcomes in (None, ["CREATED"], ["ERROR"]):
                for position, backward in ((None, False), (LARGE // 2, False), (LARGE // 2, True)):
                    await imports.fates_page(
                        explained, key, outcomes=outcomes, position=position, backward=backward, limit=LIMIT
                    )
                    for plan in explained.plans[-2:]:
                        assert plan.read("import_rows") <= (LARGE if outcomes == ["ERROR"] else 2 * LIMIT), str(plan)
            await chunks.states(explained, account.id, [b"0" * 16])
        assert_no_scan(explained.plans)
