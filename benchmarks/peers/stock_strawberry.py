"""Strawberry on Litestar as its documentation shows it: resolvers, DataLoaders, subscriptions; nothing tuned."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import strawberry
import uvicorn
from litestar import Litestar, get
from strawberry.dataloader import DataLoader
from strawberry.litestar import make_graphql_controller

from benchmarks.peers.serving import CHANNEL, POOL, Place, uvicorn_options

_LIST: Final = """
SELECT id, url, title, description, notes, domain, is_favorite, is_archived, is_unread, added_at, updated_at, version
FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY added_at DESC, id DESC LIMIT $2
"""
_TAGS: Final = """
SELECT l.bookmark_id, t.id, t.name FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id WHERE l.bookmark_id = ANY($1)
"""
_COLLECTIONS: Final = """
SELECT l.bookmark_id, c.id, c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
WHERE l.bookmark_id = ANY($1)
"""


class Source:
    """The pool, and the queues of those who follow."""

    def __init__(self, place: Place) -> None:
        self.owner = place.owner
        self.pool: Any = None
        self.queues: set[asyncio.Queue[BookmarkEvent]] = set()
        self._dsn = place.dsn

    @asynccontextmanager
    async def opened(self, _app: Litestar) -> AsyncIterator[None]:
        """Keep the pool open and listen."""
        pool = asyncpg.create_pool(self._dsn, min_size=POOL, max_size=POOL)
        async with pool as self.pool, pool.acquire() as listener:
            await listener.add_listener(CHANNEL, self._happened)
            yield

    def _happened(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        told = orjson.loads(payload)
        event = BookmarkEvent(
            cursor=told["cursor"], resync=told["resync"], change=told["change"], bookmark_ids=told["bookmarkIds"]
        )
        for queue in self.queues:
            queue.put_nowait(event)


@strawberry.type
class Named:
    """A tag or a collection."""

    id: UUID
    name: str


def _grouped(sql: str) -> DataLoader[UUID, list[Named]]:
    async def fetch(keys: list[UUID]) -> Sequence[list[Named]]:
        found: dict[UUID, list[Named]] = {key: [] for key in keys}
        for bookmark_id, key, name in await source.pool.fetch(sql, keys):
            found[bookmark_id].append(Named(id=key, name=name))
        return [found[key] for key in keys]

    return DataLoader(load_fn=fetch)


async def _context() -> dict[str, Any]:
    return {"tags": _grouped(_TAGS), "collections": _grouped(_COLLECTIONS)}


Info = strawberry.Info[dict[str, Any], None]


@strawberry.type
class Bookmark:
    """A bookmark with its resolvers."""

    id: UUID
    url: str
    title: str
    description: str | None
    notes: str | None
    domain: str
    is_favorite: bool
    is_archived: bool
    is_unread: bool
    added_at: datetime
    updated_at: datetime
    version: int

    @strawberry.field
    async def tags(self, info: Info) -> list[Named]:
        """Return its tags."""
        return list(await info.context["tags"].load(self.id))

    @strawberry.field
    async def collections(self, info: Info) -> list[Named]:
        """Return its collections."""
        return list(await info.context["collections"].load(self.id))


@strawberry.type
class BookmarkEvent:
    """Something that happened."""

    cursor: str
    resync: bool
    change: str
    bookmark_ids: list[str]


@strawberry.type
class Query:
    """The list."""

    @strawberry.field
    async def bookmarks(self, first: int) -> list[Bookmark]:
        """Return the newest bookmarks."""
        return [Bookmark(**row) for row in await source.pool.fetch(_LIST, source.owner, first)]


@strawberry.type
class Subscription:
    """The events."""

    @strawberry.subscription
    async def bookmark_changed(self) -> AsyncGenerator[BookmarkEvent, None]:
        """Yield what happens from now on."""
        queue: asyncio.Queue[BookmarkEvent] = asyncio.Queue()
        source.queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            source.queues.discard(queue)


@get("/health")
async def health() -> str:
    """Say that the server runs."""
    return "ok"


if __name__ == "__main__":
    place = Place.from_environment()
    source = Source(place)
    schema = strawberry.Schema(query=Query, subscription=Subscription)
    controller = make_graphql_controller(schema, path="/graphql", context_getter=_context)
    app = Litestar([controller, health], lifespan=[source.opened], openapi_config=None)
    uvicorn.run(app, **uvicorn_options(place))
