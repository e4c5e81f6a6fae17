"""What agents made and said: artifacts, which never change, and messages, of which the latest are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from db.agents.rows import TaskRow
from db.unit import Rows, Unit
from kit.ids import new_id

MESSAGES_KEPT = 500
"""Most messages of one task; older ones go."""

MESSAGE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What an agent said of the items `first_item` to `last_item` of a step. `content` is JSON, as it was stored."""

    id: UUID
    task_id: UUID
    owner_id: UUID
    step: int
    agent: str
    agent_version: str
    kind: str
    first_item: int
    last_item: int
    done: int
    failed: int
    skipped: int
    seconds: float
    content: bytes
    size_bytes: int
    sha256: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Something said about a task. `id` grows; `agent` is None when the engine says it."""

    id: int
    task_id: UUID
    kind: str
    agent: str | None
    message: str
    created_at: datetime


RESULT = """
    id, task_id, owner_id, step, agent, agent_version, kind, first_item, last_item, done, failed, skipped, seconds,
    content, size_bytes, sha256, created_at
"""


async def collect(unit: Unit, part: TaskRow, *, agent_version: str, kind: str, seconds: float) -> UUID | None:
    """Make an artifact of the fates of a unit's items that are in none yet; None when there are none.

    What the agent said moves from the items into the artifact.
    """
    found = await unit.fetch(
        """
        SELECT position, bookmark_id, status, reason, data FROM a2a_task_items
        WHERE task_id = $1 AND step = $2 AND position BETWEEN $3 AND $4 AND status <> 'PENDING' AND result_id IS NULL
        ORDER BY position FOR NO KEY UPDATE
        """,
        part.parent_id,
        part.step,
        part.first_item,
        part.last_item,
    )
    if not found:
        return None
    results = [
        {
            "bookmarkId": str(row["bookmark_id"]),
            "outcome": row["status"],
            "reason": row["reason"],
            "data": row["data"] or {},
        }
        for row in found
    ]
    content = orjson.dumps({"agent": part.kind, "version": agent_version, "results": results})
    key, statuses = new_id(), [row["status"] for row in found]
    await unit.execute(
        f"""
        INSERT INTO a2a_task_results ({RESULT})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, clock_timestamp())
        """,
        key,
        part.parent_id,
        part.owner_id,
        part.step,
        part.kind,
        agent_version,
        kind,
        part.first_item,
        part.last_item,
        statuses.count("DONE"),
        statuses.count("FAILED"),
        statuses.count("SKIPPED"),
        seconds,
        orjson.Fragment(content),
        len(content),
        sha256(content).digest(),
    )
    await unit.execute(
        """
        UPDATE a2a_task_items SET result_id = $4, data = NULL
        WHERE task_id = $1 AND step = $2 AND position = ANY($3)
        """,
        part.parent_id,
        part.step,
        [row["position"] for row in found],
        key,
    )
    return key


async def earlier(rows: Rows, part: TaskRow, positions: Sequence[int]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return what the agents of earlier steps said in the artifacts that hold these positions: agent and results."""
    found = await rows.fetch(
        """
        SELECT agent, content FROM a2a_task_results WHERE id IN (
            SELECT result_id FROM a2a_task_items
            WHERE task_id = $1 AND step < $2 AND position = ANY($3) AND result_id IS NOT NULL
        ) ORDER BY step, id
        """,
        part.parent_id,
        part.step,
        list(positions),
    )
    return [(row["agent"], orjson.loads(row["content"])["results"]) for row in found]


async def say(unit: Unit, task_id: UUID, kind: str, agent: str | None, message: str) -> None:
    """Add a message, cut to 2,000 characters; of a task the latest 500 are kept."""
    await unit.execute(
        """
        WITH old AS (
            DELETE FROM a2a_task_messages WHERE task_id = $1 AND id <= (
                SELECT id FROM a2a_task_messages WHERE task_id = $1 ORDER BY id DESC OFFSET $5 - 1 LIMIT 1
            )
        )
        INSERT INTO a2a_task_messages (task_id, kind, agent, message) VALUES ($1, $2, $3, $4)
        """,
        task_id,
        kind,
        agent,
        message[:MESSAGE_CHARS],
        MESSAGES_KEPT,
    )
