"""What a bookmark repeats of its tags: the same bytes as printed from the tags, and shown only where they are asked."""

from uuid import UUID

import orjson
import pytest

from db import tags as rows_of
from db.query import Query
from db.shapes import Gap, Identity, Member, Printed, Value, related
from db.tags import OF_BOOKMARK, SOURCE, labels, refresh_labels
from db.unit import Database
from kit.ids import encode_global_id, new_id
from kit.settings import Executor, load_settings
from resolvers.context import Services
from services import tags
from services.permissions import Viewer
from tests.client import Graph
from tests.instep import assert_in_step
from tests.make import Maker

ID, NAME, PATH = Identity("Tag"), SOURCE.values["name"], SOURCE.values["path"]
CONTROLS = "".join(map(chr, range(1, 33)))
NAMES = (
    'say "hi"',
    "back\\slash",
    "\\",
    '\\"',
    "</script>",
    "{}",
    "[1,2]",
    "null",
    "\x7f",
    "caf\u00e9",
    "line\u2028and\u2029paragraph",
    "\u65e5\u672c\u8a9e",
    "\U0001f469\u200d\U0001f52c",
    "\U0010ffff",
    "\ufeff",
    "%s $1 {row}",
    CONTROLS,
)


async def tag_list(database: Database, bookmark_id: UUID) -> bytes:
    """Return the kept list as it is stored."""
    return bytes(await database.fetchval("SELECT tag_list FROM bookmarks WHERE id = $1", bookmark_id))


async def printed(database: Database, viewer: Viewer, bookmark_id: UUID) -> bytes:
    """Return the list as the resolvers answer it, encoded as every response is."""
    found = await related(database, OF_BOOKMARK, viewer.id, [bookmark_id], rows_of.WHOLE)
    return orjson.dumps([{"id": encode_global_id("Tag", tag.id), "name": tag.name} for tag in found[bookmark_id]])


async def test_any_name_is_kept_as_the_resolvers_answer_it(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada)
    places = [(new_id(), None, name, name, name) for name in NAMES]
    async with database.unit() as unit:
        made = await rows_of.insert(unit, ada.id, places)
        await rows_of.replace_links(unit, row.id, [tag.id for tag in made])
        await refresh_labels(unit, ada.id, [row.id])
    kept = await tag_list(database, row.id)
    assert kept == await printed(database, ada, row.id)
    assert len(orjson.loads(kept)) == len(NAMES)
    words, listed = labels(made)
    assert orjson.dumps(listed) == kept
    assert words == await database.fetchval("SELECT tag_words FROM bookmarks WHERE id = $1", row.id)
    await assert_in_step(database)


async def test_every_change_of_tags_is_kept(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    row = await make.bookmark(ada, {"tags": ["b", "a/x", "B/y"]})
    await make.trashed(ada, {"tags": ["a/x", "c"]})
    await assert_in_step(database)
    ids = {tag["path"]: tag["id"] for tag in await database.fetch("SELECT path, id FROM tags")}

    async def names() -> list[str]:
        await assert_in_step(database)
        return [tag["name"] for tag in orjson.loads(await tag_list(database, row.id))]

    assert await names() == ["x", "b", "y"]
    async with database.unit() as unit:
        await tags.update(unit, ada, ids["a/x"], {"name": "X", "parent_id": ids["c"]})
    assert await names() == ["b", "y", "X"]
    async with database.unit() as unit:
        await tags.update(unit, ada, ids["b"], {"name": "z"})
    assert await names() == ["X", "z", "y"]
    async with database.unit() as unit:
        await tags.merge(unit, ada, [ids["b"]], ids["a"])
    assert await names() == ["a", "y", "X"]
    async with database.unit() as unit:
        await tags.delete(unit, ada, [ids["a"]], include_descendants=True)
    assert await names() == ["X"]


async def test_rows_in_step_are_not_written(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    rows = [await make.bookmark(ada, {"tags": [name]}) for name in "ab"]
    await database.execute("UPDATE bookmarks SET tag_list = '[ ]' WHERE id = $1", rows[0].id)
    places = "SELECT id, ctid::text AS place FROM bookmarks"
    before = {row["id"]: row["place"] for row in await database.fetch(places)}
    async with database.unit() as unit:
        await refresh_labels(unit, ada.id, [row.id for row in rows])
    after = {row["id"]: row["place"] for row in await database.fetch(places)}
    assert [after[row.id] == before[row.id] for row in rows] == [False, True]
    await assert_in_step(database)


async def test_links_to_the_tags_of_others_are_not_kept(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    row, theirs = await make.bookmark(ada, {"tags": ["mine"]}), await make.tag(bob, "secret")
    await database.execute(
        "INSERT INTO bookmark_tags (bookmark_id, tag_id, owner_id) VALUES ($1, $2, $3)", row.id, theirs.id, ada.id
    )
    async with database.unit() as unit:
        await refresh_labels(unit, ada.id, [row.id])
    assert b"secret" not in await tag_list(database, row.id)
    assert await tag_list(database, row.id) == await printed(database, ada, row.id)


@pytest.mark.parametrize(
    ("members", "is_kept"),
    [
        ((Member("id", ID), Member("name", NAME)), True),
        ((Member("name", NAME), Member("id", ID)), False),
        ((Member("id", ID),), False),
        ((Member("id", ID), Member("name", NAME), Member("path", PATH)), False),
        ((Member("key", ID), Member("name", NAME)), False),
        ((Member("id", ID), Member("name", PATH)), False),
        ((Member("id", Identity("Collection")), Member("name", NAME)), False),
        ((Member("id", ID), Member("name", None, typename="Tag")), False),
        ((Member("id", ID), Gap("name")), False),
        ((Member("id", ID), Member("name", Value("upper({row}.name)", NAME.kind))), False),
    ],
)
def test_only_the_exact_selection_shows_the_kept_list(members: tuple[Member | Gap, ...], is_kept: bool) -> None:
    tags_member = Member("labels", OF_BOOKMARK, Printed(members))
    if any(isinstance(member, Gap) for member in members):
        with pytest.raises(ValueError, match="gaps"):
            Printed((tags_member,)).columns(Query(new_id()), "b")
        return
    sql = Printed((tags_member,)).columns(Query(new_id()), "b")
    assert ('b.tag_list AS "labels"' in sql, "bookmark_tags" in sql) == (is_kept, not is_kept)


@pytest.mark.parametrize(
    ("selection", "is_kept"),
    [
        ("tags { id name }", True),
        ("labels: tags { ...Both name }", True),
        ("tags { name }", False),
        ("tags { name id }", False),
        ("tags { id name path }", False),
        ("tags { id name __typename }", False),
    ],
)
async def test_a_list_reads_the_kept_list(services: Services, make: Maker, selection: str, is_kept: bool) -> None:
    """The compiled executor answers from the column, so a column that lies shows where it is read."""
    ada = await make.user()
    await make.bookmark(Viewer(id=ada.id), {"tags": ["real"]})
    await services.database.execute("""UPDATE bookmarks SET tag_list = '[{"id":"1","name":"kept"}]'""")
    document = f"{{ bookmarks {{ nodes {{ {selection} }} }} }}"
    if "Both" in selection:
        document += " fragment Both on Tag { id name }"
    (node,) = (await Graph(services).ask(document, ada))["bookmarks"]["nodes"]
    ((tag,),) = node.values()
    is_compiled = load_settings().executor is Executor.COMPILED
    assert tag["name"] == ("kept" if is_kept and is_compiled else "real")
