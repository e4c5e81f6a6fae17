"""Tags: any spelling finds them, all levels exist, and what is renamed or merged takes everything along."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from db import tags as rows_of
from db.bookmarks import BookmarkFilter, Home
from db.shapes import related
from db.tags import TagFilter, TagSort
from db.unit import Database, Unit
from kit.errors import BadInput, Conflict, NotFound
from kit.ids import new_id
from kit.paging import page_request
from services import bookmarks, tags
from services.permissions import Viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot


async def paths(database: Database, viewer: Viewer) -> list[str]:
    request = page_request("tags", (str, UUID), first=100)
    found = await tags.page(database, viewer, TagFilter(), request, sort=TagSort.PATH, descending=False)
    return [tag.path for tag, _, _ in found]


async def ensure(database: Database, viewer: Viewer, names: Sequence[str]) -> dict[str, str]:
    async with database.unit() as unit:
        return {name: tag.path for name, tag in (await tags.ensure(unit, viewer.id, names)).items()}


async def merge(database: Database, viewer: Viewer, sources: Sequence[str], target: str) -> None:
    found = {name: await tags.named(database, viewer, name) for name in [*sources, target]}
    ids = {name: tag.id for name, tag in found.items() if tag is not None}
    async with database.unit() as unit:
        await tags.merge(unit, viewer, [ids[name] for name in sources], ids[target])


async def tags_of(database: Database, viewer: Viewer, bookmark_id: UUID) -> list[str]:
    found = await related(database, rows_of.OF_BOOKMARK, viewer.id, [bookmark_id], rows_of.WHOLE)
    return [tag.path for tag in found[bookmark_id]]


async def words(database: Database, bookmark_id: UUID) -> str:
    return str(await database.fetchval("SELECT tag_words FROM bookmarks WHERE id = $1", bookmark_id))


async def events(database: Database) -> list[dict[str, object]]:
    return [row["payload"] for row in await database.fetch("SELECT payload FROM events ORDER BY seq")]


async def test_a_name_makes_every_level_once_and_any_spelling_finds_it(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    first = await ensure(database, ada, ["Dev / Python", "dev/rust", " DEV "])
    assert first == {"Dev / Python": "Dev/Python", "dev/rust": "Dev/rust", " DEV ": "Dev"}
    before = await snapshot(database)
    again = await ensure(database, ada, ["dev/\uff50ython", "DEV/RUST", "dev"])
    assert list(again.values()) == list(first.values())
    assert changed_tables(before, await snapshot(database)) == set()


async def test_every_tag_knows_its_parent(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await ensure(database, ada, ["a/b/c", "a/d"])
    rows = {row["path"]: row for row in await database.fetch("SELECT * FROM tags")}
    assert set(rows) == {"a", "a/b", "a/b/c", "a/d"}
    assert rows["a"]["parent_id"] is None
    assert rows["a/b"]["parent_id"] == rows["a/d"]["parent_id"] == rows["a"]["id"]
    assert (rows["a/b/c"]["parent_id"], rows["a/b/c"]["name"]) == (rows["a/b"]["id"], "c")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 10_000, "A tag has at most 2,000 characters; this one has 10,000."),
        ("x" * 101, "A tag's name has at most 100 characters; “" + "x" * 40 + "…” has 101."),
        ("/".join("abcdefghijk"), "A tag is nested at most 10 deep; this one is 11."),
        (" / \u200b / ", "A tag needs a name."),
        ("a\0b", "A tag contains a NUL character or half of a surrogate pair."),
        ("\ud800", "A tag contains a NUL character or half of a surrogate pair."),
        ("/".join(["y" * 100] * 5), "A nested tag has at most 500 characters in all."),
        ("/".join(["\ufdfa" * 40] * 2), "A nested tag has at most 500 characters in all."),
    ],
)
async def test_what_cannot_be_a_tag_is_refused(database: Database, make: Maker, name: str, says: str) -> None:
    ada = await make.viewer()
    before = await snapshot(database)
    async with database.unit() as unit:
        with pytest.raises(BadInput) as refused:
            await tags.create(unit, ada, name=name, color=None)
    assert (refused.value.message, refused.value.field) == (says, ("input", "name"))
    assert changed_tables(before, await snapshot(database)) == set()


async def test_making_a_tag_that_is_there_changes_nothing(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    tag = await make.tag(ada, "dev")
    before = await snapshot(database)
    async with database.unit() as unit:
        assert await tags.create(unit, ada, name="DEV", color="#ff0000") == (tag, False)
    assert changed_tables(before, await snapshot(database)) == set()


async def test_ten_at_once_make_one_tag(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    made = await asyncio.gather(*(ensure(database, ada, ["one/two/three", f"one/{number}"]) for number in range(10)))
    assert {answer["one/two/three"] for answer in made} == {"one/two/three"}
    assert await paths(database, ada) == ["one", *(f"one/{number}" for number in range(10)), "one/two", "one/two/three"]


async def test_a_rename_takes_everything_below_along(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    deep = await make.bookmark(ada, {"url": "https://a.example/", "tags": ["dev/python/web", "other"]})
    aside = await make.bookmark(ada, {"url": "https://b.example/", "tags": ["developer"]})
    dev = await tags.named(database, ada, "dev")
    assert dev is not None
    before = await snapshot(database)
    async with database.unit() as unit:
        renamed = await tags.update(unit, ada, dev.id, {"name": "Code"})
    after = await snapshot(database)
    assert (renamed.id, renamed.name, renamed.path, renamed.path_key) == (dev.id, "Code", "Code", "code")
    assert await paths(database, ada) == ["Code", "Code/python", "Code/python/web", "developer", "other"]
    assert await words(database, deep.id) == "Code python web other"
    assert await words(database, aside.id) == "developer"
    assert changed_tables(before, after) == {"tags", "bookmarks", "events"}
    changed = [new for old, new in zip(before["bookmarks"], after["bookmarks"], strict=True) if old != new]
    assert [row["id"] for row in changed] == [deep.id]
    assert (await events(database))[-1] == {"change": "UPDATED", "ids": [str(deep.id)]}


async def test_a_tag_moves_below_another_and_to_the_top(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    tag, home = await make.tag(ada, "python/web"), await make.tag(ada, "dev")
    python = await tags.named(database, ada, "python")
    assert python is not None
    async with database.unit() as unit:
        await tags.update(unit, ada, python.id, {"parent_id": home.id})
    assert await paths(database, ada) == ["dev", "dev/python", "dev/python/web"]
    async with database.unit() as unit:
        await tags.update(unit, ada, tag.id, {"parent_id": None, "name": "WWW", "color": " #ABCDEF "})
    assert await paths(database, ada) == ["dev", "dev/python", "WWW"]
    moved = await tags.get(database, ada, tag.id)
    assert moved is not None
    assert (moved.parent_id, moved.color) == (None, "#abcdef")


async def test_a_change_of_case_alone_is_shown(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    bookmark = await make.bookmark(ada, {"tags": ["dev/x"]})
    dev = await tags.named(database, ada, "dev")
    assert dev is not None
    async with database.unit() as unit:
        await tags.update(unit, ada, dev.id, {"name": "DEV"})
    assert await tags_of(database, ada, bookmark.id) == ["DEV/x"]


@pytest.mark.parametrize(
    ("name", "parent", "error", "says"),
    [
        ("other", None, Conflict, "There is a tag “other” already; merge the two instead."),
        ("OTHER", None, Conflict, "There is a tag “OTHER” already; merge the two instead."),
        ("old", None, Conflict, "“old” is another name of “other”."),
        ("a", "a/b", BadInput, "A tag cannot be put below itself."),
        ("c/d", None, BadInput, "This is the tag's own name, without “/”; `parentId` says what it lies below."),
    ],
)
async def test_a_rename_that_cannot_be_is_refused(
    database: Database, make: Maker, name: str, parent: str | None, error: type[Exception], says: str
) -> None:
    ada = await make.viewer()
    await ensure(database, ada, ["a/b", "other", "old"])
    await merge(database, ada, ["old"], "other")
    found = {path: await tags.named(database, ada, path) for path in ("a", "a/b")}
    ids = {path: tag.id for path, tag in found.items() if tag is not None}
    before = await snapshot(database)
    with pytest.raises(error) as refused:
        async with database.unit() as unit:
            await tags.update(unit, ada, ids["a"], {"name": name, "parent_id": ids[parent] if parent else None})
    assert str(refused.value) == says
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_tree_that_would_grow_too_deep_stays(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await ensure(database, ada, ["1/2/3/4/5/6", "a/b/c/d/e"])
    one, deep = await tags.named(database, ada, "1"), await tags.named(database, ada, "a/b/c/d/e")
    assert one is not None
    assert deep is not None
    before = await snapshot(database)
    with pytest.raises(BadInput, match="nested at most 10 deep; this one is 11"):
        async with database.unit() as unit:
            await tags.update(unit, ada, one.id, {"parent_id": deep.id})
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_merge_moves_bookmarks_children_and_names(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    both = await make.bookmark(ada, {"url": "https://1.example/", "tags": ["js", "javascript"]})
    one = await make.bookmark(ada, {"url": "https://2.example/", "tags": ["js/react", "ecma/old/x"]})
    shared = await make.bookmark(ada, {"url": "https://3.example/", "tags": ["js/node", "javascript/node"]})
    aside = await make.bookmark(ada, {"url": "https://4.example/", "tags": ["rust"]})
    before = await snapshot(database)
    await merge(database, ada, ["js", "ecma"], "javascript")
    after = await snapshot(database)
    assert await paths(database, ada) == [
        *("javascript", "javascript/node", "javascript/old", "javascript/old/x", "javascript/react", "rust"),
    ]
    assert await tags_of(database, ada, both.id) == ["javascript"]
    assert await tags_of(database, ada, one.id) == ["javascript/old/x", "javascript/react"]
    assert await tags_of(database, ada, shared.id) == ["javascript/node"]
    assert await words(database, both.id) == "javascript"
    assert await words(database, shared.id) == "javascript node"
    assert [row["alias"] for row in after["tag_aliases"]] == ["ecma", "js", "js/node"]
    assert (await events(database))[-1] == {
        "change": "UPDATED",
        "ids": [str(key) for key in sorted([both.id, one.id, shared.id])],
    }
    same = [row for row in before["bookmarks"] if row["id"] == aside.id]
    assert [row for row in after["bookmarks"] if row["id"] == aside.id] == same
    parents = {row["path"]: row["parent_id"] for row in after["tags"]}
    ids = {row["path"]: row["id"] for row in after["tags"]}
    assert all(parents[path] == ids.get(path.rpartition("/")[0]) for path in ids)


async def test_the_old_names_lead_to_the_merged_tag(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await ensure(database, ada, ["js", "javascript"])
    await merge(database, ada, ["js"], "javascript")
    assert await ensure(database, ada, ["JS", "js/react"]) == {"JS": "javascript", "js/react": "javascript/react"}
    found = await tags.named(database, ada, "js/react")
    assert found is not None
    assert found.path == "javascript/react"
    await ensure(database, ada, ["ecmascript"])
    await merge(database, ada, ["javascript"], "ecmascript")
    assert await ensure(database, ada, ["js", "js/react"]) == {"js": "ecmascript", "js/react": "ecmascript/react"}


async def test_a_child_merges_into_its_own_parent(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    bookmark = await make.bookmark(ada, {"tags": ["a/b/b", "a/b/c", "a/b"]})
    await merge(database, ada, ["a/b"], "a")
    assert await paths(database, ada) == ["a", "a/b", "a/c"]
    assert await tags_of(database, ada, bookmark.id) == ["a", "a/b", "a/c"]
    assert await database.fetchval("SELECT count(*) FROM tag_aliases") == 0  # `a/b` is a tag again, so no other name


async def test_a_tag_merges_neither_into_itself_nor_below(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await ensure(database, ada, ["a/b", "z"])
    before = await snapshot(database)
    for target in ("a", "a/b"):
        with pytest.raises(BadInput) as refused:
            await merge(database, ada, ["z", "a"], target)
        assert refused.value.message == "“a” cannot be merged into itself or into a tag below it."
        assert refused.value.field == ("input", "sourceIds", "1")
    assert changed_tables(before, await snapshot(database)) == set()


async def test_deleting_leaves_alone_what_has_tags_below(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    bookmark = await make.bookmark(ada, {"tags": ["a/b/c", "z"]})
    row = {path: tag.id for path in ("a", "a/b", "a/b/c", "z") if (tag := await tags.named(database, ada, path))}
    stranger = new_id()
    async with database.unit() as unit:
        gone, missing = await tags.delete(unit, ada, [row["a"], row["z"], stranger], include_descendants=False)
    assert gone == [row["z"]]
    assert [(item.index, item.reason.code) for item in missing] == [(0, "CONFLICT"), (2, "NOT_FOUND")]
    assert await paths(database, ada) == ["a", "a/b", "a/b/c"]
    assert await words(database, bookmark.id) == "a b c"
    async with database.unit() as unit:
        gone, missing = await tags.delete(unit, ada, [row["a"], row["a/b"]], include_descendants=False)
    assert (gone, [item.index for item in missing]) == ([], [0, 1])
    async with database.unit() as unit:
        gone, missing = await tags.delete(unit, ada, [row["a/b"], row["a/b/c"]], include_descendants=False)
    assert (gone, missing) == ([row["a/b"], row["a/b/c"]], [])
    assert await tags_of(database, ada, bookmark.id) == []
    assert await words(database, bookmark.id) == ""
    assert await paths(database, ada) == ["a"]


async def test_deleting_with_all_below(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await make.bookmark(ada, {"tags": ["a/b/c", "z"]})
    tag = await tags.named(database, ada, "a")
    assert tag is not None
    async with database.unit() as unit:
        gone, missing = await tags.delete(unit, ada, [tag.id], include_descendants=True)
    assert (len(gone), missing) == (3, [])
    assert await paths(database, ada) == ["z"]


async def test_a_strangers_tags_do_not_exist(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    theirs, mine = await make.tag(bob, "secret"), await make.tag(ada, "mine")
    before = await snapshot(database)
    assert await tags.get(database, ada, theirs.id) is None
    assert await tags.named(database, ada, "secret") is None
    attempts: list[Callable[[Unit], Awaitable[object]]] = [
        lambda unit: tags.update(unit, ada, theirs.id, {"name": "taken"}),
        lambda unit: tags.update(unit, ada, mine.id, {"parent_id": theirs.id}),
        lambda unit: tags.merge(unit, ada, [theirs.id], mine.id),
        lambda unit: tags.merge(unit, ada, [mine.id], theirs.id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound, match=r"^There is no such tag\.$"):
            async with database.unit() as unit:
                await attempt(unit)
    async with database.unit() as unit:
        gone, missing = await tags.delete(unit, ada, [theirs.id], include_descendants=True)
    assert (gone, [item.reason.code for item in missing]) == ([], ["NOT_FOUND"])
    assert changed_tables(before, await snapshot(database)) == set()


async def test_renaming_while_others_tag_loses_nothing(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    tag = await make.tag(ada, "work")

    async def rename(name: str) -> None:
        async with database.unit() as unit:
            await tags.update(unit, ada, tag.id, {"name": name})

    async def save(number: int) -> UUID:
        return (await make.bookmark(ada, {"url": f"https://{number}.example/", "tags": ["work/x"]})).id

    done = await asyncio.gather(*(save(n) for n in range(8)), *(rename(f"job{n}") for n in range(4)))
    for bookmark_id in filter(None, done):
        (path,) = await tags_of(database, ada, bookmark_id)
        assert await words(database, bookmark_id) == path.replace("/", " ")


async def test_counts_leave_out_the_trash(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await make.bookmark(ada, {"tags": ["a/b"]})
    await make.trashed(ada, {"tags": ["a/b"]})
    found = {row["path"]: row["id"] for row in await database.fetch("SELECT path, id FROM tags")}
    counts = await bookmarks.counts_under(database, ada, Home.TAG, list(found.values()), BookmarkFilter())
    assert counts == {found["a"]: 0, found["a/b"]: 1}
    assert await tags.count(database, ada, TagFilter(is_used=True)) == 1
    assert await tags.count(database, ada, TagFilter(is_used=False)) == 1
    assert await tags.count(database, ada, TagFilter(roots_only=True)) == 1
    assert await tags.count(database, ada, TagFilter(path_contains="A/B")) == 1
    assert await bookmarks.get(database, ada, new_id()) is None


NAMES = st.lists(st.text(st.sampled_from("aAbß/ \uff0f"), min_size=1, max_size=8), min_size=1, max_size=6)


@given(NAMES)
@examples(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tree_is_whole_whatever_is_typed(dsn: str, names: list[str]) -> None:
    """Every level of every path exists once, below its own parent."""

    async def run() -> None:
        database = await Database.connect(dsn, size=2, statement_timeout_seconds=20)
        try:
            ada = await Maker(database).user(f"{new_id()}@example.org")
            typed = [name for name in names if name.strip("/ \uff0f")]
            async with database.unit() as unit:
                found = await tags.ensure(unit, ada.id, typed)
            rows = {row["id"]: row for row in await database.fetch("SELECT * FROM tags WHERE owner_id = $1", ada.id)}
            for row in rows.values():
                above = rows[row["parent_id"]]["path_key"] + "/" if row["parent_id"] else ""
                assert row["path_key"].startswith(above)
                assert "/" not in row["path_key"].removeprefix(above)
            assert {tag.id for tag in found.values()} <= set(rows)
            keys = [row["path_key"] for row in rows.values()]
            assert len(keys) == len(set(keys))
        finally:
            await database.close()

    asyncio.run(run())
