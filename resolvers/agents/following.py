"""What happens to tasks and agents, as it happens."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, cast
from uuid import UUID

import strawberry

from db.agents import AgentRow, TaskRow, agent_key
from kit.ids import decode_global_id
from resolvers.agents.fleet import find_agent
from resolvers.agents.tasks import TYPE, find
from resolvers.bookmarks import Resume
from resolvers.context import Info, viewer_of
from resolvers.inputs.agents import AgentName, AgentStatus, TaskStatus
from resolvers.live import SHARED, Following, Quiet, Shared
from services import agents, events
from services.agents import fleet
from services.events import Happening, Topic

OfTask = Annotated[strawberry.ID | None, strawberry.argument(description="Only this task; all of yours when left out.")]
OfAgent = Annotated[AgentName | None, strawberry.argument(description="Only this agent; all when left out.")]


@dataclass(frozen=True, slots=True)
class TaskEventRow:
    """One event of `taskUpdated`: the task as it was then. Nothing but the cursor is known of lost ones."""

    seq: int
    cursor: str
    resync: bool
    key: UUID | None = None
    status: TaskStatus | None = None
    progress: float | None = None
    current_agent: AgentName | None = None
    current_step: str | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgentEventRow:
    """One event of `agentStatusChanged`: the agent as it was then."""

    seq: int
    cursor: str
    resync: bool
    name: AgentName | None = None
    status: AgentStatus | None = None
    is_paused: bool | None = None


def task_updated(info: Info, task_id: OfTask = None, after: Resume = None) -> Following[TaskEventRow]:
    """Return what happens to the viewer's tasks, as a source of rows."""
    return Following(lambda quiet: _task_rows(info, task_id, after, quiet))


def agent_status_changed(info: Info, name: OfAgent = None, after: Resume = None) -> Following[AgentEventRow]:
    """Return what happens to agents, as a source of rows."""
    return Following(lambda quiet: _agent_rows(info, name, after, quiet))


def missed_tasks(seq: int) -> TaskEventRow:
    """Return the event that tells that others before it, up to number `seq`, were lost."""
    return TaskEventRow(seq, events.cursor_of(seq), resync=True)


def missed_agents(seq: int) -> AgentEventRow:
    """Return the event that tells that others before it, up to number `seq`, were lost."""
    return AgentEventRow(seq, events.cursor_of(seq), resync=True)


TASKS_FOLLOWED: Final = {SHARED: Shared(missed_tasks)}
AGENTS_FOLLOWED: Final = {SHARED: Shared(missed_agents)}


async def _task_rows(
    info: Info, task_id: strawberry.ID | None, after: str | None, quiet: Quiet
) -> AsyncGenerator[TaskEventRow, None]:
    context, viewer = info.context, viewer_of(info)
    key = None
    if task_id is not None:
        key = decode_global_id(task_id, expected=TYPE, field=("taskId",))[1]
        await agents.get(context.database, viewer, key, field=("taskId",))
    following = events.follow(
        context.database, context.services.bus, viewer.id, Topic.TASK, subject_id=key, after=after, on_quiet=quiet
    )
    async with aclosing(cast("AsyncGenerator[Happening, None]", following)) as happenings:
        async for happening in happenings:
            context.loaders.clear()  # what they remember was true at the event before
            yield _task_event(happening)


async def _agent_rows(
    info: Info, name: AgentName | None, after: str | None, quiet: Quiet
) -> AsyncGenerator[AgentEventRow, None]:
    context = info.context
    viewer_of(info)
    following = events.follow(
        context.unwalled,
        context.services.bus,
        fleet.SERVER,
        Topic.AGENT,
        subject_id=None if name is None else agent_key(name.value),
        after=after,
        on_quiet=quiet,
    )
    async with aclosing(cast("AsyncGenerator[Happening, None]", following)) as happenings:
        async for happening in happenings:
            context.loaders.clear()  # as above
            yield _agent_event(happening)


async def event_task(event: strawberry.Parent[TaskEventRow], info: Info) -> TaskRow | None:
    """Return the task that an event is about, as it is now."""
    return None if event.key is None else await find(info, event.key)


async def event_agent(event: strawberry.Parent[AgentEventRow], info: Info) -> AgentRow | None:
    """Return the agent that an event is about, as it is now."""
    return None if event.name is None else await find_agent(info, agent_key(event.name.value))


def _task_event(happening: Happening) -> TaskEventRow:
    event = happening.event
    if event is None:
        return missed_tasks(events.seq_of(happening.cursor))
    told = event.payload
    return TaskEventRow(
        event.seq,
        happening.cursor,
        resync=False,
        key=event.subject_id,
        status=TaskStatus(told["status"]),
        progress=told["progress"],
        current_agent=None if told.get("agent") is None else AgentName(told["agent"]),
        current_step=told["step"],
        error=told.get("error"),
        started_at=_moment(told.get("startedAt")),
        finished_at=_moment(told.get("finishedAt")),
    )


def _agent_event(happening: Happening) -> AgentEventRow:
    event = happening.event
    if event is None:
        return missed_agents(events.seq_of(happening.cursor))
    told = event.payload
    return AgentEventRow(
        event.seq,
        happening.cursor,
        resync=False,
        name=AgentName(told["name"]),
        status=AgentStatus(told["status"]),
        is_paused=told["isPaused"],
    )


def _moment(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
