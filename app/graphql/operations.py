"""The operations that run on one socket."""

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from graphql import OperationType

from app import metrics
from app.graphql.endpoint import Endpoint
from app.graphql.engine import Answer, ContextFactory
from app.graphql.errors import INTERNAL_MESSAGE, problem
from app.graphql.messages import Subscribe
from app.graphql.outbox import Outbox
from app.graphql.tasks import cancelled
from kit.errors import ErrorCode

log = structlog.get_logger(__name__)


class Operations:
    """Runs at most `limit` operations at a time, each in a task of its own, and sends their results to `outbox`.

    `factory_for` gives, for a request id, what makes the contexts of one operation.
    """

    def __init__(
        self, endpoint: Endpoint, outbox: Outbox, factory_for: Callable[[str], ContextFactory], *, limit: int
    ) -> None:
        self._endpoint = endpoint
        self._outbox = outbox
        self._factory_for = factory_for
        self._limit = limit
        self._running: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, message: Subscribe) -> None:
        """Start the operation of a `subscribe` message whose id is free; refuse it when too many run."""
        request_id = os.urandom(12).hex()
        if len(self._running) >= self._limit:
            text = f"At most {self._limit} operations may run on one socket."
            self._error(message.id, problem(text, ErrorCode.RATE_LIMITED, request_id, retryAfterSeconds=1)["errors"])
            return
        task = asyncio.create_task(self._run(message, request_id), name="websocket-operation")
        self._running[message.id] = task
        task.add_done_callback(lambda done: self._forget(message.id, done))

    def cancel(self, name: str) -> None:
        """End an operation because the client wants no more of it; its id is free at once."""
        task = self._running.pop(name, None)
        if task is not None:
            task.cancel()

    def halt(self) -> None:
        """End every operation now; `stop` waits for them."""
        for task in self._running.values():
            task.cancel()

    async def stop(self) -> None:
        """End every operation and wait until each has let go of what it held."""
        tasks, self._running = list(self._running.values()), {}
        await cancelled(*tasks)

    def _forget(self, name: str, task: "asyncio.Task[None]") -> None:
        if self._running.get(name) is task:
            del self._running[name]

    async def _run(self, message: Subscribe, request_id: str) -> None:
        with structlog.contextvars.bound_contextvars(request_id=request_id), metrics.SUBSCRIPTIONS.track_inprogress():
            try:
                is_complete = await self._answers(message, self._factory_for(request_id))
            except Exception:  # an operation's fault must not end the socket
                log.exception("websocket.operation_failed", request_id=request_id)
                self._error(message.id, problem(INTERNAL_MESSAGE, ErrorCode.INTERNAL, request_id)["errors"])
                return
        if is_complete and self._running.get(message.id) is asyncio.current_task():
            # The id is free before the client can know that the operation has ended.
            del self._running[message.id]
            self._outbox.put_object({"id": message.id, "type": "complete"})

    async def _answers(self, message: Subscribe, new_context: ContextFactory) -> bool:
        """Send every result; return False when an `error` message has ended the operation already."""
        engine, context = self._endpoint.engine, new_context()
        plan = engine.plan(message.operation, context)
        if isinstance(plan, Answer):
            return self._send(message.id, plan)
        if plan.kind is not OperationType.SUBSCRIPTION:
            return self._send(message.id, await self._endpoint.execute(plan, context))
        async with aclosing(self._endpoint.subscriptions.subscribe(plan, new_context)) as answers:
            async for answer in answers:
                if not self._send(message.id, answer):
                    return False
        return True

    def _send(self, name: str, answer: Answer) -> bool:
        if answer.is_request_error:
            self._error(name, answer.body["errors"])
            return False
        self._outbox.put(
            b'{"id":' + orjson.dumps(name) + b',"type":"next","payload":' + orjson.dumps(answer.body) + b"}"
        )
        return True

    def _error(self, name: str, errors: list[dict[str, Any]]) -> None:
        self._running.pop(name, None)
        self._outbox.put_object({"id": name, "type": "error", "payload": errors})
