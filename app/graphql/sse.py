"""GraphQL over server-sent events, “distinct connections mode”: one operation for each connection.

Each result is an event `next`, the end is an event `complete`; a comment every 15 seconds keeps proxies patient.
A slow reader is treated as on a socket, see app.graphql.broadcast; one that takes nothing for a minute is let go.
"""

import asyncio
from asyncio import FIRST_COMPLETED
from http import HTTPStatus
from typing import Any

import orjson
from graphql import OperationType
from litestar.types import HTTPScope, Receive, Send

from app import metrics
from app.graphql.callers import Caller, Headers
from app.graphql.endpoint import Endpoint
from app.graphql.engine import Answer, ContextFactory, Operation, Plan
from app.graphql.errors import problem
from app.graphql.operations import Operations
from app.graphql.outbox import Outbox, Parcel
from app.graphql.requests import refuse_kind
from app.graphql.tasks import cancelled
from kit.errors import ErrorCode
from services.permissions import Viewer

HEARTBEAT_SECONDS = 15.0
_NAME = ""  # the operation has no name on this wire
_COMPLETE = b"event: complete\ndata: \n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
]


async def respond(
    endpoint: Endpoint,
    connection: tuple[HTTPScope, Receive, Send],
    operation: Operation,
    caller: Caller,
    new_context: ContextFactory,
) -> None:
    """Run one operation of any kind and stream its results until it ends, the client leaves or its session does.

    Raises `Refusal` (405) for a mutation by GET and `RateLimited` for too many streams, before anything is sent.
    """
    scope, receive, send = connection
    context = new_context()
    plan = endpoint.plan(operation, context)
    if not isinstance(plan, Answer):
        refuse_kind(plan.kind, scope["method"], is_stream=True)
    key = endpoint.connection_key(caller.viewer, scope, Headers(scope))
    limit = endpoint.settings.max_subscriptions_per_websocket
    with endpoint.connections.counted("event streams", key, limit=limit), metrics.STREAMS.track_inprogress():
        headers = [*_HEADERS, (b"x-request-id", context.request_id.encode())]
        metrics.response_sent(HTTPStatus.OK)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _Stream(endpoint, send, caller.viewer, new_context, context.request_id).run(plan, receive)


class _Wire:
    """The events of the protocol. It knows no `error`: that is a result without data."""

    def next(self, _name: str, body: bytes) -> Parcel:
        return _chunk(b"event: next\ndata: " + body + b"\n\n")

    def error(self, name: str, errors: list[dict[str, Any]]) -> Parcel:
        return self.next(name, orjson.dumps({"errors": errors}))

    def complete(self, _name: str) -> Parcel:
        return _chunk(b"")


_WIRE = _Wire()


class _Stream:
    """One open stream and its only operation."""

    def __init__(
        self, endpoint: Endpoint, send: Send, viewer: Viewer | None, new_context: ContextFactory, request_id: str
    ) -> None:
        self._endpoint = endpoint
        self._viewer = viewer
        self._new_context = new_context
        self._request_id = request_id
        self._over = asyncio.Event()
        self._outbox = Outbox(
            send, max_messages=endpoint.settings.max_subscription_backlog, on_trouble=lambda _reason: self._over.set()
        )
        self._operations = Operations(
            endpoint, self._outbox, _WIRE, viewer, lambda _request_id: new_context, limit=1, on_over=self._completed
        )

    async def run(self, plan: Plan | Answer, receive: Receive) -> None:
        """Stream until the operation is over or the client has gone, then leave nothing behind."""
        gone = asyncio.create_task(_disconnected(receive), name="sse-gone")
        over = asyncio.create_task(self._over.wait(), name="sse-over")
        try:
            if not isinstance(plan, Answer) and plan.kind is OperationType.SUBSCRIPTION:
                self._endpoint.standings.watch(self._viewer, self)
            self._operations.begin(_NAME, plan, self._new_context, self._request_id)
            while not (await asyncio.wait({gone, over}, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED))[0]:
                self._outbox.beat(_HEARTBEAT)
            await self._outbox.drained()
        finally:
            self._endpoint.standings.leave(self._viewer, self)
            await self._operations.stop()
            await self._outbox.stop()
            await cancelled(gone, over)

    def hold(self) -> None:
        """See `standing.Watcher`."""
        self._outbox.hold()

    def release(self) -> None:
        """See `standing.Watcher`."""
        self._outbox.release()

    def session_ended(self) -> None:
        """See `standing.Watcher`."""
        self._operations.halt()
        body = problem("The session has ended: sign in again.", ErrorCode.UNAUTHENTICATED, self._request_id)
        self._finish(_WIRE.next(_NAME, orjson.dumps(body)).message["body"] + _COMPLETE, drop=True)

    def _completed(self) -> None:
        self._finish(_COMPLETE, drop=False)

    def _finish(self, data: bytes, *, drop: bool) -> None:
        message = {"type": "http.response.body", "body": data, "more_body": False}
        self._outbox.finish(Parcel(message, len(data)), drop=drop)
        self._over.set()


async def _disconnected(receive: Receive) -> None:
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return


def _chunk(data: bytes) -> Parcel:
    return Parcel({"type": "http.response.body", "body": data, "more_body": True}, len(data))


_HEARTBEAT = _chunk(b":\n\n")
