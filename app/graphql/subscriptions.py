"""Subscriptions: where their events come from, and one execution for each event."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from graphql import ExecutionResult, Executor, create_source_event_stream, execute_subscription_event

from app.graphql.engine import Answer, ContextFactory, Engine, Plan, timed_out, wrapped
from kit.settings import Settings
from resolvers.context import Context
from resolvers.live import Following, Quiet


class Stream:
    """A subscription that has begun. Iterate `answers` once; it closes the source at its end."""

    __slots__ = ("_engine", "_executor", "_new_context", "_plan", "_source")

    def __init__(
        self, engine: Engine, plan: Plan, executor: Executor[Any], source: Any, new_context: ContextFactory
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._executor = executor
        self._source = source
        self._new_context = new_context

    def when_quiet(self, on_quiet: Quiet) -> None:
        """Have `on_quiet` told whenever the source has nothing more for now, if it is a `Following`."""
        if isinstance(self._source, Following):
            self._source.on_quiet = on_quiet

    async def answers(self) -> AsyncGenerator[tuple[Any, Answer], None]:
        """Yield each event of the source with its answer. A source that fails says so once, with None, and ends."""
        try:
            async for event in self._source:
                yield event, await self.answer_to(event)
        except Exception as error:  # noqa: BLE001  whatever broke, the client gets an answer and the log the reason
            yield None, self._engine.answer(ExecutionResult(None, [wrapped(error)]), self._plan, self._new_context())
        finally:
            await _close(self._source)

    async def answer_to(self, event: Any) -> Answer:
        """Execute one event with a new context: loaders remember rows, and an event is about rows that changed."""
        context = self._new_context()
        try:
            executor = self._executor.build_per_event_executor(event)
            executor.context_value = context
            executing = execute_subscription_event(executor)
            result = executing if isinstance(executing, ExecutionResult) else await executing
        except Exception as error:  # noqa: BLE001  as above
            result = ExecutionResult(None, [wrapped(error)])
        return self._engine.answer(result, self._plan, context)


class Subscriptions:
    """Begins the subscriptions of one engine."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    async def open(self, plan: Plan, new_context: ContextFactory) -> Stream | Answer:
        """Begin a subscription; an `Answer` with errors says why it cannot."""
        context = new_context()
        try:
            async with asyncio.timeout(self._settings.request_timeout_seconds) as deadline:
                found = await self._source(plan, context)
        except Exception as error:  # noqa: BLE001  as above
            found = ExecutionResult(None, [timed_out(self._settings) if deadline.expired() else wrapped(error)])
        if isinstance(found, ExecutionResult):
            return self._engine.answer(found, plan, context)
        executor, source = found
        return Stream(self._engine, plan, executor, source, new_context)

    async def answers(
        self, plan: Plan, new_context: ContextFactory, *, on_quiet: Quiet
    ) -> AsyncGenerator[Answer, None]:
        """Yield an answer for each event; one that cannot start yields an answer with errors and ends."""
        stream = await self.open(plan, new_context)
        if isinstance(stream, Answer):
            yield stream
            return
        stream.when_quiet(on_quiet)
        async with aclosing(stream.answers()) as answers:
            async for _, answer in answers:
                yield answer

    async def _source(self, plan: Plan, context: Context) -> ExecutionResult | tuple[Executor[Any], Any]:
        executor = self._engine.build(plan, context)
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await source
        return source if isinstance(source, ExecutionResult) else (executor, source)


async def _close(source: Any) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()
