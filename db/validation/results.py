"""Answers that all owners of an address share: found by its digest, the address is not kept. Time is the database's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What is known of an address: its last answer and since when, and for how long somebody holds it to ask again.

    `is_mine`: the caller holds it now and is to ask. `busy_seconds` is 0 when nobody else holds it.
    """

    is_mine: bool
    busy_seconds: float
    fetched_at: datetime | None
    observation: dict[str, Any] | None


async def claim(rows: Rows, digest: bytes, claim_id: UUID, *, fresh_seconds: float, lease_seconds: float) -> ResultRow:
    """Take an address to ask it, unless it was asked within `fresh_seconds` or somebody else holds it.

    A claim that was not given back after `lease_seconds` is worth nothing. Who claims with the same id again takes the
    place of their former self, whose worker has died.
    """
    lease = "clock_timestamp() + $3::float8 * interval '1 second'"
    row = await rows.fetchrow(
        f"""
        INSERT INTO fetch_results AS known (url_digest, claim, claimed_until) VALUES ($1, $2, {lease})
        ON CONFLICT (url_digest) DO UPDATE SET claim = $2, claimed_until = {lease}
        WHERE (known.claimed_until <= clock_timestamp() OR known.claim = $2)
            AND (known.fetched_at IS NULL OR known.fetched_at <= clock_timestamp() - $4::float8 * interval '1 second')
        RETURNING fetched_at, observation
        """,
        digest,
        claim_id,
        lease_seconds,
        fresh_seconds,
    )
    if row is not None:
        return ResultRow(is_mine=True, busy_seconds=0.0, **row)
    row = await rows.fetchrow(
        """
        SELECT CASE WHEN fetched_at > clock_timestamp() - $2::float8 * interval '1 second' THEN 0 ELSE
            greatest(extract(epoch FROM claimed_until - clock_timestamp()), 0) END::float8 AS busy_seconds,
            fetched_at, observation
        FROM fetch_results WHERE url_digest = $1
        """,
        digest,
        fresh_seconds,
    )
    if row is None:
        return ResultRow(is_mine=False, busy_seconds=lease_seconds, fetched_at=None, observation=None)
    return ResultRow(is_mine=False, **row)


async def keep(rows: Rows, digest: bytes, claim_id: UUID, observation: dict[str, Any], fetched_at: datetime) -> bool:
    """Put what was answered where others find it, and let go. False when the claim was lost: nothing is written."""
    done = await rows.execute(
        """
        UPDATE fetch_results SET claim = NULL, claimed_until = clock_timestamp(), fetched_at = $3, observation = $4
        WHERE url_digest = $1 AND claim = $2
        """,
        digest,
        claim_id,
        fetched_at,
        observation,
    )
    return done > 0


async def let_go(rows: Rows, digest: bytes, claim_id: UUID) -> None:
    """Give a claim back without an answer."""
    await rows.execute(
        "UPDATE fetch_results SET claim = NULL, claimed_until = clock_timestamp() WHERE url_digest = $1 AND claim = $2",
        digest,
        claim_id,
    )


async def purge(unit: Unit, *, older_than_hours: int, limit: int) -> int:
    """Forget at most `limit` answers of so long ago; return how many."""
    return await unit.execute(
        """
        DELETE FROM fetch_results WHERE url_digest IN (
            SELECT url_digest FROM fetch_results WHERE claimed_until < now() - $1 * interval '1 hour'
            ORDER BY claimed_until LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_hours,
        limit,
    )
