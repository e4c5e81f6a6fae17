"""A large account and a small one that share their tables, filled by PostgreSQL itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from db.unit import Database
from services.permissions import Viewer
from tests.conftest import TEMPLATE, on_database
from tests.make import Maker

LARGE, SMALL = 100_000, 300
"""Bookmarks, rows of imports and events of each."""

FILL = """
CREATE FUNCTION pg_temp.key(kind text, n int) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$ SELECT md5(current_setting('fill.owner') || kind || n)::uuid $$;
INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain, title, is_favorite,
    is_archived, is_unread, source, added_at, created_at, updated_at, deleted_at)
SELECT pg_temp.key('bookmark', n), current_setting('fill.owner')::uuid, 'https://example.org/' || n,
    'https://example.org/' || n, decode(md5('key' || n), 'hex'), 1, 'domain' || n % 997, 'title ' || md5('t' || n),
    n % 10 = 0, n % 50 = 0, n % 3 = 0, CASE WHEN n % 4 = 0 THEN 'MANUAL' ELSE 'IMPORT' END,
    moment, moment, moment, CASE WHEN n % 20 = 7 THEN moment END
FROM (SELECT n, '2020-01-01Z'::timestamptz + n * 7919 % 100003 * interval '1 hour' AS moment
    FROM generate_series(1, {rows}) AS n) AS numbered;
INSERT INTO collections (id, owner_id, parent_id, name, slug, position)
SELECT pg_temp.key('collection', n), current_setting('fill.owner')::uuid,
    CASE WHEN n > greatest({places} / 20, 1) THEN pg_temp.key('collection', 1 + n % greatest({places} / 20, 1)) END,
    'name' || n, 'name' || n, n % 30
FROM generate_series(1, {places}) AS n;
INSERT INTO bookmark_collections (collection_id, bookmark_id, owner_id)
SELECT pg_temp.key('collection', CASE WHEN n % 3 = 0 THEN 1 ELSE 1 + n % {places} END), pg_temp.key('bookmark', n),
    current_setting('fill.owner')::uuid
FROM generate_series(1, {rows}) AS n;
INSERT INTO tags (id, owner_id, name, path, path_key)
SELECT pg_temp.key('tag', n), current_setting('fill.owner')::uuid, 'tag' || n, 'tag' || n, 'tag' || n
FROM generate_series(1, {labels}) AS n;
INSERT INTO bookmark_tags (tag_id, bookmark_id, owner_id)
SELECT pg_temp.key('tag', 1), pg_temp.key('bookmark', n), current_setting('fill.owner')::uuid
FROM generate_series(1, {rows}, 2) AS n
UNION SELECT pg_temp.key('tag', 2 + n % ({labels} - 1)), pg_temp.key('bookmark', n),
    current_setting('fill.owner')::uuid
FROM generate_series(1, {rows}) AS n WHERE n % 5 <> 0;
INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts)
SELECT pg_temp.key('task', n), current_setting('fill.owner')::uuid, 'import', 'import.run', 3
FROM generate_series(1, {places}) AS n;
INSERT INTO imports (id, owner_id, task_id, upload_id, format, file_name, file_size_bytes)
SELECT pg_temp.key('import', n), current_setting('fill.owner')::uuid, pg_temp.key('task', n), pg_temp.key('upload', n),
    'netscape-html', 'f', 1
FROM generate_series(1, {places}) AS n;
INSERT INTO import_rows (import_id, row, url, title, outcome, bookmark_id)
SELECT pg_temp.key('import', CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n % {places} END), n, 'u', 't',
    CASE WHEN n % 100 = 0 THEN 'ERROR' ELSE 'CREATED' END, pg_temp.key('bookmark', n)
FROM generate_series(1, {rows}) AS n;
INSERT INTO events (owner_id, seq, topic, subject_id, payload)
SELECT current_setting('fill.owner')::uuid, n,
    CASE WHEN n % 10 = 0 THEN 'import.progress' ELSE 'bookmark.changed' END,
    pg_temp.key('import', n % {places}), '{{}}' FROM generate_series(1, {rows}) AS n;
INSERT INTO event_counters (owner_id, seq) VALUES (current_setting('fill.owner')::uuid, {rows});
DROP FUNCTION pg_temp.key;
"""


@dataclass(frozen=True)
class Account:
    """An account of some size, a connection that acts for it, and keys of what lies in it."""

    viewer: Viewer
    connection: asyncpg.Connection

    @property
    def id(self) -> UUID:
        """Whose rows they are."""
        return self.viewer.id

    async def key(self, kind: str, number: int = 1) -> UUID:
        """Return the key of the n-th object of a kind. The first collection, tag and import are the largest."""
        return UUID(bytes=await self.connection.fetchval("SELECT decode(md5($1), 'hex')", f"{self.id}{kind}{number}"))


@asynccontextmanager
async def large_and_small(server_dsn: str, name: str, *more: str) -> AsyncIterator[list[Account]]:
    """Make a database called `name` with both accounts, and remove it at the end. `more` is SQL that adds to them."""
    async with AsyncExitStack() as stack:
        admin = await asyncpg.connect(server_dsn)
        stack.push_async_callback(admin.close)
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        stack.push_async_callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
        database = await Database.connect(on_database(server_dsn, name), size=2, statement_timeout_seconds=60)
        stack.push_async_callback(database.close)
        make = Maker(database)
        viewers = [await make.viewer(), await make.viewer()]
        for viewer, rows in zip(viewers, (LARGE, SMALL), strict=True):
            async with database.unit() as unit:
                await unit.fetchval("SELECT set_config('fill.owner', $1, true)", str(viewer.id))
                await unit.execute(FILL.format(rows=rows, places=rows // 20, labels=max(5, rows // 50)))
        async with database.unit() as unit:
            for sql in more:
                await unit.execute(sql)
        await database.execute("VACUUM ANALYZE")
        units = [await stack.enter_async_context(database.of(viewer.id).unit()) for viewer in viewers]
        yield [Account(viewer, unit.connection) for viewer, unit in zip(viewers, units, strict=True)]
