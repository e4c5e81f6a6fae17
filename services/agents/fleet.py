"""The agents of all workers: who is there, pausing them, counting their work. They belong to nobody.

What happens to them is told in the server's own sequence of events, which every signed-in account may follow: its
cursors have no gap, as those of an account's own events.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from db import agents as tasks
from db.agents import AgentRow
from db.unit import Rows, Unit
from kit.errors import NotFound
from services import events
from services.agents.names import AgentName
from services.agents.units import BELL
from services.events import EventDraft, Topic
from services.permissions import Role, Viewer, require_role

SERVER: Final = UUID(int=0)
"""Whose the events of the server are: no account can have this id."""

MISSED_HEARTBEATS: Final = 3
"""So many in a row, and a worker is taken for gone."""


class AgentStatus(StrEnum):
    """Whether some worker has the agent."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


async def register(unit: Unit, cards: Sequence[dict[str, Any]]) -> None:
    """Announce the agents of a worker that begins."""
    await _tell(unit, await tasks.register(unit, cards))


async def expire(unit: Unit, *, older_than_seconds: float) -> int:
    """Take agents for gone whose workers are silent; return how many."""
    gone = await tasks.expire(unit, older_than_seconds=older_than_seconds)
    await _tell(unit, gone)
    return len(gone)


async def count_work(unit: Unit) -> int:
    """Count the work of all agents anew; return of how many a number changed."""
    changed = await tasks.count_work(unit)
    await _tell(unit, changed)
    return len(changed)


async def find(rows: Rows, name: AgentName) -> AgentRow | None:
    """Return one agent, None when no worker ever had it."""
    return await tasks.agent_by_name(rows, name.value)


async def pause_agent(unit: Unit, viewer: Viewer, name: AgentName) -> AgentRow:
    """Let nobody begin further work of an agent; what runs ends. Paused already: nothing changes.

    Raises `Forbidden` unless the viewer is an administrator, `NotFound` when no worker ever had the agent.
    """
    return await _set_paused(unit, viewer, name, is_paused=True)


async def resume_agent(unit: Unit, viewer: Viewer, name: AgentName) -> AgentRow:
    """Let an agent work again. Raises like `pause_agent`."""
    return await _set_paused(unit, viewer, name, is_paused=False)


async def _set_paused(unit: Unit, viewer: Viewer, name: AgentName, *, is_paused: bool) -> AgentRow:
    require_role(viewer, Role.ADMIN)
    found = await tasks.set_paused(unit, name.value, is_paused=is_paused)
    if found is None:
        raise NotFound("No worker has brought this agent along yet.", field=("input", "name"))
    row, has_changed = found
    if has_changed:
        unit.ring(BELL)
        await _tell(unit, [row])
    return row


async def _tell(unit: Unit, agents: Sequence[AgentRow]) -> None:
    drafts = [
        EventDraft(Topic.AGENT, row.id, {"name": row.name, "status": row.status, "isPaused": row.is_paused})
        for row in agents
    ]
    await events.record(unit, SERVER, drafts)
