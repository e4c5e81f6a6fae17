"""Bookmarks: one per address and owner, whatever happens at the same time, and nothing lost on the way."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from db import collections as places
from db import tags as labels
from db.shapes import related
from db.unit import Database
from kit.errors import BadInput, Conflict
from kit.ids import new_id
from kit.settings import BookmarkWorkflow, Settings
from services import bookmarks
from services.bookmarks import BookmarkChanges, DuplicatePolicy, Saved
from services.permissions import Viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot

URL = "https://example.com/page?b=2&a=1"
SAME = "http://EXAMPLE.com:80/page/?a=1&b=2&utm_source=x"


async def save(
    database: Database,
    viewer: Viewer,
    changes: BookmarkChanges,
    policy: DuplicatePolicy = DuplicatePolicy.RETURN_EXISTING,
    key: str | None = None,
    limit: int = 1_000_000,
) -> Saved:
    async with database.unit() as unit:
        return await bookmarks.create(
            unit,
            viewer,
            changes,
            on_duplicate=policy,
            settings=replace(Settings(new_bookmark_workflow=BookmarkWorkflow.NONE), max_bookmarks_per_user=limit),
            idempotency_key=key,
        )


async def update(database: Database, viewer: Viewer, key: UUID, changes: BookmarkChanges, at: int | None = None) -> Any:
    async with database.unit() as unit:
        return await bookmarks.update(unit, viewer, key, changes, expected_version=at)


async def tags_of(database: Database, viewer: Viewer, key: UUID) -> list[str]:
    return [tag.path for tag in (await related(database, labels.OF_BOOKMARK, viewer.id, [key], labels.WHOLE))[key]]


async def places_of(database: Database, viewer: Viewer, key: UUID) -> list[UUID]:
    return [one.id for one in (await related(database, places.OF_BOOKMARK, viewer.id, [key], places.WHOLE))[key]]


async def last_event(database: Database) -> Any:
    return await database.fetchval("SELECT payload FROM events ORDER BY seq DESC LIMIT 1")


async def test_everything_given_is_kept(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    place = await make.collection(ada)
    saved = await save(
        database,
        ada,
        {
            "url": f"  {URL}#top ",
            "title": " A\ttitle \n of lines ",
            "description": " one\n two ",
            "notes": "",
            "is_favorite": True,
            "is_unread": True,
            "tags": ["b", "a/x", "B"],
            "collection_ids": [place.id, place.id],
        },
    )
    row = saved.bookmark
    assert saved.created
    assert (row.url, row.canonical_url, row.domain) == (f"{URL}#top", f"{URL}#top", "example.com")
    assert (row.title, row.description, row.notes) == ("A title of lines", "one\n two", None)
    assert (row.is_favorite, row.is_archived, row.is_unread) == (True, False, True)
    assert (row.version, row.source, row.deleted_at, row.owner_id) == (1, "MANUAL", None, ada.id)
    assert await tags_of(database, ada, row.id) == ["a/x", "b"]
    assert await places_of(database, ada, row.id) == [place.id]
    words = await database.fetchrow("SELECT tag_words, url_words FROM bookmarks WHERE id = $1", row.id)
    assert dict(words or {}) == {"tag_words": "a x b", "url_words": "example com page"}
    assert await last_event(database) == {"change": "CREATED", "ids": [str(row.id)]}


async def test_returning_the_existing_changes_nothing(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    first = await save(database, ada, {"url": URL, "title": "First"})
    before = await snapshot(database)
    again = await save(database, ada, {"url": SAME, "title": "Second", "tags": ["new"], "is_favorite": True})
    assert again == Saved(first.bookmark, created=False)
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_refused_duplicate_changes_nothing(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await save(database, ada, {"url": URL})
    before = await snapshot(database)
    with pytest.raises(Conflict, match="is a bookmark already") as refused:
        await save(database, ada, {"url": SAME, "tags": ["new"]}, DuplicatePolicy.ERROR)
    assert refused.value.field == ("input", "url")
    assert changed_tables(before, await snapshot(database)) == set()


async def test_merging_fills_and_unites(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    one, two = await make.collection(ada, "One"), await make.collection(ada, "Two")
    first = await save(
        database,
        ada,
        {"url": URL, "title": "First", "notes": "mine", "tags": ["a"], "collection_ids": [one.id], "is_unread": True},
    )
    given: BookmarkChanges = {
        "url": SAME,
        "title": "Second",
        "description": "new",
        "notes": "more",
        "is_favorite": True,
        "is_unread": False,
        "tags": ["A", "b"],
        "collection_ids": [two.id],
    }
    merged = await save(database, ada, given, DuplicatePolicy.MERGE)
    expected = replace(
        first.bookmark,
        description="new",
        notes="mine\n\nmore",
        is_favorite=True,
        version=2,
        updated_at=merged.bookmark.updated_at,
    )
    assert merged == Saved(expected, created=False)
    assert await tags_of(database, ada, expected.id) == ["a", "b"]
    assert await places_of(database, ada, expected.id) == [one.id, two.id]
    assert await last_event(database) == {"change": "UPDATED", "ids": [str(expected.id)]}
    before = await snapshot(database)
    assert await save(database, ada, given, DuplicatePolicy.MERGE) == merged
    assert changed_tables(before, await snapshot(database)) == set()


async def test_updating_replaces_what_is_given(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    first = await save(database, ada, {"url": URL, "title": "First", "notes": "mine", "tags": ["a"]})
    given: BookmarkChanges = {"url": SAME, "title": "Second", "notes": None, "tags": ["b"]}
    updated = await save(database, ada, given, DuplicatePolicy.UPDATE)
    assert updated.bookmark == replace(
        first.bookmark, title="Second", notes=None, version=2, updated_at=updated.bookmark.updated_at
    )
    assert await tags_of(database, ada, first.bookmark.id) == ["b"]


async def test_merging_appends_a_note_once_and_never_takes_a_part_of_a_word_for_it(
    database: Database, make: Maker
) -> None:
    ada = await make.viewer()
    for note in ("n10", "n1", "n10", "two\n\nparts", "n1", "two\n\nparts", "parts"):
        merged = await save(database, ada, {"url": "https://example.org/noted", "notes": note}, DuplicatePolicy.MERGE)
    assert merged.bookmark.notes == "n10\n\nn1\n\ntwo\n\nparts"


@pytest.mark.parametrize("policy", [DuplicatePolicy.RETURN_EXISTING, DuplicatePolicy.MERGE, DuplicatePolicy.UPDATE])
async def test_saving_what_lies_in_the_trash_restores_it(
    database: Database, make: Maker, policy: DuplicatePolicy
) -> None:
    ada = await make.viewer()
    row = await make.trashed(ada, {"url": URL, "title": "Old"})
    saved = await save(database, ada, {"url": SAME, "title": "New"}, policy)
    assert not saved.created
    assert (saved.bookmark.id, saved.bookmark.deleted_at) == (row.id, None)
    assert saved.bookmark.title == ("New" if policy is DuplicatePolicy.UPDATE else "Old")
    assert await last_event(database) == {"change": "RESTORED", "ids": [str(row.id)]}


async def test_the_error_policy_leaves_the_trash_alone(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await make.trashed(ada, {"url": URL})
    before = await snapshot(database)
    with pytest.raises(Conflict, match="lies in the trash; restore it"):
        await save(database, ada, {"url": SAME}, DuplicatePolicy.ERROR)
    assert changed_tables(before, await snapshot(database)) == set()


@pytest.mark.parametrize("policy", list(DuplicatePolicy))
async def test_ten_at_once_make_one_bookmark(database: Database, make: Maker, policy: DuplicatePolicy) -> None:
    ada = await make.viewer()
    attempts = (save(database, ada, {"url": URL, "tags": ["x/y", f"t{n}"]}, policy) for n in range(10))
    done = await asyncio.gather(*attempts, return_exceptions=True)
    saved = [one for one in done if isinstance(one, Saved)]
    assert sum(one.created for one in saved) == 1
    assert len({one.bookmark.id for one in saved}) == 1
    refused = [one for one in done if not isinstance(one, Saved)]
    assert len(refused) == (9 if policy is DuplicatePolicy.ERROR else 0)
    assert all(isinstance(one, Conflict) for one in refused)
    assert await database.fetchval("SELECT count(*) FROM bookmarks") == 1


async def test_two_owners_each_have_theirs(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    first, second = await save(database, ada, {"url": URL}), await save(database, bob, {"url": URL})
    assert first.created
    assert second.created
    assert first.bookmark.id != second.bookmark.id


async def test_a_repeated_request_makes_one(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    given: BookmarkChanges = {"url": URL, "tags": ["a"]}
    done = await asyncio.gather(*(save(database, ada, given, key="k") for _ in range(5)))
    assert [one.created for one in done] == [True] * 5
    assert len({one.bookmark.id for one in done}) == 1
    assert await database.fetchval("SELECT count(*) FROM events") == 1
    with pytest.raises(Conflict, match="used for another request"):
        await save(database, ada, {"url": URL, "tags": ["b"]}, key="k")


async def test_a_repeated_request_whose_bookmark_is_gone_says_so(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    first = await save(database, ada, {"url": URL}, key="k")
    async with database.unit() as unit:
        await bookmarks.delete(unit, ada, [first.bookmark.id], permanently=True)
    with pytest.raises(Conflict, match="has been removed since"):
        await save(database, ada, {"url": URL}, key="k")


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"url": "javascript:alert(1)"}, "url", "only http and https can be opened"),
        ({"url": ""}, "url", "The address is empty."),
        ({"url": "https://a.example/\0x"}, "url", "NUL"),
        ({"url": "https://a.example/" + "x" * 9_000}, "url", "longer than 8192 bytes"),
        ({"url": f"https://{'a.' * 126}aa/"}, "url", "The host name is longer than 253 characters."),
        ({"url": URL, "title": "x" * 2_001}, "title", "A title has at most 2,000 characters; this one has 2,001."),
        ({"url": URL, "title": "a\0b"}, "title", "A title contains a NUL character"),
        ({"url": URL, "description": "\ud800"}, "description", "half of a surrogate pair"),
        ({"url": URL, "notes": "x" * 100_001}, "notes", "A note has at most 100,000"),
        ({"url": URL, "tags": ["ok", "x" * 10_000]}, "tags", "A tag has at most 2,000 characters"),
        ({"url": URL, "tags": [str(n) for n in range(101)]}, "tags", "A bookmark has at most 100 tags."),
        ({"url": URL, "collection_ids": [new_id()] * 101}, "collectionIds", "in at most 100 collections"),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(
    database: Database, make: Maker, changes: BookmarkChanges, field: str, says: str
) -> None:
    ada = await make.viewer()
    before = await snapshot(database)
    with pytest.raises(BadInput) as refused:
        await save(database, ada, changes)
    assert says in refused.value.message
    assert refused.value.field == ("input", field)
    assert changed_tables(before, await snapshot(database)) == set()


async def test_an_update_changes_what_is_given_and_nothing_else(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada, {"url": URL, "title": "T", "description": "D", "notes": "N", "tags": ["a"]})
    aside = await make.bookmark(ada, {"url": "https://aside.example/"})
    after = await update(database, ada, row.id, {"title": "New", "notes": None}, at=1)
    assert after == replace(row, title="New", notes=None, version=2, updated_at=after.updated_at)
    assert after.updated_at > row.updated_at
    assert await tags_of(database, ada, row.id) == ["a"]
    assert await bookmarks.get(database, ada, aside.id) == aside
    assert await last_event(database) == {"change": "UPDATED", "ids": [str(row.id)]}


async def test_an_update_to_the_same_changes_nothing(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada, {"url": URL, "title": "T", "tags": ["a"]})
    before = await snapshot(database)
    assert await update(database, ada, row.id, {"url": URL, "title": " T ", "tags": ["A"], "is_favorite": False}) == row
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_stale_version_is_refused(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada)
    done = await asyncio.gather(
        *(update(database, ada, row.id, {"title": f"t{n}"}, at=1) for n in range(5)), return_exceptions=True
    )
    refused = [one for one in done if isinstance(one, Conflict)]
    assert len(refused) == 4
    assert {one.message for one in refused} == {"This bookmark has been changed: it is at version 2, not 1."}
    assert {one.field for one in refused} == {("input", "expectedVersion")}


async def test_another_address_moves_the_key(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada, {"url": URL})
    taken = await make.bookmark(ada, {"url": "https://taken.example/"})
    after = await update(database, ada, row.id, {"url": "https://new.example/there"})
    assert (after.url, after.canonical_url, after.domain) == (*["https://new.example/there"] * 2, "new.example")
    assert (await save(database, ada, {"url": URL})).created
    found = await bookmarks.by_url(database, ada, "http://new.example/there/")
    assert found == after
    before = await snapshot(database)
    with pytest.raises(Conflict, match="Another bookmark has this address already"):
        await update(database, ada, row.id, {"url": taken.url, "tags": ["new"]})
    assert changed_tables(before, await snapshot(database)) == set()
