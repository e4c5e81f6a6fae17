"""Hosts and their patience: who may ask which host when, across all workers and restarts. Time is the database's.

A host's row is changed by single statements, each of which locks it: two workers never count the same place twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.unit import Rows, Unit

_LIVE: Final = """(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(h.in_flight)
    WHERE value::float8 > extract(epoch FROM clock_timestamp()))"""
_OTHERS: Final = """(SELECT count(*) FROM jsonb_each(h.in_flight)
    WHERE key <> $2::text AND value::float8 > extract(epoch FROM clock_timestamp()))"""
_END: Final = "extract(epoch FROM clock_timestamp()) + $4::float8"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a host is asked: so many requests at once, and so many seconds between two beginnings.

    A request that was not given back after `lease_seconds` is taken for lost with its worker.
    """

    concurrency: int
    spacing_seconds: float
    lease_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """What a host answered for an address that cannot exist: a page, or None where it said that there is none."""

    probed_at: datetime
    title: str | None
    digest: bytes | None
    simhash: int | None
    words: int | None


async def enter(rows: Rows, host: str, visit: UUID, pace: Pace) -> float:
    """Begin a request to a host at once: return 0. Otherwise return in how many seconds to try again.

    A visit that begins again, because its worker has died, takes the place that it had.
    """
    granted = await rows.fetchval(
        f"""
        INSERT INTO hosts AS h (host, next_at, in_flight)
        VALUES ($1, clock_timestamp() + $3::float8 * interval '1 second', jsonb_build_object($2::text, {_END}))
        ON CONFLICT (host) DO UPDATE SET
            next_at = clock_timestamp() + $3::float8 * interval '1 second', used_at = clock_timestamp(),
            in_flight = {_LIVE} || jsonb_build_object($2::text, {_END})
        WHERE greatest(h.next_at, h.not_before) <= clock_timestamp() AND {_OTHERS} < $5
        RETURNING true
        """,
        host,
        str(visit),
        pace.spacing_seconds,
        pace.lease_seconds,
        pace.concurrency,
    )
    if granted:
        return 0.0
    wait = await rows.fetchval(
        """
        SELECT extract(epoch FROM greatest(next_at, not_before) - clock_timestamp())::float8
        FROM hosts WHERE host = $1
        """,
        host,
    )
    return max(float(wait or 0.0), pace.spacing_seconds, 0.01)


async def go_on(rows: Rows, host: str, visit: UUID, pace: Pace) -> float:
    """Book another request of a visit that has a place already; return in how many seconds it may begin.

    None of the host's other visitors can begin in between. Its place is kept until then and for another lease.
    """
    wait = await rows.fetchval(
        """
        WITH now AS (SELECT clock_timestamp() AS at), booked AS (
            SELECT host, greatest(h.next_at, h.not_before, now.at) AS at FROM hosts h, now
            WHERE host = $1 FOR UPDATE OF h
        )
        UPDATE hosts h SET next_at = booked.at + $3::float8 * interval '1 second', used_at = clock_timestamp(),
            in_flight = h.in_flight || jsonb_build_object($2::text, extract(epoch FROM booked.at) + $4::float8)
        FROM booked WHERE h.host = booked.host
        RETURNING extract(epoch FROM booked.at - clock_timestamp())::float8
        """,
        host,
        str(visit),
        pace.spacing_seconds,
        pace.lease_seconds,
    )
    return max(float(wait or 0.0), 0.0)


async def leave(rows: Rows, host: str, visit: UUID, *, not_before: datetime | None = None) -> None:
    """Give a place back. `not_before` is when the host wants to be asked again; an earlier wish does not shorten it."""
    await rows.execute(
        """
        UPDATE hosts SET in_flight = in_flight - $2::text,
            not_before = greatest(not_before, coalesce($3::timestamptz, '-infinity'))
        WHERE host = $1
        """,
        host,
        str(visit),
        not_before,
    )


async def keep_probe(
    rows: Rows, host: str, *, title: str | None, digest: bytes | None, simhash: int | None, words: int | None
) -> None:
    """Remember the page that a host shows for addresses that cannot exist; None where it says that there is none."""
    await rows.execute(
        """
        UPDATE hosts SET probed_at = clock_timestamp(), probe_title = $2, probe_digest = $3, probe_simhash = $4,
            probe_words = $5
        WHERE host = $1
        """,
        host,
        title,
        digest,
        simhash,
        words,
    )


async def probe_of(rows: Rows, host: str, *, within_seconds: float) -> ProbeRow | None:
    """Return what the last probe of a host found, None when there was none within so many seconds."""
    row = await rows.fetchrow(
        """
        SELECT probed_at, probe_title AS title, probe_digest AS digest, probe_simhash AS simhash, probe_words AS words
        FROM hosts
        WHERE host = $1 AND probed_at > clock_timestamp() - $2::float8 * interval '1 second'
        """,
        host,
        within_seconds,
    )
    return ProbeRow(**row) if row else None


async def purge(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Forget at most `limit` hosts that nobody asked for so many days; return how many."""
    return await unit.execute(
        """
        DELETE FROM hosts WHERE host IN (
            SELECT host FROM hosts WHERE used_at < now() - $1 * interval '1 day' AND not_before < now()
            ORDER BY used_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        limit,
    )
