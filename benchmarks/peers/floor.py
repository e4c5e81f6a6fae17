"""The floor: uvicorn and nothing else.

`GET /list` answers with the JSON that PostgreSQL made of the list, from the tables that the peers join; `/coloured`
with the colours of the tags as well; `/kept` with what Graphmark keeps of the tags in each bookmark, which is the least
that can be read. A WebSocket gets every event as the same text: on `/events` by a queue and a task of its own, on
`/loop` from one loop over all sockets.

No GraphQL is understood here, nobody is asked who they are, and nothing is limited: less than this no server can do.
It reaches PostgreSQL through Graphmark's own door, whose connections cost less than those of asyncpg's pool.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
import uvicorn

from benchmarks.peers.serving import CHANNEL, POOL, Place, uvicorn_options
from db.unit import Database, dial

_LIST: Final = """
SELECT array_to_json(ARRAY(SELECT row_to_json(listed) FROM (
    SELECT b.id, b.url, b.title, b.description, b.notes, b.domain, b.is_favorite AS "isFavorite",
        b.is_archived AS "isArchived", b.is_unread AS "isUnread", b.added_at AS "addedAt",
        b.updated_at AS "updatedAt", b.version, {tags} AS tags,
        array_to_json(ARRAY(SELECT row_to_json(collection) FROM (
            SELECT c.id, c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
            WHERE l.bookmark_id = b.id
        ) AS collection)) AS collections
    FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL
    ORDER BY b.added_at DESC, b.id DESC LIMIT 50
) AS listed))
"""
_TAGS: Final = """array_to_json(ARRAY(SELECT row_to_json(tag) FROM (
            SELECT {columns} FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id WHERE l.bookmark_id = b.id
        ) AS tag))"""
STATEMENTS: Final = {
    "/list": _LIST.format(tags=_TAGS.format(columns="t.id, t.name")),
    "/coloured": _LIST.format(tags=_TAGS.format(columns="t.id, t.name, t.color")),
    "/kept": _LIST.format(tags="b.tag_list"),
}
_STATEMENT_SECONDS: Final = 30.0
_JSON: Final = [(b"content-type", b"application/json")]


class Floor:
    """The ASGI application."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._database: Any = None
        self._queues: set[asyncio.Queue[str]] = set()
        self._sends: set[Any] = set()
        self._ready: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, one socket, or the lifespan."""
        if scope["type"] == "http":
            await self._answer(scope["path"], send)
        elif scope["type"] == "websocket":
            await self._follow(scope["path"], receive, send)
        else:
            await receive()
            async with self._opened():
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._database = await Database.connect(
            self._place.dsn, size=POOL, statement_timeout_seconds=_STATEMENT_SECONDS, name="floor"
        )
        listener = await dial(self._place.dsn, name="floor")
        await listener.add_listener(CHANNEL, self._happened)
        try:
            yield
        finally:
            await listener.close()
            await self._database.close()

    async def _answer(self, path: str, send: Any) -> None:
        statement = STATEMENTS.get(path)
        rows = b"[]" if statement is None else await self._database.fetchval(statement, self._place.owner)
        body = b'{"data":{"bookmarks":' + rows + b"}}"
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": _JSON + length})
        await send({"type": "http.response.body", "body": body})

    def _happened(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        message = {"id": "1", "type": "next", "payload": {"data": {"bookmarkChanged": orjson.loads(payload)}}}
        text = orjson.dumps(message).decode()
        for queue in self._queues:
            queue.put_nowait(text)
        if self._sends:
            if not self._ready:
                asyncio.get_running_loop().call_soon(self._send_all)
            self._ready.append({"type": "websocket.send", "text": text})

    def _send_all(self) -> None:
        """Give every socket all that has come since the last turn of the loop, which become one write to each."""
        ready, self._ready = self._ready, []
        for send in self._sends:
            for message in ready:
                _finish(send(message))

    async def _follow(self, path: str, receive: Any, send: Any) -> None:
        """Speak as much of graphql-transport-ws as a client needs for one subscription with the id 1."""
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        await receive()
        await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
        await receive()
        if path == "/loop":
            self._sends.add(send)
            await _gone(receive)
            self._sends.discard(send)
            return
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        writer = asyncio.create_task(_write(queue, send))
        await _gone(receive)
        self._queues.discard(queue)
        writer.cancel()


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _finish(sending: Any) -> None:
    """Run a coroutine that is expected not to wait; one that does has a client that reads too slowly to be measured."""
    try:
        sending.send(None)
    except StopIteration:
        return
    raise RuntimeError("a socket takes no more")


async def _write(queue: "asyncio.Queue[str]", send: Any) -> None:
    while True:
        await send({"type": "websocket.send", "text": await queue.get()})


if __name__ == "__main__":
    place = Place.from_environment()
    uvicorn.run(Floor(place), **uvicorn_options(place))
