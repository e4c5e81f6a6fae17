"""What is used of budgets, as all processes know it."""

from collections.abc import Sequence

from db.unit import Rows, Unit
from kit.rates.budgets import Charge


async def spend(rows: Rows, charges: Sequence[Charge]) -> list[float]:
    """Take from each budget, however much of it is used; return how many seconds of each are used now.

    One statement. It locks in the order of `charges`, which are sorted by key and name each budget once.
    """
    found = await rows.fetch(
        """
        INSERT INTO rate_limits AS kept (key, used_until)
        SELECT key, now() + seconds * interval '1 second'
        FROM unnest($1::text[], $2::float8[]) WITH ORDINALITY AS given (key, seconds, place) ORDER BY place
        ON CONFLICT (key) DO UPDATE SET used_until = greatest(kept.used_until, now()) + (excluded.used_until - now())
        RETURNING key, extract(epoch FROM used_until - now())::float8 AS used
        """,
        [one.key for one in charges],
        [one.seconds for one in charges],
    )
    used: dict[str, float] = {row["key"]: row["used"] for row in found}
    return [used[one.key] for one in charges]


async def take(rows: Rows, charge: Charge, *, most: float) -> float:
    """Take from a budget unless more than `most` seconds of it would then be used; return 0, or the seconds to wait.

    One statement, so nobody gets in between. Whoever is refused while somebody else begins waits for one unit.
    """
    wait: float = await rows.fetchval(
        """
        WITH taken AS (
            INSERT INTO rate_limits AS kept (key, used_until)
            SELECT $1, clock_timestamp() + $2 * interval '1 second' WHERE $2 <= $3::float8
            ON CONFLICT (key) DO UPDATE
            SET used_until = greatest(kept.used_until, clock_timestamp()) + $2 * interval '1 second'
            WHERE kept.used_until - clock_timestamp() <= ($3 - $2) * interval '1 second'
            RETURNING 0::float8 AS wait
        )
        SELECT coalesce((SELECT wait FROM taken), greatest(0.001, (
            SELECT extract(epoch FROM used_until - clock_timestamp())::float8 FROM rate_limits WHERE key = $1
        ) + $2 - $3), $2)
        """,
        charge.key,
        charge.seconds,
        most,
    )
    return wait


async def purge(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` budgets of which nothing is used; return how many."""
    return await unit.execute(
        """
        DELETE FROM rate_limits WHERE key IN (
            SELECT key FROM rate_limits WHERE used_until < now() LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )
