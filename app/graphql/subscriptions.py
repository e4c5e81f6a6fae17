"""Subscriptions: where their events come from, and one execution for each event."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import (
    ExecutionResult,
    Executor,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)

from app import metrics
from app.graphql.engine import Answer, ContextFactory, Engine, Plan, timed_out, wrapped
from app.graphql.errors import outcome_of
from kit.settings import Settings
from resolvers.context import Context


class Subscriptions:
    """Runs the subscriptions of one engine."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    async def subscribe(self, plan: Plan, new_context: ContextFactory) -> AsyncGenerator[Answer, None]:
        """Yield an answer for each event of a subscription, each executed with a context of its own.

        A subscription that cannot start yields one answer with errors and ends.
        """
        context = new_context()
        try:
            async with asyncio.timeout(self._settings.request_timeout_seconds) as deadline:
                stream = await self._source(plan, context)
        except Exception as error:  # noqa: BLE001  as in `Engine.execute`
            stream = ExecutionResult(None, [timed_out(self._settings) if deadline.expired() else wrapped(error)])
        if isinstance(stream, ExecutionResult):
            answer = self._engine.answer(stream, plan, context)
            metrics.operation_done(plan.kind.value, outcome_of(answer.body.get("errors")), None)
            yield answer
            return
        outcome = "ok"
        try:
            async with aclosing(_events(stream, new_context)) as events:
                async for event_context, result in events:
                    yield self._engine.answer(result, plan, event_context)
        except Exception as error:  # noqa: BLE001  the source of events failed: say so, once, and end
            answer = self._engine.answer(ExecutionResult(None, [wrapped(error)]), plan, context)
            outcome = outcome_of(answer.body.get("errors"))
            yield answer
        finally:
            metrics.operation_done(plan.kind.value, outcome, None)

    async def _source(self, plan: Plan, context: Context) -> "ExecutionResult | _Stream":
        executor = self._engine.build(plan, context)
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await source
        return source if isinstance(source, ExecutionResult) else _Stream(executor, source)


@dataclass(frozen=True, slots=True)
class _Stream:
    executor: Executor[Any]
    source: Any


async def _events(
    stream: _Stream, new_context: ContextFactory
) -> AsyncGenerator[tuple[Context, ExecutionResult], None]:
    """Execute each event with a new context: loaders remember rows, and an event is about rows that changed."""
    current: list[Context] = []

    def execute_event(executor: Executor[Any]) -> Any:
        context = new_context()
        current[:] = [context]
        executor.context_value = context
        return execute_subscription_event(executor)

    results: AsyncIterator[ExecutionResult] = map_source_to_response_event(
        stream.executor, stream.source, execute_event
    )
    try:
        async for result in results:
            yield current[0], result
    finally:
        await _close(results)
        await _close(stream.source)


async def _close(stream: Any) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
