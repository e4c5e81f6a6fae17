"""GraphQL over server-sent events, “distinct connections mode”: one operation for each connection.

Each result is an event `next`, the end is an event `complete`; a comment every 15 seconds keeps proxies patient.
A slow reader is waited for: events lie in the outbox, not in memory. One that takes nothing for a minute is let go.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any

import orjson
from graphql import OperationType
from litestar.types import HTTPScope, Receive, Send

from app import metrics
from app.graphql.callers import Caller
from app.graphql.endpoint import Endpoint, connection_key
from app.graphql.engine import Answer, ContextFactory, Operation
from app.graphql.errors import problem
from app.graphql.requests import Refusal
from app.graphql.tasks import cancelled
from kit.errors import ErrorCode

HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 60.0
_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata: \n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
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
    plan = endpoint.engine.plan(operation, context)
    if not isinstance(plan, Answer) and plan.kind is OperationType.MUTATION and scope["method"] == "GET":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Mutations are accepted by POST only.", headers={"allow": "POST"})

    async def answers() -> AsyncGenerator[Answer, None]:
        if isinstance(plan, Answer):
            yield plan
        elif plan.kind is OperationType.SUBSCRIPTION:
            async with aclosing(endpoint.subscriptions.subscribe(plan, new_context)) as events:
                async for answer in events:
                    yield answer
        else:
            yield await endpoint.execute(plan, context)

    key, limit = connection_key(caller.viewer, scope), endpoint.settings.max_subscriptions_per_websocket
    with endpoint.connections.counted("event streams", key, limit=limit), metrics.STREAMS.track_inprogress():
        headers = [*_HEADERS, (b"x-request-id", context.request_id.encode())]
        metrics.response_sent(HTTPStatus.OK)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _until_over(endpoint, receive, send, caller, answers(), context.request_id)


async def _until_over(
    endpoint: Endpoint,
    receive: Receive,
    send: Send,
    caller: Caller,
    answers: AsyncGenerator[Answer, None],
    request_id: str,
) -> None:
    pump = asyncio.create_task(_pump(send, answers), name="sse-pump")
    gone = asyncio.create_task(_disconnected(receive), name="sse-gone")
    waiting = {pump, gone}
    ended = None
    if caller.viewer is not None and caller.viewer.session_id is not None:
        ended = asyncio.create_task(endpoint.connections.session_end(caller.viewer), name="sse-session")
        waiting.add(ended)
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if ended is not None and ended in done and gone not in done:
            await cancelled(pump)
            body = problem("The session has ended: sign in again.", ErrorCode.UNAUTHENTICATED, request_id)
            await _finish(send, _event(body) + _COMPLETE)
        elif pump in done:
            pump.result()
    finally:
        await cancelled(*waiting)


async def _pump(send: Send, answers: AsyncGenerator[Answer, None]) -> None:
    """Send every answer, and a heartbeat whenever there was none for 15 seconds."""
    async with aclosing(answers):
        while True:
            following = asyncio.ensure_future(anext(answers, None))
            try:
                while not (await asyncio.wait({following}, timeout=HEARTBEAT_SECONDS))[0]:
                    await _send(send, _HEARTBEAT)
                answer = following.result()
            finally:
                await cancelled(following)
            if answer is None:
                await _finish(send, _COMPLETE)
                return
            await _send(send, _event(answer.body))


async def _disconnected(receive: Receive) -> None:
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return


async def _send(send: Send, data: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _finish(send: Send, data: bytes) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": data, "more_body": False})


def _event(body: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"
