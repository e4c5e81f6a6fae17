"""Agents as workers announce them, the limits that claims respect, and what was last counted of their work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from db.query import Query
from db.shapes import Source, Whole
from db.tables.agents import AgentRegistration
from db.unit import Rows, Unit

_NAMESPACE = UUID("6f4c1c63-35a1-4b6c-9a7e-3d0f6c1f6b0a")
_COLUMNS = """
    id, name, kind, version, description, card, status, heartbeat_at, is_paused, concurrency, rate_per_minute,
    queue_depth, running, succeeded_24h, failed_24h, average_seconds, counted_at
"""
_RETURNING = "RETURNING " + ", ".join(f"agent.{name.strip()}" for name in _COLUMNS.split(","))


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent that some worker has brought along. Its numbers were true at `counted_at`."""

    id: UUID
    name: str
    kind: str
    version: str
    description: str
    card: dict[str, Any]
    status: str
    heartbeat_at: datetime
    is_paused: bool
    concurrency: int
    rate_per_minute: int | None
    queue_depth: int
    running: int
    succeeded_24h: int
    failed_24h: int
    average_seconds: float | None
    counted_at: datetime | None


class _Open(Source):
    """Rows that belong to the server: every account may read them."""

    def owned(self, query: Query, alias: str) -> str:
        """Return a condition that always holds, and uses the viewer as every condition does."""
        return f"{alias}.id IS NOT NULL AND {query.owner}::uuid IS NOT NULL"


AGENT_SOURCE = _Open(table=AgentRegistration, owner=None)
AGENT_WHOLE = Whole(AgentRow)


def agent_key(name: str) -> UUID:
    """Return the key of the agent of this name, on every server the same."""
    return uuid5(_NAMESPACE, name)


async def register(unit: Unit, cards: Sequence[dict[str, Any]]) -> list[AgentRow]:
    """Write the cards of a worker's agents: name, kind, version, description, concurrency, rate_per_minute.

    Returns those that were not there, or away, until now. A pause stays, and so does a newer version's card until the
    worker that has it is gone.
    """
    changed: list[AgentRow] = []
    for card in sorted(cards, key=lambda one: str(one["name"])):
        row = await unit.fetchrow(
            f"""
            WITH before AS (SELECT status FROM agent_registrations WHERE name = $2)
            INSERT INTO agent_registrations AS agent
                (id, name, kind, version, description, card, concurrency, rate_per_minute)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, description = excluded.description,
                card = excluded.card, concurrency = excluded.concurrency, rate_per_minute = excluded.rate_per_minute,
                status = 'ONLINE', heartbeat_at = now()
            RETURNING {_COLUMNS}, coalesce((SELECT status FROM before), 'OFFLINE') = 'OFFLINE' AS is_new
            """,
            agent_key(card["name"]),
            card["name"],
            card["kind"],
            card["version"],
            card["description"],
            card,
            card["concurrency"],
            card["rate_per_minute"],
        )
        if row is not None and row["is_new"]:
            changed.append(AGENT_WHOLE.row(row))
    return changed


async def beat(unit: Unit, names: Sequence[str]) -> bool:
    """Say that a worker with these agents is there; False when one of them had been taken for gone, or is not known."""
    beaten = await unit.execute(
        "UPDATE agent_registrations SET heartbeat_at = now() WHERE name = ANY($1) AND status = 'ONLINE'", list(names)
    )
    return beaten == len(names)


async def expire(unit: Unit, *, older_than_seconds: float) -> list[AgentRow]:
    """Take agents for gone whose workers have been silent for so long; return them."""
    found = await unit.fetch(
        f"""
        UPDATE agent_registrations SET status = 'OFFLINE'
        WHERE status = 'ONLINE' AND heartbeat_at < now() - $1 * interval '1 second' RETURNING {_COLUMNS}
        """,
        older_than_seconds,
    )
    return [AGENT_WHOLE.row(row) for row in found]


async def set_paused(unit: Unit, name: str, *, is_paused: bool) -> tuple[AgentRow, bool] | None:
    """Pause or resume an agent; return it and whether that changed something, None when there is no such agent."""
    row = await unit.fetchrow(
        f"""
        WITH before AS (SELECT is_paused FROM agent_registrations WHERE name = $1 FOR UPDATE)
        UPDATE agent_registrations AS agent SET is_paused = $2 FROM before WHERE name = $1
        {_RETURNING}, before.is_paused <> $2 AS changed
        """,
        name,
        is_paused,
    )
    return None if row is None else (AGENT_WHOLE.row(row), row["changed"])


async def all_agents(rows: Rows) -> list[AgentRow]:
    """Return every agent, by name."""
    return [
        AGENT_WHOLE.row(row) for row in await rows.fetch(f"SELECT {_COLUMNS} FROM agent_registrations ORDER BY name")
    ]


async def agent_by_name(rows: Rows, name: str) -> AgentRow | None:
    """Return one agent or None."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM agent_registrations WHERE name = $1", name)
    return AGENT_WHOLE.row(row) if row else None


async def is_present(rows: Rows, name: str, *, within_seconds: float) -> bool:
    """Tell whether some worker has said within so many seconds that it has an agent."""
    return bool(
        await rows.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM agent_registrations WHERE name = $1 AND status = 'ONLINE'
                AND heartbeat_at > clock_timestamp() - $2 * interval '1 second'
            )
            """,
            name,
            within_seconds,
        )
    )


async def count_work(unit: Unit) -> list[AgentRow]:
    """Count the work of every agent anew; return those of which a number changed."""
    found = await unit.fetch(
        f"""
        WITH open AS (
            SELECT kind, count(*) FILTER (WHERE lease_until > now()) AS running,
                count(*) FILTER (WHERE lease_until IS NULL OR lease_until <= now()) AS waiting
            FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING') GROUP BY kind
        ), day AS (
            SELECT agent AS kind, sum(done + skipped) AS succeeded, sum(failed) AS failed,
                sum(seconds) / nullif(sum(done + failed + skipped), 0) AS seconds
            FROM a2a_task_results WHERE created_at > now() - interval '1 day' GROUP BY agent
        ), counted AS (
            SELECT agent.name, coalesce(open.waiting, 0) AS waiting, coalesce(open.running, 0) AS running,
                coalesce(day.succeeded, 0) AS succeeded, coalesce(day.failed, 0) AS failed, day.seconds
            FROM agent_registrations AS agent LEFT JOIN open USING (kind) LEFT JOIN day USING (kind)
        )
        UPDATE agent_registrations AS agent SET queue_depth = counted.waiting, running = counted.running,
            succeeded_24h = counted.succeeded, failed_24h = counted.failed, average_seconds = counted.seconds,
            counted_at = now()
        FROM counted WHERE agent.name = counted.name AND (
            agent.queue_depth, agent.running, agent.succeeded_24h, agent.failed_24h
        ) IS DISTINCT FROM (counted.waiting, counted.running, counted.succeeded, counted.failed)
        {_RETURNING}
        """
    )
    return [AGENT_WHOLE.row(row) for row in found]
