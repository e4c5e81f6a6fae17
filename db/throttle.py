"""Wrong guesses of something secret, and the networks from which people have signed in."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` guesses; the last of them and each that follows is followed by a pause, which doubles every time.

    `leak_per_second` guesses are forgiven while time passes, and all of them `memory_seconds` after the last pause.
    """

    free: int
    pause_seconds: float
    max_pause_seconds: float
    leak_per_second: float
    memory_seconds: float


# How many guesses count when one more is made. The clock is read after the row was locked, so those who wait for each
# other see each other's pause.
_LEVEL: Final = "greatest(kept.failures - $5 * extract(epoch FROM clock_timestamp() - kept.counted_at)::float8, 0) + 1"
_FRESH: Final = f"CASE WHEN kept.forget_at <= clock_timestamp() THEN 1 ELSE {_LEVEL} END"


def _pause(level: str) -> str:
    """Return how long to wait after a guess that brought the count to `level`, as SQL."""
    seconds = f"least($4, $3 * power(2, least(ceil({level}) - $2, 20)))"
    return f"CASE WHEN ceil({level}) < $2 THEN 0 ELSE {seconds} END * interval '1 second'"


async def count(rows: Rows, key: bytes, rule: Rule) -> float:
    """Count a guess as wrong before it is made; return 0, or how many seconds to wait when none may be made now.

    One statement: parallel guesses pass one after the other, and each sees the pause that those before it began.
    """
    counted = await rows.fetchval(
        f"""
        INSERT INTO failed_tries AS kept (key, failures, counted_at, blocked_until, forget_at)
        VALUES ($1, 1, clock_timestamp(), clock_timestamp() + {_pause("1::float8")},
            clock_timestamp() + {_pause("1::float8")} + $6 * interval '1 second')
        ON CONFLICT (key) DO UPDATE SET
            failures = {_FRESH},
            counted_at = clock_timestamp(),
            blocked_until = clock_timestamp() + {_pause(_FRESH)},
            forget_at = clock_timestamp() + {_pause(_FRESH)} + $6 * interval '1 second'
        WHERE kept.blocked_until <= clock_timestamp()
        RETURNING true
        """,
        key,
        rule.free,
        rule.pause_seconds,
        rule.max_pause_seconds,
        rule.leak_per_second,
        rule.memory_seconds,
    )
    return 0.0 if counted else max(0.001, await blocked_for(rows, key))


async def blocked_for(rows: Rows, key: bytes) -> float:
    """Return for how many seconds no guess may be made; 0 or less when one may."""
    seconds: float | None = await rows.fetchval(
        "SELECT extract(epoch FROM blocked_until - clock_timestamp())::float8 FROM failed_tries WHERE key = $1", key
    )
    return seconds or 0.0


async def forget(rows: Rows, key: bytes) -> bool:
    """Forget all wrong guesses; tell whether there were any."""
    return bool(await rows.execute("DELETE FROM failed_tries WHERE key = $1", key))


async def give_back(rows: Rows, key: bytes, *, free: int) -> None:
    """Forget one guess; a pause that it began is over when fewer than `free` are left."""
    await rows.execute(
        """
        UPDATE failed_tries SET failures = greatest(failures - 1, 0),
            blocked_until = CASE WHEN ceil(failures) - 1 < $2 THEN 'epoch' ELSE blocked_until END
        WHERE key = $1
        """,
        key,
        free,
    )


async def purge(unit: Unit, *, known_days: int, limit: int) -> int:
    """Forget at most `limit` counts and as many networks whose time is over; return how many."""
    tries = await unit.execute(
        """
        DELETE FROM failed_tries WHERE key IN (
            SELECT key FROM failed_tries WHERE forget_at < now() ORDER BY forget_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )
    networks = await unit.execute(
        """
        DELETE FROM known_networks WHERE (user_id, network) IN (
            SELECT user_id, network FROM known_networks WHERE seen_at < now() - $2 * interval '1 day'
            ORDER BY seen_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
        known_days,
    )
    return tries + networks


async def remember_network(rows: Rows, user_id: UUID, network: str) -> None:
    """Note that somebody has signed in from a network just now."""
    await rows.execute(
        """
        INSERT INTO known_networks (user_id, network) VALUES ($1, $2)
        ON CONFLICT (user_id, network) DO UPDATE SET seen_at = now()
        """,
        user_id,
        network,
    )


async def is_known(rows: Rows, email_key: str, network: str, *, days: int) -> bool:
    """Tell whether the account with this address has signed in from a network in the last `days`."""
    return bool(
        await rows.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM known_networks JOIN users ON users.id = user_id
                WHERE email_key = $1 AND network = $2 AND seen_at > now() - $3 * interval '1 day'
            )
            """,
            email_key,
            network,
            days,
        )
    )


async def forget_networks(rows: Rows, user_id: UUID) -> int:
    """Know somebody from nowhere any more; return how many networks that were."""
    return await rows.execute("DELETE FROM known_networks WHERE user_id = $1", user_id)


async def networks_of(rows: Rows, email_key: str) -> list[str]:
    """Return the networks from which the account with this address is known, the latest 100."""
    found = await rows.fetch(
        """
        SELECT network FROM known_networks JOIN users ON users.id = user_id
        WHERE email_key = $1 ORDER BY seen_at DESC LIMIT 100
        """,
        email_key,
    )
    return [row["network"] for row in found]
