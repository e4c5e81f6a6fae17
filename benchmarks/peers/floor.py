"""The floor: uvicorn and nothing else.

`GET /list` answers with the JSON that PostgreSQL made of the list; a WebSocket gets every event as the same text.
No GraphQL is understood here, nobody is asked who they are, and nothing is limited: less than this no server can do.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import orjson
import uvicorn

from benchmarks.peers.serving import CHANNEL, Place, uvicorn_options

LIST_SQL: Final = """
SELECT '{"data":{"bookmarks":' || coalesce(json_agg(row_to_json(listed)), '[]')::text || '}}' FROM (
    SELECT b.id, b.url, b.title, b.description, b.notes, b.domain, b.is_favorite AS "isFavorite",
        b.is_archived AS "isArchived", b.is_unread AS "isUnread", b.added_at AS "addedAt",
        b.updated_at AS "updatedAt", b.version,
        (SELECT coalesce(json_agg(row_to_json(tag)), '[]') FROM (
            SELECT t.id, t.name FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id WHERE l.bookmark_id = b.id
        ) AS tag) AS tags,
        (SELECT coalesce(json_agg(row_to_json(collection)), '[]') FROM (
            SELECT c.id, c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
            WHERE l.bookmark_id = b.id
        ) AS collection) AS collections
    FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL
    ORDER BY b.added_at DESC, b.id DESC LIMIT 50
) AS listed
"""
_JSON: Final = [(b"content-type", b"application/json")]


class Floor:
    """The ASGI application."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pool: Any = None
        self._queues: set[asyncio.Queue[str]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, one socket, or the lifespan."""
        if scope["type"] == "http":
            await self._answer(scope["path"], send)
        elif scope["type"] == "websocket":
            await self._follow(receive, send)
        else:
            await receive()
            async with self._opened():
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        pool = asyncpg.create_pool(self._place.dsn, min_size=10, max_size=10)
        async with pool as self._pool, pool.acquire() as listener:
            await listener.add_listener(CHANNEL, self._happened)
            yield

    async def _answer(self, path: str, send: Any) -> None:
        text = await self._pool.fetchval(LIST_SQL, self._place.owner) if path == "/list" else "ok"
        body = text.encode()
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": _JSON + length})
        await send({"type": "http.response.body", "body": body})

    def _happened(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        message = {"id": "1", "type": "next", "payload": {"data": {"bookmarkChanged": orjson.loads(payload)}}}
        text = orjson.dumps(message).decode()
        for queue in self._queues:
            queue.put_nowait(text)

    async def _follow(self, receive: Any, send: Any) -> None:
        """Speak as much of graphql-transport-ws as a client needs for one subscription with the id 1."""
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        await receive()
        await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
        await receive()
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        writer = asyncio.create_task(_write(queue, send))
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._queues.discard(queue)
            writer.cancel()


async def _write(queue: "asyncio.Queue[str]", send: Any) -> None:
    while True:
        await send({"type": "websocket.send", "text": await queue.get()})


if __name__ == "__main__":
    place = Place.from_environment()
    uvicorn.run(Floor(place), **uvicorn_options(place))
