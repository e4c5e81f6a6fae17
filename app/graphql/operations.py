"""The operations that run on one connection."""

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Protocol

import orjson
import structlog
from graphql import OperationType

from app import metrics
from app.graphql.audience import Audience
from app.graphql.broadcast import Membership
from app.graphql.endpoint import Endpoint
from app.graphql.engine import Answer, ContextFactory, Operation, Plan
from app.graphql.errors import INTERNAL_MESSAGE, outcome_of, problem
from app.graphql.outbox import Outbox, Parcel
from app.graphql.tasks import cancelled
from kit.errors import ErrorCode, RateLimited
from services.permissions import Viewer

log = structlog.get_logger(__name__)


class Wire(Protocol):
    """How a connection's protocol words what happens to an operation. Equal arguments give equal messages."""

    def next(self, name: str, body: bytes) -> Parcel:
        """Return the message with a result; `body` is its JSON."""

    def error(self, name: str, errors: list[dict[str, Any]]) -> Parcel:
        """Return the message that ends an operation which was not executed."""

    def complete(self, name: str) -> Parcel:
        """Return the message that ends an operation."""


class Operations:
    """Runs at most `limit` operations at a time and sends their results to `outbox`.

    A subscription that others follow too costs nothing but its place among them; anything else is a task, which waits
    when the connection is slow. `factory_for` gives, for a request id, what makes the contexts of one operation.
    `on_over` is called when an operation has ended by itself.
    """

    __slots__ = ("_endpoint", "_factory_for", "_limit", "_on_over", "_running", "_wire", "outbox", "viewer")

    def __init__(
        self,
        endpoint: Endpoint,
        outbox: Outbox,
        wire: Wire,
        viewer: Viewer | None,
        factory_for: Callable[[str], ContextFactory],
        *,
        limit: int,
        on_over: Callable[[], None] | None = None,
    ) -> None:
        self.outbox = outbox
        self.viewer = viewer
        self._endpoint = endpoint
        self._wire = wire
        self._factory_for = factory_for
        self._limit = limit
        self._on_over = on_over
        self._running: dict[str, asyncio.Task[None] | Membership] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, operation: Operation) -> None:
        """Start an operation whose name is free; refuse it when too many run."""
        request_id = os.urandom(12).hex()
        if len(self._running) >= self._limit:
            text = f"At most {self._limit} operations may run on one socket."
            self._refuse(name, problem(text, ErrorCode.RATE_LIMITED, request_id, retryAfterSeconds=1)["errors"])
            return
        new_context = self._factory_for(request_id)
        try:
            plan = self._endpoint.plan(operation, new_context())
        except RateLimited as error:
            waits = problem(error.message, error.code, request_id, retryAfterSeconds=error.retry_after_seconds)
            self._refuse(name, waits["errors"])
            return
        except Exception:  # an operation's fault must not end the connection
            log.exception("operation.failed", request_id=request_id)
            self._refuse(name, problem(INTERNAL_MESSAGE, ErrorCode.INTERNAL, request_id)["errors"])
            return
        self.begin(name, plan, new_context, request_id)

    def begin(self, name: str, plan: Plan | Answer, new_context: ContextFactory, request_id: str) -> None:
        """Run what has been planned, or say why it cannot be."""
        if isinstance(plan, Answer):
            self.over(name, plan)
            return
        audience = None
        if plan.kind is OperationType.SUBSCRIPTION:
            audience = self._endpoint.broadcasts.audience(plan, self.viewer)
            joined = None if audience is None else self._endpoint.broadcasts.join(audience, plan, self, name)
            if joined is not None:
                self._running[name] = joined
                return
        task = asyncio.create_task(self._run(name, plan, audience, new_context, request_id), name="operation")
        self._running[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))

    def cancel(self, name: str) -> None:
        """End an operation because the client wants no more of it; its name is free at once."""
        running = self._running.pop(name, None)
        if running is not None:
            running.cancel()

    def halt(self) -> None:
        """End every operation now; `stop` waits for them."""
        for running in tuple(self._running.values()):
            running.cancel()

    async def stop(self) -> None:
        """End every operation and wait until each has let go of what it held."""
        self.halt()
        tasks = [running for running in self._running.values() if isinstance(running, asyncio.Task)]
        self._running = {}
        if tasks:
            await cancelled(*tasks)

    def next(self, name: str, body: bytes) -> Parcel:
        """See `broadcast.Channel`."""
        return self._wire.next(name, body)

    def over(self, name: str, answer: Answer | None) -> None:
        """Say that an operation has ended, and with what if it failed. Its name is free before the client knows."""
        self._running.pop(name, None)
        if answer is not None and answer.is_request_error:
            self._refuse(name, answer.body["errors"])
            return
        if answer is not None:
            self.outbox.post(self._wire.next(name, orjson.dumps(answer.body)))
        self.outbox.post(self._wire.complete(name))
        if self._on_over is not None:
            self._on_over()

    def _refuse(self, name: str, errors: list[dict[str, Any]]) -> None:
        self.outbox.post(self._wire.error(name, errors))
        if self._on_over is not None:
            self._on_over()

    def _forget(self, name: str, task: "asyncio.Task[None]") -> None:
        if self._running.get(name) is task:
            del self._running[name]

    def _is_mine(self, name: str) -> bool:
        """Tell whether the task that asks still runs the operation `name`."""
        return self._running.get(name) is asyncio.current_task()

    async def _run(
        self, name: str, plan: Plan, audience: Audience | None, new_context: ContextFactory, request_id: str
    ) -> None:
        with structlog.contextvars.bound_contextvars(request_id=request_id), metrics.SUBSCRIPTIONS.track_inprogress():
            try:
                if plan.kind is OperationType.SUBSCRIPTION:
                    last = await self._follow(name, plan, audience, new_context)
                else:
                    last = await self._endpoint.execute(plan, new_context())
                    await self.outbox.room()
            except Exception:  # an operation's fault must not end the connection
                log.exception("operation.failed", request_id=request_id)
                last = Answer(problem(INTERNAL_MESSAGE, ErrorCode.INTERNAL, request_id), is_request_error=True)
            if self._is_mine(name):
                self.over(name, last)

    async def _follow(
        self, name: str, plan: Plan, audience: Audience | None, new_context: ContextFactory
    ) -> Answer | None:
        """Send an answer for each event; return the one that the subscription failed with.

        One that resumed goes over to those who follow already as soon as it has caught up.
        """
        outcome: str | None = "ok"

        async def on_quiet(seq: int) -> bool:
            nonlocal outcome
            if audience is None or not self._is_mine(name):
                return False
            joined = self._endpoint.broadcasts.join_behind(audience, plan, self, name, seq)
            if joined is not None:
                self._running[name], outcome = joined, None  # it goes on there, and is counted at its end
            return joined is not None

        try:
            async with aclosing(self._endpoint.subscriptions.answers(plan, new_context, on_quiet=on_quiet)) as answers:
                async for answer in answers:
                    if answer.is_request_error:
                        outcome = outcome_of(answer.body["errors"])
                        return answer
                    await self.outbox.room()
                    self.outbox.post(self._wire.next(name, orjson.dumps(answer.body)))
        finally:
            if outcome is not None:
                metrics.operation_done(plan.kind.value, outcome, None)
        return None
