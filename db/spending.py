"""The ledger of what models cost, and the sums of the month that budgets are kept by.

Amounts are tokens and millionths of a US dollar. The month is that of the database's clock in UTC, and a call stays in
the month in which it was reserved. Rows of `ai_months` are locked in one order: `EVERYBODY`, then the agent.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from db.unit import Rows, Unit

EVERYBODY: Final = ""
"""In place of an agent: all agents of the account together."""

_MONTH: Final = "date_trunc('month', now() AT TIME ZONE 'UTC')::date"


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens in and out, and what they cost."""

    tokens: int
    microdollars: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """What one agent asked of one model in a month. `lost` of the calls count at their estimate."""

    agent: str
    model: str
    calls: int
    lost: int
    bookmarks: int
    input_tokens: int
    output_tokens: int
    microdollars: int


@dataclass(frozen=True, slots=True)
class MonthRow:
    """The month that runs, and what of its budget is gone: spent or reserved."""

    month: date
    tokens: int
    microdollars: int


async def take(unit: Unit, owner_id: UUID, agent: str, amount: Amount, *, most: Amount) -> bool:
    """Add an amount to the month of an agent (or `EVERYBODY`) unless it would then be more than `most`."""
    taken = await unit.fetchval(
        f"""
        INSERT INTO ai_months AS kept (owner_id, month, agent, tokens, microdollars)
        SELECT $1, {_MONTH}, $2, $3, $4 WHERE $3 <= $5::bigint AND $4 <= $6::bigint
        ON CONFLICT (owner_id, month, agent) DO UPDATE
        SET tokens = kept.tokens + excluded.tokens, microdollars = kept.microdollars + excluded.microdollars
        WHERE kept.tokens + excluded.tokens <= $5 AND kept.microdollars + excluded.microdollars <= $6
        RETURNING true
        """,
        owner_id,
        agent,
        amount.tokens,
        amount.microdollars,
        most.tokens,
        most.microdollars,
    )
    return bool(taken)


async def insert_reserved(
    unit: Unit,
    key: UUID,
    owner_id: UUID,
    *,
    agent: str,
    task_id: UUID | None,
    bookmarks: int,
    model: str,
    amount: Amount,
) -> None:
    """Write down a call that is about to be made."""
    await unit.execute(
        f"""
        INSERT INTO ai_calls (id, owner_id, agent, task_id, bookmarks, model, month, reserved_tokens,
            reserved_microdollars, state)
        VALUES ($1, $2, $3, $4, $5, $6, {_MONTH}, $7, $8, 'RESERVED')
        """,
        key,
        owner_id,
        agent,
        task_id,
        bookmarks,
        model,
        amount.tokens,
        amount.microdollars,
    )


async def insert_free(
    unit: Unit, key: UUID, owner_id: UUID, *, agent: str, task_id: UUID | None, bookmarks: int, model: str
) -> None:
    """Write down a call that cost nothing, once."""
    await unit.execute(
        f"""
        INSERT INTO ai_calls (id, owner_id, agent, task_id, bookmarks, model, month, state, settled_at)
        VALUES ($1, $2, $3, $4, $5, $6, {_MONTH}, 'SETTLED', now())
        ON CONFLICT (id) DO NOTHING
        """,
        key,
        owner_id,
        agent,
        task_id,
        bookmarks,
        model,
    )


async def settle(
    unit: Unit, key: UUID, owner_id: UUID, *, input_tokens: int, output_tokens: int, microdollars: int
) -> bool:
    """Replace a reservation, also one that was given up for lost, by what the call cost. False when it was settled."""
    row = await unit.fetchrow(
        """
        UPDATE ai_calls SET state = 'SETTLED', settled_at = now(), input_tokens = $3, output_tokens = $4,
            microdollars = $5
        WHERE id = $1 AND owner_id = $2 AND state <> 'SETTLED'
        RETURNING agent, month, reserved_tokens, reserved_microdollars
        """,
        key,
        owner_id,
        input_tokens,
        output_tokens,
        microdollars,
    )
    if row is None:
        return False
    for agent in (EVERYBODY, row["agent"]):
        await unit.execute(
            """
            UPDATE ai_months SET tokens = tokens + $4, microdollars = microdollars + $5
            WHERE owner_id = $1 AND month = $2 AND agent = $3
            """,
            owner_id,
            row["month"],
            agent,
            input_tokens + output_tokens - row["reserved_tokens"],
            microdollars - row["reserved_microdollars"],
        )
    return True


async def lose(unit: Unit, key: UUID, owner_id: UUID) -> bool:
    """Count a reservation as spent: nobody will know what it cost. False when it is none any more."""
    return bool(
        await unit.execute(
            f"{_LOSE} WHERE id = $1 AND owner_id = $2 AND state = 'RESERVED'",
            key,
            owner_id,
        )
    )


_LOSE: Final = """
UPDATE ai_calls SET state = 'LOST', settled_at = now(), input_tokens = reserved_tokens,
    microdollars = reserved_microdollars
"""


async def lose_stale(unit: Unit, *, older_than_minutes: int, limit: int) -> int:
    """Count at most `limit` reservations as spent that nobody settled in time; return how many."""
    return await unit.execute(
        f"""
        {_LOSE} WHERE id IN (
            SELECT id FROM ai_calls WHERE state = 'RESERVED' AND created_at < now() - $1 * interval '1 minute'
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_minutes,
        limit,
    )


async def purge(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Forget at most `limit` calls older than `older_than_days`; return how many. The sums of months stay."""
    return await unit.execute(
        """
        DELETE FROM ai_calls WHERE id IN (
            SELECT id FROM ai_calls WHERE created_at < now() - $1 * interval '1 day' AND state <> 'RESERVED'
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        limit,
    )


async def month(rows: Rows, owner_id: UUID) -> MonthRow:
    """Return what of the running month's budget is gone."""
    row = await rows.fetchrow(
        f"""
        SELECT {_MONTH} AS month, coalesce(sum(tokens), 0)::bigint AS tokens,
            coalesce(sum(microdollars), 0)::bigint AS microdollars
        FROM ai_months WHERE owner_id = $1 AND month = {_MONTH} AND agent = $2
        """,
        owner_id,
        EVERYBODY,
    )
    if row is None:
        raise RuntimeError("an aggregate returned no row")
    return MonthRow(**row)


async def lines(rows: Rows, owner_id: UUID) -> list[LineRow]:
    """Return the running month by agent and model, dearest first; at most 100."""
    found = await rows.fetch(
        f"""
        SELECT agent, model, count(*)::int AS calls, (count(*) FILTER (WHERE state = 'LOST'))::int AS lost,
            sum(bookmarks)::int AS bookmarks, sum(input_tokens)::bigint AS input_tokens,
            sum(output_tokens)::bigint AS output_tokens, sum(microdollars)::bigint AS microdollars
        FROM ai_calls WHERE owner_id = $1 AND month = {_MONTH} AND state <> 'RESERVED'
        GROUP BY agent, model ORDER BY microdollars DESC, agent, model LIMIT 100
        """,
        owner_id,
    )
    return [LineRow(**row) for row in found]
