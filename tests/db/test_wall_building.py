"""Making the wall: on a server that has none, by somebody who may not, on a library that is there."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from db.migrate import inspect, known, migrate
from db.migrations import m0020_wall
from db.unit import Database
from db.wall import ROLE, TABLES
from kit.postgres import EmbeddedPostgres
from tests.make import Maker

LIMITED = "limited"
LIBRARY = """
INSERT INTO users (id, email, email_key, name) SELECT gen_random_uuid(), n, n, n FROM unnest(ARRAY['ada', 'bob']) AS n;
INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain)
SELECT gen_random_uuid(), id, 'u', 'u', decode(md5(n::text), 'hex'), 1, 'd' FROM users, generate_series(1, 50) AS n;
INSERT INTO tags (id, owner_id, name, path, path_key) SELECT gen_random_uuid(), id, 't', 't', 't' FROM users;
INSERT INTO collections (id, owner_id, name, slug) SELECT gen_random_uuid(), id, 'c', 'c' FROM users;
INSERT INTO bookmark_tags (tag_id, bookmark_id) SELECT t.id, b.id FROM tags t JOIN bookmarks b USING (owner_id);
INSERT INTO bookmark_collections (collection_id, bookmark_id)
SELECT c.id, b.id FROM collections c JOIN bookmarks b USING (owner_id);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for this module, on which nothing of Graphmark is; give its URL."""
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), {"fsync": "off", "shared_buffers": "16MB"})
    yield postgres.start()
    postgres.stop()


async def run(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def at(server: str, name: str, *, user: str = "postgres") -> str:
    """Return the URL of a database, for a user."""
    return server.replace("/postgres?", f"/{name}?").replace("postgres@", f"{user}@")


async def test_several_databases_make_the_role_at_once(server: str) -> None:
    names = ["one", "two", "three"]
    await run(server, *(f"CREATE DATABASE {name}" for name in names))
    await asyncio.gather(*(migrate(at(server, name)) for name in names))
    assert [(await inspect(at(server, name))).wall_gap for name in names] == [None] * 3
    before = await marks(at(server, "one"))
    assert len(before) == sum(type(access).__name__ in {"Own", "Through"} for access in TABLES.values())
    assert (await migrate(at(server, "one"))).applied == ()
    assert await marks(at(server, "one")) == before


async def test_what_was_taken_away_is_made_again(server: str) -> None:
    dsn = at(server, "torn")
    await run(server, "CREATE DATABASE torn")
    await migrate(dsn)
    for damage in (
        "ALTER TABLE tags DISABLE ROW LEVEL SECURITY",
        "DROP POLICY graphmark_owner ON rules",
        f"REVOKE ALL ON SCHEMA graphmark_wall FROM {ROLE}",
        "DROP VIEW graphmark_wall.bookmarks_by_index",
    ):
        await run(dsn, damage)
        assert "run `graphmark migrate`" in str((await inspect(dsn)).wall_gap), damage
        await migrate(dsn)
        assert (await inspect(dsn)).wall_gap is None, damage
    await run(dsn, "DROP VIEW bookmarks_by_index CASCADE; ALTER TABLE bookmarks ADD COLUMN more int")
    await migrate(dsn)
    await run(dsn, "SELECT more FROM bookmarks_by_index; SELECT more FROM graphmark_wall.bookmarks_by_index")


async def test_without_the_right_to_make_roles_everything_works_and_is_told(server: str) -> None:
    await run(server, f"CREATE ROLE {LIMITED} LOGIN", f"CREATE DATABASE small OWNER {LIMITED}")
    await run(at(server, "small"), "CREATE EXTENSION vector", f"GRANT ALL ON SCHEMA public TO {LIMITED}")
    dsn = at(server, "small", user=LIMITED)
    await migrate(dsn)
    assert f"GRANT {ROLE} TO {LIMITED}" in str((await inspect(dsn)).wall_gap)
    database = await Database.connect(dsn, size=2, statement_timeout_seconds=20)
    make = Maker(database)
    ada, bob = await make.viewer(), await make.viewer()
    await make.bookmark(ada)
    assert not database.is_walled
    assert database.of(bob.id) is database
    await database.close()

    await run(server, f"GRANT {ROLE} TO {LIMITED}")
    await migrate(dsn)
    assert (await inspect(dsn)).wall_gap is None
    database = await Database.connect(dsn, size=2, statement_timeout_seconds=20)
    seen = [
        await rows.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("bookmarks", "bookmarks_by_index")
        for rows in (database, database.of(ada.id), database.of(bob.id))
    ]
    await database.close()
    assert seen == [1, 1, 0] * 2


async def test_links_that_were_there_get_the_owner_of_their_bookmark(server: str) -> None:
    dsn = at(server, "old")
    await run(server, "CREATE DATABASE old")
    await migrate(dsn, migrations={name: one for name, one in known().items() if name < m0020_wall.ID})
    await run(dsn, LIBRARY)
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    for table in ("bookmark_tags", "bookmark_collections"):
        rows = await connection.fetch(
            f"SELECT b.owner_id = link.owner_id AS own, count(*) FROM {table} link JOIN bookmarks b"
            " ON b.id = link.bookmark_id GROUP BY 1"
        )
        assert [tuple(row) for row in rows] == [(True, 100)]
    await connection.close()


async def marks(dsn: str) -> list[tuple[str, int]]:
    """Return each policy and the transaction that made it."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT polrelid::regclass::text, xmin::text::bigint FROM pg_policy ORDER BY 1")
        return [(row[0], row[1]) for row in rows]
    finally:
        await connection.close()
